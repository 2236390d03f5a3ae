"""Declared readers: typed attributes over the engine's dictionaries, whose content is not trusted.

    class Run(EngineObject):
        id = text("id")
        status = text("status")
        failed_step = part("failedStep", FailedStep)

A reader reads when the attribute is read. It never raises: each has a rule for values that are missing or of another type. Paths may be
dotted (`version.displayName`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Final, Generic, TypeVar, overload

from workflows_ui.core import clock, database, paths

Value = TypeVar("Value")
Part = TypeVar("Part", bound="EngineObject")
#: Most are dictionaries, and the check for one is five times as quick.
_MAPPINGS = (dict, Mapping)
_EMPTY: Mapping[str, object] = {}
#: Digits of a count that is written as a text.
_LONGEST_COUNT = 18


class EngineObject:
    """An object of the engine: its dictionary, and attributes declared by readers. It is never changed.

    `raw` is the dictionary as it came, with the keys that no attribute reads: for showing all of it, and for sending back. An object of
    anything else than a dictionary is empty, and an empty one is false. For pages it is made of a masked dictionary, so that no attribute
    goes around the mask.
    """

    __slots__ = ("raw",)

    def __init__(self, raw: object) -> None:
        value = raw.raw if isinstance(raw, EngineObject) else raw
        self.raw: Final[Mapping[str, object]] = value if isinstance(value, _MAPPINGS) else _EMPTY

    def __bool__(self) -> bool:
        return bool(self.raw)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and other.raw == self.raw

    __hash__ = None  # type: ignore[assignment]


if TYPE_CHECKING:

    class Reader(Generic[Value]):
        """An attribute of an EngineObject. `read` makes its value of any object."""

        def __init__(self, read: Callable[[EngineObject], Value]) -> None: ...
        @overload
        def __get__(self, owner: None, kind: type) -> Reader[Value]: ...
        @overload
        def __get__(self, owner: EngineObject, kind: type) -> Value: ...
        def __get__(self, owner: EngineObject | None, kind: type) -> Value | Reader[Value]: ...

else:
    # Python reads an attribute through a property three times as quickly as through any other descriptor.
    Reader = property


def _reader(path: str, rule: Callable[[object], Value]) -> Reader[Value]:
    first, *rest = path.split(".")
    if not rest:
        return Reader(lambda owner: rule(owner.raw.get(first)))

    def read(owner: EngineObject) -> Value:
        value = owner.raw.get(first)
        for key in rest:
            value = value.get(key) if isinstance(value, _MAPPINGS) else None
        return rule(value)

    return Reader(read)


def text(path: str) -> Reader[str]:
    """A text that databases can store (`database.storable`); "" for anything else. What is sent back is taken from `raw`."""
    return _reader(path, as_text)


def text_or_none(path: str) -> Reader[str | None]:
    """As `text`; None for anything else, to distinguish it from an empty text."""
    return _reader(path, _text_or_none)


def usable_id(path: str) -> Reader[str]:
    """An id; "" for one that does not fit into a URL (`paths.usable_id`)."""
    return _reader(path, paths.usable_id)


def number(path: str) -> Reader[float | None]:
    """A number; None for anything else, also for true and false."""
    return _reader(path, as_number)


def whole_number(path: str) -> Reader[int | None]:
    """A whole number; None for anything else, also for true and false."""
    return _reader(path, as_whole_number)


def flag(path: str) -> Reader[bool]:
    """Whether the value is true; anything else, such as "true" or 1, is not."""
    return _reader(path, _is_true)


def truth(path: str) -> Reader[bool]:
    """Whether there is anything: not null, false, 0 or empty."""
    return _reader(path, bool)


def moment(path: str) -> Reader[datetime | None]:
    """A time, in UTC; None for anything else, and for years that `clock.parse_time` refuses.

    The engine sends "" or null for a time in the future (recordings `run_get_RUNNING`).
    """
    return _reader(path, _moment)


def texts(path: str) -> Reader[list[str]]:
    """The texts of a list, each as `text`; other items are left out."""
    return _reader(path, _texts)


def texts_by_name(path: str) -> Reader[dict[str, str]]:
    """The texts of a dictionary, each as `text`; other values are left out."""
    return _reader(
        path, lambda value: {name: as_text(item) for name, item in mapping_of(value).items() if isinstance(item, str)}
    )


def tree(path: str) -> Reader[object]:
    """A value kept as it came; None if it is missing."""
    return _reader(path, _same)


def mapping(path: str) -> Reader[Mapping[str, object]]:
    """A dictionary kept as it came; empty for anything else."""
    return _reader(path, mapping_of)


def count(path: str) -> Reader[int | None]:
    """How many there are: a whole number, also written as a text, or the length of a list or dictionary; None for anything else, also
    for less than 0."""
    return _reader(path, as_count)


def items(path: str) -> Reader[list[object]]:
    """A list whose items are kept as they came; empty for anything else."""
    return _reader(path, as_items)


def items_or_none(path: str) -> Reader[list[object] | None]:
    """As `items`; None for anything else, to distinguish it from an empty list."""
    return _reader(path, _items_or_none)


def part(path: str, kind: Callable[[object], Part]) -> Reader[Part]:
    """An object inside; an empty one, which is false, for anything else."""
    return _reader(path, kind)


def part_or_none(path: str, kind: Callable[[object], Part]) -> Reader[Part | None]:
    """As `part`; None for anything else, to distinguish it from an empty object."""
    return _reader(path, lambda value: kind(value) if isinstance(value, _MAPPINGS) else None)


def parts(path: str, kind: Callable[[object], Part]) -> Reader[list[Part]]:
    """The objects in a list; other items are left out."""
    return _reader(path, lambda value: parts_of(value, kind))


def part_or_parts(path: str, kind: Callable[[object], Part]) -> Reader[list[Part]]:
    """As `parts`, also for an object that stands alone instead of a list."""
    return _reader(path, lambda value: parts_of(value if isinstance(value, list) else [value], kind))


def parts_by_name(path: str, kind: Callable[[object], Part]) -> Reader[dict[str, Part]]:
    """The objects of a dictionary by their keys, in its order; other values are left out."""
    return _reader(path, lambda value: objects_by_name(value, kind))


def parts_of(value: object, kind: Callable[[object], Part]) -> list[Part]:
    """As `parts`, for a value."""
    return [kind(item) for item in as_items(value) if isinstance(item, _MAPPINGS)]


def objects_by_name(value: object, kind: Callable[[object], Part]) -> dict[str, Part]:
    """As `parts_by_name`, for a value."""
    return {name: kind(item) for name, item in mapping_of(value).items() if isinstance(item, _MAPPINGS)}


def as_text(value: object) -> str:
    """As `text`, for a value."""
    if not isinstance(value, str):
        return ""
    # As database.storable does, whose call takes longer than the rest: lists read thousands of texts.
    return value if value.isascii() and "\x00" not in value else database.storable(value)


def plain_text(value: object) -> str:
    """A text as it is, "" for None, and anything else as JSON."""
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False, default=str)


def as_count(value: object) -> int | None:
    """As `count`, for a value."""
    if isinstance(value, dict | list):
        return len(value)
    if isinstance(value, str):
        return int(value) if value.isdecimal() and len(value) <= _LONGEST_COUNT else None
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def number_of(value: object) -> float | None:
    """A number, also written as a text; None for anything else."""
    try:
        return float(value) if isinstance(value, int | float | str) else None
    except (ValueError, OverflowError):
        return None


def whole_number_of(value: object) -> int | None:
    """A number without its fraction, or a whole number written as a text; None for anything else."""
    try:
        return int(value) if isinstance(value, int | float | str) else None
    except (ValueError, OverflowError):
        return None


def as_number(value: object) -> float | None:
    """As `number`, for a value."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def as_whole_number(value: object) -> int | None:
    """As `whole_number`, for a value."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _text_or_none(value: object) -> str | None:
    return as_text(value) if isinstance(value, str) else None


def _items_or_none(value: object) -> list[object] | None:
    return value if isinstance(value, list) else None


def _is_true(value: object) -> bool:
    return value is True


def _moment(value: object) -> datetime | None:
    if isinstance(value, str):
        return clock.parse_time(value)
    # The console's own, added to the engine's dictionary.
    return value if isinstance(value, datetime) else None


def _texts(value: object) -> list[str]:
    return [database.storable(item) for item in as_items(value) if isinstance(item, str)]


def _same(value: object) -> object:
    return value


def mapping_of(value: object) -> Mapping[str, object]:
    """As `mapping`, for a value."""
    return value if isinstance(value, _MAPPINGS) else _EMPTY


def is_nested(value: object) -> bool:
    """Whether a value is a dictionary or a list."""
    return isinstance(value, (*_MAPPINGS, list))


def as_items(value: object) -> list[object]:
    """As `items`, for a value."""
    return value if isinstance(value, list) else []
