"""A scripted engine on a socket: answers the few questions by which a credential is tested, or with one given fault."""

from collections.abc import Mapping
from typing import Any

from tests.engine.servers import Recorder, Reply, Seen
from workflows_ui.engine.transport import close_pools

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
