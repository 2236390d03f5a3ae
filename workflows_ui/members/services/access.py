"""Access to workspaces. The lookup is the permission check: without a role or right, a workspace is not found."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib.auth.models import Group
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from workflows_ui.accounts.models import User
from workflows_ui.core import crypto
from workflows_ui.core.prepared import Prepared
from workflows_ui.credentials.models import KEPT_IN_RUNS, Credential, CredentialShare
from workflows_ui.members.models import LOOK_BACK, LaunchRight, Member, Role, Workspace

#: Addresses that belong to launching, not to the page whose address they continue: a flow's launch form, marks and saved inputs, its
#: app's logo, and the result of an export, which is hidden like the list that it is of.
_PAGELESS = re.compile(r"(flows/[^/]+/(launch|does|inputs|star|tell)|pieces/logo|jobs/[^/]+/(export|file))/", re.ASCII)


def page_of(path: str) -> str:
    """The page of a workspace that an address belongs to: its first part there, such as `flows`; "" for none."""
    start, _, within = path.removeprefix("/w/").partition("/")
    if not path.startswith("/w/") or not start or _PAGELESS.match(within):
        return ""
    return re.split(r"[/?#]", within, maxsplit=1)[0]


class NoAccess(Exception):
    """The workspace does not exist, or the person has no access to it. Pages return 404 for both."""


class NotAllowed(Exception):
    """The person's role in the workspace is not sufficient; `needed` is the required one."""

    def __init__(self, needed: Role) -> None:
        super().__init__(needed)
        self.needed = needed


class RightEnded(NotAllowed):
    """A right to launch this flow has ended or is used up."""

    def __init__(self) -> None:
        super().__init__(Role.LAUNCHER)


class HasRole:
    """What has a role in a workspace; None for a guest."""

    role: Role | None

    def allows(self, needed: Role) -> bool:
        return self.role is not None and self.role.includes(needed)

    def require(self, needed: Role) -> None:
        """Raise NotAllowed if the role does not include `needed`."""
        if not self.allows(needed):
            raise NotAllowed(needed)


@dataclass(frozen=True)
class Access(HasRole):
    """A person's access to a workspace; `role` is the highest of their own and their teams'.

    It is None for a guest, who has only rights to launch single flows, so that every check of a role fails. `rights` are such rights;
    empty if the role includes launching.
    """

    user: User
    workspace: Workspace
    role: Role | None
    rights: tuple[LaunchRight, ...] = ()
    #: What was found for this access and does not change while a request is answered, such as its client of the engine.
    found: dict[str, Any] = field(default_factory=dict, init=False, compare=False, repr=False)

    @property
    def guest(self) -> bool:
        """Whether the person has launch rights but no role."""
        return self.role is None

    @property
    def hidden_pages(self) -> frozenset[str]:
        """The pages of the workspace that are hidden from this person: those that it does not show to launchers."""
        return frozenset(self.workspace.hidden_pages) if self.role == Role.LAUNCHER else frozenset()

    def sees(self, page: str) -> bool:
        """Whether a page of the workspace (`page_of`) exists for this person; its role is a question of `allows`."""
        return page not in self.hidden_pages

    def may_launch(self, flow_id: str) -> bool:
        now = timezone.now()
        return self.allows(Role.LAUNCHER) or any(
            right.flow_id == flow_id and right.usable(now) for right in self.rights
        )

    def had_right(self, flow_id: str) -> bool:
        """Whether `rights` contain one on this flow, even if it is used up or over."""
        return any(right.flow_id == flow_id for right in self.rights)

    def require_launch(self, flow_id: str) -> None:
        """Raise NotAllowed if this flow may not be launched; RightEnded if there was a right on it."""
        if not self.may_launch(flow_id):
            raise RightEnded if self.had_right(flow_id) else NotAllowed(Role.LAUNCHER)


def held_by(user: User | int) -> Q:
    """The condition that a membership or right is the person's own or one of their teams'. A person may be a primary key."""
    pk = user if isinstance(user, int) else user.pk
    return Q(user=pk) | Q(team__in=Group.objects.filter(user=pk))


def _guest_rights(user: int, since: datetime) -> QuerySet[LaunchRight]:
    return LaunchRight.objects.letting_in(since + LOOK_BACK).filter(held_by(user))


def _workspaces(user: int, since: datetime) -> QuerySet[Workspace]:
    as_member = Q(pk__in=Member.objects.filter(held_by(user)).values("workspace"))
    as_guest = Q(pk__in=_guest_rights(user, since).values("workspace"))
    return Workspace.objects.filter(as_member | as_guest).order_by("name", "pk")


_memberships = Prepared(
    # With the run index, since the menu of every page asks whether there is one.
    lambda user, slug: Member.objects.filter(held_by(user), workspace__slug=slug).select_related(
        "workspace__run_index"
    ),
    int,
    str,
)
_rights = Prepared(
    lambda user, slug, since: (
        _guest_rights(user, since).filter(workspace__slug=slug).select_related("workspace").order_by("pk")
    ),
    int,
    str,
    datetime,
)
_listed_workspaces = Prepared(_workspaces, int, datetime)


def access_for(user: User, slug: str) -> Access:
    """The person's access to the workspace with this slug. Raises NoAccess. Superusers need a membership, too.

    Without a role, launch rights give access as a guest (LaunchRights.letting_in).
    """
    if not user.is_active:
        raise NoAccess(slug)
    rows = _memberships(user.pk, slug)
    role = max((Role(row.role) for row in rows), key=lambda role: role.rank, default=None)
    rights: tuple[LaunchRight, ...] = ()
    if role is None or not role.includes(Role.LAUNCHER):
        rights = tuple(_rights(user.pk, slug, timezone.now() - LOOK_BACK))
    if not rows and not rights:
        raise NoAccess(slug)
    return Access(user=user, workspace=(rows or rights)[0].workspace, role=role, rights=rights)


def belongs(user: User, workspace: Workspace) -> bool:
    """Whether a person has a role in a workspace, directly or through a team; guests have none."""
    return Member.objects.filter(held_by(user), workspace=workspace).exists()


def workspaces(user: User) -> QuerySet[Workspace]:
    return _workspaces(user.pk, timezone.now() - LOOK_BACK)


def listed_workspaces(user: User) -> list[Workspace]:
    """`workspaces` for the menu of a page."""
    return _listed_workspaces(user.pk, timezone.now() - LOOK_BACK)


def second_step_required() -> bool:
    """Whether any workspace requires a second step: then superusers, who see all workspaces, need one, too."""
    return Workspace.objects.filter(second_factor_required=True).exists()


@dataclass(frozen=True)
class Acting:
    """The credential used for a person in a workspace: their `own`, or one shared with their `team`."""

    credential: Credential
    own: bool
    team: str = ""


def acting(user: User, workspace: Workspace) -> Acting | None:
    """The credential used for a person in a workspace. The only rule, for every engine request and every page:

    1. their own before any team's, so that nobody unknowingly acts as a team because their own key fails;
    2. among those, a working one (not refused by the last test, not expired) before others;
    3. among those, one that the engine does not store with its runs (an API key) before a token that it stores;
    4. among those, the newest.

    One that they took over from somebody who left is not their own: it acts for the teams that it was shared with.

    None if neither they nor their teams have one. One query.
    """
    return _choose(user, _candidates_in(user.pk, workspace.pk)).get(workspace.pk)


def acting_in(user: User, workspaces: Iterable[Workspace]) -> dict[int, Acting]:
    """The same for several workspaces, by primary key. One query."""
    return _choose(user, _candidates(user.pk).filter(workspace__in=list(workspaces)))


def credential_options(user: User, workspace: Workspace) -> list[Acting]:
    """The credentials that a person may launch with in a workspace: the one of `acting`, then the other working ones. One query."""
    now, options = timezone.now(), dict[object, Acting]()
    for number, option in enumerate(_ranked(user, _candidates_in(user.pk, workspace.pk))):
        if number == 0 or option.credential.usable(now):
            options.setdefault(option.credential.pk, option)
    return list(options.values())


def _candidates(user: int) -> QuerySet[Credential]:
    rows = Credential.objects.filter(
        Q(owner=user, taken_over=False) | Q(shares__team__in=Group.objects.filter(user=user))
    )
    # One row for each share. A share without a valid mark does not count.
    rows = rows.annotate(team_id=F("shares__team"), team_name=F("shares__team__name"), mark=F("shares__mark"))
    return rows.select_related("workspace", "owner")


_candidates_in = Prepared(lambda user, workspace: _candidates(user).filter(workspace=workspace), int, int)


def _choose(user: User, rows: Iterable[Credential]) -> dict[int, Acting]:
    chosen: dict[int, Acting] = {}
    for option in _ranked(user, rows):
        chosen.setdefault(option.credential.workspace_id, option)
    return chosen


def _ranked(user: User, rows: Iterable[Credential]) -> list[Acting]:
    """The candidates, the best first; a credential of several teams several times."""
    now = timezone.now()
    # Any, for the annotations.
    candidates: list[Any] = [row for row in rows if row.is_own(user.pk) or _share_is_genuine(row)]
    candidates.sort(key=lambda row: rank(row, now, own=row.is_own(user.pk)))
    own = {row.pk for row in candidates if row.is_own(user.pk)}
    return [Acting(row, row.pk in own, "" if row.pk in own else row.team_name) for row in reversed(candidates)]


def _share_is_genuine(row: Any) -> bool:
    return row.team_id is not None and crypto.is_mark(row.mark, CredentialShare.place_of(row.pk, row.team_id))


def rank(row: Credential, now: datetime, *, own: bool) -> tuple[Any, ...]:
    """The sort key of a credential by the rule of `acting`: the highest is used."""
    return own, row.usable(now), row.kind not in KEPT_IN_RUNS, row.created_at, row.pk.int


def credential(user: User, workspace: Workspace) -> Credential | None:
    """The credential used for a person in a workspace, by the rule of `acting`."""
    chosen = acting(user, workspace)
    return chosen.credential if chosen else None
