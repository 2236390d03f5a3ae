"""What a credential's test found, in words: for its form, its page and the command line alike."""

from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from workflows_ui.kit import show
from workflows_ui.models import KEPT_IN_RUNS, Credential, CredentialSecret, Flavour, Health, Kind, User
from workflows_ui.services.access import Acting
from workflows_ui.services.credentials import Code, Problem

#: An end is said on the badge when it is no more days away than this.
SOON = 30


@dataclass(frozen=True)
class Words:
    """One problem: what happened, and what the person can do."""

    what: str
    remedy: str

    @property
    def sentence(self) -> str:
        """Both in one text."""
        return f"{self.what} {self.remedy}".strip()


_WORDS: dict[str, tuple[str | Promise, str | Promise]] = {
    Code.REFUSED: (
        gettext_lazy("The engine refuses this secret."),
        gettext_lazy("It may be mistyped, ended or withdrawn, or belong to another environment."),
    ),
    Code.SCOPED_KEY: (
        gettext_lazy("This API key is limited to other parts of Imbrace and cannot reach workflows."),
        gettext_lazy("Use a key without a list of permissions."),
    ),
    Code.WRONG_ORGANIZATION: (
        gettext_lazy("This secret does not belong to that organization."),
        gettext_lazy("Check the organization's id."),
    ),
    Code.NEEDS_ORGANIZATION: (
        gettext_lazy("A token of this kind works only together with its organization."),
        gettext_lazy("Enter the organization's id."),
    ),
    Code.MALFORMED_SECRET: (
        gettext_lazy("This cannot be a secret of an engine: it holds spaces or special characters."),
        gettext_lazy("Copy it again, whole and alone."),
    ),
    Code.FORBIDDEN: (
        gettext_lazy("The engine knows this secret but does not let it see its project."),
        gettext_lazy("Ask whoever manages the project for more rights."),
    ),
    Code.NOT_IN_PLAN: (
        gettext_lazy("The engine's plan does not allow this."),
        gettext_lazy("Ask whoever manages the engine's account."),
    ),
    Code.OTHER_PROJECT: (
        gettext_lazy("This secret now opens another project than this workspace's."),
        gettext_lazy("Add a new credential, and delete this one."),
    ),
    Code.NOT_OF_THIS_PROJECT: (
        gettext_lazy("This secret opens another project than this workspace's."),
        gettext_lazy("The one in use stays as it is. To use the other project, add it as a new credential."),
    ),
    Code.UNREACHABLE: (
        gettext_lazy("Nothing answers at this address."),
        gettext_lazy("Check its spelling, or ask whether the engine is running."),
    ),
    Code.ADDRESS_REFUSED: (
        gettext_lazy("The console does not call this address."),
        gettext_lazy("Internal addresses must first be allowed by whoever runs the console."),
    ),
    Code.NOT_AN_ENGINE: (
        gettext_lazy("What answers at this address is not a workflow engine."),
        gettext_lazy("The address of an Activepieces usually ends in /api; that of an Imbrace gateway has no path."),
    ),
    Code.TIMED_OUT: (
        gettext_lazy("The engine did not answer in time."),
        gettext_lazy("Try again in a moment."),
    ),
    Code.BUSY: (
        gettext_lazy("The engine asks for fewer calls just now."),
        gettext_lazy("Try again in a minute."),
    ),
    Code.DOWN: (
        gettext_lazy("The engine has trouble of its own and gave no proper answer."),
        gettext_lazy("Try again in a moment."),
    ),
    Code.CANNOT_OPEN: (
        gettext_lazy(
            "The stored secret cannot be opened any more; its encryption key is gone or the data was changed."
        ),
        gettext_lazy("Replace its secret, or add the credential again and delete this one."),
    ),
    Code.WRONG_SIGN_IN: (
        gettext_lazy("The engine does not accept this sign-in."),
        gettext_lazy(
            "Check the e-mail address, and the password or the code; a code works once, and for some hours only."
        ),
    ),
    Code.NO_PASSWORD: (
        gettext_lazy("The token could not renew itself: for a new sign-in the password is needed, and it is not kept."),
        gettext_lazy("Replace the secret by signing in again, or by an API key, which needs no renewal."),
    ),
    Code.NO_SIGN_IN: (
        gettext_lazy("This engine has no sign-in that the console could use."),
        gettext_lazy("Use an API key or a token instead."),
    ),
    Code.NO_ORGANIZATION: (
        gettext_lazy("The sign-in works, but this account belongs to no organization."),
        gettext_lazy("Ask to be invited into one, then try again."),
    ),
}


def of_code(code: str, *, found: str = "") -> Words:
    """Words for a problem's code; `found` is the organization or project that was found instead."""
    what, remedy = _WORDS.get(code, _WORDS[Code.DOWN])
    if found and code == Code.WRONG_ORGANIZATION:
        return Words(_("This secret belongs to the organization %(found)s.") % {"found": found}, str(remedy))
    if found and code == Code.OTHER_PROJECT:
        return Words(_("This secret now opens another project: %(found)s.") % {"found": found}, str(remedy))
    if found and code == Code.NOT_OF_THIS_PROJECT:
        return Words(_("This secret opens another project: %(found)s.") % {"found": found}, str(remedy))
    return Words(str(what), str(remedy))


def of_problem(problem: Problem) -> Words:
    """Words for a problem."""
    return of_code(problem.code, found=problem.found)


#: Each kind in a sentence, for whoever chooses one.
KINDS: dict[str, Promise] = {
    Kind.API_KEY: gettext_lazy(
        "Best for launching: the engine never writes it into the data of runs. It starts with “api_”."
    ),
    Kind.SIGN_IN: gettext_lazy(
        "The console signs in for you and gets a token for one organization, which it renews. The engine keeps that token with each run."
    ),
    Kind.ACCESS_TOKEN: gettext_lazy(
        "A token that starts with “acc_”. The engine keeps it with each run that is launched with it."
    ),
    Kind.JWT: gettext_lazy(
        "A long token that starts with “eyJ”, together with its organization. The engine may keep it with each run."
    ),
    Kind.BEARER_TOKEN: gettext_lazy("An API key that starts with “sk-”, or the token of a sign-in."),
    Kind.BEARER_SIGN_IN: gettext_lazy(
        "The console signs in with your e-mail address and password and uses the token that it gets."
    ),
}

#: Icon (Font Awesome) and colour (Tabler) of each state of health; always shown with its word.
_SIGNS = {
    Health.WORKS: ("circle-check", "green"),
    Health.REFUSED: ("circle-xmark", "red"),
    Health.UNREACHABLE: ("plug-circle-xmark", "orange"),
}


@dataclass(frozen=True)
class HealthSign:
    """What the last test found, for a badge."""

    word: str
    icon: str
    colour: str


def health(credential: Credential) -> HealthSign:
    """The badge of a credential: what the last test found, or that its end is near or past; grey where it was never tested."""
    now = timezone.now()
    ends_at = credential.ends_at
    if ends_at is not None and ends_at <= now:
        return HealthSign(pgettext("credential", "Ended"), "circle-xmark", "red")
    if credential.health == Health.WORKS and ends_at is not None and credential.renew_at is None:
        days = -(-(ends_at - now) // timedelta(days=1))
        if days <= SOON:
            words = ngettext("Works, ends in %(n)s day", "Works, ends in %(n)s days", days) % {"n": days}
            return HealthSign(words if days > 1 else _("Works, ends within a day"), "hourglass-half", "orange")
    if not credential.health:
        return HealthSign(_("Not tested yet"), "circle-question", "secondary")
    icon, colour = _SIGNS[Health(credential.health)]
    return HealthSign(str(Health(credential.health).label), icon, colour)


def trouble(credential: Credential) -> Words | None:
    """What the last test found wrong, or that the secret has ended meanwhile; None where nothing is known against it."""
    code = credential.findings.get("problem", "")
    if code:
        return of_code(code, found=credential.findings.get("found", ""))
    if credential.ends_at is not None and credential.ends_at <= timezone.now():
        return Words(
            _("The time of this secret is over."),
            _("Get a new one from the engine and put it in its place, or ask the owner to."),
        )
    return None


def renewal_trouble(credential: Credential) -> Words | None:
    """Why the token could not be renewed, None where it could."""
    return of_code(credential.renew_problem) if credential.renew_problem else None


def whose(acting: Acting) -> str:
    """The credential that acts for a person, and why it is this one. Its name only."""
    if acting.own or acting.credential.team is None:
        return _("“%(name)s”, your own key") % {"name": acting.credential.name}
    words = {"name": acting.credential.name, "team": acting.credential.team.name}
    return _("“%(name)s”, the key of the team %(team)s, because you are in it") % words


def overtaken(last: CredentialSecret, reader: User) -> str:
    """That the secret was replaced since a page about it was opened: when, and by whom."""
    when = show.relative(last.replaced_at)
    if last.replaced_by_id == reader.pk:
        return _("You replaced this secret yourself since this page was opened (%(when)s).") % {"when": when}
    who = last.replaced_by.label if last.replaced_by else _("Somebody")
    return _("%(who)s replaced this secret since this page was opened (%(when)s).") % {"who": who, "when": when}


def owner(credential: Credential, reader: User) -> str:
    """Whose it is, for somebody who looks at it."""
    if credential.owner_id == reader.pk:
        return _("You")
    if credential.owner is not None:
        return str(credential.owner.label)
    return _("Team %(team)s") % {"team": credential.team}


def kept_in_runs(credential: Credential) -> bool:
    """Whether the engine keeps it with each run that it launches (api.md 2.2), so that an API key would be the better choice."""
    return credential.kind in KEPT_IN_RUNS


#: What a credential may look at, in words; the names are those of services.inspecting.LOOKS.
_MAY = {
    "flows": gettext_lazy("flows"),
    "runs": gettext_lazy("runs"),
    "folders": gettext_lazy("folders"),
    "connections": gettext_lazy("connections"),
    "tables": gettext_lazy("tables"),
    "mcp-servers": gettext_lazy("MCP servers"),
}


def _named(names: list[str]) -> str:
    return ", ".join(str(_MAY[name]) for name in names if name in _MAY)


def facts(credential: Credential) -> list[tuple[str, str]]:
    """What the last good test found, as (label, value), without what is unknown."""
    found = credential.findings
    milliseconds = found.get("round_trip_ms")
    who = " · ".join(part for part in (found.get("who", ""), found.get("email", "")) if part)
    lines = [
        (_("Whose it is"), who),
        (_("Organization"), found.get("organization", "")),
        (_("Project"), found.get("project", "")),
        (_("Project id"), found.get("project_id", "")),
        (_("Engine"), _engine(credential)),
        (_("May look at"), _named(found.get("may") or [])),
        (_("May not look at"), _named(found.get("may_not") or [])),
        (_("Answered within"), _("%(count)s ms") % {"count": milliseconds} if milliseconds is not None else ""),
    ]
    return [(label, value) for label, value in lines if value]


def _engine(credential: Credential) -> str:
    flavour = str(Flavour(credential.workspace.flavour).label)
    version = credential.findings.get("version", "")
    return f"{flavour} {version}".strip()
