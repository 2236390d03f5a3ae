"""Who may do what in which workspace. Permission is the lookup: there is no workspace without a role in it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from workflows_ui.models import KEPT_IN_RUNS, Credential, LaunchRight, Member, Role, User, Workspace


class NoAccess(Exception):
    """The workspace does not exist, or the person has no role in it. Pages answer 404 for both alike."""


class NotAllowed(Exception):
    """The person's role in the workspace is not enough; `needed` says which role is."""

    def __init__(self, needed: Role) -> None:
        super().__init__(needed)
        self.needed = needed


class RightEnded(NotAllowed):
    """A right to launch this flow was there, and has ended or is used up."""

    def __init__(self) -> None:
        super().__init__(Role.LAUNCHER)


@dataclass(frozen=True)
class Access:
    """A person's place in a workspace; `role` is the highest of their own and their teams'.

    It is None for a guest: somebody without a role, whom a right to launch single flows lets in. No role is included in that, so
    whatever asks for one is closed to them. `rights` are such rights of whoever may not launch everything anyway.
    """

    user: User
    workspace: Workspace
    role: Role | None
    rights: tuple[LaunchRight, ...] = ()

    @property
    def guest(self) -> bool:
        """Whether it is only a launch right that lets the person in."""
        return self.role is None

    def allows(self, needed: Role) -> bool:
        """Whether the role is at least `needed`."""
        return self.role is not None and self.role.includes(needed)

    def may_launch(self, flow_id: str) -> bool:
        """Whether this flow may be launched: by the role, or by a right on it that can still be used."""
        now = timezone.now()
        return self.allows(Role.LAUNCHER) or any(
            right.flow_id == flow_id and right.usable(now) for right in self.rights
        )

    def had_right(self, flow_id: str) -> bool:
        """Whether a right on this flow lets the person in, be it used up or over."""
        return any(right.flow_id == flow_id for right in self.rights)

    def require_launch(self, flow_id: str) -> None:
        """Raises NotAllowed where this flow may not be launched: RightEnded where there was a right on it."""
        if not self.may_launch(flow_id):
            raise RightEnded if self.had_right(flow_id) else NotAllowed(Role.LAUNCHER)

    def require(self, needed: Role) -> None:
        """Raises NotAllowed where the role is less than `needed`."""
        if not self.allows(needed):
            raise NotAllowed(needed)


def _of(user: User) -> Q:
    return Q(user=user) | Q(team__in=user.groups.all())


def find(user: User, slug: str) -> Access:
    """The person's access to the workspace with this slug. Raises NoAccess. Superusers have no way around membership.

    Somebody without a role gets a guest's access where a launch right lets them in (LaunchRights.letting_in).
    """
    if not user.is_active:
        raise NoAccess(slug)
    rows = list(Member.objects.filter(_of(user), workspace__slug=slug).select_related("workspace"))
    role = max((Role(row.role) for row in rows), key=lambda role: role.rank, default=None)
    rights: tuple[LaunchRight, ...] = ()
    if role is None or not role.includes(Role.LAUNCHER):
        let_in = LaunchRight.objects.letting_in(timezone.now()).filter(_of(user), workspace__slug=slug)
        rights = tuple(let_in.select_related("workspace").order_by("pk"))
    if not rows and not rights:
        raise NoAccess(slug)
    return Access(user=user, workspace=(rows or rights)[0].workspace, role=role, rights=rights)


def belongs(user: User, workspace: Workspace) -> bool:
    """Whether a person has a role in a workspace, themselves or through a team; a guest belongs to none."""
    return Member.objects.filter(_of(user), workspace=workspace).exists()


def workspaces(user: User) -> QuerySet[Workspace]:
    """The workspaces a person belongs to, or is a guest of, by name."""
    belongs = Q(pk__in=Member.objects.filter(_of(user)).values("workspace"))
    guest = Q(pk__in=LaunchRight.objects.letting_in(timezone.now()).filter(_of(user)).values("workspace"))
    return Workspace.objects.filter(belongs | guest).order_by("name", "pk")


@dataclass(frozen=True)
class Acting:
    """The credential that acts for a person in a workspace, and why it is this one: `own`, or because they are in its team."""

    credential: Credential
    own: bool


def acting(user: User, workspace: Workspace) -> Acting | None:
    """Which credential acts for a person in a workspace. The one rule, for every call of the engine and every page that tells of it:

    1. their own before any team's, so that nobody acts as a team without knowing because their own key is ill;
    2. among those, one that works (not refused when last tested, not ended) before one that does not;
    3. among those, one that the engine does not keep with its runs (an API key) before a token that it keeps;
    4. among those, the newest.

    None where neither they nor their teams have one. One query.
    """
    return acting_in(user, [workspace]).get(workspace.pk)


def acting_in(user: User, workspaces: Iterable[Workspace]) -> dict[int, Acting]:
    """As `acting`, for several workspaces at once, by their keys. One query."""
    rows = Credential.objects.filter(Q(owner=user) | Q(team__in=user.groups.all()), workspace__in=list(workspaces))
    now = timezone.now()
    found: dict[int, Acting] = {}
    # The last of each workspace is the one.
    for row in sorted(rows.select_related("workspace", "team", "owner"), key=lambda row: rank(row, now)):
        found[row.workspace_id] = Acting(row, row.owner_id == user.pk)
    return found


def rank(row: Credential, now: datetime) -> tuple[Any, ...]:
    """Where a credential stands by the rule of `acting`, among those that could act for one person: the highest does."""
    return row.owner_id is not None, row.usable(now), row.kind not in KEPT_IN_RUNS, row.created_at, row.pk.int


def credential(user: User, workspace: Workspace) -> Credential | None:
    """The credential that acts for a person in a workspace, by the rule of `acting`."""
    found = acting(user, workspace)
    return found.credential if found else None
