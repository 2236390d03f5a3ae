"""A 403 without a code on a route of a project: only `GET /v1/projects` says whether the session was ended (engine-0.83.md 13.3)."""

from typing import Any

import pytest

from workflows_ui.engine import EngineError, Forbidden, SessionEnded, Unavailable
from workflows_ui.engine.errors import CredentialRefused

from .servers import NO_ROUTE, Recorder, Reply, Seen, client

DOUBT = {
    "statusCode": 403,
    "error": "Forbidden",
    "message": "Cannot read properties of undefined (reading 'type')",
}
ENDED = Reply(403, {"code": "SESSION_EXPIRED", "params": {"message": "m"}})
RIGHTS = {"code": "AUTHORIZATION", "params": {"message": "No role found for the user", "userId": "U", "projectId": "P"}}
HTML = (("content-type", "text/html"), ("via", "1.1 gateway"))


def raised(refusal: Reply, projects: Reply, call: str = "read") -> tuple[EngineError, list[str]]:
    """The error of a refused call, and the paths that were asked for."""

    def answer(seen: Seen) -> Reply:
        return projects if seen.path.endswith("/v1/projects") else refusal

    with Recorder(answer=answer) as server:
        workflows = client(server.url).workflows
        with pytest.raises(EngineError) as caught:
            workflows.list_flows() if call == "read" else workflows.create_flow("New")
        assert all("t0p-secret" in seen.headers["authorization"] for seen in server.seen)
        return caught.value, [seen.path.removeprefix("/api") for seen in server.seen]


def test_an_ended_session_is_confirmed_by_another_route() -> None:
    error, asked = raised(Reply(403, DOUBT), ENDED)
    assert type(error) is SessionEnded
    assert (error.status, error.code) == (403, "SESSION_EXPIRED")
    assert asked == ["/v1/flows", "/v1/projects"]
    token = Reply(401, {"code": "INVALID_BEARER_TOKEN", "params": {"message": "m"}})
    assert isinstance(raised(Reply(403, DOUBT), token)[0], CredentialRefused)


@pytest.mark.parametrize(
    "projects",
    [
        Reply(200, {"data": [], "next": None, "previous": None}),
        Reply(403, DOUBT),
        Reply(403, RIGHTS),
        Reply(403, b"<html>no</html>", HTML),
        Reply(401, b"<html>no</html>", HTML),
        Reply(403, {"message": "Forbidden"}),
        Reply(401, {"message": "Unauthorized"}),
        Reply(503, {}),
        NO_ROUTE,
    ],
    ids=str,
)
def test_without_the_engines_own_word_it_stays_a_refusal_of_this_call(projects: Reply) -> None:
    error, _asked = raised(Reply(403, DOUBT), projects)
    assert type(error) is Forbidden


@pytest.mark.parametrize(
    ("body", "headers", "kind"),
    [
        (RIGHTS, (), Forbidden),
        ({"message": "Forbidden"}, (("via", "1.1 gateway"),), Forbidden),
        ({**DOUBT, "request_id": "r"}, (), Forbidden),
        (b"<html>no</html>", HTML, Unavailable),
    ],
)
def test_any_other_403_asks_nothing_and_never_means_that_a_session_ended(
    body: Any, headers: tuple[tuple[str, str], ...], kind: type[EngineError]
) -> None:
    error, asked = raised(Reply(403, body, headers), ENDED)
    assert isinstance(error, kind)
    assert not isinstance(error, CredentialRefused)
    assert asked == ["/v1/flows"]
