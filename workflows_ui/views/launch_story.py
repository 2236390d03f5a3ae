"""A launch told as a story, to read, to print and to copy; beside a failed one what differs from the last good one, and who can help.

The launch's page asks for it once there is a run, and again when the launch changes: that page itself never waits for the engine.
"""

import logging
from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from workflows_ui.crypto import CannotOpen
from workflows_ui.engine import EngineError
from workflows_ui.kit import caller, redact, respond, words
from workflows_ui.kit.access import member
from workflows_ui.kit.caller import Caller
from workflows_ui.kit.launch_page import Page
from workflows_ui.kit.request import ConsoleRequest
from workflows_ui.kit.resource import Row
from workflows_ui.models import Launch, Role, State
from workflows_ui.resources import flow_people, launch_comparison, run_panels, run_story
from workflows_ui.services import caretakers, clients, launches

STORY = "launch-story"
_log = logging.getLogger(__name__)


@require_safe
@member(Role.VIEWER, guests=True)
def story(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """The story as far as it can be told: where the engine does not answer, from the launch's own row."""
    rows = launches.of_workspace(request.access).select_related("workspace", "credential__team")
    row = get_object_or_404(rows, pk=id)
    page = Page(row, request.access)
    failed = row.state == State.FAILED
    good = launch_comparison.last_good(request.access, row) if failed else None
    run, good_run, known, trouble = _asked(request, row, good)
    lines = run_story.of(row, run, known)
    name = row.flow_name or row.flow_id
    comparison = launch_comparison.of(request.access, row, good, run, good_run, known) if good else None
    context = {
        "launch": row,
        "page": page,
        "slug": slug,
        "lines": lines,
        "story_text": run_story.text(_("Launch of %(name)s") % {"name": name[:600]}, lines),
        "trouble": trouble,
        "comparison": comparison,
        "caretakers": caretakers.of(row.workspace, row.flow_id) if failed and page.insider else None,
        "change": _change(request, row) if failed and page.insider and trouble is None else None,
    }
    return respond.page(request, "launches/story.html", context, fragments=(STORY,))


def _asked(
    request: ConsoleRequest, row: Launch, good: Launch | None
) -> tuple[Row | None, Row | None, Mapping[str, Any], words.Words | None]:
    """The run, the good launch's run, the steps of both by name; and why that could not be asked for, where it could not."""
    if not row.run_id:
        return None, None, {}, None
    try:
        asker = caller.of(request.access)
        run = _run(asker, row.run_id)
        known = run_panels.known_steps(asker, run)
        if good is None or not good.run_id:
            return run, None, known, None
        good_run = _run(asker, good.run_id)
        return run, good_run, {**run_panels.known_steps(asker, good_run), **known}, None
    except (EngineError, clients.NoCredential, CannotOpen) as problem:
        _log.info("launch story without its run: %r", problem)
        return None, None, {}, words.of_error(problem)


def _change(request: ConsoleRequest, row: Launch) -> flow_people.Change | None:
    try:
        return flow_people.last_change(caller.of(request.access), row.flow_id)
    except (clients.NoCredential, CannotOpen):
        return None


def _run(asker: Caller, id: str) -> Row:
    found: Row = redact.step(asker.workflows.get_run(id))
    return found


urlpatterns = [path("w/<slug:slug>/launches/<str:id>/story/", story, name="launch_story")]
