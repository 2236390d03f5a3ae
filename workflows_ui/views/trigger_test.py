"""The samples of a flow's trigger, and the waiting for one: the page follows a test that listens until something comes."""

import time

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from workflows_ui.engine import EngineError
from workflows_ui.kit import action_log, caller, recipe, respond
from workflows_ui.kit.access import member
from workflows_ui.kit.request import ConsoleRequest, actor
from workflows_ui.kit.resource import Row
from workflows_ui.models import Role
from workflows_ui.resources import flow_start, trigger_tests
from workflows_ui.resources.flow_reading import name_of
from workflows_ui.resources.places import flow_url
from workflows_ui.resources.trigger_tests import PATIENCE, TEST
from workflows_ui.services import audit

#: Seconds between looks: at first, and once a minute has passed.
_SOON, _LATER, _MINUTE = 2, 5, 60


@require_safe
@member(Role.VIEWER)
def page(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """The stored samples. `waiting` (since when) and `seen` (the newest sample then) make it wait for another; `made` marks new ones.

    Two calls to the engine. Raises EngineError.
    """
    asking = caller.of(request.access)
    flow = asking.workflows.get_flow(_known(id))
    rows = trigger_tests.samples(asking, id)
    waited = _waited(request.GET.get("waiting", ""))
    came = []
    if waited is not None:
        keys = [str(row.get("id")) for row in rows]
        seen = request.GET.get("seen", "")
        came = keys[: keys.index(seen)] if seen in keys else keys
    waits = waited is not None and not came and waited < PATIENCE
    place = request.access
    context = {
        "flow_url": flow_url(slug, id),
        "list_url": flow_url(slug, id).removesuffix(f"{id}/"),
        "name": name_of(flow),
        "starts": flow_start.words(flow),
        "samples": trigger_tests.in_words(rows, {*came, *request.GET.getlist("made")}),
        "shown": trigger_tests.SHOWN,
        "waits": waits,
        "came": bool(came),
        "given_up": waited is not None and not came and not waits,
        "seconds": (_SOON if (waited or 0) < _MINUTE else _LATER) if waits else 0,
        "hook": f"{recipe.base(place.workspace)}/v1/webhooks/{id}" if trigger_tests.waits_for_calls(flow) else "",
        "launch_url": _launch_url(slug, id, flow) if place.allows(Role.LAUNCHER) else "",
        "test_url": TEST.url(slug, "flows", id) if place.allows(TEST.role) and TEST.offered(flow) else "",
        "may": place.allows(Role.BUILDER),
        "slug": slug,
        "flow_id": id,
    }
    return respond.page(request, "flows/trigger_test.html", context, fragments=("trigger-live",))


@require_POST
@member(Role.BUILDER)
def cancel(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """Tells the engine to listen no longer; safe to repeat. Leaves an audit row. Raises EngineError."""
    asking, flow, workspace = caller.of(request.access), _known(id), request.access.workspace
    begun = audit.begin(
        actor(request), "flows.test-cancel", workspace=workspace, object_type="flows", object_id=id[:120]
    )
    try:
        trigger_tests.cancel(asking, flow)
    except EngineError as error:
        outcome, detail = action_log.outcome_of(error)
        audit.end(begun, outcome, **detail)
        raise
    audit.end(begun)
    messages.info(request, _("The engine no longer listens."))
    return respond.redirect(request, trigger_tests.page_url(slug, id))


def _launch_url(slug: str, id: str, flow: Row) -> str:
    """Where somebody can make the event that is waited for."""
    if flow.get("status") != "ENABLED" or not trigger_tests.waits_for_calls(flow):
        return ""
    return reverse("flow_launch", kwargs={"slug": slug, "id": id})


def _waited(since: str) -> float | None:
    """Seconds since the waiting began; None where the address says nothing of the kind."""
    if not since.isascii() or not since.isdecimal() or len(since) > 12:
        return None
    return max(0.0, time.time() - int(since))


def _known(id: str) -> str:
    if not id.strip(" ."):
        raise Http404
    return id


_PLACE = "w/<slug:slug>/flows/<str:id>/trigger"
urlpatterns = [
    path(f"{_PLACE}/", page, name="flow_trigger_test"),
    path(f"{_PLACE}/cancel/", cancel, name="flow_trigger_cancel"),
]
