"""Credentials: saved after a test, used, renamed, tested again, destroyed; and the workspaces they open.

The secret goes in once and comes out only inside `services.clients`. No audit row, message or exception here holds it.
"""

import secrets
import uuid
from dataclasses import dataclass
from typing import Literal

from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.text import slugify

from workflows_ui.crypto import CannotOpen
from workflows_ui.engine import AddressRefused
from workflows_ui.models import Colour, Credential, Flavour, Health, LaunchRight, Member, Role, User, Workspace
from workflows_ui.services import (
    access,
    audit,
    clients,
    database,
    inspecting,
    masking,
    members,
    probe,
    renewing,
    swapping,
)
from workflows_ui.services.access import Access
from workflows_ui.services.audit import CONSOLE, Actor
from workflows_ui.services.probe import Code, Draft, Findings, Problem, test

__all__ = [
    "Added",
    "Code",
    "Draft",
    "Findings",
    "Problem",
    "add",
    "hand_over",
    "manageable",
    "remove",
    "rename",
    "retest",
    "teams_for",
    "test",
    "visible",
]

#: The stripe of a new workspace, by environment; live has none.
_COLOURS = {"sandbox": Colour.BLUE, "develop": Colour.ORANGE}


@dataclass(frozen=True)
class Added:
    """What came of adding a credential."""

    credential: Credential
    workspace: Workspace
    outcome: Literal["created workspace", "joined", "asked"]


def add(actor: Actor, draft: Draft, findings: Findings) -> Added:
    """Saves a tested credential as the actor's own. Whoever is first for a project gets its workspace and manages it; whoever
    belongs to the workspace joins the credential to it; anybody else asks its managers.

    Two people at once make one workspace: the database's unique rule decides, not a look before. Raises ValueError without a person.
    """
    if actor.user is None:
        raise ValueError("A credential needs an owner.")
    with transaction.atomic():
        workspace, made = _workspace(draft, findings)
        credential = _save(actor.user, workspace, draft, findings)
        outcome: Literal["created workspace", "joined", "asked"]
        if made:
            Member.objects.create(workspace=workspace, user=actor.user, role=Role.MANAGER)
            audit.record(
                actor,
                "workspace.create",
                workspace=workspace,
                object_type="workspace",
                object_id=workspace.slug,
                object_name=workspace.name,
                address=workspace.address,
                project=workspace.project_id,
            )
            outcome = "created workspace"
        elif access.belongs(actor.user, workspace):
            outcome = "joined"
        else:
            members.ask(actor, workspace, actor.user)
            outcome = "asked"
        swapping.record(actor, "credential.add", credential, kind=credential.kind, findings=findings.plain())
    return Added(credential=credential, workspace=workspace, outcome=outcome)


def visible(of: Access) -> QuerySet[Credential]:
    """The credentials a member may know of: their own and their teams'; a manager knows of all. Secrets are never part of it."""
    rows = Credential.objects.filter(workspace=of.workspace).select_related(
        "owner", "team", "workspace", "last_used_by"
    )
    if not of.allows(Role.MANAGER):
        rows = rows.filter(Q(owner=of.user) | Q(team__in=of.user.groups.all()))
    return rows.order_by("name", "created_at")


def manageable(of: Access, credential: Credential) -> bool:
    """Whether the member may rename, test and delete it: one's own; a manager, any."""
    return credential.owner_id == of.user.pk or of.allows(Role.MANAGER)


def retest(credential: Credential, actor: Actor = CONSOLE) -> Findings | Problem:
    """Tests a saved credential again and keeps what was found. A problem is returned, not raised: it is a finding too.

    What was found about a secret that was replaced meanwhile is not kept. Holds no database connection while it asks.
    """
    result: Findings | Problem
    may: dict[str, list[str]] = {}
    try:
        with database.turn():
            client = clients.of_credential(credential, timeouts=probe.TIMEOUTS)
        result = probe.of_client(client, kind=credential.kind, organization_id=credential.organization_id)
        if result.project_id != credential.workspace.project_id:
            result = Problem(Code.OTHER_PROJECT, found=result.project_name or result.project_id)
        else:
            may = inspecting.allowed(inspecting.look([(credential, client)], inspecting.MAY), credential.pk)
    except CannotOpen:
        result = Problem(Code.CANNOT_OPEN)
    except AddressRefused as error:
        result = Problem(Code.ADDRESS_REFUSED, error=error)
    except ValueError:
        result = Problem(Code.MALFORMED_SECRET)
    except Problem as problem:
        result = problem
    with database.turn():
        _keep(credential, result, may, actor)
    return result


def _keep(credential: Credential, result: Findings | Problem, may: dict[str, list[str]], actor: Actor) -> None:
    seen = credential.secret
    if isinstance(result, Problem):
        credential.health = Health.REFUSED if result.code in probe.OF_THE_SECRET else Health.UNREACHABLE
        credential.findings = credential.findings | {
            "problem": result.code.value,
            "found": result.found,
            "technical": result.technical,
        }
    else:
        credential.health = Health.WORKS
        credential.findings = result.plain() | may
        if result.version and result.version != credential.workspace.engine_version:
            Workspace.objects.filter(pk=credential.workspace_id).update(engine_version=result.version)
    credential.tested_at = timezone.now()
    Credential.objects.filter(pk=credential.pk, secret=seen).update(
        health=credential.health, findings=credential.findings, tested_at=credential.tested_at
    )
    swapping.record(actor, "credential.test", credential, outcome=credential.health)


def rename(actor: Actor, credential: Credential, name: str) -> None:
    """Gives a credential another name."""
    before, credential.name = credential.name, name
    with transaction.atomic():
        credential.save(update_fields=["name"])
        swapping.record(actor, "credential.rename", credential, before=before, after=name)


def teams_for(of: Access, credential: Credential) -> QuerySet[Group]:
    """The teams that a member may hand a credential to: a manager, any team that belongs to the workspace or may launch something in
    it by a right; its owner and owners of teams, those of them that they are in or look after. A team's credential stays where it is
    for anybody but managers."""
    rights = LaunchRight.objects.usable(timezone.now()).filter(workspace=of.workspace)
    teams = Group.objects.filter(Q(memberships__workspace=of.workspace) | Q(launch_rights__in=rights))
    if credential.team_id is not None:
        teams = teams.exclude(pk=credential.team_id)
    if not of.allows(Role.MANAGER):
        if credential.owner_id != of.user.pk:
            return Group.objects.none()
        teams = teams.filter(Q(user=of.user) | Q(owners__user=of.user))
    return teams.distinct().order_by("name", "pk")


def hand_over(actor: Actor, of: Access, credential: Credential, team: Group) -> None:
    """Makes a credential a team's: from now on it acts for everybody in it who has none of their own. Raises NotAllowed.

    Nobody sees the secret by that, neither before nor afterwards.
    """
    if not teams_for(of, credential).filter(pk=team.pk).exists():
        raise access.NotAllowed(Role.MANAGER)
    before = str(credential.owner or credential.team)
    with transaction.atomic():
        rows = Credential.objects.filter(pk=credential.pk, owner=credential.owner_id, team=credential.team_id)
        rows.update(owner=None, team=team)
        credential.owner, credential.team = None, team
        swapping.record(actor, "credential.hand_over", credential, before=before, after=str(team))


def remove(actor: Actor, credential: Credential) -> None:
    """Destroys a credential. Launches that used it stay in the record, without it."""
    with transaction.atomic():
        swapping.record(actor, "credential.remove", credential, owner=str(credential.owner or credential.team))
        credential.delete()
        masking.changed(credential.workspace)


def _workspace(draft: Draft, findings: Findings) -> tuple[Workspace, bool]:
    """The workspace of the project that was found, and whether it was made just now."""
    place = {"flavour": draft.flavour, "address": draft.base, "project_id": findings.project_id}
    name = (findings.project_name or findings.organization_id or findings.project_id)[:200]
    stem = slugify(name.replace("đ", "d").replace("Đ", "D"))[:45].strip("-") or "workspace"
    taken = 0
    while True:
        found = Workspace.objects.filter(**place).first()
        if found is not None:
            return found, False
        slug = stem if taken == 0 else f"{stem}-{secrets.token_hex(2 + taken)}"
        try:
            # A savepoint: where somebody else was quicker with the project or the slug, only this insert is undone.
            with transaction.atomic():
                made = Workspace.objects.create(
                    **place,
                    slug=slug,
                    name=name,
                    colour=_COLOURS.get(draft.environment, Colour.NONE) if draft.flavour == Flavour.IMBRACE else "",
                    environment=draft.environment,
                    organization_id=findings.organization_id,
                    project_name=findings.project_name,
                    engine_version=findings.version,
                )
        except IntegrityError:
            taken += 1
            if taken > 5:
                raise
            continue
        return made, True


def _save(owner: User, workspace: Workspace, draft: Draft, findings: Findings) -> Credential:
    credential = Credential(
        id=uuid.uuid4(),
        workspace=workspace,
        owner=owner,
        name=(draft.name or findings.project_name or workspace.name)[:120],
        kind=draft.kind,
        organization_id=draft.organization_id,
        email=draft.email,
        ends_at=draft.ends_at,
        health=Health.WORKS,
        findings=findings.plain(),
        tested_at=timezone.now(),
    )
    credential.renew_at = renewing.when(credential.kind, timezone.now(), credential.ends_at)
    credential.secret = credential.seal("secret", draft.secret.strip())
    credential.password = credential.seal("password", draft.password)
    credential.save(force_insert=True)
    masking.changed(workspace)
    return credential
