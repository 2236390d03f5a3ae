"""The page of one object of a declared resource: its head, its tabs, and the panels of the tab that is shown."""

from collections.abc import Mapping, Sequence

from django.contrib import messages
from django.http import HttpResponse
from django.utils.encoding import escape_uri_path
from django.utils.translation import gettext as _

from workflows_ui.core import formats
from workflows_ui.engine import NotFound
from workflows_ui.lists.declaration import Column
from workflows_ui.members.models import Role
from workflows_ui.resource_admin import capabilities as missing_capabilities, editor, index_fallback, recents, recipes
from workflows_ui.resource_admin.resource import RESOURCES, Panel, Resource, Subject, find_resource
from workflows_ui.resource_admin.tabs import DATA, HISTORY, OVERVIEW, TAB, tab_links, tabs_of
from workflows_ui.resource_admin.views.resources import page_buttons
from workflows_ui.web import responses
from workflows_ui.web.access import member
from workflows_ui.web.elements import Button, arranged
from workflows_ui.web.requests import ConsoleRequest

#: The name of the second request, for what takes longer.
LATE = "late"
#: Fragments: the tabs with what is below them, and the panels only.
_OBJECT, _LIVE = "object", "live"


@member(Role.VIEWER)
def detail(
    request: ConsoleRequest, slug: str, resource: str, id: str, resources: Mapping[str, Resource] = RESOURCES
) -> HttpResponse:
    """One object. Unfinished objects refresh the fragment `live`.

    What is optional and not cached is left out at first; the page then requests its panels once more, with it.
    """
    kind = find_resource(request.access, resource, resources)
    lacking = missing_capabilities.lacking(kind, request.access.workspace)
    if kind.needs in lacking:
        return missing_capabilities.page(request, kind, lacking[kind.needs])
    quick = responses.requested_fragment(request) != _LIVE and LATE not in request.GET
    session = index_fallback.open_session(kind, request.access, quick=quick)
    try:
        found, stand_in = index_fallback.load_object(kind, session, id)
        (row,) = kind.masked(session, [found])
    except NotFound as missing:
        # Without a code the answer is not from the engine, but perhaps from something in between.
        if not missing.code or not responses.is_fragment(request):
            raise
        # The page polled again, and the object was deleted meanwhile.
        messages.info(request, _("This object no longer exists."))
        response = responses.redirect(request, kind.url(slug))
        response.status_code = 404
        return response
    if not responses.is_fragment(request):
        recents.record(request.access, kind, id, row)
    subject = Subject(row, id, request.access, session, kept=stand_in is not None)
    tabs = tabs_of(kind, subject, stand_in)
    tab = next((tab for tab in tabs if tab.name == request.GET.get(TAB)), tabs[0])
    panels = _panels(tab.panels, subject)
    overview = tab.name == OVERVIEW
    buttons = page_buttons(kind, request.access, lacking, subject, without_engine=stand_in is not None)
    switch, buttons = (None, buttons) if stand_in else _switch(kind, subject, buttons)
    first, rest = arranged(buttons)
    path = escape_uri_path(request.path)
    address = f"{path}?{TAB}={tab.name}" if tab.name else path
    context = {
        "resource": kind,
        "list_url": kind.url(slug),
        "key": id,
        "title": kind.title(row) if formats.visible(kind.title(row)) else "",
        "badge": None if switch else kind.badge(row),
        "stand_in": stand_in,
        "refresh_seconds": 0 if stand_in or tab.name in (HISTORY, DATA) else kind.refresh_seconds(row),
        "first": first,
        "rest": rest,
        "switch": switch,
        "head": _head(kind, subject) if not stand_in or (kind.head and kind.head.without_engine) else None,
        "key_facts": _facts(kind.key_facts, subject),
        "tabs": tab_links(path, tabs, tab.name),
        "tab": tab,
        "address": address,
        "panels": panels,
        "details": _facts(kind.details, subject) if overview else [],
        "editor_url": editor.url(kind, request.access.workspace, id) if overview and not stand_in else "",
        "recipe": recipes.resource_recipe(kind, id, request.access) if tab.name == DATA else None,
        "late_url": f"{address}{'&' if tab.name else '?'}{LATE}=1" if session.put_off else "",
    }
    return responses.page(request, "resource_admin/detail.html", context, fragments=(_OBJECT, _LIVE))


def _panels(declared: Sequence[Panel], subject: Subject) -> list[dict[str, object]]:
    """The panels that have something to show."""
    built = ((panel, panel.context(subject)) for panel in declared)
    return [{"label": panel.label, "template": panel.template, **context} for panel, context in built if context]


def _head(kind: Resource, subject: Subject) -> dict[str, object] | None:
    context = kind.head.context(subject) if kind.head else None
    return {"template": kind.head.template, **context} if kind.head and context else None


def _facts(columns: Sequence[Column], subject: Subject) -> list[tuple[Column, object, str]]:
    """Column, value and URL of every fact that has a value."""
    values = ((column, column.value(subject.object)) for column in columns)
    return [
        (column, value, column.link(subject.slug, subject.object) if callable(column.link) else "")
        for column, value in values
        if value not in (None, "", [], {})
    ]


def _switch(kind: Resource, subject: Subject, buttons: list[Button]) -> tuple[dict[str, object] | None, list[Button]]:
    """The switch with the button that its next click runs, and the buttons that are left.

    Without the right to switch, or where the engine allows neither, the state is a badge as everywhere.
    """
    on = kind.switch.state(subject.object) if kind.switch else None
    if kind.switch is None or on is None:
        return None, buttons
    name = kind.switch.off if on else kind.switch.on
    urls = {action.name: action.url(subject.slug, kind.name, subject.id) for action in kind.actions}
    button = next((item for item in buttons if item.url == urls[name]), None)
    if button is None:
        return None, buttons
    own = {urls[own_name] for own_name in kind.switch.names}
    return {"on": on, "button": button}, [item for item in buttons if item.url not in own]
