"""Finding connections in the engine's list, which has no secrets, and their states in words (api.md section 10).

The engine's call for one connection answers with the decrypted secret (api.md 10.2): no page makes it.
"""

from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from workflows_ui.engine import NotFound
from workflows_ui.kit.caller import Caller
from workflows_ui.kit.resource import Row
from workflows_ui.kit.words import StateWord
from workflows_ui.resources import whole_lists

_CHUNKS = 20
STATES: dict[str, StateWord] = {
    "ACTIVE": StateWord(pgettext_lazy("connection", "Works"), "circle-check", "green", own="ACTIVE"),
    "ERROR": StateWord(pgettext_lazy("connection", "Fails"), "circle-xmark", "red", own="ERROR"),
    "MISSING": StateWord(pgettext_lazy("connection", "No secret"), "circle-question", "orange", own="MISSING"),
}


def state(row: Row) -> StateWord:
    """A connection's state in words; an unknown one is its own word, in grey."""
    found = row.get("status")
    name = found if isinstance(found, str) else ""
    return STATES.get(name) or StateWord(name[:60] or _("Not known"), "circle-question", "secondary")


def find(caller: Caller, id: str) -> dict[str, Any]:
    """A connection by its id, looked for in the list. Raises NotFound, and what the list raises."""
    cursor = ""
    for _number in range(_CHUNKS):
        rows, cursor = chunk(caller, cursor)
        for row in rows:
            if row.get("id") == id:
                return row
        if not cursor:
            break
    raise NotFound("The engine's list of connections does not hold this id.", code="ENTITY_NOT_FOUND")


def of_app(caller: Caller, piece: str) -> list[dict[str, Any]]:
    """The connections of a piece (at most a thousand), oldest first. Raises EngineError."""
    return chunk(caller, "", app=piece)[0]


def chunk(
    caller: Caller, cursor: str, *, name: str | None = None, app: str | None = None, status: str | None = None
) -> tuple[list[dict[str, Any]], str]:
    """At most a thousand connections from a cursor on, oldest first and each once, with the cursor of what follows ("" for none).

    Args:
        name: a part of the name.
        app: the whole name of a piece.
        status: ACTIVE, ERROR or MISSING.

    Raises EngineError.
    """
    page = caller.workflows.list_connections(
        limit=whole_lists.AT_ONCE, cursor=cursor or None, piece_name=app, display_name=name, status=status
    )
    # An engine that put secrets into its list would be wrong, and they would still not get any further.
    rows = [{key: row[key] for key in row if key != "value"} for row in whole_lists.rows_of(page)]
    return rows, whole_lists.following(page)
