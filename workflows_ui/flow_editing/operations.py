"""Operations on a flow, and the requests that several of them share (api.md 6.5)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workflows_ui.core.paths import text_at
from workflows_ui.flows import outline

#: An object as the engine has it, or as it is sent: edits change copies of trees, and predictions rely on errors for malformed ones.
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


def step_body(step: Mapping[str, object]) -> Json:
    """The parts of a step that an update sends, and the engine stores."""
    body = {key: step[key] for key in _SENT if key in step}
    settings = body.get("settings")
    if isinstance(settings, dict) and isinstance(settings.get("branches"), list):
        body["settings"] = settings | {"branches": [_branch_body(branch) for branch in settings["branches"]]}
    return body


def _branch_body(branch: object) -> object:
    if not isinstance(branch, dict) or "conditions" not in branch:
        return branch
    return branch | {"conditions": conditions_body(branch["conditions"])}


def conditions_body(conditions: object) -> object:
    """Conditions without the values that their comparison does not have, which the engine drops, except in an import.

    Source: engine-0.83.md section 13.2, recordings `op_update_action_router_case_*` and `op_add_branch_case_false_number`.
    """
    if not isinstance(conditions, list):
        return conditions
    return [
        [_condition_body(item) if isinstance(item, dict) else item for item in group]
        if isinstance(group, list)
        else group
        for group in conditions
    ]


def _condition_body(condition: Json) -> Json:
    dropped = outline.unused(text_at(condition, "operator"))
    return {key: value for key, value in condition.items() if key not in dropped}


def add_step(place: tuple[str, str, int | None], action: Json) -> Operation:
    """The operation that adds a step at a place (places.read_place)."""
    location, parent, branch = place
    request: Json = {"parentStep": parent, "stepLocationRelativeToParent": location, "action": action}
    return Operation("ADD_ACTION", request | ({} if branch is None else {"branchIndex": branch}))


def update_step(step: Mapping[str, object], *, is_trigger: bool, **values: object) -> Operation:
    """The operation that sets these parts of a step; everything else is sent as it is."""
    return Operation("UPDATE_TRIGGER" if is_trigger else "UPDATE_ACTION", step_body({**step, **values}))
