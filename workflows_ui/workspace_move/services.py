"""Moves a workspace to another engine address or project, after a manager entered secrets that work there.

History, launches, forms and rights stay. Secrets are not moved: each is entered again, by the manager or later by its owner. A launch
stores the workspace's number of moves at its request: it is not sent after a move, and the run lists of another engine never prove that
it did not run.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from workflows_ui.accounts.models import User
from workflows_ui.audit.services import audit_log
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.core import clock, masking
from workflows_ui.credentials.models import Capability, Credential, CredentialSecret, Inspection
from workflows_ui.credentials.services import clients, credential_tests, secret_rotation
from workflows_ui.credentials.services.credential_tests import Code, Draft, Findings, Problem, SeveralProjects
from workflows_ui.jobs.models import JOB_OVER, Job
from workflows_ui.jobs.services import jobs
from workflows_ui.launches.models import UNSENT, Follow, Launch
from workflows_ui.members.models import Workspace, place


class Taken(Exception):
    """`workspace` already has this project on this engine."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace.slug)
        self.workspace = workspace


class Moved(Exception):
    """The workspace was moved in the meantime: nothing was done."""


class SamePlace(Exception):
    """The workspace already has this address and project."""


@dataclass(frozen=True)
class Entered:
    """A secret that works at the new address: for `credential`, or for a new credential if None."""

    credential: Credential | None
    draft: Draft
    findings: Findings


def own_credentials(user: User, workspace: Workspace) -> list[Credential]:
    """The person's own credentials in a workspace, the newest first."""
    rows = Credential.objects.filter(workspace=workspace, owner=user).select_related("workspace", "owner")
    return list(rows.order_by("-created_at", "-pk"))


def consequences(user: User, workspace: Workspace) -> dict[str, object]:
    """The effects of a move: the credentials of `others`, and the number of launches `waiting` to be sent."""
    others = Credential.objects.filter(workspace=workspace).exclude(owner=user).select_related("owner")
    waiting = Launch.objects.filter(workspace=workspace, state__in=UNSENT).count()
    return {"others": list(others.order_by("owner__username", "name", "pk")), "waiting": waiting}


def test(workspace: Workspace, draft: Draft, first: Findings | None) -> Findings:
    """Test a secret at the new address, for the draft's project, else the workspace's if the secret opens it, else the only one that it
    opens. It must be the project of `first`, the findings of the first secret. Raises Problem, SeveralProjects."""
    try:
        findings = credential_tests.test(draft)
    except SeveralProjects as several:
        if workspace.project_id not in {project.id for project in several.projects}:
            raise
        findings = credential_tests.test(replace(draft, project_id=workspace.project_id))
    if first is not None and findings.project_id != first.project_id:
        raise Problem(Code.NOT_OF_THIS_PROJECT, found=findings.project_name or findings.project_id)
    return findings


def move(actor: Actor, workspace: Workspace, entered: Sequence[Entered]) -> None:
    """Move a workspace to the address and project of the tested secrets. Raises Taken, Moved, SamePlace, Problem without any change."""
    draft, findings = entered[0].draft, entered[0].findings
    if any(secret.findings.project_id != findings.project_id for secret in entered):
        raise Problem(Code.NOT_OF_THIS_PROJECT)
    target = {"flavour": draft.flavour, "address": draft.base, "project_id": findings.project_id}
    taken = Workspace.objects.filter(**target).exclude(pk=workspace.pk)
    try:
        with transaction.atomic():
            if (other := taken.first()) is not None:
                raise Taken(other)
            current = Workspace.objects.select_for_update().get(pk=workspace.pk)
            if current.moves != workspace.moves:
                raise Moved
            before = place(current)
            if current.genuine and all(getattr(current, name) == value for name, value in target.items()):
                raise SamePlace
            _update_workspace(current, draft, findings)
            now = clock.now()
            _store_secrets(actor, current, entered, now)
            _reset_state(actor, current, now)
            masking.secrets_changed(current)
            audit_log.record(actor, "workspace.move", current, detail=place(current) | {"before": before})
    except IntegrityError:
        other = taken.first()
        if other is None:
            raise
        raise Taken(other) from None
    workspace.refresh_from_db()


def _update_workspace(workspace: Workspace, draft: Draft, findings: Findings) -> None:
    workspace.address, workspace.environment = draft.base, draft.environment
    workspace.project_id, workspace.project_name = findings.project_id, findings.project_name
    workspace.flavour, workspace.organization_id = draft.flavour, findings.organization_id
    workspace.engine_version = findings.version
    workspace.engine_limits = findings.facts.limits if findings.facts else {}
    # It is not known yet whether this engine returns the marker.
    workspace.marker_seen_at = None
    workspace.moves += 1
    workspace.refused = ""
    workspace.mark = workspace.new_mark()
    workspace.save()


def _store_secrets(actor: Actor, workspace: Workspace, entered: Sequence[Entered], now: datetime) -> None:
    """Store the entered secrets; empty all others of the workspace and notify their owners."""
    secret_rotation.destroy(CredentialSecret.objects.filter(credential__workspace=workspace), now)
    by_id = {secret.credential.pk: secret for secret in entered if secret.credential is not None}
    for row in Credential.objects.filter(workspace=workspace).select_related("owner"):
        row.workspace = workspace
        secret = by_id.get(row.pk)
        if secret is not None:
            _store(row, secret, now)
            continue
        row.secret = row.password = row.refused = row.health = row.renew_problem = ""
        row.findings, row.tested_at, row.ends_at, row.renew_at, row.renew_until = {}, None, None, None, None
        row.save()
        clients.tell_to_enter(row, f"moved:{workspace.moves}")
    for secret in entered:
        if secret.credential is None and actor.user is not None:
            row = Credential(workspace=workspace, owner=actor.user, name=(secret.draft.name or workspace.name)[:120])
            _store(row, secret, now)
            audit_log.record(actor, "credential.add", row, kind=str(row.kind))


def _store(row: Credential, secret: Entered, now: datetime) -> None:
    secret_rotation.fill(row, secret.draft, secret.findings, now)
    row.refused, row.replaced_at = "", now
    row.save()


def _reset_state(actor: Actor, workspace: Workspace, now: datetime) -> None:
    """Delete the known capabilities of the old engine, and stop jobs, which refer to its objects."""
    for job in Job.objects.filter(workspace=workspace).exclude(state__in=JOB_OVER).select_related("workspace", "user"):
        jobs.stop(actor, job)
    Capability.objects.filter(workspace=workspace).delete()
    Inspection.objects.filter(workspace=workspace).update(due_at=now, failures=0)
    Follow.objects.filter(workspace=workspace).update(not_before=now + timedelta(seconds=1), failures=0, trouble="")
