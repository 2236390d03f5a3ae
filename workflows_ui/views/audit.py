"""The audit log: of one workspace for its managers, of the whole console for superusers. The list, one row, and the log as a file."""

from django.http import Http404, HttpResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from workflows_ui.forms.audit import FilterForm
from workflows_ui.kit import audit_difference, audit_file, audit_words, history, keyset, respond
from workflows_ui.kit import listing as listing_state
from workflows_ui.kit.access import member, superuser
from workflows_ui.kit.request import ConsoleRequest, actor
from workflows_ui.models import AuditEvent, Role, Workspace
from workflows_ui.services import audit, audit_reading

ROWS = 50
#: So many of the newest rows are searched for the persons that the filter offers.
OFFERED_FROM = 1000


@require_safe
@member(Role.MANAGER)
def listing(request: ConsoleRequest, slug: str) -> HttpResponse:
    """What was done in a workspace, newest first. Filters and place in the list are in the address."""
    return _listing(request, request.access.workspace)


@require_safe
@superuser
def everywhere(request: ConsoleRequest) -> HttpResponse:
    """What was done in the whole console."""
    return _listing(request, None)


@require_safe
@member(Role.MANAGER)
def row(request: ConsoleRequest, slug: str, row: int) -> HttpResponse:
    """One row with everything that was written down; for a write, its beginning and its end."""
    return _row(request, request.access.workspace, row)


@require_safe
@superuser
def row_everywhere(request: ConsoleRequest, row: int) -> HttpResponse:
    """The same, of any workspace or none."""
    return _row(request, None, row)


@never_cache
@require_safe
@member(Role.MANAGER)
def file(request: ConsoleRequest, slug: str, kind: str) -> HttpResponse | StreamingHttpResponse:
    """Everything that fits the filters, as a file. Leaves an audit row."""
    return _file(request, request.access.workspace, kind)


@never_cache
@require_safe
@superuser
def file_everywhere(request: ConsoleRequest, kind: str) -> HttpResponse | StreamingHttpResponse:
    """The same, of the whole console."""
    return _file(request, None, kind)


def _listing(request: ConsoleRequest, place: Workspace | None) -> HttpResponse:
    form = FilterForm(request.GET)
    everything = audit_reading.beginnings(audit_reading.rows(place))
    people = dict(
        everything.exclude(user=None).order_by("-at", "-pk").values_list("user_id", "user_name")[:OFFERED_FROM][::-1]
    )
    form.offer({str(pk): (name or str(pk))[:80] for pk, name in people.items()})
    found = keyset.Window[AuditEvent]([])
    if form.is_valid():
        found = keyset.window(form.narrow(everything), request.GET, moment="at", size=ROWS)
    asked = {name: request.GET.get(name, "") for name in form.fields}
    context = {
        **listing_state.of_ours(form, request.path, request.GET, found),
        "place": place,
        "lines": [history.shown(line, place.slug if place else None) for line in audit_reading.lines(found.rows)],
        "files": [(kind.upper(), f"{_file_url(place, kind)}?{_query(asked)}") for kind in audit_file.TYPES],
    }
    return respond.page(request, "audit/list.html", context, fragments=("results",))


def _row(request: ConsoleRequest, place: Workspace | None, pk: int) -> HttpResponse:
    found = get_object_or_404(audit_reading.rows(place), pk=pk)
    if found.begun_id is not None:
        begun = audit_reading.rows(place).filter(pk=found.begun_id).first()
        found = begun or found
    (line,) = audit_reading.lines([found])
    parts = [_part(found)] if line.end is None else [_part(found), _part(line.end)]
    list_url = reverse("audit", kwargs={"slug": place.slug}) if place else reverse("audit_everywhere")
    context = {
        "place": place,
        "line": line,
        "shown": history.shown(line, ""),
        "kind": audit_words.kind(found.object_type) if found.object_type else "",
        "changes": [change for part in parts for change in audit_difference.changes(part.detail)],
        "details": [(part, audit_difference.rest(part.detail)) for part in parts],
        "list_url": list_url,
        "person_url": f"{list_url}?person={found.user_id or 0}",
        "object_url": f"{list_url}?{_query({'kind': found.object_type, 'id': found.object_id})}",
        "request_url": f"{list_url}?{_query({'request': found.request_id})}",
    }
    return respond.page(request, "audit/row.html", context)


def _part(event: AuditEvent) -> AuditEvent:
    if not isinstance(event.detail, dict):
        event.detail = {"detail": event.detail}
    return event


def _file(request: ConsoleRequest, place: Workspace | None, kind: str) -> HttpResponse | StreamingHttpResponse:
    if kind not in audit_file.TYPES:
        raise Http404
    form = FilterForm(request.GET)
    if not form.is_valid():
        home = reverse("audit", kwargs={"slug": place.slug}) if place else reverse("audit_everywhere")
        return respond.redirect(request, f"{home}?{request.GET.urlencode()}")
    filters = {name: value for name in form.fields if (value := request.GET.get(name, ""))}
    audit.record(actor(request), "audit.export", workspace=place, object_type="audit", format=kind, filters=filters)
    rows = form.narrow(audit_reading.rows(place)).order_by("-at", "-pk")
    return StreamingHttpResponse(
        audit_file.content(kind, rows),
        content_type=audit_file.TYPES[kind],
        headers={"Content-Disposition": content_disposition_header(True, audit_file.name(kind)) or "attachment"},
    )


def _file_url(place: Workspace | None, kind: str) -> str:
    if place is None:
        return reverse("audit_file_everywhere", kwargs={"kind": kind})
    return reverse("audit_file", kwargs={"slug": place.slug, "kind": kind})


def _query(asked: dict[str, str], **place: str) -> str:
    query = QueryDict(mutable=True)
    query.update({name: value for name, value in {**asked, **place}.items() if value})
    return query.urlencode()


urlpatterns = [
    path("audit/", everywhere, name="audit_everywhere"),
    path("audit/<int:row>/", row_everywhere, name="audit_row_everywhere"),
    path("audit/file/<slug:kind>/", file_everywhere, name="audit_file_everywhere"),
    path("w/<slug:slug>/audit/", listing, name="audit"),
    path("w/<slug:slug>/audit/<int:row>/", row, name="audit_row"),
    path("w/<slug:slug>/audit/file/<slug:kind>/", file, name="audit_file"),
]
