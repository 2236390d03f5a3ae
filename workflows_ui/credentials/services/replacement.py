"""Replacement of a credential's secret by a tested one, and its reversal with one click.

Running launches are not affected: they use the credential as it is when they are sent, and a request in flight has its header already.
"""

from dataclasses import replace
from datetime import datetime

from django.db import transaction

from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.core import clock
from workflows_ui.credentials.models import Credential, CredentialSecret, Health
from workflows_ui.credentials.services import credential_tests, engine_facts, renewal, secret_rotation
from workflows_ui.credentials.services.credential_tests import Code, Draft, Findings, Problem
from workflows_ui.credentials.services.secret_rotation import PLAIN, SEALED, Changed


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
    new = Credential(
        id=credential.pk,
        workspace=credential.workspace,
        owner=credential.owner,
        kind=draft.kind,
        organization_id=draft.organization_id,
        email=draft.email,
        ends_at=draft.ends_at,
    )
    new.secret, new.password = new.seal("secret", draft.secret.strip()), new.seal("password", draft.password)
    now = clock.now()
    with transaction.atomic():
        aside = secret_rotation.put_aside(actor, credential, now)
        _swap(credential, new, now, health=Health.WORKS, findings=findings.plain(), tested_at=now)
        keep_until = aside.keep_until.isoformat()
        if findings.facts is not None:
            engine_facts.keep(credential.workspace, findings.facts)
        secret_rotation.record(actor, "credential.replace", credential, kind=str(new.kind), old_kept_until=keep_until)
    return aside


def put_back(actor: Actor, credential: Credential, aside: CredentialSecret) -> None:
    """Restore a replaced secret; the current one is stored as replaced. Raises Changed, crypto.CannotOpen."""
    plain = {name: getattr(aside, name) for name in PLAIN}
    new = Credential(id=credential.pk, workspace=credential.workspace, owner=credential.owner, **plain)
    aside.credential = credential
    for name in SEALED:
        setattr(new, name, new.seal(name, aside.open(name)))
    now = clock.now()
    with transaction.atomic():
        secret_rotation.put_aside(actor, credential, now)
        if not secret_rotation.destroy(CredentialSecret.objects.filter(pk=aside.pk), now):
            raise Changed
        _swap(credential, new, now, health="", findings={}, tested_at=None)
        secret_rotation.record(actor, "credential.put_back", credential, kind=str(new.kind))


def _swap(credential: Credential, new: Credential, now: datetime, **more: object) -> None:
    values = {name: getattr(new, name) for name in (*PLAIN, *SEALED)} | more
    values |= {"renew_at": renewal.when(new.kind, now, new.ends_at), "renew_until": None, "replaced_at": now}
    values |= {"renew_failures": 0, "renew_problem": ""}
    secret_rotation.swap(credential, values)
    for name, value in values.items():
        setattr(credential, name, value)
