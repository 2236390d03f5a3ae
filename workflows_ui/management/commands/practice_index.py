"""`manage.py practice_index`: starts the run index of the practice workspace, with values, unless it has ever had one."""

import time

from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _

from workflows_ui.accounts.models import User
from workflows_ui.accounts.services import people
from workflows_ui.audit.models import AuditEvent
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.failures import services as failures
from workflows_ui.members.models import Workspace
from workflows_ui.members.services import access, teams
from workflows_ui.run_index.forms import new_team_name
from workflows_ui.run_index.models import Kept, RunIndex
from workflows_ui.run_index.services import first_start, indexes, reading

#: Part of the message of the sample failures that a note explains.
_NOTED = "token_revoked"


class Command(BaseCommand):
    help = "Start the run index of the practice workspace with the credential of the first account. May be run again at any time."

    def handle(self, *args: object, **options: object) -> None:
        owner = people.oldest_account()
        workspace = Workspace.objects.filter(practice=True).order_by("pk").first()
        if owner is None or not owner.is_superuser or workspace is None:
            return
        if AuditEvent.objects.filter(workspace=workspace, action="run_index.start").exists():
            return
        if _start(owner, workspace) and (index := _first_reading(owner, workspace)):
            _note_failure(Actor(user=owner), index)


def _start(owner: User, workspace: Workspace) -> bool:
    """Share the owner's credential with a new team, and start an index with it. False if that is not possible."""
    try:
        place = access.access_for(owner, workspace.slug)
        [credential, *_others] = first_start.own_credentials(place)
        first_start.share_and_start(
            Actor(user=owner),
            place,
            credential,
            None,
            new_team=new_team_name(workspace),
            keep_days=RunIndex().keep_days,
            kept=Kept.VALUES,
        )
    except (access.NoAccess, access.NotAllowed, teams.NameTaken, ValueError):
        return False
    return True


def _first_reading(owner: User, workspace: Workspace) -> RunIndex | None:
    """The index after its first reading, by this process or by a worker; None if the engine does not answer."""
    for _attempt in range(20):
        reading.read(workspace.pk)
        if index := indexes.readable(workspace, owner.pk):
            return index
        # A worker is reading it.
        time.sleep(0.5)
    return None


def _note_failure(actor: Actor, index: RunIndex) -> None:
    """Note what helps against one of the sample failures."""
    text = _(
        "Slack has ended the access of this connection. Open the connection “Slack team”, connect it again, and then retry these runs "
        "from the failed step."
    )
    for pattern in failures.patterns(index)[0]:
        try:
            message = pattern.newest.open("message")
        except CannotOpen:
            continue
        if _NOTED in message:
            failures.save_note(actor, index, pattern, text)
