"""The page of a list, of the engine's objects or of the console's own rows."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from django import forms
from django.http import HttpResponse
from django.urls import reverse

from workflows_ui.lists import file_formats, polls
from workflows_ui.lists.declaration import AnyRow, Branch, Column, List, Page, Tree
from workflows_ui.lists.filters import filter_bar, plotted_period
from workflows_ui.lists.lines import list_lines, preview_url
from workflows_ui.lists.listing import Listing
from workflows_ui.saved_views import services as saved_views
from workflows_ui.saved_views.models import SavedView
from workflows_ui.web import responses
from workflows_ui.web.elements import Button
from workflows_ui.web.requests import ConsoleRequest


@dataclass(frozen=True)
class ViewLink:
    """A saved view of the list: its URL, the one of its own page, and whether it is open, the person's own, and their default."""

    view: SavedView
    url: str
    settings_url: str
    open: bool
    own: bool
    default: bool


@dataclass(frozen=True)
class Menus:
    """The menus of a list: its columns and its saved views (saved_views/menus.html).

    Attributes:
        path: the list, as saved views name it.
        here: this page as a query string, for what leads back to it.
        query: the filters and the order that a view keeps.
        columns: the columns that can be hidden, their keys, and whether they are shown.
        hidden: the keys of the hidden columns.
        columns_url, save_url: where the chosen columns and a new view are posted to.
        links: the saved views, the person's own first.
        view: the open view, and whether it is the person's own, whose columns they choose.
        update_url: where the filters and the order are posted to, which replace those of the open view; "" if the person may not change it,
            and if they are the same.
    """

    path: str
    here: str
    query: str
    columns: Sequence[tuple[Column, str, bool]]
    hidden: frozenset[str]
    columns_url: str
    save_url: str
    links: Sequence[ViewLink]
    view: SavedView | None
    own_view: bool
    update_url: str


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
    row_buttons: Callable[[AnyRow], Sequence[Button]] | None = None,
    tree: Tree | None = None,
    **context: object,
) -> HttpResponse:
    """Render the page; 204 if the browser, which refreshes it, has it already. Redirect to the default view of a list without parameters.

    Args:
        page: with masked rows.
        matching: how many objects match, where the page does not know it.
        pending: whether the page has to request itself once more, for names that were not cached.
        row_buttons: returns the buttons in the menu of a row, by default those of the list.
        tree: the values of a filter, which stand beside the rows in wide windows.
        context: what else the template takes: `empty_template`, what a list without rows says, `plot_template`, a plot above the rows;
            `suggestion`, a button where nothing fits the filters; `stand_in`, what stands in for the engine; `above_template` and
            `below_template`, what else the page has.
    """
    if page.added is not None:
        return polls.respond_with_news(request, current, page)
    if current.default_url and not responses.is_fragment(request):
        return responses.redirect(request, current.default_url)
    current.leave_out(page.left_out)
    total = matching if page.total is None else page.total
    refreshed = polls.live(current, page.rows, total, page.start, pending)
    if refreshed and responses.is_fragment(request) and request.GET.get(polls.SEEN) == refreshed.version:
        return responses.vary(HttpResponse(status=204))
    kind, access = current.kind, getattr(request, "access", None)
    # Templates get values: none of them calls the list.
    lines = list_lines(kind, access, page.rows, current.columns, row_buttons, only_links=bool(context.get("stand_in")))
    whole = {
        "resource": kind,
        "listing": _values(current),
        "menus": _menus(current, current.saved) if current.saved else None,
        "page": page,
        "lines": lines,
        "row_actions": any(line["shortcuts"] or line["actions"] or line["preview"] for line in lines),
        "preview_url": preview_url(kind, access.workspace.slug, current.shown) if access and current.shown else "",
        "live": refreshed,
        "live_url": current.here_with(**{polls.SEEN: refreshed.version}) if refreshed else "",
        "news": None if refreshed else polls.first_news(current, page),
        "here": current.here,
        "refresh_url": current.refresh_url,
        "pending": pending,
        "matching": total,
        "chips": current.chips(),
        "heads": current.heads(sortable=page.sortable),
        "pages": current.pages(page, total),
        "files": _files(request, current),
        "row_choices": current.rows_urls(),
        "tree": tree and _tree(current, tree),
        "plot_period": plotted_period(current.query.filters) if current.valid and context.get("plot_template") else "",
        **context,
    }
    return responses.page(request, "lists/list.html", whole, fragments=("results",))


def _files(request: ConsoleRequest, current: Listing) -> list[file_formats.Offer]:
    """The list as a file: by a link, or of an engine's objects this page by a link and everything by a job."""
    access = getattr(request, "access", None)
    slug = access.workspace.slug if access else ""
    return file_formats.offers(request, partial(_file_urls, current, slug))


def _file_urls(current: Listing, slug: str, key: str) -> tuple[str, str]:
    query = f"?{current.export_query}" if current.export_query else ""
    if url := current.kind.file_url(slug, key):
        return f"{url}{query}", ""
    url = reverse("resource_export", args=[slug, current.kind.name, key])
    return f"{url}{query}", f"{url}?{current.page_query}"


def _values(current: Listing) -> dict[str, object]:
    """What the templates of a list show of its URL."""
    return {
        "form": current.form,
        "bar": filter_bar(current.form),
        "valid": current.valid,
        "filtered": current.filtered,
        "filters_query": current.filters_query,
        # For ids of elements.
        "filters_key": hashlib.sha256(current.filters_query.encode()).hexdigest()[:12],
        "hidden_inputs": current.hidden_inputs,
        "hidden": current.hidden,
        "trail": current.trail,
        "bare_url": current.bare_url,
        "first_url": current.first_url,
        "clear_url": current.clear_url,
        "late_url": current.late_url,
        "saved": current.saved,
        "shown": current.shown,
        "here": current.here,
    }


def _tree(current: Listing, tree: Tree) -> dict[str, object]:
    """What the template of a tree takes: each branch with its URL ("" for none), and whether the list shows it."""
    chosen = current.query.filters.get(tree.field, "") if current.valid else None

    def entry(branch: Branch) -> tuple[Branch, str, bool]:
        url = "" if branch.value is None else current.filter_url(tree.field, branch.value)
        return branch, url, branch.value == chosen

    others = current.valid and bool(current.query.filters.keys() - {tree.field})
    return {"label": tree.label, "note": tree.note if others else "", "entries": list(map(entry, tree.branches))}


def _menus(current: Listing, saved: saved_views.ListViews) -> Menus:
    view, query = current.view, current.export_query
    links = [
        ViewLink(each, current.view_url(each), saved.url(each), each is view, saved.own(each), each is saved.default)
        for each in saved.views
    ]
    changed = view is not None and saved.may_change(view) and view.query != query
    return Menus(
        path=saved.path,
        here=current.here.partition("?")[2],
        query=query,
        columns=[(column, column.key, column.key not in current.hidden) for column in current.all_columns[1:]],
        hidden=current.hidden,
        columns_url=saved.columns_url,
        save_url=saved.save_url,
        links=sorted(links, key=lambda link: not link.own),
        view=view,
        own_view=view is not None and saved.own(view),
        update_url=saved.url(view) if view is not None and changed else "",
    )
