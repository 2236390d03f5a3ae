"""Replacement of a credential's secret by a tested one, and its reversal with one click.

Running launches are not affected: they use the credential as it is when they are sent, and a request in flight has its header already.
"""

from dataclasses import replace
from datetime import datetime

from django.db import transaction

from workflows_ui.audit.services import audit_log
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.core import clock
from workflows_ui.credentials.models import Credential, CredentialSecret, Health
from workflows_ui.credentials.services import credential_tests, engine_facts, renewal, secret_rotation
from workflows_ui.credentials.services.credential_tests import Code, Draft, Findings, Problem
from workflows_ui.credentials.services.secret_rotation import PLAIN, SEALED, Changed

#: The columns that a replacement changes.
_REPLACED = (
    *(*PLAIN, *SEALED, "replaced_at", "health", "findings", "tested_at"),
    *("renew_at", "renew_until", "renew_failures", "renew_problem"),
)


def test(credential: Credential, draft: Draft) -> Findings:
    """Test a new secret of a credential, which must open the project of its workspace. Raises Problem, crypto.PlaceChanged."""
    credential.workspace.require_genuine()
    try:
        findings = credential_tests.test(replace(draft, project_id=credential.workspace.project_id))
    except Problem as problem:
        if problem.code is Code.OTHER_PROJECT:
            raise Problem(Code.NOT_OF_THIS_PROJECT, error=problem.error, found=problem.found) from None
        raise
    check(credential, findings)
    return findings


def check(credential: Credential, findings: Findings) -> None:
    """Raises Problem if a tested secret opens another project than the credential's workspace."""
    if findings.project_id != credential.workspace.project_id:
        raise Problem(Code.NOT_OF_THIS_PROJECT, found=findings.project_name or findings.project_id)


def take_over(actor: Actor, credential: Credential, draft: Draft, findings: Findings) -> CredentialSecret:
    """Replace the secret that `credential` was read with by a tested one; returns the stored old one.

    Of two concurrent replacements, the second raises Changed. Raises Problem (see `check`), Changed.
    """
    check(credential, findings)
    now = clock.now()
    new = Credential(id=credential.pk, workspace=credential.workspace, owner=credential.owner, replaced_at=now)
    fill(new, draft, findings, now)
    with transaction.atomic():
        aside = secret_rotation.put_aside(actor, credential, now)
        _swap(credential, new)
        keep_until = aside.keep_until.isoformat()
        if findings.facts is not None:
            engine_facts.keep(credential.workspace, findings.facts)
        audit_log.record(actor, "credential.replace", credential, kind=str(new.kind), old_kept_until=keep_until)
    return aside


def put_back(actor: Actor, credential: Credential, aside: CredentialSecret) -> None:
    """Restore a replaced secret; the current one is stored as replaced. Raises Changed, crypto.CannotOpen."""
    plain = {name: getattr(aside, name) for name in PLAIN}
    new = Credential(id=credential.pk, workspace=credential.workspace, owner=credential.owner, **plain)
    aside.credential = credential
    for name in SEALED:
        setattr(new, name, new.seal(name, aside.open(name)))
    now = clock.now()
    new.replaced_at, new.renew_at = now, renewal.when(new.kind, now, new.ends_at)
    with transaction.atomic():
        secret_rotation.put_aside(actor, credential, now)
        if not secret_rotation.destroy(CredentialSecret.objects.filter(pk=aside.pk), now):
            raise Changed
        _swap(credential, new)
        audit_log.record(actor, "credential.put_back", credential, kind=str(new.kind))


def fill(row: Credential, draft: Draft, findings: Findings, now: datetime) -> None:
    """Set the columns of a row to a tested secret, with its findings and the time of its renewal; does not save it."""
    for name in PLAIN:
        setattr(row, name, getattr(draft, name))
    row.secret, row.password = row.seal("secret", draft.secret.strip()), row.seal("password", draft.password)
    row.health, row.findings, row.tested_at = Health.WORKS, findings.plain(), now
    row.renew_at, row.renew_until = renewal.when(row.kind, now, row.ends_at), None
    row.renew_failures, row.renew_problem = 0, ""


def _swap(credential: Credential, new: Credential) -> None:
    values = {name: getattr(new, name) for name in _REPLACED}
    secret_rotation.swap(credential, values)
    for name, value in values.items():
        setattr(credential, name, value)
