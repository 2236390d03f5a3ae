"""Operations on a flow, and the requests that several of them share (api.md 6.5)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

#: Keys of a step that an update sends (api.md 6.3).
_SENT = ("name", "type", "valid", "displayName", "settings", "skip")
#: Parts of a version that an import takes.
TREE = ("displayName", "trigger", "schemaVersion", "notes")


@dataclass(frozen=True)
class Operation:
    """One `POST /v1/flows/{id}`."""

    type: str
    request: Json

    @property
    def body(self) -> Json:
        return {"type": self.type, "request": self.request}


def step_body(step: Mapping[str, Any]) -> Json:
    """The parts of a step that an update sends."""
    return {key: step[key] for key in _SENT if key in step}


def add_step(place: tuple[str, str, int | None], action: Json) -> Operation:
    """The operation that adds a step at a place (places.read_place)."""
    location, parent, branch = place
    request: Json = {"parentStep": parent, "stepLocationRelativeToParent": location, "action": action}
    return Operation("ADD_ACTION", request | ({} if branch is None else {"branchIndex": branch}))


def update_step(step: Mapping[str, Any], *, is_trigger: bool, **values: Any) -> Operation:
    """The operation that sets these parts of a step; everything else is sent as it is."""
    return Operation("UPDATE_TRIGGER" if is_trigger else "UPDATE_ACTION", step_body(step) | values)
