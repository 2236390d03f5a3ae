"""A launch's inputs in readable form: the fields of its form by their labels, and other values by readable key names."""

import datetime
from collections.abc import Callable, Iterable, Iterator

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.text import Truncator
from django.utils.translation import ngettext

from workflows_ui.core import formats, readable
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.core.prepared import Prepared
from workflows_ui.core.readable import Node
from workflows_ui.form_schema import checking, values
from workflows_ui.form_schema.document import (
    NOTHING,
    NUMBERS,
    Choice,
    Column,
    Field,
    FieldKind,
    Form,
    is_number,
    key_of,
)
from workflows_ui.launches import answers as launch_answers
from workflows_ui.launches.models import Launch
from workflows_ui.launches.services import secrets as launch_secrets

_MOST = 200
#: Numbers from this size on are displayed with the reader's separators: 120.000 in Vietnamese.
_GROUPED = 10_000
#: Most bytes of a launch whose inputs are summed up; most characters of the line and of a value in it; most items of a list in it.
_SMALL, _LINE, _VALUE, _FEW = 64 * 1024, 160, 60, 3


@Prepared
def _with_payloads(launches: list[str]) -> QuerySet[Launch]:
    rows = Launch.objects.filter(pk__in=launches).select_related("form_version", "workspace")
    return rows.defer(None).defer("answer", "failure", "technical")


#: The forms of several launches by their versions, which never change: to open one takes milliseconds.
Forms = dict[str, Form]
#: Gives the value of a field or column in the form in which it is shown.
Formatted = Callable[[Field | Column, object], object]


def readable_inputs(launch: Launch, forms: Forms | None = None) -> Node | None:
    """The inputs in readable form; None without inputs, or if they were removed or cannot be opened. Forms that it opens are added."""
    payload, form = _opened(launch, {} if forms is None else forms)
    return readable_values(form, payload)


def readable_values(form: Form | None, payload: object) -> Node | None:
    """A masked payload in readable form, with the labels of its form; None if it is empty."""
    if payload in (None, "", [], {}):
        return None
    room = launch_answers.LabelRoom()
    if form is None or not isinstance(payload, dict):
        return readable.readable_node(payload, room)
    values = [*_field_values(form, payload, _localized), *_other_values(form, payload)]
    return Node("fields", entries=[(label, readable.readable_node(value, room)) for label, value in values][:_MOST])


def summaries(rows: Iterable[Launch], largest: int = _SMALL) -> dict[str, str]:
    """The inputs of launches in one line each, by primary key, secrets masked. One query for all payloads.

    Launches without inputs, with removed ones, and those larger than `largest` bytes (which would have to be opened whole) have none.
    """
    small = [row.pk for row in rows if row.size <= largest]
    if not small:
        return {}
    forms: Forms = {}
    lines = {launch.pk: summary(readable_inputs(launch, forms)) for launch in _with_payloads(small)}
    return {key: line for key, line in lines.items() if line}


def summary(node: Node | None) -> str:
    """Readable inputs in one line, as “Amount: 120, Currency: VND”; "" without values."""
    if node is None:
        return ""
    if node.kind != "fields":
        return _brief(node)[:_LINE]
    parts: list[str] = []
    for label, value in node.entries:
        if not value.muted and sum(map(len, parts)) < _LINE:
            parts.append(f"{label}: {_brief(value)}")
    return Truncator(", ".join(parts)).chars(_LINE)


def brief_value(field: Field, value: object) -> str:
    """The value of a field in a few words."""
    return _brief(readable.readable_node(_display_value(field, value, _localized), launch_answers.LabelRoom()))


def _brief(node: Node) -> str:
    """One value in a few words: short lists in full, longer and nested ones by their number of values."""
    if node.kind == "items":
        return ", ".join(inner.text for _number, inner in node.entries[:_FEW]) + (" …" if node.entries[_FEW:] else "")
    number = len(node.rows or node.entries) + node.left_out
    if node.kind in ("table", "list"):
        return ngettext("%(n)d row", "%(n)d rows", number) % {"n": number}
    if node.kind == "fields":
        return ngettext("%(n)d value", "%(n)d values", number) % {"n": number}
    return " ".join((node.lead or node.text).split())[:_VALUE]


def labelled_inputs(launch: Launch, payload: object, forms: Forms) -> list[tuple[str, object]]:
    """The inputs of a masked payload by their labels, for files: numbers and dates as they were sent. Those without a form are under one
    empty label.
    """
    if payload in (None, "", [], {}):
        return []
    try:
        form = _form_of(launch, forms)
    except CannotOpen:
        return []
    if form is None or not isinstance(payload, dict):
        return [("", payload)]
    return [*_field_values(form, payload, _as_sent), *_other_values(form, payload)]


def input_labels(form: Form) -> list[str]:
    """The labels of a form's inputs, in its order."""
    return [field.shown_label[:120] for field in form.fields if not field.hidden and field.kind is not FieldKind.FILE]


def _opened(launch: Launch, forms: Forms) -> tuple[object, Form | None]:
    """The masked payload and the form that was filled in; None where it was removed or cannot be opened."""
    if not launch.payload:
        return None, None
    try:
        return launch_secrets.masked_payload(launch), _form_of(launch, forms)
    except CannotOpen:
        return None, None


def _form_of(launch: Launch, forms: Forms) -> Form | None:
    """The form that was filled in, from `forms` or added to them. Raises CannotOpen."""
    version = launch.form_version
    if version is None:
        return None
    if version.pk not in forms:
        forms[version.pk] = version.open_form()
    return forms[version.pk]


def _field_values(form: Form, payload: object, formatted: Formatted) -> Iterator[tuple[str, object]]:
    """The filled-in fields, in the form's order. Hidden fields, which nobody typed, are only in the raw payload."""
    for field in form.fields:
        value = NOTHING if field.hidden or field.kind is FieldKind.FILE else checking.value_at(payload, field.path)
        if value is not NOTHING:
            yield field.shown_label[:120], _display_value(field, value, formatted)


def _other_values(form: Form, payload: object) -> Iterator[tuple[str, object]]:
    """Values without a field, because the form was a different one or the values were typed as JSON."""
    for path in checking.paths_without_field(form, payload):
        label = " › ".join(launch_answers.humanised(key[:40]) for key in path)
        yield label[:120], checking.value_at(payload, path)


def _display_value(field: Field | Column, value: object, formatted: Formatted) -> object:
    """The value for display: labels of choices, names of columns, and other values as `formatted` gives them."""
    if isinstance(field, Field) and field.kind is FieldKind.TABLE and isinstance(value, list):
        return [_row(field, row, formatted) for row in value]
    if field.kind is FieldKind.CHOICES and isinstance(value, list):
        return [_choice_label(field.choices, item) for item in value]
    if field.kind is FieldKind.CHOICE:
        return _choice_label(field.choices, value)
    return formatted(field, value)


def _row(field: Field, row: object, formatted: Formatted) -> object:
    if not isinstance(row, dict):
        return row
    columns = {column.key: column for column in field.columns}
    cells = {}
    for key, value in row.items():
        column = columns.get(key)
        label = column.label or key if column else key
        cells[label] = _display_value(column, value, formatted) if column else value
    return cells


def _as_sent(_field: Field | Column, value: object) -> object:
    return value


def _localized(field: Field | Column, value: object) -> object:
    """A number, date or time as the reader writes it; anything else as it is."""
    if field.kind in NUMBERS and is_number(value) and (abs(value) >= _GROUPED or isinstance(value, float)):
        return formats.number(value)
    if field.kind is FieldKind.DATE and isinstance(value, str):
        return _day(value)
    if field.kind is FieldKind.DATETIME and isinstance(value, str):
        day, _separator, time = values.show(field, value, zone=timezone.get_current_timezone()).partition("T")
        return f"{_day(day)} {time}".rstrip()
    return value


def _day(text: str) -> str:
    """A date in the reader's order of numbers; any other text as it is."""
    try:
        return formats.date(datetime.date.fromisoformat(text))
    except ValueError:
        return text


def _choice_label(choices: tuple[Choice, ...], value: object) -> object:
    key = key_of(value)
    return next((choice.label for choice in choices if choice.label and key_of(choice.value) == key), value)
