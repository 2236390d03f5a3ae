"""From what was submitted to what is sent, with an error in words at each control; and from what was sent before to a filled form.

Controls. A field's control has the field's name. Several values (a list's items, several choices) are several controls of one
name. A cell of a table is `cell_name(field, row, column)`. Yes and no are `true` and `false`; an empty one is neither.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo
from typing import Any, Protocol

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from workflows_ui.forming import validating, values
from workflows_ui.forming.document import NOTHING, Blank, Choice, Column, Field, Form, Kind, ShowIf, When
from workflows_ui.forming.schema_out import BLANKS
from workflows_ui.forming.values import BadValue

#: As `dict(request.POST.lists())`.
Data = Mapping[str, Sequence[str]]
#: What a filled form shows, by field: a text; a list's or several choices' texts; a table's rows of texts by column.
Shown = str | list[str] | list[dict[str, str]]
MOST_ROWS = 1_000
_CELL = re.compile(r"\[(\d{1,6})\]\[([^\]]+)\]")


class Upload(Protocol):
    """An uploaded file, as Django's."""

    @property
    def name(self) -> str | None: ...

    @property
    def size(self) -> int | None: ...


@dataclass(frozen=True)
class Checked:
    """What came of a submitted form.

    Attributes:
        payload: what will be sent, without files; NOTHING where there are errors.
        errors: words by control (`field.name`, or `cell_name`); "" is the form as a whole.
        sent: the value of every field that sends one, by the field's name.
        shown: names of the fields whose show-if rule holds.
    """

    payload: Any
    errors: Mapping[str, str]
    sent: Mapping[str, Any] = field(default_factory=dict)
    shown: frozenset[str] = frozenset()

    @property
    def good(self) -> bool:
        """Whether it can be sent."""
        return not self.errors


def cell_name(table: Field, row: int, column: Column) -> str:
    """The name of a cell's control."""
    return f"{table.name}[{row}][{column.name}]"


def check(
    form: Form,
    data: Data,
    *,
    files: Mapping[str, Upload] | None = None,
    options: Mapping[str, Sequence[Choice]] | None = None,
    zone: tzinfo = UTC,
) -> Checked:
    """What a submitted form sends, typed as the flow expects it.

    An optional field that is empty sends what its `blank` says, which is mostly nothing at all. A control that is not in `data`
    at all (a link, another program) counts as its field's default. Fields whose show-if rule does not hold send nothing.

    Args:
        files: by field name.
        options: the live choices by field name; a field that is missing here takes any text.
        zone: the person's time zone.
    """
    return _Check(form, data, files or {}, options or {}, zone).done()


class _Check:
    def __init__(
        self,
        form: Form,
        data: Data,
        files: Mapping[str, Upload],
        options: Mapping[str, Sequence[Choice]],
        zone: tzinfo,
    ) -> None:
        self.form, self.data, self.files, self.options, self.zone = form, data, files, options, zone
        self.errors: dict[str, str] = {}
        self.sent: dict[str, Any] = {}
        self.shown: dict[str, bool] = {}

    def done(self) -> Checked:
        for one in self.form.fields:
            self._visit(one)
        # In the order of the form, not in the order in which rules had to be looked at.
        sent = {one.name: self.sent[one.name] for one in self.form.fields if one.name in self.sent}
        shown = frozenset(name for name, is_shown in self.shown.items() if is_shown)
        if self.errors:
            return Checked(NOTHING, self.errors, sent, shown)
        payload = assembled(self.form, sent)
        problem = validating.of_payload(self.form, payload)
        if problem:
            return Checked(NOTHING, {"": problem}, sent, shown)
        return Checked(payload, {}, sent, shown)

    def _visit(self, one: Field) -> bool:
        """Reads a field, once, after the fields it depends on; says whether it is shown."""
        if one.name not in self.shown:
            self.shown[one.name] = False  # a circle, which the rules refuse, ends here
            self.shown[one.name] = self._holds(one.show_if)
            if self.shown[one.name]:
                try:
                    value = self._value(one)
                except BadValue as problem:
                    self.errors.setdefault(one.name, str(problem))
                else:
                    if value is not NOTHING:
                        self.sent[one.name] = value
        return self.shown[one.name]

    def _holds(self, rule: ShowIf | None) -> bool:
        if rule is None:
            return True
        other = self.form.field(rule.field)
        if other is None or not self._visit(other):
            return False
        return holds(rule, self.sent.get(other.name, NOTHING))

    def _value(self, one: Field) -> Any:
        if one.hidden:
            return one.hidden_value
        if one.kind is Kind.FILE:
            self._file(one)
            return NOTHING
        if one.kind is Kind.TABLE:
            value: Any = self._rows(one)
        elif one.kind in (Kind.LIST, Kind.CHOICES):
            value = self._several(one)
        else:
            value = self._one(one)
        if value is NOTHING:
            if one.required:
                raise BadValue(_missing(one))
            return BLANKS.get(one.blank, NOTHING)
        if one.name not in self.errors and not any(name.startswith(f"{one.name}[") for name in self.errors):
            problem = validating.of_value(one, value)
            if problem:
                raise BadValue(problem)
        return value

    def _one(self, one: Field) -> Any:
        if one.name not in self.data:
            return one.default
        text = self.data[one.name][-1] if self.data[one.name] else ""
        if text == "" or (one.kind not in _KEEP_SPACES and not text.strip()):
            return NOTHING
        if one.required and not text.strip():
            return NOTHING
        return values.read(one, text, options=self.options.get(one.name), zone=self.zone)

    def _several(self, one: Field) -> Any:
        if one.name not in self.data:
            return one.default
        kind = one.item if one.kind is Kind.LIST else None
        found = []
        for number, text in enumerate(self.data[one.name], start=1):
            if text == "":
                continue
            try:
                found.append(values.read(one, text, kind=kind, options=self.options.get(one.name), zone=self.zone))
            except BadValue as problem:
                raise BadValue(_("Line %(number)s: %(problem)s") % {"number": number, "problem": problem}) from None
        return found or NOTHING

    def _rows(self, one: Field) -> Any:
        rows = rows_of(one, self.data)
        if not rows and not any(name.startswith(f"{one.name}[") for name in self.data):
            return one.default
        if len(rows) > MOST_ROWS:
            raise BadValue(_("At most %(most)s rows can be sent.") % {"most": MOST_ROWS})
        found = []
        for number, texts in rows:
            if any(texts.values()):
                found.append(self._row(one, number, texts))
        return found or NOTHING

    def _row(self, one: Field, number: int, texts: Mapping[str, str]) -> dict[str, Any]:
        row: dict[str, Any] = {}
        for column in one.columns:
            text = texts.get(column.name, "")
            try:
                if text != "":
                    row[column.key] = values.read(column, text, zone=self.zone)
                elif column.required:
                    self.errors[cell_name(one, number, column)] = _("Fill this in.")
                elif column.blank is not Blank.ABSENT:
                    row[column.key] = BLANKS[column.blank]
            except BadValue as problem:
                self.errors[cell_name(one, number, column)] = str(problem)
        return row

    def _file(self, one: Field) -> None:
        upload = self.files.get(one.name)
        if upload is None or not upload.name:
            if one.required:
                raise BadValue(_("Choose a file."))
            return
        ending = upload.name.rpartition(".")[2].lower() if "." in upload.name else ""
        if one.accept and ending not in one.accept:
            raise BadValue(_("Choose a file of one of these kinds: %(kinds)s.") % {"kinds": ", ".join(one.accept)})
        if one.max_size is not None and (upload.size or 0) > one.max_size:
            raise BadValue(_("Choose a smaller file: at most %(most)s.") % {"most": _bytes(one.max_size)})


#: Kinds whose spaces mean something.
_KEEP_SPACES = frozenset({Kind.TEXT, Kind.LONG_TEXT, Kind.CHOICE})


def holds(rule: ShowIf, value: Any) -> bool:
    """Whether a rule holds for the other field's value; NOTHING where it sends none. A list passes for any of its items."""
    empty = value is NOTHING or value is None or value in ("", [])
    if rule.test is When.EMPTY:
        return empty
    if rule.test is When.FILLED:
        return not empty
    same = _same(value, rule.value) or (isinstance(value, list) and any(_same(item, rule.value) for item in value))
    return same if rule.test is When.IS else not same


def _same(one: Any, two: Any) -> bool:
    # In JSON, true is not 1.
    return isinstance(one, bool) == isinstance(two, bool) and bool(one == two)


def assembled(form: Form, sent: Mapping[str, Any]) -> Any:
    """The body from the values by field name."""
    body: dict[str, Any] = {}
    for one in form.fields:
        if one.name not in sent:
            continue
        if not one.path:
            return sent[one.name]
        here = body
        for key in one.path[:-1]:
            here = here.setdefault(key, {})
        here[one.path[-1]] = sent[one.name]
    return body


def initial(form: Form, payload: Any = NOTHING, *, zone: tzinfo = UTC) -> dict[str, Shown]:
    """What the controls of a form show: for NOTHING the defaults, else what was sent before, from which `check` makes the same again."""
    shown: dict[str, Shown] = {}
    for one in form.fields:
        if not one.hidden and one.kind is not Kind.FILE:
            value = one.default if payload is NOTHING else at(payload, one.path)
            shown[one.name] = _shown(one, value, zone)
    return shown


def typed(form: Form, data: Data) -> dict[str, Shown]:
    """What the controls of a form show after it was submitted with errors: all of it as it was typed."""
    shown: dict[str, Shown] = {}
    for one in form.fields:
        if one.hidden or one.kind is Kind.FILE:
            continue
        given = list(data.get(one.name, ()))
        if one.kind is Kind.TABLE:
            shown[one.name] = [texts for _number, texts in rows_of(one, data)]
        elif one.kind in (Kind.LIST, Kind.CHOICES):
            shown[one.name] = given
        else:
            shown[one.name] = given[-1] if given else ""
    return shown


def left_over(form: Form, payload: Any) -> list[tuple[str, ...]]:
    """The places in a payload for which the form has no field, so that filling the form from it loses them."""
    paths = {one.path for one in form.fields}
    found: list[tuple[str, ...]] = []
    waiting: list[tuple[tuple[str, ...], Any]] = [((), payload)]
    while waiting:
        path, value = waiting.pop()
        if path in paths:
            continue
        if isinstance(value, dict) and (value or not path) and any(inner[: len(path)] == path for inner in paths):
            waiting.extend(((*path, key), inner) for key, inner in reversed(value.items()))
        elif not (isinstance(value, dict) and not path and not value):
            found.append(path)
    return found


def at(payload: Any, path: Sequence[str]) -> Any:
    """The value at a place of a payload; NOTHING where there is none."""
    for key in path:
        if not isinstance(payload, dict) or key not in payload:
            return NOTHING
        payload = payload[key]
    return payload


def rows_of(table: Field, data: Data) -> list[tuple[int, dict[str, str]]]:
    """The rows of a table as they were typed, with their numbers in the controls' names; empty rows too."""
    start = len(table.name)
    names = {column.name for column in table.columns}
    rows: dict[int, dict[str, str]] = {}
    for name, texts in data.items():
        if name.startswith(f"{table.name}["):
            found = _CELL.fullmatch(name, start)
            if found and found[2] in names:
                rows.setdefault(int(found[1]), {})[found[2]] = texts[-1] if texts else ""
    return sorted(rows.items())


def _shown(one: Field, value: Any, zone: tzinfo) -> Shown:
    if one.kind is Kind.TABLE:
        return [_shown_row(one, row, zone) for row in value] if isinstance(value, list) else []
    if one.kind in (Kind.LIST, Kind.CHOICES):
        kind = one.item if one.kind is Kind.LIST else None
        return [values.show(one, item, kind=kind, zone=zone) for item in value] if isinstance(value, list) else []
    blank = one.blank is not Blank.ABSENT and not one.required and value == BLANKS[one.blank]
    if value is NOTHING or blank or (value is None and one.kind is not Kind.JSON and one.kind is not Kind.CHOICE):
        return ""
    return values.show(one, value, zone=zone)


def _shown_row(one: Field, row: Any, zone: tzinfo) -> dict[str, str]:
    row = row if isinstance(row, dict) else {}
    return {column.name: _shown_cell(column, row.get(column.key, NOTHING), zone) for column in one.columns}


def _shown_cell(column: Column, value: Any, zone: tzinfo) -> str:
    null = value is None and column.kind is not Kind.JSON
    if value is NOTHING or null or (column.blank is Blank.TEXT and value == ""):
        return ""
    return values.show(column, value, zone=zone)


def _missing(one: Field) -> str:
    if one.kind in (Kind.CHOICE, Kind.YES_NO):
        return _("Choose a value.")
    if one.kind is Kind.CHOICES:
        return _("Choose at least one value.")
    if one.kind is Kind.TABLE:
        return _("Fill in at least one row.")
    if one.kind is Kind.LIST:
        return _("Fill in at least one line.")
    return _("Fill this in.")


def _bytes(size: int) -> str:
    if size >= 1_000_000:
        return _("%(size)s MB") % {"size": size // 1_000_000}
    return ngettext("%(size)s byte", "%(size)s bytes", size) % {"size": size}


def optional(form: Form) -> Form:
    """The form with nothing required: for a preview of what would be sent."""
    return replace(form, fields=tuple(replace(one, required=False) for one in form.fields))
