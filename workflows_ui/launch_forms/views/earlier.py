"""The latest launches of a flow with their inputs, for filling its form: loaded after the form; without JavaScript a page of its own."""

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from workflows_ui.credentials.services import engine_session
from workflows_ui.engine import EngineError
from workflows_ui.launch_forms.views.form_page import is_away
from workflows_ui.launches import flow_facts, inputs as launch_inputs
from workflows_ui.launches.services import launches
from workflows_ui.web import responses
from workflows_ui.web.access import launching
from workflows_ui.web.requests import ConsoleRequest

FRAGMENT = "earlier"
#: Number of launches offered.
MOST = 5


@launching
@require_safe
def earlier(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """The launches that the person may see and whose values are still stored. 404 for a flow of another project.

    Asks the engine, or its cached answer, only where there is no such launch. While it does not answer, the form says so: its part of
    the page stays empty.
    """
    visible = launches.visible_launches(request.access).filter(flow_id=id).exclude(payload="")
    rows = list(visible.defer("payload", "answer", "failure", "technical")[:MOST])
    if not rows:
        try:
            flow_facts.load_facts(engine_session.open_session(request.access).workflows, id)
        except EngineError as problem:
            if responses.requested_fragment(request) != FRAGMENT or not is_away(problem):
                raise
    lines = launch_inputs.summaries(rows)
    context = {
        "flow_id": id,
        "name": rows[0].flow_name if rows and rows[0].flow_name else id,
        "earlier": [(row, lines.get(row.pk, "")) for row in rows],
    }
    return responses.page(request, "launch_forms/earlier.html", context, fragments=(FRAGMENT,))
