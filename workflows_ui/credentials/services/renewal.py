"""Renewal of tokens before they expire: once, by one worker; the old token stays until there is a new one."""

import uuid
from datetime import timedelta

import structlog
from django.db import transaction

from workflows_ui.audit.services import audit_log
from workflows_ui.audit.services.audit_log import CONSOLE
from workflows_ui.core import clock, database
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.core.lease import backoff
from workflows_ui.credentials.models import Credential, CredentialKind
from workflows_ui.credentials.services import clients, credential_tests, credentials, secret_rotation, signing_in
from workflows_ui.credentials.services.credential_tests import Code, Problem
from workflows_ui.credentials.services.secret_rotation import Changed
from workflows_ui.credentials.services.signing_in import Token, Typed

log = structlog.get_logger(__name__)

#: After this time another worker takes over a renewal.
LEASE = timedelta(minutes=2)
#: The pause after a temporary failure, doubled with each, and its maximum.
AGAIN, LONGEST = timedelta(minutes=5), timedelta(hours=6)
#: The most credentials of one sweep.
SWEPT = 50


def due() -> list[uuid.UUID]:
    """Ids of the credentials whose renewal is due and not running."""
    now = clock.now()
    waiting = Credential.objects.filter(Credential.renewal.free(now), renew_at__lte=now)
    return list(waiting.values_list("pk", flat=True)[:SWEPT])


def renew(credential_id: uuid.UUID) -> None:
    """Renew one token, if that is due. Safe to call any number of times, from any number of workers."""
    with database.turn():
        now = clock.now()
        waiting = Credential.objects.filter(renew_at__lte=now)
        credential = Credential.renewal.claim(waiting, credential_id, LEASE, now, ("workspace",))
        if credential is None:
            return
        try:
            secret, password = clients.open_secrets(credential)
        except CannotOpen as problem:
            _record_failure(credential, Problem(credential_tests.problem_code(problem)))
            return
    try:
        token = _fetch_token(credential, secret, password)
    except Problem as problem:
        with database.turn():
            _record_failure(credential, problem)
        return
    with database.turn():
        _store(credential, token)
        renewed = Credential.objects.select_related("workspace").get(pk=credential.pk)
    # That it works is said of a secret that was tested.
    credentials.retest(renewed, renews=False)


def _fetch_token(credential: Credential, secret: str, password: str) -> Token:
    """A new token. At Imbrace a valid old one is enough; else, and at Activepieces, the password is needed. Raises Problem."""
    workspace, error = credential.workspace, None
    if credential.kind == CredentialKind.SIGN_IN:
        try:
            return signing_in.exchange_token(workspace.address, secret, credential.organization_id)
        except Problem as problem:
            if problem.code not in credential_tests.SECRET_PROBLEMS | {Code.NO_SIGN_IN}:
                raise
            error = problem.error
    if not password:
        raise Problem(Code.NO_PASSWORD, error=error)
    typed = Typed(workspace.flavour, workspace.address, credential.email, password)
    return signing_in.sign_in(typed, credential.organization_id)


def _store(credential: Credential, token: Token) -> None:
    """Replace the old token by the new one, unless a person replaced it meanwhile."""
    now = clock.now()
    values = {
        "secret": credential.seal("secret", token.secret),
        "ends_at": token.ends_at,
        "renew_at": secret_rotation.renewal_time(credential, now, token.ends_at),
        "renew_failures": 0,
        "renew_problem": "",
        **Credential.renewal.released_values,
    }
    try:
        with transaction.atomic():
            # The old token may still be valid and occur in run data: it is kept for masking.
            secret_rotation.put_aside(CONSOLE, credential, now)
            secret_rotation.swap(credential, values)
            ends = token.ends_at.isoformat() if token.ends_at else ""
            audit_log.record(CONSOLE, "credential.renew", credential, ends_at=ends)
    except Changed:
        Credential.renewal.release(credential)


def _record_failure(credential: Credential, problem: Problem) -> None:
    """Keep the old token. A failure that only a person can fix is not retried: a repeated wrong password locks an account."""
    log.warning("credential.renew_failed", credential=str(credential.pk), problem=problem.code.value)
    failures = credential.renew_failures + 1
    permanent = problem.code in credential_tests.SECRET_PROBLEMS
    again = clock.now() + backoff(AGAIN, failures, LONGEST)
    rows = Credential.objects.filter(pk=credential.pk, replaced_at=credential.replaced_at)
    with transaction.atomic():
        rows.update(
            renew_at=None if permanent else again,
            renew_failures=failures,
            renew_problem=problem.code.value,
            **Credential.renewal.released_values,
        )
        if permanent or failures == 1:
            audit_log.record(CONSOLE, "credential.renew", credential, outcome=problem.code.value)
