"""What people own in workspaces and teams: roles, launch rights, invitations, and teams."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby
from operator import attrgetter
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from workflows_ui.accounts.models import User
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.members import messages
from workflows_ui.members.models import ColleagueInvitation, LaunchRight, Member, Role, TeamOwner
from workflows_ui.members.services import access, invitations, launch_rights, members, teams
from workflows_ui.offboarding.belongings import Found, Item, Owned


def _roles(found: Found[Member]) -> Iterator[Item]:
    rows = Member.objects.filter(found.within).filter(access.held_by(found.person))
    rows = rows.select_related("workspace", "team").order_by("workspace", "pk")
    for pk, memberships in groupby(rows, key=attrgetter("workspace_id")):
        space = found.reach.workspaces[pk]
        row = max(memberships, key=lambda member: (Role(member.role).rank, member.user_id is not None))
        manages = row.role == Role.MANAGER
        others = members.managers(space.workspace).exclude(pk=found.person.pk)
        sole_manager = manages and not others.exists()
        candidates = [member for member, role in space.colleagues if not role.includes(Role.MANAGER)]
        team = _("through the team %(team)s") % {"team": row.team.name} if row.team else ""
        yield Item(
            found.kind,
            str(pk),
            str(row.get_role_display()),
            space,
            row,
            to=candidates if manages and space.manages else (),
            facts=(team, _("No one else manages this workspace.") if sole_manager else ""),
            gives=manages,
            sole_manager=sole_manager,
            already=space.people(Role.MANAGER),
        )


def _make_manager(actor: Actor, row: Member, to: User) -> bool:
    """Make the colleague a manager; the person remains one until they are removed."""
    members.hand_over(actor, row.workspace, to)
    return True


ROLE = Owned(
    name="role",
    model=Member,
    owner="user",
    icon="shield-user",
    title=_("Role in the workspace"),
    otherwise=_("It stays until the membership is ended or the account is deactivated."),
    more=_("The colleague becomes a manager as well."),
    by_managers=True,
    items=_roles,
    give=_make_manager,
)


def _usable(found: Found[LaunchRight]) -> QuerySet[LaunchRight]:
    usable = LaunchRight.objects.usable(timezone.now()).filter(found.owned)
    return usable.select_related("workspace", "user", "team").order_by("flow_name", "pk")


def _held(found: Found[LaunchRight]) -> Iterator[Item]:
    for row in _usable(found):
        space = found.space(row)
        to = space.launched_by_right if space.manages else ()
        yield found.item(row, row.flow_name or row.flow_id, to=to, ends=True, facts=(messages.limits(row),))


RIGHT = Owned(
    name="right",
    model=LaunchRight,
    owner="user",
    icon="calendar-clock",
    title=_("Launch rights held"),
    otherwise=_("It ends when the account is deactivated or the person leaves the workspace."),
    end_label=_("Cancel it"),
    more=_("The colleague gets the launches that are left. Only people who cannot launch by their role need one."),
    by_managers=True,
    items=_held,
    give=launch_rights.give_rest,
    end=launch_rights.revoke,
    refusals={
        launch_rights.NothingActs: _(
            "This colleague has no credential to use here, so they could not launch anything. Choose someone else."
        )
    },
)


def _given(found: Found[LaunchRight]) -> Iterator[Item]:
    # Pending rights go with their invitation.
    for row in _usable(found).filter(invitation=None).exclude(user=found.person):
        space = found.space(row)
        to, ends = space.successors, space.manages
        facts = (_("for %(person)s") % {"person": row.holder}, messages.limits(row))
        yield found.item(row, row.flow_name or row.flow_id, to=to, ends=ends, at=row.created_at, facts=facts)


GIVEN_RIGHT = Owned(
    name="given",
    model=LaunchRight,
    owner="created_by",
    icon="user-check",
    title=_("Launch rights given to others"),
    otherwise=_("It stays valid and still names who gave it."),
    end_label=_("Cancel it"),
    moment=_("Given"),
    to_managers=True,
    by_managers=True,
    items=_given,
    give=launch_rights.hand_over,
    end=launch_rights.revoke,
)


def _invitations(found: Found[ColleagueInvitation]) -> Iterator[Item]:
    rows = found.rows.filter(accepted_at=None, revoked_at=None, expires_at__gt=timezone.now())
    for row in rows.order_by("email", "pk").prefetch_related("launch_rights"):
        space, facts = found.space(row), (messages.role(row),)
        to, ends, at = space.successors, space.manages, row.expires_at
        url = found.reach.page_url(space, "invitation", row.pk) if ends else ""
        yield found.item(row, row.email, to=to, ends=ends, at=at, facts=facts, url=url)


INVITATION = Owned(
    name="invitation",
    model=ColleagueInvitation,
    owner="invited_by",
    icon="mail-open",
    title=_("Open invitations"),
    otherwise=_("Its link stops working as soon as its sender no longer manages the workspace."),
    end_label=_("Revoke"),
    moment=_("Works until"),
    to_managers=True,
    by_managers=True,
    items=_invitations,
    give=invitations.pass_on,
    end=invitations.revoke,
    refusals={
        PermissionError: _("This colleague may not add people to the teams of the invitation. Choose someone else.")
    },
)


def _owned_teams(found: Found[TeamOwner]) -> Iterator[Item]:
    rows = found.rows.filter(team__in=found.reach.visible_teams).select_related("team")
    for row in rows.order_by("team__name"):
        owners = set(TeamOwner.objects.filter(team=row.team, user__is_active=True).values_list("user", flat=True))
        people = User.objects.filter(groups=row.team, is_active=True).exclude(pk__in=owners | {found.person.pk})
        facts = () if owners - {found.person.pk} else (_("no other owner"),)
        item = Item(found.kind, str(row.team_id), row.team.name, row=row, facts=facts)
        if found.reach.unrestricted:
            to = tuple(people.order_by("first_name", "last_name", "username"))
            item = replace(item, to=to, ends=True, url=reverse("team", args=[row.team_id]))
        yield item


def _hand_team_over(actor: Actor, row: TeamOwner, to: User) -> bool:
    if not teams.end_owner(actor, row.team, row.user):
        return False
    if not TeamOwner.objects.filter(team=row.team, user=to).exists():
        teams.make_owner(actor, row.team, to)
    return True


TEAM_OWNER = Owned(
    name="owner",
    model=TeamOwner,
    owner="user",
    workspace="",
    icon="user-star",
    title=_("Teams owned"),
    otherwise=_(
        "The team then has an owner who cannot sign in. If it has no other owner, only an administrator can add people."
    ),
    end_label=_("End it"),
    more=_("People of the team can take over."),
    items=_owned_teams,
    give=_hand_team_over,
    end=lambda actor, row: teams.end_owner(actor, row.team, row.user),
)


def _teams(found: Found[Any]) -> Iterator[Item]:
    reach = found.reach
    for team in reach.visible_teams.filter(user=found.person):
        ends = teams.may_edit(reach.viewer, team)
        url = reverse("team", args=[team.pk]) if reach.unrestricted or ends else ""
        yield Item(found.kind, str(team.pk), team.name, row=(team, found.person), ends=ends, url=url)


TEAM = Owned(
    name="team",
    model=User.groups.through,
    owner="user",
    workspace="",
    icon="users",
    title=_("Memberships in teams"),
    otherwise=_("The membership stays, and applies again if the account is reactivated."),
    end_label=_("Remove from team"),
    items=_teams,
    end=lambda actor, row: teams.take_out(actor, *row),
    refusals={
        members.LeavesNoManager: _(
            "Without this membership no one would manage a workspace. Make someone else a manager first."
        )
    },
)
