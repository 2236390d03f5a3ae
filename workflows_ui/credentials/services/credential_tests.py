"""Tests of secrets: they find the user, the organization and the project of a secret, and the engine's response time.

Project and organization always come from the engine, never from a person's input. The database is queried only for the secrets to mask
in the engine's answers.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import urlsplit

from workflows_ui.core.crypto import CannotOpen, Changed, NotEntered, PlaceChanged
from workflows_ui.core.readers import as_text, mapping_of
from workflows_ui.credentials.models import KEPT_IN_RUNS, CredentialKind
from workflows_ui.credentials.services import clients, engine_facts
from workflows_ui.credentials.services.engine_facts import Facts
from workflows_ui.engine import (
    ENVIRONMENTS,
    AddressRefused,
    Anonymous,
    Client,
    CredentialRefused,
    EngineError,
    Forbidden,
    Mask,
    NotFound,
    NotInPlan,
    NotSent,
    RateLimited,
    ScopedKey,
    SessionEnded,
    Timeouts,
    UserInactive,
    WrongOrganization,
    WrongProject,
)
from workflows_ui.members.models import Flavour, Workspace

#: A person waits for the result, so each call has shorter limits than in the background. Seconds.
TIMEOUTS = Timeouts(connect=5.0, read=10.0, total=15.0)
#: The limits of an optional call.
_QUICK = Timeouts(connect=2.0, read=4.0, total=5.0)
#: The most projects that a problem lists.
_NAMED = 3


class Code(StrEnum):
    """The reason that a test failed."""

    REFUSED = "refused"
    SESSION_ENDED = "session_ended"
    USER_INACTIVE = "user_inactive"
    SCOPED_KEY = "scoped_key"
    WRONG_ORGANIZATION = "wrong_organization"
    NEEDS_ORGANIZATION = "needs_organization"
    MALFORMED_SECRET = "malformed_secret"  # noqa: S105  # a problem's name, no secret
    FORBIDDEN = "forbidden"
    NOT_IN_PLAN = "not_in_plan"
    OTHER_PROJECT = "other_project"
    #: For a replacement of a secret, which never opened this project.
    NOT_OF_THIS_PROJECT = "not_of_this_project"
    UNREACHABLE = "unreachable"
    ADDRESS_REFUSED = "address_refused"
    NOT_AN_ENGINE = "not_an_engine"
    TIMED_OUT = "timed_out"
    BUSY = "busy"
    DOWN = "down"
    CANNOT_OPEN = "cannot_open"
    CHANGED = "changed"
    PLACE_CHANGED = "place_changed"
    NOT_ENTERED = "not_entered"
    WRONG_SIGN_IN = "wrong_sign_in"
    NO_SIGN_IN = "no_sign_in"
    NO_ORGANIZATION = "no_organization"
    NO_PASSWORD = "no_password"  # noqa: S105  # a problem's name, no secret


_OF_SECRET = (
    *(Code.REFUSED, Code.SESSION_ENDED, Code.SCOPED_KEY, Code.MALFORMED_SECRET, Code.FORBIDDEN),
    Code.OTHER_PROJECT,
)
_OF_ORGANIZATION = (Code.WRONG_ORGANIZATION, Code.NEEDS_ORGANIZATION)
_OF_SIGN_IN = (Code.WRONG_SIGN_IN, Code.NO_ORGANIZATION, Code.USER_INACTIVE)
#: The codes of problems with a field of a draft.
_FIELDS = {
    "secret": {*_OF_SECRET, Code.NOT_OF_THIS_PROJECT},
    "organization_id": _OF_ORGANIZATION,
    "email": _OF_SIGN_IN,
    "address": {Code.UNREACHABLE, Code.ADDRESS_REFUSED, Code.NOT_AN_ENGINE},
}
#: Problems of the secret; all others are of the engine or the connection, and may be temporary.
SECRET_PROBLEMS = frozenset(
    {
        *(*_OF_SECRET, *_OF_ORGANIZATION, *_OF_SIGN_IN),
        *(Code.CANNOT_OPEN, Code.CHANGED, Code.PLACE_CHANGED, Code.NOT_ENTERED, Code.NOT_IN_PLAN, Code.NO_PASSWORD),
    }
)


class Choice(NamedTuple):
    """A project or an organization to choose."""

    id: str
    name: str


class SeveralProjects(Exception):
    """The secret is valid and opens several projects: a person has to choose one."""

    def __init__(self, projects: Sequence[Choice]) -> None:
        super().__init__(f"{len(projects)} projects")
        self.projects = tuple(projects)


#: Codes of answers that are not an engine's.
_NO_ANSWER = frozenset({"EMPTY", "HTML", "NOT_JSON", "ODD_SHAPE"})


class Problem(Exception):
    """The test failed. `found` is the organization or project that was found instead, if that is the problem.

    `base` is the engine's address if its message is not masked yet, which `technical` does then. `suggestion` is an address at which an
    engine answers, if none answers at the entered one.
    """

    suggestion: str = ""

    def __init__(self, code: Code, *, error: EngineError | None = None, found: str = "", base: str = "") -> None:
        super().__init__(code.value)
        self.code = code
        self.error = error
        self.found = found
        self.base = base

    @property
    def field(self) -> str:
        """The field of a draft with the problem: secret, organization_id, email or address, or ""."""
        return next((field for field, codes in _FIELDS.items() if self.code in codes), "")

    @property
    def technical(self) -> str:
        """One line for debugging: the engine's status, code, message and request id. Never a secret."""
        if self.error is None:
            return ""
        parts = [
            f"HTTP {self.error.status}" if self.error.status else "",
            self.error.code,
            self.error.message,
            self.error.technical,
            f"request {self.error.request_id}" if self.error.request_id else "",
        ]
        line = " · ".join(part for part in parts if part)
        return address_mask(self.base).text(line) if self.base else line


def address_mask(address: str, own: Iterable[str] = ()) -> Mask:
    """The mask for the answers of the engine at this address to a new credential, whose workspace is not known yet.

    It masks the stored secrets of all workspaces at the address, and `own`. Not kept in memory, since tests of credentials are rare.
    """
    workspaces = Workspace.objects.filter(address=address)
    return Mask(frozenset(own).union(*(workspace.stored_secrets() for workspace in workspaces)))


@dataclass(frozen=True)
class Draft:
    """A credential as entered. `environment` is an Imbrace environment's name, or "" if `address` is given."""

    flavour: str
    kind: str
    secret: str = field(repr=False)
    environment: str = ""
    address: str = ""
    organization_id: str = ""
    name: str = ""
    #: The project that the person chose, or that the credential is for; "" if the engine has to name it.
    project_id: str = ""
    #: For kinds that sign in: the user, and the password if it is to be stored. `secret` is then the token of the sign-in.
    email: str = ""
    password: str = field(default="", repr=False)
    ends_at: datetime | None = None

    @property
    def base(self) -> str:
        """The normalized address of the gateway or the API, which identifies workspaces. Raises KeyError for an unknown environment."""
        return normal_address(ENVIRONMENTS[self.environment] if self.environment else self.address)


@dataclass(frozen=True)
class Findings:
    """The result of a test. Ids and names are the engine's; empty if unknown."""

    project_id: str
    project_name: str
    organization_id: str
    who: str
    email: str
    version: str
    round_trip_ms: int
    #: None if the engine did not answer that call.
    facts: Facts | None = None

    def plain(self) -> dict[str, object]:
        """As plain values for Credential.findings."""
        return {
            "who": self.who,
            "email": self.email,
            "organization": self.organization_id,
            "project": self.project_name or self.project_id,
            "project_id": self.project_id,
            "version": self.version,
            "round_trip_ms": self.round_trip_ms,
        }


def normal_address(address: str) -> str:
    """An address without a trailing slash and without the scheme's default port, with scheme and host in lower case."""
    parts = urlsplit(address.strip())
    host = (parts.hostname or "").rstrip(".")
    if ":" in host:
        host = f"[{host}]"
    default = {"http": 80, "https": 443}.get(parts.scheme.lower())
    port = "" if parts.port is None or parts.port == default else f":{parts.port}"
    return f"{parts.scheme.lower()}://{host}{port}{parts.path.rstrip('/')}"


def test(draft: Draft) -> Findings:
    """Test a secret at its engine (api.md 16; recordings `projects_list`, `project_get`, `user_get_by_id`, and of 0.72.4
    `users_project_current`, `users_me`).

    Raises Problem, and SeveralProjects if the draft has no project. Calls the engine two to six times; only the call for the project
    decides, the others add details.
    """
    if _needs_organization(draft):
        raise Problem(Code.NEEDS_ORGANIZATION)
    try:
        client = clients.build(
            draft.flavour,
            draft.base,
            clients.auth_for(draft.kind, draft.secret, draft.organization_id),
            project_id=draft.project_id or None,
            timeouts=TIMEOUTS,
            mask=address_mask(draft.base, (draft.secret,)),
        )
    except AddressRefused as error:
        raise Problem(Code.ADDRESS_REFUSED, error=error) from None
    except ValueError:
        raise Problem(Code.MALFORMED_SECRET) from None
    return check_client(client, kind=draft.kind, organization_id=draft.organization_id, project_id=draft.project_id)


def check_client(client: Client, *, kind: str, organization_id: str, project_id: str = "") -> Findings:
    """Test a client's credential. `organization_id` is the expected organization, `project_id` the client's project; both may be "".
    Raises Problem, and SeveralProjects without a project."""
    started = time.monotonic()
    project = _project(client, project_id)
    round_trip = time.monotonic() - started
    organization = _text(project, "externalId") if client.flavour == Flavour.IMBRACE else ""
    if organization_id and organization and organization != organization_id:
        raise Problem(Code.WRONG_ORGANIZATION, found=organization)
    who, email = _person(client, kind)
    facts = engine_facts.read(client)
    return Findings(
        project_id=str(project["id"]),
        project_name=_text(project, "displayName"),
        organization_id=organization,
        who=who,
        email=email,
        version=facts.version if facts else "",
        round_trip_ms=round(round_trip * 1000),
        facts=facts,
    )


def problem_code(problem: CannotOpen) -> Code:
    """The code for a stored secret that does not open."""
    by_class = ((NotEntered, Code.NOT_ENTERED), (PlaceChanged, Code.PLACE_CHANGED), (Changed, Code.CHANGED))
    return next((code for kind, code in by_class if isinstance(problem, kind)), Code.CANNOT_OPEN)


def with_suggestion(problem: Problem, flavour: str, base: str) -> Problem:
    """The problem with a suggested address, if an engine answers at a similar one: an Activepieces answers below /api, or its server
    without it. Makes at most three calls, without a credential."""
    if problem.code is Code.NOT_AN_ENGINE and flavour == Flavour.ACTIVEPIECES:
        parts = urlsplit(base)
        origin = f"{parts.scheme}://{parts.netloc}"
        similar = dict.fromkeys([f"{base}/api", f"{origin}/api", base.removesuffix("/api"), origin])
        problem.suggestion = next((address for address in similar if address != base and answers(address)), "")
    return problem


def check_address(flavour: str, base: str) -> None:
    """Raise Problem if no Activepieces answers at this address. An Imbrace says nothing without a credential."""
    if flavour == Flavour.IMBRACE:
        return
    problem = _problem_at(base)
    if problem is not None:
        raise with_suggestion(problem, flavour, base)


def answers(base: str) -> bool:
    """Whether a plain Activepieces answers at this address."""
    return _problem_at(base) is None


def _problem_at(base: str) -> Problem | None:
    """The problem of an address at which no Activepieces answers: its flags need no credential."""
    try:
        flags = clients.build(Flavour.ACTIVEPIECES, base, Anonymous(), timeouts=_QUICK).workflows.get_flags()
    except EngineError as error:
        return Problem(error_code(error), error=error)
    return Problem(Code.NOT_AN_ENGINE) if {"CURRENT_VERSION", "EDITION"}.isdisjoint(flags) else None


def _project(client: Client, project_id: str) -> Mapping[str, object]:
    """The credential's project, as an object with an id."""
    try:
        rows = [client.workflows.get_current_project()] if project_id else client.workflows.list_projects()
    except EngineError as error:
        if project_id and isinstance(error, WrongProject):
            raise _wrong_project(client, error) from None
        raise Problem(error_code(error), error=error) from None
    projects = [row for row in rows if _text(row, "id")]
    if rows and not projects:
        raise Problem(Code.NOT_AN_ENGINE)
    if not projects:
        raise Problem(Code.FORBIDDEN)
    if len(projects) > 1:
        raise SeveralProjects([_choice(row) for row in projects])
    return projects[0]


def _wrong_project(client: Client, error: EngineError) -> Problem:
    """The problem of a credential that does not open its project. Only the list of its projects shows whether it is valid."""
    try:
        others = [_choice(row) for row in client.workflows.list_projects() if _text(row, "id")]
    except EngineError as second:
        return Problem(error_code(second), error=second)
    if not others:
        return Problem(Code.FORBIDDEN, error=error)
    return Problem(Code.OTHER_PROJECT, error=error, found=", ".join(project.name for project in others[:_NAMED]))


def _choice(row: dict[str, object]) -> Choice:
    return Choice(_text(row, "id"), _text(row, "displayName") or _text(row, "id"))


def _needs_organization(draft: Draft) -> bool:
    """A JWT without its organization is always refused by the gateway (api.md 2.1)."""
    jwt = draft.secret.strip().startswith("eyJ") and draft.secret.count(".") == 2
    wanted = draft.kind == CredentialKind.JWT or (draft.kind == CredentialKind.ACCESS_TOKEN and jwt)
    return wanted and not draft.organization_id


def error_code(error: EngineError) -> Code:
    """The code for an engine's error."""
    by_class: list[tuple[type[EngineError], Code]] = [
        (AddressRefused, Code.ADDRESS_REFUSED),
        (ScopedKey, Code.SCOPED_KEY),
        (WrongOrganization, Code.WRONG_ORGANIZATION),
        (SessionEnded, Code.SESSION_ENDED),
        (CredentialRefused, Code.REFUSED),
        (UserInactive, Code.USER_INACTIVE),
        (Forbidden, Code.FORBIDDEN),
        (NotInPlan, Code.NOT_IN_PLAN),
        (RateLimited, Code.BUSY),
        (NotFound, Code.NOT_AN_ENGINE),
    ]
    for kind, code in by_class:
        if isinstance(error, kind):
            return code
    # A page or another text instead of an answer, also to a sign-in, whose outcome is then unknown.
    if (error.code in _NO_ANSWER and (error.status or 0) < HTTPStatus.INTERNAL_SERVER_ERROR) or (
        error.status == HTTPStatus.METHOD_NOT_ALLOWED
    ):
        return Code.NOT_AN_ENGINE
    if error.code == "TIMEOUT" or error.status == HTTPStatus.GATEWAY_TIMEOUT:
        return Code.TIMED_OUT
    if isinstance(error, NotSent):
        return Code.UNREACHABLE
    down = error.status is not None and error.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    # A complete answer that is neither an engine's nor an engine's error: another server runs at this address.
    return Code.NOT_AN_ENGINE if error.sent and not down else Code.DOWN


def _person(client: Client, kind: str) -> tuple[str, str]:
    """Name and e-mail address of the credential's user; ("", "") if no route gives them. An API key has no account."""
    calls = [client.workflows.get_current_user]
    if kind in KEPT_IN_RUNS:
        calls.insert(0, client.workflows.get_account)
    for call in calls:
        try:
            person = mapping_of(call())
        except EngineError:
            continue  # It only adds a name: the credential is valid.
        full_name = f"{_text(person, 'firstName', 'first_name')} {_text(person, 'lastName', 'last_name')}".strip()
        name, email = _text(person, "display_name", "name") or full_name, _text(person, "email")
        if name or email:
            return name, email
    return "", ""


def _text(source: Mapping[str, object], *keys: str) -> str:
    texts = (as_text(source.get(key)).strip() for key in keys)
    return next(filter(None, texts), "")[:500]
