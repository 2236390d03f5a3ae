"""Tokens that end are renewed before they do: by one worker, once, and the old one stays until there is a new one."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import Q

from workflows_ui.crypto import CannotOpen
from workflows_ui.models import SIGNED_IN_KINDS, Credential, Flavour, Kind
from workflows_ui.services import clock, database, probe, signing_in, swapping
from workflows_ui.services.audit import CONSOLE
from workflows_ui.services.probe import Code, Problem
from workflows_ui.services.signing_in import Token, Typed
from workflows_ui.services.swapping import Changed

log = structlog.get_logger(__name__)

#: A renewal that has not come back after so long is taken over by another worker.
LEASE = timedelta(minutes=2)
#: At the latest so long before the end; a short-lived token when a fifth of its life is left.
AHEAD = timedelta(days=3)
#: After a failure that may pass: so long, doubled with each, up to a quarter of a day.
AGAIN, LONGEST = timedelta(minutes=5), timedelta(hours=6)
#: Credentials named by one sweep.
SWEPT = 50


@dataclass(frozen=True)
class _Work:
    credential: Credential
    secret: str
    password: str


def when(kind: str, now: datetime, ends_at: datetime | None) -> datetime | None:
    """When a token got now should be renewed; None where it has no known end, or cannot be renewed."""
    if kind not in SIGNED_IN_KINDS or ends_at is None or ends_at <= now:
        return None
    return ends_at - min(AHEAD, (ends_at - now) / 5)


def due() -> list[uuid.UUID]:
    """Ids of the credentials to renew now that nobody is renewing."""
    now = clock.now()
    return list(Credential.objects.filter(_free(now), renew_at__lte=now).values_list("pk", flat=True)[:SWEPT])


def renew(credential_id: uuid.UUID) -> None:
    """Renews one token whose time has come. Safe to call any number of times, from any number of workers."""
    with database.turn():
        work = _take(credential_id)
    if work is None:
        return
    try:
        token = _fetched(work)
    except Problem as problem:
        with database.turn():
            _failed(work.credential, problem)
        return
    with database.turn():
        _keep(work.credential, token)


def _free(now: datetime) -> Q:
    return Q(renew_until__isnull=True) | Q(renew_until__lt=now)


def _take(credential_id: uuid.UUID) -> _Work | None:
    now = clock.now()
    if not Credential.objects.filter(_free(now), pk=credential_id, renew_at__lte=now).update(renew_until=now + LEASE):
        return None
    credential = Credential.objects.select_related("workspace").get(pk=credential_id)
    try:
        return _Work(credential, credential.open("secret"), credential.open("password"))
    except CannotOpen:
        _failed(credential, Problem(Code.CANNOT_OPEN))
        return None


def _fetched(work: _Work) -> Token:
    """A new token. At Imbrace the old one is enough while it works; else, and at Activepieces, the password is needed. Raises Problem."""
    credential = work.credential
    base, password = credential.workspace.address, work.password
    if credential.kind == Kind.BEARER_SIGN_IN:
        if not password:
            raise Problem(Code.NO_PASSWORD)
        return signing_in.sign_in(Typed(Flavour.ACTIVEPIECES, base, credential.email, password))
    try:
        return signing_in.exchanged(base, work.secret, credential.organization_id)
    except Problem as problem:
        if problem.code not in probe.OF_THE_SECRET | {Code.NO_SIGN_IN}:
            raise
        if not password:
            raise Problem(Code.NO_PASSWORD, error=problem.error) from None
    begun = signing_in.begin(Typed(Flavour.IMBRACE, base, credential.email, password))
    return signing_in.finish(begun, credential.organization_id)


def _keep(credential: Credential, token: Token) -> None:
    """The new token takes the old one's place, unless a person replaced that meanwhile: then theirs stays."""
    now = clock.now()
    values = {
        "secret": credential.seal("secret", token.secret),
        "ends_at": token.ends_at,
        "renew_at": when(credential.kind, now, token.ends_at),
        "renew_until": None,
        "renew_failures": 0,
        "renew_problem": "",
    }
    try:
        with transaction.atomic():
            # The old token may still be good, and turn up in run data: it is kept to be masked.
            swapping.put_aside(CONSOLE, credential, now)
            swapping.swap(credential, values)
            ends = token.ends_at.isoformat() if token.ends_at else ""
            swapping.record(CONSOLE, "credential.renew", credential, ends_at=ends)
    except Changed:
        Credential.objects.filter(pk=credential.pk).update(renew_until=None)


def _failed(credential: Credential, problem: Problem) -> None:
    """The old token stays. What can only be mended by a person is not tried again: a wrong password, sent often, locks an account."""
    log.warning("credential.renew_failed", credential=str(credential.pk), problem=problem.code.value)
    failures = credential.renew_failures + 1
    hopeless = problem.code in probe.OF_THE_SECRET
    again = clock.now() + min(AGAIN * 2 ** min(failures - 1, 10), LONGEST)
    rows = Credential.objects.filter(pk=credential.pk, replaced_at=credential.replaced_at)
    with transaction.atomic():
        rows.update(
            renew_at=None if hopeless else again,
            renew_until=None,
            renew_failures=failures,
            renew_problem=problem.code.value,
        )
        if hopeless or failures == 1:
            swapping.record(CONSOLE, "credential.renew", credential, outcome=problem.code.value)
