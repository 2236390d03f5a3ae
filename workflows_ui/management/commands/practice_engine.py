"""`manage.py practice_engine --port N`: serves the practice engine until it is stopped."""

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from practice_engine.serving import CannotServe, add_arguments, serve_until_stopped


class Command(BaseCommand):
    """Serves both flavours: Activepieces at `/api`, the Imbrace gateway at `/imbrace`."""

    help = "Serve the practice engine: a stand-in for a workflow engine, for practice workspaces and tests."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options of the practice engine's own command."""
        add_arguments(parser, clock_scale=settings.PRACTICE_CLOCK_SCALE)

    def handle(self, *args: object, **options: object) -> None:
        try:
            serve_until_stopped(options, settings.PRACTICE_ENGINE_TOKEN, self.stdout)
        except CannotServe as problem:
            raise CommandError(str(problem)) from problem
