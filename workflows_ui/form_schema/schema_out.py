"""Forms as JSON Schema 2020-12, for storage, export and validation of payloads.

Properties that JSON Schema does not have are in the annotation `x-console`, at the root (note, button, order) and at each field.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _, gettext_lazy, ngettext_lazy
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend

from workflows_ui.form_schema import patterns
from workflows_ui.form_schema.document import (
    LOCAL_MOMENTS,
    NOTHING,
    NUMBERS,
    TEXTS,
    Blank,
    Choice,
    Column,
    Field,
    FieldKind,
    Form,
    Moment,
    PieceChoices,
    ShowIf,
    TableChoices,
    When,
    Why,
    is_number,
)

DRAFT = "https://json-schema.org/draft/2020-12/schema"
ANNOTATION = "x-console"
#: The version of the file format; a file with a larger one is from a newer console.
EDITION = 1

Json = dict[str, Any]

BLANKS: dict[Blank, object] = {Blank.NULL: None, Blank.TEXT: "", Blank.LIST: []}
FORMATS = {
    FieldKind.EMAIL: "email",
    FieldKind.URL: "uri",
    FieldKind.DATE: "date",
    FieldKind.FILE: "uri",
    FieldKind.SECRET: "password",
}
_TIME = r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?$"
_LOCAL = r"^\d{4}-\d{2}-\d{2}T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$"


def to_schema(form: Form) -> Json:
    """The form as a JSON Schema, from which `schema_in.from_schema` makes the same form. The form must pass `rules.check`."""
    left_out = [list(path) for path in form.left_out]
    annotation: Json = {"form": EDITION} | _given(note=form.note, button=form.button, left_out=left_out)
    annotation |= _given(effects=form.effects, review=form.review)
    if len(form.fields) == 1 and form.fields[0].path == ():
        whole = _field(form.fields[0])
        return {"$schema": DRAFT} | whole | {ANNOTATION: annotation | {"whole": whole[ANNOTATION]}}
    root: Json = {"$schema": DRAFT, "type": "object", "properties": {}}
    for field in form.fields:
        _insert(root, field)
    root[ANNOTATION] = annotation | {"order": [field.name for field in form.fields]}
    return root


def _insert(root: Json, field: Field) -> None:
    *parents, last = field.path
    must = (field.hidden or field.required) and field.show_if is None
    schema = root
    for key in parents:
        if must and key not in schema.setdefault("required", []):
            schema["required"].append(key)
        schema = schema["properties"].setdefault(key, {"type": "object", "properties": {}})
    if must:
        schema.setdefault("required", []).append(last)
    schema["properties"][last] = _field(field)


def _field(field: Field) -> Json:
    schema = _given(title=field.label, description=field.help)
    if field.default is not NOTHING:
        schema["default"] = field.default
    schema |= _given(examples=[field.example] if field.example else [])
    if field.hidden:
        return schema | {"const": field.hidden_value, ANNOTATION: _annotation(field)}
    return schema | _or_blank(field, value_schema(field)) | {ANNOTATION: _annotation(field)}


def _or_blank(field: Field | Column, core: Json) -> Json:
    """The schema of the values of a field or column that may be left empty."""
    if field.blank is Blank.ABSENT or field.required:
        return core
    return {"anyOf": [{"const": BLANKS[field.blank]}, core]}


def value_schema(field: Field) -> Json:
    """The schema of the value that the filled field sends."""
    kind, limits = field.kind, field.limits
    if kind is FieldKind.CHOICE:
        return _one_of(field)
    if kind in (FieldKind.CHOICES, FieldKind.LIST, FieldKind.TABLE):
        items = _row(field.columns) if kind is FieldKind.TABLE else _one_of(field)
        items = _simple(field.item, field.moment) if kind is FieldKind.LIST else items
        return {"type": "array", "items": items} | _given(minItems=limits.least, maxItems=limits.most)
    schema = _simple(kind, field.moment)
    if kind in NUMBERS:
        schema |= _given(minimum=limits.low, maximum=limits.high)
    elif kind in TEXTS:
        schema |= _given(minLength=limits.min_length, maxLength=limits.max_length)
        if limits.pattern:
            schema["pattern"] = f"^(?:{limits.pattern})$"
    return schema


def _one_of(field: Field) -> Json:
    """The schema of one selected value: one of the choices, or anything if others are allowed or the choices are live."""
    if field.other or field.choices_from is not None or not field.choices:
        return {}
    return {"oneOf": _choices(field.choices)}


def _choices(choices: tuple[Choice, ...]) -> list[Json]:
    """Choices in JSON Schema's format for values with titles."""
    return [{"const": choice.value, "title": choice.label} for choice in choices]


def _row(columns: tuple[Column, ...]) -> Json:
    row: Json = {"type": "object", "properties": {column.key: _column(column) for column in columns}}
    return row | _given(required=[column.key for column in columns if column.required])


def _column(column: Column) -> Json:
    core = {"oneOf": _choices(column.choices)} if column.choices else _simple(column.kind, column.moment)
    annotation = {"name": column.name, "kind": column.kind.value} | _blank_and_moment(column)
    return _given(title=column.label) | _or_blank(column, core) | {ANNOTATION: annotation}


def _simple(kind: FieldKind, moment: Moment) -> Json:
    if kind in NUMBERS:
        return {"type": kind.value}
    if kind is FieldKind.YES_NO:
        return {"type": "boolean"}
    if kind not in TEXTS:
        return {}
    schema: Json = {"type": "string"} | _given(format=FORMATS.get(kind))
    if kind is FieldKind.SECRET:
        schema["writeOnly"] = True
    if kind is FieldKind.TIME:
        schema["pattern"] = _TIME
    if kind is FieldKind.DATETIME:
        schema |= {"pattern": _LOCAL} if moment in LOCAL_MOMENTS else {"format": "date-time"}
    return schema


def _annotation(field: Field) -> Json:
    """The properties that JSON Schema does not have, without those with default values."""
    limits, number = field.limits, field.kind in NUMBERS
    listed = field.other or field.choices_from is not None or field.hidden
    flags = {name: True for name in ("required", "folded", "searchable", "other", "hidden") if getattr(field, name)}
    texts = _given(group=field.group, pattern_words=limits.pattern_words)
    rest = _given(
        item=field.item.value if field.kind is FieldKind.LIST and field.item is not FieldKind.TEXT else None,
        low=None if number else limits.low,
        high=None if number else limits.high,
        choices=_choices(field.choices) if listed else [],
        choices_from=_choices_from(field.choices_from),
        show_if=_show_if(field.show_if),
        accept=list(field.accept),
        max_size=field.max_size,
        why=_why(field.why),
    )
    return {"name": field.name, "kind": field.kind.value} | flags | texts | _blank_and_moment(field) | rest


def _blank_and_moment(field: Field | Column) -> Json:
    return _given(
        blank=field.blank.value if field.blank is not Blank.ABSENT else None,
        moment=field.moment.value if field.kind is FieldKind.DATETIME else None,
    )


def _choices_from(source: TableChoices | PieceChoices | None) -> Json | None:
    if isinstance(source, TableChoices):
        return {"table": source.table_id, "label": source.label_field, "value": source.value_field}
    return {"step": source.step, "property": source.property} if source else None


def _show_if(rule: ShowIf | None) -> Json | None:
    if rule is None:
        return None
    compared = {"value": rule.value} if rule.test in (When.IS, When.IS_NOT) else {}
    return {"field": rule.field, "test": rule.test.value} | compared


def _why(why: Why) -> Json:
    counts = {"seen": why.seen, "of": why.payloads, "values": why.values}
    counted = counts if any(counts.values()) else {}
    return _given(read_by=list(why.read_by)) | counted | _given(sample=why.sample, trigger=why.trigger)


def _given(**values: object) -> Json:
    """The values that are not empty; 0 counts as a value."""
    return {name: value for name, value in values.items() if value or is_number(value)}


# --- Validation ------------------------------------------------------------------------------------


def _pattern(_validator: object, pattern: str, value: object, _schema: object) -> Iterator[ValidationError]:
    # The library's own keyword searches with Python's engine, which a pattern can keep busy for years.
    if isinstance(value, str) and not patterns.matches(_whole_pattern(pattern), value):
        yield ValidationError("does not match")


_whole_pattern = lru_cache(maxsize=500)(patterns.from_search)
#: The library's Draft 2020-12 with a linear-time matcher for patterns. Formats are checked before, by kind.
_Validator = extend(Draft202012Validator, {"pattern": _pattern})  # type: ignore[no-untyped-call]


def value_error(field: Field, value: object) -> str:
    """The error message for a filled field's value; "" if it is valid."""
    if field.kind is FieldKind.DATE and isinstance(value, str) and (problem := _day_outside(field, value)):
        return problem
    error = next(_Validator(value_schema(field)).iter_errors(value), None)
    if error is None:
        return ""
    if error.validator == "pattern" and field.limits.pattern_words:
        return _("What is needed here: %(words)s") % {"words": field.limits.pattern_words}
    return str(_MESSAGES.get(str(error.validator), _MESSAGES[""]) % {"limit": error.validator_value})


def payload_error(form: Form, payload: object) -> str:
    """The error message for a body made from valid fields; "" if it is valid. An error here is a bug of the console."""
    inner = Form(tuple(field for field in form.fields if field.kind is not FieldKind.FILE))
    error = next(_Validator(to_schema(inner)).iter_errors(payload), None)
    if error is None:
        return ""
    path = " › ".join(str(key) for key in error.absolute_path)[:200]
    return _("What would be sent does not fit this form, at “%(place)s”. Tell the person who made the form.") % {
        "place": path
    }


def _day_outside(field: Field, value: str) -> str:
    low, high = field.limits.low, field.limits.high
    if isinstance(low, str) and value < low:
        return _("The first possible day is %(day)s.") % {"day": _day(low)}
    if isinstance(high, str) and value > high:
        return _("The last possible day is %(day)s.") % {"day": _day(high)}
    return ""


def _day(text: str) -> str:
    return date_format(date.fromisoformat(text), "DATE_FORMAT")


#: Messages by the violated keyword of JSON Schema; "" is any other.
_MESSAGES = {
    "minLength": ngettext_lazy("Enter at least %(limit)s character.", "Enter at least %(limit)s characters.", "limit"),
    "maxLength": ngettext_lazy("Enter at most %(limit)s character.", "Enter at most %(limit)s characters.", "limit"),
    "minItems": ngettext_lazy("At least %(limit)s is needed.", "At least %(limit)s are needed.", "limit"),
    "maxItems": ngettext_lazy("At most %(limit)s is possible.", "At most %(limit)s are possible.", "limit"),
    "minimum": gettext_lazy("The smallest possible number is %(limit)s."),
    "maximum": gettext_lazy("The largest possible number is %(limit)s."),
    "pattern": gettext_lazy("This value does not have the required format."),
    "": gettext_lazy("This value isn't valid."),
}
