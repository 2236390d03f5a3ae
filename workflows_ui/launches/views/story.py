"""The story of a launch, step by step, to read, print and copy.

For a failed launch, with the differences from the last successful one and the people who can help; for one without a run, with causes in
the flow. Loaded by the launch's page once there is a run, and when the launch changes: that page itself never waits for the engine.
"""

import hashlib
import logging
from collections.abc import Mapping
from contextlib import suppress

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from workflows_ui.core.crypto import CannotOpen
from workflows_ui.credentials.services import clients, engine_session
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import EngineError
from workflows_ui.engine_objects.runs import Run
from workflows_ui.failures import services as failures
from workflows_ui.flows.owners import owner_of_flow
from workflows_ui.flows.reading import last_change
from workflows_ui.launches.models import Launch, State
from workflows_ui.launches.views.launches import find_page
from workflows_ui.lists.declaration import Row
from workflows_ui.members.models import Role
from workflows_ui.members.services.access import Access
from workflows_ui.pieces import missing_apps
from workflows_ui.run_index.services import indexes, rows as indexed_rows
from workflows_ui.runs import comparison, masking as run_masking, panels as run_panels, story as run_story
from workflows_ui.web import messages, responses
from workflows_ui.web.access import member
from workflows_ui.web.requests import ConsoleRequest

STORY = "launch-story"
_log = logging.getLogger(__name__)


@require_safe
@member(Role.VIEWER, guests=True)
def story(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """The story as far as known: if the engine does not answer, from the launch's row alone. While the launch runs, the browser asks
    again, and is answered with 204 if nothing is new."""
    page = find_page(request, id)
    row = page.launch
    failed = row.state == State.FAILED
    good = comparison.last_good(request.access, row) if failed else None
    run = good_run = missing = change = owner = trouble = raw = None
    steps: Mapping[str, object] = {}
    try:
        session = engine_session.open_session(request.access)
        if row.run_id:
            raw = session.workflows.get_run(row.run_id)
            run, good_run, steps = _load_runs(session, raw, good)
        if page.runless:
            missing = missing_apps.of_flow(session, row.flow_id)
        if failed and page.caretakers is not None:
            owner = owner_of_flow(session, row.flow_id)
            change = last_change(session, row.flow_id)
    except (EngineError, clients.NoCredential, CannotOpen) as problem:
        _log.info("launch story without the engine: %r", problem)
        trouble = messages.error_message(problem) if row.run_id else None
    lines = run_story.build_story(row, run, steps)
    seen = hashlib.sha256(repr(lines).encode()).hexdigest()[:16]
    if responses.is_fragment(request) and page.live and request.GET.get("seen") == seen:
        return responses.vary(HttpResponse(status=204))
    name = row.flow_name or row.flow_id
    compared = comparison.compare_launches(request.access, row, good, run, good_run, steps) if good else None
    context = {
        "launch": row,
        "page": page,
        "slug": slug,
        "lines": lines,
        "seen": seen,
        "story_text": run_story.text(_("Launch of %(name)s") % {"name": name[:600]}, lines),
        "trouble": trouble,
        "missing": missing_apps.no_run_words(missing) if missing else None,
        "comparison": compared,
        "helped": _known_failure(request.access, row, raw) if failed else None,
        "failed": failed,
        "caretakers": page.caretakers if failed else None,
        "owner": owner.name if owner else "",
        "change": change,
    }
    return responses.page(request, "launches/story.html", context, fragments=(STORY,))


def _known_failure(access: Access, launch: Launch, run: Row | None) -> dict[str, object] | None:
    """What is known about such failures, where the person may see the run index, which may not have this run yet."""
    index = indexes.for_access(access)
    if index is None:
        return None
    fingerprint = failures.fingerprint_of(index, launch.run_id)
    if not fingerprint and run is not None:
        with suppress(CannotOpen):
            fingerprint = indexed_rows.fingerprint(Run(run), index.open("word_key"))
    return run_panels.known_failure(access, index, fingerprint)


def _load_runs(session: EngineSession, raw: Row, good: Launch | None) -> tuple[Row, Row | None, Mapping[str, object]]:
    """The masked run, the successful launch's run, and the steps of both by name. Raises EngineError.

    Never cached: before masking, a run holds what was typed into secret fields.
    """
    run = run_masking.masked(session, [raw])[0]
    steps = run_panels.known_steps(session, run)
    if good is None or not good.run_id:
        return run, None, steps
    good_run = run_masking.masked(session, [session.workflows.get_run(good.run_id)])[0]
    return run, good_run, {**run_panels.known_steps(session, good_run), **steps}
