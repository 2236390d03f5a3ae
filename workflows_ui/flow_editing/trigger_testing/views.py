"""The samples of a flow's trigger, and the wait for a new one: the page polls while a test listens for an event."""

import time

from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from workflows_ui.audit.requests import actor
from workflows_ui.audit.services import audit_log
from workflows_ui.credentials.services import engine_session
from workflows_ui.engine import EngineError
from workflows_ui.engine_objects.flows import ENABLED, Flow
from workflows_ui.flow_editing.trigger_testing import actions
from workflows_ui.flow_editing.trigger_testing.actions import PATIENCE, TEST
from workflows_ui.flows.reading import name_of, start_label
from workflows_ui.members.models import Role
from workflows_ui.resource_admin import action_log, recipes
from workflows_ui.resource_admin.places import flow_url
from workflows_ui.resource_admin.resource import Row
from workflows_ui.web import responses
from workflows_ui.web.access import member
from workflows_ui.web.requests import ConsoleRequest

#: Seconds between polls: at first, and after a minute.
_SOON, _LATER, _MINUTE = 2, 5, 60


@require_safe
@member(Role.VIEWER)
def page(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """The stored samples. With `waiting` (since when) and `seen` (the newest sample then) the page waits for another;
    `made` marks new ones.

    Two calls to the engine. Raises EngineError.
    """
    session = engine_session.open_session(request.access)
    flow = session.workflows.get_flow(id)
    rows = actions.samples(session, id)
    waited = _seconds_waited(request.GET.get("waiting", ""))
    came = []
    if waited is not None:
        keys = [str(row.get("id")) for row in rows]
        seen = request.GET.get("seen", "")
        came = keys[: keys.index(seen)] if seen in keys else keys
    waits = waited is not None and not came and waited < PATIENCE
    person_access = request.access
    context = {
        "flow_url": flow_url(slug, id),
        "list_url": flow_url(slug, id).removesuffix(f"{id}/"),
        "name": name_of(flow),
        "starts": start_label(flow),
        "samples": actions.in_words(rows, {*came, *request.GET.getlist("made")}),
        "shown": actions.SHOWN,
        "waits": waits,
        "came": bool(came),
        "given_up": waited is not None and not came and not waits,
        "seconds": (_SOON if (waited or 0) < _MINUTE else _LATER) if waits else 0,
        "hook": f"{recipes.base(person_access.workspace)}/v1/webhooks/{id}" if actions.waits_for_calls(flow) else "",
        "launch_url": _launch_url(slug, id, flow) if person_access.allows(Role.LAUNCHER) else "",
        "test_url": TEST.url(slug, "flows", id) if person_access.allows(TEST.role) and TEST.visible(flow) else "",
        "may": person_access.allows(Role.BUILDER),
        "slug": slug,
        "flow_id": id,
    }
    return responses.page(request, "flow_editing/trigger_test.html", context, fragments=("trigger-live",))


@require_POST
@member(Role.BUILDER)
def cancel(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """Make the engine stop listening; safe to repeat. Leaves an audit row. Raises EngineError."""
    session, workspace = engine_session.open_session(request.access), request.access.workspace
    event = audit_log.begin(
        actor(request),
        "flows.test-cancel",
        workspace=workspace,
        object_type="flows",
        object_id=id[:120],
        credential=session.credential_id,
    )
    try:
        actions.cancel(session, id)
    except EngineError as error:
        outcome, detail = action_log.outcome_of(error)
        audit_log.end(event, outcome, **detail)
        raise
    audit_log.end(event)
    messages.info(request, _("The engine no longer waits for events."))
    return responses.redirect(request, actions.page_url(slug, id))


def _launch_url(slug: str, id: str, flow: Row) -> str:
    """A page where the awaited event can be triggered."""
    if Flow(flow).status != ENABLED or not actions.waits_for_calls(flow):
        return ""
    return reverse("flow_launch", kwargs={"slug": slug, "id": id})


def _seconds_waited(since: str) -> float | None:
    """Seconds since the wait began; None if the URL does not say."""
    if not since.isascii() or not since.isdecimal() or len(since) > 12:
        return None
    return max(0.0, time.time() - int(since))
