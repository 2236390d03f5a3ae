"""`manage.py verify_audit [--head NUMBER:MARK]`: verifies the audit log's hash chain, or reports the first wrong row."""

from django.core.management.base import BaseCommand, CommandError, CommandParser

from workflows_ui.audit.services import verification as audit_verification


class Command(BaseCommand):
    """Exits with 0 if the chain is valid, else with 1."""

    help = (
        "Proves that no row of the audit log was changed, removed, inserted or moved. Rows cut off from the end can be found with"
        " certainty only by a head that was kept elsewhere: the process log has one a day (audit.head)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--head", metavar="NUMBER:MARK", help="a head from the process log; it must still be in the chain"
        )

    def handle(self, *_args: object, head: str | None, **options: object) -> None:
        known = None
        if head:
            try:
                known = audit_verification.parse(head)
            except ValueError:
                raise CommandError("--head wants NUMBER:MARK, as it stands in the process log.") from None
        proof = audit_verification.verify(known)
        for warning in proof.warnings:
            self.stderr.write(self.style.WARNING(warning))
        if proof.problem:
            raise CommandError(f"The audit log does not hold. {proof.problem}")
        self.stdout.write(
            f"The audit log holds: {proof.rows} rows in the chain, {proof.removed} pruned, {proof.unsealed} not sealed yet."
        )
        self.stdout.write(f"head {proof.head}")
        if known is None:
            self.stdout.write(
                "Without --head this does not prove that the end is there: give a head that was kept outside this database."
            )
