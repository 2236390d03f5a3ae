"""Lookup of connections in the engine's list, which has no secrets, and their states (api.md section 10).

The engine's call for one connection answers with the decrypted secret (api.md 10.2): no page makes it.
"""

from collections.abc import Iterable

from django.utils.translation import pgettext_lazy

from workflows_ui.core.paths import text_at
from workflows_ui.core.states import Badge
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import NotFound
from workflows_ui.resource_admin import whole_lists
from workflows_ui.resource_admin.resource import Row
from workflows_ui.web.messages import engine_badge

_CHUNKS = 20
STATES: dict[str, Badge] = {
    # The engine says so from the moment of connecting on: nobody has tested it since.
    "ACTIVE": Badge(pgettext_lazy("connection", "Connected"), "plug", "green"),
    "ERROR": Badge(pgettext_lazy("connection", "Fails"), "circle-x", "red"),
    "MISSING": Badge(pgettext_lazy("connection", "No secret"), "circle-question-mark", "orange"),
}


def state(row: Row) -> Badge:
    return engine_badge(STATES, row.get("status"))


def find_connection(session: EngineSession, id: str) -> dict[str, object]:
    """A connection by its id, looked up in the list. Raises NotFound, and the errors of the list."""
    row = whole_lists.find(lambda cursor: load(session, cursor), id, _CHUNKS)
    if row is None:
        raise NotFound("The engine's list of connections does not hold this id.", code="ENTITY_NOT_FOUND")
    return row


def connections_of_app(session: EngineSession, piece: str) -> list[dict[str, object]]:
    """The connections of a piece (at most a thousand), oldest first. Raises EngineError."""
    return chunk(session, None, app=piece)[0]


def unknown(session: EngineSession, external_ids: Iterable[str]) -> list[str]:
    """Those of the external ids that no connection has; none if the engine has more connections than are read. Raises EngineError."""
    missing, cursor = list(external_ids), ""
    for _number in range(_CHUNKS if missing else 0):
        rows, cursor = chunk(session, cursor)
        known = {text_at(row, "externalId") for row in rows}
        missing = [external for external in missing if external not in known]
        if not missing or not cursor:
            return missing
    return []


def choices(rows: list[dict[str, object]], key: str = "externalId") -> list[tuple[str, str]]:
    """The connections as choices of a form: the value at `key`, and name and state."""
    pairs = [(row, text_at(row, key)) for row in rows]
    return [
        (value, f"{(text_at(row, 'displayName') or value)[:100]} ({state(row).word})") for row, value in pairs if value
    ]


def reference(external_id: str) -> str:
    """The name of a connection within an expression; "" for an external id that none can hold: with both quotes, or the end of one."""
    quote = '"' if "'" in external_id else "'"
    return "" if quote in external_id or "}}" in external_id else f"connections[{quote}{external_id}{quote}]"


def chunk(session: EngineSession, cursor: str | None, **filters: str | None) -> tuple[list[dict[str, object]], str]:
    """The rows of `load`, without duplicates, and the next cursor ("" for none)."""
    answer = load(session, cursor, **filters)
    return whole_lists.rows_of(answer), whole_lists.following(answer)


def load(
    session: EngineSession,
    cursor: str | None,
    name: str | None = None,
    app: str | None = None,
    status: str | None = None,
) -> dict[str, object]:
    """The engine's answer: at most a thousand connections from a cursor on, oldest first. Raises EngineError.

    Filters: a part of the `name`, the whole name of an `app`'s piece, a `status` (a key of STATES).
    """
    answer = session.workflows.list_connections(
        limit=whole_lists.AT_ONCE, cursor=cursor or None, piece_name=app, display_name=name, status=status
    )
    # A faulty engine might put secrets into its list.
    rows = [{key: row[key] for key in row if key != "value"} for row in whole_lists.rows_of(answer)]
    return {**answer, "data": rows}
