"""The audit log: of one workspace for its managers, of the whole console for superusers. The list, single rows, and the export."""

from django.http import Http404, HttpResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from workflows_ui.audit import difference as audit_difference
from workflows_ui.audit import file as audit_file
from workflows_ui.audit import history
from workflows_ui.audit import messages as audit_messages
from workflows_ui.audit import visibility as audit_visibility
from workflows_ui.audit.forms import FilterForm
from workflows_ui.audit.models import AuditEvent
from workflows_ui.audit.services import audit_log
from workflows_ui.members.models import Role, Workspace
from workflows_ui.resource_admin import listing as listing_state
from workflows_ui.web import keyset, responses
from workflows_ui.web.access import member, superuser
from workflows_ui.web.requests import ConsoleRequest, actor

ROWS = 50
#: Number of the newest rows that are searched for the choices of the person filter.
OFFERED_FROM = 1000


@require_safe
@member(Role.MANAGER)
def listing(request: ConsoleRequest, slug: str) -> HttpResponse:
    """List the actions in a workspace, newest first. Filters and position are in the query string."""
    return _listing(request, request.access.workspace)


@require_safe
@superuser
def everywhere(request: ConsoleRequest) -> HttpResponse:
    """List the actions in the whole console."""
    return _listing(request, None)


@require_safe
@member(Role.MANAGER)
def row(request: ConsoleRequest, slug: str, row: int) -> HttpResponse:
    """Show all recorded values of one row; for a write, its beginning and its end."""
    return _row(request, request.access.workspace, row)


@require_safe
@superuser
def row_everywhere(request: ConsoleRequest, row: int) -> HttpResponse:
    """Show one row of any workspace or none."""
    return _row(request, None, row)


@never_cache
@require_safe
@member(Role.MANAGER)
def file(request: ConsoleRequest, slug: str, kind: str) -> HttpResponse | StreamingHttpResponse:
    """Return all rows that match the filters, as a file. Audited."""
    return _file(request, request.access.workspace, kind)


@never_cache
@require_safe
@superuser
def file_everywhere(request: ConsoleRequest, kind: str) -> HttpResponse | StreamingHttpResponse:
    """Return the matching rows of the whole console, as a file. Audited."""
    return _file(request, None, kind)


def _listing(request: ConsoleRequest, workspace: Workspace | None) -> HttpResponse:
    form = FilterForm(request.GET)
    everything = audit_visibility.beginnings(audit_visibility.rows(workspace))
    people = dict(
        everything.exclude(user=None).order_by("-at", "-pk").values_list("user_id", "user_name")[:OFFERED_FROM][::-1]
    )
    form.offer({str(pk): (name or str(pk))[:80] for pk, name in people.items()})
    window = keyset.Window[AuditEvent]([])
    if form.is_valid():
        window = keyset.window(form.narrow(everything), request.GET, moment="at", size=ROWS)
    filters = {name: request.GET.get(name, "") for name in form.fields}
    context = {
        **listing_state.local_list_context(form, request.path, request.GET, window),
        "place": workspace,
        "lines": [
            history.history_line(line, workspace.slug if workspace else None)
            for line in audit_visibility.lines(window.rows)
        ],
        "files": [(kind.upper(), f"{_file_url(workspace, kind)}?{_query(filters)}") for kind in audit_file.TYPES],
    }
    return responses.page(request, "audit/list.html", context, fragments=("results",))


def _row(request: ConsoleRequest, workspace: Workspace | None, pk: int) -> HttpResponse:
    event = get_object_or_404(audit_visibility.rows(workspace), pk=pk)
    if event.begun_id is not None:
        begun = audit_visibility.rows(workspace).filter(pk=event.begun_id).first()
        event = begun or event
    (line,) = audit_visibility.lines([event])
    parts = [_part(event)] if line.end is None else [_part(event), _part(line.end)]
    list_url = reverse("audit", kwargs={"slug": workspace.slug}) if workspace else reverse("audit_everywhere")
    context = {
        "place": workspace,
        "line": line,
        "shown": history.history_line(line, ""),
        "kind": audit_messages.kind(event.object_type) if event.object_type else "",
        "changes": [change for part in parts for change in audit_difference.changes(part.detail, part.action)],
        "details": [(part, audit_difference.remaining_details(part.detail)) for part in parts],
        "list_url": list_url,
        "person_url": f"{list_url}?person={event.user_id or 0}",
        "object_url": f"{list_url}?{_query({'kind': event.object_type, 'id': event.object_id})}",
        "request_url": f"{list_url}?{_query({'request': event.request_id})}",
    }
    return responses.page(request, "audit/row.html", context)


def _part(event: AuditEvent) -> AuditEvent:
    if not isinstance(event.detail, dict):
        event.detail = {"detail": event.detail}
    return event


def _file(request: ConsoleRequest, workspace: Workspace | None, kind: str) -> HttpResponse | StreamingHttpResponse:
    if kind not in audit_file.TYPES:
        raise Http404
    form = FilterForm(request.GET)
    if not form.is_valid():
        list_url = reverse("audit", kwargs={"slug": workspace.slug}) if workspace else reverse("audit_everywhere")
        return responses.redirect(request, f"{list_url}?{request.GET.urlencode()}")
    filters = {name: value for name in form.fields if (value := request.GET.get(name, ""))}
    audit_log.record(
        actor(request), "audit.export", workspace=workspace, object_type="audit", format=kind, filters=filters
    )
    rows = form.narrow(audit_visibility.rows(workspace)).order_by("-at", "-pk")
    return StreamingHttpResponse(
        audit_file.content(kind, rows),
        content_type=audit_file.TYPES[kind],
        headers={"Content-Disposition": content_disposition_header(True, audit_file.name(kind)) or "attachment"},
    )


def _file_url(workspace: Workspace | None, kind: str) -> str:
    if workspace is None:
        return reverse("audit_file_everywhere", kwargs={"kind": kind})
    return reverse("audit_file", kwargs={"slug": workspace.slug, "kind": kind})


def _query(values: dict[str, str], **extra: str) -> str:
    query = QueryDict(mutable=True)
    query.update({name: value for name, value in {**values, **extra}.items() if value})
    return query.urlencode()
