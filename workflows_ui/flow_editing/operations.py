"""Operations on a flow, and the requests that several of them share (api.md 6.5)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from workflows_ui.core.json_values import changed_at, changed_object
from workflows_ui.core.paths import text_at
from workflows_ui.engine import flow_tree
from workflows_ui.flows import outline

#: An object as the engine has it, or as it is sent: edits change copies of trees, and predictions rely on errors for malformed ones.
Json = flow_tree.Step

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
    return cast("Json", changed_at(body, "settings.branches.*.conditions", conditions_body))


def conditions_body(conditions: object) -> object:
    """Conditions without the values that their comparison does not have, which the engine drops, except in an import.

    Source: engine-0.83.md section 13.2, recordings `op_update_action_router_case_*` and `op_add_branch_case_false_number`.
    """
    return changed_at(conditions, "*.*", lambda condition: changed_object(condition, _condition_body))


def _condition_body(condition: Mapping[str, object]) -> Json:
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
