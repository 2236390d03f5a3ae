"""What a flow will do, and how it has done lately: part of its launch form. The form shows it at once as far as it is known without
asking for names; this is the second look, which asks, and a page of its own without JavaScript."""

import logging
from typing import Any

from django.http import HttpResponse
from django.urls import path
from django.views.decorators.http import require_safe

from workflows_ui.crypto import CannotOpen
from workflows_ui.engine import EngineError, NotFound
from workflows_ui.kit import caller, flow_facts, respond
from workflows_ui.kit.access import launching
from workflows_ui.kit.flow_facts import Facts
from workflows_ui.kit.request import ConsoleRequest
from workflows_ui.resources import flow_record, flow_story
from workflows_ui.services import clients
from workflows_ui.services.access import Access

WILL_DO = "will-do"
_log = logging.getLogger(__name__)


@require_safe
@launching
def does(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """The sentences with every name in them. A second look that fails leaves what the form shows already. Raises EngineError; also as a
    part of a page, NotFound."""
    try:
        asker = caller.of(request.access)
        facts = flow_facts.ask(asker.workflows, id)
        context = {
            "flow_id": id,
            "name": facts.name,
            "story": flow_story.of(facts.tree, flow_story.known(asker, facts.tree)),
            "record": flow_record.of(request.access, id, asker),
            "late": False,
        }
    except NotFound:
        raise
    except (EngineError, clients.NoCredential, CannotOpen) as problem:
        if not respond.is_fragment(request):
            raise
        _log.info("launch form without a second look: %r", problem)
        return respond.vary(HttpResponse(status=204))
    return respond.page(request, "launches/does.html", context, fragments=(WILL_DO,))


def at_once(place: Access, id: str, facts: Facts | None) -> dict[str, Any]:
    """What the launch form shows of it without another call: `story` (None where the flow could not be read), `record`, and `late`,
    whether a second look would tell more."""
    if facts is None:
        return {"story": None, "record": flow_record.of(place, id), "late": False}
    quick = caller.of(place, quick=True)
    story = flow_story.of(facts.tree, flow_story.known(quick, facts.tree))
    record = flow_record.of(place, id, quick)
    return {"story": story, "record": record, "late": bool(quick.put_off)}


urlpatterns = [path("w/<slug:slug>/flows/<str:id>/does/", does, name="flow_does")]
