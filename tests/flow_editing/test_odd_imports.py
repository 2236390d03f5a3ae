"""Imports of odd files, and into workspaces whose tables are odd."""

from typing import Any

import pytest
from django.test import Client

from tests.engine.servers import Reply
from tests.flow_editing.test_flow_imports import NEW, old, piece, webhook
from tests.flow_editing.test_flow_matching import columns
from tests.resources.test_flow_actions import hidden, upload
from tests.stub_engine import StubEngine, identity, owner, stub_engine, text, users

__all__ = ["owner", "stub_engine", "users"]
TABLE = {"id": identity(7), "name": "Orders"}


def have_table(engine: StubEngine, table: dict[str, Any], fields: list[dict[str, Any]]) -> None:
    engine.faults["/tables"] = Reply(200, {"data": [table], "next": None, "previous": None})
    engine.faults[f"/tables/{identity(7)}"] = Reply(200, TABLE)
    engine.faults["/fields"] = Reply(200, fields)


def table_step(**values: Any) -> dict[str, Any]:
    return piece("tables", "tables-create-records", {"table_id": "there", **values}, step="step_2")


@pytest.mark.parametrize("field", [{"id": "F", "name": "a"}, {"id": "F", "name": ["a"]}], ids=["named", "nameless"])
@pytest.mark.parametrize("table", [TABLE, TABLE | {"externalId": "e"}], ids=["no external id", "external id"])
def test_only_steps_with_a_replaced_table_get_its_columns(
    owner: Client, stub_engine: StubEngine, table: dict[str, Any], field: dict[str, Any]
) -> None:
    have_table(stub_engine, table, [field])
    filtered = table_step(values={"id-of-a": 1}, filters={"filters": [{"field": {"name": "a"}}, 7]})
    filtered["settings"]["propertySettings"] = {"values": {"schema": columns("a")}}
    file = old(webhook(piece("http", "send", {"values": {"q": 1}}, step="step_1"), filtered))
    asked = owner.post(NEW, {"file": upload(file)})
    assert asked.status_code == 200
    assert "Do send: “q”" not in text(asked.content)
    again = owner.post(NEW, hidden(asked) | {"table-0": table.get("externalId") or table["id"]})
    assert again.status_code in (200, 422)
    assert "Do send: “q”" not in text(again.content)


@pytest.mark.parametrize("name", ["<script>x</script>", "\ud800", "a\x00b"], ids=["HTML", "half", "NUL"])
def test_the_names_in_a_file_are_texts(owner: Client, stub_engine: StubEngine, name: str) -> None:
    have_table(stub_engine, TABLE, [{"id": "F", "name": "a"}])
    step = table_step(values={name: 1}, auth=f"{{{{connections['{name}']}}}}") | {"displayName": name}
    step["settings"] |= {"pieceName": f"{name}/piece-tables", "actionName": name}
    asked = owner.post(NEW, {"file": upload(old(webhook(step), name))})
    assert asked.status_code == 200
    assert b"<script>x" not in asked.content
