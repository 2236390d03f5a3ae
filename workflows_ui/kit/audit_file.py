"""The audit log as a file, row by row: CSV for spreadsheets (formulas made harmless), JSON for programs."""

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone, translation

from workflows_ui.kit import audit_words
from workflows_ui.kit.export_file import TYPES, harmless
from workflows_ui.models import AuditEvent

__all__ = ["TYPES", "content", "name"]

#: Rows read at a time.
PART = 1000
COLUMNS = (
    "at",
    "person",
    "what",
    "action",
    "object_type",
    "object_id",
    "object_name",
    "outcome",
    "reason",
    "detail",
    "address",
    "session",
    "request_id",
    "workspace",
    "id",
    "ends_row",
    "number",
    "mark",
)


def name(kind: str) -> str:
    """The file's name, with today's date in the person's zone."""
    return f"audit-{timezone.localdate():%Y-%m-%d}.{kind}"


def content(kind: str, rows: QuerySet[AuditEvent]) -> Iterator[bytes]:
    """The file, some rows at a time: every row, also the ends of writes. `kind` is a key of TYPES.

    Moments are in UTC: this file may be compared with others for years. Words are in the language of whoever asks.
    """
    language = translation.get_language()
    yield "\ufeff".encode() + _csv([list(COLUMNS)]) if kind == "csv" else b"["
    part: list[AuditEvent] = []
    first = True
    for row in rows.iterator(chunk_size=PART):
        part.append(row)
        if len(part) == PART:
            yield _part(kind, part, language, first=first)
            part, first = [], False
    if part:
        yield _part(kind, part, language, first=first)
    if kind == "json":
        yield b"\n]\n"


def _part(kind: str, rows: list[AuditEvent], language: str, *, first: bool) -> bytes:
    # The page's language is over by the time that a file is streamed.
    with translation.override(language):
        told = [_told(row) for row in rows]
    if kind == "json":
        text = ",\n".join(json.dumps(row, ensure_ascii=False) for row in told)
        return f"{'' if first else ','}\n{text}".encode("utf-8", "replace")
    return _csv([[_cell(row[column]) for column in COLUMNS] for row in told])


def _told(row: AuditEvent) -> dict[str, Any]:
    return {
        "at": f"{row.at:%Y-%m-%dT%H:%M:%S.%fZ}",
        "person": row.user_name,
        "what": str(audit_words.action(row.action)),
        "action": row.action,
        "object_type": row.object_type,
        "object_id": row.object_id,
        "object_name": row.object_name,
        "outcome": row.outcome,
        "reason": row.reason,
        "detail": row.detail,
        "address": row.address,
        "session": row.session,
        "request_id": row.request_id,
        "workspace": row.workspace.slug if row.workspace else None,
        "id": row.pk,
        "ends_row": row.begun_id,
        "number": row.number,
        "mark": row.mark,
    }


def _cell(value: Any) -> str:
    if value is None or value == {}:
        return ""
    if isinstance(value, int):
        return str(value)
    return harmless(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _csv(rows: list[list[str]]) -> bytes:
    file = io.StringIO()
    csv.writer(file).writerows(rows)
    return file.getvalue().encode("utf-8", "replace")
