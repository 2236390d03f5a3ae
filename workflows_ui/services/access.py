"""Who may do what in which workspace. Permission is the lookup: there is no workspace without a role in it."""

from dataclasses import dataclass

from django.db.models import Q, QuerySet

from workflows_ui.models import Credential, Member, Role, User, Workspace


class NoAccess(Exception):
    """The workspace does not exist, or the person has no role in it. Pages answer 404 for both alike."""


class NotAllowed(Exception):
    """The person's role in the workspace is not enough; `needed` says which role is."""

    def __init__(self, needed: Role) -> None:
        super().__init__(needed)
        self.needed = needed


@dataclass(frozen=True)
class Access:
    """A person's place in a workspace; `role` is the highest of their own and their teams'."""

    user: User
    workspace: Workspace
    role: Role

    def allows(self, needed: Role) -> bool:
        """Whether the role is at least `needed`."""
        return self.role.includes(needed)

    def require(self, needed: Role) -> None:
        """Raises NotAllowed where the role is less than `needed`."""
        if not self.allows(needed):
            raise NotAllowed(needed)


def _of(user: User) -> Q:
    return Q(user=user) | Q(team__in=user.groups.all())


def find(user: User, slug: str) -> Access:
    """The person's access to the workspace with this slug. Raises NoAccess. Superusers have no way around membership."""
    rows = list(Member.objects.filter(_of(user), workspace__slug=slug).select_related("workspace"))
    if not rows or not user.is_active:
        raise NoAccess(slug)
    role = max((Role(row.role) for row in rows), key=lambda role: role.rank)
    return Access(user=user, workspace=rows[0].workspace, role=role)


def workspaces(user: User) -> QuerySet[Workspace]:
    """The workspaces a person belongs to, by name."""
    return Workspace.objects.filter(pk__in=Member.objects.filter(_of(user)).values("workspace")).order_by("name", "pk")


def credential(user: User, workspace: Workspace) -> Credential | None:
    """The credential that acts for a person in a workspace: their own (the newest), else one of their teams' (the newest)."""
    own = Credential.objects.filter(workspace=workspace, owner=user).order_by("-created_at").first()
    if own is not None:
        return own
    teams = user.groups.all()
    return Credential.objects.filter(workspace=workspace, team__in=teams).order_by("-created_at").first()
