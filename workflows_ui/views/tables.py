"""What lies below a table: its records and columns with their actions, and the table as a file.

Records and columns are resources as others are, but of one table: they are made for the request, and handed to the generic views.
"""

from django.http import Http404, HttpResponse
from django.urls import path
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_safe

from workflows_ui.kit import action_views, caller, respond, views
from workflows_ui.kit.access import member
from workflows_ui.kit.listing import Listing
from workflows_ui.kit.request import ConsoleRequest, actor
from workflows_ui.models import Role
from workflows_ui.resources import table_fields, table_files, table_records
from workflows_ui.resources.table_parts import fits
from workflows_ui.services import audit


@require_safe
@member(Role.VIEWER)
def records(request: ConsoleRequest, slug: str, table: str) -> HttpResponse:
    """The list of records. Raises EngineError."""
    found = table_records.of(caller.of(request.access, quick=True), _known(table), fresh=False)
    return views.listing(request, slug, found.name, {found.name: found})


@require_safe
@member(Role.VIEWER)
def record(request: ConsoleRequest, slug: str, table: str, id: str) -> HttpResponse:
    """One record. Raises EngineError."""
    found = table_records.of(caller.of(request.access), _known(table), fresh=False)
    return views.detail(request, slug, found.name, id, {found.name: found})


@never_cache
@sensitive_post_parameters()
@member(Role.BUILDER)
def record_action(request: ConsoleRequest, slug: str, table: str, action: str, id: str = "") -> HttpResponse:
    """An action on a record, or one that makes a record. Raises EngineError."""
    found = table_records.of(caller.of(request.access), _known(table))
    return action_views.act(request, slug, found.name, action, {found.name: found}, id)


@never_cache
@sensitive_post_parameters()
@member(Role.BUILDER)
def field_action(request: ConsoleRequest, slug: str, table: str, action: str, id: str) -> HttpResponse:
    """An action on a column. Raises EngineError."""
    found = table_fields.of(caller.of(request.access), _known(table))
    return action_views.act(request, slug, found.name, action, {found.name: found}, id)


@never_cache
@require_safe
@member(Role.VIEWER)
def export(request: ConsoleRequest, slug: str, table: str, kind: str) -> HttpResponse:
    """The table as a file, or of its records those that fit the filters in the address. Leaves an audit row.

    Nothing is changed, so whoever may look may have it.
    """
    if kind not in table_files.TYPES:
        raise Http404
    asking = caller.of(request.access)
    conditions: list[dict[str, str]] = []
    filters = ""
    if request.GET:
        records = table_records.of(asking, _known(table), fresh=False)
        listing = Listing(records, records.url(slug), request.GET)
        filters = listing.filters_query
        if not listing.valid:
            return respond.redirect(request, f"{records.url(slug)}?{filters}")
        conditions = table_records.conditions(listing.query.filters)
    found = table_files.read(asking, _known(table), conditions)
    audit.record(
        actor(request),
        "tables.export",
        workspace=request.access.workspace,
        object_type="tables",
        object_id=table[:120],
        format=kind,
        rows=len(found["rows"]),
        filters=filters[:1000],
    )
    disposition = content_disposition_header(True, table_files.name(kind, found["name"])) or "attachment"
    return HttpResponse(
        table_files.content(kind, found),
        content_type=table_files.TYPES[kind],
        headers={"Content-Disposition": disposition},
    )


def _known(table: str) -> str:
    if not fits(table):
        raise Http404
    return table


_PLACE = "w/<slug:slug>/tables/<str:table>"
urlpatterns = [
    path(f"{_PLACE}/export/<slug:kind>/", export, name="table_export"),
    path(f"{_PLACE}/records/", records, name="table_records"),
    path(f"{_PLACE}/records/do/<slug:action>/", record_action, name="table_records_do"),
    path(f"{_PLACE}/records/<str:id>/", record, name="table_record"),
    path(f"{_PLACE}/records/<str:id>/do/<slug:action>/", record_action, name="table_record_do"),
    path(f"{_PLACE}/fields/<str:id>/do/<slug:action>/", field_action, name="table_field_do"),
]
