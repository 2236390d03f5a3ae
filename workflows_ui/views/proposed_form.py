"""The form of a flow for which no builder has made one: it follows from the flow's steps alone, and is the same when it comes back."""

import json
import logging

from django.core import signing

from workflows_ui.crypto import CannotOpen
from workflows_ui.engine import EngineError
from workflows_ui.forming import checking, schema_in, schema_out
from workflows_ui.forming.document import BadForm, Kind
from workflows_ui.kit import caller, flow_facts
from workflows_ui.kit.request import ConsoleRequest
from workflows_ui.services import clients, form_sources
from workflows_ui.views import launch_beside
from workflows_ui.views.launch_by_form import Sheet

_SALT = "workflows_ui.launch.shape"
_log = logging.getLogger(__name__)


def of(request: ConsoleRequest, id: str) -> Sheet | None:
    """The form that follows from what the flow's steps read; None where nothing follows, or where it would lose values that an earlier
    launch, or saved inputs, are to fill it with. Asks the engine about the flow; raises EngineError."""
    try:
        facts = flow_facts.ask(caller.of(request.access).workflows, id)
    except (clients.NoCredential, CannotOpen):
        return None
    try:
        form = form_sources.from_steps(facts.tree)
    except (BadForm, EngineError) as problem:
        _log.warning("no form follows from flow %s: %r", id, problem)
        return None
    if not form.fields or (len(form.fields) == 1 and form.fields[0].kind is Kind.JSON):
        return None
    start = launch_beside.start(request, id, form)
    if start.payload and checking.left_over(form, start.payload):
        return None
    document = json.dumps(schema_out.to_schema(form), separators=(",", ":"))
    return Sheet(form, shape=signing.dumps([id, document], salt=_SALT, compress=True), facts=facts)


def sent(id: str, shape: str) -> Sheet | None:
    """The form that was shown, as its page carried it; None where it carried none, or another flow's."""
    if not shape:
        return None
    try:
        found = signing.loads(shape, salt=_SALT)
    except signing.BadSignature:
        return None
    if not isinstance(found, list) or len(found) != 2 or found[0] != id:
        return None
    return Sheet(schema_in.trusted(json.loads(found[1])), shape=shape)
