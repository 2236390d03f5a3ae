"""A table as a file: CSV for spreadsheets, JSON for programs."""

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from workflows_ui.kit.caller import Caller
from workflows_ui.kit.export_file import harmless
from workflows_ui.resources import table_reading as reading

#: Kinds of files: how each is called in the response.
TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json; charset=utf-8"}


def read(caller: Caller, id: str, conditions: Sequence[Mapping[str, str]] = ()) -> dict[str, Any]:
    """The whole table: `name`, `fields` (names, each once) and `rows` (maps of field name to text). Raises EngineError.

    The engine's own export has rows by the name of the column (recording `tables_export`). Where two columns share a name it lacks
    one of them, so the records themselves are asked for; so they are where only those are wanted that fit `conditions`.
    """
    found = caller.workflows.export_table(id)
    fields = [field for field in found.get("fields") or [] if isinstance(field, Mapping)]
    names = [reading.name_of(field) for field in fields]
    called = reading.unique(names)
    if called == names and not conditions:
        rows = [row for row in found.get("rows") or [] if isinstance(row, Mapping)]
        table = [{name: _text(row.get(name)) for name in names} for row in rows]
    else:
        keys = [reading.key_of(field) for field in fields]
        table = [
            {name: reading.cell(record, key) for name, key in zip(called, keys, strict=True)}
            for record in reversed(reading.records(caller, id, conditions))
        ]
    return {"name": reading.name_of(found), "fields": called, "rows": table}


def content(kind: str, table: Mapping[str, Any]) -> str:
    """The file's text; `kind` is a key of TYPES."""
    return _csv(table) if kind == "csv" else json.dumps(table, indent=2, ensure_ascii=False)


def name(kind: str, called: str) -> str:
    """A file's name made from the table's, safe on every system."""
    plain = re.sub(r"[^\w. -]+", "-", called).strip(" .-")[:80]
    return f"{plain or 'table'}.{kind}"


def _csv(table: Mapping[str, Any]) -> str:
    """With a byte order mark: spreadsheets read the letters of all languages only then."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow([harmless(name) for name in table["fields"]])
    for row in table["rows"]:
        writer.writerow([harmless(row[name]) for name in table["fields"]])
    return f"\ufeff{file.getvalue()}"


def _text(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False, default=str)
