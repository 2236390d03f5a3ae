"""The list of declared resources, and the buttons of their pages."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _

from workflows_ui.credentials.services import engine_session
from workflows_ui.engine import EngineError, NotHere
from workflows_ui.members.models import Role
from workflows_ui.members.services.access import Access
from workflows_ui.resource_admin import actions
from workflows_ui.resource_admin import bulk as bulk_actions
from workflows_ui.resource_admin import capabilities as missing_capabilities
from workflows_ui.resource_admin.actions import Action, Button
from workflows_ui.resource_admin.listing import Listing, offer, swapped_fields
from workflows_ui.resource_admin.resource import RESOURCES, Page, Resource, Row, Shortcut, Subject, find_resource
from workflows_ui.web import formats, responses
from workflows_ui.web.access import member
from workflows_ui.web.messages import Text
from workflows_ui.web.requests import ConsoleRequest

Resources = Mapping[str, Resource]
#: The reason for each missing capability, by its name.
Lacking = Mapping[str, str]


@member(Role.VIEWER)
def listing(request: ConsoleRequest, slug: str, resource: str, resources: Resources = RESOURCES) -> HttpResponse:
    """A page of the list. For invalid filters the form shows errors, and the engine is not called.

    Optional decoration of rows and filters is left out unless cached; the page then requests itself once more with it.
    """
    kind = find_resource(request.access, resource, resources)
    lacking: Lacking = missing_capabilities.lacking(kind, request.access.workspace)
    if kind.needs in lacking:
        return missing_capabilities.page(request, kind, lacking[kind.needs])
    current = Listing(kind, request.path, request.GET)
    page, pending, swapped = Page(()), False, list[str]()
    bulk, matching = _bulk(kind, request.access, lacking), None
    if current.valid:
        session = engine_session.open_session(request.access, quick=not current.late)
        try:
            page = kind.list(session, current.query)
        except NotHere:
            page = Page((), warning=_("Nothing is shown: a filter names something that is not in this workspace."))
        except EngineError as error:
            why = missing_capabilities.learn(session, kind, error)
            if not why:
                raise
            return missing_capabilities.page(request, kind, why)
        if page.lacking:
            lacking = {**lacking, **page.lacking}
            bulk = _bulk(kind, request.access, lacking)
        choices = kind.choices(session)
        offer(current.form, choices)
        if bulk and (page.older or current.newer_url):
            matching = bulk_actions.count_matching(session, kind, current) if page.total is None else page.total
        pending, swapped = bool(session.put_off), swapped_fields(current.form, choices) if current.late else []
    rows = kind.masked(session, page.rows) if page.rows else ()
    lines = [_list_line(kind, request.access, row, lacking) for row in rows]
    first, rest = actions.arranged(page_buttons(kind, request.access, lacking))
    context = {
        "resource": kind,
        "listing": current,
        "page": page,
        "lines": lines,
        "row_actions": any(line["shortcuts"] or line["actions"] for line in lines),
        "here": current.here,
        "pending": pending,
        "again": swapped,
        "first": first,
        "rest": rest,
        "chips": current.chips(),
        "older_url": current.older_url(page.older),
        "bulk": bulk,
        "matching": matching,
    }
    return responses.page(request, "resource_admin/list.html", context, fragments=("results",))


def _list_line(resource: Resource, access: Access, row: Row, lacking: Lacking) -> dict[str, Any]:
    """A row, ready for the list; the non-empty values of wide columns are also `joined` to the cell before them."""
    slug, key = access.workspace.slug, resource.key(row)
    cells: list[dict[str, Any]] = []
    host = 0
    for column in resource.list_display:
        value = column.value(row)
        if column.link is True:
            url = resource.url(slug, key) if key else ""
            if not value or (isinstance(value, str) and not formats.visible(value)):
                value = key or value  # Otherwise there would be nothing to click on.
        else:
            url = column.link(slug, row) if column.link else ""
        below = column.below(row) if column.below else ""
        cells.append({"column": column, "value": value, "url": url, "below": below, "joined": []})
        if not column.wide:
            host = len(cells) - 1
        elif value not in (None, "", []):
            cells[host]["joined"].append(cells[-1])
    links = [(shortcut, url) for shortcut, url in _links(resource.shortcuts, access, row) if shortcut.in_rows]
    offered = _actions(resource, access, row) if key else []
    buttons = [
        actions.button(action, slug, resource.name, key)
        for action in offered
        if action.in_rows and action.needs not in lacking
    ]
    name = resource.full_title(row) if formats.visible(resource.title(row)) else key
    return {"id": key, "name": name, "cells": cells, "shortcuts": links, "actions": buttons}


def _links(shortcuts: Sequence[Shortcut], access: Access, row: Row) -> list[tuple[Shortcut, str]]:
    """The links that the person may follow and that apply to the row, with their URLs."""
    allowed = [shortcut for shortcut in shortcuts if access.allows(shortcut.role)]
    links = [(shortcut, shortcut.url(access.workspace.slug, row)) for shortcut in allowed]
    return [(shortcut, url) for shortcut, url in links if url]


def _actions(resource: Resource, access: Access, row: Row, *, collection: bool = False) -> list[Action]:
    allowed = [action for action in resource.actions if action.collection is collection and access.allows(action.role)]
    return [action for action in allowed if action.visible(row)]


def page_buttons(resource: Resource, access: Access, lacking: Lacking, subject: Subject | None = None) -> list[Button]:
    """The buttons of an object's page; without a subject those of the list."""
    row, key = (subject.object, subject.id) if subject else ({}, "")
    links = _links(resource.shortcuts if subject else resource.list_links, access, row)
    return [
        *(Button(link.label, link.icon, url, primary=link.primary) for link, url in links),
        *(
            actions.button(action, access.workspace.slug, resource.name, key, _reason(subject, action, lacking))
            for action in _actions(resource, access, row, collection=subject is None)
        ),
    ]


def _reason(subject: Subject | None, action: Action, lacking: Lacking) -> Text:
    """Why the action is not possible for the object now; "" if no reason is known."""
    why = lacking.get(action.needs, "")
    if why or subject is None or action.disabled_reason is None:
        return why
    try:
        return action.disabled_reason(subject.session, subject.object)
    except EngineError:
        return ""


def _bulk(resource: Resource, access: Access, lacking: Lacking) -> list[Button]:
    slug = access.workspace.slug
    return [
        Button(action.label, action.icon, action.bulk_url(slug, resource.name), is_action=True, danger=action.danger)
        for action in bulk_actions.actions(resource, access, lacking)
    ]
