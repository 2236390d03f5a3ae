"""The routes that moved between 0.72 and 0.83: the engine's answers decide, whatever its version number, and may change any day.

The two generations answer as recorded: `projects_list`, `project_get`, `user_get_by_id`, `users_me` and `users_project_current`.
"""

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from workflows_ui.engine import (
    ApiKey,
    BearerToken,
    Client,
    CredentialRefused,
    Forbidden,
    NoRoute,
    NotFound,
    Refused,
    Unavailable,
    Unknown,
    Workflows,
    WrongProject,
)
from workflows_ui.engine.generations import Generations, generations

from . import servers
from .servers import LOOPBACK, NO_ROUTE, Recorder, Reply, Seen

PROJECT, OTHER, USER = "P" * 21, "Q" * 21, "U" * 21


def jwt(**claims: Any) -> str:
    """A token with these claims, as a sign-in gives one."""
    parts = ({"alg": "HS256", "typ": "JWT"}, claims)
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + ".s"


TOKEN = jwt(id=USER, type="USER", platform={"id": "L" * 21})


def no_such(kind: str, found: str) -> Reply:
    return Reply(404, {"code": "ENTITY_NOT_FOUND", "params": {"entityId": found, "entityType": kind}})


def project(found: str) -> dict[str, Any]:
    return {"id": found, "displayName": f"Project {found[0]}", "type": "PERSONAL", "externalId": None}


class Engine(Recorder):
    """An Activepieces that can be exchanged for another version while it runs."""

    def __init__(self, version: str = "0.83", projects: tuple[str, ...] = (PROJECT,)) -> None:
        self.version = version
        self.projects = list(projects)
        self.mcp_calls: list[str] = []
        super().__init__(answer=self._answer)

    def _answer(self, seen: Seen) -> Reply:
        path = seen.path.removeprefix("/api").removeprefix("/activepieces")
        answers: dict[str, Callable[[], Reply]] = self._new(seen) if self.version == "0.83" else self._old()
        for start, answer in answers.items():
            if path == start:
                return answer()
        if self.version == "0.83" and path.startswith("/v1/projects/") and path.count("/") == 3:
            return no_such("project", path.rsplit("/", 1)[1])
        return NO_ROUTE

    def _new(self, seen: Seen) -> dict[str, Callable[[], Reply]]:
        query = dict(part.split("=") for part in seen.query.split("&") if part)
        start = int(query.get("cursor", 0))
        rows = [project(one) for one in self.projects[start : start + 2]]
        following = str(start + 2) if start + 2 < len(self.projects) else None
        invalid = {"statusCode": 400, "code": "FST_ERR_VALIDATION", "error": "Bad Request", "message": "params/id"}
        return {
            "/v1/projects": lambda: Reply(200, {"data": rows, "next": following, "previous": None}),
            "/v1/users/me": lambda: Reply(400, invalid),
            f"/v1/users/{USER}": lambda: Reply(200, {"id": USER, "email": "owner@example.com"}),
            **{f"/v1/projects/{one}": lambda one=one: Reply(200, project(one)) for one in self.projects},  # type: ignore[misc]
        }

    def _old(self) -> dict[str, Callable[[], Reply]]:
        return {
            "/v1/users/projects/current": lambda: Reply(200, project(PROJECT)),
            "/v1/users/me": lambda: Reply(200, {"id": USER, "email": "admin@example.com"}),
        }

    @property
    def paths(self) -> list[str]:
        """The paths that were asked for since the last look, from `/v1/` on."""
        found = [seen.path[seen.path.index("/v1/") :] for seen in self.seen]
        self.seen.clear()
        return found


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine() as running:
        yield running


def workflows(engine: Engine, token: str = TOKEN, project_id: str | None = None) -> Workflows:
    return servers.client(engine.url, auth=BearerToken(token), project_id=project_id).workflows


def test_a_known_project_is_asked_for_by_its_id(engine: Engine) -> None:
    assert workflows(engine, project_id=PROJECT).get_current_project()["id"] == PROJECT
    assert engine.paths == [f"/v1/projects/{PROJECT}"]


def test_the_only_project_of_a_credential_is_its_project(engine: Engine) -> None:
    calls = workflows(engine)
    assert calls.resolve_project_id() == PROJECT == calls.resolve_project_id()
    assert engine.paths == ["/v1/projects"]


def test_all_projects_of_a_credential_are_listed_page_by_page_each_once(engine: Engine) -> None:
    engine.projects = [letter * 21 for letter in "ABCDE"]
    assert [one["id"] for one in workflows(engine).list_projects()] == engine.projects
    assert engine.paths == ["/v1/projects"] * 3


def test_where_there_are_several_projects_none_is_guessed(engine: Engine) -> None:
    engine.projects = [PROJECT, OTHER]
    for call in (workflows(engine).get_current_project, workflows(engine).resolve_project_id):
        with pytest.raises(NotFound) as caught:
            call()
        assert caught.value.code == "SEVERAL_PROJECTS"
    assert workflows(engine, project_id=OTHER).get_current_project()["id"] == OTHER


def test_a_credential_without_any_project_is_distinguished(engine: Engine) -> None:
    engine.projects = []
    with pytest.raises(NotFound) as caught:
        workflows(engine).resolve_project_id()
    assert caught.value.code == "NO_PROJECT"


def test_a_project_that_the_engine_does_not_know_is_not_asked_for_by_the_old_route(engine: Engine) -> None:
    with pytest.raises(WrongProject):
        workflows(engine, project_id=OTHER).get_current_project()
    assert engine.paths == [f"/v1/projects/{OTHER}"]


def test_an_old_engine_is_asked_by_the_old_route_and_the_next_time_at_once(engine: Engine) -> None:
    engine.version = "0.72"
    assert workflows(engine).resolve_project_id() == PROJECT
    assert engine.paths == ["/v1/projects", "/v1/users/projects/current"]
    assert workflows(engine).list_projects() == [project(PROJECT)]
    assert engine.paths == ["/v1/users/projects/current"]


def test_the_user_is_asked_for_by_the_id_in_the_token_or_by_the_old_route(engine: Engine) -> None:
    assert workflows(engine).get_current_user()["email"] == "owner@example.com"
    assert engine.paths == [f"/v1/users/{USER}"]
    engine.version = "0.72"
    assert workflows(engine).get_current_user()["email"] == "admin@example.com"
    assert engine.paths == [f"/v1/users/{USER}", "/v1/users/me"]
    engine.version = "0.83"
    assert workflows(engine).get_current_user()["email"] == "owner@example.com"
    assert engine.paths == ["/v1/users/me", f"/v1/users/{USER}"]


@pytest.mark.parametrize(
    "token", ["sk-0123456789", jwt(type="USER"), jwt(id=USER, type="SERVICE"), jwt(id=5), "a.!!!.c", "a.bm8.c"]
)
def test_a_key_that_names_no_user_has_none_on_a_new_engine(token: str, engine: Engine) -> None:
    with pytest.raises(NotFound) as caught:
        workflows(engine, token).get_current_user()
    assert caught.value.code == "NO_USER"
    assert engine.paths == ["/v1/users/me"]
    engine.version = "0.72"
    assert workflows(engine, token).get_current_user()["id"] == USER


def test_an_engine_may_be_exchanged_for_another_version_while_it_is_used(engine: Engine) -> None:
    calls = workflows(engine, project_id=PROJECT)
    for version in ("0.72", "0.83", "0.72", "0.72", "0.83", "0.83"):
        engine.version = version
        assert calls.get_current_project()["id"] == PROJECT
        assert calls.get_current_user()["id"] == USER


def test_any_missing_route_of_an_engine_makes_what_is_known_of_it_forgotten(engine: Engine) -> None:
    engine.version = "0.72"
    calls = workflows(engine)
    calls.list_projects()
    with pytest.raises(NoRoute):
        calls.list_folders()
    engine.seen.clear()
    calls.list_projects()
    assert engine.paths == ["/v1/projects", "/v1/users/projects/current"]


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(401, {"code": "INVALID_BEARER_TOKEN", "params": {}}), CredentialRefused),
        (Reply(403, {"code": "AUTHORIZATION", "params": {"message": "m", "projectId": PROJECT}}), Forbidden),
        (Reply(404, {"code": "ENTITY_NOT_FOUND", "params": {}}), NotFound),
        (Reply(404, {}), NotFound),
        (Reply(503, {"statusCode": 503, "error": "e", "message": "Route not found"}), Unavailable),
        (Reply(400, {"statusCode": 400, "error": "e", "message": "Route not found"}), Refused),
        (Reply(200, b"<html>"), Unavailable),
    ],
)
def test_only_a_missing_route_leads_to_the_other_generation(reply: Reply, kind: type[Exception]) -> None:
    with Recorder(reply) as server:
        calls = servers.client(server.url, project_id=None, timeouts=servers.quick(pause=0.0)).workflows
        with pytest.raises(kind) as caught:
            calls.list_projects()
        assert not isinstance(caught.value, NoRoute)
        assert {seen.path for seen in server.seen} == {"/api/v1/projects"}


def test_an_engine_that_offers_neither_says_so(engine: Engine) -> None:
    engine.version = "0.50"
    with pytest.raises(NoRoute):
        servers.client(f"{engine.url}/wrong").workflows.get_current_project()


def test_imbrace_is_asked_by_the_routes_of_its_contract_first(engine: Engine) -> None:
    engine.version = "0.72"
    imbrace = Client(gateway=engine.url, auth=ApiKey("api_1"), safety=LOOPBACK).workflows
    assert imbrace.resolve_project_id() == PROJECT
    assert engine.paths == ["/v1/users/projects/current"]
    engine.version = "0.83"
    newer = Client(gateway=engine.url, auth=ApiKey("api_1"), safety=LOOPBACK).workflows
    assert newer.resolve_project_id() == PROJECT
    assert engine.paths == ["/v1/users/projects/current", "/v1/projects"]


def test_a_write_is_never_sent_by_a_second_route(engine: Engine) -> None:
    engine.version = "0.72"
    calls = servers.client(engine.url, project_id=PROJECT).workflows
    engine.answer = lambda seen: NO_ROUTE
    with pytest.raises(Unknown) as caught:
        calls.rotate_mcp_token("S")
    assert caught.value.cause is NoRoute
    assert engine.paths == [f"/v1/projects/{PROJECT}/mcp-server/rotate"]


def test_a_client_reports_each_missing_route(engine: Engine) -> None:
    reports: list[str] = []
    engine.version = "0.72"
    client = servers.client(engine.url, on_no_route=lambda: reports.append("missing"))
    client.workflows.list_projects()
    assert reports == ["missing"]
    with pytest.raises(NoRoute):
        client.workflows.list_flows()
    assert reports == ["missing"] * 2


@pytest.mark.parametrize("words", ["Route not found", "Route GET:/v1/mcp-servers not found", "route not found"])
def test_a_missing_route_is_distinguished_from_a_missing_thing(words: str, engine: Engine) -> None:
    engine.answer = lambda seen: Reply(404, {"statusCode": 404, "error": "Not Found", "message": words})
    with pytest.raises(NoRoute):
        workflows(engine).get_flow("F")


def test_only_so_many_engines_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workflows_ui.engine.generations.REMEMBERED", 2)
    full = Generations()
    for base in ("a", "b", "a", "c"):
        full.remember(base, "mcp", "legacy")
    assert [full.known(base, "mcp") for base in ("a", "b", "c")] == ["legacy", None, "legacy"]
    assert full.known("a", "user") is None
    full.forget("a")
    full.forget("a")
    assert full.known("a", "mcp") is None
    assert generations.known("http://nowhere.example", "mcp") is None
