"""A person's belongings that the viewer may see, and who may receive them. Their kinds are in kinds.py.

The viewer's access (members/services/access.py) decides which workspaces are searched.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any, ClassVar

from django.contrib.auth.models import Group
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from workflows_ui.accounts.models import User
from workflows_ui.audit.services import audit_log
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.core.text import Text
from workflows_ui.members.models import LaunchRight, Member, Role, Workspace
from workflows_ui.members.services import access, teams
from workflows_ui.members.services.access import Access

#: A possible recipient.
Holder = User | Group


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
        """The other active people of the workspace by name, with the highest of their own and their teams' roles, as in access.find.

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

    def rows(self, model: Any, **conditions: Any) -> Any:
        """The rows of a model that lie in one of the workspaces."""
        return model.objects.filter(workspace__in=self.workspaces, **conditions).select_related("workspace")


@dataclass(frozen=True, eq=False)
class Item:
    """One belonging of the person. It can be handed to one of `to`, or ended if `ends`; otherwise it is only listed.

    `sole_manager`: nobody else has this role. `already`: those who have it, to whom a second click hands it over again.
    """

    kind: "BelongingKind"
    pk: str
    name: str
    workspace_reach: WorkspaceReach | None = None
    row: Any = None
    to: Sequence[Holder] = ()
    ends: bool = False
    at: datetime | None = None
    facts: Sequence[Text] = ()
    url: str = ""
    sole_manager: bool = False
    already: Sequence[Holder] = ()

    @property
    def key(self) -> str:
        return f"{self.kind.name}-{self.pk}"

    @property
    def workspace(self) -> Workspace | None:
        """The workspace; None if the item belongs to no single one."""
        return self.workspace_reach.workspace if self.workspace_reach else None


class BelongingKind:
    """One kind. The subclasses are in the order of the page.

    Attributes:
        name: its part of an item's key.
        otherwise: the consequence of doing nothing.
        end_label: the label for ending it.
        moment: the label for its date.
        more: shown if it can be handed over or ended.
        warning: shown in the confirmation.
        view: the page of one object.
        guests: guests may open that page, too.
        to_managers: it can be handed to managers only.
        by_managers: only managers can hand it over.
    """

    name: ClassVar[str]
    title: ClassVar[Text]
    icon: ClassVar[str]
    otherwise: ClassVar[Text]
    end_label: ClassVar[Text] = ""
    moment: ClassVar[Text] = ""
    more: ClassVar[Text] = ""
    warning: ClassVar[Text] = ""
    view: ClassVar[str] = ""
    guests: ClassVar[bool] = False
    to_managers: ClassVar[bool] = False
    by_managers: ClassVar[bool] = False

    def find_items(self, reach: Reach) -> Iterator[Item]:
        """The person's belongings of this kind."""
        raise NotImplementedError

    def gives(self, item: Item) -> bool:
        """Whether the item can be handed over, if there is somebody to take it."""
        return type(self).give is not BelongingKind.give

    def give(self, actor: Actor, item: Item, to: Any) -> bool:
        """Hand the item to one of its `to`; return whether it still belonged to the person."""
        raise NotImplementedError

    @staticmethod
    def end_row(actor: Actor, row: Any, /) -> bool | None:
        """As `end`, for a row; None if it certainly was the person's."""
        raise NotImplementedError

    def end(self, actor: Actor, item: Item) -> bool:
        """End the item; return whether it still belonged to the person."""
        return self.end_row(actor, item.row) is not False

    def item(self, reach: Reach, row: Any, name: str, **values: Any) -> Item:
        """The item for a row that lies in a workspace."""
        workspace_reach = reach.workspaces[row.workspace_id]
        if self.view and (self.guests or not workspace_reach.access.guest):
            values.setdefault("url", reach.page_url(workspace_reach, self.view, row.pk))
        return Item(self, str(row.pk), name, workspace_reach, row, **values)

    def record(self, actor: Actor, verb: str, item: Item, to: Holder | None = None, **detail: Any) -> bool:
        if to is not None:
            detail["to"] = to.label if isinstance(to, User) else to.name
        audit_log.record(
            actor,
            verb,
            workspace=item.workspace,
            object_type="saved_inputs" if self.name == "inputs" else verb.partition(".")[0],
            object_id=item.pk,
            object_name=item.name,
            **detail,
        )
        return True
