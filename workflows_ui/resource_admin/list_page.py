"""The page of a list, of the engine's objects or of the console's own rows."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse

from workflows_ui.members.services.access import Access
from workflows_ui.resource_admin import news
from workflows_ui.resource_admin.listing import Listing
from workflows_ui.resource_admin.live import SEEN, live
from workflows_ui.resource_admin.local_lists import LocalList
from workflows_ui.resource_admin.resource import Page, Resource
from workflows_ui.resource_admin.rows import list_lines
from workflows_ui.saved_views import services as saved_views
from workflows_ui.web import responses
from workflows_ui.web.messages import Text
from workflows_ui.web.requests import ConsoleRequest


def requested(request: ConsoleRequest, kind: Resource) -> Listing:
    """The list of a workspace that the request asks for, with the person's saved views and columns."""
    saved = saved_views.load(saved_views.workspace_scope(request.access), request.path)
    return Listing(kind, request.path, request.GET, saved=saved)


def requested_everywhere(request: ConsoleRequest, kind: Resource) -> Listing:
    """As `requested`, for a list without a workspace."""
    saved = saved_views.load(saved_views.Scope(request.user), request.path)
    return Listing(kind, request.path, request.GET, saved=saved)


def respond(
    request: ConsoleRequest,
    kind: Resource,
    access: Access | None,
    current: Listing,
    page: Page,
    *,
    matching: int | None = None,
    pending: bool = False,
    lacking: Mapping[str, Text] | None = None,
    **context: Any,
) -> HttpResponse:
    """Render the page; 204 if the browser, which refreshes it, has it already. Redirect to the default view of a list without parameters.

    Args:
        page: with masked rows.
        matching: how many objects match, where the page does not know it.
        pending: whether the page has to request itself once more, for names that were not cached.
        lacking: the reasons of missing capabilities, by name.
        context: what else the template takes: `empty_template`, what a list without rows says, `plot_template`, a plot above the rows;
            `kept`, what stands in for the engine; `above_template` and `below_template`, what else the page has.
    """
    local = isinstance(kind, LocalList)
    if page.added is not None:
        return news.respond(request, current, page, local=local)
    if current.default_url and not responses.is_fragment(request):
        return responses.redirect(request, current.default_url)
    total = matching if page.total is None else page.total
    refreshed = live(kind, page.rows, total, page.start, pending)
    if refreshed and responses.is_fragment(request) and request.GET.get(SEEN) == refreshed.version:
        return responses.vary(HttpResponse(status=204))
    lines = list_lines(kind, access, page.rows, lacking or {}, current.columns, only_links=bool(context.get("kept")))
    whole = {
        "resource": kind,
        "listing": current,
        "page": page,
        "lines": lines,
        "row_actions": any(line["shortcuts"] or line["actions"] for line in lines),
        "live": refreshed,
        "live_url": current.here_with(**{SEEN: refreshed.version}) if refreshed else "",
        "news": None if refreshed else news.first_poll(current, page, local=local),
        "here": current.here,
        "pending": pending,
        "matching": total,
        "chips": current.chips(),
        "heads": current.heads(sortable=page.sortable),
        "pages": current.pages(page, total),
        "row_choices": current.rows_urls(),
        **context,
    }
    return responses.page(request, "resource_admin/list.html", whole, fragments=("results",))
