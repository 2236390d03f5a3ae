"""The objects chosen on a list for a bulk action: ticked rows, or everything that matches the filters."""

from collections.abc import Sequence
from dataclasses import replace

from workflows_ui.core.paths import usable_id
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.jobs.services.jobs import Found
from workflows_ui.lists.listing import Listing
from workflows_ui.resource_admin import action_log
from workflows_ui.resource_admin.actions import Action
from workflows_ui.resource_admin.resource import Resource

#: Names of the fields that a list submits.
ID, EVERYTHING = "id", "everything"
_LONGEST_ID, _MOST = 300, 1000
#: Seconds for which a count is cached; and the cached value for an unknown count.
_COUNT_SECONDS, _UNKNOWN = 60, -1


def count_matching(session: EngineSession, resource: Resource, listing: Listing) -> int | None:
    """How many objects match the filters, at most a minute old; None if unknown, or for a quick session."""
    if type(resource).count is Resource.count:
        return None

    def ask() -> int:
        found = resource.count(session, listing.query.filters)
        return _UNKNOWN if found is None else found

    number = session.decorate(_UNKNOWN, f"matching:{resource.name}:{listing.filters_query}", _COUNT_SECONDS, ask)
    return None if number == _UNKNOWN else number


def ticked_ids(ids: Sequence[str]) -> list[str]:
    """The ticked ids without duplicates and without ids that no object can have."""
    good = [item for item in ids if usable_id(item) and len(item) <= _LONGEST_ID]
    return list(dict.fromkeys(good))[:_MOST]


def chosen_items(
    session: EngineSession, resource: Resource, action: Action, listing: Listing, ids: Sequence[str]
) -> list[Found]:
    """The ticked objects with their names, and whether their state allows the action. Requests the page they were ticked on.

    For objects no longer on that page only the id is known; their turn in the job reads them. Raises EngineError.
    """
    known: dict[str, Found] = {}
    rows = resource.list(replace(session, quick=True), listing.query).rows if listing.valid else ()
    for row, shown in zip(rows, resource.masked(session, rows), strict=True):
        key = resource.key(row)
        reason = action.bulk.why_skipped(shown, {}) if action.bulk else ""
        known[key] = Found(key, action_log.name_among(resource, shown), not reason and action.visible(shown), reason)
    return [known.get(key) or Found(key) for key in ids]
