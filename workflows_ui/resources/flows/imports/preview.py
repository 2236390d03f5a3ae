"""The content of a file, for templates/resources/flows/import_preview.html: the flows with their steps, the apps in their versions."""

from typing import Any

from workflows_ui.core import redaction
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import flow_tree
from workflows_ui.resources.flows import outline, outline_rows, reading, secret_inputs
from workflows_ui.resources.flows.imports import files
from workflows_ui.resources.flows.imports.files import Request
from workflows_ui.resources.flows.imports.matching import Matching

#: Flows whose steps are shown; of the others their names.
_OUTLINES = 5


def read(session: EngineSession, flows: list[Request], matching: Matching) -> dict[str, Any]:
    """`flows` with `name`, `start`, the number of `steps`, `note_count` and the `rows` of their outline, secrets masked; all `apps`, and
    those that the engine has in the same version as `fits`.
    """
    return {
        "flows": [_flow(session, flow, shown=number < _OUTLINES) for number, flow in enumerate(flows)],
        "apps": matching.apps,
        "fits": [app for app in matching.apps if not app.missing and not app.replaced],
    }


def _flow(session: EngineSession, flow: Request, *, shown: bool) -> dict[str, Any]:
    masked = secret_inputs.masked(session, flow) if shown else redaction.step(flow, secrets=reading.SECRETS)
    trigger = masked["trigger"]
    items = []
    if shown:
        names = outline.names_of(trigger, reading.connection_names(session), session.workspace.slug)
        items = outline.items(trigger, names, outline.labels(session, trigger))
    return {
        "name": files.shown_name(flow),
        "start": reading.start_label({"version": {"trigger": trigger}}),
        "steps": sum(1 for _node in flow_tree.walk(trigger)) - 1,
        "note_count": len(flow["notes"]),
        "rows": list(outline_rows.rows(items)),
    }
