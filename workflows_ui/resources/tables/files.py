"""A table as a file: CSV for spreadsheets, JSON for programs."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import TooLarge
from workflows_ui.resource_admin.export import BYTE_ORDER_MARK, csv_text, escape_formulas
from workflows_ui.resources.tables import reading


def read(session: EngineSession, id: str, conditions: Sequence[Mapping[str, str]] = ()) -> dict[str, Any]:
    """The whole table: `name`, `fields` (unique names) and `rows` (maps of field name to text). Raises EngineError.

    The engine's own export has rows by the name of the column (recording `tables_export`). If two columns share a name
    it lacks one of them, so the records themselves are requested; so they are if only those that match `conditions` are
    wanted.
    """
    exported = session.workflows.export_table(id)
    fields = [field for field in exported.get("fields") or [] if isinstance(field, Mapping)]
    names = [reading.name_of(field) for field in fields]
    called = reading.unique(names)
    if called == names and not conditions:
        rows = [row for row in exported.get("rows") or [] if isinstance(row, Mapping)]
        table = [{name: reading.as_text(row.get(name)) for name in names} for row in rows]
    else:
        keys = [reading.key_of(field) for field in fields]
        found = reading.records(session, id, conditions)
        if not found.whole:
            # An incomplete file would not show it.
            raise TooLarge("The table is larger than what the console reads at once.")
        table = [
            {name: reading.cell(record, key) for name, key in zip(called, keys, strict=True)}
            for record in reversed(found.rows)
        ]
    return {"name": reading.name_of(exported), "fields": called, "rows": table}


def content(kind: str, table: Mapping[str, Any]) -> str:
    """The file's text; `kind` is a key of TYPES."""
    return _csv(table) if kind == "csv" else json.dumps(table, indent=2, ensure_ascii=False)


def name(kind: str, called: str) -> str:
    """A file name made from the table's name, safe on every system."""
    plain = re.sub(r"[^\w. -]+", "-", called).strip(" .-")[:80]
    return f"{plain or 'table'}.{kind}"


def _csv(table: Mapping[str, Any]) -> str:
    rows = [table["fields"], *([row[name] for name in table["fields"]] for row in table["rows"])]
    return BYTE_ORDER_MARK + csv_text([[escape_formulas(cell) for cell in row] for row in rows])
