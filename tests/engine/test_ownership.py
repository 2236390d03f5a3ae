"""An id that comes with somebody's request: whose it is is asked first, whatever is to be done with it."""

import inspect
from collections.abc import Collection, Iterator
from typing import Any

import pytest

from workflows_ui.engine import EngineError, NotFound, Workflows

from . import servers
from .servers import Recorder, Reply, Seen

OURS, THEIRS, PROJECT = "O" * 21, "T" * 21, "P" * 21
#: Ids that are no things of a project: it itself, a person, their organization; and a name within the project.
NO_THINGS = {"project_id", "user_id", "organization_id", "external_id", "external_ids", "connection_external_ids"}
#: A version is of the flow beside it, and looked for among that flow's; a launch's flow is checked by the worker that sends it.
BESIDE = {"version_id", "flow_version_id"}
WORKER = {"trigger_flow", "trigger_flow_sync", "send_trigger"}


class Known:
    """Knows the ids that it is created with, and what it learns."""

    def __init__(self, *ids: str) -> None:
        self.ids = set(ids)
        self.learnt: set[tuple[str, str]] = set()

    def knows(self, kind: str, id: str) -> bool:
        return id in self.ids or (kind, id) in self.learnt

    def learn(self, kind: str, ids: Collection[str]) -> None:
        self.learnt |= {(kind, one) for one in ids}


def operations() -> Iterator[tuple[str, str]]:
    """Every operation that takes an id of a thing, with the argument; test bodies hold the flow's."""
    for name, method in inspect.getmembers(Workflows, inspect.isfunction):
        for argument in inspect.signature(method).parameters:
            if name.startswith("_") or name in WORKER or argument in NO_THINGS | BESIDE:
                continue
            if argument.endswith(("_id", "_ids")) or (argument == "body" and "test_trigger" in name):
                yield name, argument


def call(workflows: Workflows, name: str, argument: str, value: str, other: str) -> None:
    method = getattr(workflows, name)
    given: dict[str, Any] = {}
    for key, one in inspect.signature(method).parameters.items():
        text = value if key == argument else other
        if key == "body":
            given[key] = {"flowId": value} if name.endswith("test_trigger") else {}
        elif key.endswith("_ids") and key not in NO_THINGS:
            given[key] = [text]
        elif key.endswith("_id") and key not in NO_THINGS | BESIDE:
            given[key] = text
        elif one.default is inspect.Parameter.empty:
            given[key] = [] if key in ("records", "tools") else {} if key in ("cells", "mock_data") else "x"
    method(**given)


def careless(seen: Seen) -> Reply:
    """An engine that returns anything it is asked for, regardless of its project."""
    whose = "E" * 21 if THEIRS in f"{seen.path}{seen.query}{seen.body.decode()}" else PROJECT
    if seen.path.endswith("/mcp-server"):
        return Reply(404, {"message": "Route GET:/x not found", "error": "Not Found", "statusCode": 404})
    if "flow-runs" in seen.path and seen.method == "GET" and seen.query:
        return Reply(200, {"data": [{"id": THEIRS, "projectId": "E" * 21}], "next": None, "previous": None})
    return Reply(200, {"id": seen.path.rpartition("/")[2], "projectId": whose, "data": [], "next": None})


@pytest.mark.parametrize(("name", "argument"), [*operations()])
def test_no_call_is_made_with_an_id_of_another_project_but_the_question_whose_it_is(name: str, argument: str) -> None:
    with Recorder(answer=careless) as server:
        workflows = servers.client(f"{server.url}", project_id=PROJECT, owned=Known(OURS)).workflows
        if (name, argument) == ("list_runs", "flow_run_ids"):
            # Runs are asked for by their ids to see which are there: what is another project's is left out of the answer.
            assert workflows.list_runs(flow_run_ids=[THEIRS])["data"] == []
            return
        with pytest.raises(NotFound):
            call(workflows, name, argument, THEIRS, OURS)
    asked = [seen for seen in server.seen if THEIRS in f"{seen.path}{seen.query}{seen.body.decode()}"]
    assert [seen.method for seen in asked] in ([], ["GET"])
    assert all(seen.path.endswith(THEIRS) for seen in asked)


def test_what_was_shown_as_the_projects_own_is_not_asked_about_once_more() -> None:
    rows = [{"id": OURS, "projectId": PROJECT}, {"id": THEIRS, "projectId": "E" * 21}]
    with Recorder(Reply(200, {"data": rows, "next": None, "previous": None}), Reply(200, {"id": OURS})) as server:
        known = Known()
        workflows = servers.client(server.url, project_id=PROJECT, owned=known).workflows
        assert [row["id"] for row in workflows.list_tables()["data"]] == [OURS]
        workflows.clear_table(OURS)
        assert [seen.method for seen in server.seen] == ["GET", "POST"]
    assert known.learnt == {("tables", OURS)}


def test_events_of_another_project_are_left_out_of_a_list_too() -> None:
    rows = [{"id": OURS, "projectId": PROJECT}, {"id": THEIRS, "projectId": "E" * 21}]
    with Recorder(Reply(200, {"data": rows, "next": None, "previous": None})) as server:
        workflows = servers.client(server.url, project_id=PROJECT, owned=Known(OURS)).workflows
        assert [row["id"] for row in workflows.list_trigger_events(OURS)["data"]] == [OURS]


def test_what_a_call_made_is_the_projects_own() -> None:
    with Recorder(Reply(200, {"id": OURS, "projectId": PROJECT})) as server:
        workflows = servers.client(server.url, project_id=PROJECT, owned=Known()).workflows
        workflows.create_table("Goods")
        workflows.clear_table(OURS)
        assert [seen.path.rpartition("/")[2] for seen in server.seen] == ["tables", "clear"]


def test_a_row_that_names_another_project_is_not_remembered_as_the_projects_own() -> None:
    theirs = {"id": THEIRS, "projectId": "E" * 21}
    with Recorder(Reply(200, theirs), Reply(200, [theirs])) as server:
        known = Known(OURS)
        workflows = servers.client(server.url, project_id=PROJECT, owned=known).workflows
        workflows.create_table("Goods")
        workflows.list_fields(OURS)
    assert not known.learnt


@pytest.mark.parametrize("id", ["", ".", "..", " ", "/", "./."])
def test_what_can_be_no_id_is_not_found_without_a_call(id: str) -> None:
    with Recorder(Reply(200, {})) as server:
        workflows = servers.client(server.url, project_id=PROJECT, owned=Known()).workflows
        for read in (workflows.get_flow, workflows.get_flow_template, workflows.list_fields, workflows.get_piece):
            with pytest.raises((NotFound, EngineError)):
                read(id)
        assert server.seen == []


@pytest.mark.parametrize(
    "operation",
    [
        {"type": "CHANGE_FOLDER", "request": {"folderId": THEIRS}},
        {"type": "USE_AS_DRAFT", "request": {"versionId": THEIRS}},
    ],
)
def test_an_operation_on_a_flow_names_folders_of_the_project_and_versions_of_the_flow_only(
    operation: dict[str, Any],
) -> None:
    with Recorder(answer=careless) as server:
        workflows = servers.client(server.url, project_id=PROJECT, owned=Known(OURS)).workflows
        with pytest.raises(NotFound):
            workflows.apply_flow_operation(OURS, operation)
    assert [seen.method for seen in server.seen] == ["GET"]
