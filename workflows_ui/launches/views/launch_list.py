"""The list of launches, and its file: filters, order and position are in the query string, newest first."""

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from workflows_ui.accounts.models import User
from workflows_ui.audit.requests import actor
from workflows_ui.audit.services import audit_log
from workflows_ui.core.prepared import Prepared
from workflows_ui.credentials.messages import picker_labels
from workflows_ui.credentials.services import credentials
from workflows_ui.launches import tables
from workflows_ui.launches.forms import MORE, FilterForm
from workflows_ui.launches.models import Launch
from workflows_ui.launches.services import launches
from workflows_ui.lists import export, list_page
from workflows_ui.lists.declaration import Page
from workflows_ui.lists.file_formats import FORMATS
from workflows_ui.lists.listing import Listing
from workflows_ui.members.models import Role
from workflows_ui.members.services.access import Access
from workflows_ui.run_index.models import Kept
from workflows_ui.run_index.services import indexes
from workflows_ui.web import responses
from workflows_ui.web.access import member
from workflows_ui.web.elements import Button
from workflows_ui.web.links import reachable
from workflows_ui.web.requests import ConsoleRequest

#: Number of the newest launches whose flows and persons the filters offer.
OFFERED_FROM = 500
#: What the list shows, and what its menus and its refresh depend on.
LISTED = (
    "flow_id",
    "flow_name",
    "size",
    "state",
    "reason",
    "run_status",
    "run_id",
    "failed_step",
    "misses",
    "poll_at",
    "claim_until",
    "asked_at",
    "kept",
    "send_by",
    "ended_at",
    "sending_at",
    "run_started_at",
    "run_finished_at",
)
_PERSON = ("user__username", "user__first_name", "user__last_name")


@require_safe
@member(Role.VIEWER, guests=True)
def listing(request: ConsoleRequest, slug: str) -> HttpResponse:
    """The launches that the person may see."""
    access, rows = request.access, launches.visible_launches(request.access)
    kind, form = tables.launch_list(access), _filter_form(request, rows)
    current = list_page.requested(request, kind, form)
    page = Page((), total=0, sortable=True)
    if current.valid:
        found, complete = form.matching(access.workspace, rows)
        shown = found.select_related(None).select_related("user").only(*LISTED, *_PERSON)
        page = replace(kind.page(shown, current), notice="" if complete else MORE)
    flows = reachable(reverse("resource_list", args=[slug, "flows"]))
    button = (
        Button(_("Launch a flow"), "rocket", flows or reverse("workspace", args=[slug]), primary=True)
        if access.allows(Role.LAUNCHER)
        else None
    )
    return list_page.respond(
        request,
        current,
        page,
        empty_template="launches/empty.html",
        plot_template="launches/days_later.html",
        everyone=access.allows(Role.BUILDER),
        can_launch=access.allows(Role.LAUNCHER),
        guest=access.guest,
        first=button,
    )


@never_cache
@require_safe
@member(Role.VIEWER, guests=True)
def file(request: ConsoleRequest, slug: str, kind: str) -> HttpResponseBase:
    """All launches that match the filters, with inputs and answers as far as the person may see them. Audited.

    No file is made if the search does not find every launch.
    """
    if kind not in FORMATS:
        raise Http404
    rows = launches.visible_launches(request.access)
    declared, form = tables.launch_list(request.access), _filter_form(request, rows)
    current = Listing(declared, declared.url(slug), request.GET, form)
    if not current.valid:
        return responses.redirect(request, f"{declared.url(slug)}?{current.export_query}")
    found, complete = form.matching(request.access.workspace, rows)
    if not complete:
        messages.error(request, _("The file was not created: it would be incomplete. Add a word, or choose days."))
        return responses.redirect(request, f"{declared.url(slug)}?{current.export_query}")
    audit_log.record(
        actor(request),
        "launches.export",
        workspace=request.access.workspace,
        object_type="launch",
        format=kind,
        filters=current.filters_query,
    )
    content = tables.file(kind, declared.sorted(found, current.order), request.access, current.told)
    return export.send(content, export.name(declared, kind, current.told), kind)


def _filter_form(request: ConsoleRequest, rows: QuerySet[Launch]) -> FilterForm:
    """The filters of the request, with the choices of the person."""
    form = FilterForm(request.GET)
    if not request.access.allows(Role.BUILDER):
        del form.fields["person"]
    if request.access.guest:
        del form.fields["credential"]
    else:
        usable = credentials.visible(request.access)
        form.fields["credential"].choices = [("", _("Any")), *picker_labels(usable)]  # type: ignore[attr-defined]
    _set_choices(form, request.access, rows)
    if (index := indexes.for_access(request.access)) is not None and index.kept == Kept.VALUES:
        form.fields["search"].label = _("Flow, input, answer, or searchable value")
    return form


def _named(workspace: int, *user: int) -> QuerySet[Launch, tuple[Any, ...]]:
    rows = Launch.objects.filter(workspace=workspace).order_by("-asked_at", "-pk")
    rows = rows.filter(user=user[0]) if user else rows
    return rows.values_list("flow_id", "flow_name", "user_id", *_PERSON)[:OFFERED_FROM]


#: The flows and persons of the newest launches: in a workspace, and of a person.
_of_everybody, _of_person = Prepared(_named, int), Prepared(_named, int, int)


def _set_choices(form: FilterForm, access: Access, rows: QuerySet[Launch]) -> None:
    """Set the choices of the select fields from the newest launches and the requested values."""
    everybody, place = access.allows(Role.BUILDER), (access.workspace.pk, access.user.pk)
    newest = _of_everybody(access.workspace.pk) if everybody else _of_person(*place)
    flows = {flow: (name or flow)[:80] for flow, name, *_person in reversed(newest)}
    users = {pk: names for _flow, _name, pk, *names in newest}
    people = {
        str(pk): User(first_name=first, last_name=last, username=username).label[:80]
        for pk, (username, first, last) in users.items()
    }
    wanted = form.data.get("flow", "")
    if wanted and wanted not in flows:
        stored_name = rows.filter(flow_id=wanted).values_list("flow_name", flat=True).first()
        flows[wanted] = (stored_name or wanted)[:80]
    form.choices("flow", flows)
    if "person" in form.fields:
        wanted = form.data.get("person", "")
        # The name of a person none of whose launches is visible is not disclosed.
        row = rows.filter(user_id=wanted).first() if wanted.isdecimal() and len(wanted) < 10 else None
        if row is not None:
            people[wanted] = row.user.label[:80]
        form.choices("person", people)
