"""`manage.py practice_workspace`: creates the workspace "Practice" on the console's practice engine for the first account."""

import time

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from workflows_ui.accounts.models import User
from workflows_ui.accounts.services import people
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.credentials import messages as credential_messages
from workflows_ui.credentials.services import practice
from workflows_ui.credentials.services.credential_tests import Problem
from workflows_ui.failures import services as failures
from workflows_ui.members.models import Workspace
from workflows_ui.members.services import access, teams
from workflows_ui.run_index.forms import new_team_name
from workflows_ui.run_index.models import Kept, RunIndex
from workflows_ui.run_index.services import first_start, indexes, reading

#: Part of the message of the sample failures that a note explains.
_NOTED = "token_revoked"


class Command(BaseCommand):
    help = "Makes the practice workspace (PRACTICE_ENGINE_URL, PRACTICE_ENGINE_TOKEN). May be run again at any time."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--wait", type=float, default=0.0, help="seconds to wait for the practice engine (0)")

    def handle(self, *args: object, wait: float, **options: object) -> None:
        """Print the slug of a new workspace. Raises CommandError if the engine does not answer."""
        owner = people.oldest_account()
        if not practice.configured() or owner is None:
            return
        until = time.monotonic() + wait
        while True:
            try:
                workspace, created = practice.ensure(owner)
                break
            except Problem as problem:
                if time.monotonic() >= until:
                    message = credential_messages.problem_message(problem).sentence
                    raise CommandError(f"The practice engine: {message} ({problem.technical})") from None
            time.sleep(0.5)
        if not created:
            return
        if settings.PRACTICE_MONTH and owner.is_superuser:
            _start_index(owner, workspace)
        self.stdout.write(f"Practice workspace created: {workspace.slug}")


def _start_index(owner: User, workspace: Workspace) -> None:
    """Start a run index with values for the owner, read for one turn, and note what helps against one failure.

    The worker reads the rest.
    """
    actor, place = Actor(user=owner), access.access_for(owner, workspace.slug)
    name = new_team_name(workspace)
    [credential] = first_start.own_credentials(place)
    try:
        first_start.share_and_start(
            actor, place, credential, None, new_team=name, keep_days=RunIndex().keep_days, kept=Kept.VALUES
        )
    except teams.NameTaken:
        return
    reading.read(workspace.pk)
    if index := indexes.for_access(place):
        _note_failure(actor, index)


def _note_failure(actor: Actor, index: RunIndex) -> None:
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
