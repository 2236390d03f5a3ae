"""Another secret takes a credential's place, once it was tested; and one click brings the old one back.

Launches that are under way are not touched: they use the credential as it is when they are sent, and a call in the air has its header
already.
"""

from datetime import datetime

from django.db import transaction

from workflows_ui.models import Credential, CredentialSecret, Health
from workflows_ui.services import clock, renewing, swapping
from workflows_ui.services.audit import Actor
from workflows_ui.services.probe import Code, Draft, Findings, Problem
from workflows_ui.services.swapping import PLAIN, SEALED, Changed

__all__ = ["Changed", "check", "put_back", "take_over"]


def check(credential: Credential, findings: Findings) -> None:
    """Raises Problem where a tested secret opens another project than the credential's workspace."""
    if findings.project_id != credential.workspace.project_id:
        raise Problem(Code.NOT_OF_THIS_PROJECT, found=findings.project_name or findings.project_id)


def take_over(actor: Actor, credential: Credential, draft: Draft, findings: Findings) -> CredentialSecret:
    """Puts a tested secret in the place of the one that `credential` was read with. Gives the old one as it is kept.

    Of two at once one is quicker, and the other gets Changed. Raises Problem (see `check`), Changed.
    """
    check(credential, findings)
    new = Credential(
        id=credential.pk,
        kind=draft.kind,
        organization_id=draft.organization_id,
        email=draft.email,
        ends_at=draft.ends_at,
    )
    new.secret, new.password = new.seal("secret", draft.secret.strip()), new.seal("password", draft.password)
    now = clock.now()
    with transaction.atomic():
        aside = swapping.put_aside(actor, credential, now)
        _put(credential, new, now, health=Health.WORKS, findings=findings.plain(), tested_at=now)
        kept = aside.keep_until.isoformat()
        swapping.record(actor, "credential.replace", credential, kind=str(new.kind), old_kept_until=kept)
    return aside


def put_back(actor: Actor, credential: Credential, aside: CredentialSecret) -> None:
    """Brings a replaced secret back; the one in its place is put aside in turn. Raises Changed, crypto.CannotOpen."""
    new = Credential(id=credential.pk, **{name: getattr(aside, name) for name in PLAIN})
    for name in SEALED:
        setattr(new, name, new.seal(name, aside.open(name)))
    now = clock.now()
    with transaction.atomic():
        swapping.put_aside(actor, credential, now)
        if not swapping.destroy(CredentialSecret.objects.filter(pk=aside.pk), now):
            raise Changed
        _put(credential, new, now, health="", findings={}, tested_at=None)
        swapping.record(actor, "credential.put_back", credential, kind=str(new.kind))


def _put(credential: Credential, new: Credential, now: datetime, **more: object) -> None:
    values = {name: getattr(new, name) for name in (*PLAIN, *SEALED)} | more
    values |= {"renew_at": renewing.when(new.kind, now, new.ends_at), "renew_until": None, "replaced_at": now}
    values |= {"renew_failures": 0, "renew_problem": ""}
    swapping.swap(credential, values)
    for name, value in values.items():
        setattr(credential, name, value)
