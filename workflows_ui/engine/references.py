"""What the steps of a flow refer to: connections in expressions, tables and sub-flows in an input of their pieces, and the pieces.

Connections are named by external id (api.md 6.3), tables and sub-flows by id or external id (recordings
`conn_flow_get_after_replace`, `piece_install`). Pure functions over the engine's dictionaries, whose content is not trusted.
"""

import re
from collections.abc import Iterator
from typing import Any

from workflows_ui.engine import braces

#: The endings of the pieces whose steps name a table or another flow.
TABLES, SUBFLOWS = "/piece-tables", "/piece-subflows"
#: The inputs in which these pieces name it.
_NAMED_IN = {TABLES: ("table_id",), SUBFLOWS: ("flowId", "subflow")}
#: Parts of the settings that the engine resolves expressions in.
RESOLVED = ("input", "items", "branches")
#: A connection in an expression; `external_id` returns its external id.
CONNECTION = re.compile(r"""\bconnections(?:\.([A-Za-z_$][\w$-]*)|\[\s*(?:'([^']*)'|"([^"]*)")\s*\])""")


def external_id(match: re.Match[str]) -> str:
    """The external id of a match of CONNECTION."""
    return match[1] or match[2] or match[3] or ""


def piece_of(step: Any) -> str:
    """The whole name of the piece that a step uses, "" without one."""
    name = _settings(step).get("pieceName")
    return name if isinstance(name, str) else ""


def connections_of(step: Any) -> Iterator[str]:
    """The external ids that a step's expressions name."""
    settings = _settings(step)
    for key in RESOLVED:
        for text in texts_in(settings.get(key)):
            for start, end in braces.spans(text):
                for match in CONNECTION.finditer(text, start, end):
                    yield external_id(match)


def named_by(step: Any, ending: str) -> Iterator[tuple[str, str]]:
    """The inputs in which a step of such a piece names a table or flow, with the ids; expressions are left out."""
    values = _settings(step).get("input")
    if piece_of(step).endswith(ending) and isinstance(values, dict):
        for key in _NAMED_IN[ending]:
            value = values.get(key)
            if isinstance(value, str) and value and "{{" not in value:
                yield key, value


def _settings(step: Any) -> dict[str, Any]:
    settings = step.get("settings") if isinstance(step, dict) else None
    return settings if isinstance(settings, dict) else {}


def texts_in(value: Any) -> Iterator[str]:
    """Yield the texts inside a value, in reading order."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, list | dict):
            waiting.extend(reversed(list(item.values() if isinstance(item, dict) else item)))
