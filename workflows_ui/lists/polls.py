"""What an open list asks for again and again: its rows until all have ended, and on its first page how many new ones came.

Each poll says what the browser has (`SEEN`), and the answer is 204 if nothing is new.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpResponse
from django.utils.translation import gettext as _, ngettext

from workflows_ui.core import clock
from workflows_ui.lists import export
from workflows_ui.lists.declaration import Page, Row
from workflows_ui.lists.listing import SINCE, Listing
from workflows_ui.web import responses
from workflows_ui.web.requests import ConsoleRequest

#: The parameter with the version of the rows, or with the number of new ones, that the browser has.
SEEN = "seen"
#: The shortest and the longest time between two requests, in seconds: a list is more work than an object's page, and new rows come also
#: while the only unfinished one has been paused for long.
_SHORTEST, _LONGEST = 5, 30
#: The element of the list with the number of new rows.
NEWS = "news"
#: In place of the newest row, for a list without rows.
NOTHING = "none"


@dataclass(frozen=True)
class Live:
    """When the list is requested again, and the version of what is shown: without a new one there is nothing to send."""

    seconds: int
    version: str


@dataclass(frozen=True)
class News:
    """The URL that the browser asks for new rows, and after how many seconds. `text` is "" for no news."""

    url: str
    seconds: int
    text: str = ""


def live(current: Listing, rows: Sequence[Row], *shown: object) -> Live | None:
    """How the list refreshes itself; None if all rows have ended, unless new ones appear by themselves (`live_seconds`).

    `shown` is what else the page shows, such as the length. The times relative to now are a part of the version, to the minute.
    """
    kind = current.kind
    waits = [min(max(_SHORTEST, seconds), _LONGEST) for row in rows if (seconds := kind.refresh_seconds(row))]
    if _shows_new(current):
        waits.append(kind.live_seconds)
    if not waits:
        return None
    values = [export.cells(kind, row) for row in rows]
    text = json.dumps([values, int(clock.now().timestamp()) // 60, *shown], default=str)
    return Live(min(waits), hashlib.sha256(text.encode()).hexdigest()[:16])


def _shows_new(current: Listing) -> bool:
    """Whether new rows appear by themselves: on the first page in the list's own order. A search is too much work to be repeated."""
    if not (current.kind.live_seconds and current.valid) or current.trail or current.order:
        return False
    return "search" not in current.query.filters


def first_news(current: Listing, page: Page) -> News | None:
    """The poll for new rows of a page that was just read; None if it cannot have any."""
    return _news(current, page.newest, 0, "") if page.newest else None


def respond_with_news(request: ConsoleRequest, current: Listing, page: Page) -> HttpResponse:
    """Answer a poll for new rows: the element with their number, 204 if the browser shows that number already."""
    if responses.requested_fragment(request) != NEWS:
        return responses.redirect(request, current.here)
    number = page.added or 0
    if str(number) == request.GET.get(SEEN, ""):
        return responses.vary(HttpResponse(status=204))
    known = ngettext("%(n)d new", "%(n)d new", number) % {"n": number}
    text = _("%(n)d or more new") % {"n": number} if page.older else known
    found = _news(current, current.since, number, text if number else "")
    context = {"news": found, "refresh_url": current.refresh_url}
    return responses.page(request, "lists/list.html", context, fragments=(NEWS,))


def _news(current: Listing, since: str, seen: int, text: str) -> News:
    return News(current.here_with(**{SINCE: since, SEEN: str(seen)}), current.kind.poll_seconds, text)
