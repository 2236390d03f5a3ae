"""A flow as a file to keep or to import elsewhere. Nothing is changed, so whoever may look may have it."""

from django.http import Http404, HttpResponse
from django.urls import path
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from workflows_ui.kit import caller
from workflows_ui.kit.access import member
from workflows_ui.kit.request import ConsoleRequest, actor
from workflows_ui.models import Role
from workflows_ui.resources import flow_files
from workflows_ui.services import audit


@never_cache
@require_safe
@member(Role.VIEWER)
def export(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """The engine's own template of the published version, or of the draft where nothing is published. Leaves an audit row."""
    if not id.strip(" ."):
        raise Http404
    template = caller.of(request.access).workflows.get_flow_template(id)
    called = str(template.get("name") or "")
    workspace = request.access.workspace
    audit.record(actor(request), "flows.export", workspace=workspace, object_type="flows", object_id=id[:120])
    headers = {"Content-Disposition": content_disposition_header(True, flow_files.name(called)) or "attachment"}
    return HttpResponse(flow_files.content(template), content_type="application/json; charset=utf-8", headers=headers)


urlpatterns = [path("w/<slug:slug>/flows/<str:id>/export/", export, name="flow_export")]
