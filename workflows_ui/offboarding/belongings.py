"""A person's belongings that the viewer may see, and who may receive them.

What a person owns in a feature is declared as an `Owned` in the package `owned`, which has the order of the page.
The viewer's access (members/services/access.py) decides which workspaces are searched.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any, Generic, TypeVar

from django.contrib.auth.models import Group
from django.db.models import Model, Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from workflows_ui.accounts.models import User
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.core.text import Text
from workflows_ui.members.models import LaunchRight, Member, Role, Workspace
from workflows_ui.members.services import access, teams
from workflows_ui.members.services.access import Access

#: A possible recipient.
Holder = User | Group
M = TypeVar("M", bound=Model)


class Scope(StrEnum):
    """Whose page it is: the administration's, a workspace manager's, or the person's own."""

    CONSOLE = "console"
    MANAGER = "manager"
    OWN = "own"


@dataclass
class WorkspaceReach:
    """One workspace of the page, with the viewer's access to it: the administration has the rights of a manager everywhere."""

    access: Access
    person: User

    @property
    def workspace(self) -> Workspace:
        return self.access.workspace

    @property
    def manages(self) -> bool:
        return self.access.allows(Role.MANAGER)

    @cached_property
    def colleagues(self) -> list[tuple[User, Role]]:
        """The other active people of the workspace by name, with the highest of their own and their teams' roles, as in access.access_for.

        Guests do not see them.
        """
        if self.access.guest:
            return []
        rows = list(Member.objects.filter(workspace=self.workspace).values_list("user", "team", "role"))
        own = {user: Role(role) for user, _team, role in rows if user}
        by_team = {team: Role(role) for _user, team, role in rows if team}
        candidates = User.objects.filter(Q(pk__in=own) | Q(groups__in=by_team), is_active=True).exclude(
            pk=self.person.pk
        )
        people = []
        for person in candidates.distinct().order_by("first_name", "last_name", "username").prefetch_related("groups"):
            roles = [by_team[team.pk] for team in person.groups.all() if team.pk in by_team]
            roles += [own[person.pk]] if person.pk in own else []
            people.append((person, max(roles, key=lambda role: role.rank)))
        return people

    def people(self, least: Role) -> tuple[User, ...]:
        """The colleagues whose role includes this one."""
        return tuple(person for person, role in self.colleagues if role.includes(least))

    @property
    def successors(self) -> tuple[User, ...]:
        """Managers who may take over what only managers have, if the viewer may decide about it."""
        return self.people(Role.MANAGER) if self.manages else ()

    @cached_property
    def launched_by_right(self) -> tuple[User, ...]:
        """People who may need a right to launch: viewers, and guests who have one."""
        viewers = [person for person, role in self.colleagues if not role.includes(Role.LAUNCHER)]
        colleague_ids = [person.pk for person, _role in self.colleagues]
        rights = LaunchRight.objects.letting_in(timezone.now()).filter(workspace=self.workspace, user__isnull=False)
        guests = User.objects.filter(pk__in=rights.values("user"), is_active=True).exclude(
            pk__in=[*colleague_ids, self.person.pk]
        )
        return (*viewers, *guests.order_by("first_name", "last_name", "username"))

    @cached_property
    def credential_holders(self) -> tuple[Holder, ...]:
        """Possible recipients of a credential: the other managers and, if there is one to own it, the workspace's teams.

        For a viewer who does not manage the workspace, only the person's teams.
        """
        managers = self.people(Role.MANAGER)
        if not managers:
            return ()
        rows = teams.teams_within([self.workspace])
        if not self.manages:
            rows = rows.filter(Q(user=self.person) | Q(owners__user=self.person)).distinct()
        return (*managers, *rows)


@dataclass(frozen=True)
class Reach:
    """The viewer, the person and the workspaces of a page. `closed`: primary keys of workspaces that require a missing second step."""

    viewer: User
    person: User
    scope: Scope
    closed: frozenset[int] = frozenset()

    @cached_property
    def workspaces(self) -> dict[int, WorkspaceReach]:
        """The workspaces by primary key: all for the administration, else those the viewer manages or, on their own page, belongs to."""
        found = []
        if self.administers:
            found = [Access(self.viewer, row, Role.MANAGER) for row in Workspace.objects.order_by("name", "pk")]
        elif self.scope is not Scope.CONSOLE:
            for row in access.workspaces(self.viewer).exclude(pk__in=self.closed):
                with suppress(access.NoAccess):
                    found.append(access.access_for(self.viewer, row.slug))
        return {
            person_access.workspace.pk: WorkspaceReach(person_access, self.person)
            for person_access in found
            if self.scope is not Scope.MANAGER or person_access.allows(Role.MANAGER)
        }

    @cached_property
    def administers(self) -> bool:
        """Whether this is the administration's page and the viewer is an active superuser."""
        superusers = User.objects.filter(pk=self.viewer.pk, is_superuser=True, is_active=True)
        return self.scope is Scope.CONSOLE and superusers.exists()

    @property
    def unrestricted(self) -> bool:
        """Whether all teams and the sessions are shown, not only what belongs to the workspaces."""
        return self.administers or self.scope is Scope.OWN

    @property
    def visible_teams(self) -> QuerySet[Group]:
        """All teams; on a manager's page only those of the workspaces that they manage."""
        return Group.objects.order_by("name", "pk") if self.unrestricted else teams.teams_within(self.workspaces)

    def page_url(self, space: WorkspaceReach, view: str, *arguments: object) -> str:
        """The URL of a page in a workspace; "" if the viewer does not see it. Administrators of the console are not members."""
        url = reverse(view, args=[space.workspace.slug, *arguments])
        return url if self.scope is not Scope.CONSOLE and space.access.sees(access.page_of(url)) else ""


@dataclass(frozen=True, eq=False)
class Item:
    """One belonging of the person. It can be handed to one of `to`, or ended if `ends`; otherwise it is only listed.

    `row`: the argument of `give` and `end` of its declaration. `gives`: it can be handed over, if there is somebody to take it.
    `sole_manager`: nobody else has this role. `already`: those who have it, to whom a second click hands it over again.
    """

    kind: "Owned[Any]"
    pk: str
    name: str
    workspace_reach: WorkspaceReach | None = None
    row: Any = None
    to: Sequence[Holder] = ()
    ends: bool = False
    at: datetime | None = None
    facts: Sequence[Text] = ()
    url: str = ""
    gives: bool = True
    sole_manager: bool = False
    already: Sequence[Holder] = ()

    @property
    def key(self) -> str:
        return f"{self.kind.name}-{self.pk}"

    @property
    def workspace(self) -> Workspace | None:
        """The workspace; None if the item belongs to no single one."""
        return self.workspace_reach.workspace if self.workspace_reach else None

    def hand_over(self, actor: Actor, to: Holder) -> bool:
        """Hand the item to one of its `to`; return whether it still belonged to the person."""
        return self.kind.give is not None and self.kind.give(actor, self.row, to)

    def end(self, actor: Actor) -> bool:
        """End the item; return whether it still belonged to the person."""
        return self.kind.end is not None and self.kind.end(actor, self.row) is not False


@dataclass(frozen=True, eq=False)
class Owned(Generic[M]):
    """Declaration of one kind of things that people own: how they are found, shown, handed over and ended.

    `give` and `end` are services: they run in the transaction of handover.py, change nothing that is no longer the person's, and record
    each change in the audit log.

    Attributes:
        name: its part of an item's key.
        model: whose rows people own, and the foreign key or relation `owner` to the person. "" where they only have a share in them.
        workspace: the path to a row's workspace; "" for what lies in no workspace.
        otherwise: the consequence of doing nothing.
        items: the person's belongings of this kind, in the order of the page.
        give: hands a row to a holder; return whether it still belonged to the person. None if that is impossible.
        end: ends a row; False if it no longer belonged to the person.
        refusals: exceptions that either may raise, with what the page says at the choice.
        end_label: the label for ending it.
        moment: the label for its date.
        more: shown if it can be handed over or ended.
        warning: shown in the confirmation.
        view: the page of one object.
        guests: guests may open that page, too.
        to_managers: it can be handed to managers only.
        by_managers: only managers can hand it over.
    """

    name: str
    model: type[M]
    owner: str
    icon: str
    title: Text
    otherwise: Text
    items: "Callable[[Found[M]], Iterator[Item]]"
    workspace: str = "workspace"
    give: Callable[[Actor, Any, Any], bool] | None = None
    end: Callable[[Actor, Any], bool | None] | None = None
    refusals: Mapping[type[Exception], Text] = field(default_factory=dict)
    end_label: Text = ""
    moment: Text = ""
    more: Text = ""
    warning: Text = ""
    view: str = ""
    guests: bool = False
    to_managers: bool = False
    by_managers: bool = False

    def refusal(self, error: Exception) -> Text:
        """What is wrong with the choice that was refused by one of the declared exceptions."""
        return next(text for refused, text in self.refusals.items() if isinstance(error, refused))


@dataclass(frozen=True)
class Found(Generic[M]):
    """Where a declaration finds a person's belongings: within the reach, for its model and owner."""

    kind: Owned[M]
    reach: Reach

    @property
    def person(self) -> User:
        return self.reach.person

    @property
    def within(self) -> Q:
        """The condition that a row lies in one of the workspaces."""
        return Q((f"{self.kind.workspace}__in", self.reach.workspaces)) if self.kind.workspace else Q()

    @property
    def owned(self) -> Q:
        """The condition that a row is the person's and lies in one of the workspaces."""
        return self.within & Q((self.kind.owner, self.reach.person))

    @property
    def rows(self) -> QuerySet[M]:
        """The person's rows, with their workspaces."""
        rows = self.kind.model._default_manager.filter(self.owned)  # noqa: SLF001  # the public name of a manager differs
        return rows.select_related(self.kind.workspace) if self.kind.workspace else rows

    def space(self, row: Any) -> WorkspaceReach:
        """The workspace of a row that lies in one directly."""
        return self.reach.workspaces[row.workspace_id]

    def item(self, row: Any, name: str, **values: Any) -> Item:
        """The item for a row that lies in a workspace directly."""
        space = self.space(row)
        if self.kind.view and (self.kind.guests or not space.access.guest):
            values.setdefault("url", self.reach.page_url(space, self.kind.view, row.pk))
        return Item(self.kind, str(row.pk), name, space, row, **values)


#: By name, in the order of the page. Filled at start-up, so that this package knows no feature above it.
KINDS: dict[str, Owned[Any]] = {}


def install(declarations: Sequence[Owned[Any]]) -> None:
    KINDS.update({kind.name: kind for kind in declarations})


def find_belongings(reach: Reach) -> list[Item]:
    """The person's belongings within the reach, by workspace and kind."""
    order = {pk: number for number, pk in enumerate(reach.workspaces)}
    items = [item for kind in KINDS.values() for item in kind.items(Found(kind, reach))]
    return sorted(items, key=lambda item: order[item.workspace.pk] if item.workspace else len(order))
