"""Properties of apps as declared inputs (api.md 11.2 to 11.4)."""

from collections.abc import Mapping
from typing import Any

from workflows_ui.web.schema_forms import Input, Kind, Option

#: Every type of property but MARKDOWN, which is a note. The choices of DROPDOWN come from the app on request.
_KINDS = {
    "SHORT_TEXT": Kind.TEXT,
    "LONG_TEXT": Kind.LONG_TEXT,
    "SECRET_TEXT": Kind.TEXT,
    "NUMBER": Kind.NUMBER,
    "CHECKBOX": Kind.YES_NO,
    "DATE_TIME": Kind.DATE_TIME,
    "COLOR": Kind.COLOR,
    "FILE": Kind.FILE,
    "STATIC_DROPDOWN": Kind.CHOICE,
    "DROPDOWN": Kind.CHOICE,
    "STATIC_MULTI_SELECT_DROPDOWN": Kind.CHOICES,
    "MULTI_SELECT_DROPDOWN": Kind.CHOICES,
    "ARRAY": Kind.LINES,
    "OBJECT": Kind.OBJECT,
    "DYNAMIC": Kind.OBJECT,
    "JSON": Kind.JSON,
    "CUSTOM": Kind.JSON,
}


def property_inputs(props: object) -> list[Input]:
    """An input for each property of a map, under its key. A note becomes part of the help of the property that follows
    it.
    """
    result: list[Input] = []
    note = ""
    for key, prop in props.items() if isinstance(props, Mapping) else ():
        if not isinstance(prop, Mapping):
            continue
        text = words(prop.get("description"))
        if prop.get("type") == "MARKDOWN":
            note = text
            continue
        result.append(_input(str(key), prop, " ".join(filter(None, (note, text)))))
        note = ""
    return result


def _input(key: str, prop: Mapping[str, Any], about: str) -> Input:
    type_, default = prop.get("type"), prop.get("defaultValue")
    kind = _KINDS.get(type_, Kind.TEXT) if isinstance(type_, str) else Kind.TEXT
    if kind is Kind.LINES and prop.get("properties"):
        kind = Kind.JSON  # Each entry has properties of its own.
    if kind in (Kind.TEXT, Kind.LONG_TEXT, Kind.COLOR) and not isinstance(default, str):
        default = None
    return Input(
        key,
        words(prop.get("displayName")) or key,
        kind,
        help=about,
        required=prop.get("required") is True,
        initial=default,
        options=_options(prop.get("options")),
        secret=type_ == "SECRET_TEXT",
    )


def _options(held: object) -> list[Option]:
    listed = held.get("options") if isinstance(held, Mapping) else None
    pairs = (
        [item for item in listed if isinstance(item, Mapping) and "value" in item] if isinstance(listed, list) else []
    )
    return [
        Option(str(number), words(item.get("label")) or str(item["value"])[:100], item["value"])
        for number, item in enumerate(pairs)
    ]


def words(found: object) -> str:
    """Plain text: the engine's texts are Markdown, with blank lines and asterisks."""
    return " ".join(found.replace("**", "").split())[:2000] if isinstance(found, str) else ""
