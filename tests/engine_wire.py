"""A scripted engine on a socket: answers the few questions by which a credential is tested, or with one given fault."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from practice_engine.accounts import jwt
from tests.engine.servers import NO_ROUTE, Recorder, Reply, Seen
from workflows_ui.credentials.models import CredentialKind
from workflows_ui.credentials.services import credential_tests
from workflows_ui.credentials.services.credential_tests import Draft, Problem
from workflows_ui.engine.transport import close_pools
from workflows_ui.members.models import Flavour

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
INVALID = {"statusCode": 400, "code": "FST_ERR_VALIDATION", "error": "Bad Request", "message": "params/id"}
#: What a web server in front of an engine says outside of /api: its page, and no to whatever is posted.
WEB_PAGE = Reply(200, b"<!doctype html><html>Sign in</html>", (("content-type", "text/html"),))
NO_POST = Reply(405, b"<html>405 Not Allowed</html>", (("content-type", "text/html"),))
PASSWORD = "correct horse battery"
TOKEN = jwt({"id": ME["id"], "type": "USER", "platform": {"id": "L" * 21}})


def no_such(kind: str, found: str) -> Reply:
    """The answer for an unknown id (recording `project_get_bad_id`)."""
    return Reply(404, {"code": "ENTITY_NOT_FOUND", "params": {"entityId": found, "entityType": kind}})


class Engine(Recorder):
    """Answers as a healthy engine; `faults` maps the end of a path to another answer. `version` may be exchanged while it runs.

    0.83.0 knows `project` and `others` by `/v1/projects`, 0.72.4 the first one only (recordings `projects_list`, `project_get`).
    """

    def __init__(
        self,
        *,
        faults: Mapping[str, Reply] | None = None,
        project: Mapping[str, Any] | None = None,
        others: Sequence[Mapping[str, Any]] = (),
        version: str = "0.72.4",
        base: str = "",
    ) -> None:
        self.faults = dict(faults or {})
        self.project = dict(project or CURRENT)
        self.others = [dict(one) for one in others]
        self.version = version
        self.flags: dict[str, Any] = {
            "MAX_RECORDS_PER_TABLE": 10000,
            "MAX_FIELDS_PER_TABLE": 100,
            "MAX_FILE_SIZE_MB": 25,
        }
        #: Where the API begins; elsewhere a web page answers.
        self.base = base
        super().__init__(answer=self._healthy)

    def __exit__(self, *details: object) -> None:
        close_pools()  # A kept connection would hold its thread of the server until it times out.
        super().__exit__(*details)

    def _healthy(self, seen: Seen) -> Reply:
        for end, reply in self.faults.items():
            if seen.path.endswith(end):
                return reply
        if not seen.path.startswith(self.base):
            return WEB_PAGE if seen.method == "GET" else NO_POST
        if seen.path.endswith("/v1/flags"):
            return Reply(200, self.flags | {"CURRENT_VERSION": self.version, "EDITION": "ce"})
        if seen.path.endswith("/v1/authentication/sign-in"):
            return self._sign_in(seen)
        if seen.path.endswith("/platform/v1/account"):
            return Reply(
                200, {"display_name": "Ada of Imbrace", "email": "ada@imbrace.example", "organization_id": ORGANIZATION}
            )
        return self._old(seen) if self.version.startswith("0.72") else self._new(seen)

    def _old(self, seen: Seen) -> Reply:
        if seen.path.endswith("/v1/users/projects/current"):
            return Reply(200, self.project)
        return Reply(200, ME) if seen.path.endswith("/v1/users/me") else NO_ROUTE

    def _new(self, seen: Seen) -> Reply:
        rows = [self.project, *self.others]
        if seen.path.endswith("/v1/projects"):
            return Reply(200, {"data": rows, "next": None, "previous": None})
        kind, name = seen.path.split("/")[-2:]
        if kind == "projects" and name != "current":
            return next((Reply(200, row) for row in rows if row["id"] == name), no_such("project", name))
        if kind == "users" and name == ME["id"]:
            return Reply(200, {key: value for key, value in ME.items() if key != "projectId"})
        return Reply(400, INVALID) if kind == "users" else NO_ROUTE

    def _sign_in(self, seen: Seen) -> Reply:
        if seen.json != {"email": ME["email"], "password": PASSWORD}:
            return Reply(401, {"code": "INVALID_CREDENTIALS", "params": None})
        return Reply(200, ME | {"token": TOKEN, "projectId": self.project["id"]})


def refusing(reply: Reply) -> Engine:
    """An engine that answers the question for the project with this."""
    return Engine(faults={"/v1/users/projects/current": reply})


def draft(url: str, **changes: Any) -> Draft:
    """SECRET for an Activepieces at this address."""
    given: dict[str, Any] = {
        "flavour": Flavour.ACTIVEPIECES,
        "kind": CredentialKind.BEARER_TOKEN,
        "secret": SECRET,
        "address": f"{url}/api",
        "name": "Mine",
    }
    return Draft(**(given | changes))


def imbrace(url: str, **changes: Any) -> Draft:
    """SECRET as an API key for a gateway at this address."""
    return draft(url, **({"flavour": Flavour.IMBRACE, "kind": CredentialKind.API_KEY, "address": url} | changes))


def problem(wanted: Draft) -> Problem:
    """What a test of this finds wrong; fails where it finds nothing wrong."""
    with pytest.raises(Problem) as raised:
        credential_tests.test(wanted)
    return raised.value
