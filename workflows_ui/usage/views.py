"""The page with everything that uses an object, where its own page shows the first ones only."""

from django.http import Http404, HttpResponse
from django.views.decorators.http import require_safe

from workflows_ui.core.paths import text_at
from workflows_ui.credentials.services import engine_session
from workflows_ui.members.models import Role
from workflows_ui.pieces import apps
from workflows_ui.resource_admin.resource import Row, find_resource
from workflows_ui.run_index.services import uses
from workflows_ui.run_index.services.object_rows import APPS, CONNECTIONS, FLOWS, TABLES
from workflows_ui.usage import usage
from workflows_ui.web import responses
from workflows_ui.web.access import member
from workflows_ui.web.requests import ConsoleRequest


@require_safe
@member(Role.VIEWER)
def used_by(request: ConsoleRequest, slug: str, subject: str, id: str) -> HttpResponse:
    """The flows and MCP servers that use an object, by the run index; what it does not know is on the object's own page."""
    kind = find_resource(request.access, subject)
    session = engine_session.open_session(request.access)
    if subject not in (APPS, CONNECTIONS, FLOWS, TABLES):
        raise Http404
    row: Row | None = None
    if uses.as_of(session) is not None:
        row = {"id": id, "name": apps.short(id)} if subject == APPS else uses.row_of(session, subject, id)
    if row is None:
        return responses.redirect(request, kind.url(slug, id))
    context = {
        "resource": kind,
        "title": kind.title(row) or text_at(row, "name") or id,
        "object_url": kind.url(slug, id),
        "list_url": kind.url(slug),
        "panel": usage.context(session, usage.find_users(session, subject, id, row), "", usage.MOST),
    }
    return responses.page(request, "usage/used_by_page.html", context)
