"""Who last changed a flow in the engine: its version names a person by id (api.md 6.2), for which few answers have a
name.
"""

from dataclasses import dataclass
from datetime import datetime

from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.resource_admin.resource import Row, id_at, pick
from workflows_ui.resources.connections import reading as connection_list
from workflows_ui.resources.flows.reading import REFUSALS
from workflows_ui.web import formats
from workflows_ui.web.paths import text_at

_NAMES_FOR, _CHANGE_FOR, _NAME = 600, 60, 80


@dataclass(frozen=True)
class Change:
    """The last change of a flow's newest version: when, and by whom ("" if the engine gives no name)."""

    at: datetime
    by: str


def last_change(session: EngineSession, flow_id: str) -> Change | None:
    """The last change; None if the engine does not give it. Three calls at most, cached."""

    def ask() -> Change | None:
        try:
            version = pick(session.workflows.get_flow(flow_id), "version")
        except REFUSALS:
            return None
        at, person = formats.moment(pick(version, "updated")), pick(version, "updatedBy")
        if at is None:
            return None
        return Change(at, _names(session).get(person, "") if isinstance(person, str) and person else "")

    nothing: Change | None = None
    return session.remember_or(nothing, f"flow-change:{flow_id}", _CHANGE_FOR, ask)


def _names(session: EngineSession) -> dict[str, str]:
    """Names of the engine's people by id, as far as known: the credential's own (recording `users_me`) and the owners
    of connections (recording `conn_list_piece`).
    """

    def ask() -> dict[str, str]:
        people: list[Row] = []
        try:
            people.append(session.workflows.get_current_user())
            rows, _following = connection_list.chunk(session, "")
            people += [row["owner"] for row in rows if isinstance(row.get("owner"), dict)]
        except REFUSALS:
            pass  # Then only some of them have names.
        return {id_at(person): name for person in people if id_at(person) and (name := _name(person))}

    nothing: dict[str, str] = {}
    return session.remember_or(nothing, "people-names", _NAMES_FOR, ask)


def _name(person: Row) -> str:
    names = [person.get(key) for key in ("firstName", "lastName")]
    name = " ".join(part.strip() for part in names if isinstance(part, str) and formats.visible(part))
    return (name or text_at(person, "email"))[:_NAME]
