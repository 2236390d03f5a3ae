"""What the choices of a launch form's field can come from: tables and their columns, and what apps offer for the flow's steps."""

import logging
from collections.abc import Mapping
from typing import Any

from workflows_ui.engine import EngineError, flow_tree
from workflows_ui.forms.field_editor import Sources
from workflows_ui.kit.caller import Caller
from workflows_ui.kit.resource import pick
from workflows_ui.resources import apps, table_reading

_log = logging.getLogger(__name__)
_MOST_TABLES, _MOST_OPTIONS = 200, 300
_TABLES_FOR = 60
#: Kinds of piece fields whose choices the app gives when it is asked (api.md 11.5).
_ASKED = frozenset({"DROPDOWN", "MULTI_SELECT_DROPDOWN"})


def of(caller: Caller, flow: Mapping[str, Any], table: str) -> Sources:
    """Tables, the columns of the table with this id ("" for none), and the fields of apps. What the engine refuses is left empty."""
    tables = _tables(caller)
    return Sources(
        tables=tables,
        columns=_columns(caller, table, listed=table in dict(tables)) if table else (),
        options=options(caller, pick(flow, "version.trigger")),
    )


def _tables(caller: Caller) -> list[tuple[str, str]]:
    def ask() -> list[tuple[str, str]]:
        found = caller.workflows.list_tables(limit=_MOST_TABLES).get("data") or []
        rows = [row for row in found if isinstance(row, dict) and table_reading.key_of(row)]
        named = [
            (table_reading.key_of(row), table_reading.name_of(row)[:100] or table_reading.key_of(row)) for row in rows
        ]
        return sorted(named, key=lambda pair: pair[1].lower())

    nothing: list[tuple[str, str]] = []
    return caller.remember_or(nothing, "form-tables", _TABLES_FOR, ask)


def _columns(caller: Caller, table: str, *, listed: bool) -> list[tuple[str, str]]:
    try:
        if not listed:
            # One of many, or of another project, whose columns are nobody's business here.
            caller.workflows.get_table(table)
        rows = table_reading.fields(caller, table, fresh=False)
    except EngineError as problem:
        _log.info("no columns for a form's choices: %r", problem)
        return []
    return [(table_reading.key_of(row), table_reading.name_of(row)[:100] or table_reading.key_of(row)) for row in rows]


def options(caller: Caller, trigger: Any) -> list[tuple[str, str]]:
    """(`step property`, words) of every field of a flow's steps whose choices its app gives."""
    found: list[tuple[str, str]] = []
    for node in flow_tree.walk(trigger):
        settings = node.step.get("settings")
        name = pick(settings, "pieceName")
        action = pick(settings, "actionName") or pick(settings, "triggerName")
        if not (isinstance(name, str) and isinstance(action, str) and node.name):
            continue
        kind = "actions" if pick(settings, "actionName") else "triggers"
        for prop, label in _asked(caller, name, kind, action):
            words = f"{str(node.step.get('displayName') or node.name)[:60]}: {label}"
            found.append((f"{node.name} {prop}", words))
        if len(found) >= _MOST_OPTIONS:
            break
    return found


def _asked(caller: Caller, piece: str, kind: str, operation: str) -> list[tuple[str, str]]:
    try:
        row = apps.piece(caller, piece)
    except EngineError as problem:
        _log.info("no fields of an app for a form's choices: %r", problem)
        return []
    operations = row.get(kind)
    props = pick(operations.get(operation), "props") if isinstance(operations, Mapping) else None
    listed = props.items() if isinstance(props, Mapping) else ()
    return [
        (str(name), str(prop.get("displayName") or name)[:60])
        for name, prop in listed
        if isinstance(prop, Mapping) and prop.get("type") in _ASKED
    ]
