"""`manage.py practice_workspace`: creates the workspace "Practice" on the console's practice engine for the first account."""

import time

from django.core.management.base import BaseCommand, CommandError, CommandParser

from workflows_ui.accounts.services import people
from workflows_ui.credentials import messages as credential_messages
from workflows_ui.credentials.services import practice
from workflows_ui.credentials.services.credential_tests import Problem


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
        if created:
            self.stdout.write(f"Practice workspace created: {workspace.slug}")
