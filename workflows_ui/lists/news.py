"""Polls for new rows: while the first page of a list is open, the browser asks how many came; 204 for the number that it shows already."""

from dataclasses import dataclass

from django.http import HttpResponse
from django.utils.translation import gettext as _, ngettext

from workflows_ui.lists.declaration import Page
from workflows_ui.lists.listing import SINCE, Listing
from workflows_ui.lists.live import SEEN
from workflows_ui.web import responses
from workflows_ui.web.requests import ConsoleRequest

#: The element of the list that is replaced.
NEWS = "news"
#: In place of the newest row, for a list without rows.
NOTHING = "none"


@dataclass(frozen=True)
class News:
    """The URL that the browser asks, and after how many seconds. `text` is "" for no news."""

    url: str
    seconds: int
    text: str = ""


def first_poll(current: Listing, page: Page) -> News | None:
    """The poll of a page that was just read; None if it cannot have news."""
    return _news(current, page.newest, 0, "") if page.newest else None


def _news(current: Listing, since: str, seen: int, text: str) -> News:
    return News(current.here_with(**{SINCE: since, SEEN: str(seen)}), current.kind.poll_seconds, text)


def respond(request: ConsoleRequest, current: Listing, page: Page) -> HttpResponse:
    """Answer a poll: the element with the number, 204 if the browser shows that number already."""
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
