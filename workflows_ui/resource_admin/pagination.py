"""Iterates over all pages of a declared list, for jobs on everything that matches."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.http import QueryDict

from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.jobs.services.jobs import Reason
from workflows_ui.jobs.services.turns import EndsEarly
from workflows_ui.lists.declaration import Order
from workflows_ui.lists.listing import Listing
from workflows_ui.resource_admin.resource import Query, Resource, Row

#: Maximum number of objects per walk.
LIMIT = 10_000


@dataclass(frozen=True)
class Batch:
    """The result of one call to the engine.

    Attributes:
        rows: the new rows, as the engine sent them (secrets not masked).
        position: where the walk continues; "" at the end.
        cut: the walk ends here although there may be more: it reached its limit, the list has not
            all that matches, or the engine's pages form a cycle.
    """

    rows: Sequence[Row]
    position: str = ""
    cut: bool = False


def query_of(resource: Resource, query: str) -> Query:
    """The cleaned filters and the order of a list's query string, in the active language and time zone. Raises EndsEarly."""
    listing = Listing(resource, "", QueryDict(query))
    if not listing.valid:
        raise EndsEarly(Reason.BAD_FILTERS)
    return listing.query


def walk(
    resource: Resource,
    session: EngineSession,
    filters: Mapping[str, object],
    *,
    position: str = "",
    known: Iterable[str] = (),
    limit: int = LIMIT,
    nameless: bool = False,
    order: Order | None = None,
) -> Iterator[Batch]:
    """Yield page after page, each object once. Raises EngineError, from any page.

    An interrupted walk continues from `position`, given the ids `known` up to there. It ends at the list's end, at
    `limit` objects (including the known ones), or if the engine leads back to a page already seen.

    Args:
        nameless: include objects without a usable id, which can be shown but not acted upon.
    """
    seen, trail = set(known), {position, ""}
    given = len(seen)
    while True:
        page = resource.list(session, Query(filters, resource.batch_size, position, order))
        rows: list[Row] = []
        fresh: set[str] = set()
        for row in page.rows:
            key = resource.key(row)
            if key in seen or key in fresh or not (key or nameless):
                continue
            rows.append(row)
            if key:
                fresh.add(key)
        room = limit - given
        if len(rows) > room or (len(rows) == room and page.older):
            yield Batch(rows[:room], cut=True)
            return
        given += len(rows)
        seen |= fresh
        circling = page.older in trail
        position = "" if circling else page.older
        trail.add(position)
        yield Batch(rows, position, cut=not position and (page.partial or bool(page.older)))
        if not position:
            return
