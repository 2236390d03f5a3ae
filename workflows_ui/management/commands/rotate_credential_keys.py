"""`manage.py rotate_credential_keys`: re-seals all data that is encrypted at rest with the first of CREDENTIAL_KEYS."""

from django.core.management.base import BaseCommand, CommandError, CommandParser

from workflows_ui.credentials.services import key_rotation


class Command(BaseCommand):
    """Safe while the console runs; can be stopped and restarted at any time."""

    help = "Re-seals credentials, inputs and answers with the first of CREDENTIAL_KEYS, so that the other keys can go."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="only say whether anything still needs another key")

    def handle(self, *args: object, check: bool, **options: object) -> None:
        """Print a line for each column. Raises CommandError if a value needs an old key or opens with none."""
        old = lost = 0
        for count in key_rotation.rotate(check=check):
            self.stdout.write(
                f"{count.model}.{count.field}: {count.current} current, {count.resealed} re-sealed, "
                f"{count.old} with an old key, {count.lost} that no key opens"
            )
            old, lost = old + count.old, lost + count.lost
        if old:
            raise CommandError(f"{old} values still need an old key: keep it, and run this command without --check.")
        if lost:
            raise CommandError(f"{lost} values open with none of the keys. Nothing else needs an old key.")
        self.stdout.write("Everything opens with the first key alone; the others can be removed.")
