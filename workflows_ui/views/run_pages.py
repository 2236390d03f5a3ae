"""What lies below a run: one step of it alone, the runs it belongs together with, and the run as a file."""

import json

from django.http import Http404, HttpResponse
from django.urls import path
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from workflows_ui.kit import caller, redact, respond
from workflows_ui.kit.access import member
from workflows_ui.kit.caller import Caller
from workflows_ui.kit.request import ConsoleRequest, actor
from workflows_ui.kit.resource import Row, id_at
from workflows_ui.models import Role
from workflows_ui.resources import run_family, run_panels, run_reading, run_starters
from workflows_ui.resources import steps as run_steps
from workflows_ui.services import audit

#: Iterations of a loop on one page.
ROUNDS = 30


@require_safe
@member(Role.VIEWER)
def step(request: ConsoleRequest, slug: str, id: str, place: str) -> HttpResponse:
    """One step in full; of a loop ROUNDS iterations, from number `?from=` on. Raises EngineError."""
    asking = caller.of(request.access)
    run = _run(asking, id)
    found = run_steps.find(run.get("steps"), place)
    if found is None:
        raise Http404
    name, given = found
    asked = request.GET.get("from", "")
    first = max(1, int(asked)) if asked.isdecimal() and len(asked) < 8 else 1
    view = run_steps.Reader(run_panels.known_steps(asking, run)).one(given, name, place, first, ROUNDS)
    last = first + len(view.iterations) - 1
    context = {
        "run_id": id,
        "run_name": run_reading.name_of(run),
        "step": view,
        "first": first,
        "last": last,
        "before": max(1, first - ROUNDS) if first > 1 else 0,
        "after": last + 1 if last < view.iterations_in_all and view.iterations else 0,
        "slug": slug,
    }
    return respond.page(request, "runs/step_page.html", context)


@require_safe
@member(Role.VIEWER)
def family(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """The runs it belongs together with: a page, and the part of the run's page that is loaded later. Raises EngineError."""
    asking = caller.of(request.access)
    run = _run(asking, id)
    launch = run_starters.launches_of(request.access.workspace, [run]).get(id_at(run))
    found = run_family.of(asking, run, launch)
    context = {
        "run_id": id,
        "run_name": run_reading.name_of(run),
        "parents": [found.parent] if found.parent else [],
        "parent_gone": found.parent_gone,
        "children": found.children,
        "complete": found.complete,
        "most": run_family.MOST,
        "slug": slug,
    }
    return respond.page(request, "runs/family_page.html", context, fragments=("family",))


@never_cache
@require_safe
@member(Role.VIEWER)
def file(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """The whole run as JSON, secrets masked. Nothing is changed, so whoever may look may have it. Leaves an audit row."""
    run = _run(caller.of(request.access), id)
    workspace = request.access.workspace
    audit.record(actor(request), "runs.export", workspace=workspace, object_type="runs", object_id=id[:120])
    name = content_disposition_header(True, run_panels.file_name(run, id)) or "attachment"
    text = json.dumps(run, ensure_ascii=False, indent=2)
    return HttpResponse(
        text.encode("utf-8", "replace"),
        content_type="application/json; charset=utf-8",
        headers={"Content-Disposition": name},
    )


def _run(asking: Caller, id: str) -> Row:
    if not id.strip(" ./"):
        raise Http404
    run: Row = redact.step(asking.workflows.get_run(id))
    return run


_PLACE = "w/<slug:slug>/runs/<path:id>"
urlpatterns = [
    path(f"{_PLACE}/steps/<slug:place>/", step, name="run_step"),
    path(f"{_PLACE}/family/", family, name="run_family"),
    path(f"{_PLACE}/file/", file, name="run_file"),
]
