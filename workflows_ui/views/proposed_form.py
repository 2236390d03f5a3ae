"""The form of a flow for which no builder has made one: it follows from the steps and samples, and is the same when it comes back."""

import json
import logging
from typing import Any

from workflows_ui.crypto import CannotOpen
from workflows_ui.engine import EngineError
from workflows_ui.forming import checking, schema_in, schema_out
from workflows_ui.forming.document import BadForm, Form, Kind
from workflows_ui.kit import caller, carried, flow_facts
from workflows_ui.kit.request import ConsoleRequest
from workflows_ui.models import Workspace
from workflows_ui.services import clients, form_sources, launches
from workflows_ui.views import launch_beside
from workflows_ui.views.launch_by_form import Sheet

_SALT = "workflows_ui.launch.shape"
_log = logging.getLogger(__name__)


def of(request: ConsoleRequest, id: str) -> Sheet | None:
    """The form that follows from what the flow's steps read; one without fields where they read nothing.

    None where the flow takes any values, so that nothing follows, and where the form would lose values that an earlier launch, or saved
    inputs, are to fill it with. Asks the engine about the flow; raises EngineError.
    """
    place = request.access
    try:
        workflows = caller.of(place).workflows
        facts = flow_facts.ask(workflows, id)
    except (clients.NoCredential, CannotOpen):
        return None
    wanted = launch_beside.start(request, id, Form()).payload
    try:
        form = form_sources.for_launcher(
            workflows, id, facts.tree, wanted, lambda: launches.last_payload(place.user, place.workspace, id)
        )
    except (BadForm, EngineError, CannotOpen) as problem:
        _log.warning("no form follows from flow %s: %r", id, problem)
        return None
    if _says_nothing(form, facts.tree) or (wanted and checking.left_over(form, wanted)):
        return None
    document = json.dumps(schema_out.to_schema(form), separators=(",", ":"))
    return Sheet(form, shape=carried.sign(place.workspace, id, document, salt=_SALT), facts=facts)


def _says_nothing(form: Form, tree: Any) -> bool:
    """Whether the form is no better than a box for JSON: it is one, or the flow takes whatever it is given."""
    if not form.fields:
        return form_sources.reads_everything(tree)
    return len(form.fields) == 1 and form.fields[0].kind is Kind.JSON


def sent(workspace: Workspace, id: str, shape: str) -> Sheet | None:
    """The form that was shown, as its page carried it; None where it carried none, or another flow's or another workspace's."""
    document = carried.read(workspace, id, shape, salt=_SALT)
    return Sheet(schema_in.trusted(json.loads(document)), shape=shape) if document else None
