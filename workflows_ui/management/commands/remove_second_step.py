"""`manage.py remove_second_step`: takes the second step away from somebody who has lost it."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from workflows_ui.models import User
from workflows_ui.services import second_step
from workflows_ui.services.audit import CONSOLE


class Command(BaseCommand):
    """For the one superuser who is locked out; for everybody else there is the page of the person."""

    help = "Removes authenticator app, passkeys and recovery codes of an account; the password alone is enough then."

    def add_arguments(self, parser: CommandParser) -> None:
        """User name."""
        parser.add_argument("user", help="user name")

    def handle(self, *args: Any, **options: Any) -> None:
        """Says what was removed."""
        person = User.objects.filter(username__iexact=options["user"]).first()
        if person is None:
            raise CommandError("Nobody has this user name.")
        count = second_step.take_away(CONSOLE, person)
        self.stdout.write("The second step is removed." if count else "There was no second step.")
