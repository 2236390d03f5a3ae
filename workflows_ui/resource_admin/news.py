"""News of a list of the engine's objects: how many were created since the newest one that the browser shows."""

from collections.abc import Sequence
from dataclasses import replace

from workflows_ui.core import formats
from workflows_ui.core.paths import text_at
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.lists.listing import Listing
from workflows_ui.lists.polls import NOTHING
from workflows_ui.resource_admin.resource import Page, Resource, Row


def newest(kind: Resource, current: Listing, rows: Sequence[Row]) -> str:
    """The time of the newest of the rows of a kind that says when they were `created`; "" if the list is not the first page in its own
    order."""
    if current.trail or current.order:
        return ""
    times = [moment for row in rows if (moment := formats.moment(text_at(row, kind.created)))]
    return max(times).isoformat() if times else NOTHING


def added(session: EngineSession, kind: Resource, current: Listing) -> Page:
    """How many of the engine's newest objects were created since; `older` if all of them, so that there may be more.

    The engine is asked for one page, once in half a minute for all who use the same credential with the same filters.
    """

    def call() -> list[str]:
        return [text_at(row, kind.created) for row in kind.list(session, query).rows]

    query = replace(current.query, rows=kind.rows, position="", order=None)
    name = f"newest:{kind.name}:{current.filters_query}"
    nothing: list[str] = []
    times = session.remember_or(nothing, name, kind.poll_seconds, call)
    since = formats.moment(current.since)
    number = sum(1 for text in times if (moment := formats.moment(text)) and (since is None or moment > since))
    return Page((), added=number, older="more" if 0 < number == len(times) >= query.rows else "")
