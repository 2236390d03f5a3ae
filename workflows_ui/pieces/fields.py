"""The properties of apps (api.md 11.2 to 11.4): as fields of actions and triggers on an app's page, and as declared inputs."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.utils.translation import gettext_lazy as _

from workflows_ui.core.paths import dicts_at, text_at
from workflows_ui.core.text import Text
from workflows_ui.web import markdown
from workflows_ui.web.schema_forms import Input, InputKind, Option

_MOST_OPERATIONS, _MOST_FIELDS, _MOST_OPTIONS, _LONGEST = 200, 100, 12, 400
#: The label of each type of property or connection, and how a property is entered. MARKDOWN is a note; the choices of
#: DROPDOWN come from the app on request.
_TYPES: dict[str, tuple[Text, InputKind | None]] = {
    "SHORT_TEXT": (_("Text"), InputKind.TEXT),
    "LONG_TEXT": (_("Long text"), InputKind.LONG_TEXT),
    "NUMBER": (_("Number"), InputKind.NUMBER),
    "CHECKBOX": (_("Yes or no"), InputKind.YES_NO),
    "DATE_TIME": (_("Date and time"), InputKind.DATE_TIME),
    "FILE": (_("File"), InputKind.FILE),
    "COLOR": (_("Colour"), InputKind.COLOR),
    "STATIC_DROPDOWN": (_("One of a list"), InputKind.CHOICE),
    "STATIC_MULTI_SELECT_DROPDOWN": (_("Some of a list"), InputKind.CHOICES),
    "DROPDOWN": (_("One of a list that the app gives"), InputKind.CHOICE),
    "MULTI_SELECT_DROPDOWN": (_("Some of a list that the app gives"), InputKind.CHOICES),
    "DYNAMIC": (_("Fields that depend on the others"), InputKind.OBJECT),
    "ARRAY": (_("List"), InputKind.LINES),
    "OBJECT": (_("Names with values"), InputKind.OBJECT),
    "JSON": (_("JSON"), InputKind.JSON),
    "CUSTOM": (_("Its own kind of field"), InputKind.JSON),
    "SECRET_TEXT": (_("Secret text"), InputKind.TEXT),
    "BASIC_AUTH": (_("User name and password"), None),
    "CUSTOM_AUTH": (_("Several values, some of them secret"), None),
    "OAUTH2": (_("Sign-in at the app (OAuth2)"), None),
    "CLOUD_OAUTH2": (_("Sign-in at the app (OAuth2), set up by the engine's maker"), None),
    "PLATFORM_OAUTH2": (_("Sign-in at the app (OAuth2), set up for the whole platform"), None),
    "NO_AUTH": (_("No secret"), None),
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
    default: Text
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


def type_words(kind: object) -> Text:
    """The label for the type of a property or connection; an unknown one is shown as it is."""
    if not isinstance(kind, str):
        return _("Not known")
    return _TYPES[kind][0] if kind in _TYPES else kind[:60]


def operations(found: object, prefix: str, field_url: ChoicesUrl = lambda _operation, _field: "") -> list[Operation]:
    """The actions or triggers of a whole piece; at most 200. `prefix` makes their ids unique in the page.

    `field_url` returns the URL of a field's choices by the names of its operation and its own, or "".
    """
    listed = _mappings(found)[:_MOST_OPERATIONS]
    return [_operation(f"{prefix}-{number}", name, item, field_url) for number, (name, item) in enumerate(listed)]


def field_lines(found: object) -> tuple[FieldLine, ...]:
    """The fields of a map of properties, without notes; at most 100."""
    return tuple(_field(key, prop) for key, prop in _mappings(found)[:_MOST_FIELDS] if prop.get("type") != "MARKDOWN")


def _mappings(found: object) -> list[tuple[str, Mapping[str, Any]]]:
    listed = found.items() if isinstance(found, Mapping) else ()
    return [(str(key), item) for key, item in listed if isinstance(item, Mapping)]


def _operation(id: str, name: str, found: Mapping[str, Any], field_url: ChoicesUrl) -> Operation:
    known = _mappings(found.get("props"))[:_MOST_FIELDS]
    notes = [words(prop.get("description"))[:_LONGEST] for _key, prop in known if prop.get("type") == "MARKDOWN"]
    return Operation(
        id,
        name,
        _text(found.get("displayName")) or name,
        words(found.get("description"))[:_LONGEST],
        _STARTS.get(text_at(found, "type"), ""),
        tuple(replace(line, choices_url=field_url(name, line.name)) for line in field_lines(found.get("props"))),
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
        words(prop.get("description"))[:_LONGEST],
        tuple(label for label, _value in options[:_MOST_OPTIONS]),
        max(0, len(options) - _MOST_OPTIONS),
    )


def _options(found: object) -> list[tuple[str, Any]]:
    pairs = dicts_at(found, "options")
    return [(_text(item.get("label")), item.get("value")) for item in pairs if _text(item.get("label"))]


def _default(value: Any) -> Text:
    if value in (None, "", [], {}):
        return ""
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    return _text(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str))


def _text(value: object) -> str:
    return value.strip()[:_LONGEST] if isinstance(value, str) else ""


def property_inputs(props: object) -> list[Input]:
    """An input for each property of a map, under its key. A note becomes part of the help of the property that follows it."""
    result: list[Input] = []
    note = ""
    for key, prop in _mappings(props):
        text = words(prop.get("description"))
        if prop.get("type") == "MARKDOWN":
            note = text
            continue
        result.append(property_input(key, prop, " ".join(filter(None, (note, text)))))
        note = ""
    return result


def property_input(key: str, prop: Mapping[str, Any], about: str) -> Input:
    """The input of one property other than a note; a text if the type is unknown."""
    type_, default = text_at(prop, "type"), prop.get("defaultValue")
    kind = (_TYPES[type_][1] if type_ in _TYPES else None) or InputKind.TEXT
    if kind is InputKind.LINES and prop.get("properties"):
        kind = InputKind.JSON  # Each entry has properties of its own.
    if kind in (InputKind.TEXT, InputKind.LONG_TEXT, InputKind.COLOR) and not isinstance(default, str):
        default = None
    return Input(
        key,
        words(prop.get("displayName")) or key,
        kind,
        help=about,
        required=prop.get("required") is True,
        initial=default,
        options=_input_options(prop),
        secret=type_ == "SECRET_TEXT",
    )


def _input_options(prop: Mapping[str, Any]) -> list[Option]:
    pairs = [item for item in dicts_at(prop, "options.options") if "value" in item]
    return [
        Option(str(number), words(item.get("label")) or str(item["value"])[:100], item["value"])
        for number, item in enumerate(pairs)
    ]


def words(found: object) -> str:
    """Plain text: the engine's texts are Markdown."""
    return markdown.plain(found)[:2000] if isinstance(found, str) else ""
