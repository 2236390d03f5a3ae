"""`manage.py add_credential`: adds a credential like its page; the secret is read from standard input, never from an option."""

import getpass
import sys
from dataclasses import replace
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.views.decorators.debug import sensitive_variables

from workflows_ui.accounts.models import User
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.credentials import messages as credential_messages
from workflows_ui.credentials.forms import (
    ACTIVEPIECES,
    GATEWAY,
    KINDS,
    CredentialForm,
)
from workflows_ui.credentials.models import SIGNED_IN_KINDS, CredentialKind
from workflows_ui.credentials.services import credential_tests, credentials, signing_in
from workflows_ui.credentials.services.credential_tests import Draft, Problem, SeveralProjects
from workflows_ui.members.models import Flavour

PASSWORD, CODE, SECRET = "password", "code", "secret"
_PROMPTS = {PASSWORD: "Password at the engine: ", CODE: "One-time code: ", SECRET: "Secret: "}


class Command(BaseCommand):
    help = (
        "Tests a credential and saves it for a person. The secret (for a sign-in: the password, or with --by-code the one-time code) "
        "is the first line of standard input, or is asked for where that is a terminal."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--user", required=True, help="user name of the owner")
        parser.add_argument("--flavour", choices=Flavour.values, default=Flavour.IMBRACE.value)
        parser.add_argument("--env", default="", help="Imbrace environment: stable, prodv2, sandbox or develop")
        parser.add_argument("--address", default="", help="gateway (Imbrace) or base of the API (Activepieces)")
        parser.add_argument(
            "--kind", choices=CredentialKind.values, help="by default the best for launching that the engine takes"
        )
        parser.add_argument(
            "--organization", default="", help="organization id: with a JWT, and with a sign-in that opens several"
        )
        parser.add_argument("--project", default="", help="project id: with a secret that opens several")
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
    def handle(self, *args: object, **options: Any) -> None:
        """Print the findings of the test and the outcome. Raises CommandError."""
        owner = User.objects.filter(username__iexact=options["user"], is_active=True).first()
        if owner is None:
            raise CommandError(f"There is no active account {options['user']!r}.")
        if options["env"] and options["address"]:
            raise CommandError("Give --env or --address, not both.")
        kinds = KINDS[options["flavour"]]
        kind = CredentialKind(options["kind"] or kinds[0])
        if kind not in kinds:
            raise CommandError(f"An engine of this flavour takes --kind {', '.join(kinds)}.")
        form = CredentialForm(_form_data(options, kind))
        if not form.is_valid():
            raise CommandError(
                "\n".join(f"{field}: {' '.join(map(str, errors))}" for field, errors in form.errors.items())
            )
        try:
            if form.wants_code:
                signing_in.request_code(form.base, form.cleaned_data["email"])
                self.stdout.write(
                    "The engine was asked to send a code. Run this again with --by-code when it has come."
                )
                return
            draft = replace(_draft(form, options["organization"]), project_id=options["project"])
            findings = credential_tests.test(draft)
        except SeveralProjects as several:
            lines = "\n".join(f"  {project.id}  {project.name}" for project in several.projects)
            raise CommandError(f"Choose with --project which one the credential is for:\n{lines}") from None
        except Problem as problem:
            credential_tests.with_suggestion(problem, form.flavour, form.base)
            detail = f"\n({problem.technical})" if problem.technical else ""
            raise CommandError(credential_messages.problem_message(problem).sentence + detail) from None
        added = credentials.add(Actor(user=owner), draft, findings)
        for label, value in credential_messages.facts(added.credential):
            self.stdout.write(f"{label}: {value}")
        self.stdout.write(
            {
                "created workspace": f"Workspace made: {added.workspace.slug}, managed by {owner.username}.",
                "joined": f"Added to the workspace {added.workspace.slug}.",
                "asked": f"Kept. The managers of {added.workspace.slug} are asked to let {owner.username} in.",
            }[added.outcome]
        )


def _form_data(options: dict[str, Any], kind: CredentialKind) -> dict[str, str]:
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
    field = SECRET if kind not in SIGNED_IN_KINDS else CODE if options["by_code"] else PASSWORD
    return form | {field: _read_secret(_PROMPTS[field])}


@sensitive_variables("sign_in", "login")
def _draft(form: CredentialForm, organization: str) -> Draft:
    """The credential with the entered secret, or with the token of a sign-in. Raises Problem, CommandError."""
    if not form.signs_in:
        return form.draft()
    sign_in = form.typed(form.base)
    if form.flavour == Flavour.ACTIVEPIECES:
        return form.draft(signing_in.sign_in(sign_in))
    login, organizations = signing_in.begin(sign_in)
    names = dict(organizations)
    organization_id = organization or (next(iter(names)) if len(names) == 1 else "")
    if organization_id not in names:
        lines = "\n".join(f"  {key}  {name}" for key, name in names.items())
        raise CommandError(f"Choose with --organization which one the credential is for:\n{lines}")
    return form.draft(signing_in.finish(form.base, login, organization_id), organization_id)


def _read_secret(prompt: str) -> str:
    """The first line of standard input, without echo on a terminal."""
    if sys.stdin.isatty():
        return getpass.getpass(prompt)
    return sys.stdin.readline().removesuffix("\n").removesuffix("\r")
