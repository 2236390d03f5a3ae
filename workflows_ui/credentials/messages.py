"""Texts about credentials and their tests, for forms, pages and the command line."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _, ngettext, pgettext

from workflows_ui.accounts.models import User
from workflows_ui.core import formats
from workflows_ui.core.crypto import Changed, NotEntered
from workflows_ui.core.states import Badge
from workflows_ui.core.text import Text
from workflows_ui.credentials.models import Ability, Credential, CredentialKind, CredentialSecret, Health
from workflows_ui.credentials.services import clients, credential_tests, engine_facts
from workflows_ui.credentials.services.capabilities import Verdict
from workflows_ui.credentials.services.credential_tests import Code, Problem
from workflows_ui.members.models import Flavour, Workspace
from workflows_ui.members.services.access import Acting
from workflows_ui.resource_admin.capabilities import NAMES

#: The badge mentions an end within this number of days.
SOON = 30


@dataclass(frozen=True)
class Message:
    """One problem: what happened, and what the person can do."""

    what: Text
    remedy: Text

    @property
    def sentence(self) -> str:
        return f"{self.what} {self.remedy}".strip()


_MESSAGES: dict[str, tuple[Text, Text]] = {
    Code.REFUSED: (
        _("The engine refuses this secret."),
        _("It may be mistyped, expired or revoked, or belong to another environment."),
    ),
    Code.SESSION_ENDED: (
        _("The engine ended this session: another password was set there, or its user was deactivated."),
        _(
            "Replace the secret by signing in again. If the password is kept, the console tries that once automatically."
        ),
    ),
    Code.USER_INACTIVE: (
        _("The engine's user of this sign-in is deactivated."),
        _("Ask an administrator of the engine to activate the user, then test the credential again."),
    ),
    Code.SCOPED_KEY: (
        _("This API key is limited to other parts of Imbrace and cannot reach workflows."),
        _("Use an API key without a list of permissions."),
    ),
    Code.WRONG_ORGANIZATION: (
        _("This secret does not belong to that organization."),
        _("Check the organization's ID."),
    ),
    Code.NEEDS_ORGANIZATION: (
        _("A token of this kind works only together with its organization."),
        _("Enter the organization's ID."),
    ),
    Code.MALFORMED_SECRET: (
        _("This cannot be a secret of an engine: it holds spaces or special characters."),
        _("Copy it again, whole and alone."),
    ),
    Code.FORBIDDEN: (
        _("The engine knows this secret but does not let it see its project."),
        _("Ask the project's manager for more rights."),
    ),
    Code.NOT_IN_PLAN: (
        _("The engine's plan does not allow this."),
        _("Ask the person who manages the engine's account."),
    ),
    Code.OTHER_PROJECT: (
        _("This secret now opens another project than this workspace's."),
        _("Add a new credential, and delete this one."),
    ),
    Code.NOT_OF_THIS_PROJECT: (
        _("This secret opens another project than this workspace's."),
        _("The one in use stays as it is. To use the other project, add it as a new credential."),
    ),
    Code.UNREACHABLE: (
        _("Nothing answers at this address."),
        _("Check its spelling, or ask whether the engine is running."),
    ),
    Code.ADDRESS_REFUSED: (
        _("The console does not call this address."),
        _("An administrator has to allow internal addresses first."),
    ),
    Code.NOT_AN_ENGINE: (
        _("What answers at this address is not a workflow engine."),
        _("The address of an Activepieces usually ends in /api; that of an Imbrace gateway has no path."),
    ),
    Code.TIMED_OUT: (_("The engine did not answer in time."), _("Try again in a moment.")),
    Code.BUSY: (_("The engine is limiting requests right now."), _("Try again in a minute.")),
    Code.DOWN: (_("The engine has a problem and did not answer properly."), _("Try again in a moment.")),
    Code.CANNOT_OPEN: (
        _("The stored secret cannot be opened any more; its encryption key is gone or the data was changed."),
        _("Replace its secret, or add the credential again and delete this one."),
    ),
    Code.CHANGED: (
        _("This credential was changed outside of the console. Its secret is not used."),
        _("Replace its secret, or have the change undone in the database. Tell your administrator."),
    ),
    Code.PLACE_CHANGED: (
        _("The workspace's address was changed outside of the console. No secret is sent there."),
        _(
            "A manager can move the workspace to the right address in its settings, or have the change undone. Tell your administrator."
        ),
    ),
    Code.NOT_ENTERED: (
        _("The workspace moved to another address. This secret has to be entered again for it."),
        _("Replace the secret: it is tested at the new address and used at once."),
    ),
    Code.WRONG_SIGN_IN: (
        _("The engine does not accept this sign-in."),
        _("Check the email address, and the password or the code; a code works once, and for some hours only."),
    ),
    Code.NO_PASSWORD: (
        _("The token could not be renewed: signing in again needs the password, which is not stored."),
        _("Replace the secret by signing in again, or by an API key, which needs no renewal."),
    ),
    Code.NO_SIGN_IN: (
        _("This engine has no sign-in that the console could use."),
        _("Use an API key or a token instead."),
    ),
    Code.NO_ORGANIZATION: (
        _("The sign-in works, but this account belongs to no organization."),
        _("Ask to be invited into one, then try again."),
    ),
}


#: What is said instead if the organization or project is known that was found.
_FOUND: dict[str, Promise] = {
    Code.WRONG_ORGANIZATION: _("This secret belongs to the organization %(found)s."),
    Code.OTHER_PROJECT: _("This secret now opens another project: %(found)s."),
    Code.NOT_OF_THIS_PROJECT: _("This secret opens another project: %(found)s."),
}


def code_message(code: str, *, found: str = "") -> Message:
    """The message for a problem's code; `found` is the organization or project that was found instead."""
    what, remedy = _MESSAGES.get(code, _MESSAGES[Code.DOWN])
    if found and code in _FOUND:
        what = _FOUND[code] % {"found": found}
    return Message(what, remedy)


def problem_message(problem: Problem) -> Message:
    message = code_message(problem.code, found=problem.found)
    if problem.suggestion:
        remedy = _("A workflow engine answers at %(address)s: enter that address.") % {"address": problem.suggestion}
        return Message(message.what, remedy)
    return message


#: A description of each kind, for the choice.
KINDS: dict[str, Promise] = {
    CredentialKind.API_KEY: _(
        "Best for launching: the engine never writes it into the data of runs. It starts with “api_”."
    ),
    CredentialKind.SIGN_IN: _(
        "The console signs in for you and gets a token for one organization, which it renews. The engine keeps that token with each run."
    ),
    CredentialKind.ACCESS_TOKEN: _(
        "A token that starts with “acc_”. The engine keeps it with each run that is launched with it."
    ),
    CredentialKind.JWT: _(
        "A long token that starts with “eyJ”, together with its organization. The engine may keep it with each run."
    ),
    CredentialKind.BEARER_TOKEN: _("An API key that starts with “sk-”, or the token of a sign-in."),
    CredentialKind.BEARER_SIGN_IN: _(
        "The console signs in with your email address and password and uses the token that it gets."
    ),
}


def health(credential: Credential) -> Badge:
    """The badge of a credential: unusable, ended, ending soon, or the result of the last test; grey if it was never tested."""
    now = timezone.now()
    closed = clients.refusal(credential)
    if isinstance(closed, NotEntered):
        return Badge(pgettext("credential", "Enter it again"), "key-round", "orange")
    if isinstance(closed, Changed):
        return Badge(pgettext("credential", "Changed outside"), "triangle-alert", "red")
    ends_at = credential.ends_at
    if ends_at is not None and ends_at <= now:
        return Badge(pgettext("credential", "Expired"), "circle-x", "red")
    if credential.health == Health.WORKS and ends_at is not None and credential.renew_at is None:
        days = -(-(ends_at - now) // timedelta(days=1))
        if days <= SOON:
            text = ngettext("Works, expires in %(n)s day", "Works, expires in %(n)s days", days) % {"n": days}
            return Badge(text if days > 1 else _("Works, expires within a day"), "hourglass", "orange")
    if credential.health not in Health.values:
        return Badge(_("Not tested yet"), "circle-question-mark", "secondary")
    return Health(credential.health).badge


def trouble(credential: Credential) -> Message | None:
    """The problem of the last test, or that the secret has ended; None if no problem is known."""
    closed = clients.refusal(credential)
    if closed is not None:
        return code_message(credential_tests.problem_code(closed))
    code = credential.findings.get("problem", "")
    if code:
        return code_message(code, found=credential.findings.get("found", ""))
    if credential.ends_at is not None and credential.ends_at <= timezone.now():
        return Message(
            _("This secret has expired."),
            _("Get a new one from the engine and replace it, or ask the owner to."),
        )
    return None


def acting_label(acting: Acting) -> str:
    """The name of the credential that acts for a person, and the reason for the choice."""
    if acting.own:
        return _("“%(name)s”, your own credential") % {"name": acting.credential.name}
    names = {"name": acting.credential.name, "owner": acting.credential.owner.label, "team": acting.team}
    return _("“%(name)s” of %(owner)s, shared with the team %(team)s, which you are in") % names


def option_labels(options: Iterable[Acting]) -> list[tuple[str, str]]:
    """Key and label of each credential that a person may launch with."""
    found = list(options)
    return _told_apart([(option.credential, acting_label(option)) for option in found])


def picker_labels(credentials: Iterable[Credential]) -> list[tuple[str, str]]:
    """Key and label of each credential, with its owner, for a field of choices. Select the owners with the rows."""
    return _told_apart([(row, f"{row.name} · {row.owner.label}") for row in credentials])


def _told_apart(labelled: Sequence[tuple[Credential, str]]) -> list[tuple[str, str]]:
    """Add the kind and when it was added to the labels that several have; those that are still alike get the start of their ids."""
    labels = dict(labelled)
    for add in (_kind_and_age, lambda row: str(row.pk)[:8]):
        count = Counter(labels.values())
        labels = {row: label if count[label] == 1 else f"{label} · {add(row)}" for row, label in labels.items()}
    return [(str(row.pk), label) for row, label in labels.items()]


def _kind_and_age(row: Credential) -> str:
    values = {"kind": row.get_kind_display(), "time": formats.exact(row.created_at, seconds=False)}
    return _("%(kind)s, added %(time)s") % values


def overtaken(last: CredentialSecret, reader: User) -> str:
    """A message that the secret was replaced since a page about it was opened, with time and person."""
    when = formats.relative(last.replaced_at)
    if last.replaced_by_id == reader.pk:
        return _("You replaced this secret yourself since this page was opened (%(when)s).") % {"when": when}
    who = last.replaced_by.label if last.replaced_by else _("Someone")
    return _("%(who)s replaced this secret since this page was opened (%(when)s).") % {"who": who, "when": when}


def owner(credential: Credential, reader: User) -> Text:
    if credential.owner_id == reader.pk:
        return _("You")
    return str(credential.owner.label)


@dataclass(frozen=True)
class Permission:
    """Whether a credential may look at one kind of object, and what that means."""

    badge: Badge
    text: Text = ""


def permission(verdict: Verdict | None) -> Permission:
    """The result of a probe (credentials.services.capabilities.look); None if it was not made or said nothing."""
    if verdict is None:
        badge = Badge(pgettext("permission", "Not known"), "circle-question-mark", "secondary")
        return Permission(
            badge, _("The engine gave no clear answer. It is offered all the same, and tried when you use it.")
        )
    if verdict.state == Ability.YES:
        return Permission(Badge(pgettext("permission", "Works"), "circle-check", "green"))
    if verdict.state == Ability.NOT_IN_PLAN:
        text = _("The engine's plan does not include it. The console leaves it out; the rest is not affected.")
        return Permission(Badge(pgettext("permission", "Not in the plan"), "circle-minus", "secondary"), text)
    if verdict.state == Ability.NO:
        text = _("This engine does not have it. The console leaves it out; there is nothing for you to do.")
        return Permission(Badge(pgettext("permission", "Not in this engine"), "circle-minus", "secondary"), text)
    text = _(
        "The engine does not allow it with this credential. Ask its administrator for a role that allows it, or connect "
        "with another credential. Then check again."
    )
    return Permission(Badge(pgettext("permission", "Not allowed"), "ban", "orange"), text)


def _access_labels(names: list[str]) -> str:
    return ", ".join(str(NAMES[name]) for name in names if name in NAMES)


def facts(credential: Credential) -> list[tuple[Text, str]]:
    """The known findings of the last successful test, as (label, value)."""
    findings = credential.findings
    milliseconds = findings.get("round_trip_ms")
    who = " · ".join(part for part in (findings.get("who", ""), findings.get("email", "")) if part)
    lines = [
        (_("Belongs to"), who),
        (_("Organization"), findings.get("organization", "")),
        (_("Project"), findings.get("project", "")),
        (_("Project ID"), findings.get("project_id", "")),
        (_("Engine"), engine(credential.workspace.flavour, credential.workspace.engine_version)),
        (_("Can view"), _access_labels(findings.get("may") or [])),
        (_("Cannot view"), _access_labels(findings.get("may_not") or [])),
        (_("Answered within"), _("%(count)s ms") % {"count": milliseconds} if milliseconds is not None else ""),
    ]
    return [(label, value) for label, value in lines if value]


def engine(flavour: str, version: str) -> str:
    """An engine's kind and version, and whether the console is tested with it."""
    # A row that was changed in the database may hold any value.
    label = Flavour(flavour).label if flavour in Flavour.values else flavour
    values = {"engine": label, "version": version}
    if not version:
        return _("%(engine)s, version unknown") % values
    if not version.startswith(engine_facts.TESTED_VERSIONS):
        return _("%(engine)s %(version)s, not tested with this console") % values
    return f"{label} {version}"


def limits(workspace: Workspace) -> list[tuple[Text, str]]:
    """The known limits of the engine, as (label, value)."""
    lines = [
        (_("Records of a table"), "records", _whole),
        (_("Columns of a table"), "fields", _whole),
        (_("Size of a file"), "file_megabytes", lambda number: f"{_whole(number)} MB"),
        (_("A call that waits for a flow's answer"), "wait_seconds", _seconds),
        (_("Length of a run"), "run_seconds", _seconds),
    ]
    known = [(label, engine_facts.limit(workspace, name, 0), form) for label, name, form in lines]
    return [(label, form(number)) for label, number, form in known if number]


def _whole(number: int) -> str:
    return number_format(number, force_grouping=True)


def _seconds(number: int) -> str:
    return formats.duration(number * 1000)
