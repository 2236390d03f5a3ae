"""Credentials: adding after a test, renaming, testing again, sharing and destroying; and creating their workspaces.

A stored secret is opened only in `services.clients`. No audit row, message or exception here contains it.
"""

import contextlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.text import slugify

from workflows_ui.accounts.models import User
from workflows_ui.audit.services import audit_log
from workflows_ui.audit.services.audit_log import CONSOLE, Actor
from workflows_ui.core import database, masking
from workflows_ui.core.collation import sort_key
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.credentials.models import SIGNED_IN_KINDS, Credential, Health
from workflows_ui.credentials.services import (
    capabilities,
    clients,
    credential_tests,
    engine_facts,
    secret_rotation,
    sharing,
)
from workflows_ui.credentials.services.credential_tests import Code, Draft, Findings, Problem
from workflows_ui.engine import AddressRefused
from workflows_ui.members.models import Colour, Flavour, Member, Role, Workspace, place
from workflows_ui.members.services import access, launcher_pages, members, teams
from workflows_ui.members.services.access import Access
from workflows_ui.members.services.launcher_pages import Preset

#: The stripe of a new workspace, by environment; live has none.
_COLOURS = {"sandbox": Colour.BLUE, "develop": Colour.ORANGE}
#: Problems of a token that a new sign-in may solve.
_RENEWED = (Code.REFUSED, Code.SESSION_ENDED)

Outcome = Literal["created workspace", "joined", "asked"]


@dataclass(frozen=True)
class Added:
    """The result of adding a credential."""

    credential: Credential
    workspace: Workspace
    outcome: Outcome


def add(actor: Actor, draft: Draft, findings: Findings) -> Added:
    """Save a tested credential for the actor. The first credential of a project creates its workspace, with the actor as manager; a
    member of the workspace adds it there; for other people, an access request to the managers is made.

    If two people add one at the same time, one workspace is created: a unique constraint decides. Raises ValueError without a person.
    """
    if actor.user is None:
        raise ValueError("A credential needs an owner.")
    with transaction.atomic():
        workspace, created = _workspace(draft, findings)
        if not created:
            engine_facts.keep(workspace, findings.facts)
        name = (draft.name or findings.project_name or workspace.name)[:120]
        credential = Credential(workspace=workspace, owner=actor.user, name=name)
        secret_rotation.fill(credential, draft, findings, timezone.now())
        credential.save(force_insert=True)
        masking.secrets_changed(workspace)
        outcome: Outcome = "asked"
        if created:
            Member.objects.create(workspace=workspace, user=actor.user, role=Role.MANAGER)
            audit_log.record(actor, "workspace.create", workspace, detail=place(workspace))
            outcome = "created workspace"
        elif access.belongs(actor.user, workspace):
            outcome = "joined"
        else:
            members.ask(actor, workspace, actor.user)
        audit_log.record(actor, "credential.add", credential, kind=credential.kind, findings=findings.plain())
    return Added(credential=credential, workspace=workspace, outcome=outcome)


def visible(viewer: Access) -> QuerySet[Credential]:
    """The credentials that a member may see: their own and their teams'; for a manager, all."""
    rows = Credential.objects.filter(workspace=viewer.workspace).select_related("owner", "workspace", "last_used_by")
    if not viewer.allows(Role.MANAGER):
        shares = sharing.genuine(credential__workspace=viewer.workspace, team__in=viewer.user.groups.all())
        rows = rows.filter(Q(owner=viewer.user) | Q(pk__in=[share.credential_id for share in shares]))
    return rows.order_by("name", "created_at")


def manageable(viewer: Access, credential: Credential) -> bool:
    """Whether the member may rename, test and delete the credential: its owner and managers may."""
    return credential.owner_id == viewer.user.pk or viewer.allows(Role.MANAGER)


def retest(credential: Credential, actor: Actor = CONSOLE, *, renews: bool = True) -> Findings | Problem:
    """Test a saved credential again and store the result. A problem is returned, not raised, since it is a result too.

    The result is not stored if the secret was replaced meanwhile. Holds no database connection during the calls.

    Args:
        renews: a token that the engine refuses is renewed with the kept password at once, unless that failed before.
    """
    result: Findings | Problem
    may: dict[str, list[str]] = {}
    try:
        with database.turn():
            client = clients.client_for_credential(credential, timeouts=credential_tests.TIMEOUTS)
        result = credential_tests.check_client(
            client,
            kind=credential.kind,
            organization_id=credential.organization_id,
            project_id=credential.workspace.project_id,
        )
        if result.project_id != credential.workspace.project_id:
            result = Problem(Code.OTHER_PROJECT, found=result.project_name or result.project_id)
        else:
            may = capabilities.allowed(capabilities.look([(credential, client)], capabilities.MAY), credential.pk)
    except CannotOpen as problem:
        result = Problem(credential_tests.problem_code(problem))
    except AddressRefused as error:
        result = Problem(Code.ADDRESS_REFUSED, error=error)
    except ValueError:
        result = Problem(Code.MALFORMED_SECRET)
    except Problem as problem:
        result = problem
    with database.turn():
        _store_result(credential, result, may, actor)
        if renews and isinstance(result, Problem) and result.code in _RENEWED:
            rows = Credential.objects.filter(pk=credential.pk, kind__in=SIGNED_IN_KINDS, renew_problem="")
            rows.exclude(password="").update(renew_at=timezone.now())
    return result


def _store_result(credential: Credential, result: Findings | Problem, may: dict[str, list[str]], actor: Actor) -> None:
    if isinstance(result, Problem):
        credential.health = Health.REFUSED if result.code in credential_tests.SECRET_PROBLEMS else Health.UNREACHABLE
        credential.findings = credential.findings | {
            "problem": result.code.value,
            "found": result.found,
            "technical": result.technical,
        }
    else:
        credential.health = Health.WORKS
        credential.findings = result.plain() | may
        engine_facts.keep(credential.workspace, result.facts)
    credential.tested_at = timezone.now()
    Credential.objects.filter(pk=credential.pk, secret=credential.secret).update(
        health=credential.health, findings=credential.findings, tested_at=credential.tested_at
    )
    audit_log.record(actor, "credential.test", credential, outcome=credential.health)


def rename(actor: Actor, credential: Credential, name: str) -> None:
    before, credential.name = credential.name, name
    with transaction.atomic():
        credential.save(update_fields=["name"])
        audit_log.record(actor, "credential.rename", credential, before=before, after=name)


def teams_for(viewer: Access, credential: Credential) -> list[Group]:
    """The teams that a member may share a credential with or stop sharing it with, by name.

    These are the teams that it is shared with, or that its owner is asked for, and, for a manager, all teams of the workspace
    (teams.teams_within); for its owner, those of them that they are in or own. Empty for other people.
    A credential that was taken over acts where it acted, and is not shared further.
    """
    if not manageable(viewer, credential):
        return []
    rows = teams.teams_within([viewer.workspace])
    if not viewer.allows(Role.MANAGER):
        rows = rows.filter(Q(user=viewer.user) | Q(owners__user=viewer.user))
    if credential.taken_over:
        rows = rows.none()
    asked = [row.team for row in sharing.waiting(credential=credential)]
    by_id = {team.pk: team for team in [*rows, *sharing.teams(credential), *asked]}
    return sorted(by_id.values(), key=lambda team: (sort_key(team.name), team.pk))


def share(actor: Actor, viewer: Access, credential: Credential, wanted: Collection[Group]) -> bool:
    """Share a credential with exactly these teams: it is used for each of their members who has no credential.

    The owner stays the same, and is asked for new teams if somebody else shares it. The secret is not shown. Return whether
    anything changed. Raises NotAllowed.
    """
    allowed = {team.pk for team in teams_for(viewer, credential)}
    if not manageable(viewer, credential) or not allowed.issuperset(team.pk for team in wanted):
        raise access.NotAllowed(Role.MANAGER)
    return sharing.share(actor, credential, wanted)


class CannotBeOpened(Exception):
    """The secret of a credential cannot be decrypted, so it cannot be sealed for another owner."""


def hand_over(actor: Actor, credential: Credential, to: User | Group) -> bool:
    """Give it to a person or a team; with a team, a manager of the workspace becomes its owner, the actor if possible.

    It is re-sealed for its new owner (sharing.pass_on); the secret is shown to nobody. Return whether it still belonged to the same owner.
    Raises CannotBeOpened. Has to be called in a transaction.
    """
    rows = Credential.objects.select_for_update(of=("self",)).select_related("workspace", "owner")
    row = rows.filter(pk=credential.pk, owner=credential.owner_id).first()
    if row is None:
        return False
    owner = to if isinstance(to, User) else members.possible_owners(row.workspace, row.owner, actor.user)[0]
    if not sharing.pass_on(actor, row, owner):
        raise CannotBeOpened
    if not isinstance(to, User):
        sharing.share(actor, row, [*sharing.teams(row), to], consents=True)
    return True


def remove(actor: Actor, credential: Credential) -> None:
    with transaction.atomic():
        audit_log.record(actor, "credential.remove", credential, owner=credential.owner.label)
        credential.delete()
        masking.secrets_changed(credential.workspace)


def _workspace(draft: Draft, findings: Findings) -> tuple[Workspace, bool]:
    """The workspace of the project in `findings`, and whether it was created now."""
    identity = {"flavour": draft.flavour, "address": draft.base, "project_id": findings.project_id}
    name = (findings.project_name or findings.organization_id or findings.project_id)[:200]
    stem = slugify(name.replace("đ", "d").replace("Đ", "D"))[:45].strip("-") or "workspace"
    for taken in range(6):
        workspace = Workspace.objects.filter(**identity).first()
        if workspace is not None:
            return workspace, False
        slug = stem if taken == 0 else f"{stem}-{secrets.token_hex(2 + taken)}"
        # A savepoint: if another request took the project or the slug first, only this insert is undone.
        with contextlib.suppress(IntegrityError), transaction.atomic():
            workspace = Workspace.objects.create(
                **identity,
                slug=slug,
                name=name,
                colour=_COLOURS.get(draft.environment, Colour.NONE) if draft.flavour == Flavour.IMBRACE else "",
                environment=draft.environment,
                organization_id=findings.organization_id,
                project_name=findings.project_name,
                engine_version=findings.version,
                engine_limits=findings.facts.limits if findings.facts else {},
                hidden_pages=launcher_pages.hidden(Preset.LAUNCHING),
            )
            return workspace, True
    raise IntegrityError("No slug is free.")
