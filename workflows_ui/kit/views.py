"""The two generic pages of declared resources: the list and the object."""

from collections.abc import Mapping
from typing import Any

from django.http import Http404, HttpResponse

from workflows_ui.kit import caller, redact, respond
from workflows_ui.kit.access import member
from workflows_ui.kit.listing import Listing, offer
from workflows_ui.kit.request import ConsoleRequest
from workflows_ui.kit.resource import Cell, Line, Page, Resource, Row, Subject
from workflows_ui.models import Role
from workflows_ui.services.access import Access

Resources = Mapping[str, Resource]


@member(Role.VIEWER)
def listing(request: ConsoleRequest, slug: str, resource: str, resources: Resources) -> HttpResponse:
    """A page of the list. Filters that make no sense are told at the form, and the engine is not asked."""
    declared = _declared(request.access, resource, resources)
    found = Listing(declared, request.path, request.GET)
    page = Page(())
    if found.valid:
        asking = caller.of(request.access)
        page = declared.list(asking, found.query)
        offer(found.form, declared.choices(asking))
    context = {
        "resource": declared,
        "listing": found,
        "page": page,
        "lines": [_line(declared, request.access, row) for row in page.rows],
        "chips": found.chips(),
        "older_url": found.older_url(page.older),
    }
    return respond.page(request, "kit/list.html", context, fragments=("results",))


@member(Role.VIEWER)
def detail(request: ConsoleRequest, slug: str, resource: str, id: str, resources: Resources) -> HttpResponse:
    """One object: badge, shortcuts, panels. What is not settled refreshes its fragment `live`."""
    declared = _declared(request.access, resource, resources)
    if not id.strip(" ./"):
        raise Http404
    asking = caller.of(request.access)
    found = redact.step(declared.get(asking, id), secrets=declared.secrets)
    subject = Subject(found, id, request.access, asking)
    live = declared.live(found)
    context = {
        "resource": declared,
        "list_url": declared.url(slug),
        "key": id,
        "title": declared.title(found),
        "badge": declared.badge(found),
        "live": live,
        "shortcuts": _shortcuts(declared, request.access, found),
        "panels": _panels(declared, subject),
    }
    return respond.page(request, "kit/detail.html", context, fragments=("live",))


def _declared(access: Access, name: str, resources: Resources) -> Resource:
    if name not in resources:
        raise Http404
    access.require(resources[name].role)
    return resources[name]


def _line(resource: Resource, access: Access, row: Row) -> Line:
    row = redact.step(row, secrets=resource.secrets)
    slug, key = access.workspace.slug, resource.key(row)
    cells = []
    for column in resource.list_display:
        url = ""
        if column.link is True:
            url = resource.url(slug, key) if key else ""
        elif callable(column.link):
            url = column.link(slug, row)
        cells.append(Cell(column, column.value(row), url, column.below(row) if column.below else ""))
    in_rows = [(shortcut, url) for shortcut, url in _shortcuts(resource, access, row) if shortcut.in_rows]
    return Line(key, resource.title(row) or key, cells, in_rows)


def _shortcuts(resource: Resource, access: Access, row: Row) -> list[tuple[Any, str]]:
    allowed = [shortcut for shortcut in resource.shortcuts if access.allows(shortcut.role)]
    offered = [(shortcut, shortcut.url(access.workspace.slug, row)) for shortcut in allowed]
    return [(shortcut, url) for shortcut, url in offered if url]


def _panels(resource: Resource, subject: Subject) -> list[dict[str, Any]]:
    built = [(panel, panel.context(subject)) for panel in resource.panels]
    return [{"label": panel.label, "template": panel.template, **context} for panel, context in built if context]
