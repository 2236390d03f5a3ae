"""Lookup of connections in the engine's list, which has no secrets, and their states (api.md section 10).

The engine's call for one connection answers with the decrypted secret (api.md 10.2): no page makes it.
"""

from typing import Any

from django.utils.translation import pgettext_lazy

from workflows_ui.core.states import Badge
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import NotFound
from workflows_ui.resource_admin.resource import Row
from workflows_ui.resources import whole_lists
from workflows_ui.web.messages import engine_badge
from workflows_ui.web.paths import text_at

_CHUNKS = 20
STATES: dict[str, Badge] = {
    "ACTIVE": Badge(pgettext_lazy("connection", "Works"), "circle-check", "green"),
    "ERROR": Badge(pgettext_lazy("connection", "Fails"), "circle-x", "red"),
    "MISSING": Badge(pgettext_lazy("connection", "No secret"), "circle-question-mark", "orange"),
}


def state(row: Row) -> Badge:
    return engine_badge(STATES, row.get("status"))


def find(session: EngineSession, id: str) -> dict[str, Any]:
    """A connection by its id, looked up in the list. Raises NotFound, and the errors of the list."""
    row = whole_lists.find(lambda cursor: _load(session, cursor), id, _CHUNKS)
    if row is None:
        raise NotFound("The engine's list of connections does not hold this id.", code="ENTITY_NOT_FOUND")
    return row


def connections_of_app(session: EngineSession, piece: str) -> list[dict[str, Any]]:
    """The connections of a piece (at most a thousand), oldest first. Raises EngineError."""
    return chunk(session, None, app=piece)[0]


def choices(rows: list[dict[str, Any]], key: str = "externalId") -> list[tuple[str, str]]:
    """The connections as choices of a form: the value at `key`, and name and state."""
    pairs = [(row, text_at(row, key)) for row in rows]
    return [
        (value, f"{(text_at(row, 'displayName') or value)[:100]} ({state(row).word})") for row, value in pairs if value
    ]


def chunk(session: EngineSession, cursor: str | None, **filters: str | None) -> tuple[list[dict[str, Any]], str]:
    """At most a thousand connections from a cursor on, oldest first and without duplicates, with the next cursor (""
    for none). Raises EngineError.

    Filters: a part of the `name`, the whole name of an `app`'s piece, a `status` (a key of STATES).
    """
    answer = _load(session, cursor, **filters)
    return whole_lists.rows_of(answer), whole_lists.following(answer)


def _load(
    session: EngineSession,
    cursor: str | None,
    name: str | None = None,
    app: str | None = None,
    status: str | None = None,
) -> dict[str, Any]:
    answer = session.workflows.list_connections(
        limit=whole_lists.AT_ONCE, cursor=cursor or None, piece_name=app, display_name=name, status=status
    )
    # A faulty engine might put secrets into its list.
    rows = [{key: row[key] for key in row if key != "value"} for row in whole_lists.rows_of(answer)]
    return {**answer, "data": rows}
