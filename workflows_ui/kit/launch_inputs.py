"""What a flow was launched with, for people: the fields of its form by their labels, and what else was sent by readable names."""

from collections.abc import Iterator
from typing import Any

from django.utils import timezone

from workflows_ui.crypto import CannotOpen
from workflows_ui.forming import checking, values
from workflows_ui.forming.document import NOTHING, Choice, Column, Field, Form, Kind, key_of
from workflows_ui.kit import launch_answer, readable
from workflows_ui.kit.readable import Node, Room
from workflows_ui.models import Launch
from workflows_ui.services import launch_forms, launches

_MOST = 200


class _Room(Room):
    """Names of keys that no form has a label for read as labels too."""

    def name(self, name: Any) -> str:
        return launch_answer.humanised(super().name(name))


def of(launch: Launch) -> Node | None:
    """The inputs to read; None where they are no longer kept or cannot be opened, and where nothing was given."""
    if not launch.payload:
        return None
    try:
        payload = launches.shown_payload(launch)
        form = launch_forms.form_of(launch.form_version) if launch.form_version else None
    except CannotOpen:
        return None
    if payload in (None, "", [], {}):
        return None
    room = _Room()
    if form is None or not isinstance(payload, dict):
        return readable.of(payload, room)
    return Node("fields", entries=[*_fields(form, payload, room), *_others(form, payload, room)][:_MOST])


def _fields(form: Form, payload: Any, room: Room) -> Iterator[tuple[str, Node]]:
    """What was filled in, in the order of the form. Fixed values that nobody typed stay with the raw part."""
    for one in form.fields:
        value = NOTHING if one.hidden or one.kind is Kind.FILE else checking.at(payload, one.path)
        if value is not NOTHING:
            yield one.shown_label[:120], readable.of(_told(one, value), room)


def _others(form: Form, payload: Any, room: Room) -> Iterator[tuple[str, Node]]:
    """What no field stands for: the form was another, or the values were typed as JSON."""
    for path in checking.left_over(form, payload):
        label = " › ".join(launch_answer.humanised(key[:40]) for key in path)
        yield label[:120], readable.of(checking.at(payload, path), room)


def _told(one: Field, value: Any) -> Any:
    """The value in the words of the form: labels instead of what they send, columns by their names, moments in one's own time."""
    if one.kind is Kind.TABLE and isinstance(value, list):
        return [_row(one, row) for row in value]
    if one.kind is Kind.CHOICES and isinstance(value, list):
        return [_labelled(one.choices, item) for item in value]
    if one.kind is Kind.CHOICE:
        return _labelled(one.choices, value)
    return _moment(one, value)


def _row(one: Field, row: Any) -> Any:
    if not isinstance(row, dict):
        return row
    columns = {column.key: column for column in one.columns}
    return {(columns[key].label or key) if key in columns else key: _cell(columns.get(key), row[key]) for key in row}


def _cell(column: Column | None, value: Any) -> Any:
    if column is None:
        return value
    return _labelled(column.choices, value) if column.kind is Kind.CHOICE else _moment(column, value)


def _moment(one: Field | Column, value: Any) -> Any:
    if one.kind is not Kind.DATETIME or not isinstance(value, str):
        return value
    return values.show(one, value, zone=timezone.get_current_timezone()).replace("T", " ")


def _labelled(choices: tuple[Choice, ...], value: Any) -> Any:
    key = key_of(value)
    return next((choice.label for choice in choices if choice.label and key_of(choice.value) == key), value)
