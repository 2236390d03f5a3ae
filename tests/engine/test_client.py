"""The door: addresses, flavours, credentials, and the operations beyond the vendor's SDK."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qsl

import pytest

from workflows_ui.engine import (
    ENVIRONMENTS,
    AccessToken,
    ApiKey,
    BearerToken,
    Client,
    Credential,
    NotFound,
    Unavailable,
    Workflows,
)
from workflows_ui.engine.operations.sign_in import SignIn

from . import servers
from .servers import FLOW, LOOPBACK, Recorder, Reply, Seen

PROJECT = "P" * 21
JWT = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1XzEifQ.c2ln"


def _answer(seen: Seen) -> Reply:
    if seen.method == "DELETE":
        return Reply(204)
    if seen.path.endswith(("/fields", "/pieces")) and seen.method == "GET":
        return Reply(200, [{"id": "F"}])
    if seen.path.endswith("/count"):
        return Reply(200, 11)
    return Reply(200, {"id": PROJECT, "data": [{"id": "A"}], "next": None, "previous": None})


@pytest.fixture
def server() -> Iterator[Recorder]:
    with Recorder(answer=_answer) as recorder:
        yield recorder


@pytest.fixture
def workflows(server: Recorder) -> Workflows:
    return servers.client(server.url).workflows


def _query(seen: Seen) -> list[tuple[str, str]]:
    return parse_qsl(seen.query, keep_blank_values=True)


def test_environments_are_the_vendors() -> None:
    import imbrace.environments

    assert {name: preset.gateway for name, preset in imbrace.environments.ENVIRONMENTS.items()} == ENVIRONMENTS


@pytest.mark.parametrize("name", sorted(ENVIRONMENTS))
def test_an_environment_is_an_imbrace_gateway(name: str) -> None:
    client = Client(env=name, auth=ApiKey("api_1"))
    assert client.flavour == "imbrace"
    assert ENVIRONMENTS[name] in repr(client)
    assert "api_1" not in repr(client)


@pytest.mark.parametrize("places", [{}, {"env": "stable", "gateway": "https://x.example"}, {"env": "moon"}])
def test_exactly_one_known_address_is_needed(places: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        Client(**places, auth=ApiKey("api_1"))


@pytest.mark.parametrize(
    ("auth", "headers"),
    [
        (ApiKey("api_1"), {"x-api-key": "api_1"}),
        (AccessToken("acc_1"), {"x-access-token": "acc_1"}),
        (AccessToken("acc_1", "org_1"), {"x-access-token": "acc_1", "x-organization-id": "org_1"}),
        (AccessToken(JWT, "org_1"), {"authorization": f"Bearer {JWT}", "x-organization-id": "org_1"}),
        (AccessToken(JWT), {"x-access-token": JWT}),
        (AccessToken("eyJ.two", "org_1"), {"x-access-token": "eyJ.two", "x-organization-id": "org_1"}),
        (AccessToken(" acc_1\n", ""), {"x-access-token": "acc_1"}),
        (BearerToken("sk-1"), {"authorization": "Bearer sk-1"}),
    ],
)
def test_each_credential_becomes_its_headers_and_is_not_shown(auth: Credential, headers: dict[str, str]) -> None:
    assert auth.headers() == headers
    (secret,) = auth.secrets()
    assert secret in "".join(headers.values())
    assert secret not in f"{auth!r} {auth}"


@pytest.mark.parametrize("secret", ["", "  ", "a b", "a\nb", "a\r\nx-y: z", "schlüssel", "a\x00b"])
def test_a_secret_that_no_header_can_carry_is_refused(secret: str) -> None:
    for kind in (ApiKey, AccessToken, BearerToken):
        with pytest.raises(ValueError) as caught:
            kind(secret)
        assert not secret.strip() or secret not in str(caught.value)


def test_credentials_are_frozen_and_compare_by_value() -> None:
    assert ApiKey("a") == ApiKey(" a ")
    assert ApiKey("a") != ApiKey("b")
    with pytest.raises(AttributeError):
        ApiKey("a").key = "b"  # type: ignore[misc]


Call = Callable[[Workflows], Any]
NOT_IN_SDK: list[tuple[Call, str, str, list[tuple[str, str]], Any]] = [
    (
        lambda w: w.count_flows("F", ["ENABLED"]),
        "GET",
        "/v1/flows/count",
        [("folderId", "F"), ("status", "ENABLED"), ("projectId", PROJECT)],
        None,
    ),
    (lambda w: w.get_flow(FLOW, "V"), "GET", f"/v1/flows/{FLOW}", [("versionId", "V")], None),
    (lambda w: w.list_flow_versions(FLOW), "GET", f"/v1/flows/{FLOW}/versions", [("limit", "10")], None),
    (lambda w: w.get_flow_template(FLOW), "GET", f"/v1/flows/{FLOW}/template", [], None),
    (
        lambda w: w.list_trigger_events(FLOW),
        "GET",
        "/v1/trigger-events",
        [("flowId", FLOW), ("limit", "10"), ("projectId", PROJECT)],
        None,
    ),
    (
        lambda w: w.save_trigger_event(FLOW, {"a": 1}),
        "POST",
        "/v1/trigger-events",
        [],
        {"flowId": FLOW, "mockData": {"a": 1}, "projectId": PROJECT},
    ),
    (
        lambda w: w.cancel_test_trigger({"flowId": FLOW}),
        "DELETE",
        "/v1/test-trigger",
        [],
        {"flowId": FLOW, "projectId": PROJECT},
    ),
    (
        lambda w: w.retry_run("R", "FROM_FAILED_STEP"),
        "POST",
        "/v1/flow-runs/R/retry",
        [],
        {"strategy": "FROM_FAILED_STEP", "projectId": PROJECT},
    ),
    (
        lambda w: w.retry_runs(["R"], "ON_LATEST_VERSION"),
        "POST",
        "/v1/flow-runs/retry",
        [],
        {"strategy": "ON_LATEST_VERSION", "projectId": PROJECT, "flowRunIds": ["R"]},
    ),
    (
        lambda w: w.cancel_runs(("R", "S")),
        "POST",
        "/v1/flow-runs/cancel",
        [],
        {"projectId": PROJECT, "flowRunIds": ["R", "S"]},
    ),
    (
        lambda w: w.archive_runs(iter(["R"])),
        "POST",
        "/v1/flow-runs/archive",
        [],
        {"projectId": PROJECT, "flowRunIds": ["R"]},
    ),
    (lambda w: w.rename_connection("C", "New"), "POST", "/v1/app-connections/C", [], {"displayName": "New"}),
    (
        lambda w: w.get_piece("@activepieces/piece-http", "0.1.0"),
        "GET",
        "/v1/pieces/@activepieces/piece-http",
        [("version", "0.1.0")],
        None,
    ),
    (lambda w: w.create_table("T"), "POST", "/v1/tables", [], {"name": "T", "projectId": PROJECT}),
    (lambda w: w.update_table("T", "U"), "POST", "/v1/tables/T", [], {"name": "U"}),
    (lambda w: w.delete_table("T"), "DELETE", "/v1/tables/T", [], None),
    (lambda w: w.clear_table("T"), "POST", "/v1/tables/T/clear", [], {}),
    (lambda w: w.export_table("T"), "GET", "/v1/tables/T/export", [], None),
    (lambda w: w.list_fields("T"), "GET", "/v1/fields", [("tableId", "T")], None),
    (lambda w: w.get_field("F"), "GET", "/v1/fields/F", [], None),
    (
        lambda w: w.create_field("T", "state", "STATIC_DROPDOWN", options=["new"]),
        "POST",
        "/v1/fields",
        [],
        {"tableId": "T", "name": "state", "type": "STATIC_DROPDOWN", "data": {"options": [{"value": "new"}]}},
    ),
    (lambda w: w.update_field("F", "n"), "POST", "/v1/fields/F", [], {"name": "n"}),
    (lambda w: w.delete_field("F"), "DELETE", "/v1/fields/F", [], None),
    (
        lambda w: w.list_records(
            "T", 5, filters=[{"fieldId": "F", "operator": "eq", "value": "paid"}, {"fieldId": "G", "value": "x"}]
        ),
        "GET",
        "/v1/records",
        [
            ("tableId", "T"),
            ("limit", "5"),
            ("projectId", PROJECT),
            ("filters[0][fieldId]", "F"),
            ("filters[0][operator]", "eq"),
            ("filters[0][value]", "paid"),
            ("filters[1][fieldId]", "G"),
            ("filters[1][operator]", "eq"),
            ("filters[1][value]", "x"),
        ],
        None,
    ),
    (lambda w: w.get_record("R"), "GET", "/v1/records/R", [], None),
    (
        lambda w: w.create_records("T", [{"F": 5, "G": None}]),
        "POST",
        "/v1/records",
        [],
        {"tableId": "T", "records": [[{"fieldId": "F", "value": "5"}]]},
    ),
    (
        lambda w: w.update_record("R", "T", {"F": "x"}),
        "POST",
        "/v1/records/R",
        [],
        {"tableId": "T", "cells": [{"fieldId": "F", "value": "x"}]},
    ),
    (lambda w: w.delete_records(["R"]), "DELETE", "/v1/records", [], {"ids": ["R"]}),
    (
        lambda w: w.delete_records(["R"], table_id="T"),
        "DELETE",
        "/v1/records",
        [],
        {"tableId": "T", "ids": ["R"]},
    ),
    (lambda w: w.get_current_project(), "GET", f"/v1/projects/{PROJECT}", [], None),
    (lambda w: w.get_current_user(), "GET", "/v1/users/me", [], None),
    (lambda w: w.list_projects(), "GET", "/v1/projects", [("limit", "100")], None),
    (lambda w: w.get_user("U" * 21), "GET", f"/v1/users/{'U' * 21}", [], None),
    (lambda w: w.list_users(), "GET", "/v1/users", [("limit", "100")], None),
    (
        lambda w: w.get_sample_data(FLOW, "V", "step_1"),
        "GET",
        "/v1/sample-data",
        [
            ("flowId", FLOW),
            ("flowVersionId", "V"),
            ("stepName", "step_1"),
            ("type", "OUTPUT"),
            ("projectId", PROJECT),
        ],
        None,
    ),
    (
        lambda w: w.test_step(FLOW, "V", "step_1"),
        "POST",
        "/v1/sample-data/test-step",
        [],
        {"projectId": PROJECT, "flowVersionId": "V", "stepName": "step_1"},
    ),
    (lambda w: w.get_flags(), "GET", "/v1/flags", [], None),
    (
        lambda w: w.list_mcp_servers(name="n", limit=3),
        "GET",
        f"/v1/projects/{PROJECT}/mcp-server",
        [],
        None,
    ),
    (
        lambda w: w.enable_mcp_tools(["ap_list_flows"]),
        "POST",
        f"/v1/projects/{PROJECT}/mcp-server",
        [],
        {"enabledTools": ["ap_list_flows"]},
    ),
    (
        lambda w: w.list_connections(status=["ACTIVE", "ERROR"], display_name="x"),
        "GET",
        "/v1/app-connections",
        [("limit", "10"), ("projectId", PROJECT), ("displayName", "x"), ("status", "ACTIVE"), ("status", "ERROR")],
        None,
    ),
    (
        lambda w: w.list_flows(
            status=["ENABLED", "DISABLED"], name="a b", tags=["x"], version_state="LOCKED", connection_external_ids="c"
        ),
        "GET",
        "/v1/flows",
        [
            ("limit", "10"),
            ("projectId", PROJECT),
            ("status", "ENABLED"),
            ("status", "DISABLED"),
            ("name", "a b"),
            ("versionState", "LOCKED"),
            ("connectionExternalIds", "c"),
            ("tags", "x"),
        ],
        None,
    ),
    (
        lambda w: w.count_runs(created_after="2030-01-01T00:00:00Z", created_before="2030-01-02T00:00:00Z"),
        "GET",
        "/v1/flow-runs/count-by-status",
        [
            ("projectId", PROJECT),
            ("createdAfter", "2030-01-01T00:00:00Z"),
            ("createdBefore", "2030-01-02T00:00:00Z"),
        ],
        None,
    ),
    (
        lambda w: w.list_runs(
            100,
            flow_id=["A", "B"],
            status=("FAILED", "PAUSED"),
            created_after=datetime(2026, 11, 24, 7, 0, 0, 1000, tzinfo=timezone(timedelta(hours=7))),
            created_before="2030-01-01T00:00:00Z",
            failed_step_name="step_1",
            flow_run_ids=["R"],
            archived=True,
            tags="t",
        ),
        "GET",
        "/v1/flow-runs",
        [
            ("limit", "100"),
            ("flowId", "A"),
            ("flowId", "B"),
            ("flowRunIds", "R"),
            ("status", "FAILED"),
            ("status", "PAUSED"),
            ("projectId", PROJECT),
            ("tags", "t"),
            ("createdAfter", "2026-11-24T00:00:00.001Z"),
            ("createdBefore", "2030-01-01T00:00:00Z"),
            ("failedStepName", "step_1"),
            ("archived", "true"),
            ("includeArchived", "true"),
        ],
        None,
    ),
    (
        lambda w: w.piece_options(
            piece_name="p",
            piece_version="1",
            action_or_trigger_name="a",
            property_name="x",
            flow_id="F",
            flow_version_id="V",
        ),
        "POST",
        "/v1/pieces/options",
        [],
        {
            "projectId": PROJECT,
            "pieceName": "p",
            "pieceVersion": "1",
            "actionOrTriggerName": "a",
            "propertyName": "x",
            "flowId": "F",
            "flowVersionId": "V",
            "input": {},
        },
    ),
]


@pytest.mark.parametrize(
    ("call", "method", "path", "query", "body"), NOT_IN_SDK, ids=[entry[2] for entry in NOT_IN_SDK]
)
def test_what_the_engine_has_beyond_the_sdk_goes_out_as_it_wants_it(
    call: Call, method: str, path: str, query: list[tuple[str, str]], body: Any, server: Recorder, workflows: Workflows
) -> None:
    call(workflows)
    (seen,) = server.seen
    assert (seen.method, seen.path, _query(seen), seen.json) == (method, f"/api{path}", query, body)
    assert seen.headers["authorization"] == "Bearer t0p-secret"
    assert seen.headers.get("content-type") == (None if body is None else "application/json")


def test_every_method_is_called_by_some_test() -> None:
    from .test_vendor_sdk import OURS, SDK

    called = {name for call, *_ in NOT_IN_SDK for name in call.__code__.co_names}
    # Sign-ins are tried in tests/credentials/test_kinds.py, on both flavours of the practice engine.
    sign_ins = {name for name in vars(SignIn) if not name.startswith("_")}
    # Drafts are tested in tests/flow_editing.
    assert set(OURS) - set(SDK) - called == {"send_trigger", "test_draft", "get_account"} | sign_ins


def test_a_known_project_goes_with_the_calls_that_take_one(server: Recorder, workflows: Workflows) -> None:
    calls: list[Call] = [
        lambda w: w.list_flows(),
        lambda w: w.create_flow("x"),
        lambda w: w.list_runs(),
        lambda w: w.list_folders(),
        lambda w: w.create_folder("x"),
        lambda w: w.list_connections(),
        lambda w: w.upsert_connection({"externalId": "x"}),
        lambda w: w.list_tables(),
        lambda w: w.list_records("T"),
        lambda w: w.test_trigger({"flowId": "F"}),
        lambda w: w.list_invitations("PROJECT"),
        lambda w: w.create_mcp_server({"name": "x"}),
    ]
    for call in calls:
        call(workflows)
    assert len(server.seen) == len(calls)
    for seen in server.seen:
        assert (seen.json["projectId"] if seen.method == "POST" else dict(_query(seen))["projectId"]) == PROJECT
    server.seen.clear()
    workflows.list_flows(project_id="Q")
    workflows.list_invitations("PLATFORM")
    assert [dict(_query(seen)).get("projectId") for seen in server.seen] == ["Q", None]


def test_activepieces_is_asked_for_the_project_once_where_it_is_needed_and_not_known(server: Recorder) -> None:
    workflows = servers.client(server.url, project_id=None).workflows
    workflows.list_flows()
    workflows.list_runs()
    workflows.list_tables()
    assert [seen.path.rsplit("/", 1)[1] for seen in server.seen] == ["projects", "flows", "flow-runs", "tables"]
    assert all(dict(_query(seen)).get("projectId") == "A" for seen in server.seen[1:])


def test_imbrace_is_not_asked_for_the_project(server: Recorder) -> None:
    workflows = Client(gateway=server.url, auth=ApiKey("api_1"), safety=LOOPBACK).workflows
    workflows.list_flows()
    assert [(seen.path, dict(_query(seen))) for seen in server.seen] == [("/activepieces/v1/flows", {"limit": "10"})]


def test_a_project_that_nobody_names_is_not_found() -> None:
    with Recorder(Reply(200, {"data": []})) as server:
        imbrace = Client(gateway=server.url, auth=ApiKey("api_1"), safety=LOOPBACK).workflows
        with pytest.raises(NotFound, match="project"):
            imbrace.resolve_project_id()
        with pytest.raises(NotFound, match="project"):
            servers.client(server.url, project_id=None).workflows.resolve_project_id()


def test_what_only_a_gateway_has_is_not_found_on_activepieces_without_a_call(
    server: Recorder, workflows: Workflows
) -> None:
    for call in (workflows.get_account, workflows.list_channel_automation):
        with pytest.raises(NotFound) as caught:
            call()
        assert (caught.value.code, caught.value.sent) == ("NOT_ON_THIS_ENGINE", False)
    assert server.seen == []


def test_the_account_is_asked_of_the_gateways_platform(server: Recorder) -> None:
    workflows = Client(gateway=f"{server.url}/", auth=AccessToken("acc_1"), safety=LOOPBACK).workflows
    assert workflows.get_account()["id"] == PROJECT
    assert server.seen[0].path == "/platform/v1/account"


@pytest.mark.parametrize("name", ["", "/", "a//b", "../x", "@a/..", "a/./b", "@activepieces/"])
def test_a_piece_name_cannot_name_another_route(name: str, server: Recorder, workflows: Workflows) -> None:
    with pytest.raises(ValueError, match="not an id"):
        workflows.get_piece(name)
    assert server.seen == []


def test_a_time_without_a_zone_is_refused(workflows: Workflows) -> None:
    with pytest.raises(ValueError, match="time zone"):
        workflows.list_runs(created_after=datetime(2026, 11, 24))  # noqa: DTZ001
    assert datetime(2026, 11, 24, tzinfo=UTC).tzinfo is UTC


def test_options_of_a_piece_are_a_read_and_tried_again() -> None:
    with Recorder(Reply(503, {}), Reply(200, {"type": "DROPDOWN", "options": {}})) as server:
        workflows = servers.client(server.url, sleep=lambda seconds: None).workflows
        found = workflows.piece_options(
            piece_name="p",
            piece_version="1",
            action_or_trigger_name="a",
            property_name="x",
            flow_id="F",
            flow_version_id="V",
        )
    assert found["type"] == "DROPDOWN"
    assert [seen.method for seen in server.seen] == ["POST", "POST"]


def test_a_count_is_a_number() -> None:
    with Recorder(Reply(200, True)) as server, pytest.raises(Unavailable, match="shape"):
        servers.client(server.url).workflows.count_flows()
