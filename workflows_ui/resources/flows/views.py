"""Pages below a flow: the difference between two versions, the flow as a file, and what it will do."""

import json
import logging

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from workflows_ui.audit.requests import actor
from workflows_ui.audit.services import audit_log
from workflows_ui.core import redaction
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.core.paths import dict_at
from workflows_ui.credentials.services import clients, engine_session
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import EngineError, NotFound
from workflows_ui.engine_objects.flows import Flow
from workflows_ui.flow_editing.imports import files
from workflows_ui.flows import difference as flow_difference, secret_inputs, versions
from workflows_ui.flows.reading import name_of
from workflows_ui.launch_forms import messages as form_messages
from workflows_ui.launch_forms.services import launch_forms
from workflows_ui.launches import flow_facts
from workflows_ui.members.models import Role
from workflows_ui.resource_admin.resource import Row, id_at
from workflows_ui.resources.flows.effects import load_effects
from workflows_ui.web import responses
from workflows_ui.web.access import launching, member
from workflows_ui.web.requests import ConsoleRequest

WILL_DO = "will-do"
_log = logging.getLogger(__name__)


@require_safe
@member(Role.VIEWER)
def difference(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """Compare the versions `?old=` and `?new=`; by default the published and the newest, or the newest two."""
    session = engine_session.open_session(request.access)
    flow = session.workflows.get_flow(id)
    heads = _version_heads(session, flow, id)
    chosen = _version_pair(flow, list(heads), request.GET.get("old", ""), request.GET.get("new", ""))
    context = {
        "flow_id": id,
        "name": redaction.step(name_of(flow)) or id,
        "versions": [(key, versions.title(flow, row)) for key, row in heads.items()],
        "old": chosen[0] if chosen else "",
        "new": chosen[1] if chosen else "",
        "difference": chosen
        and flow_difference.of_versions(session, *(_version(session, flow, key) for key in chosen)),
    }
    return responses.page(request, "flows/difference.html", context)


def _version_heads(session: EngineSession, flow: Row, id: str) -> dict[str, Row]:
    """Heads of the versions by id, newest first; if the engine does not list them, the newest and the published one."""
    newest, published = dict_at(flow, "version"), id_at(flow, "publishedVersionId")
    heads: dict[str, Row] = {id_at(row): row for row in versions.list_versions(session, id) if id_at(row)}
    if id_at(newest):
        heads = {id_at(newest): heads.get(id_at(newest), newest)} | heads
    if published and published not in heads:
        heads[published] = {"id": published, "state": "LOCKED"}
    return heads


def _version_pair(flow: Row, known: list[str], old: str, new: str) -> tuple[str, str] | None:
    """The two versions to compare; None if there is only one."""
    if len(known) < 2:
        return None
    new = new if new in known else known[0]
    published = id_at(flow, "publishedVersionId")
    if old not in known:
        others = [key for key in known if key != new]
        old = published if published in others else others[0]
    return old, new


def _version(session: EngineSession, flow: Row, key: str) -> dict[str, object]:
    whole = flow if Flow(flow).version.id == key else session.workflows.get_flow(str(flow.get("id")), version_id=key)
    return dict_at(whole, "version")


@never_cache
@require_safe
@member(Role.VIEWER)
def export(request: ConsoleRequest, slug: str, id: str) -> HttpResponseBase:
    """A flow as a file to keep or to import elsewhere: the engine's own template of the published version, or of the
    draft if nothing is published. Leaves an audit row.

    Everyone who may see the flow may export it; only builders get its secrets.
    """
    session = engine_session.open_session(request.access)
    template: Row = session.workflows.get_flow_template(id)
    if not request.access.allows(Role.BUILDER):
        template = secret_inputs.masked(session, template)
    audit_log.record(
        actor(request),
        "flows.export",
        workspace=request.access.workspace,
        object_type="flows",
        object_id=id[:120],
        credential=session.credential_id,
    )
    return responses.download(json.dumps(template, indent=2, ensure_ascii=False), files.name(template))


@require_safe
@launching
def effects(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """What a flow will do, with all names, and its recent results: the second request of its launch form, and a page of
    its own without JavaScript. If the request fails, the form keeps what it shows.

    Raises EngineError; as part of a page only NotFound.
    """
    try:
        session = engine_session.open_session(request.access)
        facts = flow_facts.load_facts(session.workflows, id)
        context = load_effects(request.access, id, facts, session) | {"flow_id": id, "name": facts.name, "late": False}
        published = launch_forms.published(request.access.workspace, id)
        context["effects"] = form_messages.effects(published[1]) if published else []
    except NotFound:
        raise
    except (EngineError, clients.NoCredential, CannotOpen) as problem:
        if not responses.is_fragment(request):
            raise
        _log.info("launch form without a second look: %r", problem)
        return responses.vary(HttpResponse(status=204))
    return responses.page(request, "launches/effects.html", context, fragments=(WILL_DO,))
