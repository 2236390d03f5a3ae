"""MCP servers by the route that the engine offers: several with names on 0.72, one for each project on 0.83.

The answers are those of recordings `mcp_list`, `mcp_get` (0.72.4), `mcp_project_get` and `mcp_project_rotate` (0.83.0).
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.engine import servers
from tests.engine.servers import NO_ROUTE, Recorder, Reply, Seen
from workflows_ui.engine import NoRoute, NotFound, Unavailable, Unknown, Workflows

PROJECT, SERVER, OTHER = "P" * 21, "S" * 21, "O" * 21
OWN = f"/v1/projects/{PROJECT}/mcp-server"


def old(key: str = SERVER) -> dict[str, Any]:
    return {"id": key, "name": "Ops", "projectId": PROJECT, "token": "t" * 21, "tools": []}


def new(**changes: Any) -> dict[str, Any]:
    row = {"id": SERVER, "platformId": None, "projectId": PROJECT, "type": "PROJECT", "token": "t" * 72}
    return row | {"enabledTools": ["ap_build_flow"], "flows": []} | changes


class Engine(Recorder):
    """An Activepieces of one version or the other."""

    def __init__(self) -> None:
        self.version = "0.83"
        super().__init__(answer=self._answer)

    def _answer(self, seen: Seen) -> Reply:
        path = seen.path.removeprefix("/api")
        if self.version == "0.83":
            return Reply(200, new()) if path in (OWN, f"{OWN}/rotate") else NO_ROUTE
        if path == "/v1/mcp-servers":
            return Reply(200, {"data": [old()], "next": None, "previous": None})
        known = path in (f"/v1/mcp-servers/{SERVER}", f"/v1/mcp-servers/{SERVER}/rotate")
        return Reply(200, old()) if known else NO_ROUTE

    @property
    def calls(self) -> list[str]:
        found = [f"{seen.method} {seen.path.removeprefix('/api')}" for seen in self.seen]
        self.seen.clear()
        return found


@pytest.fixture
def engine() -> Iterator[Engine]:
    running = Engine()
    with running:
        yield running


@pytest.fixture
def workflows(engine: Engine) -> Workflows:
    return servers.client(engine.url, project_id=PROJECT).workflows


def test_the_one_server_of_a_project_is_a_list_of_one(engine: Engine, workflows: Workflows) -> None:
    page = workflows.list_mcp_servers(name="x", limit=3)
    assert page == {"data": [new()], "next": None, "previous": None}
    assert workflows.get_mcp_server(SERVER) == new()
    assert workflows.rotate_mcp_token(SERVER) == new()
    assert engine.calls == [f"GET {OWN}", f"GET {OWN}", f"POST {OWN}/rotate"]


def test_another_id_than_that_of_the_projects_server_is_not_found(engine: Engine, workflows: Workflows) -> None:
    with pytest.raises(NotFound) as missing:
        workflows.get_mcp_server(OTHER)
    assert not isinstance(missing.value, NoRoute)


def test_several_servers_are_used_where_the_engine_has_them(engine: Engine, workflows: Workflows) -> None:
    engine.version = "0.72"
    assert workflows.list_mcp_servers()["data"] == [old()]
    assert workflows.get_mcp_server(SERVER) == old()
    assert workflows.rotate_mcp_token(SERVER) == old()
    # The newer route is tried once, and known not to be there from then on.
    assert engine.calls == [
        f"GET {OWN}",
        "GET /v1/mcp-servers",
        f"GET /v1/mcp-servers/{SERVER}",
        f"POST /v1/mcp-servers/{SERVER}/rotate",
    ]


def test_an_engine_that_is_upgraded_is_found_to_be(engine: Engine, workflows: Workflows) -> None:
    engine.version = "0.72"
    workflows.list_mcp_servers()
    engine.version = "0.83"
    assert workflows.list_mcp_servers()["data"] == [new()]


def test_what_one_kind_of_server_does_not_do_has_no_route_which_proves_nothing(
    engine: Engine, workflows: Workflows
) -> None:
    calls: tuple[Callable[[], object], ...] = (
        lambda: workflows.create_mcp_server({"name": "x"}),
        lambda: workflows.update_mcp_server(SERVER, {"name": "x"}),
        lambda: workflows.delete_mcp_server(SERVER),
    )
    for call in calls:
        with pytest.raises(Unknown) as caught:
            call()
        assert caught.value.cause is NoRoute
    engine.version = "0.72"
    with pytest.raises(Unknown) as caught:
        workflows.enable_mcp_tools(["ap_list_flows"])
    assert caught.value.cause is NoRoute


@pytest.mark.parametrize("body", [{}, {"id": None}, {"id": 7}, [], "x"])
def test_an_answer_that_is_no_server_is_a_clear_error(body: Any) -> None:
    with Recorder(Reply(200, body)) as odd:
        workflows = servers.client(odd.url, project_id=PROJECT).workflows
        with pytest.raises(Unavailable, match="shape"):
            workflows.list_mcp_servers()
        with pytest.raises(Unavailable, match="shape"):
            workflows.get_mcp_server(SERVER)
