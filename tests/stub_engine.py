"""An engine on a socket that holds just the flows, folders and runs that a test puts there, however odd; and the users that reads it.

The practice engine is used where an engine's behaviour matters; this one where its data does.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs

import pytest
from django.test import Client

from tests import users as people
from tests.engine.servers import NO_ROUTE, Recorder, Reply, Seen
from workflows_ui.engine.generations import generations
from workflows_ui.engine.transport import close_pools
from workflows_ui.members.models import Member, Role

SECRET = "tok-this-is-the-secret-of-the-credential"
_GONE = Reply(404, {"code": "ENTITY_NOT_FOUND", "params": {}})
_NO_RUN = Reply(400, {"code": "FLOW_RUN_NOT_FOUND", "params": {}})


def identity(number: int) -> str:
    """An id in the engine's shape."""
    return f"{number:021d}"


def flow(number: int = 1, name: str = "Order intake", **changes: Any) -> dict[str, Any]:
    """A flow with the keys of recording `flow_orders_05_get`."""
    trigger = {
        "name": "trigger",
        "valid": True,
        "displayName": "Catch Webhook",
        "type": "PIECE_TRIGGER",
        "settings": {"pieceName": "@activepieces/piece-webhook", "triggerName": "catch_webhook", "input": {}},
    }
    version = {"id": f"V{number}", "displayName": name, "trigger": trigger, "valid": True, "state": "LOCKED"}
    made = "2026-11-24T22:37:51.391Z"
    whole: dict[str, Any] = {
        "id": identity(number),
        "created": made,
        "updated": made,
        "status": "ENABLED",
        "version": version,
    }
    return whole | {"publishedVersionId": f"V{number}", "folderId": None, "operationStatus": "NONE"} | changes


def run(number: int = 1, status: str = "SUCCEEDED", **changes: Any) -> dict[str, Any]:
    """A run with the keys of recording `run_get_SUCCEEDED`, empty strings for nulls included."""
    whole: dict[str, Any] = {
        "id": identity(number),
        "created": "2026-11-24T22:38:25.793Z",
        "flowId": identity(1),
        "flowVersionId": "V1",
        "status": status,
        "environment": "PRODUCTION",
        "parentRunId": "",
        "tags": [],
        "flowVersion": {"displayName": "Order intake"},
        "startTime": "2026-11-24T22:38:25.786Z",
        "finishTime": "2026-11-24T22:38:25.823Z",
        "steps": {"trigger": {"type": "PIECE_TRIGGER", "status": "SUCCEEDED", "input": {}, "output": {"body": {}}}},
        "failedStep": {},
        "archivedAt": None,
    }
    return whole | changes


def _short(path: str) -> str:
    """A path without the base of an Activepieces, or of the engine behind an Imbrace gateway."""
    return path.removeprefix("/api/v1").removeprefix("/activepieces/v1")


class StubEngine(Recorder):
    """Answers reads from `flows`, `folders` and `runs`; `faults` maps the end of a path, perhaps after a method, to another answer."""

    def __init__(self) -> None:
        self.flows: list[dict[str, Any]] = []
        self.folders: list[dict[str, Any]] = []
        self.runs: list[dict[str, Any]] = []
        #: Lists of any other path below /v1, as pages, or as bare arrays where `arrays` names the path.
        self.rows: dict[str, list[dict[str, Any]]] = {}
        self.arrays: set[str] = set()
        self.faults: dict[str, Reply] = {}
        super().__init__(answer=self._find)

    def __exit__(self, *details: object) -> None:
        close_pools()
        super().__exit__(*details)

    @property
    def calls(self) -> list[str]:
        """The paths that were asked for, without the base."""
        return [_short(seen.path) for seen in self.seen]

    def queries(self, path: str) -> list[Mapping[str, list[str]]]:
        """What was asked for at a path."""
        return [parse_qs(seen.query) for seen in self.seen if seen.path == f"/api/v1{path}"]

    def _find(self, seen: Seen) -> Reply:
        for where, reply in self.faults.items():
            method, _, end = where.rpartition(" ")
            if seen.path.endswith(end) and method in ("", seen.method):
                return reply
        path, query = _short(seen.path), parse_qs(seen.query)
        if path.startswith("/projects"):
            # The stub engine is of 0.72: what moved since is not there unless a test puts it into `faults`.
            return NO_ROUTE
        if path in self.arrays:
            return Reply(200, self.rows[path])
        if path == "/flow-runs":
            until = query.get("createdBefore", ["9"])[0]
            rows = [row for row in self.rows.get(path, self.runs) if str(row.get("created")) <= until]
            return self._page([{key: row[key] for key in row if key != "steps"} for row in rows], query)
        lists = {"/flows": self.flows, "/folders": self.folders} | self.rows
        if path in lists:
            return self._page(lists[path], query)
        wanted = path.rsplit("/", 1)[-1]
        above = path.rpartition("/")[0]
        if above in lists and above != "/flows":
            return next((Reply(200, row) for row in lists[above] if row.get("id") == wanted), _GONE)
        if path.startswith("/flow-runs/"):
            return next((Reply(200, row) for row in self.runs if row.get("id") == wanted), _NO_RUN)
        return next((Reply(200, row) for row in self.flows if row.get("id") == wanted), _GONE)

    @staticmethod
    def _page(rows: list[dict[str, Any]], query: Mapping[str, list[str]]) -> Reply:
        limit, start = int(query.get("limit", ["10"])[0]), int(query.get("cursor", ["0"])[0])
        following = str(start + limit) if len(rows) > start + limit else None
        return Reply(200, {"data": rows[start : start + limit], "next": following, "previous": None})


@pytest.fixture
def stub_engine() -> Iterator[StubEngine]:
    """The engine of workspace `sales`; empty at first."""
    engine = StubEngine()
    with engine:
        generations.remember(f"{engine.url}/api", "mcp", "legacy")  # as any process knows after its first look
        yield engine


@pytest.fixture
def users(db: None, stub_engine: StubEngine) -> people.Users:
    """Owner, colleague and stranger around workspace `sales` on the stub engine, each with a credential of their own."""
    found = people.gather(people.workspace("sales", address=f"{stub_engine.url}/api"), SECRET)
    elsewhere = people.workspace("elsewhere", project="E" * 21)
    Member.objects.create(workspace=elsewhere, user=found.stranger, role=Role.MANAGER)
    return found


@pytest.fixture
def owner(users: people.Users, client: Client) -> Client:
    """A browser in which the owner is signed in."""
    client.force_login(users.owner)
    return client


def text(content: bytes) -> str:
    """A page's HTML with runs of blanks made one, so that a sentence may be looked for."""
    return " ".join(content.decode().split())
