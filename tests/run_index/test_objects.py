"""Names, states and uses of flows, connections, tables, folders and MCP servers, read into the index over HTTP."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests import flows
from tests.run_index.index_scene import start, turn
from tests.stage import Stage, stage
from tests.users import credential, share_with_nobody
from workflows_ui.audit.services.audit_log import CONSOLE
from workflows_ui.run_index.models import IndexedKind, IndexedObject, ObjectUse, RunIndex
from workflows_ui.run_index.services import indexes, objects
from workflows_ui.run_index.services.object_rows import KINDS

__all__ = ["stage"]
pytestmark = [
    pytest.mark.both_databases,
    pytest.mark.django_db,
    pytest.mark.parametrize("stage", ["activepieces"], indirect=True),
]


def step(piece: str, action: str, title: str, **inputs: Any) -> dict[str, Any]:
    """A step of an app."""
    settings = {"pieceName": f"@activepieces/piece-{piece}", "actionName": action, "input": inputs}
    return {
        "type": "PIECE",
        "valid": True,
        "displayName": title,
        "settings": settings | {"propertySettings": {}},
    }


def read(stage: Stage) -> None:
    """Turns until every kind was read, as if the time of each had come."""
    IndexedKind.objects.filter(started_at=None).update(due_at=timezone.now() - timedelta(seconds=1))
    for _number in range(40):
        index = turn(stage)
        IndexedKind.objects.exclude(started_at=None).update(due_at=timezone.now() - timedelta(seconds=1))
        if not objects.pending(index):
            return
    pytest.fail("The reading does not end.")


def names(kind: str) -> set[str]:
    """The names of the objects that the engine has, as far as the index knows."""
    return set(IndexedObject.objects.filter(kind=kind, gone_at=None).values_list("name", flat=True))


def uses(flow: str) -> set[tuple[str, str, str, bool]]:
    """Kind, key, step and whether it is live, of a flow's uses."""
    found = ObjectUse.objects.filter(user__object_id=flow)
    return set(found.values_list("kind", "key", "step", "live"))


@pytest.mark.slow
@pytest.mark.parametrize("version", ["0.72.4", "0.83.0"])
def test_every_object_of_the_engine_is_in_the_index_with_its_state(stage: Stage, version: str) -> None:
    stage.practice.engine.settings.version = version
    workflows = stage.session.workflows
    start(stage)
    read(stage)
    listed = workflows.list_flows(limit=100)["data"]
    assert names("flows") == {row["version"]["displayName"] for row in listed}
    stored = dict(IndexedObject.objects.filter(kind="flows").values_list("object_id", "state"))
    assert stored == {row["id"]: row["status"] for row in listed}
    assert names("connections") == {row["displayName"] for row in workflows.list_connections(limit=100)["data"]}
    assert names("tables") == {row["name"] for row in workflows.list_tables(limit=100)["data"]}
    assert names("folders") == {row["displayName"] for row in workflows.list_folders(limit=100)["data"]}
    servers = workflows.list_mcp_servers(limit=100)["data"]
    assert IndexedObject.objects.filter(kind="mcp-servers").count() == len(servers) > 0
    assert not IndexedKind.objects.filter(read_at=None).exists()
    # Tokens of servers, and whatever steps and connections hold.
    stored_data = json.dumps(list(IndexedObject.objects.values_list("data", flat=True)))
    assert not any(row["token"] in stored_data for row in servers)
    assert "input" not in {key for data in IndexedObject.objects.values_list("data", flat=True) for key in keys(data)}


def keys(value: Any) -> set[str]:
    """All keys of a value, at any depth."""
    if isinstance(value, list):
        return {key for item in value for key in keys(item)}
    return {*value, *(key for item in value.values() for key in keys(item))} if isinstance(value, dict) else set()


@pytest.mark.slow
def test_uses_of_a_flow_are_known_for_its_draft_and_its_live_version(stage: Stage) -> None:
    workflows = stage.session.workflows
    table = workflows.create_table("Orders")
    inner = flows.make(workflows, "Inner", flows.code("echo"))
    outer = flows.make(
        workflows,
        "Outer",
        step("gmail", "send_email", "Write to the customer", auth="{{connections['gmail-sales']}}"),
        step("tables", "tables-create-records", "Keep it", table_id=table["externalId"]),
        step("subflows", "callFlow", "Call", flowId=inner),
    )
    start(stage)
    read(stage)
    expected = {
        ("pieces", "@activepieces/piece-webhook", "trigger"),
        ("pieces", "@activepieces/piece-gmail", "step_1"),
        ("connections", "gmail-sales", "step_1"),
        ("pieces", "@activepieces/piece-tables", "step_2"),
        ("tables", table["externalId"], "step_2"),
        ("pieces", "@activepieces/piece-subflows", "step_3"),
        ("flows", inner, "step_3"),
    }
    assert uses(outer) == {(*one, True) for one in expected}
    # The draft loses a step, which still runs; the version that runs is read once.
    workflows.apply_flow_operation(outer, {"type": "DELETE_ACTION", "request": {"names": ["step_1"]}})
    before = len(stage.practice.journal.all("GET", f"/v1/flows/{outer}"))
    read(stage)
    assert ("connections", "gmail-sales", "step_1", True) in uses(outer)
    assert ("connections", "gmail-sales", "step_1", False) not in uses(outer)
    assert ("flows", inner, "step_3", False) in uses(outer)
    read(stage)
    assert len(stage.practice.journal.all("GET", f"/v1/flows/{outer}")) == before + 1
    workflows.apply_flow_operation(outer, {"type": "LOCK_AND_PUBLISH", "request": {}})
    read(stage)
    assert uses(outer) == {(*one, True) for one in expected if one[2] != "step_1"}


@pytest.mark.slow
def test_objects_that_are_gone_from_the_engine_are_marked_and_may_return(stage: Stage) -> None:
    table = stage.session.workflows.create_table("Short-lived")
    start(stage)
    read(stage)
    removed = stage.practice.engine.state.tables.pop(table["id"])
    read(stage)
    assert "Short-lived" not in names("tables")
    assert IndexedObject.objects.get(object_id=table["id"]).gone_at
    stage.practice.engine.state.tables[table["id"]] = removed
    read(stage)
    assert "Short-lived" in names("tables")


@pytest.mark.slow
def test_flows_that_the_pages_of_the_engine_lose_are_found_and_deleted_ones_are_gone(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    workflows = stage.session.workflows
    made = [flows.make(workflows, f"Many {number}", publish=False) for number in range(12)]
    monkeypatch.setattr(objects, "KINDS", {**KINDS, "flows": replace(KINDS["flows"], size=5)})
    start(stage)
    read(stage)
    assert {f"Many {number}" for number in range(12)} <= names("flows")
    workflows.delete_flow(made[0])
    stage.practice.engine.state.flows.pop(made[0], None)
    read(stage)
    assert "Many 0" not in names("flows")
    assert "Many 1" in names("flows")


@pytest.mark.slow
def test_a_turn_keeps_to_its_budget_and_a_killed_reader_continues_where_it_was(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objects, "CALLS", 2)
    index = start(stage)
    paths, turns = ("/v1/flows*", "/v1/app-connections", "/v1/tables", "/v1/folders", "/v1/*mcp-server*"), 0
    while IndexedKind.objects.filter(read_at=None).exists() or not turns:
        before = sum(len(stage.practice.journal.all("GET", path)) for path in paths)
        turn(stage)
        assert sum(len(stage.practice.journal.all("GET", path)) for path in paths) - before <= 2
        assert objects.pending(index) == IndexedKind.objects.filter(read_at=None).exists()
        turns += 1
    assert turns > 2
    assert names("flows") == {
        row["version"]["displayName"] for row in stage.session.workflows.list_flows(limit=100)["data"]
    }


@pytest.mark.slow
def test_a_workspace_costs_about_one_call_a_minute_for_each_kind(stage: Stage) -> None:
    start(stage)
    read(stage)
    paths = ("/v1/flows", "/v1/app-connections", "/v1/tables", "/v1/folders")
    before = [len(stage.practice.journal.all("GET", path)) for path in paths]
    for _number in range(3):
        turn(stage)
    assert [len(stage.practice.journal.all("GET", path)) for path in paths] == before
    read(stage)
    assert [len(stage.practice.journal.all("GET", path)) for path in paths] == [number + 1 for number in before]


@pytest.mark.slow
def test_a_kind_that_the_engine_refuses_stops_neither_the_others_nor_the_runs(stage: Stage) -> None:
    start(stage)
    stage.practice.engine.faults.add("status", "GET", "/v1/tables", status=403)
    read(stage)
    refused = IndexedKind.objects.get(kind="tables")
    assert (refused.read_at, refused.trouble) == (None, "Forbidden")
    assert not IndexedKind.objects.exclude(kind="tables").filter(read_at=None).exists()
    assert RunIndex.objects.get().trouble == ""


@pytest.mark.slow
def test_with_another_credential_nothing_of_the_earlier_one_stays(stage: Stage) -> None:
    start(stage)
    read(stage)
    index = RunIndex.objects.get()
    IndexedObject.objects.create(
        index=index, kind="tables", object_id="x" * 21, name="Of another", seen_at=timezone.now()
    )
    other = credential(stage.users.workspace, stage.users.owner, stage.secret, name="Other")
    share_with_nobody(other)
    RunIndex.objects.update(credential=other)
    read(stage)
    assert "Of another" not in names("tables")
    assert not IndexedObject.objects.filter(name="Of another").exists()
    assert indexes.stop(CONSOLE, stage.users.workspace)
    assert not IndexedObject.objects.exists()


@pytest.mark.slow
def test_the_page_of_the_index_says_as_of_when_each_kind_is_known(stage: Stage) -> None:
    start(stage)
    stage.practice.engine.faults.add("status", "GET", "/v1/tables", status=403)
    read(stage)
    page = stage.browser.get("/w/sales/run-index/").content.decode()
    number = IndexedObject.objects.filter(kind="flows").count()
    assert f"<dt>Flows</dt><dd>{number} as of " in page
    assert "<dt>Tables</dt><dd>The engine does not give them</dd>" in page
