"""The practice workspace, on the console's practice engine, without effects on real systems."""

from dataclasses import replace

from django.conf import settings
from django.db import transaction

from workflows_ui.accounts.models import User
from workflows_ui.audit.services import audit_log
from workflows_ui.audit.services.audit_log import CONSOLE, Actor
from workflows_ui.core import masking
from workflows_ui.credentials.models import Credential, CredentialKind
from workflows_ui.credentials.services import clients, credential_tests, credentials
from workflows_ui.credentials.services.credential_tests import Draft, Findings, SeveralProjects
from workflows_ui.engine import claims
from workflows_ui.members.models import Colour, Flavour, Member, Workspace, place

_NAME, _SLUG = "Practice", "practice"


def configured() -> bool:
    return bool(settings.PRACTICE_ENGINE_URL and settings.PRACTICE_ENGINE_TOKEN)


def ensure(owner: User) -> tuple[Workspace, bool]:
    """The practice workspace, and whether it was created now; `owner` manages a new one.

    An existing one is updated from the settings: its address, and the secrets if the token changed. Calls the practice engine for its
    project. Raises credential_tests.Problem.
    """
    draft = _draft()
    findings = _test(draft)
    with transaction.atomic():
        workspace = Workspace.objects.select_for_update().filter(practice=True).order_by("pk").first()
        if workspace is not None:
            _follow_settings(workspace, draft, findings.project_id)
            return workspace, False
        added = credentials.add(Actor(user=owner), draft, findings)
        # There are no links to it yet, so that it can have a telling slug.
        free = not Workspace.objects.filter(slug=_SLUG).exists()
        Workspace.objects.filter(pk=added.workspace.pk).update(
            name=_NAME, practice=True, colour=Colour.GREY, slug=_SLUG if free else added.workspace.slug
        )
        added.workspace.refresh_from_db()
        return added.workspace, added.outcome == "created workspace"


def equip(member: Member) -> None:
    """Give a new member of the practice workspace a credential for it. Does nothing in other workspaces."""
    person = member.user
    workspace = member.workspace
    if person is None or not workspace.practice or not configured() or workspace.address != _draft().base:
        return
    if Credential.objects.filter(workspace=member.workspace, owner=person).exists():
        return
    credential = Credential(workspace=member.workspace, owner=person, name=_NAME, kind=CredentialKind.BEARER_TOKEN)
    credential.secret = credential.seal("secret", settings.PRACTICE_ENGINE_TOKEN)
    credential.save(force_insert=True)
    masking.secrets_changed(member.workspace)
    credentials.retest(credential, CONSOLE)


def _draft() -> Draft:
    return Draft(
        flavour=Flavour.ACTIVEPIECES,
        kind=CredentialKind.BEARER_TOKEN,
        secret=settings.PRACTICE_ENGINE_TOKEN,
        address=settings.PRACTICE_ENGINE_URL.rstrip("/") + "/api",
        name=_NAME,
    )


def _test(draft: Draft) -> Findings:
    """The findings; if the token opens several projects, for the one in its claims, else the first. Raises credential_tests.Problem."""
    try:
        return credential_tests.test(draft)
    except SeveralProjects as several:
        ids = [project.id for project in several.projects]
        claimed = claims(draft.secret).get("projectId")
        return credential_tests.test(replace(draft, project_id=claimed if claimed in ids else ids[0]))


def _follow_settings(workspace: Workspace, draft: Draft, project_id: str) -> None:
    if (workspace.address, workspace.project_id) != (draft.base, project_id) or not workspace.genuine:
        workspace.flavour, workspace.address, workspace.project_id = draft.flavour, draft.base, project_id
        workspace.mark = workspace.new_mark()
        workspace.save(update_fields=["flavour", "address", "project_id", "mark"])
        audit_log.record(CONSOLE, "workspace.move", workspace, detail=place(workspace))
    for credential in Credential.objects.filter(workspace=workspace, name=_NAME, kind=CredentialKind.BEARER_TOKEN):
        credential.workspace = workspace
        if clients.holds(credential, draft.secret):
            continue
        credential.secret = credential.seal("secret", draft.secret)
        credential.save(update_fields=["secret"])
        masking.secrets_changed(workspace)
