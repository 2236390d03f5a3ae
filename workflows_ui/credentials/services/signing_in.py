"""Sign-in at an engine for a person: a token for an e-mail address and a password or one-time code. Does not use the database.

Imbrace (api.md 2.4): a sign-in returns a login token and the organizations; one is chosen, and the login token is exchanged for an access
token of that organization. Activepieces: one call; its token may open several projects.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus

from workflows_ui.core import clock
from workflows_ui.core.paths import text_of
from workflows_ui.core.readers import EngineObject, as_number, parts, text, tree
from workflows_ui.credentials.services import clients, credential_tests
from workflows_ui.credentials.services.credential_tests import Choice, Code, Problem, error_code
from workflows_ui.engine import (
    AccessToken,
    Anonymous,
    CredentialRefused,
    EngineError,
    Mask,
    NotFound,
    Refused,
    Workflows,
    claims,
)
from workflows_ui.members.models import Flavour

_NOTHING_HIDDEN = Mask(())
#: Milliseconds rather than seconds since 1970, if a number is larger than this.
_SECONDS = 100_000_000_000


class _Organization(EngineObject):
    """An organization of a person at Imbrace, in the spellings of its builds."""

    organization_id = text("organization_id")
    id = text("id")
    display_name = text("display_name")
    name = text("name")
    is_active = tree("is_active")


class _SignIn(EngineObject):
    """The answer of a sign-in."""

    token = text("token")
    project_id = text("projectId")
    expired_at = tree("expired_at")
    organizations = parts("organizations", _Organization)


@dataclass(frozen=True)
class Typed:
    """A person's input for a sign-in. Exactly one of `password` and `code` is given."""

    flavour: str
    base: str
    email: str
    password: str = field(default="", repr=False)
    code: str = field(default="", repr=False)


@dataclass(frozen=True)
class Token:
    """The result of a sign-in: the token and its end, None if unknown."""

    secret: str = field(repr=False)
    ends_at: datetime | None
    #: The project that an Activepieces signs in to, of those that the token opens.
    project_id: str = ""


def request_code(base: str, email: str) -> None:
    """Request a one-time code by mail from Imbrace. Raises Problem."""
    with _problems(base):
        _workflows(Flavour.IMBRACE, base, Anonymous()).request_code(email)


def begin(typed: Typed) -> tuple[str, list[Choice]]:
    """Sign in at Imbrace, up to the choice of an organization; returns the login token, three hours old at most, and the organizations.

    Raises Problem.
    """
    with _problems(typed.base):
        login = _authenticate(_workflows(Flavour.IMBRACE, typed.base, Anonymous((typed.password, typed.code))), typed)
        organizations = login.organizations
        if not organizations:
            workflows = _workflows(Flavour.IMBRACE, typed.base, AccessToken(login.token))
            organizations = list(map(_Organization, workflows.list_organizations()))
    choices = [choice for choice in map(_choice, organizations) if choice is not None]
    if not choices:
        raise Problem(Code.NO_ORGANIZATION)
    return login.token, choices


def finish(base: str, login: str, organization_id: str) -> Token:
    """Exchange the login token for an access token of one organization. Raises Problem."""
    with _problems(base):
        workflows = _workflows(Flavour.IMBRACE, base, AccessToken(login))
        return _token(workflows.exchange_login_token(organization_id))


def sign_in(typed: Typed, organization_id: str = "") -> Token:
    """Sign in at a plain Activepieces, or at Imbrace for one organization. Raises Problem."""
    if typed.flavour == Flavour.IMBRACE:
        login, _organizations = begin(typed)
        return finish(typed.base, login, organization_id)
    with _problems(typed.base):
        workflows = _workflows(Flavour.ACTIVEPIECES, typed.base, Anonymous((typed.password,)))
        try:
            return _token(workflows.sign_in(typed.email, typed.password))
        except NotFound as error:
            # There is no sign-in, or no engine, for instance if /api is missing.
            code = Code.NO_SIGN_IN if credential_tests.answers(typed.base) else Code.NOT_AN_ENGINE
            raise Problem(code, error=error, base=typed.base) from None


def exchange_token(base: str, token: str, organization_id: str) -> Token:
    """A new access token of the same organization for a valid one, without a password. Raises Problem."""
    with _problems(base):
        workflows = _workflows(Flavour.IMBRACE, base, AccessToken(token))
        return _token(workflows.exchange_access_token(organization_id))


def end_of(secret: str) -> datetime | None:
    """The end of a JWT by its claim `exp`, without a check of its signature; None for any other secret."""
    return _moment(claims(secret).get("exp"))


def _authenticate(workflows: Workflows, typed: Typed) -> _SignIn:
    if not typed.code:
        return _SignIn(workflows.authenticate(typed.email, password=typed.password))
    try:
        return _SignIn(workflows.authenticate(typed.email, code=typed.code))
    except (Refused, NotFound):
        # A build that does not accept codes there may accept them here (api.md 2.4).
        return _SignIn(workflows.sign_in_with_code(typed.email, typed.code))


@contextmanager
def _problems(base: str) -> Iterator[None]:
    """Raise errors of the engine at this address as Problem."""
    try:
        yield
    except NotFound as error:
        raise Problem(Code.NO_SIGN_IN, error=error, base=base) from None
    except EngineError as error:
        # 400 with code 40004 or 40005 on Imbrace, 401 on Activepieces: address and password are not distinguished.
        wrong = isinstance(error, Refused | CredentialRefused) and error.status != HTTPStatus.METHOD_NOT_ALLOWED
        raise Problem(Code.WRONG_SIGN_IN if wrong else error_code(error), error=error, base=base) from None


def _workflows(flavour: str, base: str, auth: AccessToken | Anonymous) -> Workflows:
    """Calls without a mask, since the answer is the secret; the messages of errors are masked. Raises AddressRefused."""
    return clients.build(flavour, base, auth, timeouts=credential_tests.TIMEOUTS, mask=_NOTHING_HIDDEN).workflows


def _token(answer: Mapping[str, object]) -> Token:
    found = _SignIn(answer)
    return Token(found.token, _moment(found.expired_at) or end_of(found.token), found.project_id)


def _moment(value: object) -> datetime | None:
    """A time in the engine's format, or as seconds or milliseconds since 1970."""
    number = as_number(value)
    if number is None:
        return clock.parse_time(text_of(value))
    try:
        return datetime.fromtimestamp(number / 1000 if number > _SECONDS else number, UTC)
    except (OverflowError, OSError, ValueError):
        return None


def _choice(organization: _Organization) -> Choice | None:
    organization_id = organization.organization_id or organization.id
    if not organization_id or organization.is_active is False:
        return None
    name = organization.display_name or organization.name
    label = name if name.strip() else organization_id
    return Choice(organization_id[:120], label[:300])
