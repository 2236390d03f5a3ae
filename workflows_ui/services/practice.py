"""The practice workspace: a place on the console's own practice engine where nothing real can happen."""

from django.conf import settings
from django.db import transaction

from workflows_ui.models import Colour, Credential, Flavour, Kind, Member, User, Workspace
from workflows_ui.services import clients, credentials, masking, probe
from workflows_ui.services.audit import CONSOLE, Actor
from workflows_ui.services.probe import Draft

_NAME, _SLUG = "Practice", "practice"


def configured() -> bool:
    """Whether a practice engine is named in the settings."""
    return bool(settings.PRACTICE_ENGINE_URL and settings.PRACTICE_ENGINE_TOKEN)


def ensure(owner: User) -> tuple[Workspace, bool]:
    """The practice workspace, and whether it was made just now; `owner` manages a new one.

    One that exists follows the settings: where the engine moved or its token changed, address and secrets are renewed.
    Asks the practice engine for its project. Raises probe.Problem.
    """
    draft = _draft()
    findings = probe.test(draft)
    with transaction.atomic():
        workspace = Workspace.objects.select_for_update().filter(practice=True).order_by("pk").first()
        if workspace is not None:
            _follow_settings(workspace, draft, findings.project_id)
            return workspace, False
        added = credentials.add(Actor(user=owner), draft, findings)
        # Nothing links to it yet: it may still have a short name that tells what it is.
        free = not Workspace.objects.filter(slug=_SLUG).exists()
        Workspace.objects.filter(pk=added.workspace.pk).update(
            name=_NAME, practice=True, colour=Colour.GREY, slug=_SLUG if free else added.workspace.slug
        )
        added.workspace.refresh_from_db()
        return added.workspace, added.outcome == "created workspace"


def equip(member: Member) -> None:
    """Gives a new member of the practice workspace a credential for it, so that training starts at once. Nothing elsewhere."""
    person = member.user
    if person is None or not member.workspace.practice or not configured():
        return
    if Credential.objects.filter(workspace=member.workspace, owner=person).exists():
        return
    credential = Credential(workspace=member.workspace, owner=person, name=_NAME, kind=Kind.BEARER_TOKEN)
    credential.secret = credential.seal("secret", settings.PRACTICE_ENGINE_TOKEN)
    credential.save(force_insert=True)
    masking.changed(member.workspace)
    credentials.retest(credential, CONSOLE)


def _draft() -> Draft:
    return Draft(
        flavour=Flavour.ACTIVEPIECES,
        kind=Kind.BEARER_TOKEN,
        secret=settings.PRACTICE_ENGINE_TOKEN,
        address=settings.PRACTICE_ENGINE_URL.rstrip("/") + "/api",
        name=_NAME,
    )


def _follow_settings(workspace: Workspace, draft: Draft, project_id: str) -> None:
    if (workspace.address, workspace.project_id) != (draft.base, project_id):
        workspace.address, workspace.project_id = draft.base, project_id
        workspace.save(update_fields=["address", "project_id"])
    for credential in Credential.objects.filter(workspace=workspace, name=_NAME):
        if clients.holds(credential, draft.secret):
            continue
        credential.secret = credential.seal("secret", draft.secret)
        credential.save(update_fields=["secret"])
        masking.changed(workspace)
