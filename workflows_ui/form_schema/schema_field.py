"""One property of a JSON Schema as a field: the console's own by its annotation, foreign ones by type and format."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from django.utils.translation import gettext as _

from workflows_ui.form_schema import patterns
from workflows_ui.form_schema.document import (
    LONG,
    MOST_CHOICES,
    MOST_COLUMNS,
    NOTHING,
    NUMBERS,
    SHORT,
    TEXTS,
    Blank,
    Choice,
    Column,
    Field,
    FieldKind,
    Limits,
    Moment,
    PieceChoices,
    ShowIf,
    TableChoices,
    When,
    Why,
    name_for,
)
from workflows_ui.form_schema.parts import Part, read_part
from workflows_ui.form_schema.schema_out import ANNOTATION, BLANKS, FORMATS

_TYPES = {
    "string": FieldKind.TEXT,
    "number": FieldKind.NUMBER,
    "integer": FieldKind.INTEGER,
    "boolean": FieldKind.YES_NO,
    "array": FieldKind.LIST,
    "object": FieldKind.JSON,
}
#: A file is sent as an address, and so is not told from one.
_KINDS = {name: kind for kind, name in FORMATS.items() if kind is not FieldKind.FILE}
_KINDS |= {"time": FieldKind.TIME, "date-time": FieldKind.DATETIME}


def where(path: tuple[str, ...]) -> str:
    """The name of a position in the document, for messages."""
    return " › ".join(key[:60] for key in path) or _("The file")


def read(document: object, path: tuple[str, ...], *, required: bool, taken: set[str]) -> Field:
    """The field of one property. `required` counts only for foreign properties. Raises BadForm for what is not understood."""
    part = Part(document, where(path))
    own = ANNOTATION in part
    annotation = Part(part.take(ANNOTATION, {}), part.where)
    core, blank = _unwrap_blank(part)
    kind = annotation.word("kind", FieldKind, FieldKind.TEXT) if own else _guess_kind(core)
    field = Field(
        name=annotation.text("name", SHORT) if own else name_for(path, taken),
        path=path,
        label=part.text("title", SHORT),
        help=part.text("description", LONG),
        kind=kind,
        required=annotation.flag("required") if own else required,
        default=part.take("default", NOTHING),
        example=_example(part),
        other=annotation.flag("other"),
        group=annotation.text("group", SHORT),
        folded=annotation.flag("folded"),
        show_if=annotation.inner("show_if", _show_if, None),
        searchable=annotation.flag("searchable"),
        blank=annotation.word("blank", Blank, Blank.ABSENT) if own else blank,
        moment=annotation.word("moment", Moment, Moment.LOCAL_MINUTES),
        item=annotation.word("item", FieldKind, FieldKind.TEXT),
        choices=_choices(annotation.items("choices", MOST_CHOICES), part.where),
        choices_from=annotation.inner("choices_from", _choices_from, None),
        accept=tuple(annotation.texts("accept", 50, 20)),
        max_size=annotation.count("max_size"),
        why=annotation.inner("why", _why, Why()),
    )
    if not own:
        # A required property that may be null is an optional field that sends null.
        moment = Moment.UTC if kind is FieldKind.DATETIME else Moment.LOCAL_MINUTES
        field = replace(field, required=required and blank is Blank.ABSENT, moment=moment)
    # Values of other types are left to the rules, which name the field.
    low, high = (cast("float | str | None", annotation.take(key)) for key in ("low", "high"))
    limits = Limits(low=low, high=high, pattern_words=annotation.text("pattern_words", SHORT))
    hidden = annotation.flag("hidden")
    annotation.done()
    if core is not part:
        part.done(ignored=("$comment",))
    if hidden or (not own and "const" in core):
        field = replace(field, hidden_value=core.take("const"))
    else:
        field = _apply_schema(replace(field, limits=limits), core, own=own)
    core.done(ignored=("$comment",))
    return field


def _unwrap_blank(part: Part) -> tuple[Part, Blank]:
    """The schema of a filled field and the value of an empty one, from `anyOf` of a blank and the rest, or a type with null."""
    alternatives = part.take("anyOf")
    if alternatives is not None:
        first, core = alternatives if isinstance(alternatives, list) and len(alternatives) == 2 else (None, None)
        blank = next((blank for blank, value in BLANKS.items() if first == {"const": value}), None)
        if blank is None:
            raise part.wrong("anyOf", _("only a choice between an empty value and one other is understood"))
        return Part(core, part.where), blank
    types = part.peek("type")
    if not isinstance(types, list):
        return part, Blank.ABSENT
    names = [name for name in types if name != "null"]
    if len(names) != 1:
        raise part.wrong("type", _("only one type, or one and “null”, is understood"))
    part.put("type", names[0])
    return part, Blank.NULL if "null" in types else Blank.ABSENT


def _guess_kind(core: Part) -> FieldKind:
    """The kind of field for a foreign property."""
    if "oneOf" in core or "enum" in core:
        return FieldKind.CHOICE
    name = core.peek("type")
    if name is None:
        return FieldKind.JSON
    if not isinstance(name, str) or name not in _TYPES:
        raise core.wrong("type", _("this type is not known"))
    kind = _TYPES[name]
    if kind is FieldKind.LIST:
        listed = core.peek("items")
        items = listed if isinstance(listed, dict) else {}
        if "oneOf" in items or "enum" in items:
            return FieldKind.CHOICES
        if isinstance(items.get("properties"), dict):
            return FieldKind.TABLE
        return kind if items.get("type") in ("string", "number", "integer") else FieldKind.JSON
    if kind is FieldKind.TEXT:
        return FieldKind.SECRET if core.peek("writeOnly") is True else _KINDS.get(str(core.peek("format")), kind)
    return kind


def _apply_schema(field: Field, core: Part, *, own: bool) -> Field:
    """The field with the limits, choices and columns of its schema."""
    kind = field.kind
    if kind is FieldKind.CHOICE:
        core.take("type")
        return replace(field, choices=_one_of(core) or field.choices)
    if kind in (FieldKind.CHOICES, FieldKind.LIST, FieldKind.TABLE):
        return _apply_items(field, core)
    name = core.take("type")
    expected = {FieldKind.YES_NO: "boolean"} | {number: number.value for number in NUMBERS}
    if own and kind is not FieldKind.JSON and name != expected.get(kind, "string"):
        raise core.wrong("type", _("the type does not go with the kind of the field"))
    limits = field.limits
    if kind in NUMBERS:
        limits = replace(limits, low=core.number("minimum"), high=core.number("maximum"))
    elif kind in TEXTS:
        core.text("format", 40)
        if kind is FieldKind.SECRET:
            core.flag("writeOnly")
        limits = replace(limits, min_length=core.count("minLength"), max_length=core.count("maxLength"))
        pattern = core.text("pattern", 400)
        if pattern and kind not in (FieldKind.TIME, FieldKind.DATETIME):
            try:
                limits = replace(limits, pattern=patterns.from_search(pattern))
            except patterns.BadPattern:
                raise core.wrong("pattern", _("this pattern is not understood")) from None
    elif kind is FieldKind.JSON and not own:
        for key in ("properties", "items", "required", "additionalProperties"):
            core.take(key)
    return replace(field, limits=limits)


def _apply_items(field: Field, core: Part) -> Field:
    core.take("type")
    limits = replace(field.limits, least=core.count("minItems"), most=core.count("maxItems"))
    field = replace(field, limits=limits)
    items = Part(core.take("items", {}), field.path[-1][:60] if field.path else where(()))
    if field.kind is FieldKind.CHOICES:
        items.take("type")
        field = replace(field, choices=_one_of(items) or field.choices)
        core.take("uniqueItems")
    elif field.kind is FieldKind.LIST:
        name = items.take("type", "string")
        if not isinstance(name, str):
            raise items.wrong("type", _("this type is not known"))
        field = replace(
            field, item={"number": FieldKind.NUMBER, "integer": FieldKind.INTEGER}.get(name, FieldKind.TEXT)
        )
    else:
        field = replace(field, columns=_columns(items))
    items.done(ignored=("$comment", "title", "description", "additionalProperties"))
    return field


def _columns(items: Part) -> tuple[Column, ...]:
    items.take("type")
    required = items.texts("required", MOST_COLUMNS, 100_000)
    properties = items.take("properties", {})
    if not isinstance(properties, dict) or len(properties) > MOST_COLUMNS:
        raise items.wrong("properties", _("at most %(most)s columns are possible") % {"most": MOST_COLUMNS})
    columns: list[Column] = []
    for key, document in properties.items():
        taken = {column.name for column in columns}
        cell = read(document, (key,), required=key in required, taken=taken)
        columns.append(
            Column(cell.name, key, cell.label, cell.kind, key in required, cell.blank, cell.moment, cell.choices)
        )
    return tuple(columns)


def _one_of(core: Part) -> tuple[Choice, ...]:
    listed = core.take("enum")
    if listed is not None:
        if not isinstance(listed, list) or len(listed) > MOST_CHOICES:
            raise core.wrong("enum", _("a list of at most %(most)s values is expected") % {"most": MOST_CHOICES})
        return tuple(Choice(value if isinstance(value, str) else "", value) for value in listed)
    return _choices(core.items("oneOf", MOST_CHOICES), core.where)


def _choices(rows: list[object], position: str) -> tuple[Choice, ...]:
    return tuple(read_part(row, position, _choice) for row in rows)


def _choice(part: Part) -> Choice:
    if "const" not in part:
        raise part.wrong("const", _("each choice needs its value"))
    return Choice(part.text("title", SHORT), part.take("const"))


def _example(part: Part) -> str:
    first = next(iter(part.items("examples", 20)), "")
    return str(first)[:SHORT] if isinstance(first, str | int | float) else ""


def _show_if(part: Part) -> ShowIf:
    return ShowIf(part.text("field", SHORT), part.word("test", When, When.IS), part.take("value"))


def _choices_from(part: Part) -> TableChoices | PieceChoices:
    if "table" in part:
        return TableChoices(part.text("table", SHORT), part.text("label", SHORT), part.text("value", SHORT))
    return PieceChoices(part.text("step", SHORT), part.text("property", SHORT))


def _why(part: Part) -> Why:
    return Why(
        read_by=tuple(part.texts("read_by", 200, SHORT)),
        seen=part.count("seen") or 0,
        payloads=part.count("of") or 0,
        values=part.count("values") or 0,
        sample=part.flag("sample"),
        trigger=part.flag("trigger"),
    )
