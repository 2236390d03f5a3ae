"""A person's own marks in a workspace: the flows they want at hand, and when they were last there."""

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from workflows_ui.models import Favourite, User, Visit, Workspace
from workflows_ui.services import clock, database

#: Two looks within this time are one visit.
VISIT = timedelta(minutes=30)
#: Flows that a person may mark in one workspace.
MOST = 100


def star(user: User, workspace: Workspace, flow_id: str, name: str) -> bool:
    """Puts a flow among the person's favourites; False where they have as many as may be."""
    mine = Favourite.objects.filter(user=user, workspace=workspace)
    if mine.filter(flow_id=flow_id).exists():
        return True
    if mine.count() >= MOST:
        return False
    Favourite.objects.get_or_create(
        user=user, workspace=workspace, flow_id=flow_id[:64], defaults={"flow_name": database.storable(name)[:10_000]}
    )
    return True


def unstar(user: User, workspace: Workspace, flow_id: str) -> None:
    """Takes a flow out of the person's favourites."""
    Favourite.objects.filter(user=user, workspace=workspace, flow_id=flow_id).delete()


def favourites(user: User, workspace: Workspace) -> dict[str, str]:
    """Names of the person's favourites by flow id, in the order of the names."""
    rows = Favourite.objects.filter(user=user, workspace=workspace).values_list("flow_id", "flow_name")
    return dict(sorted(rows, key=lambda row: row[1].lower()))


def since(user: User, workspace: Workspace) -> datetime | None:
    """When the visit before this one ended, as `came` last told it; None for the first."""
    return Visit.objects.filter(user=user, workspace=workspace).values_list("before", flat=True).first()


def came(user: User, workspace: Workspace) -> datetime | None:
    """Notes that the person is here; gives when their visit before this one ended, None for the first."""
    now = clock.now()
    row = Visit.objects.filter(user=user, workspace=workspace).first()
    if row is None:
        try:
            with transaction.atomic():
                Visit.objects.create(user=user, workspace=workspace, seen_at=now)
        except IntegrityError:
            pass  # the same person in another tab, at this very moment
        return None
    before = row.seen_at if now - row.seen_at > VISIT else row.before
    Visit.objects.filter(pk=row.pk).update(seen_at=now, before=before)
    return before
