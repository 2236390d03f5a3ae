"""Loading of the sources for the choices of a field: tables and their columns, and apps' options for the flow's steps."""

import logging
from collections.abc import Mapping

from workflows_ui.core.collation import sort_key
from workflows_ui.core.paths import dict_at, pick, text_at
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import EngineError, flow_tree
from workflows_ui.engine_objects.flows import Step
from workflows_ui.flows import reading as flow_reading
from workflows_ui.launch_forms.editor.sources import Sources
from workflows_ui.pieces import apps
from workflows_ui.tables import reading

_log = logging.getLogger(__name__)
_MOST_OPTIONS = 300
#: Types of piece properties with options that are loaded from the app (api.md 11.5).
_LOADED_TYPES = frozenset({"DROPDOWN", "MULTI_SELECT_DROPDOWN"})


def load_sources(session: EngineSession, flow: Mapping[str, object], table: str) -> Sources:
    """Load tables, the columns of the table with this id ("" for none), and properties of apps. Refused calls give empty lists."""
    tables = {(key, name[:100]) for key, name in flow_reading.table_names(session).values()}
    columns: list[tuple[str, str]] = []
    try:
        rows = reading.fields(session, table, fresh=False) if table else []
        columns = [(reading.key_of(row), reading.label_of(row)[:100]) for row in rows]
    except EngineError as problem:
        _log.info("no columns for a form's choices: %r", problem)
    in_order = sorted(tables, key=lambda table: (sort_key(table[1]), table[0]))
    return Sources(in_order, columns, _options(session, pick(flow, "version.trigger")))


def _options(session: EngineSession, trigger: object) -> list[tuple[str, str]]:
    """(`step property`, label) of all properties of a flow's steps with options from their app."""
    result: list[tuple[str, str]] = []
    for node in flow_tree.walk(trigger):
        step = Step(node.step)
        settings, title = step.settings, (step.display_name or step.name)[:60]
        if not (settings.piece_name and settings.operation and step.name):
            continue
        kind = "actions" if settings.action_name else "triggers"
        found = dict_at(apps.piece_or_empty(session, settings.piece_name), kind).get(settings.operation)
        for prop, about in dict_at(found, "props").items():
            if text_at(about, "type") in _LOADED_TYPES:
                label = (text_at(about, "displayName") or str(prop))[:60]
                result.append((f"{step.name} {prop}", f"{title}: {label}"))
        if len(result) >= _MOST_OPTIONS:
            break
    return result
