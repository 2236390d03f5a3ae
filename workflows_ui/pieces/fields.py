"""The properties of apps (api.md 11.2 to 11.4): as fields of actions and triggers on an app's page, and as declared inputs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from django.utils.translation import gettext_lazy as _

from workflows_ui.core.readers import as_text, plain_text
from workflows_ui.core.text import Text
from workflows_ui.engine_objects.pieces import NOTE, PieceOperation, Property
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
    "BASIC_AUTH": (_("Username and password"), None),
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


def type_words(kind: str) -> Text:
    """The label for the type of a property or connection; an unknown one is shown as it is."""
    if not kind:
        return _("Not known")
    return _TYPES[kind][0] if kind in _TYPES else kind[:60]


def operations(
    found: Mapping[str, PieceOperation], prefix: str, field_url: ChoicesUrl = lambda _operation, _field: ""
) -> list[Operation]:
    """The actions or triggers of a whole piece; at most 200. `prefix` makes their ids unique in the page.

    `field_url` returns the URL of a field's choices by the names of its operation and its own, or "".
    """
    listed = list(found.items())[:_MOST_OPERATIONS]
    return [_operation(f"{prefix}-{number}", name, item, field_url) for number, (name, item) in enumerate(listed)]


def field_lines(found: Mapping[str, Property]) -> tuple[FieldLine, ...]:
    """The fields of a map of properties, without notes; at most 100."""
    return tuple(_field(key, prop) for key, prop in list(found.items())[:_MOST_FIELDS] if prop.type != NOTE)


def _operation(id: str, name: str, found: PieceOperation, field_url: ChoicesUrl) -> Operation:
    props = found.props
    notes = [words(prop.description)[:_LONGEST] for prop in list(props.values())[:_MOST_FIELDS] if prop.type == NOTE]
    return Operation(
        id,
        name,
        _cut(found.display_name) or name,
        words(found.description)[:_LONGEST],
        _STARTS.get(found.type, ""),
        tuple(replace(line, choices_url=field_url(name, line.name)) for line in field_lines(props)),
        tuple(note for note in notes if note),
    )


def _field(key: str, prop: Property) -> FieldLine:
    options = [(label, option.value) for option in prop.options if (label := _cut(option.label))]
    default = prop.default
    return FieldLine(
        key,
        _cut(prop.display_name) or key,
        type_words(prop.type),
        prop.required,
        next((label for label, value in options if value == default), "") or _default(default),
        words(prop.description)[:_LONGEST],
        tuple(label for label, _value in options[:_MOST_OPTIONS]),
        max(0, len(options) - _MOST_OPTIONS),
    )


def _default(value: object) -> Text:
    if value in (None, "", [], {}):
        return ""
    if value is True or value is False:
        return _("Yes") if value else _("No")
    return _cut(plain_text(value))


def _cut(text: str) -> str:
    return text.strip()[:_LONGEST]


def property_inputs(props: Mapping[str, Property]) -> list[Input]:
    """An input for each property of a map, under its key. A note becomes part of the help of the property that follows it."""
    result: list[Input] = []
    note = ""
    for key, prop in props.items():
        text = words(prop.description)
        if prop.type == NOTE:
            note = text
            continue
        result.append(property_input(key, prop, " ".join(filter(None, (note, text)))))
        note = ""
    return result


def property_input(key: str, prop: Property, about: str) -> Input:
    """The input of one property other than a note; a text if the type is unknown."""
    type_, default = prop.type, prop.default
    kind = (_TYPES[type_][1] if type_ in _TYPES else None) or InputKind.TEXT
    if kind is InputKind.LINES and prop.properties:
        kind = InputKind.JSON  # Each entry has properties of its own.
    if kind in (InputKind.TEXT, InputKind.LONG_TEXT, InputKind.COLOR):
        default = as_text(default) or None
    return Input(
        key,
        words(prop.display_name) or key,
        kind,
        help=about,
        required=prop.required,
        initial=default,
        options=_input_options(prop),
        secret=prop.is_secret,
    )


def _input_options(prop: Property) -> list[Option]:
    return [
        Option(str(number), words(option.label) or str(option.value)[:100], option.value)
        for number, option in enumerate(option for option in prop.options if option.has_value)
    ]


def words(text: str) -> str:
    """Plain text: the engine's texts are Markdown."""
    return markdown.plain(text)[:2000]
