"""Which bulk actions a list offers a person, and what was chosen on it: the ticked rows, or everything that its filters match."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from workflows_ui.kit import action_log, redact
from workflows_ui.kit.actions import Action
from workflows_ui.kit.caller import Caller
from workflows_ui.kit.listing import Listing
from workflows_ui.kit.resource import Resource, usable_id
from workflows_ui.services.access import Access
from workflows_ui.services.jobs import Found

#: Names of the fields that a list sends.
ID, EVERYTHING = "id", "everything"
_LONGEST_ID, _MOST = 300, 1000
#: Seconds for which a count is remembered; and what is remembered where there is none.
_COUNTED_FOR, _UNCOUNTED = 60, -1


def actions(resource: Resource, access: Access, lacking: Mapping[str, Any]) -> Sequence[Action]:
    """The actions that the person may do to many, harmful ones last; those that the engine lacks are left out."""
    found = [
        action
        for action in resource.actions
        if action.bulk and not action.collection and access.allows(action.role) and action.needs not in lacking
    ]
    return [*(one for one in found if not one.danger), *(one for one in found if one.danger)]


def counted(caller: Caller, resource: Resource, listing: Listing) -> int | None:
    """How many match the list's filters, at most a minute old; None where the engine does not count such, or the page came quickly."""
    if type(resource).count is Resource.count:
        return None

    def ask() -> int:
        found = resource.count(caller, listing.query.filters)
        return _UNCOUNTED if found is None else found

    number = caller.decorate(_UNCOUNTED, f"matching:{resource.name}:{listing.filters_query}", _COUNTED_FOR, ask)
    return None if number == _UNCOUNTED else number


def ticked(ids: Sequence[str]) -> list[str]:
    """The ids that were ticked, each once; what no object could be called is left out."""
    good = [one for one in ids if usable_id(one) and len(one) <= _LONGEST_ID]
    return list(dict.fromkeys(good))[:_MOST]


def found(caller: Caller, resource: Resource, action: Action, listing: Listing, ids: Sequence[str]) -> list[Found]:
    """The ticked objects with their names, and whether their state allows the action. Asks the engine for the page they were ticked on.

    Of those that are no longer on it only the id is known; they are looked at when it is their turn. Raises EngineError.
    """
    known: dict[str, Found] = {}
    for row in resource.list(replace(caller, quick=True), listing.query).rows if listing.valid else ():
        shown = redact.step(row, secrets=resource.secrets)
        key = resource.key(row)
        known[key] = Found(key, action_log.name_among(resource, shown), action.offered(shown))
    return [known.get(key) or Found(key) for key in ids]
