"""Forms as JSON Schema 2020-12, for storage, export and validation of payloads.

Properties that JSON Schema does not have are in the annotation `x-console`, at the root (note, button, order) and at each field.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend

from workflows_ui.launch_forms.schema import patterns
from workflows_ui.launch_forms.schema.document import (
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
ANNOTATION = "x-console"
#: The version of the file format; a file with a larger one is from a newer console.
EDITION = 1

Json = dict[str, Any]

BLANKS: dict[Blank, Any] = {Blank.NULL: None, Blank.TEXT: "", Blank.LIST: []}
_FORMATS = {Kind.EMAIL: "email", Kind.URL: "uri", Kind.DATE: "date", Kind.FILE: "uri"}
_TIME = r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?$"
_LOCAL = r"^\d{4}-\d{2}-\d{2}T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$"


def to_schema(form: Form) -> Json:
    """The form as a JSON Schema, from which `schema_in.from_schema` makes the same form. The form must pass `rules.check`."""
    annotation: Json = {"form": EDITION} | _without_empty(note=form.note, button=form.button)
    if form.left_out:
        annotation["left_out"] = [list(path) for path in form.left_out]
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
    must = field.hidden or (field.required and field.show_if is None)
    schema = root
    for key in parents:
        if must and key not in schema.setdefault("required", []):
            schema["required"].append(key)
        schema = schema["properties"].setdefault(key, {"type": "object", "properties": {}})
    if must:
        schema.setdefault("required", []).append(last)
    schema["properties"][last] = _field(field)


def _field(field: Field) -> Json:
    schema = _without_empty(title=field.label, description=field.help)
    if field.default is not NOTHING:
        schema["default"] = field.default
    if field.example:
        schema["examples"] = [field.example]
    core = {"const": field.hidden_value} if field.hidden else value_schema(field)
    if field.blank is not Blank.ABSENT and not field.required and not field.hidden:
        core = {"anyOf": [{"const": BLANKS[field.blank]}, core]}
    return schema | core | {ANNOTATION: _annotation(field)}


def value_schema(field: Field) -> Json:
    """The schema of the value that the filled field sends."""
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
    if field.kind is Kind.SECRET:
        return {"type": "string", "format": "password", "writeOnly": True} | _limits(field.kind, field.limits)
    return _simple(field.kind, field.moment) | _limits(field.kind, field.limits)


def one_of(field: Field) -> Json:
    """The schema of one selected value: one of the choices, or anything if others are allowed or the choices are live."""
    if field.other or field.choices_from is not None or not field.choices:
        return {}
    return {"oneOf": choices_out(field.choices)}


def choices_out(choices: tuple[Choice, ...]) -> list[Json]:
    """Choices in JSON Schema's format for values with titles."""
    return [{"const": choice.value, "title": choice.label} for choice in choices]


def _row(columns: tuple[Column, ...]) -> Json:
    row: Json = {"type": "object", "properties": {column.key: _column(column) for column in columns}}
    required = [column.key for column in columns if column.required]
    return row | ({"required": required} if required else {})


def _column(column: Column) -> Json:
    core = {"oneOf": choices_out(column.choices)} if column.choices else _simple(column.kind, column.moment)
    if column.blank is not Blank.ABSENT and not column.required:
        core = {"anyOf": [{"const": BLANKS[column.blank]}, core]}
    annotation: Json = {"name": column.name, "kind": column.kind.value}
    if column.blank is not Blank.ABSENT:
        annotation["blank"] = column.blank.value
    if column.kind is Kind.DATETIME:
        annotation["moment"] = column.moment.value
    return _without_empty(title=column.label) | core | {ANNOTATION: annotation}


def _simple(kind: Kind, moment: Moment) -> Json:
    if kind in NUMBERS:
        return {"type": kind.value}
    if kind is Kind.YES_NO:
        return {"type": "boolean"}
    if kind not in TEXTS:
        return {}
    schema: Json = {"type": "string"} | _without_empty(format=_FORMATS.get(kind, ""))
    if kind is Kind.TIME:
        schema["pattern"] = _TIME
    if kind is Kind.DATETIME:
        schema |= {"pattern": _LOCAL} if moment in (Moment.LOCAL, Moment.LOCAL_MINUTES) else {"format": "date-time"}
    return schema


def _limits(kind: Kind, limits: Limits) -> Json:
    schema: Json = {}
    if kind in NUMBERS:
        schema = {"minimum": limits.low, "maximum": limits.high}
    elif kind in TEXTS:
        schema = {"minLength": limits.min_length, "maxLength": limits.max_length}
        if limits.pattern:
            schema["pattern"] = f"^(?:{limits.pattern})$"
    return {name: value for name, value in schema.items() if value is not None}


def _counts(limits: Limits) -> Json:
    schema = {"minItems": limits.least, "maxItems": limits.most}
    return {name: value for name, value in schema.items() if value is not None}


def _annotation(field: Field) -> Json:
    """The properties that JSON Schema does not have, without those with default values."""
    annotation: Json = {"name": field.name, "kind": field.kind.value}
    flags = {
        "required": field.required,
        "folded": field.folded,
        "searchable": field.searchable,
        "other": field.other,
        "hidden": field.hidden,
    }
    annotation |= {name: True for name, enabled in flags.items() if enabled}
    annotation |= _without_empty(group=field.group, pattern_words=field.limits.pattern_words)
    if field.blank is not Blank.ABSENT:
        annotation["blank"] = field.blank.value
    if field.kind is Kind.DATETIME:
        annotation["moment"] = field.moment.value
    if field.kind is Kind.LIST and field.item is not Kind.TEXT:
        annotation["item"] = field.item.value
    if field.kind not in NUMBERS:
        annotation |= {
            name: value for name, value in (("low", field.limits.low), ("high", field.limits.high)) if value is not None
        }
    if field.choices and (field.other or field.choices_from is not None or field.hidden):
        annotation["choices"] = choices_out(field.choices)
    if field.choices_from is not None:
        annotation["choices_from"] = _choices_from(field.choices_from)
    if field.show_if is not None:
        annotation["show_if"] = _show_if(field.show_if)
    if field.accept:
        annotation["accept"] = list(field.accept)
    if field.max_size is not None:
        annotation["max_size"] = field.max_size
    if field.why != Why():
        annotation["why"] = _why(field.why)
    return annotation


def _choices_from(source: TableChoices | PieceChoices) -> Json:
    if isinstance(source, TableChoices):
        return {"table": source.table_id, "label": source.label_field, "value": source.value_field}
    return {"step": source.step, "property": source.property}


def _show_if(rule: ShowIf) -> Json:
    schema: Json = {"field": rule.field, "test": rule.test.value}
    return schema | ({"value": rule.value} if rule.test in (When.IS, When.IS_NOT) else {})


def _why(why: Why) -> Json:
    schema: Json = {"read_by": list(why.read_by)} if why.read_by else {}
    schema |= {"seen": why.seen, "of": why.of, "values": why.values} if why.of else {}
    flags = {"sample": why.sample, "trigger": why.trigger}
    return schema | {name: True for name, enabled in flags.items() if enabled}


def _without_empty(**texts: str) -> Json:
    return {name: text for name, text in texts.items() if text}


# --- Validation ------------------------------------------------------------------------------------


def _pattern(_validator: Any, pattern: str, value: Any, _schema: Any) -> Iterator[ValidationError]:
    # The library's own keyword searches with Python's engine, which a pattern can keep busy for years.
    if isinstance(value, str) and not patterns.matches(_whole(pattern), value):
        yield ValidationError("does not match")


@lru_cache(maxsize=500)
def _whole(pattern: str) -> str:
    return patterns.from_search(pattern)


#: The library's Draft 2020-12 with a linear-time matcher for patterns. Formats are checked before, by kind.
_Validator = extend(Draft202012Validator, {"pattern": _pattern})  # type: ignore[no-untyped-call]


def value_error(field: Field, value: Any) -> str:
    """The error message for a filled field's value; "" if it is valid."""
    if field.kind is Kind.DATE:
        problem = _day_outside(field, value)
        if problem:
            return problem
    error = next(_Validator(value_schema(field)).iter_errors(value), None)
    return _error_message(field, error) if error is not None else ""


def payload_error(form: Form, payload: Any) -> str:
    """The error message for a body made from valid fields; "" if it is valid. An error here is a bug of the console."""
    inner = Form(tuple(field for field in form.fields if field.kind is not Kind.FILE))
    error = next(_Validator(to_schema(inner)).iter_errors(payload), None)
    if error is None:
        return ""
    path = " › ".join(str(key) for key in error.absolute_path)[:200]
    return _("What would be sent does not fit this form, at “%(place)s”. Tell the person who made the form.") % {
        "place": path
    }


def accepts(form: Form, payload: Any) -> bool:
    return bool(_Validator(to_schema(form)).is_valid(payload))


def _day_outside(field: Field, value: Any) -> str:
    low, high = field.limits.low, field.limits.high
    if isinstance(low, str) and value < low:
        return _("The first possible day is %(day)s.") % {"day": _day(low)}
    if isinstance(high, str) and value > high:
        return _("The last possible day is %(day)s.") % {"day": _day(high)}
    return ""


def _day(text: str) -> str:
    return date_format(date.fromisoformat(text), "DATE_FORMAT")


def _error_message(field: Field, error: ValidationError) -> str:
    limit: Any = error.validator_value
    messages = {
        "minLength": lambda: ngettext(
            "Type at least %(limit)s character.", "Type at least %(limit)s characters.", limit
        ),
        "maxLength": lambda: ngettext("Type at most %(limit)s character.", "Type at most %(limit)s characters.", limit),
        "minItems": lambda: ngettext("At least %(limit)s is needed.", "At least %(limit)s are needed.", limit),
        "maxItems": lambda: ngettext("At most %(limit)s is possible.", "At most %(limit)s are possible.", limit),
        "minimum": lambda: _("The smallest possible number is %(limit)s."),
        "maximum": lambda: _("The largest possible number is %(limit)s."),
    }
    message = messages.get(str(error.validator))
    if message is not None:
        return str(message() % {"limit": limit})
    if error.validator == "pattern":
        description = field.limits.pattern_words
        if description:
            return _("What is needed here: %(words)s") % {"words": description}
        return _("This does not have the form that is asked for.")
    return _("This does not fit.")
