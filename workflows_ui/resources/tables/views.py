"""Pages below a table: its records and columns with their actions, and the table as a file.

Records and columns are resources, but of one table: they are created for the request, and passed to the generic views.
"""

from django.http import Http404, HttpResponse
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_safe

from workflows_ui.audit.services import audit_log
from workflows_ui.credentials.services import engine_session
from workflows_ui.members.models import Role
from workflows_ui.resource_admin.export import TYPES
from workflows_ui.resource_admin.listing import Listing
from workflows_ui.resource_admin.views import actions as action_views
from workflows_ui.resource_admin.views import resources as resource_views
from workflows_ui.resources.tables import fields, files
from workflows_ui.resources.tables import records as resource_records
from workflows_ui.web import responses
from workflows_ui.web.access import member
from workflows_ui.web.requests import ConsoleRequest, actor


@require_safe
@member(Role.VIEWER)
def records(request: ConsoleRequest, slug: str, table: str) -> HttpResponse:
    """The list of records. Raises EngineError."""
    resource = resource_records.load_records(
        engine_session.open_session(request.access, quick=True), table, fresh=False
    )
    return resource_views.listing(request, slug, resource.name, {resource.name: resource})


@require_safe
@member(Role.VIEWER)
def record(request: ConsoleRequest, slug: str, table: str, id: str) -> HttpResponse:
    """One record. Raises EngineError."""
    resource = resource_records.load_records(engine_session.open_session(request.access), table, fresh=False)
    return resource_views.detail(request, slug, resource.name, id, {resource.name: resource})


@never_cache
@sensitive_post_parameters()
@member(Role.BUILDER)
def record_action(request: ConsoleRequest, slug: str, table: str, action: str, id: str = "") -> HttpResponse:
    """An action on a record, or one that creates a record. Raises EngineError."""
    resource = resource_records.load_records(engine_session.open_session(request.access), table)
    return action_views.act(request, slug, resource.name, action, id, {resource.name: resource})


@never_cache
@sensitive_post_parameters()
@member(Role.BUILDER)
def field_action(request: ConsoleRequest, slug: str, table: str, action: str, id: str) -> HttpResponse:
    """An action on a column. Raises EngineError."""
    resource = fields.load_fields(engine_session.open_session(request.access), table)
    return action_views.act(request, slug, resource.name, action, id, {resource.name: resource})


@never_cache
@require_safe
@member(Role.VIEWER)
def export(request: ConsoleRequest, slug: str, table: str, kind: str) -> HttpResponse:
    """The table as a file, or its records that match the filters in the URL, for everyone who may see the table. Leaves an audit row."""
    if kind not in TYPES:
        raise Http404
    session = engine_session.open_session(request.access)
    conditions: list[dict[str, str]] = []
    filters = ""
    if request.GET:
        records = resource_records.load_records(session, table, fresh=False)
        listing = Listing(records, records.url(slug), request.GET)
        filters = listing.filters_query
        if not listing.valid:
            return responses.redirect(request, f"{records.url(slug)}?{filters}")
        conditions = resource_records.conditions(listing.query.filters)
    table_data = files.read(session, table, conditions)
    audit_log.record(
        actor(request),
        "tables.export",
        workspace=request.access.workspace,
        object_type="tables",
        object_id=table[:120],
        format=kind,
        rows=len(table_data["rows"]),
        filters=filters[:1000],
    )
    disposition = content_disposition_header(True, files.name(kind, table_data["name"])) or "attachment"
    return HttpResponse(
        files.content(kind, table_data),
        content_type=TYPES[kind],
        headers={"Content-Disposition": disposition},
    )
