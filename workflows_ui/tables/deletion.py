"""The copy of a table from which it can be restored: its columns and the newest records, up to a limit."""

import time
from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _, gettext_lazy

from workflows_ui.core.paths import dicts_at, list_at, text_at
from workflows_ui.core.text import filled
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.deleted_objects.services import Content
from workflows_ui.resource_admin.resource import Row, Text
from workflows_ui.tables import reading

#: Maximum number of records in a copy, and records created per call when it is restored.
MOST_RECORDS, _AT_ONCE = 10_000, 50
#: Seconds between two of these calls. The engine gives the rows of a call one millisecond each, and lists rows by these times.
_APART = 0.05


def limit_text(session: EngineSession, table: Row) -> Text:
    """A sentence about what the copy of a large table leaves out; "" if it is complete. Raises EngineError."""
    found = reading.records(session, reading.key_of(table))
    number = min(len(found.rows), MOST_RECORDS)
    if found.whole and number == len(found.rows):
        return ""
    text = gettext_lazy("A copy has %(number)d of its records at most: the others cannot be restored.")
    return filled(text, number=number)


def read_copy(session: EngineSession, id: str) -> Content:
    """The table's name, columns and records, oldest first. Raises EngineError."""
    table, fields = session.workflows.get_table(id), reading.fields(session, id)
    found = reading.records(session, id)
    rows = found.rows[:MOST_RECORDS][::-1]
    keys = [reading.key_of(field) for field in fields]
    data: dict[str, object] = {
        "name": reading.name_of(table),
        "externalId": text_at(table, "externalId"),
        "fields": [
            {
                "name": reading.name_of(field),
                "type": text_at(field, "type"),
                "options": reading.options_of(field),
                "externalId": text_at(field, "externalId"),
            }
            for field in fields
        ],
        "records": [[reading.cell(row, key) for key in keys] for row in rows],
    }
    whole = found.whole and len(rows) == len(found.rows)
    facts = {
        "records": len(rows),
        "whole": whole,
        "fields": len(fields),
        "foldered": bool(table.get("folderId")),
    }
    facts["external_ids"] = True
    return Content(reading.label_of(table), data, facts)


def create_from_copy(session: EngineSession, data: Mapping[str, object]) -> str:
    """Create the table of a copy, under the external id by which flows name it, unless an interrupted restore has. Return its id.

    Raises EngineError, and ValidationError if another table has this external id.
    """
    external_id = text_at(data, "externalId")
    if external_id and (present := _present(session, external_id, data)):
        return present
    return reading.key_of(session.workflows.create_table(text_at(data, "name"), external_id=external_id or None))


def _present(session: EngineSession, external_id: str, data: Mapping[str, object]) -> str:
    """The id of the table that an interrupted restore of this copy has created; "" if no table has the external id.

    The engine accepts a second table of one external id, and flows then use either. Raises ValidationError if another table has it.
    """
    columns = {text_at(field, "name") for field in dicts_at(data, "fields")}
    for row in session.workflows.list_tables(limit=10, external_ids=[external_id])["data"]:
        table = reading.key_of(row)
        names = {reading.name_of(field) for field in session.workflows.list_fields(table)}
        if (
            reading.name_of(row) == text_at(data, "name")
            and names <= columns
            and not session.workflows.list_records(table, limit=1)["data"]
        ):
            return table
        text = _(
            "The table “%(name)s” has the same external ID, “%(id)s”. Flows name tables by it, and would use only one of the two. Delete "
            "that table first, or keep using it."
        )
        raise ValidationError(text % {"name": reading.label_of(row), "id": external_id})
    return ""


def fill_from_copy(session: EngineSession, id: str, data: Mapping[str, object]) -> None:
    """Give the table the columns and records of its copy, in place of those that it has. Raises EngineError."""
    with reading.forgetting(session, id):
        # A table that was deleted meanwhile: the refusal of a write would not prove it.
        session.workflows.get_table(id)
        if session.workflows.list_records(id, limit=1)["data"]:
            session.workflows.clear_table(id)
        for present in session.workflows.list_fields(id):
            # 0.83 gives a new table a first column.
            session.workflows.delete_field(reading.key_of(present))
        fields = []
        for field in dicts_at(data, "fields"):
            kind = text_at(field, "type") or reading.TEXT
            options = [str(item) for item in list_at(field, "options")] if kind == reading.DROPDOWN else None
            made = session.workflows.create_field(
                id, text_at(field, "name"), kind, options=options, external_id=text_at(field, "externalId") or None
            )
            fields.append(reading.key_of(made))
        records = [dict(zip(fields, row, strict=False)) for row in list_at(data, "records") if isinstance(row, list)]
        known: list[str] = []
        for start in range(0, len(records), _AT_ONCE):
            if start:
                time.sleep(_APART)
            batch = [{name: value for name, value in row.items() if value} for row in records[start : start + _AT_ONCE]]
            written = session.workflows.create_records(id, batch, known=known)
            known += [reading.key_of(row) for row in written]
