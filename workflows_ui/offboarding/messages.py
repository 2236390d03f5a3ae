"""Texts for the belongings of a leaving person: titles, consequences of doing nothing, and possible actions."""

from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from workflows_ui.accounts.models import User
from workflows_ui.audit import messages as audit_messages
from workflows_ui.jobs import messages as job_messages
from workflows_ui.members import messages as launch_right_messages
from workflows_ui.offboarding.services.belongings import Holder, Item, Kind, Reach, Scope
from workflows_ui.offboarding.services.handover import Problem
from workflows_ui.web.messages import Text


@dataclass(frozen=True)
class KindMessage:
    """Texts of one kind: title, icon, the consequence of doing nothing, and the labels for ending it and for its date."""

    title: Text
    icon: str
    otherwise: Text
    end: Text = ""
    moment: Text = ""
    #: Shown if it can be handed over or ended.
    more: Text = ""
    #: Shown in the confirmation.
    warning: Text = ""


KIND_MESSAGES: dict[Kind, KindMessage] = {
    Kind.ROLE: KindMessage(
        gettext_lazy("Role in the workspace"),
        "user-shield",
        gettext_lazy("It stays until the membership is ended or the account is switched off."),
        more=gettext_lazy("The colleague becomes a manager as well."),
    ),
    Kind.CREDENTIAL: KindMessage(
        gettext_lazy("Credentials"),
        "key",
        gettext_lazy(
            "A credential that no team uses is deleted when the account is switched off or the person leaves the workspace; "
            "launches waiting to be sent with it are not sent."
        ),
        gettext_lazy("Delete it"),
        gettext_lazy("Last used"),
        gettext_lazy(
            "The new owner uses it; no one sees the secret. If it goes to a team, a manager becomes the owner."
        ),
        gettext_lazy("The person may still know the secret: replace it, or revoke it at the engine."),
    ),
    Kind.TEAM_CREDENTIAL: KindMessage(
        gettext_lazy("Credentials of others that teams use"),
        "people-group",
        gettext_lazy("They stay with their owners and keep working."),
        moment=gettext_lazy("Last used"),
    ),
    Kind.FORM: KindMessage(
        gettext_lazy("Launch forms last saved"),
        "file-pen",
        gettext_lazy(
            "It stays as it is and still names who saved it. A draft waits until a builder publishes or discards it."
        ),
        gettext_lazy("Discard the draft"),
        gettext_lazy("Saved"),
    ),
    Kind.RIGHT: KindMessage(
        gettext_lazy("Launch rights held"),
        "user-clock",
        gettext_lazy("It ends when the account is switched off or the person leaves the workspace."),
        gettext_lazy("Withdraw it"),
        more=gettext_lazy(
            "The colleague gets what is left of it. Only people who cannot launch by their role need one."
        ),
    ),
    Kind.GIVEN: KindMessage(
        gettext_lazy("Launch rights given to others"),
        "user-check",
        gettext_lazy("It stays valid and still names who gave it."),
        gettext_lazy("Withdraw it"),
        gettext_lazy("Given"),
    ),
    Kind.INVITATION: KindMessage(
        gettext_lazy("Open invitations"),
        "envelope-open",
        gettext_lazy("Its link stops working as soon as its sender no longer manages the workspace."),
        gettext_lazy("Revoke"),
        gettext_lazy("Works until"),
    ),
    Kind.INPUTS: KindMessage(
        gettext_lazy("Saved inputs"),
        "bookmark",
        gettext_lazy("Private ones can no longer be used by anyone. Shared ones still can."),
        gettext_lazy("Delete them"),
        gettext_lazy("Saved"),
    ),
    Kind.WATCH: KindMessage(
        gettext_lazy("Notification subscriptions"),
        "bell",
        gettext_lazy("They stop when the account is switched off."),
        gettext_lazy("End them"),
        gettext_lazy("Since"),
    ),
    Kind.NOTICE: KindMessage(
        gettext_lazy("Unread notifications"),
        "envelope",
        gettext_lazy("They stay with the account and are deleted after 90 days."),
    ),
    Kind.LAUNCH: KindMessage(
        gettext_lazy("Launches waiting to be sent"),
        "hourglass-half",
        gettext_lazy("It is sent as usual, but not after the account is switched off."),
        gettext_lazy("Withdraw it"),
        gettext_lazy("Launched"),
    ),
    Kind.RUN: KindMessage(
        gettext_lazy("Launches under way"),
        "rocket",
        gettext_lazy("It continues and is followed to its end, with another credential of the workspace if necessary."),
        moment=gettext_lazy("Launched"),
    ),
    Kind.JOB: KindMessage(
        gettext_lazy("Jobs that are not finished"),
        "list-check",
        gettext_lazy("It continues. If the account is switched off, it ends early."),
        gettext_lazy("Stop it"),
        gettext_lazy("Started"),
    ),
    Kind.OWNER: KindMessage(
        gettext_lazy("Teams owned"),
        "user-tie",
        gettext_lazy(
            "The team then has an owner who cannot sign in. If it has no other owner, only an administrator can add people."
        ),
        gettext_lazy("End it"),
        more=gettext_lazy("People of the team can take over."),
    ),
    Kind.TEAM: KindMessage(
        gettext_lazy("Memberships in teams"),
        "users",
        gettext_lazy("The membership stays, and applies again if the account is switched back on."),
        gettext_lazy("Remove from team"),
    ),
    Kind.SESSION: KindMessage(
        gettext_lazy("Sessions"),
        "display",
        gettext_lazy("All of them end when the account is switched off."),
        gettext_lazy("Sign out everywhere"),
        gettext_lazy("Last sign-in"),
    ),
}
_PROBLEMS: dict[Problem, Text] = {
    Problem.NOT_A_CHOICE: gettext_lazy("This choice is not available here, or no longer. Choose again."),
    Problem.NO_MANAGER: gettext_lazy(
        "Without this membership nobody would manage a workspace. Make somebody else a manager first."
    ),
    Problem.TEAMS: gettext_lazy(
        "This colleague may not put people into the teams of the invitation. Choose somebody else."
    ),
    Problem.CANNOT_OPEN: gettext_lazy(
        "The secret cannot be opened, so the credential cannot be handed over. Replace the secret, or delete the credential."
    ),
}
#: Kinds that can be handed to managers only.
_TO_MANAGERS = (Kind.CREDENTIAL, Kind.GIVEN, Kind.INVITATION)
#: Kinds that only managers can hand over.
_OF_MANAGERS = (Kind.ROLE, Kind.RIGHT, Kind.GIVEN, Kind.INVITATION)


def problem(reason: Problem) -> Text:
    """Return why a choice cannot be carried out."""
    return _PROBLEMS[reason]


def no_holder_reason(item: Item) -> Text:
    """Return why there is nobody to hand the item to; "" for a guest, who sees no colleagues."""
    workspace_reach = item.workspace_reach
    if workspace_reach is not None and not workspace_reach.shows_colleagues:
        return ""
    if workspace_reach is not None and not workspace_reach.manages and item.kind in _OF_MANAGERS:
        return gettext_lazy("Only a manager of the workspace can hand it over.")
    if item.kind in _TO_MANAGERS:
        return gettext_lazy("Only another manager could take it over, and there is no other yet.")
    return gettext_lazy("No colleague here can take it over.")


def name(item: Item) -> str:
    if item.kind is Kind.JOB:
        return str(audit_messages.action(f"{item.row.resource}.{item.row.action or 'export'}"))
    if item.kind is Kind.NOTICE:
        return ngettext("%(n)s unread notification", "%(n)s unread notifications", item.facts["n"]) % item.facts
    if item.kind is Kind.SESSION:
        return ngettext("Signed in with %(n)s browser", "Signed in with %(n)s browsers", item.facts["n"]) % item.facts
    return item.name


def facts(item: Item) -> list[str]:
    """Return further facts about the item, without its date."""
    return [text for text in _facts(item) if text]


def _facts(item: Item) -> list[str]:
    values = item.facts
    if item.kind is Kind.ROLE:
        return [
            _("through the team %(team)s") % {"team": values["team"]} if values["team"] else "",
            _("Nobody else manages this workspace.") if values["alone"] else "",
        ]
    if item.kind is Kind.CREDENTIAL:
        used = [_("used by the team %(team)s") % {"team": name} for name in values["teams"]]
        return [item.row.get_kind_display(), *used, "" if item.at else _("never used"), _waiting(values["waiting"])]
    if item.kind is Kind.TEAM_CREDENTIAL:
        return [_("used by the team %(team)s") % {"team": name} for name in values["teams"]]
    if item.kind is Kind.FORM:
        return [
            pgettext("launch form", "published") if values["published"] else pgettext("launch form", "not published"),
            _("has a draft") if values["draft"] else "",
        ]
    if item.kind is Kind.RIGHT:
        return [launch_right_messages.limits(item.row)]
    if item.kind is Kind.GIVEN:
        return [_("for %(person)s") % {"person": item.row.holder}, launch_right_messages.limits(item.row)]
    if item.kind is Kind.INPUTS:
        return [str(values["flow"]), _("shared with colleagues") if values["shared"] else _("private")]
    if item.kind is Kind.LAUNCH:
        return [_("waits with %(credential)s") % values if values["credential"] else ""]
    if item.kind in {Kind.WATCH, Kind.INVITATION}:
        row = item.row
        return [str(row.get_kind_display() if item.kind is Kind.WATCH else row.get_role_display())]
    if item.kind is Kind.JOB:
        return [str(job_messages.badge(item.row).word)]
    if item.kind is Kind.OWNER:
        return [_("no other owner") if values["alone"] else ""]
    return []


def _waiting(flows: list[str]) -> str:
    if not flows:
        return ""
    names = ", ".join(dict.fromkeys(flow[:60] for flow in flows[:5]))
    text = ngettext("%(n)s launch waits with it: %(flows)s", "%(n)s launches wait with it: %(flows)s", len(flows))
    return text % {"n": len(flows), "flows": names + (", …" if len(flows) > 5 else "")}


def holder(recipient: Holder) -> str:
    """Return the label of a person or team."""
    if not isinstance(recipient, User):
        return _("Team %(team)s") % {"team": recipient.name[:80]}
    return recipient.label if recipient.label == recipient.username else f"{recipient.label} ({recipient.username})"


def url(item: Item, reach: Reach) -> str:
    """Return the URL of the item, or "" if the viewer cannot open it: administrators of the console are not members."""
    if item.kind in {Kind.TEAM, Kind.OWNER}:
        return reverse("team", args=[item.pk]) if reach.unrestricted or item.ends else ""
    if item.kind is Kind.SESSION:
        return reverse("sessions") if reach.scope is Scope.OWN else ""
    if item.workspace is None or reach.scope is Scope.CONSOLE:
        return ""
    views: dict[Kind, Any] = {
        Kind.CREDENTIAL: "credential",
        Kind.TEAM_CREDENTIAL: "credential",
        Kind.LAUNCH: "launch",
        Kind.RUN: "launch",
        Kind.JOB: "job",
    }
    if item.kind in views:
        return reverse(views[item.kind], args=[item.workspace.slug, item.pk])
    if item.kind is Kind.INVITATION and item.workspace_reach and item.workspace_reach.manages:
        return reverse("invitation", args=[item.workspace.slug, item.pk])
    if item.kind is Kind.FORM and item.workspace_reach and item.workspace_reach.builds:
        return reverse("form_builder", args=[item.workspace.slug, item.row.flow_id])
    return ""
