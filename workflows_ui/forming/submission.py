"""Reading a submitted launch form: every field's controls, after those its show-if rule depends on, with words where they do not fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import Any, Protocol

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from workflows_ui.forming import validating, values
from workflows_ui.forming.cells import Data, cell_name, rows_of
from workflows_ui.forming.document import NOTHING, Blank, Choice, Field, Form, Kind, ShowIf, When
from workflows_ui.forming.schema_out import BLANKS
from workflows_ui.forming.values import BadValue

MOST_ROWS = 1_000


class Upload(Protocol):
    """An uploaded file, as Django's."""

    @property
    def name(self) -> str | None: ...

    @property
    def size(self) -> int | None: ...


class Submission:
    """A submitted form, read field by field: `errors` in words by control, `sent` values and whether it is `shown` by field."""

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

    def read(self) -> None:
        """Reads all fields."""
        for one in self.form.fields:
            self._visit(one)

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
