"""The two generic pages of declared resources: the list and the object."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _

from workflows_ui.engine import EngineError, NotFound
from workflows_ui.kit import ability, actions, bulk_choice, caller, recipe, redact, respond, show
from workflows_ui.kit.access import member
from workflows_ui.kit.actions import Action, Button
from workflows_ui.kit.listing import Listing, anew, offer
from workflows_ui.kit.request import ConsoleRequest
from workflows_ui.kit.resource import Cell, Line, Page, Resource, Row, Subject
from workflows_ui.kit.words import Text
from workflows_ui.models import Role
from workflows_ui.services.access import Access

Resources = Mapping[str, Resource]
#: Why a capability is lacking, by its name.
Lacking = Mapping[str, str]


@member(Role.VIEWER)
def listing(request: ConsoleRequest, slug: str, resource: str, resources: Resources) -> HttpResponse:
    """A page of the list. Filters that make no sense are told at the form, and the engine is not asked.

    What merely decorates rows and filters is left out while it is not remembered; the page then asks for itself once more.
    """
    kind = declared(request.access, resource, resources)
    lacking = ability.lacking(kind, request.access.workspace)
    if kind.needs in lacking:
        return ability.page(request, kind, lacking[kind.needs])
    found = Listing(kind, request.path, request.GET)
    page, pending, again = Page(()), False, list[str]()
    bulk, matching = _bulk(kind, request.access, lacking), None
    if found.valid:
        asking = caller.of(request.access, quick=not found.late)
        try:
            page = kind.list(asking, found.query)
        except EngineError as error:
            why = ability.learn(asking, kind, error)
            if not why:
                raise
            return ability.page(request, kind, why)
        choices = kind.choices(asking)
        offer(found.form, choices)
        if bulk and (page.older or found.newer_url):
            matching = bulk_choice.counted(asking, kind, found) if page.total is None else page.total
        pending, again = bool(asking.put_off), anew(found.form, choices) if found.late else []
    lines = [_line(kind, request.access, row, lacking) for row in page.rows]
    first, rest = actions.arranged(_collection(kind, request.access, lacking))
    context = {
        "resource": kind,
        "listing": found,
        "page": page,
        "lines": lines,
        "row_actions": any(line.shortcuts or line.actions for line in lines),
        "here": found.here,
        "pending": pending,
        "again": again,
        "first": first,
        "rest": rest,
        "chips": found.chips(),
        "older_url": found.older_url(page.older),
        "bulk": bulk,
        "matching": matching,
    }
    return respond.page(request, "kit/list.html", context, fragments=("results",))


@member(Role.VIEWER)
def detail(request: ConsoleRequest, slug: str, resource: str, id: str, resources: Resources) -> HttpResponse:
    """One object: badge, shortcuts, panels. What is not settled refreshes its fragment `live`."""
    kind = declared(request.access, resource, resources)
    if not id.strip(" ./"):
        raise Http404
    lacking = ability.lacking(kind, request.access.workspace)
    if kind.needs in lacking:
        return ability.page(request, kind, lacking[kind.needs])
    asking = caller.of(request.access)
    try:
        found = redact.step(kind.get(asking, id), secrets=kind.secrets)
    except NotFound as missing:
        # Without a code it was not the engine that said so, but perhaps something in between.
        if not missing.code or not respond.is_fragment(request):
            raise
        # The page looked at itself again: what it shows was deleted meanwhile.
        messages.info(request, _("What you looked at is no longer there."))
        response = respond.redirect(request, kind.url(slug))
        response.status_code = 404
        return response
    subject = Subject(found, id, request.access, asking)
    live = kind.live(found)
    first, rest = actions.arranged(_buttons(kind, subject, lacking))
    context = {
        "resource": kind,
        "list_url": kind.url(slug),
        "key": id,
        "title": kind.title(found) if show.visible(kind.title(found)) else "",
        "badge": kind.badge(found),
        "live": live,
        "first": first,
        "rest": rest,
        "recipe": recipe.of(kind.call(id), request.access),
        "panels": _panels(kind, subject),
    }
    return respond.page(request, "kit/detail.html", context, fragments=("live",))


def declared(access: Access, name: str, resources: Resources) -> Resource:
    """The resource of this name, for whom its role suffices. Raises Http404, NotAllowed."""
    if name not in resources:
        raise Http404
    access.require(resources[name].role)
    return resources[name]


def _line(resource: Resource, access: Access, row: Row, lacking: Lacking) -> Line:
    row = redact.step(row, secrets=resource.secrets)
    slug, key = access.workspace.slug, resource.key(row)
    cells: list[Cell] = []
    host = 0
    for column in resource.list_display:
        url = ""
        if column.link is True:
            url = resource.url(slug, key) if key else ""
        elif callable(column.link):
            url = column.link(slug, row)
        value = column.value(row)
        if column.link is True and (not value or (isinstance(value, str) and not show.visible(value))):
            value = key or value  # else there would be nothing to click on
        cell = Cell(column, value, url, column.below(row) if column.below else "")
        if not column.wide:
            host = len(cells)
        elif cell.value not in (None, "", []):
            cells[host] = replace(cells[host], joined=(*cells[host].joined, cell))
        cells.append(cell)
    in_rows = [(shortcut, url) for shortcut, url in _shortcuts(resource, access, row) if shortcut.in_rows]
    offered = _offered(resource, access, row) if key else []
    deeds = [
        actions.button(action, slug, resource.name, key)
        for action in offered
        if action.in_rows and action.needs not in lacking
    ]
    name = resource.told(row) if show.visible(resource.title(row)) else key
    return Line(key, name, cells, in_rows, deeds)


def _shortcuts(resource: Resource, access: Access, row: Row) -> list[tuple[Any, str]]:
    allowed = [shortcut for shortcut in resource.shortcuts if access.allows(shortcut.role)]
    offered = [(shortcut, shortcut.url(access.workspace.slug, row)) for shortcut in allowed]
    return [(shortcut, url) for shortcut, url in offered if url]


def _offered(resource: Resource, access: Access, row: Row) -> list[Action]:
    found = [action for action in resource.actions if not action.collection and access.allows(action.role)]
    return [action for action in found if action.offered(row)]


def _buttons(resource: Resource, subject: Subject, lacking: Lacking) -> list[Button]:
    access, row = subject.access, subject.object
    ways = [
        Button(shortcut.label, shortcut.icon, url, primary=shortcut.primary)
        for shortcut, url in _shortcuts(resource, access, row)
    ]
    deeds = [
        actions.button(action, access.workspace.slug, resource.name, subject.id, _reason(subject, action, lacking))
        for action in _offered(resource, access, row)
    ]
    return [*ways, *deeds]


def _reason(subject: Subject, action: Action, lacking: Lacking) -> Text:
    """Why the action cannot be done to the object now; "" where nothing is known against it."""
    why = lacking.get(action.needs, "")
    if why or action.hindered is None:
        return why
    try:
        return action.hindered(subject.caller, subject.object)
    except EngineError:
        return ""


def _collection(resource: Resource, access: Access, lacking: Lacking) -> list[Button]:
    slug = access.workspace.slug
    ways = [
        Button(way.label, way.icon, way.url(slug, {}), primary=way.primary)
        for way in resource.ways
        if access.allows(way.role)
    ]
    found = [action for action in resource.actions if action.collection and access.allows(action.role)]
    return [*ways, *(_button(resource, access, action, lacking) for action in found if action.offered({}))]


def _button(resource: Resource, access: Access, action: Action, lacking: Lacking) -> Button:
    return actions.button(action, access.workspace.slug, resource.name, reason=lacking.get(action.needs, ""))


def _bulk(resource: Resource, access: Access, lacking: Lacking) -> list[Button]:
    slug = access.workspace.slug
    return [
        Button(action.label, action.icon, action.bulk_url(slug, resource.name), deed=True, danger=action.danger)
        for action in bulk_choice.actions(resource, access, lacking)
    ]


def _panels(resource: Resource, subject: Subject) -> list[dict[str, Any]]:
    built = [(panel, panel.context(subject)) for panel in resource.panels]
    return [{"label": panel.label, "template": panel.template, **context} for panel, context in built if context]
