"""Pages below a run: a single step, the related runs, and the run as a file."""

import json

from django.http import Http404, HttpResponse
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from workflows_ui.audit.services import audit_log
from workflows_ui.credentials.services import engine_session
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.members.models import Role
from workflows_ui.resource_admin.resource import Row
from workflows_ui.resources.runs import family as resource_family
from workflows_ui.resources.runs import masking, panels, reading
from workflows_ui.resources.runs import steps as run_steps
from workflows_ui.web import responses
from workflows_ui.web.access import member
from workflows_ui.web.requests import ConsoleRequest, actor

#: Iterations of a loop per page.
ROUNDS = 30


@require_safe
@member(Role.VIEWER)
def step(request: ConsoleRequest, slug: str, id: str, place: str) -> HttpResponse:
    """One step in full; of a loop ROUNDS iterations, from number `?from=` on. Raises EngineError."""
    session = engine_session.open_session(request.access)
    run = _run(session, id)
    located = run_steps.find(run.get("steps"), place)
    if located is None:
        raise Http404
    name, given = located
    start = request.GET.get("from", "")
    first = max(1, int(start)) if start.isdecimal() and len(start) < 8 else 1
    view = run_steps.Reader(panels.known_steps(session, run), run=run).read_step(given, name, place, first, ROUNDS)
    last = first + len(view.iterations) - 1
    context = {
        "run_id": id,
        "run_name": reading.name_of(run),
        "step": view,
        "first": first,
        "last": last,
        "before": max(1, first - ROUNDS) if first > 1 else 0,
        "after": last + 1 if last < view.iterations_in_all and view.iterations else 0,
        "slug": slug,
    }
    return responses.page(request, "resources/runs/step_page.html", context)


@require_safe
@member(Role.VIEWER)
def family(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """The related runs: a page, and the part of the run's page that is loaded later. Raises EngineError."""
    session = engine_session.open_session(request.access)
    run = _run(session, id)
    related = resource_family.load_family(session, run)
    context = {
        "run_id": id,
        "run_name": reading.name_of(run),
        "parents": [related.parent] if related.parent else [],
        "parent_gone": related.parent_gone,
        "children": related.children,
        "complete": related.complete,
        "most": resource_family.MOST,
        "slug": slug,
    }
    return responses.page(request, "resources/runs/family_page.html", context, fragments=("family",))


@never_cache
@require_safe
@member(Role.VIEWER)
def file(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """The whole run as JSON, secrets masked, for everyone who may see the run. Leaves an audit row."""
    run = _run(engine_session.open_session(request.access), id)
    workspace = request.access.workspace
    audit_log.record(actor(request), "runs.export", workspace=workspace, object_type="runs", object_id=id[:120])
    name = content_disposition_header(True, panels.file_name(run, id)) or "attachment"
    text = json.dumps(run, ensure_ascii=False, indent=2)
    return HttpResponse(
        text.encode("utf-8", "replace"),
        content_type="application/json; charset=utf-8",
        headers={"Content-Disposition": name},
    )


def _run(session: EngineSession, id: str) -> Row:
    return masking.masked(session, [session.workflows.get_run(id)])[0]


PLACE = "w/<slug:slug>/runs/<path:id>"
