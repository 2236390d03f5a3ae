"""Our client against the vendor's own Python SDK 1.3.1: for each shared method and credential, the same request goes out.

Wanted differences are in `WANTED`, each with its reason and a test of its own below.
"""

import contextlib
import inspect
from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import Any
from urllib.parse import parse_qsl

import imbrace
import imbrace.http
import pytest
from imbrace.resources.workflows import WorkflowsResource

from workflows_ui.engine import AccessToken, ApiKey, Client, CredentialRefused, EngineError, Unavailable, Workflows

from .servers import LOOPBACK, WEBHOOK_ID, Recorder, Reply, Seen

JWT = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1XzEifQ.c2ln"
ID = "C3y6vfzZDDmHq2zRjXZy3"
SENT_HEADERS = ("x-api-key", "authorization", "x-access-token", "x-organization-id", "content-type")

CREDENTIALS: dict[str, tuple[dict[str, str], Any]] = {
    "an API key": ({"api_key": "api_1"}, ApiKey("api_1")),
    "an API key beside an organization": ({"api_key": "api_1", "organization_id": "org_1"}, ApiKey("api_1")),
    "an opaque token": ({"access_token": "acc_1"}, AccessToken("acc_1")),
    "an opaque token with an organization": (
        {"access_token": "acc_1", "organization_id": "org_1"},
        AccessToken("acc_1", "org_1"),
    ),
    "a JWT with an organization": ({"access_token": JWT, "organization_id": "org_1"}, AccessToken(JWT, "org_1")),
    "a JWT without an organization": ({"access_token": JWT}, AccessToken(JWT)),
}

BODY: dict[str, Any] = {"name": "Ümlaut / slash", "list": [1, 2.5, None, True], "deep": {"a": ""}}
CALLS: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("list_channel_automation", (), {}),
    ("list_channel_automation", ("web",), {}),
    ("list_channel_automation", ("",), {}),
    ("list_flows", (), {}),
    (
        "list_flows",
        (),
        {"limit": 100, "cursor": "bmV4dF9Z==", "project_id": ID, "folder_id": "NULL", "status": "ENABLED"},
    ),
    ("get_flow", (ID,), {}),
    ("create_flow", ("New / flow ü", ID), {}),
    ("create_flow", (), {"display_name": "x", "project_id": ID}),
    ("delete_flow", (ID,), {}),
    ("apply_flow_operation", (ID, {"type": "CHANGE_NAME", "request": {"displayName": "x"}}), {}),
    ("trigger_flow", (ID,), {}),
    ("trigger_flow", (ID, BODY), {}),
    ("trigger_flow", (ID,), {"payload": {}}),
    ("trigger_flow_sync", (ID,), {}),
    ("trigger_flow_sync", (ID, BODY), {}),
    ("list_runs", (), {}),
    ("list_runs", (), {"limit": 5, "cursor": "x y&z", "flow_id": ID, "status": "FAILED", "project_id": ID}),
    ("get_run", (ID,), {}),
    ("list_folders", (), {}),
    ("list_folders", (50, "c"), {}),
    ("get_folder", (ID,), {}),
    ("create_folder", ("Ops", ID), {}),
    ("update_folder", (ID, "Operations"), {}),
    ("delete_folder", (ID,), {}),
    ("list_connections", (), {}),
    ("list_connections", (7, "c", ID, "@activepieces/piece-http"), {}),
    ("get_connection", (ID,), {}),
    ("upsert_connection", ({"externalId": "k", "type": "SECRET_TEXT", "value": {"type": "SECRET_TEXT"}},), {}),
    ("upsert_connection", ({"externalId": "k", "projectId": ID},), {}),
    ("delete_connection", (ID,), {}),
    ("list_pieces", (), {}),
    ("list_pieces", (3,), {}),
    ("get_trigger_run_status", (), {}),
    ("test_trigger", ({"flowId": ID, "flowVersionId": ID, "testStrategy": "SIMULATION"},), {}),
    ("list_tables", (), {}),
    ("list_tables", (2, "c"), {}),
    ("get_table", (ID,), {}),
    ("list_records", (ID,), {}),
    ("list_records", (ID, 1500, "c"), {}),
    ("resolve_project_id", (), {}),
    ("list_mcp_servers", (), {}),
    ("list_mcp_servers", (ID,), {}),
    ("get_mcp_server", (ID,), {}),
    ("create_mcp_server", ({"name": "n"},), {}),
    ("create_mcp_server", ({"name": "n", "projectId": ID},), {}),
    ("update_mcp_server", (ID, {"name": "n", "tools": []}), {}),
    ("delete_mcp_server", (ID,), {}),
    ("rotate_mcp_token", (ID,), {}),
    ("list_invitations", ("PROJECT",), {}),
    ("list_invitations", ("PLATFORM", 3, "c", ID), {}),
    ("delete_invitation", (ID,), {}),
]

WANTED = {
    "create_flow": "project_id may be left out: Imbrace takes the caller's own, Activepieces is asked for it",
    "create_folder": "as create_flow",
    "a POST that meets 429 or 503": "the SDK sends it up to four times, and a flow could start as often; we send it once",
    "ids in paths": "the SDK puts them in as they are, so an id could name another route; we quote them",
    "list_channel_automation on 404": "the SDK knows the new route only; older gateways have the old one",
    "an answer of a waiting flow that is no JSON or no success": "the SDK raises; for us it is the flow's answer",
    "a project that cannot be resolved": "the SDK hides a refused credential behind a look for flows; we say it",
}


def _answer(seen: Seen) -> Reply:
    """A success of the kind that each route has."""
    if seen.method == "DELETE":
        return Reply(204)
    if "/webhooks/" in seen.path:
        return Reply(200, {}, (("x-webhook-id", WEBHOOK_ID),))
    if seen.path.endswith("/v1/pieces"):
        return Reply(200, [{"name": "p"}])
    return Reply(200, {"id": "P" * 21, "data": [{"id": ID}], "next": None, "previous": None})


def _methods(kind: type) -> dict[str, inspect.Signature]:
    found = inspect.getmembers(kind, inspect.isfunction)
    return {name: inspect.signature(function) for name, function in found if not name.startswith("_")}


SDK = _methods(WorkflowsResource)
OURS = _methods(Workflows)


@pytest.fixture
def server() -> Iterator[Recorder]:
    with Recorder(answer=_answer) as recorder:
        yield recorder


@contextlib.contextmanager
def sdk(server: Recorder, **credential: str) -> Iterator[Any]:
    """The vendor's `client.workflows`; with an API key where no credential is given."""
    vendor = imbrace.ImbraceClient(gateway=server.url, **(credential or {"api_key": "api_1"}))
    try:
        yield vendor.workflows
    finally:
        vendor.close()


def ours(server: Recorder, auth: Any, **options: Any) -> Workflows:
    return Client(gateway=server.url, auth=auth, safety=LOOPBACK, **options).workflows


def _compared(seen: Seen) -> dict[str, Any]:
    return {
        "method": seen.method,
        "path": seen.path,
        "query": sorted(parse_qsl(seen.query, keep_blank_values=True)),
        "body": seen.json,
        "headers": {name: seen.headers.get(name) for name in SENT_HEADERS},
    }


def test_the_installed_sdk_is_the_one_that_the_console_follows() -> None:
    assert version("imbrace") == "1.3.1"


def test_every_method_of_the_sdk_is_ours_too_and_is_compared() -> None:
    assert set(SDK) - set(OURS) == set()
    assert {name for name, _, _ in CALLS} == set(SDK)


@pytest.mark.parametrize("name", sorted(SDK))
def test_a_shared_method_takes_what_the_sdks_takes_in_the_same_order(name: str) -> None:
    theirs, mine = SDK[name].parameters, OURS[name].parameters
    assert list(mine)[: len(theirs)] == list(theirs)
    for parameter in theirs.values():
        same = mine[parameter.name]
        assert same.kind == parameter.kind
        if same.default != parameter.default:
            assert (name, parameter.name) in {("create_flow", "project_id"), ("create_folder", "project_id")}
            assert name in WANTED
    beyond = list(mine.values())[len(theirs) :]
    assert all(parameter.default is not inspect.Parameter.empty for parameter in beyond)


@pytest.mark.parametrize("credential", CREDENTIALS)
@pytest.mark.parametrize(("name", "args", "kwargs"), CALLS, ids=lambda value: value if isinstance(value, str) else "")
@pytest.mark.sampled(4)
def test_the_same_request_goes_out_and_the_same_value_comes_back(
    name: str, args: tuple[Any, ...], kwargs: dict[str, Any], credential: str, server: Recorder
) -> None:
    options, auth = CREDENTIALS[credential]
    with sdk(server, **options) as vendor:
        expected = getattr(vendor, name)(*args, **kwargs)
    theirs = [_compared(seen) for seen in server.seen]
    server.seen.clear()
    value = getattr(ours(server, auth), name)(*args, **kwargs)
    assert [_compared(seen) for seen in server.seen] == theirs
    assert theirs, "the SDK sent nothing"
    assert value == expected


def test_a_known_project_is_not_asked_for(server: Recorder) -> None:
    workflows = ours(server, ApiKey("api_1"), project_id=ID)
    assert workflows.resolve_project_id() == ID
    assert server.seen == []


def test_a_resolved_project_is_asked_for_once_by_both(server: Recorder) -> None:
    with sdk(server) as vendor:
        for workflows in (vendor, ours(server, ApiKey("api_1"))):
            server.seen.clear()
            workflows.list_mcp_servers()
            workflows.list_mcp_servers()
            assert [seen.path.rsplit("/", 1)[1] for seen in server.seen] == ["current", "mcp-servers", "mcp-servers"]


def test_an_older_engine_shows_its_project_by_its_first_flow_to_both() -> None:
    def answer(seen: Seen) -> Reply:
        if seen.path.endswith("/current"):
            return Reply(404, {"statusCode": 404, "error": "Not Found", "message": "x"})
        return Reply(200, {"data": [{"projectId": ID}]})

    with Recorder(answer=answer) as server, sdk(server) as vendor:
        assert vendor.resolve_project_id() == ID
        theirs = [_compared(seen) for seen in server.seen]
        server.seen.clear()
        assert ours(server, ApiKey("api_1")).resolve_project_id() == ID
        assert [_compared(seen) for seen in server.seen] == theirs


@pytest.mark.parametrize("status", [429, 503])
def test_a_post_that_meets_a_busy_engine_is_sent_four_times_by_the_sdk_and_once_by_us(
    status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "a POST that meets 429 or 503" in WANTED
    monkeypatch.setattr(imbrace.http.time, "sleep", lambda seconds: None)
    posts: list[Callable[[Any], Any]] = [lambda w: w.trigger_flow(ID, {}), lambda w: w.create_folder("x", ID)]
    for post in posts:
        with Recorder(Reply(status, {})) as server, sdk(server) as vendor:
            with pytest.raises(imbrace.ApiError, match=str(status)):
                post(vendor)
            assert len(server.seen) == 4
            server.seen.clear()
            with pytest.raises(EngineError) as caught:
                post(ours(server, ApiKey("api_1")))
            assert len(server.seen) == 1
            assert caught.value.status == status


def test_an_id_cannot_name_another_route_with_us(server: Recorder) -> None:
    assert "ids in paths" in WANTED
    with sdk(server) as vendor:
        vendor.get_flow("a/../b?c=d")
    assert server.seen.pop().path == "/activepieces/v1/flows/b"
    workflows = ours(server, ApiKey("api_1"))
    workflows.get_flow("a/../b?c=d")
    assert (server.seen[0].path, server.seen[0].query) == ("/activepieces/v1/flows/a%2F..%2Fb%3Fc%3Dd", "")
    for bad in ("", " ", ".", ".."):
        with pytest.raises(ValueError, match="not an id"):
            workflows.delete_flow(bad)
    assert len(server.seen) == 1


def test_channel_automation_falls_back_to_the_old_route_on_404() -> None:
    assert "list_channel_automation on 404" in WANTED
    item = {"id": "1", "name": "Greeting"}

    def answer(seen: Seen) -> Reply:
        return Reply(404, {"message": "x"}) if "channel-service" in seen.path else Reply(200, {"data": [item]})

    with Recorder(answer=answer) as server, sdk(server) as vendor:
        with pytest.raises(imbrace.ApiError, match="404"):
            vendor.list_channel_automation("web")
        server.seen.clear()
        assert ours(server, ApiKey("api_1")).list_channel_automation("web") == {"data": [item]}
    assert [(seen.path, seen.query) for seen in server.seen] == [
        ("/channel-service/v1/workflows/channel_automation", "channelType=web"),
        ("/v2/backend/workflows/channel_automation", "channelType=web"),
    ]


def test_channel_automation_does_not_fall_back_on_a_proxys_page() -> None:
    with Recorder(Reply(502, b"<html>bad gateway</html>")) as server, pytest.raises(Unavailable):
        ours(server, ApiKey("api_1"), sleep=lambda seconds: None).list_channel_automation()
    assert {seen.path for seen in server.seen} == {"/channel-service/v1/workflows/channel_automation"}


def test_a_waiting_flows_own_answer_is_no_error_with_us() -> None:
    assert "an answer of a waiting flow that is no JSON or no success" in WANTED
    webhook = (("x-webhook-id", WEBHOOK_ID),)
    for reply, value in [
        (Reply(422, {"error": "unprocessable"}, webhook), {"error": "unprocessable"}),
        (Reply(200, b"plain text", webhook), "plain text"),
        (Reply(500, {"message": "the flow says so"}, webhook), {"message": "the flow says so"}),
    ]:
        with Recorder(reply) as server, sdk(server) as vendor:
            with pytest.raises((imbrace.ApiError, ValueError)):
                vendor.trigger_flow_sync(ID)
            assert ours(server, ApiKey("api_1")).trigger_flow_sync(ID) == value


def test_a_refused_credential_is_shown_while_resolving_the_project() -> None:
    assert "a project that cannot be resolved" in WANTED
    with Recorder(Reply(401, {"message": "Unauthorized"})) as server, sdk(server) as vendor:
        with pytest.raises(imbrace.AuthError):
            vendor.resolve_project_id()
        assert [seen.path.rsplit("/", 1)[1] for seen in server.seen] == ["current", "flows"]
        server.seen.clear()
        with pytest.raises(CredentialRefused):
            ours(server, ApiKey("api_1")).resolve_project_id()
        assert len(server.seen) == 1
