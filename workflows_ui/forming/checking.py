"""From what was submitted to what is sent, with an error in words at each control; and from what was sent before to a filled form.

Controls. A field's control has the field's name. Several values (a list's items, several choices) are several controls of one
name. A cell of a table is `cell_name(field, row, column)`. Yes and no are `true` and `false`; an empty one is neither.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo
from typing import Any

from workflows_ui.forming import validating, values
from workflows_ui.forming.cells import Data, rows_of
from workflows_ui.forming.document import NOTHING, Blank, Choice, Column, Field, Form, Kind
from workflows_ui.forming.schema_out import BLANKS
from workflows_ui.forming.submission import Submission, Upload

#: What a filled form shows, by field: a text; a list's or several choices' texts; a table's rows of texts by column.
Shown = str | list[str] | list[dict[str, str]]


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
    read = Submission(form, data, files or {}, options or {}, zone)
    read.read()
    # In the order of the form, not in the order in which rules had to be looked at.
    sent = {one.name: read.sent[one.name] for one in form.fields if one.name in read.sent}
    shown = frozenset(name for name, is_shown in read.shown.items() if is_shown)
    if read.errors:
        return Checked(NOTHING, read.errors, sent, shown)
    payload = assembled(form, sent)
    problem = validating.of_payload(form, payload)
    return Checked(NOTHING, {"": problem}, sent, shown) if problem else Checked(payload, {}, sent, shown)


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


def optional(form: Form) -> Form:
    """The form with nothing required: for a preview of what would be sent."""
    return replace(form, fields=tuple(replace(one, required=False) for one in form.fields))
