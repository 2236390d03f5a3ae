"""A person's favourite flows and visits in a workspace, and the parts of its home page as they arranged them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from workflows_ui.accounts.models import User
from workflows_ui.core import clock, database
from workflows_ui.core.collation import sort_key
from workflows_ui.core.paths import texts_at
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


def visit(user: User, workspace: Workspace) -> Visit:
    """The visit as last recorded by `record_visit`; one that is not saved before the first."""
    return _visits.first(user.pk, workspace.pk) or Visit(user=user, workspace=workspace)


def record_visit(user: User, workspace: Workspace) -> Visit:
    """Record a visit. `before` of the result is the end of the previous one, None for the first."""
    now = clock.now()
    row = _visits.first(user.pk, workspace.pk)
    if row is None:
        row, created = Visit.objects.get_or_create(user=user, workspace=workspace, defaults={"seen_at": now})
        if created:
            return row
    before = row.seen_at if now - row.seen_at > VISIT else row.before
    Visit.objects.filter(pk=row.pk).update(seen_at=now, before=before)
    row.seen_at, row.before = now, before
    return row


@dataclass(frozen=True)
class Arrangement:
    """The keys of the parts of a page in a person's order, and those of them that are `hidden`."""

    order: Sequence[str]
    hidden: frozenset[str]


def arrangement(parts: object, keys: Sequence[str]) -> Arrangement:
    """The stored arrangement `parts` of a page that has these parts: those that it does not name come after the others."""
    stored: Mapping[str, object] = parts if isinstance(parts, dict) else {}
    known = [key for key in dict.fromkeys(texts_at(stored, "order")) if key in keys]
    order = [*known, *(key for key in keys if key not in known)]
    return Arrangement(order, frozenset(texts_at(stored, "hidden")) & frozenset(keys))


def arrange(user: User, workspace: Workspace, arranged: Arrangement | None) -> None:
    """Keep the person's arrangement of the parts; without one, the page is as it is made."""
    parts = {"order": list(arranged.order), "hidden": sorted(arranged.hidden)} if arranged else {}
    Visit.objects.update_or_create(
        user=user,
        workspace=workspace,
        defaults={"parts": parts},
        create_defaults={"parts": parts, "seen_at": clock.now()},
    )
