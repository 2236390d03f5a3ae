"""Who last changed a flow in the engine: its version names a person by an id (api.md 6.2), for which few answers tell a name."""

from dataclasses import dataclass
from datetime import datetime

from workflows_ui.kit import show
from workflows_ui.kit.caller import Caller
from workflows_ui.kit.resource import Row, id_at, pick
from workflows_ui.resources import connection_list
from workflows_ui.resources.flow_reading import REFUSALS

_NAMES_FOR, _CHANGE_FOR, _NAME = 600, 60, 80


@dataclass(frozen=True)
class Change:
    """The last change of a flow's newest version: when, and by whom ("" where the engine tells no name)."""

    at: datetime
    by: str


def last_change(caller: Caller, flow_id: str) -> Change | None:
    """The last change; None where the engine does not tell. Three calls at most, remembered."""

    def ask() -> Change | None:
        try:
            version = pick(caller.workflows.get_flow(flow_id), "version")
        except REFUSALS:
            return None
        at, person = show.moment(pick(version, "updated")), pick(version, "updatedBy")
        if at is None:
            return None
        return Change(at, _names(caller).get(person, "") if isinstance(person, str) and person else "")

    nothing: Change | None = None
    return caller.remember_or(nothing, f"flow-change:{flow_id}", _CHANGE_FOR, ask)


def _names(caller: Caller) -> dict[str, str]:
    """Names of the engine's people by id, as far as it tells them: the credential's own (recording `users_me`) and the owners of
    connections (recording `conn_list_piece`)."""

    def ask() -> dict[str, str]:
        people: list[Row] = []
        try:
            people.append(caller.workflows.get_current_user())
            rows, _following = connection_list.chunk(caller, "")
            people += [row["owner"] for row in rows if isinstance(row.get("owner"), dict)]
        except REFUSALS:
            pass  # then only some of them have names
        return {id_at(person): name for person in people if id_at(person) and (name := _name(person))}

    nothing: dict[str, str] = {}
    return caller.remember_or(nothing, "people-names", _NAMES_FOR, ask)


def _name(person: Row) -> str:
    told = [person.get(key) for key in ("firstName", "lastName")]
    name = " ".join(part.strip() for part in told if isinstance(part, str) and show.visible(part))
    email = person.get("email")
    return (name or (email if isinstance(email, str) else ""))[:_NAME]
