"""`manage.py practice_workspace`: the workspace "Practice" on the console's own practice engine, managed by the first account."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from workflows_ui.kit import credential_words
from workflows_ui.services import people, practice
from workflows_ui.services.probe import Problem


class Command(BaseCommand):
    """Makes the practice workspace, or brings it in line with the settings. Does nothing where no practice engine is named."""

    help = "Makes the practice workspace (PRACTICE_ENGINE_URL, PRACTICE_ENGINE_TOKEN). May be run again at any time."

    def add_arguments(self, parser: CommandParser) -> None:
        """How long to wait for the practice engine to come up."""
        parser.add_argument("--wait", type=float, default=0.0, help="seconds to wait for the practice engine (0)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints the workspace's short name where one was made. Raises CommandError where the engine does not answer."""
        owner = people.first()
        if not practice.configured() or owner is None:
            return
        until = time.monotonic() + options["wait"]
        while True:
            try:
                workspace, made = practice.ensure(owner)
                break
            except Problem as problem:
                if time.monotonic() >= until:
                    words = credential_words.of_problem(problem).sentence
                    raise CommandError(f"The practice engine: {words} ({problem.technical})") from None
            time.sleep(0.5)
        if made:
            self.stdout.write(f"Practice workspace made: {workspace.slug}")
