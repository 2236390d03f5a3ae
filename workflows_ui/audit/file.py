"""The audit log as a file, row by row: CSV for spreadsheets (formulas escaped), JSON for programs."""

import json
from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from workflows_ui.audit import messages as audit_messages
from workflows_ui.audit.models import AuditEvent
from workflows_ui.lists import export

COLUMNS = ("at", "person", "what", *AuditEvent.EXPORTED, "workspace", "id", "ends_row", "number", "mark")


def name(kind: str) -> str:
    """Return the file name, with today's date in the current time zone."""
    return f"audit-{timezone.localdate():%Y-%m-%d}.{kind}"


def content(kind: str, rows: QuerySet[AuditEvent]) -> Iterator[bytes]:
    """Return the file in parts: every row, including the ends of writes. `kind` is a key of export.TYPES.

    Timestamps are in UTC, so that files from different years compare. Labels are in the requester's language.
    """
    return export.stream(kind, rows, headings=lambda: COLUMNS, cells=_cells, record=_columns)


def _cells(row: AuditEvent) -> list[str]:
    return [_cell(value) for value in _columns(row).values()]


def _columns(row: AuditEvent) -> dict[str, Any]:
    special = {
        "at": f"{row.at:%Y-%m-%dT%H:%M:%S.%fZ}",
        "person": row.user_name,
        "what": str(audit_messages.action(row.action)),
        "workspace": row.workspace.slug if row.workspace else None,
        "id": row.pk,
        "ends_row": row.begun_id,
    }
    return {name: special[name] if name in special else getattr(row, name) for name in COLUMNS}


def _cell(value: Any) -> str:
    if value is None or value == {}:
        return ""
    if isinstance(value, int):
        return str(value)
    return export.escape_formulas(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
