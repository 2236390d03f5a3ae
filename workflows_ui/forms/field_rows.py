"""Rows inside the page of a field: its choices, and the columns of a table. Without JavaScript each button sends the page."""

import json
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from workflows_ui.forming.document import (
    CELLS,
    MOST_CHOICES,
    MOST_COLUMNS,
    SHORT,
    Choice,
    Column,
    Kind,
    key_of,
    name_for,
)
from workflows_ui.forms import field_values

R = TypeVar("R")
#: What a row keeps of a choice that sends an empty text: without it an empty input means "the same as the label".
_EMPTY = '""'
#: Empty rows that are shown where there is none yet.
_FIRST_ROWS = 2


class Posted(Protocol):
    """What a form sent: `QueryDict`, with several values under one name."""

    def getlist(self, key: str) -> Sequence[object]:
        """All values of a name."""
        ...

    def get(self, key: str, default: str = ...) -> object:
        """The last value of a name."""
        ...


@dataclass
class ChoiceRow:
    """A choice as it is typed; `was` keeps a value that nobody types (a list, an object, an empty text) as JSON."""

    label: str = ""
    value: str = ""
    sort: str = field_values.AS_TEXT
    was: str = ""
    error: str = ""
    #: Whether it was just added, and the person goes on typing in it.
    new: bool = False

    @property
    def typed(self) -> bool:
        """Whether its value is one that people type."""
        return self.sort != field_values.AS_IT_IS


@dataclass
class ColumnRow:
    """A column of a table as it is typed."""

    name: str = ""
    key: str = ""
    label: str = ""
    kind: str = Kind.TEXT.value
    required: bool = False
    #: What a column of one choice offers, one a line: `what people read = what is sent`, or one text for both.
    choices: str = ""
    error: str = ""
    new: bool = False

    @property
    def choosing(self) -> bool:
        """Whether it offers choices."""
        return self.kind == Kind.CHOICE


def choice_rows(choices: Sequence[Choice]) -> list[ChoiceRow]:
    """The rows of a field's choices."""
    rows = []
    for choice in choices:
        sort = field_values.sort_of(choice.value)
        value = "" if sort == field_values.AS_NOTHING else key_of(choice.value)
        if isinstance(choice.value, str) and ("\n" in value or "\r" in value):
            sort = field_values.AS_IT_IS  # an input of one line would lose the break
        kept = sort == field_values.AS_IT_IS or choice.value == ""
        rows.append(ChoiceRow(choice.label, value, sort, json.dumps(choice.value) if kept else ""))
    return rows or [ChoiceRow() for _number in range(_FIRST_ROWS)]


def posted_choices(posted: Posted) -> list[ChoiceRow]:
    """The rows as they were sent."""
    columns = (_texts(posted, f"choice_{part}") for part in ("label", "value", "sort", "was"))
    return [ChoiceRow(*row) for row in zip(*columns, strict=False)][: MOST_CHOICES + 1]


def choices_of(rows: Sequence[ChoiceRow]) -> tuple[Choice, ...]:
    """The choices that the rows stand for; empty rows are left out, a missing label is the value. Sets `error` of rows and raises
    ValidationError where there is one."""
    found: list[Choice] = []
    seen: set[str] = set()
    for row in rows:
        if not (row.label.strip() or row.value.strip() or row.sort == field_values.AS_IT_IS):
            continue
        try:
            empty = row.sort != field_values.AS_TEXT or row.was == _EMPTY
            text = row.value or ("" if empty else row.label.strip())
            value = field_values.sent_as(text, row.sort, row.was)
        except ValidationError as problem:
            row.error = problem.messages[0]
            continue
        if key_of(value) in seen:
            row.error = _("This value stands above already. Each choice sends a value of its own.")
            continue
        seen.add(key_of(value))
        found.append(Choice((row.label.strip() or key_of(value))[:SHORT], value))
    if any(row.error for row in rows):
        raise ValidationError(_("Correct the marked choices."))
    if len(found) > MOST_CHOICES:
        raise ValidationError(
            _("A form has at most %(n)d choices for one field. Take them from a table instead.") % {"n": MOST_CHOICES}
        )
    return tuple(found)


def column_rows(columns: Sequence[Column]) -> list[ColumnRow]:
    """The rows of a table's columns."""
    rows = [
        ColumnRow(one.name, one.key, one.label, one.kind.value, one.required, "\n".join(_lines_of(one.choices)))
        for one in columns
    ]
    return rows or [ColumnRow() for _number in range(_FIRST_ROWS)]


def posted_columns(posted: Posted) -> list[ColumnRow]:
    """The rows as they were sent."""
    required = set(_texts(posted, "column_required"))
    parts = (_texts(posted, f"column_{part}") for part in ("name", "key", "label", "kind"))
    rows = [ColumnRow(*row) for row in zip(*parts, strict=False)][: MOST_COLUMNS + 1]
    for row, choices in zip(rows, _texts(posted, "column_choices"), strict=False):
        row.choices = choices
    for number, row in enumerate(rows):
        row.required = str(number) in required
    return rows


def columns_of(rows: Sequence[ColumnRow], before: Sequence[Column]) -> tuple[Column, ...]:
    """The columns that the rows stand for, with what only the proposal knows of those that were there `before`.

    Sets `error` of rows, and raises ValidationError where there is one.
    """
    known: Mapping[str, Column] = {column.name: column for column in before}
    found: list[Column] = []
    taken = {row.name for row in rows if row.name in known}
    keys: set[str] = set()
    for row in rows:
        key = row.key.strip()
        if not key and not row.label.strip():
            continue
        key = key or row.label.strip()
        if key in keys:
            row.error = _("Another column goes by this name already.")
            continue
        keys.add(key)
        kind = Kind(row.kind) if row.kind in _cells() else Kind.TEXT
        was = known.get(row.name)
        name = was.name if was else name_for((key,), taken)
        taken.add(name)
        blank = was.blank if was else Column(name, key).blank
        moment = was.moment if was else Column(name, key).moment
        choices: tuple[Choice, ...] = ()
        if kind is Kind.CHOICE:
            try:
                choices = _choices_of(row.choices, was.choices if was else ())
            except ValidationError as problem:
                row.error = problem.messages[0]
        found.append(Column(name, key, row.label.strip()[:SHORT], kind, row.required, blank, moment, choices))
    if any(row.error for row in rows):
        raise ValidationError(_("Correct the marked columns."))
    if not found:
        raise ValidationError(_("A table of rows needs at least one column."))
    if len(found) > MOST_COLUMNS:
        raise ValidationError(_("A table of rows has at most %(n)d columns.") % {"n": MOST_COLUMNS})
    return tuple(found)


def _lines_of(choices: Sequence[Choice]) -> list[str]:
    """Choices as lines to edit, one each; line breaks inside of one become spaces."""
    found = []
    for choice in choices:
        key = key_of(choice.value)
        found.append(" ".join((key if choice.label in ("", key) else f"{choice.label} = {key}").split()))
    return found


def _choices_of(text: str, before: Sequence[Choice]) -> tuple[Choice, ...]:
    """The choices that these lines stand for. A line that is as it was stands for the choice that it was; another one sends a number
    where all others did, else a text. Raises ValidationError."""
    known = dict(zip(_lines_of(before), before, strict=True))
    numbers = bool(before) and all(field_values.sort_of(one.value) == field_values.AS_NUMBER for one in before)
    found: dict[str, Choice] = {}
    for line in text.splitlines():
        plain = " ".join(line.split())
        if not plain:
            continue
        label, _separator, sent = plain.rpartition(" = ")
        sort = field_values.AS_NUMBER if numbers else field_values.AS_TEXT
        choice = known.get(plain) or Choice((label or plain)[:SHORT], field_values.sent_as(sent or plain, sort, ""))
        if key_of(choice.value) in found:
            raise ValidationError(
                _("“%(text)s” is sent by two of the choices. Each sends a value of its own.")
                % {"text": key_of(choice.value)[:60]}
            )
        found[key_of(choice.value)] = choice
    if not found:
        raise ValidationError(_("Type what there is to choose from, one a line."))
    if len(found) > MOST_CHOICES:
        raise ValidationError(_("A column has at most %(n)d choices.") % {"n": MOST_CHOICES})
    return tuple(found.values())


def rearranged(rows: list[R], posted: Posted, part: str, new: R) -> list[R]:
    """The rows after the button that was pressed: `add-PART` adds an empty one, `remove-PART` takes away the one of its number."""
    if posted.get(f"add-{part}", ""):
        return [*rows, new]
    number = str(posted.get(f"remove-{part}", ""))
    if number.isdecimal() and int(number) < len(rows):
        return [row for at, row in enumerate(rows) if at != int(number)] or [new]
    return rows


def cell_kinds() -> list[Kind]:
    """What a column can be of, in the order of all kinds."""
    return [kind for kind in Kind if kind in CELLS]


def _cells() -> set[str]:
    return {kind.value for kind in CELLS}


def _texts(posted: Posted, name: str) -> list[str]:
    return [str(value)[:10_000] for value in posted.getlist(name)]


def rearranging(posted: Container[str]) -> bool:
    """Whether a button was pressed that only rearranges the page or shows it anew."""
    buttons = ("look", "try", "add-choice", "remove-choice", "add-column", "remove-column")
    return any(name in posted for name in buttons)
