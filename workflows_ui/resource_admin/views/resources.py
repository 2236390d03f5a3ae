"""The list of declared resources, and the buttons of their pages."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from operator import attrgetter

from django import forms
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from workflows_ui.core.text import Text
from workflows_ui.engine import EngineError, NotHere
from workflows_ui.lists import list_page
from workflows_ui.lists.declaration import Tree
from workflows_ui.lists.lines import allowed_links
from workflows_ui.lists.listing import REFRESH, offer, swapped_fields
from workflows_ui.lists.polls import SEEN
from workflows_ui.members.models import Role
from workflows_ui.members.services.access import Access
from workflows_ui.resource_admin import actions, bulk, capabilities as missing_capabilities, index_fallback, news
from workflows_ui.resource_admin.actions import Action
from workflows_ui.resource_admin.index_fallback import NOT_NOW, StandIn
from workflows_ui.resource_admin.resource import RESOURCES, Page, Resource, Row, Subject, find_resource
from workflows_ui.web import responses
from workflows_ui.web.access import member
from workflows_ui.web.elements import Button, arranged
from workflows_ui.web.requests import ConsoleRequest

Resources = Mapping[str, Resource]
#: The reason for each missing capability, by its name.
Lacking = Mapping[str, str]


@require_safe
@member(Role.VIEWER)
def listing(request: ConsoleRequest, slug: str, resource: str, resources: Resources = RESOURCES) -> HttpResponse:
    """A page of the list. For invalid filters the form shows errors, and the engine is not called.

    Optional decoration of rows and filters is left out unless cached; the page then requests itself once more with it.
    """
    kind = find_resource(request.access, resource, resources)
    lacking: Lacking = missing_capabilities.lacking(kind, request.access.workspace)
    if kind.needs in lacking:
        return missing_capabilities.page(request, kind, lacking[kind.needs])
    current = list_page.requested(request, kind)
    if current.default_url and not responses.is_fragment(request):
        return responses.redirect(request, current.default_url)
    page, pending, swapped = Page(()), False, list[str]()
    stand_in: StandIn | None = None
    tree: Tree | None = None
    matching: int | None = None
    if current.valid:
        session = index_fallback.open_session(kind, request.access, quick=not current.late)
        if REFRESH in request.GET:
            session.forget(*kind.cached)
        if current.since and kind.created:
            found = news.added(session, kind, current)
            return list_page.respond(request, current, found)
        try:
            query = replace(current.query, poll=SEEN in request.GET)
            page, stand_in = index_fallback.load_list(kind, session, query)
        except NotHere:
            page = Page((), warning=_("Nothing is shown: a filter names something that is not in this workspace."))
        except EngineError as error:
            why = missing_capabilities.learn(session, kind, error)
            if not why:
                raise
            return missing_capabilities.page(request, kind, why)
        if page.lacking:
            lacking = {**lacking, **page.lacking}
        choices = index_fallback.choices(kind, session) if stand_in else kind.choices(session)
        tree = None if stand_in else kind.tree(session, current.query.filters, page)
        offer(current.form, choices)
        _hint(current.form, kind.search_hint(session))
        if page.total is None and (page.older or current.trail):
            matching = bulk.count_matching(session, kind, current)
        pending, swapped = (
            bool(session.put_off),
            swapped_fields(current.form, choices.keys() - page.left_out) if current.late else [],
        )
    first, rest = arranged(page_buttons(kind, request.access, lacking, without_engine=stand_in is not None))
    newest = news.newest(kind, current, page.rows) if kind.created and current.valid and not stand_in else ""
    page = replace(page, rows=kind.masked(session, page.rows) if page.rows else (), newest=newest)
    return list_page.respond(
        request,
        current,
        page,
        matching=matching,
        pending=pending,
        row_buttons=_row_buttons(kind, request.access, lacking),
        again=swapped,
        first=first,
        rest=rest,
        bulk=[] if stand_in else _bulk(kind, request.access, lacking),
        stand_in=stand_in,
        plot_template="" if page.total is None else kind.plot_template,
        tree=tree,
    )


def _hint(form: forms.Form, text: Text) -> None:
    """Show a text in the empty search field."""
    if text:
        form.fields["search"].widget.attrs["placeholder"] = text


def page_buttons(
    resource: Resource,
    access: Access,
    lacking: Lacking,
    subject: Subject | None = None,
    *,
    without_engine: bool = False,
) -> list[Button]:
    """The buttons of an object's page; without a subject those of the list. `without_engine`: those that need the engine are disabled."""
    row, key = (subject.object, subject.id) if subject else ({}, "")
    links = allowed_links(resource.shortcuts if subject else resource.list_links, access, row)
    return [
        *(
            Button(
                link.label,
                link.icon,
                url,
                primary=link.primary,
                reason=NOT_NOW if without_engine and not link.without_engine else "",
            )
            for link, url in links
        ),
        *(
            actions.button(
                action,
                access.workspace.slug,
                resource.name,
                key,
                NOT_NOW if without_engine else _reason(subject, action, lacking),
                row,
            )
            for action in resource.actions
            if action.collection is (subject is None) and access.allows(action.role)
            if not action.tab and action.visible(row)
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
    """The bulk actions available to the person, dangerous ones last; actions that the engine lacks are left out."""
    offered = [
        action
        for action in resource.actions
        if action.bulk and not action.collection and action.needs not in lacking and access.allows(action.role)
    ]
    slug = access.workspace.slug
    return [
        Button(action.label, action.icon, action.bulk_url(slug, resource.name), is_action=True, danger=action.danger)
        for action in sorted(offered, key=attrgetter("danger"))
    ]


def _row_buttons(resource: Resource, access: Access, lacking: Lacking) -> Callable[[Row], Sequence[Button]]:
    """A function that returns the actions in the menu of a row."""
    offered = [
        action
        for action in resource.actions
        if action.in_rows and not action.collection and action.needs not in lacking and access.allows(action.role)
    ]

    def buttons(row: Row) -> Sequence[Button]:
        key = resource.key(row)
        actions_of_row = [action for action in offered if key and action.visible(row)]
        return [actions.button(action, access.workspace.slug, resource.name, key) for action in actions_of_row]

    return buttons
