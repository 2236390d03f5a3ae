"""The audit log: of one workspace for its managers, of the whole console for superusers. The list, single rows, and the export."""

import functools
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from workflows_ui.audit import messages as audit_messages, page as history, tables
from workflows_ui.audit.forms import FilterForm
from workflows_ui.audit.models import AuditEvent
from workflows_ui.audit.requests import actor
from workflows_ui.audit.services import audit_log
from workflows_ui.credentials.models import Credential
from workflows_ui.lists import export, file_formats, list_page
from workflows_ui.lists.declaration import Page
from workflows_ui.lists.file_formats import FORMATS, Cell
from workflows_ui.lists.listing import Listing
from workflows_ui.members.models import Role, Workspace
from workflows_ui.web import responses
from workflows_ui.web.access import member, superuser
from workflows_ui.web.requests import ConsoleRequest

#: Number of the newest rows that are searched for the choices of the person filter.
OFFERED_FROM = 1000
FILE_COLUMNS = ("at", "person", "what", *AuditEvent.EXPORTED, "workspace", "id", "ends_row", "number", "mark")


def _for_managers(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Call the view with the workspace, for its managers, or with None, the whole console, for superusers."""

    @member(Role.MANAGER)
    def in_workspace(request: ConsoleRequest, slug: str, **arguments: object) -> HttpResponseBase:
        return view(request, request.access.workspace, **arguments)

    @superuser
    def everywhere(request: ConsoleRequest, **arguments: object) -> HttpResponseBase:
        return view(request, None, **arguments)

    @functools.wraps(view)
    def guarded(request: ConsoleRequest, **arguments: object) -> HttpResponseBase:
        return (in_workspace if "slug" in arguments else everywhere)(request, **arguments)

    return guarded


@require_safe
@_for_managers
def listing(request: ConsoleRequest, workspace: Workspace | None) -> HttpResponse:
    """List the actions, newest first. Filters and position are in the query string."""
    form = FilterForm(request.GET)
    everything = history.beginnings(history.rows(workspace))
    _offer_people(form, everything)
    kind = tables.audit_list(workspace)
    current = list_page.requested(request, kind, form)
    page = kind.page(form.narrow(everything, workspace), current) if current.valid else Page((), total=0, sortable=True)
    return list_page.respond(request, current, page)


def _offer_people(form: FilterForm, rows: QuerySet[AuditEvent]) -> None:
    people = dict(
        rows.exclude(user=None).order_by("-at", "-pk").values_list("user_id", "user_name")[:OFFERED_FROM][::-1]
    )
    names = {str(pk): (name or str(pk))[:80] for pk, name in people.items()}
    form.choices("person", names, first={"0": _("The console")})


@require_safe
@_for_managers
def row(request: ConsoleRequest, workspace: Workspace | None, row: int) -> HttpResponse:
    """Show all recorded values of one row; for a write, its beginning and its end."""
    event = get_object_or_404(history.rows(workspace), pk=row)
    if event.begun_id is not None:
        event = history.rows(workspace).filter(pk=event.begun_id).first() or event
    (line,) = history.lines([event], "")
    if not history.opens(request.user, event):
        line["object_url"] = ""
    parts = [_part(part) for part in (event, line["end"]) if part is not None]
    # Of several parts, the end may name the object that the action created.
    subject = next((part for part in parts if part.subject_type), None)
    context = {
        "place": workspace,
        "line": line,
        "kind": audit_messages.kind(event.object_type) if event.object_type else "",
        "changes": [change for part in parts for change in history.changes(part.detail, part.action)],
        # A job is named by its action.
        "details": [
            history.remaining_details(part.detail, part.object_name if part.object_type == "job" else part.action)
            for part in parts
        ],
        "list_url": _url("audit", workspace),
        "subject": subject,
        "subject_kind": audit_messages.kind(subject.subject_type or "") if subject else "",
    }
    return responses.page(request, "audit/row.html", context)


def _part(event: AuditEvent) -> AuditEvent:
    """The row with its details as a mapping, and the credential that acted by its name."""
    if not isinstance(event.detail, dict):
        event.detail = {"detail": event.detail}
    try:
        key = UUID(str(event.detail.get("credential")))
    except ValueError:  # None acted, or the row has a name.
        return event
    credential = Credential.objects.filter(pk=key, workspace=event.workspace).select_related("owner").first()
    if credential is not None:
        event.detail = event.detail | {"credential": f"{credential.name} · {credential.owner.label}"}
    return event


@never_cache
@require_safe
@_for_managers
def file(request: ConsoleRequest, workspace: Workspace | None, kind: str) -> HttpResponseBase:
    """All rows that match the filters, with the ends of writes, as a file. Audited. Timestamps are in UTC, so that files from
    different years compare; labels are in the requester's language."""
    if kind not in FORMATS:
        raise Http404
    form = FilterForm(request.GET)
    if not form.is_valid():
        return responses.redirect(request, f"{_url('audit', workspace)}?{request.GET.urlencode()}")
    filters = {name: value for name in form.fields if (value := request.GET.get(name, ""))}
    audit_log.record(
        actor(request), "audit.export", workspace=workspace, object_type="audit", format=kind, filters=filters
    )
    rows = form.narrow(history.rows(workspace), workspace).order_by("-at", "-pk")
    _offer_people(form, history.beginnings(history.rows(workspace)))
    declared = tables.audit_list(workspace)
    told, title = Listing(declared, request.path, request.GET, form).told, str(declared.label_plural)
    content = export.stream(
        file_formats.writer(kind, title, export.facts(title, workspace.name if workspace else "", told)),
        rows,
        headings=lambda: FILE_COLUMNS,
        line=_record if kind == "json" else _cells,
    )
    return export.send(content, export.name(declared, kind, told), kind)


def _cells(row: AuditEvent) -> list[Cell]:
    return [None if value == {} else export.value_cell(value) for value in _record(row).values()]


def _record(row: AuditEvent) -> dict[str, Any]:
    special = {
        "at": f"{row.at:%Y-%m-%dT%H:%M:%S.%fZ}",
        "person": row.user_name,
        "what": str(audit_messages.action(row.action)),
        "workspace": row.workspace.slug if row.workspace else None,
        "id": row.pk,
        "ends_row": row.begun_id,
    }
    return {name: special[name] if name in special else getattr(row, name) for name in FILE_COLUMNS}


def _url(name: str, workspace: Workspace | None, *arguments: str) -> str:
    """The URL of a page of the audit log of a workspace, or of the whole console."""
    if workspace is None:
        return reverse(f"{name}_everywhere", args=arguments)
    return reverse(name, args=[workspace.slug, *arguments])
