"""Requests to begin with, one for each type of operation (api.md 6.5; engine-0.83.md section 5), with values of the flow."""

from collections.abc import Mapping
from typing import Any

from workflows_ui.engine import flow_tree
from workflows_ui.engine.flow_tree import ROUTERS
from workflows_ui.resource_admin.resource import Row, id_at
from workflows_ui.resources.flows import notes
from workflows_ui.resources.flows.editing.forms import new_settings
from workflows_ui.resources.flows.editing.operations import TREE, step_body
from workflows_ui.resources.flows.editing.prediction import Json, free_name, names
from workflows_ui.web.paths import dict_at, text_at


def request(type: str, flow: Row) -> Json:
    """Return a request of this type for a flow (secrets masked); empty for an unknown type."""
    version = dict_at(flow, "version")
    trigger = dict_at(version, "trigger")
    steps = [node.step for node in flow_tree.walk(trigger)]
    action: Mapping[str, Any] = steps[1] if len(steps) > 1 else {}
    name = text_at(action, "name") or "step_1"
    router = next((text_at(step, "name") for step in steps if step.get("type") in ROUTERS), name)
    new = {"name": free_name(names(trigger)), "type": "CODE", "valid": True, "displayName": "Code"}
    note = {"content": "", "color": "yellow", "position": {"x": -600, "y": 0}, "size": {"width": 240, "height": 140}}
    note_id = id_at(next(iter(notes.notes_of(flow)), {})) or "note_1"
    title = text_at(version, "displayName")
    branch = {"stepName": router, "branchIndex": 0}
    by_type: dict[str, Json] = {
        "CHANGE_NAME": {"displayName": title},
        "CHANGE_FOLDER": {"folderId": flow.get("folderId")},
        "CHANGE_STATUS": {"status": "ENABLED"},
        "LOCK_AND_PUBLISH": {"status": "ENABLED"},
        "LOCK_FLOW": {},
        "USE_AS_DRAFT": {"versionId": id_at(version)},
        "IMPORT_FLOW": {key: version[key] for key in TREE if key in version},
        "UPDATE_TRIGGER": step_body(trigger),
        "ADD_ACTION": {
            "parentStep": text_at(trigger, "name"),
            "stepLocationRelativeToParent": "AFTER",
            "action": new | {"settings": new_settings("CODE")},
        },
        "UPDATE_ACTION": step_body(action),
        "DELETE_ACTION": {"names": [name]},
        "MOVE_ACTION": {
            "name": name,
            "newParentStep": text_at(trigger, "name"),
            "stepLocationRelativeToNewParent": "AFTER",
        },
        "DUPLICATE_ACTION": {"stepName": name},
        "SET_SKIP_ACTION": {"names": [name], "skip": True},
        "ADD_BRANCH": branch
        | {"branchName": "Branch", "conditions": new_settings("ROUTER")["branches"][0]["conditions"]},
        "DELETE_BRANCH": branch,
        "DUPLICATE_BRANCH": branch,
        "MOVE_BRANCH": {"stepName": router, "sourceBranchIndex": 0, "targetBranchIndex": 1},
        "UPDATE_METADATA": {"metadata": flow.get("metadata")},
        "UPDATE_OWNER": {"ownerId": flow.get("ownerId")},
        "UPDATE_MINUTES_SAVED": {"timeSavedPerRun": flow.get("timeSavedPerRun")},
        "SAVE_SAMPLE_DATA": {"stepName": name, "payload": {}, "type": "OUTPUT", "dataType": "JSON"},
        "UPDATE_SAMPLE_DATA_INFO": {"stepName": name, "sampleDataSettings": None},
        "ADD_NOTE": {"id": "note_new", **note},
        "UPDATE_NOTE": {"id": note_id, **note},
        "DELETE_NOTE": {"id": note_id},
    }
    return by_type.get(type, {})
