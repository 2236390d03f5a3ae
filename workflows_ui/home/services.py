"""A person's favourite flows and visits in a workspace."""

from datetime import datetime, timedelta

from workflows_ui.accounts.models import User
from workflows_ui.core import clock, database
from workflows_ui.core.collation import sort_key
from workflows_ui.core.prepared import Prepared
from workflows_ui.members.models import Workspace
from workflows_ui.notifications.models import Favourite, Visit

#: Requests within this time belong to one visit.
VISIT = timedelta(minutes=30)
#: Maximum number of favourites of a person in one workspace.
MOST = 100

_favourites = Prepared(
    lambda user, workspace: Favourite.objects.filter(user=user, workspace=workspace).values_list(
        "flow_id", "flow_name"
    ),
    int,
    int,
)
_visits = Prepared(lambda user, workspace: Visit.objects.filter(user=user, workspace=workspace), int, int)


def star(user: User, workspace: Workspace, flow_id: str, name: str) -> bool:
    """Add a flow to the person's favourites; return False if they have MOST already."""
    favourites = Favourite.objects.filter(user=user, workspace=workspace)
    if favourites.filter(flow_id=flow_id).exists():
        return True
    if favourites.count() >= MOST:
        return False
    Favourite.objects.get_or_create(
        user=user, workspace=workspace, flow_id=flow_id[:64], defaults={"flow_name": database.storable(name)[:10_000]}
    )
    return True


def unstar(user: User, workspace: Workspace, flow_id: str) -> None:
    Favourite.objects.filter(user=user, workspace=workspace, flow_id=flow_id).delete()


def favourites(user: User, workspace: Workspace) -> dict[str, str]:
    """The names of the person's favourites by flow id, sorted by name."""
    return dict(sorted(_favourites(user.pk, workspace.pk), key=lambda row: sort_key(row[1])))


def previous_visit(user: User, workspace: Workspace) -> datetime | None:
    """The end of the previous visit as last recorded by `record_visit`; None for the first."""
    return Visit.objects.filter(user=user, workspace=workspace).values_list("before", flat=True).first()


def record_visit(user: User, workspace: Workspace) -> datetime | None:
    """Record a visit; return the end of the previous one, None for the first."""
    now = clock.now()
    row = _visits.first(user.pk, workspace.pk)
    if row is None:
        row, created = Visit.objects.get_or_create(user=user, workspace=workspace, defaults={"seen_at": now})
        if created:
            return None
    before = row.seen_at if now - row.seen_at > VISIT else row.before
    Visit.objects.filter(pk=row.pk).update(seen_at=now, before=before)
    return before
