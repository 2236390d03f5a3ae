"""A table, with the keys of recording `tables_get`; its columns and records are those of `fields_list` and `records_list`, shortened."""

from typing import Any

from tests.engine.servers import Reply
from tests.resources.samples import Sample
from tests.stub_engine import StubEngine, identity

_MADE = "2026-11-24T22:41:44.573Z"


class _WithParts(Sample):
    """Columns and records are asked for apart."""

    def put(self, stub_engine: StubEngine, row: dict[str, Any]) -> None:
        """Puts this table in the stub engine, with one column and no records."""
        super().put(stub_engine, row)
        lay(stub_engine, [field(2)], [])


def lay(stub_engine: StubEngine, fields: list[dict[str, Any]], records: list[dict[str, Any]]) -> None:
    """Puts columns and records of a table in the stub engine."""
    stub_engine.rows["/fields"] = fields
    stub_engine.arrays.add("/fields")
    stub_engine.rows["/records"] = records
    for one in records:
        stub_engine.faults[f"/records/{one.get('id')}"] = Reply(200, one)


def table(name: str = "Orders", number: int = 1) -> dict[str, Any]:
    """A table."""
    row = {"id": identity(number), "created": _MADE, "updated": _MADE, "name": name, "projectId": "P" * 21}
    return row | {"externalId": identity(8), "status": None, "trigger": None}


def field(number: int, name: str = "SKU", kind: str = "TEXT", **more: Any) -> dict[str, Any]:
    """A column of table 1."""
    row = {"id": identity(number), "created": _MADE, "updated": _MADE, "name": name, "type": kind}
    return row | {"tableId": identity(1), "projectId": "P" * 21, "externalId": identity(9), "data": None} | more


def record(number: int, cells: dict[int, Any]) -> dict[str, Any]:
    """A record of table 1; `cells` by the number of the column."""
    made = {"created": _MADE, "updated": _MADE}
    found = {identity(key): {**made, "value": value, "fieldName": "x"} for key, value in cells.items()}
    return {"id": identity(number), **made, "tableId": identity(1), "projectId": "P" * 21, "cells": found}


SAMPLE = _WithParts(
    "/tables",
    lambda name: table(name),
    ("/tables",),
    filter="name=nothing",
    huge={"note": "y" * 3_000_000},
)
