"""Signing in at an engine for a person: e-mail and password or one-time code become a token. Touches no database, keeps nothing.

Imbrace (api.md 2.4): a sign-in gives a login token and the organizations; one of them is chosen, and the login token is spent for an access
token of that organization. Activepieces: one call, one project.
"""

import base64
import binascii
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from workflows_ui.engine import (
    AccessToken,
    AddressRefused,
    BearerToken,
    Client,
    CredentialRefused,
    EngineError,
    Mask,
    Nobody,
    NotFound,
    Refused,
)
from workflows_ui.models import Flavour
from workflows_ui.services import clients, probe, runs
from workflows_ui.services.probe import Code, Problem

_NOTHING_HIDDEN = Mask(())
#: Milliseconds rather than seconds since 1970, if a number is larger than this.
_SECONDS = 100_000_000_000


@dataclass(frozen=True)
class Typed:
    """What a person typed to sign in. Exactly one of `password` and `code` is given."""

    flavour: str
    base: str
    email: str
    password: str = field(default="", repr=False)
    code: str = field(default="", repr=False)


@dataclass(frozen=True)
class Organization:
    """One to choose from."""

    id: str
    name: str


@dataclass(frozen=True)
class Token:
    """What a sign-in comes to: the token and when it ends, None where nobody says."""

    secret: str = field(repr=False)
    ends_at: datetime | None


@dataclass(frozen=True)
class Begun:
    """A sign-in at Imbrace that waits for the choice of an organization. `login` is the login token, three hours old at most."""

    base: str
    login: str = field(repr=False)
    organizations: tuple[Organization, ...]


def ask_for_code(base: str, email: str) -> None:
    """Has Imbrace send a one-time code by mail. Raises Problem."""
    try:
        _client(Flavour.IMBRACE, base, Nobody()).workflows.ask_for_code(email)
    except EngineError as error:
        raise _problem(error, base) from None


def begin(typed: Typed) -> Begun:
    """Signs in at Imbrace; what is left is to choose an organization. Raises Problem."""
    workflows = _client(Flavour.IMBRACE, typed.base, Nobody((typed.password, typed.code))).workflows
    try:
        answer = _authenticated(workflows, typed)
        rows = answer.get("organizations")
        if not isinstance(rows, list) or not rows:
            rows = _client(Flavour.IMBRACE, typed.base, AccessToken(answer["token"])).workflows.list_organizations()
    except EngineError as error:
        raise _problem(error, typed.base) from None
    found = tuple(one for one in map(_organization, rows) if one is not None)
    if not found:
        raise Problem(Code.NO_ORGANIZATION)
    return Begun(typed.base, answer["token"], found)


def finish(begun: Begun, organization_id: str) -> Token:
    """Spends the login token for an access token of one organization. Raises Problem."""
    workflows = _client(Flavour.IMBRACE, begun.base, AccessToken(begun.login)).workflows
    try:
        return _token(workflows.exchange_login_token(organization_id))
    except EngineError as error:
        raise _problem(error, begun.base) from None


def sign_in(typed: Typed) -> Token:
    """Signs in at a plain Activepieces. Raises Problem."""
    workflows = _client(Flavour.ACTIVEPIECES, typed.base, Nobody((typed.password,))).workflows
    try:
        return _token(workflows.sign_in(typed.email, typed.password))
    except EngineError as error:
        raise _problem(error, typed.base) from None


def exchanged(base: str, token: str, organization_id: str) -> Token:
    """Another access token of the same organization for one that still works: no password is needed. Raises Problem."""
    try:
        workflows = _client(Flavour.IMBRACE, base, AccessToken(token)).workflows
        return _token(workflows.exchange_access_token(organization_id))
    except EngineError as error:
        raise _problem(error, base) from None


def end_of(secret: str) -> datetime | None:
    """When a JWT says that it ends (`exp`); None for any other secret. Its signature is the engine's business."""
    parts = secret.strip().split(".")
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        return _moment(claims["exp"])
    except (ValueError, KeyError, TypeError, binascii.Error, RecursionError):
        return None


def _authenticated(workflows: Any, typed: Typed) -> dict[str, Any]:
    if not typed.code:
        return dict(workflows.authenticate(typed.email, password=typed.password))
    try:
        return dict(workflows.authenticate(typed.email, code=typed.code))
    except (Refused, NotFound):
        # A build that takes no codes there may take them here (api.md 2.4).
        return dict(workflows.sign_in_with_code(typed.email, typed.code))


def _client(flavour: str, base: str, auth: AccessToken | BearerToken | Nobody) -> Client:
    """Nothing is masked but what errors say: the answer is the secret itself. Raises Problem."""
    try:
        return clients.with_auth(flavour, base, auth, timeouts=probe.TIMEOUTS, mask=_NOTHING_HIDDEN)
    except AddressRefused as error:
        raise Problem(Code.ADDRESS_REFUSED, error=error) from None


def _token(answer: dict[str, Any]) -> Token:
    secret = str(answer["token"])
    return Token(secret, _moment(answer.get("expired_at")) or end_of(secret))


def _moment(value: Any) -> datetime | None:
    """A time as the engine writes it, or as a number since 1970."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        try:
            return datetime.fromtimestamp(value / 1000 if value > _SECONDS else value, UTC)
        except (OverflowError, OSError, ValueError):
            return None
    return runs.moment({"at": value}, "at")


def _organization(row: Any) -> Organization | None:
    if not isinstance(row, dict):
        return None
    found = row.get("organization_id") or row.get("id")
    if not isinstance(found, str) or not found or row.get("is_active") is False:
        return None
    name = row.get("display_name") or row.get("name")
    return Organization(found[:120], (name if isinstance(name, str) and name.strip() else found)[:300])


def _problem(error: EngineError, base: str) -> Problem:
    if isinstance(error, NotFound):
        return Problem(Code.NO_SIGN_IN, error=error, base=base)
    if isinstance(error, Refused | CredentialRefused):
        # 400 with code 40004 or 40005 on Imbrace, 401 on Activepieces: which of the two was wrong is not told apart.
        return Problem(Code.WRONG_SIGN_IN, error=error, base=base)
    return probe.problem_of(error, base)
