"""Walks a declared list from its first page to its end: for jobs that are about everything that matches, however many pages that is."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from workflows_ui.kit.caller import Caller
from workflows_ui.kit.listing import Listing
from workflows_ui.kit.resource import Query, Resource, Row

#: Objects that one walk gives at most.
LIMIT = 10_000


class BadFilters(Exception):
    """The query string's filters make no sense to the resource."""


@dataclass(frozen=True)
class Stretch:
    """What one call to the engine gave.

    Attributes:
        rows: those that were not given before, as the engine sent them (secrets not masked).
        position: from where the walk goes on; "" at its end.
        cut: the walk ends here although there may be more: it met its limit, or the engine leads in a circle.
    """

    rows: Sequence[Row]
    position: str = ""
    cut: bool = False


def filters_of(resource: Resource, query: str) -> Mapping[str, Any]:
    """The cleaned filters of a list's query string, in the language and time zone that are active. Raises BadFilters."""
    listing = Listing(resource, "", QueryDict(query))
    if not listing.valid:
        raise BadFilters(resource.name)
    return listing.query.filters


def walk(
    resource: Resource,
    caller: Caller,
    filters: Mapping[str, Any],
    *,
    position: str = "",
    known: Iterable[str] = (),
    limit: int = LIMIT,
    nameless: bool = False,
) -> Iterator[Stretch]:
    """Page after page, each object once. Raises EngineError, from whichever page.

    A walk that was cut off goes on from `position`, given the ids `known` until there. It ends at the list's end, at `limit`
    objects (the known ones count), or where the engine leads back to a page that was seen.

    Args:
        nameless: gives objects without a usable id as well, which can be shown but not acted upon.
    """
    seen, trail = set(known), {position, ""}
    given = len(seen)
    while True:
        page = resource.list(caller, Query(filters, resource.stride, position))
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
            yield Stretch(rows[:room], cut=True)
            return
        given += len(rows)
        seen |= fresh
        circling = page.older in trail
        position = "" if circling else page.older
        trail.add(position)
        yield Stretch(rows, position, cut=circling and bool(page.older))
        if not position:
            return
