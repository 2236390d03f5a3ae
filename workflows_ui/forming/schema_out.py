"""A form as JSON Schema 2020-12: how it is stored, exported, and what a payload is checked against.

What JSON Schema has no word for stands under the annotation `x-console`, at the root (note, button, order) and at each field.
"""

from __future__ import annotations

from typing import Any

from workflows_ui.forming.document import (
    NOTHING,
    NUMBERS,
    TEXTS,
    Blank,
    Choice,
    Column,
    Field,
    Form,
    Kind,
    Limits,
    Moment,
    PieceChoices,
    ShowIf,
    TableChoices,
    When,
    Why,
)

DRAFT = "https://json-schema.org/draft/2020-12/schema"
OURS = "x-console"
#: The number of this way to write forms; a file with a larger one is from a newer console.
EDITION = 1

Json = dict[str, Any]

BLANKS: dict[Blank, Any] = {Blank.NULL: None, Blank.TEXT: "", Blank.LIST: []}
_FORMATS = {Kind.EMAIL: "email", Kind.URL: "uri", Kind.DATE: "date", Kind.FILE: "uri"}
_TIME = r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?$"
_LOCAL = r"^\d{4}-\d{2}-\d{2}T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$"


def to_schema(form: Form) -> Json:
    """The form as a JSON Schema. Reads back as the same form (`schema_in.from_schema`). The form must keep its rules (`rules.check`)."""
    ours: Json = {"form": EDITION} | _said(note=form.note, button=form.button)
    if form.left_out:
        ours["left_out"] = [list(path) for path in form.left_out]
    if len(form.fields) == 1 and form.fields[0].path == ():
        whole = _field(form.fields[0])
        return {"$schema": DRAFT} | whole | {OURS: ours | {"whole": whole[OURS]}}
    root: Json = {"$schema": DRAFT, "type": "object", "properties": {}}
    for field in form.fields:
        _place(root, field)
    root[OURS] = ours | {"order": [field.name for field in form.fields]}
    return root


def _place(root: Json, field: Field) -> None:
    *before, last = field.path
    must = field.hidden or (field.required and field.show_if is None)
    here = root
    for key in before:
        if must and key not in here.setdefault("required", []):
            here["required"].append(key)
        here = here["properties"].setdefault(key, {"type": "object", "properties": {}})
    if must:
        here.setdefault("required", []).append(last)
    here["properties"][last] = _field(field)


def _field(field: Field) -> Json:
    said = _said(title=field.label, description=field.help)
    if field.default is not NOTHING:
        said["default"] = field.default
    if field.example:
        said["examples"] = [field.example]
    core = {"const": field.hidden_value} if field.hidden else value_schema(field)
    if field.blank is not Blank.ABSENT and not field.required and not field.hidden:
        core = {"anyOf": [{"const": BLANKS[field.blank]}, core]}
    return said | core | {OURS: _ours(field)}


def value_schema(field: Field) -> Json:
    """The schema of what the field sends where it is filled in."""
    if field.kind is Kind.CHOICES:
        return {"type": "array", "items": one_of(field)} | _counts(field.limits)
    if field.kind is Kind.LIST:
        return {"type": "array", "items": {"type": field.item.value if field.item in NUMBERS else "string"}} | _counts(
            field.limits
        )
    if field.kind is Kind.TABLE:
        return {"type": "array", "items": _row(field.columns)} | _counts(field.limits)
    if field.kind is Kind.CHOICE:
        return one_of(field)
    return _simple(field.kind, field.moment) | _limits(field.kind, field.limits)


def one_of(field: Field) -> Json:
    """The schema of one chosen value: one of the choices, or anything where others may be typed or the choices are live."""
    if field.other or field.choices_from is not None or not field.choices:
        return {}
    return {"oneOf": choices_out(field.choices)}


def choices_out(choices: tuple[Choice, ...]) -> list[Json]:
    """Choices, as JSON Schema lists values with titles."""
    return [{"const": choice.value, "title": choice.label} for choice in choices]


def _row(columns: tuple[Column, ...]) -> Json:
    row: Json = {"type": "object", "properties": {column.key: _column(column) for column in columns}}
    required = [column.key for column in columns if column.required]
    return row | ({"required": required} if required else {})


def _column(column: Column) -> Json:
    core = {"oneOf": choices_out(column.choices)} if column.choices else _simple(column.kind, column.moment)
    if column.blank is not Blank.ABSENT and not column.required:
        core = {"anyOf": [{"const": BLANKS[column.blank]}, core]}
    ours: Json = {"name": column.name, "kind": column.kind.value}
    if column.blank is not Blank.ABSENT:
        ours["blank"] = column.blank.value
    if column.kind is Kind.DATETIME:
        ours["moment"] = column.moment.value
    return _said(title=column.label) | core | {OURS: ours}


def _simple(kind: Kind, moment: Moment) -> Json:
    if kind in NUMBERS:
        return {"type": kind.value}
    if kind is Kind.YES_NO:
        return {"type": "boolean"}
    if kind not in TEXTS:
        return {}
    found: Json = {"type": "string"} | _said(format=_FORMATS.get(kind, ""))
    if kind is Kind.TIME:
        found["pattern"] = _TIME
    if kind is Kind.DATETIME:
        found |= {"pattern": _LOCAL} if moment in (Moment.LOCAL, Moment.LOCAL_MINUTES) else {"format": "date-time"}
    return found


def _limits(kind: Kind, limits: Limits) -> Json:
    found: Json = {}
    if kind in NUMBERS:
        found = {"minimum": limits.low, "maximum": limits.high}
    elif kind in TEXTS:
        found = {"minLength": limits.min_length, "maxLength": limits.max_length}
        if limits.pattern:
            found["pattern"] = f"^(?:{limits.pattern})$"
    return {name: value for name, value in found.items() if value is not None}


def _counts(limits: Limits) -> Json:
    found = {"minItems": limits.least, "maxItems": limits.most}
    return {name: value for name, value in found.items() if value is not None}


def _ours(field: Field) -> Json:
    """What JSON Schema has no word for; what is as usual is left out."""
    ours: Json = {"name": field.name, "kind": field.kind.value}
    flags = {
        "required": field.required,
        "folded": field.folded,
        "searchable": field.searchable,
        "other": field.other,
        "hidden": field.hidden,
    }
    ours |= {name: True for name, on in flags.items() if on}
    ours |= _said(group=field.group, pattern_words=field.limits.pattern_words)
    if field.blank is not Blank.ABSENT:
        ours["blank"] = field.blank.value
    if field.kind is Kind.DATETIME:
        ours["moment"] = field.moment.value
    if field.kind is Kind.LIST and field.item is not Kind.TEXT:
        ours["item"] = field.item.value
    if field.kind not in NUMBERS:
        ours |= {
            name: value for name, value in (("low", field.limits.low), ("high", field.limits.high)) if value is not None
        }
    if field.choices and (field.other or field.choices_from is not None or field.hidden):
        ours["choices"] = choices_out(field.choices)
    if field.choices_from is not None:
        ours["choices_from"] = _choices_from(field.choices_from)
    if field.show_if is not None:
        ours["show_if"] = _show_if(field.show_if)
    if field.accept:
        ours["accept"] = list(field.accept)
    if field.max_size is not None:
        ours["max_size"] = field.max_size
    if field.why != Why():
        ours["why"] = _why(field.why)
    return ours


def _choices_from(source: TableChoices | PieceChoices) -> Json:
    if isinstance(source, TableChoices):
        return {"table": source.table_id, "label": source.label_field, "value": source.value_field}
    return {"step": source.step, "property": source.property}


def _show_if(rule: ShowIf) -> Json:
    found: Json = {"field": rule.field, "test": rule.test.value}
    return found | ({"value": rule.value} if rule.test in (When.IS, When.IS_NOT) else {})


def _why(why: Why) -> Json:
    found: Json = {"read_by": list(why.read_by)} if why.read_by else {}
    found |= {"seen": why.seen, "of": why.of, "values": why.values} if why.of else {}
    flags = {"sample": why.sample, "trigger": why.trigger}
    return found | {name: True for name, on in flags.items() if on}


def _said(**texts: str) -> Json:
    return {name: text for name, text in texts.items() if text}
