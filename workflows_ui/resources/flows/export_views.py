"""A flow as a file to keep or to import elsewhere. Everyone who may see the flow may export it; only builders get its
secrets.
"""

from django.http import HttpResponse
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from workflows_ui.audit.services import audit_log
from workflows_ui.core import redaction
from workflows_ui.credentials.services import engine_session
from workflows_ui.members.models import Role
from workflows_ui.resources.flows import files
from workflows_ui.resources.flows.declaration import Flows
from workflows_ui.web.access import member
from workflows_ui.web.requests import ConsoleRequest, actor


@never_cache
@require_safe
@member(Role.VIEWER)
def export(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """The engine's own template of the published version, or of the draft if nothing is published. Leaves an audit row."""
    template = engine_session.open_session(request.access).workflows.get_flow_template(id)
    if not request.access.allows(Role.BUILDER):
        template = redaction.step(template, secrets=Flows.secrets)
    workspace = request.access.workspace
    audit_log.record(actor(request), "flows.export", workspace=workspace, object_type="flows", object_id=id[:120])
    headers = {"Content-Disposition": content_disposition_header(True, files.name(template)) or "attachment"}
    return HttpResponse(files.content(template), content_type="application/json; charset=utf-8", headers=headers)
