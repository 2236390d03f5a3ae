"""A person's belongings that the viewer may see, for the handover page (handover.py).

The viewer's access (members/services/access.py) decides which workspaces are searched.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any

from django.contrib.auth.models import Group
from django.db.models import Count, Max, Q
from django.utils import timezone

from workflows_ui.accounts.models import User
from workflows_ui.accounts.services import sessions
from workflows_ui.credentials.models import Credential
from workflows_ui.credentials.services import sharing
from workflows_ui.jobs.models import JOB_OVER, Job
from workflows_ui.launch_forms.models import LaunchForm, SavedInputs
from workflows_ui.launches.models import OPEN, UNSENT, Launch
from workflows_ui.members.models import ColleagueInvitation, LaunchRight, Member, Role, TeamOwner, Workspace
from workflows_ui.members.services import access, members, teams
from workflows_ui.notifications.models import Notice, Watch, WatchKind

#: A possible recipient.
Holder = User | Group


class Kind(StrEnum):
    """Kinds of belongings, in the order of the page."""

    ROLE = "role"
    CREDENTIAL = "credential"
    TEAM_CREDENTIAL = "team_credential"
    FORM = "form"
    RIGHT = "right"
    GIVEN = "given"
    INVITATION = "invitation"
    INPUTS = "inputs"
    WATCH = "watch"
    NOTICE = "notice"
    LAUNCH = "launch"
    RUN = "run"
    JOB = "job"
    OWNER = "owner"
    TEAM = "team"
    SESSION = "session"


class Scope(StrEnum):
    """Whose page it is: the administration's, a workspace manager's, or the person's own."""

    CONSOLE = "console"
    MANAGER = "manager"
    OWN = "own"


@dataclass
class WorkspaceReach:
    """One workspace of the page. `manages`: the viewer has the rights of a manager there."""

    workspace: Workspace
    person: User
    manages: bool
    builds: bool = True
    #: Whether the viewer sees colleagues: members do, guests do not.
    shows_colleagues: bool = True

    @cached_property
    def colleagues(self) -> list[tuple[User, Role]]:
        """The other active people of the workspace by name, with the highest of their own and their teams' roles, as in access.find."""
        if not self.shows_colleagues:
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
        """Return the colleagues whose role includes this one."""
        return tuple(person for person, role in self.colleagues if role.includes(least))

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


@dataclass(frozen=True, eq=False)
class Item:
    """One belonging of the person. It can be handed to one of `to`, or ended if `ends`; otherwise it is only listed."""

    kind: Kind
    pk: str
    name: str
    workspace_reach: WorkspaceReach | None = None
    row: Any = None
    to: tuple[Holder, ...] = ()
    ends: bool = False
    at: datetime | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return f"{self.kind}-{self.pk}"

    @property
    def workspace(self) -> Workspace | None:
        """The workspace; None if the item belongs to no single one."""
        return self.workspace_reach.workspace if self.workspace_reach else None


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
        if self.scope is Scope.CONSOLE:
            rows = Workspace.objects.order_by("name", "pk") if self.administers else Workspace.objects.none()
            return {row.pk: WorkspaceReach(row, self.person, manages=True) for row in rows}
        reaches = {}
        for row in access.workspaces(self.viewer).exclude(pk__in=self.closed):
            try:
                person_access = access.find(self.viewer, row.slug)
            except access.NoAccess:
                continue
            manages = person_access.allows(Role.MANAGER)
            if manages or self.scope is Scope.OWN:
                builds = person_access.allows(Role.BUILDER)
                reaches[row.pk] = WorkspaceReach(
                    row, self.person, manages=manages, builds=builds, shows_colleagues=not person_access.guest
                )
        return reaches

    @cached_property
    def administers(self) -> bool:
        """Whether this is the administration's page and the viewer is an active superuser."""
        superusers = User.objects.filter(pk=self.viewer.pk, is_superuser=True, is_active=True)
        return self.scope is Scope.CONSOLE and superusers.exists()

    @property
    def unrestricted(self) -> bool:
        """Whether all teams and the sessions are shown, not only what belongs to the workspaces."""
        return self.administers or self.scope is Scope.OWN


def find(reach: Reach) -> list[Item]:
    """Return the person's belongings within the reach, by workspace and Kind."""
    items = [item for finder in _FINDERS for item in finder(reach)]
    order = {pk: number for number, pk in enumerate(reach.workspaces)}
    kinds = list(Kind)
    return sorted(
        items, key=lambda item: (order[item.workspace.pk] if item.workspace else len(order), kinds.index(item.kind))
    )


def _roles(reach: Reach) -> Iterator[Item]:
    own_roles = Q(user=reach.person) | Q(team__in=reach.person.groups.all())
    rows = Member.objects.filter(own_roles, workspace__in=reach.workspaces).select_related("team")
    by_workspace: dict[int, list[Member]] = {}
    for row in rows.order_by("pk"):
        by_workspace.setdefault(row.workspace_id, []).append(row)
    for pk, memberships in by_workspace.items():
        workspace_reach = reach.workspaces[pk]
        row = max(memberships, key=lambda member: (Role(member.role).rank, member.user_id is not None))
        manages = row.role == Role.MANAGER
        candidates = [member for member, role in workspace_reach.colleagues if not role.includes(Role.MANAGER)]
        yield Item(
            Kind.ROLE,
            str(pk),
            str(Role(row.role).label),
            workspace_reach,
            row,
            to=tuple(candidates) if manages and workspace_reach.manages else (),
            facts={
                "team": row.team.name if row.team else "",
                "alone": manages
                and not members.managers(workspace_reach.workspace).exclude(pk=reach.person.pk).exists(),
                "given": manages,
                "own": next((member.pk for member in memberships if member.user_id), None),
            },
        )


def _credentials(reach: Reach) -> Iterator[Item]:
    rows = list(_in(reach, Credential, owner=reach.person).select_related("workspace", "owner").order_by("name", "pk"))
    waiting = Launch.objects.filter(credential__in=rows, state__in=UNSENT).order_by("asked_at")
    flows: dict[Any, list[str]] = {}
    for key, name, flow_id in waiting.values_list("credential", "flow_name", "flow_id"):
        flows.setdefault(key, []).append(name or flow_id)
    shared = sharing.teams_of(rows)
    for row in rows:
        workspace_reach = reach.workspaces[row.workspace_id]
        users = shared.get(row.pk, [])
        yield Item(
            Kind.CREDENTIAL,
            str(row.pk),
            row.name,
            workspace_reach,
            row,
            to=tuple(holder for holder in workspace_reach.credential_holders if holder not in users),
            ends=True,
            at=row.last_used_at,
            facts={"waiting": flows.get(row.pk, []), "teams": [team.name for team in users]},
        )


def _team_credentials(reach: Reach) -> Iterator[Item]:
    """Yield other people's credentials that are shared with the person's teams."""
    conditions = {"credential__workspace__in": reach.workspaces, "team__in": reach.person.groups.all()}
    teams_of: dict[Any, list[str]] = {}
    for share in sharing.genuine(**conditions):
        teams_of.setdefault(share.credential_id, []).append(share.team.name)
    rows = _in(reach, Credential, pk__in=teams_of).exclude(owner=reach.person).select_related("workspace")
    for row in rows.order_by("name", "pk"):
        yield Item(
            Kind.TEAM_CREDENTIAL,
            str(row.pk),
            row.name,
            reach.workspaces[row.workspace_id],
            row,
            at=row.last_used_at,
            facts={"teams": teams_of[row.pk]},
        )


def _forms(reach: Reach) -> Iterator[Item]:
    for row in _in(reach, LaunchForm, updated_by=reach.person).select_related("workspace").order_by("flow_name", "pk"):
        workspace_reach = reach.workspaces[row.workspace_id]
        yield Item(
            Kind.FORM,
            row.pk,
            row.flow_name or row.flow_id,
            workspace_reach,
            row,
            to=workspace_reach.people(Role.BUILDER) if workspace_reach.builds else (),
            ends=workspace_reach.builds and bool(row.draft),
            at=row.updated_at,
            facts={"draft": bool(row.draft), "published": row.published_id is not None},
        )


def _rights(reach: Reach) -> Iterator[Item]:
    usable = LaunchRight.objects.usable(timezone.now()).filter(workspace__in=reach.workspaces)
    rows = usable.select_related("workspace", "user", "team").order_by("flow_name", "pk")
    for row in rows.filter(user=reach.person):
        workspace_reach = reach.workspaces[row.workspace_id]
        to = workspace_reach.launched_by_right if workspace_reach.manages else ()
        yield Item(Kind.RIGHT, str(row.pk), row.flow_name or row.flow_id, workspace_reach, row, to=to, ends=True)
    for row in rows.filter(created_by=reach.person).exclude(user=reach.person):
        workspace_reach = reach.workspaces[row.workspace_id]
        to = workspace_reach.people(Role.MANAGER) if workspace_reach.manages else ()
        yield Item(
            Kind.GIVEN,
            str(row.pk),
            row.flow_name or row.flow_id,
            workspace_reach,
            row,
            to=to,
            ends=workspace_reach.manages,
            at=row.created_at,
        )


def _invitations(reach: Reach) -> Iterator[Item]:
    rows = _in(reach, ColleagueInvitation, invited_by=reach.person, accepted_at=None, revoked_at=None)
    for row in rows.filter(expires_at__gt=timezone.now()).select_related("workspace").order_by("email", "pk"):
        workspace_reach = reach.workspaces[row.workspace_id]
        to = workspace_reach.people(Role.MANAGER) if workspace_reach.manages else ()
        yield Item(
            Kind.INVITATION,
            str(row.pk),
            row.email,
            workspace_reach,
            row,
            to=to,
            ends=workspace_reach.manages,
            at=row.expires_at,
        )


def _inputs(reach: Reach) -> Iterator[Item]:
    rows = list(_in(reach, SavedInputs, owner=reach.person).select_related("workspace").order_by("name", "pk"))
    names = _flow_names(rows)
    for row in rows:
        workspace_reach = reach.workspaces[row.workspace_id]
        yield Item(
            Kind.INPUTS,
            row.pk,
            row.name,
            workspace_reach,
            row,
            to=workspace_reach.people(Role.LAUNCHER),
            ends=True,
            at=row.updated_at,
            facts={"shared": row.shared, "flow": names.get((row.workspace_id, row.flow_id), row.flow_id)},
        )


def _watches(reach: Reach) -> Iterator[Item]:
    for row in _in(reach, Watch, user=reach.person).select_related("workspace").order_by("kind", "name", "pk"):
        workspace_reach = reach.workspaces[row.workspace_id]
        # Only builders may see other people's launches.
        to = workspace_reach.people(Role.VIEWER if row.kind == WatchKind.FLOW else Role.BUILDER)
        yield Item(
            Kind.WATCH,
            str(row.pk),
            row.name or row.object_id,
            workspace_reach,
            row,
            to=to,
            ends=True,
            at=row.created_at,
        )
    unread = _in(reach, Notice, user=reach.person, read_at=None).values("workspace").annotate(n=Count("pk"))
    for group in unread.order_by():
        pk = group["workspace"]
        yield Item(Kind.NOTICE, str(pk), "", reach.workspaces[pk], facts={"n": group["n"]})


def _launches(reach: Reach) -> Iterator[Item]:
    launches = _in(reach, Launch, user=reach.person)
    waiting = (
        launches.filter(state__in=UNSENT).select_related("workspace", "user", "credential").order_by("asked_at", "pk")
    )
    for row in waiting:
        yield Item(
            Kind.LAUNCH,
            row.pk,
            row.flow_name or row.flow_id,
            reach.workspaces[row.workspace_id],
            row,
            ends=True,
            at=row.asked_at,
            facts={"credential": row.credential.name if row.credential else ""},
        )
    for row in launches.filter(OPEN).exclude(state__in=UNSENT).select_related("workspace").order_by("asked_at", "pk"):
        workspace_reach = reach.workspaces[row.workspace_id]
        yield Item(Kind.RUN, row.pk, row.flow_name or row.flow_id, workspace_reach, row, at=row.asked_at)


def _jobs(reach: Reach) -> Iterator[Item]:
    rows = _in(reach, Job, user=reach.person).exclude(state__in=JOB_OVER).select_related("workspace", "user")
    for row in rows.order_by("asked_at", "pk"):
        workspace_reach = reach.workspaces[row.workspace_id]
        yield Item(Kind.JOB, row.pk, "", workspace_reach, row, ends=True, at=row.asked_at)


def _teams(reach: Reach) -> Iterator[Item]:
    """Yield teams; on a manager's page only those of the workspaces that they manage."""
    visible_teams = Group.objects.order_by("name", "pk") if reach.unrestricted else teams.teams_within(reach.workspaces)
    owned = (
        TeamOwner.objects.filter(user=reach.person, team__in=visible_teams)
        .select_related("team")
        .order_by("team__name")
    )
    for row in owned:
        owners = set(TeamOwner.objects.filter(team=row.team, user__is_active=True).values_list("user", flat=True))
        people = User.objects.filter(groups=row.team, is_active=True).exclude(pk__in=owners | {reach.person.pk})
        to = tuple(people.order_by("first_name", "last_name", "username")) if reach.unrestricted else ()
        alone = not owners - {reach.person.pk}
        yield Item(
            Kind.OWNER, str(row.team_id), row.team.name, row=row, to=to, ends=reach.unrestricted, facts={"alone": alone}
        )
    for team in visible_teams.filter(user=reach.person):
        yield Item(Kind.TEAM, str(team.pk), team.name, row=team, ends=teams.may_edit(reach.viewer, team))


def _sessions(reach: Reach) -> Iterator[Item]:
    rows = sessions.user_sessions(reach.person) if reach.unrestricted else []
    if rows:
        yield Item(Kind.SESSION, "all", "", ends=reach.administers, at=rows[0].created_at, facts={"n": len(rows)})


_FINDERS = (
    _roles,
    _credentials,
    _team_credentials,
    _forms,
    _rights,
    _invitations,
    _inputs,
    _watches,
    _launches,
    _jobs,
    _teams,
    _sessions,
)


def _in(reach: Reach, model: Any, **conditions: Any) -> Any:
    """Return the rows of a model within the reach."""
    return model.objects.filter(workspace__in=reach.workspaces, **conditions)


def _flow_names(rows: Iterable[SavedInputs]) -> dict[tuple[int, str], str]:
    """Return the names of the flows of saved inputs that local rows contain."""
    names: dict[tuple[int, str], str] = {}
    keys = {(row.workspace_id, row.flow_id) for row in rows}
    spaces, flows = {space for space, _flow in keys}, {flow for _space, flow in keys}
    launched = Launch.objects.filter(workspace__in=spaces, flow_id__in=flows).order_by()
    for space, flow, name in launched.values_list("workspace", "flow_id").annotate(name=Max("flow_name")):
        names[space, flow] = name
    forms = LaunchForm.objects.filter(workspace__in=spaces, flow_id__in=flows)
    names |= {(space, flow): name for space, flow, name in forms.values_list("workspace", "flow_id", "flow_name")}
    return {key: name for key, name in names.items() if name and key in keys}
