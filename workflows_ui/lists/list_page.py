"""The page of a list, of the engine's objects or of the console's own rows."""

from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.http import HttpResponse

from workflows_ui.lists import news
from workflows_ui.lists.declaration import List, Page
from workflows_ui.lists.lines import list_lines
from workflows_ui.lists.listing import Listing
from workflows_ui.lists.live import SEEN, live
from workflows_ui.saved_views import services as saved_views
from workflows_ui.web import responses
from workflows_ui.web.elements import Button
from workflows_ui.web.requests import ConsoleRequest


def requested(request: ConsoleRequest, kind: List, form: forms.Form | None = None) -> Listing:
    """The list that the request asks for, with the person's saved views and columns. `form`: filters in place of the list's own."""
    access = getattr(request, "access", None)
    scope = saved_views.workspace_scope(access) if access else saved_views.Scope(request.user)
    return Listing(kind, request.path, request.GET, form, saved_views.load(scope, request.path))


def respond(
    request: ConsoleRequest,
    current: Listing,
    page: Page,
    *,
    matching: int | None = None,
    pending: bool = False,
    row_buttons: Callable[[Any], Sequence[Button]] | None = None,
    **context: Any,
) -> HttpResponse:
    """Render the page; 204 if the browser, which refreshes it, has it already. Redirect to the default view of a list without parameters.

    Args:
        page: with masked rows.
        matching: how many objects match, where the page does not know it.
        pending: whether the page has to request itself once more, for names that were not cached.
        row_buttons: returns the buttons in the menu of a row, by default those of the list.
        context: what else the template takes: `empty_template`, what a list without rows says, `plot_template`, a plot above the rows;
            `stand_in`, what stands in for the engine; `above_template` and `below_template`, what else the page has.
    """
    if page.added is not None:
        return news.respond(request, current, page)
    if current.default_url and not responses.is_fragment(request):
        return responses.redirect(request, current.default_url)
    total = matching if page.total is None else page.total
    refreshed = live(current.kind, page.rows, total, page.start, pending)
    if refreshed and responses.is_fragment(request) and request.GET.get(SEEN) == refreshed.version:
        return responses.vary(HttpResponse(status=204))
    kind, access = current.kind, getattr(request, "access", None)
    lines = list_lines(kind, access, page.rows, current.columns, row_buttons, only_links=bool(context.get("stand_in")))
    whole = {
        "resource": kind,
        "listing": current,
        "page": page,
        "lines": lines,
        "row_actions": any(line["shortcuts"] or line["actions"] for line in lines),
        "live": refreshed,
        "live_url": current.here_with(**{SEEN: refreshed.version}) if refreshed else "",
        "news": None if refreshed else news.first_poll(current, page),
        "here": current.here,
        "refresh_url": current.refresh_url,
        "pending": pending,
        "matching": total,
        "chips": current.chips(),
        "heads": current.heads(sortable=page.sortable),
        "pages": current.pages(page, total),
        "files": kind.files(access.workspace.slug if access else ""),
        "row_choices": current.rows_urls(),
        **context,
    }
    return responses.page(request, "lists/list.html", whole, fragments=("results",))
