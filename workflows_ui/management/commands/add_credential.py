"""`manage.py add_credential`: adds a credential as its page does; the secret comes from standard input, never from an option."""

import getpass
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.views.decorators.debug import sensitive_variables

from workflows_ui.forms.credentials import ACTIVEPIECES, ACTIVEPIECES_KINDS, GATEWAY, IMBRACE_KINDS, CredentialForm
from workflows_ui.kit import credential_words
from workflows_ui.models import SIGNED_IN_KINDS, Flavour, Kind, User
from workflows_ui.services import credentials, signing_in
from workflows_ui.services.audit import Actor
from workflows_ui.services.credentials import Draft, Problem

PASSWORD, CODE, SECRET = "password", "code", "secret"
_PROMPTS = {PASSWORD: "Password at the engine: ", CODE: "One-time code: ", SECRET: "Secret: "}


class Command(BaseCommand):
    """The same test, the same rules and the same audit rows as the page."""

    help = (
        "Tests a credential and saves it for a person. The secret (for a sign-in: the password, or with --by-code the one-time code) "
        "is the first line of standard input, or is asked for where that is a terminal."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Where the credential leads, what it is, and whose it is."""
        parser.add_argument("--user", required=True, help="user name of the owner")
        parser.add_argument("--flavour", choices=Flavour.values, default=Flavour.IMBRACE.value)
        parser.add_argument("--env", default="", help="Imbrace environment: stable, prodv2, sandbox or develop")
        parser.add_argument("--address", default="", help="gateway (Imbrace) or base of the API (Activepieces)")
        parser.add_argument(
            "--kind", choices=Kind.values, help="by default the best for launching that the engine takes"
        )
        parser.add_argument(
            "--organization", default="", help="organization id: with a JWT, and with a sign-in that opens several"
        )
        parser.add_argument("--email", default="", help="who signs in, of the kinds that do")
        parser.add_argument(
            "--keep-password", action="store_true", help="keep it encrypted, so that the token renews itself"
        )
        parser.add_argument(
            "--by-code", action="store_true", help="sign in with a one-time code instead of the password"
        )
        parser.add_argument(
            "--send-code", action="store_true", help="have the engine mail such a code, and do nothing else"
        )
        parser.add_argument("--ends-on", default="", help="the day on which the secret ends, if known: 2027-01-31")
        parser.add_argument("--name", default="", help="what the credential is called")

    @sensitive_variables("form", "draft")
    def handle(self, *args: Any, **options: Any) -> None:
        """Prints what was found, and what came of it. Raises CommandError with what failed."""
        owner = User.objects.filter(username__iexact=options["user"], is_active=True).first()
        if owner is None:
            raise CommandError(f"There is no active account {options['user']!r}.")
        if options["env"] and options["address"]:
            raise CommandError("Give --env or --address, not both.")
        kinds = ACTIVEPIECES_KINDS if options["flavour"] == Flavour.ACTIVEPIECES else IMBRACE_KINDS
        kind = Kind(options["kind"] or kinds[0])
        if kind not in kinds:
            raise CommandError(f"An engine of this flavour takes --kind {', '.join(kinds)}.")
        form = CredentialForm(_typed(options, kind))
        if not form.is_valid():
            raise CommandError(
                "\n".join(f"{field}: {' '.join(map(str, errors))}" for field, errors in form.errors.items())
            )
        try:
            if form.wants_code:
                signing_in.ask_for_code(form.base, form.cleaned_data["email"])
                self.stdout.write(
                    "The engine was asked to send a code. Run this again with --by-code when it has come."
                )
                return
            draft = _draft(form, options["organization"])
            findings = credentials.test(draft)
        except Problem as problem:
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


def _typed(options: dict[str, Any], kind: Kind) -> dict[str, str]:
    """What the page's form would send."""
    plain = options["flavour"] == Flavour.ACTIVEPIECES
    form = {
        "engine": ACTIVEPIECES if plain else options["env"] or GATEWAY,
        "address": options["address"],
        "token_kind" if plain else "kind": str(kind),
        "organization_id": options["organization"],
        "email": options["email"],
        "ends_on": options["ends_on"],
        "name": options["name"],
    }
    form |= {name: "yes" for name in ("keep_password", "send_code") if options[name]}
    if options["send_code"]:
        return form
    wanted = SECRET if kind not in SIGNED_IN_KINDS else CODE if options["by_code"] else PASSWORD
    return form | {wanted: _secret(_PROMPTS[wanted])}


@sensitive_variables("typed", "begun")
def _draft(form: CredentialForm, organization: str) -> Draft:
    """The secret that was typed, or what signing in came to. Raises Problem, CommandError."""
    if not form.signs_in:
        return form.draft()
    typed = form.typed(form.base)
    if form.flavour == Flavour.ACTIVEPIECES:
        return form.draft(signing_in.sign_in(typed))
    begun = signing_in.begin(typed)
    opened = {one.id: one.name for one in begun.organizations}
    chosen = organization or (next(iter(opened)) if len(opened) == 1 else "")
    if chosen not in opened:
        lines = "\n".join(f"  {key}  {name}" for key, name in opened.items())
        raise CommandError(f"Choose with --organization which one the credential is for:\n{lines}")
    return form.draft(signing_in.finish(begun, chosen), chosen)


def _secret(prompt: str) -> str:
    """The first line of standard input; typed without an echo where it is a terminal."""
    if sys.stdin.isatty():
        return getpass.getpass(prompt)
    return sys.stdin.readline().removesuffix("\n").removesuffix("\r")
