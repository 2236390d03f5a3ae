"""`manage.py remove_second_step`: removes two-factor authentication from an account whose second step is lost."""

from django.core.management.base import BaseCommand, CommandError, CommandParser

from workflows_ui.accounts.models import User
from workflows_ui.accounts.services import second_step
from workflows_ui.audit.services.audit_log import CONSOLE


class Command(BaseCommand):
    """For a superuser who is locked out; for other accounts there is the person's page."""

    help = "Removes authenticator app, passkeys and recovery codes of an account; the password alone is enough then."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", help="user name")

    def handle(self, *args: object, **options: object) -> None:
        person = User.objects.filter(username__iexact=options["user"]).first()
        if person is None:
            raise CommandError("No person has this user name.")
        count = second_step.remove_all(CONSOLE, person)
        self.stdout.write(
            "Two-factor authentication is removed." if count else "There was no two-factor authentication."
        )
