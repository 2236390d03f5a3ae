"""What a credential's test found, in words: for its form, its page and the command line alike."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from workflows_ui.models import Credential, Flavour, Health
from workflows_ui.services.credentials import Code, Problem


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
        gettext_lazy("Add the credential again, and delete this one."),
    ),
}


def of_code(code: str, *, found: str = "") -> Words:
    """Words for a problem's code; `found` is the organization or project that was found instead."""
    what, remedy = _WORDS.get(code, _WORDS[Code.DOWN])
    if found and code == Code.WRONG_ORGANIZATION:
        return Words(_("This secret belongs to the organization %(found)s.") % {"found": found}, str(remedy))
    if found and code == Code.OTHER_PROJECT:
        return Words(_("This secret now opens another project: %(found)s.") % {"found": found}, str(remedy))
    return Words(str(what), str(remedy))


def of_problem(problem: Problem) -> Words:
    """Words for a problem."""
    return of_code(problem.code, found=problem.found)


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
    """The badge of a credential; grey where it was never tested."""
    if not credential.health:
        return HealthSign(_("Not tested yet"), "circle-question", "secondary")
    icon, colour = _SIGNS[Health(credential.health)]
    return HealthSign(str(Health(credential.health).label), icon, colour)


def trouble(credential: Credential) -> Words | None:
    """What the last test found wrong, None where nothing."""
    code = credential.findings.get("problem", "")
    return of_code(code, found=credential.findings.get("found", "")) if code else None


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
        (_("Answered within"), _("%(count)s ms") % {"count": milliseconds} if milliseconds is not None else ""),
    ]
    return [(label, value) for label, value in lines if value]


def _engine(credential: Credential) -> str:
    flavour = str(Flavour(credential.workspace.flavour).label)
    version = credential.findings.get("version", "")
    return f"{flavour} {version}".strip()
