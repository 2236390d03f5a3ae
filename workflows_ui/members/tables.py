"""The lists of a workspace's members and launch rights, of all people, and of teams."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.contrib.auth.models import Group
from django.db.models import Count, Exists, F, OuterRef
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy as _, pgettext_lazy

from workflows_ui.accounts.models import User
from workflows_ui.accounts.services import second_step
from workflows_ui.core.collation import by_name
from workflows_ui.core.states import Badge
from workflows_ui.core.text import Text
from workflows_ui.lists.local_lists import LocalList
from workflows_ui.members import messages
from workflows_ui.members.forms import LaunchRightFilterForm, PeopleFilterForm
from workflows_ui.members.models import LaunchRight, Member, Role, TeamOwner
from workflows_ui.members.services import launch_rights, teams
from workflows_ui.members.services.access import Access
from workflows_ui.resource_admin.resource import Column
from workflows_ui.web.elements import Button

_SET_UP = Badge(pgettext_lazy("two-factor authentication", "Set up"), "check", "green")
_NOT_SET_UP = Badge(_("Not set up"), "shield", "secondary")


@dataclass(frozen=True)
class _Cell:
    """A member, for a cell with a template of its own, and the text of the cell in files."""

    member: Member
    text: str

    def __str__(self) -> str:
        return str(self.text)


def _step(member: Any) -> Badge | None:
    if not member.user:
        return None
    missing = replace(_NOT_SET_UP, colour="yellow") if member.workspace.second_factor_required else _NOT_SET_UP
    return _SET_UP if member.stepped else missing


class Members(LocalList):
    """The members of a workspace, all of them in memory.

    `stepped`: whether a person has a second factor; `people`: who are members through a team only.
    """

    name = "members"
    label, label_plural = _("Member"), _("Members")
    icon, group = "users", "team"
    logged_as = "member"
    rows = 50
    file_view = "members_file"
    list_display = (
        Column(
            lambda member: _Cell(member, member.holder),
            _("Name"),
            template_name="members/name_cell.html",
            name="name",
        ),
        Column(
            lambda member: _Cell(member, member.get_role_display()),
            _("Role"),
            template_name="members/role_cell.html",
            name="role",
            sort=lambda member: Role(member.role).rank,
        ),
        Column(_step, _("Two-factor"), kind="badge", name="step"),
        Column(lambda member: member.created_at, _("Since"), kind="when", phone=False, name="since"),
    )

    def title(self, row: Member) -> str:
        return row.holder

    def row_buttons(self, access: Access, row: Member) -> Sequence[Button]:
        """What can be done with the membership; a person's own ends on their own page."""
        slug, person = access.workspace.slug, row.user_id
        buttons = []
        if person:
            leaving, url = _("Before they leave…"), reverse("member_leaving", args=[slug, person])
            if person == access.user.pk:
                leaving, url = _("Before you leave"), reverse("leaving")
            permissions = Button(_("What they may do"), "shield-check", reverse("permissions", args=[slug, person]))
            buttons = [permissions, Button(leaving, "log-out", url)]
        remove = reverse("member_remove", args=[slug, row.pk])
        return [*buttons, Button(_("Remove"), "user-x", remove, danger=True)]


def _account(user: User) -> Text:
    if not user.is_active:
        return _("Deactivated")
    return _("Administrator") if user.is_superuser else pgettext_lazy("account", "Active")


class People(LocalList):
    """All people of the console, for superusers."""

    name = "people"
    label, label_plural = _("Person"), _("People")
    icon, group = "users-round", "team"
    filters = PeopleFilterForm
    moment = "date_joined"
    logged_as = "person"
    default_order = by_name("first_name", "last_name", "username")
    rows = 50
    file_view = "people_file"
    list_display = (
        Column(
            lambda user: user.label,
            _("Name"),
            link=lambda _slug, user: reverse("person", args=[user.pk]),
            below=lambda user: user.username if user.username != user.label else "",
            name="name",
            sort=by_name("first_name", "last_name", "username"),
        ),
        Column(lambda user: user.email, _("Email address"), name="email", sort=by_name("email")),
        Column(_account, _("Account"), name="account", sort=("is_active", "is_superuser")),
        Column(lambda user: user.last_login, _("Last sign-in"), kind="when", name="signed_in", sort=("seen_at",)),
        Column(
            lambda user: _SET_UP if user.stepped else _NOT_SET_UP,
            _("Two-factor"),
            kind="badge",
            phone=False,
            name="step",
            sort=False,
        ),
        Column(lambda user: user.workspaces, _("Workspaces"), kind="count", phone=False, name="workspaces", sort=False),
    )

    def masked(self, session: Any, rows: Sequence[Any]) -> Sequence[Any]:
        """The people, with the number of their `workspaces`, and `stepped`: whether they have a second factor."""
        own = Member.objects.filter(user__in=rows).values_list("user", "workspace")
        by_team = Member.objects.filter(team__user__in=rows).values_list("team__user", "workspace")
        counts = Counter(user for user, _workspace in own.union(by_team))
        stepped = second_step.users_with_step(user.pk for user in rows)
        for user in rows:
            user.workspaces, user.stepped = counts[user.pk], user.pk in stepped
        return rows

    def title(self, row: User) -> str:
        return row.label


def _relation(team: Any) -> Badge | None:
    if team.own:
        return Badge(_("own it"), "user-check", "blue")
    return Badge(_("are in it"), "users", "secondary") if team.inside else None


class Teams(LocalList):
    """The teams that the reader may see, all of them in memory: rows of `teams_of`."""

    name = "teams"
    label, label_plural = _("Team"), _("Teams")
    icon, group = "users-round", "team"
    logged_as = "team"
    empty = _("You are in no team")
    empty_hint = _("An administrator creates teams and adds people to them.")
    rows = 50
    file_view = "teams_file"
    list_display = (
        Column(
            lambda team: team.name,
            _("Team"),
            link=lambda _slug, team: reverse("team", args=[team.pk]),
            below=lambda team: team.description or "",
            name="name",
        ),
        Column(lambda team: team.people, _("People"), kind="count", phone=False, name="people"),
        Column(lambda team: team.workspaces, _("Workspaces"), kind="count", phone=False, name="workspaces"),
        Column(_relation, _("You"), kind="badge", name="you"),
    )


def teams_of(reader: User) -> list[Group]:
    """The teams that the reader may see, with numbers, and whether the reader owns a team or is in it."""
    rows = teams.visible(reader).annotate(
        description=F("profile__description"),
        people=Count("user", distinct=True),
        workspaces=Count("memberships", distinct=True),
        own=Exists(TeamOwner.objects.filter(team=OuterRef("pk"), user=reader)),
        inside=Exists(reader.groups.filter(pk=OuterRef("pk"))),
    )
    return list(rows)


def team_list(reader: User) -> Teams:
    if not reader.is_superuser:
        return Teams()
    return Teams.with_attributes(
        empty=_("There is no team yet"),
        empty_hint=_("Create one for people who share credentials or launch the same flows."),
    )


def _holder(right: Any) -> Text:
    return gettext("%(email)s (invited)") % {"email": right.holder} if right.invitation else str(right.holder)


def _holder_note(right: Any) -> Text:
    if right.team:
        return _("team")
    return "" if right.invitation or right.user.is_active else _("deactivated")


def _state(right: Any) -> Badge:
    if right.keyless:
        return Badge(_("No credential"), "triangle-alert", "yellow")
    status = messages.describe_right(right)
    icon = "mail" if right.invitation else "check"
    return Badge(status["state"], icon if status["usable"] else "ban", status["colour"])


def _launches(right: Any) -> Text:
    values = {"used": right.used, "n": right.most_launches}
    return str(right.used) if right.most_launches is None else gettext("%(used)s of %(n)s") % values


def _state_note(right: Any) -> Text:
    """What keeps a right from being used."""
    if right.invitation and right.usable(timezone.now()) and not right.invitation.open(timezone.now()):
        return _("The link of their invitation has expired. Create a new one.")
    if not right.keyless:
        return ""
    if right.invitation:
        return _("The team that they join has no credential here.")
    if right.team:
        return _("The team has no credential here yet, so only members with their own credential can launch.")
    return _("They have no credential here yet: add them to a team that has one, or ask them to add their own.")


class LaunchRights(LocalList):
    """The launch rights of a workspace, those in force first. `keyless`: whether the holder lacks a credential."""

    name = "launch_rights"
    label, label_plural = _("Launch right"), _("Launch rights")
    icon, group = "calendar-clock", "team"
    filters = LaunchRightFilterForm
    moment = "created_at"
    logged_as = "launch_right"
    default_order = ("ended",)
    empty = _("No launch right is in force")
    empty_hint = _(
        "A launch right lets a person or a team launch one flow, until a date or for a number of launches if you like."
    )
    rows = 50
    file_view = "launch_rights_file"
    list_display = (
        Column(
            _holder,
            _("Who"),
            below=_holder_note,
            name="holder",
            sort=by_name("team__name", "invitation__email", "user__first_name", "user__last_name", "user__username"),
        ),
        Column(
            lambda right: right.flow_name or right.flow_id,
            _("Flow"),
            link=lambda slug, right: reverse("flow_launch_rights", args=[slug, right.flow_id]),
            name="flow",
            sort=by_name("flow_name", "flow_id"),
        ),
        Column(_state, _("State"), kind="badge", below=_state_note, name="state", sort=("ended",)),
        Column(lambda right: right.until, _("Until"), kind="when", name="until", sort=("until",)),
        Column(_launches, _("Launches"), name="launches", sort=("used",)),
        Column(
            lambda right: right.created_at,
            pgettext_lazy("launch right", "Given"),
            kind="when",
            below=lambda right: right.created_by.label if right.created_by else "",
            phone=False,
            name="given",
            sort=("created_at",),
        ),
    )

    def masked(self, session: Any, rows: Sequence[Any]) -> Sequence[Any]:
        keyless = launch_rights.keyless(rows)
        for right in rows:
            right.keyless = right.pk in keyless
        return rows

    def title(self, row: LaunchRight) -> str:
        return row.holder

    def row_buttons(self, access: Access, row: LaunchRight) -> Sequence[Button]:
        slug, buttons = access.workspace.slug, []
        if row.invitation_id and not row.revoked_at:
            buttons.append(Button(_("Invitation"), "mail", reverse("invitation", args=[slug, row.invitation_id])))
        if not row.revoked_at:
            buttons.append(Button(_("Change"), "pencil", reverse("launch_right_change", args=[slug, row.pk])))
        if row.usable(timezone.now()):
            revoke = reverse("launch_right_revoke", args=[slug, row.pk])
            buttons.append(Button(_("Revoke"), "ban", revoke, danger=True))
        return buttons
