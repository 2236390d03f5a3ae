"""Declared readers over the engine's dictionaries: every attribute has a value of its type, whatever was sent."""

from datetime import UTC, datetime

import pytest

from workflows_ui.core import readers
from workflows_ui.core.readers import EngineObject


class Inner(EngineObject):
    __slots__ = ()

    name = readers.text("name")


class Thing(EngineObject):
    __slots__ = ()

    id = readers.usable_id("key")
    title = readers.text("key")
    amount = readers.number("key")
    whole = readers.whole_number("key")
    number_of = readers.count("key")
    on = readers.flag("key")
    any = readers.truth("key")
    at = readers.moment("key")
    tags = readers.texts("key")
    names = readers.texts_by_name("key")
    kept = readers.tree("key")
    values = readers.mapping("key")
    listed = readers.items("key")
    inner = readers.part("key", Inner)
    inners = readers.parts("key", Inner)
    one_or_more = readers.part_or_parts("key", Inner)
    named = readers.parts_by_name("key", Inner)
    deep = readers.text("key.name")


EMPTY: dict[str, object] = {
    "id": "",
    "title": "",
    "amount": None,
    "whole": None,
    "number_of": None,
    "on": False,
    "any": False,
    "at": None,
    "tags": [],
    "names": {},
    "values": {},
    "listed": [],
    "inner": Inner({}),
    "inners": [],
    "one_or_more": [],
    "named": {},
    "deep": "",
}
READ = {
    "true": (True, {"on": True, "any": True}),
    "number": (7, {"amount": 7, "whole": 7, "number_of": 7, "any": True}),
    "negative number": (-7, {"amount": -7, "whole": -7, "any": True}),
    "large number": (10**5000, {"amount": 10**5000, "whole": 10**5000, "number_of": 10**5000, "any": True}),
    "fraction": (0.5, {"amount": 0.5, "any": True}),
    "number as a text": ("12", {"id": "12", "title": "12", "number_of": 12, "any": True}),
    "large number as a text": ("9" * 5000, {"id": "9" * 5000, "title": "9" * 5000, "any": True}),
    "id": ("a b", {"id": "a b", "title": "a b", "any": True}),
    "path": ("../", {"title": "../", "any": True}),
    "time": (
        "2026-11-24T22:38:25.786+01:00",
        {
            "id": "2026-11-24T22:38:25.786+01:00",
            "title": "2026-11-24T22:38:25.786+01:00",
            "any": True,
            "at": datetime(2026, 11, 24, 21, 38, 25, 786000, tzinfo=UTC),
        },
    ),
    "broken text": ("\x00\ud800", {"title": "\ufffd?", "any": True}),
    "list": (
        ["a", 1, {"name": "b"}, None],
        {
            "number_of": 4,
            "any": True,
            "tags": ["a"],
            "listed": ["a", 1, {"name": "b"}, None],
            "inners": [Inner({"name": "b"})],
            "one_or_more": [Inner({"name": "b"})],
        },
    ),
    "dictionary": (
        {"name": "x", "in": {"name": 5}},
        {
            "number_of": 2,
            "any": True,
            "names": {"name": "x"},
            "one_or_more": [Inner({"name": "x", "in": {"name": 5}})],
            "values": {"name": "x", "in": {"name": 5}},
            "inner": Inner({"name": "x", "in": {"name": 5}}),
            "named": {"in": Inner({"name": 5})},
            "deep": "x",
        },
    ),
    "null": (None, {}),
}


@pytest.mark.parametrize(("value", "read"), READ.values(), ids=READ)
def test_every_reader_gives_its_type_for_every_json_value(value: object, read: dict[str, object]) -> None:
    thing = Thing({"key": value})

    assert {name: getattr(thing, name) for name in EMPTY} == {**EMPTY, **read}
    assert thing.kept == value


@pytest.mark.parametrize("value", [None, "text", 5, [], {}])
def test_an_object_of_something_else_is_empty_and_false(value: object) -> None:
    assert not Thing(value)
    assert {name: getattr(Thing(value), name) for name in EMPTY} == EMPTY


def test_keys_without_an_attribute_are_kept() -> None:
    assert Thing(Thing({"key": 1, "unknown": 2})).raw == {"key": 1, "unknown": 2}


def test_an_attribute_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        Thing({}).title = "x"  # type: ignore[misc]  # mypy refuses it, too


class Optional(EngineObject):
    __slots__ = ()

    title = readers.text_or_none("key")
    listed = readers.items_or_none("key")
    inner = readers.part_or_none("key", Inner)


@pytest.mark.parametrize(("value", "name"), [("", "title"), ([], "listed"), ({}, "inner")])
def test_some_readers_tell_an_empty_value_from_none(value: object, name: str) -> None:
    found = Optional({"key": value})
    assert [key for key in ("title", "listed", "inner") if getattr(found, key) is not None] == [name]
    assert [getattr(Optional({"key": 5}), key) for key in ("title", "listed", "inner")] == [None, None, None]


@pytest.mark.parametrize(
    ("value", "number", "whole"),
    [
        (2, 2.0, 2),
        (1.5, 1.5, 1),
        ("2", 2.0, 2),
        ("1.5", 1.5, None),
        ("x", None, None),
        (None, None, None),
        ([], None, None),
        (float("nan"), pytest.approx(float("nan"), nan_ok=True), None),
        (10**400, None, 10**400),
    ],
)
def test_numbers_may_be_written_as_texts(value: object, number: object, whole: int | None) -> None:
    assert readers.number_of(value) == number
    assert readers.whole_number_of(value) == whole
