"""`manage.py first_user`: the first account, a superuser, with a generated password that is printed once."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from workflows_ui.services import people


class Command(BaseCommand):
    """Makes the first account; does nothing where one exists."""

    help = "Makes the first account and prints its generated password once. Does nothing if there is an account."

    def add_arguments(self, parser: CommandParser) -> None:
        """Name and e-mail address."""
        parser.add_argument("--user", default="admin", help="user name (admin)")
        parser.add_argument("--email", default="", help="e-mail address, to which a lost password can be reset")

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints name and password on one line each, or nothing."""
        if people.first() is not None:
            return
        try:
            person, password = people.create(options["user"], email=options["email"], superuser=True)
        except people.NameTaken:
            raise CommandError("This user name or e-mail address is taken.") from None
        self.stdout.write(f"User name: {person.username}")
        self.stdout.write(f"Password:  {password}")
        self.stdout.write("The password is shown this once only. Change it under your name, at the top right.")
