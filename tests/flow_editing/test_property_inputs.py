"""Every kind of property that an app can have becomes an input, and what is typed into it the value that the engine wants."""

from typing import Any

import pytest
from django import forms
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from workflows_ui.engine_objects.pieces import Property
from workflows_ui.pieces.fields import _TYPES, property_inputs
from workflows_ui.web.schema_forms import form_fields

OPTIONS = {"options": [{"label": "Europe", "value": {"region": "eu"}}, {"label": "Asia", "value": 2}]}
SIGN_INS = {"BASIC_AUTH", "CUSTOM_AUTH", "OAUTH2", "CLOUD_OAUTH2", "PLATFORM_OAUTH2", "NO_AUTH"}


def form(prop: dict[str, Any], data: Any = None, files: Any = None) -> forms.Form:
    made = forms.Form(data, files)
    made.fields |= form_fields(property_inputs({"x": Property(prop)}))
    return made


@pytest.mark.parametrize(
    ("prop", "typed", "value"),
    [
        ({"type": "SHORT_TEXT"}, " a ", "a"),
        ({"type": "LONG_TEXT"}, "a\nb", "a\nb"),
        ({"type": "SECRET_TEXT"}, " a ", " a "),
        ({"type": "NUMBER"}, "8443", 8443),
        ({"type": "NUMBER"}, "1.5", 1.5),
        ({"type": "NUMBER"}, "", None),
        ({"type": "CHECKBOX"}, "on", True),
        ({"type": "DATE_TIME"}, "2026-03-01T09:30", "2026-03-01T09:30:00+00:00"),
        ({"type": "COLOR"}, "#00ff00", "#00ff00"),
        ({"type": "STATIC_DROPDOWN", "options": OPTIONS}, "0", {"region": "eu"}),
        ({"type": "STATIC_DROPDOWN", "options": OPTIONS}, "", ""),
        ({"type": "STATIC_MULTI_SELECT_DROPDOWN", "options": OPTIONS}, ["0", "1"], [{"region": "eu"}, 2]),
        ({"type": "DROPDOWN", "options": OPTIONS}, "1", 2),
        ({"type": "MULTI_SELECT_DROPDOWN", "options": OPTIONS}, [], []),
        ({"type": "ARRAY"}, "a\n\n b ", ["a", "b"]),
        ({"type": "ARRAY", "properties": {"a": {"type": "SHORT_TEXT"}}}, '[{"a": "b"}]', [{"a": "b"}]),
        ({"type": "OBJECT"}, '{"a": "b"}', {"a": "b"}),
        ({"type": "DYNAMIC"}, '{"a": 1}', {"a": 1}),
        ({"type": "JSON"}, "[1]", [1]),
        ({"type": "CUSTOM"}, "1", 1),
        ({"type": "of a later engine"}, "a", "a"),
    ],
)
def test_what_is_typed_becomes_the_value(prop: dict[str, Any], typed: Any, value: Any) -> None:
    with timezone.override("UTC"):
        made = form(prop, {"x": typed})
        assert made.is_valid(), made.errors
        assert made.cleaned_data["x"] == value
        assert type(made.cleaned_data["x"]) is type(value)


@pytest.mark.parametrize(
    ("prop", "typed"),
    [
        ({"type": "SHORT_TEXT", "required": True}, ""),
        ({"type": "NUMBER"}, "1e999"),
        ({"type": "NUMBER"}, "a"),
        ({"type": "COLOR"}, "red"),
        ({"type": "STATIC_DROPDOWN", "options": OPTIONS}, "2"),
        ({"type": "OBJECT"}, "[1]"),
        ({"type": "JSON"}, "{"),
    ],
)
def test_what_cannot_be_the_value_is_refused_at_the_input(prop: dict[str, Any], typed: str) -> None:
    assert list(form(prop, {"x": typed}).errors) == ["x"]


@pytest.mark.parametrize(
    ("prop", "shown"),
    [
        ({"type": "STATIC_DROPDOWN", "options": OPTIONS, "defaultValue": 2}, 'value="1" selected'),
        ({"type": "STATIC_MULTI_SELECT_DROPDOWN", "options": OPTIONS, "defaultValue": [2]}, 'value="1" selected'),
        ({"type": "ARRAY", "defaultValue": ["a", "b"]}, "a\nb"),
        ({"type": "OBJECT", "defaultValue": {"a": 1}}, "{\n  &quot;a&quot;: 1\n}"),
        ({"type": "SHORT_TEXT", "defaultValue": {"odd": 1}}, 'type="text" name="x" autocomplete'),
    ],
)
def test_a_default_is_shown(prop: dict[str, Any], shown: str) -> None:
    assert shown in str(form(prop)["x"])


def test_a_file_is_given_as_it_was_uploaded() -> None:
    made = form({"type": "FILE"}, {}, {"x": SimpleUploadedFile("a.txt", b"abc")})
    assert made.is_valid()
    assert made.cleaned_data["x"].read() == b"abc"


def test_a_secret_never_comes_back() -> None:
    assert "typed" not in str(form({"type": "SECRET_TEXT"}, {"x": "typed"})["x"])


def test_every_known_type_of_property_has_its_kind() -> None:
    assert {name for name, (_label, kind) in _TYPES.items() if kind is None} == SIGN_INS
