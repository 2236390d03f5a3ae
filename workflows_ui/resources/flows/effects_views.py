"""What a flow will do, and its recent results: part of its launch form. The form shows at once what is known without
requesting names; this second request does, and is a page of its own without JavaScript.
"""

import logging
from typing import Any

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from workflows_ui.core.crypto import CannotOpen
from workflows_ui.credentials.services import clients, engine_session
from workflows_ui.engine import EngineError, NotFound
from workflows_ui.launches import flow_facts
from workflows_ui.launches.flow_facts import Facts
from workflows_ui.members.services.access import Access
from workflows_ui.resources.flows import record as resource_record
from workflows_ui.resources.flows import story as resource_story
from workflows_ui.web import responses
from workflows_ui.web.access import launching
from workflows_ui.web.requests import ConsoleRequest

WILL_DO = "will-do"
_log = logging.getLogger(__name__)


@require_safe
@launching
def does(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """The sentences with all names. If the second request fails, the form keeps what it shows. Raises EngineError; as
    part of a page also NotFound.
    """
    try:
        session = engine_session.open_session(request.access)
        facts = flow_facts.load_facts(session.workflows, id)
        context = {
            "flow_id": id,
            "name": facts.name,
            "story": resource_story.build_story(facts.tree, resource_story.load_names(session, facts.tree)),
            "record": resource_record.load_record(request.access, id, session),
            "late": False,
        }
    except NotFound:
        raise
    except (EngineError, clients.NoCredential, CannotOpen) as problem:
        if not responses.is_fragment(request):
            raise
        _log.info("launch form without a second look: %r", problem)
        return responses.vary(HttpResponse(status=204))
    return responses.page(request, "launches/effects.html", context, fragments=(WILL_DO,))


def at_once(access: Access, id: str, facts: Facts | None) -> dict[str, Any]:
    """The part of the launch form that needs no further call: `story` (None if the flow could not be read), `record`,
    and `late`, whether a second request would show more.
    """
    if facts is None:
        return {"story": None, "record": resource_record.load_record(access, id), "late": False}
    quick = engine_session.open_session(access, quick=True)
    story = resource_story.build_story(facts.tree, resource_story.load_names(quick, facts.tree))
    record = resource_record.load_record(access, id, quick)
    return {"story": story, "record": record, "late": bool(quick.put_off)}
