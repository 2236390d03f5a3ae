"""`manage.py first_user`: creates the first account, a superuser, with a generated password, which is printed once."""

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser

from workflows_ui.accounts.services import people


class Command(BaseCommand):
    help = "Makes the first account and prints its generated password once. Does nothing if there is an account."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--user", default="admin", help="user name (admin)")
        parser.add_argument("--email", default="", help="e-mail address, to which a lost password can be reset")

    def handle(self, *args: object, **options: object) -> None:
        """Print name and password on a line each, or nothing."""
        if people.oldest_account() is not None:
            return
        call_command("add_person", options["user"], email=options["email"], superuser=True, stdout=self.stdout)
        self.stdout.write("The password is shown this once only. Change it under your name, at the top right.")
