"""Polls for new rows: while the first page of a list is open, the browser asks how many came; 204 for the number that it shows already."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.resource_admin.listing import SINCE, Listing
from workflows_ui.resource_admin.live import SEEN
from workflows_ui.resource_admin.resource import Page, Resource, Row
from workflows_ui.web import formats, responses
from workflows_ui.web.paths import text_at
from workflows_ui.web.requests import ConsoleRequest

#: The element of the list that is replaced.
NEWS = "news"
#: In place of the newest row, for a list without rows.
NOTHING = "none"
#: Seconds between two polls of a browser, for the console's own rows and for the engine's.
LOCAL_SECONDS, ENGINE_SECONDS = 15, 30


@dataclass(frozen=True)
class News:
    """The URL that the browser asks, and after how many seconds. `text` is "" for no news."""

    url: str
    seconds: int
    text: str = ""


def first_poll(current: Listing, page: Page, *, local: bool) -> News | None:
    """The poll of a page that was just read; None if it cannot have news."""
    return _news(current, page.newest, 0, "", local=local) if page.newest else None


def _news(current: Listing, since: str, seen: int, text: str, *, local: bool) -> News:
    return News(current.here_with(**{SINCE: since, SEEN: str(seen)}), LOCAL_SECONDS if local else ENGINE_SECONDS, text)


def respond(request: ConsoleRequest, current: Listing, page: Page, *, local: bool) -> HttpResponse:
    """Answer a poll: the element with the number, 204 if the browser shows that number already."""
    if responses.requested_fragment(request) != NEWS:
        return responses.redirect(request, current.here)
    number = page.added or 0
    if str(number) == request.GET.get(SEEN, ""):
        return responses.vary(HttpResponse(status=204))
    known = ngettext("%(n)d new", "%(n)d new", number) % {"n": number}
    text = _("%(n)d or more new") % {"n": number} if page.older else known
    found = _news(current, current.since, number, text if number else "", local=local)
    context = {"news": found, "here": current.here}
    return responses.page(request, "resource_admin/list.html", context, fragments=(NEWS,))


def newest(resource: Resource, current: Listing, rows: Sequence[Row]) -> str:
    """The time of the newest of an engine's rows, "" if the list is not the first page in its own order."""
    if not resource.created or current.trail or current.order:
        return ""
    times = [moment for row in rows if (moment := formats.moment(text_at(row, resource.created)))]
    return max(times).isoformat() if times else NOTHING


def added(session: EngineSession, resource: Resource, current: Listing) -> Page:
    """How many of the engine's newest objects were created since; `older` if all of them, so that there may be more.

    The engine is asked for one page, once in half a minute for all who use the same credential with the same filters.
    """

    def call() -> list[str]:
        return [text_at(row, resource.created) for row in resource.list(session, query).rows]

    query = replace(current.query, rows=resource.rows, position="", order=None)
    name = f"newest:{resource.name}:{current.filters_query}"
    nothing: list[str] = []
    times = session.remember_or(nothing, name, ENGINE_SECONDS, call)
    since = formats.moment(current.since)
    number = sum(1 for text in times if (moment := formats.moment(text)) and (since is None or moment > since))
    return Page((), added=number, older="more" if 0 < number == len(times) >= query.rows else "")
