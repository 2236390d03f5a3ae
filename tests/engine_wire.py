"""A scripted engine on a socket: answers the few questions by which a credential is tested, or with one given fault."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.engine.servers import Recorder, Reply, Seen
from workflows_ui.engine.transport import close_pools
from workflows_ui.models import Flavour, Kind
from workflows_ui.services import credentials
from workflows_ui.services.credentials import Draft, Problem

SECRET = "sk-9f8e7d6c5b4a-very-secret"
PROJECT = "X1pBXKxAE2VmSPjnu6Jis"
ORGANIZATION = "org_123"
#: Bodies as the engine gives them: recordings `users_project_current` and `users_me`, api.md 2.2 and 2.4.
CURRENT = {"id": PROJECT, "displayName": "Ada's Project", "type": "PERSONAL", "externalId": None}
ME = {
    "id": "hI515xwroJexr1Zap1D6g",
    "email": "ada@example.com",
    "firstName": "Ada",
    "lastName": "Admin",
    "projectId": PROJECT,
}
NOT_FOUND = Reply(404, {"statusCode": 404, "error": "Not Found", "message": "Route not found"})


class Engine(Recorder):
    """Answers as a healthy engine; `faults` maps the end of a path to another answer."""

    def __init__(self, *, faults: Mapping[str, Reply] | None = None, project: Mapping[str, Any] | None = None) -> None:
        self.faults = dict(faults or {})
        self.project = dict(project or CURRENT)
        super().__init__(answer=self._healthy)

    def __enter__(self) -> "Engine":
        super().__enter__()
        return self

    def __exit__(self, *details: object) -> None:
        close_pools()  # A kept connection would hold its thread of the server until it times out.
        super().__exit__(*details)

    def _healthy(self, seen: Seen) -> Reply:
        for end, reply in self.faults.items():
            if seen.path.endswith(end):
                return reply
        if seen.path.endswith("/v1/users/projects/current"):
            return Reply(200, self.project)
        if seen.path.endswith("/v1/users/me"):
            return Reply(200, ME)
        if seen.path.endswith("/v1/flags"):
            return Reply(200, {"CURRENT_VERSION": "0.72.4"})
        if seen.path.endswith("/platform/v1/account"):
            return Reply(
                200, {"display_name": "Ada of Imbrace", "email": "ada@imbrace.example", "organization_id": ORGANIZATION}
            )
        return NOT_FOUND


def refusing(reply: Reply) -> Engine:
    """An engine that answers the question for the project with this."""
    return Engine(faults={"/v1/users/projects/current": reply})


def draft(url: str, **changes: Any) -> Draft:
    """SECRET for an Activepieces at this address."""
    given: dict[str, Any] = {
        "flavour": Flavour.ACTIVEPIECES,
        "kind": Kind.BEARER_TOKEN,
        "secret": SECRET,
        "address": f"{url}/api",
        "name": "Mine",
    }
    return Draft(**(given | changes))


def imbrace(url: str, **changes: Any) -> Draft:
    """SECRET as an API key for a gateway at this address."""
    return draft(url, **({"flavour": Flavour.IMBRACE, "kind": Kind.API_KEY, "address": url} | changes))


def problem(wanted: Draft) -> Problem:
    """What a test of this finds wrong; fails where it finds nothing wrong."""
    with pytest.raises(Problem) as raised:
        credentials.test(wanted)
    return raised.value
