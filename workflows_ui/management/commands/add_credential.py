"""`manage.py add_credential`: adds a credential as its page does; the secret comes from standard input, never from an option."""

import getpass
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from workflows_ui.forms.credentials import ACTIVEPIECES, GATEWAY, CredentialForm
from workflows_ui.kit import credential_words
from workflows_ui.models import Flavour, Kind, User
from workflows_ui.services import credentials
from workflows_ui.services.audit import Actor


class Command(BaseCommand):
    """The same test, the same rules and the same audit rows as the page."""

    help = "Tests a credential and saves it for a person. The secret is read from standard input."

    def add_arguments(self, parser: CommandParser) -> None:
        """Where the credential leads, what it is, and whose it is."""
        parser.add_argument("--user", required=True, help="user name of the owner")
        parser.add_argument("--flavour", choices=Flavour.values, default=Flavour.IMBRACE.value)
        parser.add_argument("--env", default="", help="Imbrace environment: stable, prodv2, sandbox or develop")
        parser.add_argument("--address", default="", help="gateway (Imbrace) or base of the API (Activepieces)")
        parser.add_argument("--kind", choices=[Kind.API_KEY.value, Kind.ACCESS_TOKEN.value], default=Kind.API_KEY.value)
        parser.add_argument("--organization", default="", help="organization id, with an access token that is a JWT")
        parser.add_argument("--name", default="", help="what the credential is called")

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints what was found, and what came of it. Raises CommandError with what failed."""
        owner = User.objects.filter(username__iexact=options["user"], is_active=True).first()
        if owner is None:
            raise CommandError(f"There is no active account {options['user']!r}.")
        if options["env"] and options["address"]:
            raise CommandError("Give --env or --address, not both.")
        engine = options["env"] or GATEWAY
        form = CredentialForm(
            {
                "engine": ACTIVEPIECES if options["flavour"] == Flavour.ACTIVEPIECES else engine,
                "address": options["address"],
                "kind": options["kind"],
                "organization_id": options["organization"],
                "secret": _secret(),
                "name": options["name"],
            }
        )
        if not form.is_valid():
            raise CommandError(
                "\n".join(f"{field}: {' '.join(map(str, errors))}" for field, errors in form.errors.items())
            )
        draft = form.draft()
        try:
            findings = credentials.test(draft)
        except credentials.Problem as problem:
            detail = f"\n({problem.technical})" if problem.technical else ""
            raise CommandError(credential_words.of_problem(problem).sentence + detail) from None
        added = credentials.add(Actor(user=owner), draft, findings)
        for label, value in credential_words.facts(added.credential):
            self.stdout.write(f"{label}: {value}")
        self.stdout.write(
            {
                "created workspace": f"Workspace made: {added.workspace.slug}, managed by {owner.username}.",
                "joined": f"Added to the workspace {added.workspace.slug}.",
                "asked": f"Kept. The managers of {added.workspace.slug} are asked to let {owner.username} in.",
            }[added.outcome]
        )


def _secret() -> str:
    """The first line of standard input; typed without an echo where it is a terminal."""
    if sys.stdin.isatty():
        return getpass.getpass("Secret: ")
    return sys.stdin.readline().strip()
