"""Sources for the choices of a field: tables and their columns, and apps' options for the flow's steps."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workflows_ui.core.collation import sort_key
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import EngineError, flow_tree
from workflows_ui.resource_admin.resource import pick
from workflows_ui.resources.pieces import apps
from workflows_ui.resources.tables import reading

_log = logging.getLogger(__name__)
_MOST_TABLES, _MOST_OPTIONS = 200, 300
_TABLES_FOR = 60
#: Types of piece properties with options that are loaded from the app (api.md 11.5).
_LOADED_TYPES = frozenset({"DROPDOWN", "MULTI_SELECT_DROPDOWN"})


@dataclass(frozen=True)
class Sources:
    """The engine's sources of choices, as (value, label) for selects; empty if they could not be loaded."""

    tables: Sequence[tuple[str, str]] = ()
    #: Columns of the chosen table.
    columns: Sequence[tuple[str, str]] = ()
    #: Properties of the flow's steps with options from their app; the value is `step property`.
    options: Sequence[tuple[str, str]] = ()


def load_sources(session: EngineSession, flow: Mapping[str, Any], table: str) -> Sources:
    """Load tables, the columns of the table with this id ("" for none), and properties of apps. Refused calls give empty lists."""
    tables = _tables(session)
    return Sources(
        tables=tables,
        columns=_columns(session, table) if table else (),
        options=options(session, pick(flow, "version.trigger")),
    )


def _tables(session: EngineSession) -> list[tuple[str, str]]:
    def load() -> list[tuple[str, str]]:
        tables = session.workflows.list_tables(limit=_MOST_TABLES).get("data") or []
        rows = [row for row in tables if isinstance(row, dict) and reading.key_of(row)]
        named = [(reading.key_of(row), reading.name_of(row)[:100] or reading.key_of(row)) for row in rows]
        return sorted(named, key=lambda pair: sort_key(pair[1]))

    nothing: list[tuple[str, str]] = []
    return session.remember_or(nothing, "form-tables", _TABLES_FOR, load)


def _columns(session: EngineSession, table: str) -> list[tuple[str, str]]:
    try:
        rows = reading.fields(session, table, fresh=False)
    except EngineError as problem:
        _log.info("no columns for a form's choices: %r", problem)
        return []
    return [(reading.key_of(row), reading.name_of(row)[:100] or reading.key_of(row)) for row in rows]


def options(session: EngineSession, trigger: Any) -> list[tuple[str, str]]:
    """(`step property`, label) of all properties of a flow's steps with options from their app."""
    result: list[tuple[str, str]] = []
    for node in flow_tree.walk(trigger):
        settings = node.step.get("settings")
        name = pick(settings, "pieceName")
        action = pick(settings, "actionName") or pick(settings, "triggerName")
        if not (isinstance(name, str) and isinstance(action, str) and node.name):
            continue
        kind = "actions" if pick(settings, "actionName") else "triggers"
        for prop, label in _app_properties(session, name, kind, action):
            text = f"{str(node.step.get('displayName') or node.name)[:60]}: {label}"
            result.append((f"{node.name} {prop}", text))
        if len(result) >= _MOST_OPTIONS:
            break
    return result


def _app_properties(session: EngineSession, piece: str, kind: str, operation: str) -> list[tuple[str, str]]:
    try:
        row = apps.piece(session, piece)
    except EngineError as problem:
        _log.info("no fields of an app for a form's choices: %r", problem)
        return []
    operations = row.get(kind)
    props = pick(operations.get(operation), "props") if isinstance(operations, Mapping) else None
    listed = props.items() if isinstance(props, Mapping) else ()
    return [
        (str(name), str(prop.get("displayName") or name)[:60])
        for name, prop in listed
        if isinstance(prop, Mapping) and prop.get("type") in _LOADED_TYPES
    ]
