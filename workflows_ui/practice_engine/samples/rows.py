"""Rows of the sample company that are kept as data files."""

import copy
from typing import Any

from workflows_ui.practice_engine import ids
from workflows_ui.practice_engine.accounts import SAO_MAI_PROJECT
from workflows_ui.practice_engine.core import Engine
from workflows_ui.practice_engine.data_files import read_data
from workflows_ui.practice_engine.http import Json
from workflows_ui.practice_engine.routes import records, tables

#: Kinds of rows without times.
UNDATED = ("organizations", "automations")


def load_rows(engine: Engine, name: str) -> None:
    """Fill the state from the file ``name``, which has rows by kind. They are made now unless they say otherwise.

    A text ``id:user anh`` stands for the id that belongs to this name, ``id:*`` for a new one, ``id:*72`` for a longer one.
    """
    moment = ids.stamp()
    for kind, rows in read_data(f"samples/{name}.json").items():
        for data in rows:
            times = {} if kind in UNDATED else {"created": moment, "updated": moment}
            row = {**times, **_with_ids(engine, data)}
            # A project has one server of its own at most, and it is found by the project.
            key = "projectId" if kind == "mcp_own_servers" else "id"
            getattr(engine.state, kind)[row[key]] = row


def load_tables(engine: Engine) -> None:
    """Make the tables of Sao Mai with their fields and records."""
    state = engine.state
    for data in copy.deepcopy(read_data("samples/tables.json")):
        table = tables.add_table(engine, SAO_MAI_PROJECT, data["name"])
        _rename(state.tables, table, f"table {data['slug']}")
        fields = [tables.add_field(engine, table, one["name"], one["type"], one.get("data")) for one in data["fields"]]
        for field in fields:
            _rename(state.fields, field, f"field {data['slug']} {field['name']}")
        for number, values in enumerate(data["records"]):
            cells = {field["id"]: value for field, value in zip(fields, values, strict=True)}
            _rename(state.records, records.add_record(engine, table, cells), f"record {data['slug']} {number}")


def _with_ids(engine: Engine, value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _with_ids(engine, inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_with_ids(engine, inner) for inner in value]
    if not isinstance(value, str) or not value.startswith("id:"):
        return value
    name = value.removeprefix("id:")
    return engine.ids.new(int(name[1:] or ids.ID_LENGTH)) if name.startswith("*") else ids.named_id(name)


def _rename(rows: dict[str, Json], row: Json, name: str) -> None:
    """Give a new row the id that belongs to ``name``."""
    rows[ids.named_id(name)] = rows.pop(row["id"])
    row["id"] = ids.named_id(name)
