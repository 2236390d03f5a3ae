"""The actions and triggers of an app with their fields, for its page; types as text (api.md 11.2, 11.3)."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.utils.translation import gettext_lazy as _

from workflows_ui.web.messages import Text
from workflows_ui.web.paths import dicts_at

_MOST_OPERATIONS, _MOST_FIELDS, _MOST_OPTIONS, _LONGEST = 200, 100, 12, 400
_TYPES: dict[str, Text] = {
    "SHORT_TEXT": _("Text"),
    "LONG_TEXT": _("Long text"),
    "NUMBER": _("Number"),
    "CHECKBOX": _("Yes or no"),
    "DATE_TIME": _("Date and time"),
    "FILE": _("File"),
    "COLOR": _("Colour"),
    "STATIC_DROPDOWN": _("One of a list"),
    "STATIC_MULTI_SELECT_DROPDOWN": _("Some of a list"),
    "DROPDOWN": _("One of a list that the app gives"),
    "MULTI_SELECT_DROPDOWN": _("Some of a list that the app gives"),
    "DYNAMIC": _("Fields that depend on the others"),
    "ARRAY": _("List"),
    "OBJECT": _("Names with values"),
    "JSON": _("JSON"),
    "CUSTOM": _("Its own kind of field"),
    "SECRET_TEXT": _("Secret text"),
    "BASIC_AUTH": _("User name and password"),
    "CUSTOM_AUTH": _("Several values, some of them secret"),
    "OAUTH2": _("Sign-in at the app (OAuth2)"),
    "CLOUD_OAUTH2": _("Sign-in at the app (OAuth2), set up by the engine's maker"),
    "PLATFORM_OAUTH2": _("Sign-in at the app (OAuth2), set up for the whole platform"),
    "NO_AUTH": _("No secret"),
}
_STARTS: dict[str, Text] = {
    "POLLING": _("Updates automatically from time to time"),
    "WEBHOOK": _("Notified at once"),
    "APP_WEBHOOK": _("Notified at once"),
}


@dataclass(frozen=True)
class FieldLine:
    """A field of an action or trigger; `default` is empty without one, `options` are the labels of a fixed list."""

    name: str
    label: str
    type: Text
    required: bool
    default: str
    help: str
    options: tuple[str, ...]
    more_options: int
    choices_url: str = ""


@dataclass(frozen=True)
class Operation:
    """An action or trigger; `starts` is how a trigger detects events, `notes` are texts in its form."""

    id: str
    name: str
    title: str
    about: str
    starts: Text
    fields: tuple[FieldLine, ...]
    notes: tuple[str, ...]


#: Takes the names of an operation and of one of its fields.
ChoicesUrl = Callable[[str, str], str]


def _no_url(_operation: str, _field: str) -> str:
    return ""


def type_words(kind: object) -> Text:
    """The label for the type of a property or connection; an unknown one is shown as it is."""
    if not isinstance(kind, str):
        return _("Not known")
    return _TYPES.get(kind) or kind[:60]


def operations(found: object, prefix: str, ways: ChoicesUrl = _no_url) -> list[Operation]:
    """The actions or triggers of a whole piece; at most 200. `prefix` makes their ids unique in the page.

    `ways` returns the URL of a field's choices by the names of its operation and its own, "" if there is none.
    """
    if not isinstance(found, Mapping):
        return []
    listed = [(str(name), item) for name, item in found.items() if isinstance(item, Mapping)]
    return [
        _operation(f"{prefix}-{number}", name, item, ways)
        for number, (name, item) in enumerate(listed[:_MOST_OPERATIONS])
    ]


def field_lines(found: object) -> tuple[FieldLine, ...]:
    """The fields of a map of properties, without notes; at most 100."""
    return tuple(_field(key, prop) for key, prop in _property_items(found) if prop.get("type") != "MARKDOWN")


def _property_items(props: object) -> list[tuple[str, Mapping[str, Any]]]:
    listed = list(props.items()) if isinstance(props, Mapping) else []
    return [(str(key), prop) for key, prop in listed[:_MOST_FIELDS] if isinstance(prop, Mapping)]


def _operation(id: str, name: str, found: Mapping[str, Any], ways: ChoicesUrl) -> Operation:
    known = _property_items(found.get("props"))
    notes = [_text(prop.get("description")) for _key, prop in known if prop.get("type") == "MARKDOWN"]
    kind = found.get("type")
    return Operation(
        id,
        name,
        _text(found.get("displayName")) or name,
        _text(found.get("description")),
        _STARTS.get(kind, "") if isinstance(kind, str) else "",
        tuple(replace(line, choices_url=ways(name, line.name)) for line in field_lines(found.get("props"))),
        tuple(note for note in notes if note),
    )


def _field(key: str, prop: Mapping[str, Any]) -> FieldLine:
    options, default = _options(prop.get("options")), prop.get("defaultValue")
    return FieldLine(
        key,
        _text(prop.get("displayName")) or key,
        type_words(prop.get("type")),
        prop.get("required") is True,
        next((label for label, value in options if value == default), "") or _default(default),
        _text(prop.get("description")),
        tuple(label for label, _value in options[:_MOST_OPTIONS]),
        max(0, len(options) - _MOST_OPTIONS),
    )


def _options(found: object) -> list[tuple[str, Any]]:
    pairs = dicts_at(found, "options")
    return [(_text(item.get("label")), item.get("value")) for item in pairs if _text(item.get("label"))]


def _default(value: Any) -> str:
    if value in (None, "", [], {}):
        return ""
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    return _text(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str))


def _text(value: object) -> str:
    return value.strip()[:_LONGEST] if isinstance(value, str) else ""
