"""Pages below a run: a single step, the related runs, and the run as a file; and the plots of runs."""

import json
from datetime import timedelta

from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.text import slugify
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from workflows_ui.audit.requests import actor
from workflows_ui.audit.services import audit_log
from workflows_ui.core.paths import dicts_at
from workflows_ui.credentials.services import engine_session
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import NotFound, run_tree
from workflows_ui.engine_objects.runs import Run
from workflows_ui.lists.listing import Listing, offer
from workflows_ui.members.models import Role
from workflows_ui.resource_admin import places
from workflows_ui.resource_admin.resource import RESOURCES, Row, find_resource, id_at
from workflows_ui.run_index.services import indexes
from workflows_ui.runs import comparison, indexed, masking, panels, previews, reading, steps as run_steps
from workflows_ui.runs.plots import RunPlots
from workflows_ui.web import responses
from workflows_ui.web.access import member
from workflows_ui.web.requests import ConsoleRequest

#: Iterations of a loop per page.
ROUNDS = 30
#: Maximum runs read when searching for children, and how long after the end of a run its children may still appear.
MOST, _AFTERWARDS = 500, timedelta(minutes=10)
#: A run is stored some time after it began; so are its children.
_BEFORE = timedelta(seconds=5)


@require_safe
@member(Role.VIEWER)
def step(request: ConsoleRequest, slug: str, id: str, position: str) -> HttpResponse:
    """One step in full; of a loop ROUNDS iterations, from number `?from=` on. Raises EngineError."""
    session = engine_session.open_session(request.access)
    run = _run(session, id)
    located = run_tree.step_at(run.get("steps"), position)
    if located is None:
        raise Http404
    name, given = located
    start = request.GET.get("from", "")
    first = max(1, int(start)) if start.isdecimal() and len(start) < 8 else 1
    view = run_steps.Reader(panels.known_steps(session, run), run=Run(run)).read_step(
        given, name, position, first, ROUNDS
    )
    last = first + len(view.iterations) - 1
    context = {
        "run_id": id,
        "run_name": reading.name_of(Run(run)),
        "step": view,
        "first": first,
        "last": last,
        "before": max(1, first - ROUNDS) if first > 1 else 0,
        "after": last + 1 if last < view.iterations_in_all and view.iterations else 0,
        "slug": slug,
        "repair_url": places.repair_url(request.access, id) if view.failed else "",
    }
    return responses.page(request, "runs/step_page.html", context)


@require_safe
@member(Role.VIEWER)
def preview(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """A run in short: a page, and what stands beside the list. One call at most, two where the flow's version was not read lately.

    Raises EngineError.
    """
    session = indexes.open_session(request.access)
    run = previews.load_run(session, id)
    context = previews.context(request.access, session, run) | {"list_url": places.list_url(slug, "runs"), "slug": slug}
    return responses.page(request, "runs/preview_page.html", context, fragments=("preview",))


@require_safe
@member(Role.VIEWER)
def family(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """The related runs: a page, and the part of the run's page that is loaded later. Raises EngineError."""
    session = engine_session.open_session(request.access)
    run = _run(session, id)
    parent = panels.parent_id(session, run)
    parents = _existing(session, parent)
    children, complete = _children(session, run)
    context = {
        "run_id": id,
        "run_name": reading.name_of(Run(run)),
        "parents": parents,
        # An id that the engine does not know.
        "parent_gone": "" if parents else parent,
        "children": children,
        "complete": complete,
        "most": MOST,
        "slug": slug,
    }
    return responses.page(request, "runs/family_page.html", context, fragments=("family",))


@require_safe
@member(Role.VIEWER)
def compared(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """What differs from the last good run, which the index names: a page, and the part of the run's page that is loaded later.

    Two calls of the engine at most. Raises EngineError.
    """
    session = engine_session.open_session(request.access)
    run, index = session.workflows.get_run(id), indexes.for_session(session)
    good = comparison.last_good_run(index, run) if index else None
    found = _existing(session, good.run_id if good else "")
    masked_run, *good_runs = masking.masked(session, [run, *found])
    context: dict[str, object] = {
        "run_id": id,
        "run_name": reading.name_of(Run(masked_run)),
        "slug": slug,
        "index": index,
        "good": good,
        "good_url": places.run_url(slug, good.run_id) if good else "",
    }
    for good_run in good_runs:
        known = {**panels.cached_steps(session, good_run), **panels.cached_steps(session, run)}
        usual = good.usual if good else None
        context["comparison"] = comparison.compare_runs(request.access, masked_run, good_run, known, usual)
    return responses.page(request, "runs/compared_page.html", context, fragments=("run-compared",))


def _existing(session: EngineSession, id: str) -> list[Row]:
    try:
        return [session.workflows.get_run(id)] if id else []
    except NotFound:
        return []


def _children(session: EngineSession, run: Row) -> tuple[list[Row], bool]:
    """The runs that this one started, and whether all runs of its time were read.

    The engine stores with a run which one started it (`parentRunId`), but has no filter for it (api.md 7.4): the runs
    of the time in which this one ran are read, and those that name it are selected.
    """
    sent = Run(run)
    began = min(filter(None, (sent.created, sent.start_time)), default=None)
    if began is None:
        return [], False
    until = max(began, sent.finish_time or sent.updated or began) + _AFTERWARDS
    page = session.workflows.list_runs(limit=MOST, created_after=began - _BEFORE, created_before=until)
    rows = dicts_at(page, "data")
    return [row for row in rows if id_at(row, "parentRunId") == id_at(run)], len(rows) < MOST


@never_cache
@require_safe
@member(Role.VIEWER)
def file(request: ConsoleRequest, slug: str, id: str) -> HttpResponseBase:
    """The whole run as JSON, secrets masked, for everyone who may see the run. Leaves an audit row."""
    session = engine_session.open_session(request.access)
    run = _run(session, id)
    audit_log.record(
        actor(request),
        "runs.export",
        workspace=request.access.workspace,
        object_type="runs",
        object_id=id[:120],
        credential=session.credential_id,
    )
    flow = slugify(reading.name_of(Run(run)), allow_unicode=True)[:80]
    value = {key: value for key, value in run.items() if key not in indexed.ADDED}
    text = json.dumps(value, ensure_ascii=False, indent=2).encode("utf-8", "replace")
    return responses.download(text, f"{flow or 'run'}-{slugify(id)[:30]}.json")


@require_safe
@member(Role.VIEWER)
def plots(request: ConsoleRequest, slug: str) -> HttpResponse:
    """The plots of the runs that the list's filters choose, from the index; lists and pages load their part of them after themselves."""
    access, kind = request.access, find_resource(request.access, "runs")
    index, current = indexes.readable(access.workspace, access.user.pk), Listing(kind, request.path, request.GET)
    drawn, notice = None, ""
    if index and current.valid:
        session = engine_session.open_session(access)
        rows, complete, _by_words = indexed.matching(session, index, current.query)
        drawn = RunPlots(index, slug, rows, current.query.filters)
        notice = indexed.notice(index, drawn.begin) if complete else str(indexed.MORE)
        if not responses.is_fragment(request):
            offer(current.form, kind.choices(session))
    list_url = places.list_url(slug, "runs")
    context = {
        "plots": drawn,
        "notice": notice,
        "index": index,
        "listing": current,
        "chips": current.chips(),
        "list_url": f"{list_url}?{current.filters_query}" if current.filters_query else list_url,
    }
    return responses.page(request, "runs/plots.html", context, fragments=("run-days", "run-plots"))


def _run(session: EngineSession, id: str) -> Row:
    return masking.masked(session, [RESOURCES["runs"].get(session, id)])[0]
