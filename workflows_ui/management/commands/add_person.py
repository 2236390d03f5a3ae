"""`manage.py add_person`: adds an account with a generated password, which is printed once."""

from django.core.management.base import BaseCommand, CommandError, CommandParser

from workflows_ui.accounts.services import people


class Command(BaseCommand):
    help = "Makes an account and prints its generated password once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", help="user name")
        parser.add_argument("--email", default="", help="e-mail address, to which a lost password can be reset")
        parser.add_argument("--name", default="", help="full name, as colleagues see it")
        parser.add_argument(
            "--superuser", action="store_true", help="looks after the console: people, teams, the whole audit log"
        )

    def handle(self, *args: object, user: str, email: str, name: str, superuser: bool, **options: object) -> None:
        try:
            person, password = people.create(user, email=email, full_name=name, superuser=superuser)
        except people.NameTaken:
            raise CommandError("This user name or e-mail address is taken.") from None
        self.stdout.write(f"User name: {person.username}")
        self.stdout.write(f"Password:  {password}")
