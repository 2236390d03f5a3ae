"""Every declared write, answered falsely before and after the engine acts: what the client then says is compared with the engine's state.

The operations are found by their declarations: a new one needs an entry in CALLS.
"""

import inspect
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import pytest

from tests.practice_engine.fixtures import Practice, newer, older, practice
from workflows_ui.engine import (
    BearerToken,
    Client,
    EngineError,
    Refused,
    Timeouts,
    Unavailable,
    Unknown,
    Workflows,
    looks,
    writes,
)
from workflows_ui.engine.calls import Calls
from workflows_ui.engine.errors import Write
from workflows_ui.engine.safety import AddressSafety
from workflows_ui.engine.transport import close_pools
from workflows_ui.engine.writes import Outcome

__all__ = ["newer", "older", "practice"]
Json = dict[str, Any]
NODE = {"name": "step_9", "type": "CODE", "displayName": "Nine", "valid": True}
CODE = NODE | {"settings": {"input": {}, "sourceCode": {"code": "export const code = 1", "packageJson": "{}"}}}


@dataclass
class Place:
    """A practice engine, the client, and the objects that a call needs; all requests with `method` and `path` can meet a fault."""

    practice: Practice
    workflows: Workflows

    @property
    def flow(self) -> str:
        return self.practice.sample("quick").id

    @property
    def draft(self) -> str:
        return str(self.workflows.create_flow("New")["id"])

    @property
    def table(self) -> str:
        return str(self.workflows.create_table("Stock")["id"])

    def field(self, table: str, name: str = "sku") -> str:
        return str(self.workflows.create_field(table, name)["id"])

    def run(self, status: str) -> str:
        """A run in this state."""
        state = self.practice.engine.state
        project = self.practice.credentials.project_id
        rows = [row for row in state.runs.values() if row["projectId"] == project]
        found = next((row for row in rows if row["status"] == status), None)
        if found is None:
            found = rows[0]
            found["status"] = status
        return str(found["id"])


Call = Callable[[Workflows], Any]


def _records(place: Place) -> Call:
    table = place.table
    field = place.field(table)
    place.workflows.create_records(table, [{field: "a"}])
    return lambda w: w.create_records(table, [{field: "b"}, {field: "b"}])


def _record_change(place: Place) -> Call:
    table = place.table
    field = place.field(table)
    [record] = place.workflows.create_records(table, [{field: "a"}])
    return lambda w: w.update_record(record["id"], table, {field: "b"})


def _record_deletion(place: Place) -> Call:
    table = place.table
    field = place.field(table)
    rows = place.workflows.create_records(table, [{field: "a"}, {field: "b"}])
    return lambda w: w.delete_records([rows[0]["id"]], table_id=table)


def _clearing(place: Place) -> Call:
    table = place.table
    field = place.field(table)
    place.workflows.create_records(table, [{field: "a"}])
    return lambda w: w.clear_table(table)


def _field_call(call: Callable[[Workflows, str], Any]) -> Callable[[Place], Call]:
    def prepare(place: Place) -> Call:
        field = place.field(place.table)
        return lambda w: call(w, field)

    return prepare


def _operation(place: Place) -> Call:
    from workflows_ui.flow_editing.operations import Operation
    from workflows_ui.flow_editing.prediction import predict

    flow = place.workflows.get_flow(place.draft)
    operation = Operation(
        "ADD_ACTION", {"parentStep": "trigger", "stepLocationRelativeToParent": "AFTER", "action": CODE}
    )
    expected = predict(flow, operation)
    return lambda w: w.apply_flow_operation(flow["id"], operation.body, known=flow, expected=expected)


def _folder(call: Callable[[Workflows, str], Any]) -> Callable[[Place], Call]:
    def prepare(place: Place) -> Call:
        folder = place.workflows.create_folder("Ops")["id"]
        return lambda w: call(w, folder)

    return prepare


def _connection(call: Callable[[Workflows, str], Any]) -> Callable[[Place], Call]:
    def prepare(place: Place) -> Call:
        row = place.workflows.upsert_connection(SECRET)
        return lambda w: call(w, row["id"])

    return prepare


def _server(call: Callable[[Workflows, str], Any]) -> Callable[[Place], Call]:
    def prepare(place: Place) -> Call:
        server = place.workflows.create_mcp_server({"name": "Old"})["id"]
        return lambda w: call(w, server)

    return prepare


def _trigger_test(call: Callable[[Workflows, Json], Any], strategy: str) -> Callable[[Place], Call]:
    def prepare(place: Place) -> Call:
        flow = place.workflows.get_flow(place.flow)
        body = {"flowId": flow["id"], "flowVersionId": flow["version"]["id"], "testStrategy": strategy}
        return lambda w: call(w, body)

    return prepare


def _run_call(call: Callable[[Workflows, str], Any], status: str) -> Callable[[Place], Call]:
    def prepare(place: Place) -> Call:
        run = place.run(status)
        return lambda w: call(w, run)

    return prepare


def _step_test(place: Place) -> Call:
    flow = place.workflows.get_flow(place.flow)
    return lambda w: w.test_step(flow["id"], flow["version"]["id"], flow["version"]["trigger"]["nextAction"]["name"])


def _invitation(place: Place) -> Call:
    made = place.practice.call(
        "POST", "/v1/user-invitations", json={"type": "PLATFORM", "email": "mai@example.com", "platformRole": "MEMBER"}
    )
    assert made.ok, made.text
    rows = place.workflows.list_invitations("PLATFORM")["data"]
    return lambda w: w.delete_invitation(rows[0]["id"])


SECRET: Json = {
    "externalId": "warehouse",
    "displayName": "Warehouse",
    "pieceName": "@activepieces/piece-discord",
    "type": "SECRET_TEXT",
    "value": {"type": "SECRET_TEXT", "secret_text": "s3cret"},
}
#: What prepares a call, by the name of the operation.
CALLS: dict[str, Callable[[Place], Call]] = {
    "create_flow": lambda place: lambda w: w.create_flow("Orders again"),
    "delete_flow": lambda place: (lambda flow: lambda w: w.delete_flow(flow))(place.draft),
    "apply_flow_operation": _operation,
    "save_trigger_event": lambda place: lambda w: w.save_trigger_event(place.flow, {"a": 1}),
    "test_trigger": _trigger_test(lambda w, body: w.test_trigger(body), "SIMULATION"),
    "cancel_test_trigger": _trigger_test(lambda w, body: w.cancel_test_trigger(body), "SIMULATION"),
    "test_step": _step_test,
    "test_draft": lambda place: lambda w: w.test_draft(place.flow, {}),
    "retry_run": _run_call(lambda w, run: w.retry_run(run, "FROM_FAILED_STEP"), "FAILED"),
    "retry_runs": _run_call(lambda w, run: w.retry_runs([run], "FROM_FAILED_STEP"), "FAILED"),
    "cancel_runs": _run_call(lambda w, run: w.cancel_runs([run]), "PAUSED"),
    "archive_runs": _run_call(lambda w, run: w.archive_runs([run]), "SUCCEEDED"),
    "create_folder": lambda place: lambda w: w.create_folder("Brand new"),
    "update_folder": _folder(lambda w, folder: w.update_folder(folder, "Renamed")),
    "delete_folder": _folder(lambda w, folder: w.delete_folder(folder)),
    "upsert_connection": lambda place: lambda w: w.upsert_connection(SECRET),
    "rename_connection": _connection(lambda w, key: w.rename_connection(key, "Renamed")),
    "delete_connection": _connection(lambda w, key: w.delete_connection(key)),
    "create_table": lambda place: lambda w: w.create_table("Stock"),
    "update_table": lambda place: (lambda table: lambda w: w.update_table(table, "Renamed"))(place.table),
    "delete_table": lambda place: (lambda table: lambda w: w.delete_table(table))(place.table),
    "clear_table": _clearing,
    "create_field": lambda place: (lambda table: lambda w: w.create_field(table, "sku"))(place.table),
    "update_field": _field_call(lambda w, field: w.update_field(field, "Renamed")),
    "delete_field": _field_call(lambda w, field: w.delete_field(field)),
    "create_records": _records,
    "update_record": _record_change,
    "delete_records": _record_deletion,
    "enable_mcp_tools": lambda place: lambda w: w.enable_mcp_tools(["ap_list_flows"]),
    "create_mcp_server": lambda place: lambda w: w.create_mcp_server({"name": "Tools"}),
    "update_mcp_server": _server(lambda w, server: w.update_mcp_server(server, {"name": "Renamed"})),
    "delete_mcp_server": _server(lambda w, server: w.delete_mcp_server(server)),
    "rotate_mcp_token": lambda place: (lambda server: lambda w: w.rotate_mcp_token(server))(
        place.workflows.list_mcp_servers()["data"][0]["id"]
    ),
    "delete_invitation": _invitation,
}
#: They leave nothing that can be read, so that nobody can say whether they were done.
UNREADABLE = {"test_trigger", "cancel_test_trigger", "test_step", "test_draft"}
#: The call waits for a run, so a late answer still arrives.
PATIENT = {"test_draft"}
#: Only the older engine has the routes.
OLDER = {"create_mcp_server", "update_mcp_server", "delete_mcp_server"}
RECORDED = {"statusCode": 400, "code": "FST_ERR_VALIDATION", "error": "Bad Request", "message": "body/ Invalid input"}
#: Answers by something between the console and the engine, or of a broken connection.
FAULTS: dict[str, tuple[str, Json]] = {
    **{
        f"{status} json": ("status", {"status": status})
        for status in (400, 401, 403, 404, 409, 410, 413, 422, 429, 500, 503)
    },
    **{f"{status} html": ("status", {"status": status, "body": "html"}) for status in (401, 404, 500, 502)},
    "404 route": ("status", {"status": 404, "body": "bare"}),
    "302": ("status", {"status": 302, "body": "empty", "headers": {"location": "https://sso.example/"}}),
    "reset": ("reset_after", {}),
    "body cut": ("truncated", {}),
    "no answer": ("delay", {"seconds": 1.0}),
}


def test_every_call_that_changes_something_is_declared_with_a_look() -> None:
    changing = ("self._post(", "self._post_object(", "self._delete(", "self._change_owned(", "self._delete_owned(")
    methods = {
        name: method for name, method in inspect.getmembers(Workflows, inspect.isfunction) if name not in vars(Calls)
    }
    sources = {name: inspect.getsource(method) for name, method in methods.items()}
    found = {name for name, source in sources.items() if any(call in source for call in changing)}
    assert found | {"test_draft"} == {*writes.OPERATIONS}
    assert {*CALLS} == {*writes.OPERATIONS}


@pytest.fixture
def place(practice: Practice) -> Any:
    close_pools()
    practice.engine.settings.version = "0.83.0"
    yield Place(practice, _client(practice))
    close_pools()


def _client(practice: Practice, **options: Any) -> Workflows:
    return Client(
        engine_url=practice.activepieces,
        auth=BearerToken(practice.credentials.bearer_token),
        project_id=practice.credentials.project_id,
        looks=True,
        safety=AddressSafety(allowed_networks=("127.0.0.0/8",)),
        timeouts=Timeouts(read=0.5, total=1.5, wait=0.01),
        **options,
    ).workflows


def _is_write(method: str, path: str) -> bool:
    return method in ("POST", "DELETE") and "/pieces/options" not in path


def answered_falsely(place: Place, name: str, fault: str, *, acted: bool) -> None:
    """Make the call under a fault, and compare what the client says with what the engine did."""
    if name in OLDER:
        place.practice.engine.settings.version = "0.72.4"
    call = CALLS[name](place)
    kind, more = FAULTS[fault]
    if not acted and kind in ("reset_after", "delay"):
        # Without an action there is nothing to wait for.
        kind, more = "reset_before", {}
    elif kind != "truncated" or not acted:
        more = more | {"act": acted}
    journal = place.practice.journal
    before = len(journal.all("POST")) + len(journal.all("DELETE"))
    for method in ("POST", "DELETE"):
        place.practice.engine.faults.add(kind, method, "*", times=1, **more)
    outcome = _outcome(place, call)
    assert len(journal.all("POST")) + len(journal.all("DELETE")) == before + 1, "it was sent once"
    if name in UNREADABLE:
        assert outcome is (Outcome.DONE if name in PATIENT and kind == "delay" else Outcome.UNCLEAR)
    else:
        assert outcome is (Outcome.DONE if acted else Outcome.NOT_DONE)


def _outcome(place: Place, call: Call) -> Outcome:
    """What the client says: at once, or by a later look of a process that knows only what is stored."""
    try:
        call(place.workflows)
    except Unknown as unclear:
        pending = unclear.write
    else:
        return Outcome.DONE
    place.practice.engine.faults.clear()
    assert pending is not None
    stored = json.loads(json.dumps(asdict(pending)))
    return writes.see(place.workflows, Write(**stored)).outcome


@pytest.mark.sampled(2)
@pytest.mark.parametrize("acted", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("name", sorted(CALLS))
def test_a_write_whose_answer_proves_nothing_is_looked_for(place: Place, name: str, acted: bool) -> None:
    names = sorted(FAULTS)
    answered_falsely(place, name, names[sorted(CALLS).index(name) * 7 % (len(names) - 1)], acted=acted)


def test_a_validation_error_in_the_recorded_form_proves_that_nothing_was_done(place: Place) -> None:
    with pytest.raises(Refused) as caught:
        place.workflows.apply_flow_operation(place.flow, {"type": "NO_SUCH_TYPE", "request": {}})
    assert not isinstance(caught.value, Unknown)


@pytest.mark.parametrize(
    "body",
    [
        {**RECORDED, "extra": 1},
        {**RECORDED, "message": "nothing"},
        {**RECORDED, "statusCode": 422},
        {"code": "FST_ERR_VALIDATION", "message": "body/ Invalid input"},
        {"code": "VALIDATION", "params": {"message": "Max records per table reached: 10000"}},
    ],
)
def test_anything_like_it_proves_nothing(body: Json) -> None:
    refusals = writes.OPERATIONS["apply_flow_operation"].refusals
    assert any(refusal.matches(400, RECORDED) for refusal in refusals)
    assert not any(refusal.matches(status, body) for refusal in refusals for status in (400, 409))


def test_a_late_engine_is_found_by_a_later_look(place: Place) -> None:
    call = CALLS["create_table"](place)
    place.practice.engine.faults.add("status", "POST", "/v1/tables", times=1, status=504, body="html", act=False)
    with pytest.raises(Unknown) as caught:
        call(place.workflows)
    pending = caught.value.write
    assert pending is not None
    assert writes.see(place.workflows, pending).outcome is Outcome.NOT_DONE
    late = {
        "name": "Stock",
        "externalId": pending.arguments["external_id"],
        "projectId": place.practice.credentials.project_id,
    }
    assert place.practice.call("POST", "/v1/tables", json=late).ok
    assert writes.see(place.workflows, pending).outcome is Outcome.DONE


def test_a_version_that_is_still_a_draft_was_not_locked(place: Place) -> None:
    flow, lock = place.draft, {"type": "LOCK_FLOW", "request": {}}
    place.practice.engine.faults.add("status", "POST", "/v1/flows/*", times=1, status=500, act=False)
    with pytest.raises(Unknown) as caught:
        place.workflows.apply_flow_operation(flow, lock)
    assert caught.value.write is not None
    assert writes.see(place.workflows, caught.value.write).outcome is Outcome.NOT_DONE
    place.practice.engine.faults.add("status", "POST", "/v1/flows/*", times=1, status=500, act=True)
    assert place.workflows.apply_flow_operation(flow, lock)["version"]["state"] == "LOCKED"


def test_a_new_flow_is_known_from_a_list_without_triggers() -> None:
    wanted = {"display_name": "New", "folder_id": ""}
    assert looks._see_created_flow({"version": {"displayName": "New"}}, wanted)
    assert not looks._see_created_flow({"version": {"displayName": "New", "trigger": {"type": "EVENT"}}}, wanted)


def test_a_step_as_it_was_sent_in_a_flow_that_somebody_else_changed_is_unclear(place: Place) -> None:
    flow, client = place.draft, place.workflows
    client.apply_flow_operation(flow, {"type": "ADD_ACTION", "request": {"parentStep": "trigger", "action": CODE}})
    place.practice.engine.faults.add("status", "POST", "/v1/flows/*", times=1, status=500, act=False)
    with pytest.raises(Unknown) as caught:
        client.apply_flow_operation(flow, {"type": "UPDATE_ACTION", "request": CODE})
    client.apply_flow_operation(flow, {"type": "CHANGE_NAME", "request": {"displayName": "By a colleague"}})
    assert caught.value.write is not None
    assert writes.see(client, caught.value.write).outcome is Outcome.UNCLEAR


def test_a_step_holds_an_update_if_it_has_all_that_was_sent_but_what_the_engine_sets() -> None:
    step = {"name": "step_1", "type": "CODE", "settings": {"input": {"a": 1}, "sampleData": {"fileId": "F"}}}
    flow = {"version": {"trigger": {"name": "trigger", "type": "EMPTY", "nextAction": step}}}
    sent = {"name": "step_1", "type": "CODE", "valid": False, "settings": {"input": {"a": 1}, "sampleData": {}}}
    assert looks._holds(flow, "UPDATE_ACTION", sent)
    assert not looks._holds(flow, "DELETE_ACTION", sent)
    assert not looks._holds(flow, "UPDATE_ACTION", sent | {"name": "step_2"})
    assert not looks._holds(flow, "UPDATE_ACTION", sent | {"settings": {"input": {"a": 2}}})
    samples = {"stepName": "step_1", "sampleDataSettings": {"fileId": "F"}}
    assert looks._holds(flow, "UPDATE_SAMPLE_DATA_INFO", samples)
    assert not looks._holds(flow, "UPDATE_SAMPLE_DATA_INFO", samples | {"sampleDataSettings": {"fileId": "G"}})


def test_tools_of_a_server_are_told_apart_by_flow_and_by_action() -> None:
    actions = [{"type": "PIECE", "pieceMetadata": {"pieceName": "x", "actionName": name}} for name in "ab"]
    tools = [*actions, {"type": "FLOW", "flowId": "F", "pieceMetadata": None}, "odd"]
    assert len(set(looks._tool_keys(tools))) == 3


def test_records_that_another_writer_may_have_made_are_unclear(place: Place) -> None:
    table = place.table
    field = place.field(table)
    place.practice.engine.faults.add("status", "POST", "/v1/records", times=1, status=500, act=False)
    with pytest.raises(Unknown) as caught:
        place.workflows.create_records(table, [{field: "b"}])
    place.workflows.create_records(table, [{field: "other"}])
    assert caught.value.write is not None
    assert writes.see(place.workflows, caught.value.write).outcome is Outcome.UNCLEAR


def test_a_colleagues_table_of_the_same_name_is_not_taken_for_the_one_that_was_sent(place: Place) -> None:
    place.practice.engine.faults.add("status", "POST", "/v1/tables", times=1, status=500, act=False)
    with pytest.raises(Unknown) as caught:
        place.workflows.create_table("Stock")
    place.workflows.create_table("Stock")
    assert caught.value.write is not None
    assert writes.see(place.workflows, caught.value.write).outcome is Outcome.UNCLEAR


@pytest.mark.parametrize(
    ("now", "outcome"),
    [({}, Outcome.NOT_DONE), ({"updated": "2031-01-01T00:00:00.000Z"}, Outcome.UNCLEAR)],
    ids=["as before", "renewed"],
)
def test_a_connection_that_only_got_another_time_may_have_been_renewed_by_the_engine(
    place: Place, now: Json, outcome: Outcome
) -> None:
    row = place.workflows.upsert_connection(SECRET)
    place.practice.engine.faults.add("status", "POST", "/v1/app-connections", times=1, status=500, act=False)
    with pytest.raises(Unknown) as caught:
        place.workflows.upsert_connection(SECRET)
    assert caught.value.write is not None
    place.practice.engine.state.connections[row["id"]] |= now
    assert writes.see(place.workflows, caught.value.write).outcome is outcome


def test_a_connection_that_is_in_no_list_any_more_was_deleted(place: Place) -> None:
    row = place.workflows.upsert_connection(SECRET)
    place.practice.engine.faults.add("status", "DELETE", "/v1/app-connections/*", times=1, status=500, act=True)
    place.workflows.delete_connection(row["id"])
    assert row["id"] not in {found["id"] for found in place.workflows.list_connections()["data"]}


def test_a_connection_that_got_the_sent_name_was_stored(place: Place) -> None:
    place.workflows.upsert_connection(SECRET)
    place.practice.engine.faults.add("status", "POST", "/v1/app-connections", times=1, status=500, act=True)
    stored = place.workflows.upsert_connection(SECRET | {"displayName": "Warehouse 2"})
    assert stored["displayName"] == "Warehouse 2"


def test_a_record_is_added_to_a_table_that_is_too_large_to_be_read(place: Place) -> None:
    table = place.table
    field = place.field(table)
    place.workflows.create_records(table, [{field: "a" * 2000} for _row in range(50)])
    small = _client(place.practice, largest_answer=50_000)
    [added] = small.create_records(table, [{field: "b"}])
    place.practice.engine.faults.add("status", "POST", "/v1/records", times=1, status=500, act=False)
    with pytest.raises(Unknown) as caught:
        small.create_records(table, [{field: "b"}])
    assert caught.value.write is not None
    place.workflows.delete_records([added["id"]], table_id=table)
    assert writes.see(place.workflows, caught.value.write).outcome is Outcome.UNCLEAR


@pytest.mark.parametrize("acted", [False, True], ids=["before", "after"])
def test_a_table_that_is_too_large_to_be_read_is_cleared_and_looked_at(place: Place, acted: bool) -> None:
    table = place.table
    field = place.field(table)
    place.workflows.create_records(table, [{field: "a" * 2000} for _row in range(50)])
    place.workflows = _client(place.practice, largest_answer=50_000)
    place.practice.engine.faults.add("status", "POST", "*/clear", times=1, status=500, act=acted)
    assert _outcome(place, lambda w: w.clear_table(table)) is (Outcome.DONE if acted else Outcome.NOT_DONE)
    place.workflows.clear_table(table)
    assert not place.workflows.list_records(table)["data"]


@pytest.mark.parametrize("odd", [{}, []])
def test_a_look_at_a_malformed_list_proves_nothing(place: Place, odd: Any) -> None:
    call = _records(place)
    place.practice.engine.faults.add("status", "POST", "*/records", status=503, act=False, times=1)
    with pytest.raises(Unknown) as caught:
        call(place.workflows)
    place.practice.engine.faults.clear()
    for row in place.practice.engine.state.records.values():
        row["id"] = odd
    assert caught.value.write is not None
    with pytest.raises(EngineError):
        writes.see(place.workflows, caught.value.write)


@pytest.mark.parametrize("odd", [5, True], ids=["number", "boolean"])
def test_a_write_is_not_sent_if_what_a_look_compares_with_cannot_be_read(place: Place, odd: Any) -> None:
    place.workflows.list_mcp_servers()
    for row in place.practice.engine.state.mcp_own_servers.values():
        row["enabledTools"] = odd
    posts = len(place.practice.journal.all("POST"))
    with pytest.raises(Unavailable):
        place.workflows.enable_mcp_tools(["ap_list_flows"])
    assert len(place.practice.journal.all("POST")) == posts
