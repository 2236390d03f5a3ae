"""Finds out what a secret opens: whose it is, which organization and project, and how quickly the engine answers.

Project and organization always come from the engine, never from what a person typed. The database is asked only for the secrets
that what the engine says must not hold.
"""

import time
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from workflows_ui.engine import (
    ENVIRONMENTS,
    AddressRefused,
    Client,
    CredentialRefused,
    EngineError,
    Forbidden,
    NotFound,
    NotInPlan,
    NotSent,
    ScopedKey,
    Timeouts,
    TooMany,
    WrongOrganization,
)
from workflows_ui.models import KEPT_IN_RUNS, Flavour, Kind
from workflows_ui.services import clients, masking

#: A person waits for the answer, so each call ends sooner than it would in the background. Seconds.
TIMEOUTS = Timeouts(connect=5.0, read=10.0, total=15.0)


class Code(StrEnum):
    """What exactly went wrong with a test."""

    REFUSED = "refused"
    SCOPED_KEY = "scoped_key"
    WRONG_ORGANIZATION = "wrong_organization"
    NEEDS_ORGANIZATION = "needs_organization"
    MALFORMED_SECRET = "malformed_secret"  # noqa: S105  # a problem's name, no secret
    FORBIDDEN = "forbidden"
    NOT_IN_PLAN = "not_in_plan"
    OTHER_PROJECT = "other_project"
    #: Of a secret that was to take another's place, and never opened this project.
    NOT_OF_THIS_PROJECT = "not_of_this_project"
    UNREACHABLE = "unreachable"
    ADDRESS_REFUSED = "address_refused"
    NOT_AN_ENGINE = "not_an_engine"
    TIMED_OUT = "timed_out"
    BUSY = "busy"
    DOWN = "down"
    CANNOT_OPEN = "cannot_open"
    WRONG_SIGN_IN = "wrong_sign_in"
    NO_SIGN_IN = "no_sign_in"
    NO_ORGANIZATION = "no_organization"
    NO_PASSWORD = "no_password"  # noqa: S105  # a problem's name, no secret


_FIELDS = {
    Code.REFUSED: "secret",
    Code.SCOPED_KEY: "secret",
    Code.MALFORMED_SECRET: "secret",
    Code.FORBIDDEN: "secret",
    Code.OTHER_PROJECT: "secret",
    Code.NOT_OF_THIS_PROJECT: "secret",
    Code.WRONG_ORGANIZATION: "organization_id",
    Code.NEEDS_ORGANIZATION: "organization_id",
    Code.WRONG_SIGN_IN: "email",
    Code.NO_ORGANIZATION: "email",
    Code.UNREACHABLE: "address",
    Code.ADDRESS_REFUSED: "address",
    Code.NOT_AN_ENGINE: "address",
}
#: Problems of the secret itself; all others are the engine's or the way's, and may pass.
OF_THE_SECRET = frozenset(
    {
        Code.REFUSED,
        Code.SCOPED_KEY,
        Code.WRONG_ORGANIZATION,
        Code.NEEDS_ORGANIZATION,
        Code.MALFORMED_SECRET,
        Code.FORBIDDEN,
        Code.NOT_IN_PLAN,
        Code.OTHER_PROJECT,
        Code.CANNOT_OPEN,
        Code.WRONG_SIGN_IN,
        Code.NO_ORGANIZATION,
        Code.NO_PASSWORD,
    }
)


class Problem(Exception):
    """The test failed. `found` is the organization or project that was found instead, where that is the trouble.

    `base` is the engine's address where what it said was not masked yet: then that is done when it is shown.
    """

    def __init__(self, code: Code, *, error: EngineError | None = None, found: str = "", base: str = "") -> None:
        super().__init__(code.value)
        self.code = code
        self.error = error
        self.found = found
        self.base = base

    @property
    def field(self) -> str:
        """The field of a draft that this is about: secret, organization_id or address; "" for none of them."""
        return _FIELDS.get(self.code, "")

    @property
    def technical(self) -> str:
        """One line for whoever looks into it: the engine's status, code, message and request id. Never a secret."""
        if self.error is None:
            return ""
        parts = [
            f"HTTP {self.error.status}" if self.error.status else "",
            self.error.code,
            self.error.message,
            self.error.technical,
            f"request {self.error.request_id}" if self.error.request_id else "",
        ]
        told = " · ".join(part for part in parts if part)
        return masking.at(self.base).text(told) if self.base else told


@dataclass(frozen=True)
class Draft:
    """A credential as it was typed. `environment` is an Imbrace environment's name, or "" where `address` is given."""

    flavour: str
    kind: str
    secret: str = field(repr=False)
    environment: str = ""
    address: str = ""
    organization_id: str = ""
    name: str = ""
    #: Of a kind that signs in: who, and their password only where it is to be kept. `secret` is then the token that came of it.
    email: str = ""
    password: str = field(default="", repr=False)
    ends_at: datetime | None = None

    @property
    def base(self) -> str:
        """The gateway or the API's base, in the one spelling that tells workspaces apart. Raises KeyError for an unknown environment."""
        return normal_address(ENVIRONMENTS[self.environment] if self.environment else self.address)


@dataclass(frozen=True)
class Findings:
    """What a secret opens. Ids and names are the engine's; empty where it does not tell."""

    project_id: str
    project_name: str
    organization_id: str
    who: str
    email: str
    version: str
    round_trip_ms: int

    def plain(self) -> dict[str, Any]:
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
    """An address without a slash at the end, its scheme and host in lower case and without the scheme's own port."""
    parts = urlsplit(address.strip())
    host = (parts.hostname or "").rstrip(".")
    if ":" in host:
        host = f"[{host}]"
    own = {"http": 80, "https": 443}.get(parts.scheme.lower())
    port = "" if parts.port is None or parts.port == own else f":{parts.port}"
    return f"{parts.scheme.lower()}://{host}{port}{parts.path.rstrip('/')}"


def test(draft: Draft) -> Findings:
    """Asks the engine what this secret opens (api.md 16; recordings `users_project_current`, `users_me`).

    Raises Problem. Calls the engine two to four times; only the first call decides, the others add what can be known.
    """
    if _needs_organization(draft):
        raise Problem(Code.NEEDS_ORGANIZATION)
    try:
        client = clients.build(
            draft.flavour,
            draft.base,
            draft.kind,
            draft.secret,
            organization_id=draft.organization_id,
            timeouts=TIMEOUTS,
            mask=masking.at(draft.base, (draft.secret,)),
        )
    except AddressRefused as error:
        raise Problem(Code.ADDRESS_REFUSED, error=error) from None
    except ValueError:
        raise Problem(Code.MALFORMED_SECRET) from None
    return of_client(client, kind=draft.kind, organization_id=draft.organization_id)


def of_client(client: Client, *, kind: str, organization_id: str) -> Findings:
    """What a client's credential opens. `organization_id` is the one it claims, if it claims one. Raises Problem."""
    begun = time.monotonic()
    try:
        project: Any = client.workflows.get_current_project()
    except EngineError as error:
        raise Problem(_code(error), error=error) from None
    round_trip = time.monotonic() - begun
    if not isinstance(project, dict) or not isinstance(project.get("id"), str) or not project["id"]:
        raise Problem(Code.NOT_AN_ENGINE)
    organization = _text(project, "externalId") if client.flavour == Flavour.IMBRACE else ""
    if organization_id and organization and organization != organization_id:
        raise Problem(Code.WRONG_ORGANIZATION, found=organization)
    who, email = _person(client, kind)
    return Findings(
        project_id=project["id"],
        project_name=_text(project, "displayName"),
        organization_id=organization,
        who=who,
        email=email,
        version=_version(client),
        round_trip_ms=round(round_trip * 1000),
    )


def _needs_organization(draft: Draft) -> bool:
    """A JWT without its organization is always refused by the gateway (api.md 2.1)."""
    jwt = draft.secret.strip().startswith("eyJ") and draft.secret.count(".") == 2
    wanted = draft.kind == Kind.JWT or (draft.kind == Kind.ACCESS_TOKEN and jwt)
    return wanted and not draft.organization_id


def problem_of(error: EngineError, base: str = "") -> Problem:
    """What an engine's error says about a credential; `base` as in Problem."""
    return Problem(_code(error), error=error, base=base)


def _code(error: EngineError) -> Code:
    by_class: list[tuple[type[EngineError], Code]] = [
        (AddressRefused, Code.ADDRESS_REFUSED),
        (ScopedKey, Code.SCOPED_KEY),
        (WrongOrganization, Code.WRONG_ORGANIZATION),
        (CredentialRefused, Code.REFUSED),
        (Forbidden, Code.FORBIDDEN),
        (NotInPlan, Code.NOT_IN_PLAN),
        (TooMany, Code.BUSY),
        (NotFound, Code.NOT_AN_ENGINE),
    ]
    for kind, code in by_class:
        if isinstance(error, kind):
            return code
    if error.code == "TIMEOUT" or error.status == HTTPStatus.GATEWAY_TIMEOUT:
        return Code.TIMED_OUT
    if isinstance(error, NotSent):
        return Code.UNREACHABLE
    down = error.status is not None and error.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    # A whole answer that is neither an engine's nor an error of one: something else lives at this address.
    return Code.NOT_AN_ENGINE if error.sent and not down else Code.DOWN


def _person(client: Client, kind: str) -> tuple[str, str]:
    """Name and e-mail address behind the credential; ("", "") where no route tells. An API key has no account of its own."""
    calls = [client.workflows.get_current_user]
    if kind in KEPT_IN_RUNS:
        calls.insert(0, client.workflows.get_account)
    for call in calls:
        try:
            person = call()
        except EngineError:
            continue  # Only adds a name: the credential has proved good already.
        if isinstance(person, dict):
            given = f"{_text(person, 'firstName', 'first_name')} {_text(person, 'lastName', 'last_name')}".strip()
            name, email = _text(person, "display_name", "name") or given, _text(person, "email")
            if name or email:
                return name, email
    return "", ""


def _version(client: Client) -> str:
    """The engine's version from its flags; "" where it does not tell."""
    if client.flavour != Flavour.ACTIVEPIECES:
        return ""
    try:
        flags: Any = client.workflows.get_flags()
    except EngineError:
        return ""  # Only adds a version: the credential has proved good already.
    return _text(flags, "CURRENT_VERSION") if isinstance(flags, dict) else ""


def _text(source: dict[str, Any], *keys: str) -> str:
    for key in keys:
        value = source.get(key)
        if isinstance(value, str) and value.strip():
            return value.strip()[:500]
    return ""
