"""Pages of tests: of one step, and of the whole draft."""

import http.client
import time

from django.http import Http404, HttpResponse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from workflows_ui.core import readable
from workflows_ui.core.paths import dict_at, text_at
from workflows_ui.credentials.services import engine_session
from workflows_ui.engine import NotFound
from workflows_ui.engine_objects.runs import Run
from workflows_ui.flow_editing import actions as editing
from workflows_ui.flow_editing.testing.actions import DRAFT_TEST, STEP_TEST, find_answer
from workflows_ui.flows.reading import name_of
from workflows_ui.launches.failures import messages as failure_messages
from workflows_ui.launches.services import runs
from workflows_ui.members.models import Role
from workflows_ui.resource_admin.places import flow_url, step_url
from workflows_ui.resource_admin.resource import id_at
from workflows_ui.resources.flows.declaration import Flows
from workflows_ui.runs import masking, panels, reading
from workflows_ui.runs.steps import Reader
from workflows_ui.web import messages, responses
from workflows_ui.web.access import member
from workflows_ui.web.requests import ConsoleRequest

#: Digits of a time in seconds, and seconds after which a run that the engine does not have is not waited for.
_LONGEST_TIME, _APPEARS_WITHIN = 12, 60


@never_cache
@require_safe
@member(Role.BUILDER)
def step_test(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """The run that tests one step: it polls until the end, then shows input, output and error. Raises EngineError.

    `?since=` is when it began: for a moment the engine does not have the run (Runs.get_run).
    """
    session = engine_session.open_session(request.access)
    try:
        run = masking.masked(session, [session.workflows.get_run(id)])[0]
    except NotFound:
        if not _just_now(request.GET.get("since", "")):
            raise
        waiting = {
            "badge": messages.run_state("QUEUED"),
            "sentence": reading.sentence(Run({"status": "QUEUED"})),
            "seconds": 1,
            "here": f"{request.path}?{urlencode({'since': request.GET['since'], 'waiting': '1'})}",
        }
        return responses.page(request, "flow_editing/step_test.html", waiting, fragments=("step-test-live",))
    if "waiting" in request.GET:
        # The page has no name of the step yet.
        return responses.redirect(request, request.path)
    flow, name = id_at(run, "flowId"), text_at(run, "stepNameToTest")
    if not flow or not name:
        raise Http404
    known, done = panels.known_steps(session, run), dict_at(run, "steps")
    found = done.get(name)
    sent = Run(run)
    ended = runs.ended(sent)
    view = None
    if found is not None and ended:
        position = str(list(done).index(name))
        view = Reader(known, run=sent).read_step(found, name, position, 1, 30)
    seconds = reading.poll_seconds(sent)
    context = {
        "run_id": id,
        "flow_id": flow,
        "name": reading.name_of(sent) or flow,
        "title": text_at(known.get(name), "displayName") or name,
        "tab_url": f"{flow_url(slug, flow)}?tab=steps",
        "step_url": step_url(flow_url(slug, flow), name),
        "badge": messages.run_state(sent.status),
        "sentence": reading.sentence(sent, reading.length(sent)),
        "diagnosis": failure_messages.explain_failure(
            (view and view.error) or panels.failure_message(run), sent.status
        ),
        "step": view,
        "ended": ended,
        "seconds": seconds,
        "here": request.get_full_path(),
        "test_url": editing.url_of(STEP_TEST, slug, flow, step=name),
        "sample_url": (
            editing.url_of(editing.SAMPLE, slug, flow, step=name, run=id_at(run)) if view and not view.failed else ""
        ),
        "slug": slug,
    }
    return responses.page(request, "flow_editing/step_test.html", context, fragments=("step-test-live",))


@never_cache
@require_safe
@member(Role.BUILDER)
def draft_test(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """The answer of a draft that was tested, as `?test=` names it. Raises EngineError."""
    session = engine_session.open_session(request.access)
    flow = Flows().get(session, id)
    answer = find_answer(session, id, request.GET.get("test", ""))
    context = {
        "name": name_of(flow) or id,
        "tab_url": f"{flow_url(slug, id)}?tab=steps",
        "test_url": editing.url_of(DRAFT_TEST, slug, id) if DRAFT_TEST.visible(flow) else "",
        "answer": answer,
        "phrase": http.client.responses.get(answer["status"], "") if answer else "",
        "node": readable.readable_node(answer["body"]) if answer and answer["body"] is not None else None,
    }
    return responses.page(request, "flow_editing/draft_test.html", context)


def _just_now(since: str) -> bool:
    known = since.isascii() and since.isdecimal() and len(since) <= _LONGEST_TIME
    return known and 0 <= time.time() - int(since) < _APPEARS_WITHIN
