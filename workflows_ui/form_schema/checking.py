"""Conversion of a submitted form to the payload, with error messages by control, and of an earlier payload to a filled form.

A field's control has the field's name. Several values (a list's items, several choices) are several controls of one name. A cell of a
table is `cell_name(field, row, column)`. Yes and no are `true` and `false`; an empty control is neither.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo

from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _, gettext_lazy, ngettext

from workflows_ui.form_schema import schema_out, values
from workflows_ui.form_schema.document import (
    NOTHING,
    BadValue,
    Blank,
    Choice,
    Column,
    Field,
    FieldKind,
    Form,
    ShowIf,
    When,
    same,
)
from workflows_ui.form_schema.schema_out import BLANKS, Json

MOST_ROWS = 1_000
#: As `dict(request.POST.lists())`.
Data = Mapping[str, Sequence[str]]
_CELL = re.compile(r"\[(\d{1,6})\]\[([^\]]+)\]")
#: Most texts of one secret field that are recognised in a run; further ones are masked only by the field's name.
_MOST_TEXTS = 100

#: Kinds with significant spaces.
_KEEP_SPACES = frozenset({FieldKind.TEXT, FieldKind.LONG_TEXT, FieldKind.CHOICE, FieldKind.SECRET})
#: Messages for empty required fields, other than "Fill this in."
_REQUIRED = {
    FieldKind.CHOICE: gettext_lazy("Choose a value."),
    FieldKind.YES_NO: gettext_lazy("Choose a value."),
    FieldKind.CHOICES: gettext_lazy("Choose at least one value."),
    FieldKind.TABLE: gettext_lazy("Fill in at least one row."),
    FieldKind.LIST: gettext_lazy("Fill in at least one line."),
}

#: The content of a field's controls: a text; the texts of a list or several choices; a table's rows of texts by column.
Shown = str | list[str] | list[dict[str, str]]


@dataclass
class Checked:
    """A submitted form, checked, with its values converted to the types that the flow expects.

    An empty optional field sends its `blank`, by default nothing. A control that is missing in `data` (a link, another program)
    counts as its field's default. Fields whose show-if rule does not hold send nothing.

    Attributes:
        files: by field name.
        options: the live choices by field name; a field that is missing here accepts any text.
        zone: the person's time zone.
        payload: what will be sent, without files; NOTHING if there are errors.
        errors: messages by control (`field.name`, or `cell_name`); "" is the form as a whole.
        sent: the value of every field that sends one, by the field's name.
        shown: whether the field's show-if rule holds, by its name.
    """

    form: Form
    data: Data
    files: Mapping[str, UploadedFile[bytes]] = dataclasses.field(default_factory=dict)
    options: Mapping[str, Sequence[Choice]] = dataclasses.field(default_factory=dict)
    zone: tzinfo = UTC
    payload: object = NOTHING
    errors: dict[str, str] = dataclasses.field(default_factory=dict)
    sent: dict[str, object] = dataclasses.field(default_factory=dict)
    shown: dict[str, bool] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        for field in self.form.fields:
            self._visit(field)
        if self.good:
            payload = assemble_payload(self.form, self.sent)
            problem = schema_out.payload_error(self.form, payload)
            self.payload, self.errors = (NOTHING, {"": problem}) if problem else (payload, {})

    @property
    def good(self) -> bool:
        return not self.errors

    def _visit(self, field: Field) -> bool:
        """Read a field, once, after the fields it depends on. Return whether it is shown."""
        if field.name not in self.shown:
            self.shown[field.name] = False  # ends a circular dependency, which the rules reject
            rule = field.show_if
            other = self.form.field(rule.field) if rule else None
            self.shown[field.name] = rule is None or (
                other is not None and self._visit(other) and holds(rule, self.sent.get(other.name, NOTHING))
            )
            if self.shown[field.name]:
                try:
                    value = self._value(field)
                except BadValue as problem:
                    self.errors.setdefault(field.name, str(problem))
                else:
                    if value is not NOTHING:
                        self.sent[field.name] = value
        return self.shown[field.name]

    def _value(self, field: Field) -> object:
        if field.hidden:
            return field.hidden_value
        if field.kind is FieldKind.FILE:
            self._file(field)
            return NOTHING
        if field.kind is FieldKind.TABLE:
            value: object = self._rows(field)
        elif field.name not in self.data:
            value = field.default
        elif field.kind in (FieldKind.LIST, FieldKind.CHOICES):
            value = self._multiple(field)
        else:
            value = self._single(field)
        if value is NOTHING:
            if field.required:
                raise BadValue(_REQUIRED.get(field.kind) or _("Fill in this field."))
            return BLANKS.get(field.blank, NOTHING)
        if field.name not in self.errors and not any(name.startswith(f"{field.name}[") for name in self.errors):
            problem = schema_out.value_error(field, value)
            if problem:
                raise BadValue(problem)
        return value

    def _single(self, field: Field) -> object:
        text = self.data[field.name][-1] if self.data[field.name] else ""
        spaces_count = field.kind in _KEEP_SPACES and not field.required
        if text == "" or (not spaces_count and not text.strip()):
            return NOTHING
        return values.read(field, text, options=self.options.get(field.name), zone=self.zone)

    def _multiple(self, field: Field) -> object:
        items = []
        for number, text in enumerate(self.data[field.name], start=1):
            if text == "":
                continue
            try:
                items.append(values.read(field, text, options=self.options.get(field.name), zone=self.zone))
            except BadValue as problem:
                raise BadValue(_("Line %(number)s: %(problem)s") % {"number": number, "problem": problem}) from None
        return items or NOTHING

    def _rows(self, field: Field) -> object:
        rows = rows_of(field, self.data)
        if not rows and not any(name.startswith(f"{field.name}[") for name in self.data):
            return field.default
        if len(rows) > MOST_ROWS:
            raise BadValue(_("At most %(most)s rows can be sent.") % {"most": MOST_ROWS})
        return [self._row(field, number, texts) for number, texts in rows if any(texts.values())] or NOTHING

    def _row(self, field: Field, number: int, texts: Mapping[str, str]) -> dict[str, object]:
        row: dict[str, object] = {}
        for column in field.columns:
            text = texts.get(column.name, "")
            try:
                if text != "":
                    row[column.key] = values.read(column, text, zone=self.zone)
                elif column.required:
                    self.errors[cell_name(field, number, column)] = _("Fill in this field.")
                elif column.blank is not Blank.ABSENT:
                    row[column.key] = BLANKS[column.blank]
            except BadValue as problem:
                self.errors[cell_name(field, number, column)] = str(problem)
        return row

    def _file(self, field: Field) -> None:
        upload = self.files.get(field.name)
        if upload is None or not upload.name:
            if field.required:
                raise BadValue(_("Choose a file."))
            return
        extension = upload.name.rpartition(".")[2].lower() if "." in upload.name else ""
        if field.accept and extension not in field.accept:
            raise BadValue(_("Choose a file of one of these kinds: %(kinds)s.") % {"kinds": ", ".join(field.accept)})
        if field.max_size is not None and (upload.size or 0) > field.max_size:
            raise BadValue(_("Choose a smaller file: at most %(most)s.") % {"most": _size_text(field.max_size)})


def assemble_payload(form: Form, sent: Mapping[str, object]) -> object:
    """The payload made from the values by field name."""
    body: Json = {}
    for field in form.fields:
        if field.name not in sent:
            continue
        if not field.path:
            return sent[field.name]
        target = body
        for key in field.path[:-1]:
            target = target.setdefault(key, {})
        target[field.path[-1]] = sent[field.name]
    return body


def initial(form: Form, payload: object = NOTHING, *, zone: tzinfo = UTC) -> dict[str, Shown]:
    """The content of a form's controls: the defaults for NOTHING, else an earlier payload, from which `Checked` makes the same."""
    shown: dict[str, Shown] = {}
    for field in form.fields:
        if field.kind is FieldKind.SECRET:
            shown[field.name] = ""  # never filled in again
        elif not field.hidden and field.kind is not FieldKind.FILE:
            value = field.default if payload is NOTHING else value_at(payload, field.path)
            shown[field.name] = _field_content(field, value, zone)
    return shown


def typed(form: Form, data: Data) -> dict[str, Shown]:
    """The content of a form's controls after a submission with errors: everything as typed, except for secrets."""
    shown: dict[str, Shown] = {}
    for field in form.fields:
        if field.hidden or field.kind is FieldKind.FILE:
            continue
        given = [] if field.kind is FieldKind.SECRET else list(data.get(field.name, ()))
        if field.kind is FieldKind.TABLE:
            shown[field.name] = [texts for _number, texts in rows_of(field, data)]
        elif field.kind in (FieldKind.LIST, FieldKind.CHOICES):
            shown[field.name] = given
        else:
            shown[field.name] = given[-1] if given else ""
    return shown


def paths_without_field(form: Form, payload: object) -> list[tuple[str, ...]]:
    """The paths in a payload without a field, which are lost when the form is filled from it."""
    paths = {field.path for field in form.fields}
    missing: list[tuple[str, ...]] = []
    waiting: list[tuple[tuple[str, ...], object]] = [((), payload)]
    while waiting:
        path, value = waiting.pop()
        if path in paths or (not path and value == {}):
            continue
        if isinstance(value, dict) and value and any(inner[: len(path)] == path for inner in paths):
            waiting.extend(((*path, key), inner) for key, inner in reversed(value.items()))
        else:
            missing.append(path)
    return missing


def value_at(payload: object, path: Sequence[str]) -> object:
    """The value at a path of a payload, or NOTHING."""
    for key in path:
        if not isinstance(payload, dict) or key not in payload:
            return NOTHING
        payload = payload[key]
    return payload


def _field_content(field: Field, value: object, zone: tzinfo) -> Shown:
    if field.kind is FieldKind.TABLE:
        rows = [row if isinstance(row, dict) else {} for row in value] if isinstance(value, list) else []
        return [
            {column.name: _cell_content(column, row.get(column.key, NOTHING), zone) for column in field.columns}
            for row in rows
        ]
    if field.kind in (FieldKind.LIST, FieldKind.CHOICES):
        return [values.show(field, item, zone=zone) for item in value] if isinstance(value, list) else []
    blank = field.blank is not Blank.ABSENT and not field.required and value == BLANKS[field.blank]
    if (
        value is NOTHING
        or blank
        or (value is None and field.kind is not FieldKind.JSON and field.kind is not FieldKind.CHOICE)
    ):
        return ""
    return values.show(field, value, zone=zone)


def _cell_content(column: Column, value: object, zone: tzinfo) -> str:
    null = value is None and column.kind is not FieldKind.JSON
    if value is NOTHING or null or (column.blank is Blank.TEXT and value == ""):
        return ""
    return values.show(column, value, zone=zone)


def secrets(form: Form, payload: object) -> tuple[tuple[tuple[str, ...], str], ...]:
    """The values of the form's secret fields in a payload, as (path, text)."""
    values_by_path = (
        (field.path, value_at(payload, field.path)) for field in form.fields if field.kind is FieldKind.SECRET
    )
    return tuple((path, text) for path, value in values_by_path for text in texts(value))


def texts(value: object) -> list[str]:
    """The texts and numbers, as texts, in the JSON value of a secret field: at most a hundred."""
    result: dict[str, None] = {}
    waiting = [value]
    while waiting and len(result) < _MOST_TEXTS:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting += item.values()
        elif isinstance(item, list):
            waiting += item
        elif isinstance(item, str | int | float) and not isinstance(item, bool) and item != "":
            result[str(item)] = None
    return list(result)


def masked(form: Form, payload: object, mask: object) -> object:
    """A copy of a payload with `mask` instead of the values of the form's secret fields."""
    for field in form.fields:
        if field.kind is FieldKind.SECRET and value_at(payload, field.path) is not NOTHING:
            payload = _replace_value(payload, field.path, mask)
    return payload


def _replace_value(payload: object, path: Sequence[str], value: object) -> object:
    if not path:
        return value
    outer = payload if isinstance(payload, Mapping) else {}
    return {**outer, path[0]: _replace_value(outer[path[0]], path[1:], value)}


def optional(form: Form) -> Form:
    """The form without required fields, for a preview of the payload."""
    return replace(form, fields=tuple(replace(field, required=False) for field in form.fields))


# --- Names of controls -----------------------------------------------------------------------------


def cell_name(table: Field, row: int, column: Column) -> str:
    return f"{table.name}[{row}][{column.name}]"


def rows_of(table: Field, data: Data) -> list[tuple[int, dict[str, str]]]:
    """The typed rows of a table, including empty ones, with their numbers in the controls' names."""
    start = len(table.name)
    names = {column.name for column in table.columns}
    rows: dict[int, dict[str, str]] = {}
    for name, texts in data.items():
        if name.startswith(f"{table.name}["):
            match = _CELL.fullmatch(name, start)
            if match and match[2] in names:
                rows.setdefault(int(match[1]), {})[match[2]] = texts[-1] if texts else ""
    return sorted(rows.items())


def holds(rule: ShowIf, value: object) -> bool:
    """Whether a rule holds for the other field's value; NOTHING if it sends none. A list passes if any of its items does."""
    empty = value is NOTHING or value is None or value in ("", [])
    if rule.test is When.EMPTY:
        return empty
    if rule.test is When.FILLED:
        return not empty
    found = any(same(item, rule.value) for item in [value, *(value if isinstance(value, list) else ())])
    return found if rule.test is When.IS else not found


def _size_text(size: int) -> str:
    if size >= 1_000_000:
        return _("%(size)s MB") % {"size": size // 1_000_000}
    return ngettext("%(size)s byte", "%(size)s bytes", size) % {"size": size}
