"""`manage.py bind_credentials`: binds old secrets to workspace, address, kind and owner, and lists rows that look changed."""

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError, CommandParser

from workflows_ui.credentials.services import binding


class Command(BaseCommand):
    """Safe while the console runs. `migrate` has done this once; run it again for skipped rows after their correction."""

    help = (
        "Binds secrets that were sealed by an earlier version to their workspace, address, kind and owner, and marks workspaces. "
        "Rows that look changed (the audit log contradicts them, or they do not open) are left as they are, and listed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--unknown",
            action="store_true",
            help="bind rows that the audit log says nothing of, too: look at them first",
        )
        parser.add_argument("--check", action="store_true", help="only say what would be bound, and what looks changed")

    def handle(self, *args: object, check: bool, unknown: bool, **options: object) -> None:
        """Print a line for each row that was bound or looks changed. Raises CommandError if any row looks changed."""
        bound = done = changed = 0
        for row in binding.bind(apps, check=check, unknown=unknown):
            if row.why:
                changed += 1
                self.stdout.write(f"looks changed: {binding.line(row)}")
            elif row.done:
                done += 1
                self.stdout.write(f"{'would bind' if check else 'bound'}: {binding.line(row)}")
            else:
                bound += 1
        self.stdout.write(f"{bound} bound already, {done} {'to bind' if check else 'bound'}, {changed} look changed")
        if changed:
            raise CommandError(
                "Rows that look changed do not open. Undo the change in the database and run this again, or replace the secret in "
                "the console; a workspace is moved in its settings."
            )
