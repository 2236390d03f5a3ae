"""Lookup of connections in the engine's list, which has no secrets, and their states (api.md section 10).

The engine's call for one connection answers with the decrypted secret (api.md 10.2): no page makes it.
"""

from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from workflows_ui.core.states import Badge
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import NotFound
from workflows_ui.resource_admin.resource import Row
from workflows_ui.resources import whole_lists
from workflows_ui.web.paths import text_at

_CHUNKS = 20
STATES: dict[str, Badge] = {
    "ACTIVE": Badge(pgettext_lazy("connection", "Works"), "circle-check", "green", own="ACTIVE"),
    "ERROR": Badge(pgettext_lazy("connection", "Fails"), "circle-xmark", "red", own="ERROR"),
    "MISSING": Badge(pgettext_lazy("connection", "No secret"), "circle-question", "orange", own="MISSING"),
}


def state(row: Row) -> Badge:
    """A connection's state; an unknown one is shown as the engine names it, in grey."""
    name = text_at(row, "status")
    return STATES.get(name) or Badge(name[:60] or _("Not known"), "circle-question", "secondary")


def find(session: EngineSession, id: str) -> dict[str, Any]:
    """A connection by its id, looked up in the list. Raises NotFound, and the errors of the list."""
    cursor = ""
    for _number in range(_CHUNKS):
        rows, cursor = chunk(session, cursor)
        for row in rows:
            if row.get("id") == id:
                return row
        if not cursor:
            break
    raise NotFound("The engine's list of connections does not hold this id.", code="ENTITY_NOT_FOUND")


def connections_of_app(session: EngineSession, piece: str) -> list[dict[str, Any]]:
    """The connections of a piece (at most a thousand), oldest first. Raises EngineError."""
    return chunk(session, "", app=piece)[0]


def chunk(
    session: EngineSession, cursor: str, *, name: str | None = None, app: str | None = None, status: str | None = None
) -> tuple[list[dict[str, Any]], str]:
    """At most a thousand connections from a cursor on, oldest first and without duplicates, with the next cursor (""
    for none).

    Args:
        name: a part of the name.
        app: the whole name of a piece.
        status: ACTIVE, ERROR or MISSING.

    Raises EngineError.
    """
    page = session.workflows.list_connections(
        limit=whole_lists.AT_ONCE, cursor=cursor or None, piece_name=app, display_name=name, status=status
    )
    # Drop secrets in case a faulty engine puts them into its list.
    rows = [{key: row[key] for key in row if key != "value"} for row in whole_lists.rows_of(page)]
    return rows, whole_lists.following(page)
