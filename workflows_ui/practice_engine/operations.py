"""The operations on a flow: ``POST /v1/flows/{id}`` with ``{type, request}``, as 0.72.4 does them (api.md 6.5).

The differences of 0.83.0 are in ``operations_083.py``. Longer than 300 lines, since twenty operations and their one table are
read together.
"""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from . import execution, ids, tree, validity
from .core import Engine
from .http import HttpError, Json
from .schema import Field, Schema, read, required
from .validity import Rules

INSIDE = ("INSIDE_LOOP", "INSIDE_BRANCH")
PARENTS_WITH_INSIDES = ("LOOP_ON_ITEMS", *tree.ROUTERS)
SCHEDULE_PIECE = "@activepieces/piece-schedule"
LOCATIONS = ("AFTER", *INSIDE)


@dataclass
class Edit:
    """One operation: the row of the flow, a version of it (a copy if the operation edits it), and the values of the request."""

    engine: Engine
    flow: Json
    version: Json
    values: Json
    user: str
    rules: Rules

    @property
    def trigger(self) -> Json:
        """The root of the tree."""
        trigger: Json = self.version["trigger"]
        return trigger

    def prepared(self, step: Json) -> Json:
        """Return a step as it is stored."""
        return validity.prepare(step, self.flow["projectId"], self.rules)

    def step(self, name: str) -> Json:
        """Return the step. Raises an error if it does not exist."""
        step = tree.find(self.trigger, name)
        if step is None:
            raise self.no_step(name)
        return step

    def no_step(self, name: str) -> HttpError:
        """Return the error for a step that does not exist."""
        return HttpError.domain("STEP_NOT_FOUND", {"stepName": name})

    def router(self) -> Json | None:
        """Return the router of the request; None if the operation is to do nothing."""
        step = self.step(self.values["stepName"])
        if step["type"] not in tree.ROUTERS:
            raise HttpError.domain("FLOW_OPERATION_INVALID", {"message": "the step has no branches"})
        return step

    def no_branch(self) -> HttpError:
        """Return the error for a branch to copy that does not exist."""
        return HttpError.domain("FLOW_OPERATION_INVALID", {"message": "there is no such branch"})


#: The schema of ``request``, the function that applies it, and whether that edits the version.
Operation = tuple[Schema, Callable[[Any], None], bool]


def apply(
    engine: Engine,
    flow: Json,
    body: Any,
    user: str,
    rules: Rules,
    operations: Mapping[str, Operation],
    edit_class: type[Edit] = Edit,
) -> None:
    """Apply one operation of the table. Raises the errors of api.md 6.4 and 6.5."""
    if not isinstance(body, dict):
        raise HttpError.invalid("body must be an object")
    operation = operations.get(str(body.get("type", "")))
    if operation is None:
        raise HttpError.invalid("body/type must be one of the known operations")
    if "request" not in body:
        raise HttpError.invalid("body: 'request' is missing")
    schema, act, on_version = operation
    values = read(body["request"], schema, "body/request")
    if {"*", flow["id"]} & set(engine.settings.flow_in_use):
        params = {"flowVersionId": flow["versionId"], "message": "a colleague is editing this flow"}
        raise HttpError.domain("FLOW_IN_USE", params)
    if on_version:
        version = copy.deepcopy(_draft(engine, flow, rules))
        act(edit_class(engine, flow, version, values, user, rules))
        refresh(version)
        version["updatedBy"] = user
        engine.state.versions[version["id"]] = version
        flow["versionId"] = version["id"]
    else:
        act(edit_class(engine, flow, engine.state.versions[flow["versionId"]], values, user, rules))
    flow["updated"] = ids.stamp()


def refresh(version: Json) -> None:
    """Recompute what follows from the tree."""
    steps = list(tree.walk(version["trigger"]))
    version["valid"] = all(step.get("valid") for step in steps)
    version["connectionIds"] = tree.connection_ids(version["trigger"])
    version["updated"] = ids.stamp()


def _draft(engine: Engine, flow: Json, rules: Rules) -> Json:
    """The version to edit: the latest, or a new draft copied from it if it is locked."""
    latest = engine.state.versions[flow["versionId"]]
    if latest["state"] == "DRAFT":
        return latest
    moment = ids.stamp()
    version = {**copy.deepcopy(latest), "id": engine.ids.new(), "created": moment, "updated": moment, "state": "DRAFT"}
    set_piece_versions(version["trigger"], rules.stored_version)
    return version


def set_piece_versions(trigger: Json, convert: Callable[[str], str]) -> None:
    """Convert the version of the piece in every step."""
    for step in tree.walk(trigger):
        if "pieceVersion" in step.get("settings", {}):
            step["settings"]["pieceVersion"] = convert(step["settings"]["pieceVersion"])


def _change_name(edit: Edit) -> None:
    edit.version["displayName"] = edit.values["displayName"]


def _change_folder(edit: Edit) -> None:
    edit.flow["folderId"] = edit.values.get("folderId")


def _change_status(edit: Edit) -> None:
    _set_status(edit, edit.values["status"])


def _set_status(edit: Edit, status: str) -> None:
    """Enable or disable the published version. Without one, enabling is a 500 (api.md 6.5)."""
    flow = edit.flow
    if status == "ENABLED" and flow["publishedVersionId"] is None:
        raise HttpError.plain(500, "a flow must be published before it is enabled")
    if status == "ENABLED":
        published = edit.engine.state.versions[flow["publishedVersionId"]]
        if published["trigger"]["type"] == "EMPTY":
            raise HttpError.domain("PIECE_TRIGGER_NOT_FOUND")
        flow["triggerSource"] = {"schedule": schedule_for(published["trigger"])}
    else:
        flow.pop("triggerSource", None)
    flow["status"] = status


def schedule_for(trigger: Json) -> Json | None:
    """Return the schedule that a trigger installs, None for triggers of other pieces (recording ``flow_get_schedule``)."""
    settings = trigger.get("settings", {})
    if settings.get("pieceName") != SCHEDULE_PIECE:
        return None
    inputs = settings.get("input") or {}
    # In the recording weekend runs are off although enabled: the option has another name there.
    days = "*" if inputs.get("run_on_weekends") else "1-5"
    hour, weekday = inputs.get("hour_of_the_day", 0), inputs.get("day_of_the_week", 1)
    crons = {
        "every_x_minutes": f"*/{inputs.get('minutes', 5)} * * * *",
        "every_hour": f"0 * * * {days}",
        "every_day": f"0 {hour} * * {days}",
        "every_week": f"0 {hour} * * {weekday}",
        "every_month": f"0 {hour} {inputs.get('day_of_the_month', 1)} * *",
        "cron_expression": str(inputs.get("cronExpression", "0 9 * * *")),
    }
    cron = crons.get(str(settings.get("triggerName")), "0 * * * *")
    return {"type": "CRON_EXPRESSION", "cronExpression": cron, "timezone": inputs.get("timezone") or "UTC"}


def publish(edit: Edit) -> None:
    """Lock, publish, enable: not atomic. An empty trigger fails only at the last part (recording ``flow_draft_publish_invalid``)."""
    _lock(edit)
    edit.flow["publishedVersionId"] = edit.version["id"]
    edit.flow["updated"] = edit.version["updated"]
    _set_status(edit, edit.values.get("status", "ENABLED"))


def _lock(edit: Edit) -> None:
    """Lock the version, with exact versions of pieces."""
    if edit.version["state"] != "LOCKED":
        set_piece_versions(edit.trigger, validity.exact_version)
        edit.version |= {"state": "LOCKED", "updated": ids.stamp(), "updatedBy": edit.user}


def use_as_draft(edit: Edit) -> None:
    """Overwrite the draft with an older version."""
    source = edit.engine.state.versions.get(edit.values["versionId"])
    if source is None or source["flowId"] != edit.flow["id"]:
        raise HttpError.domain("ENTITY_NOT_FOUND")
    edit.version |= {"trigger": copy.deepcopy(source["trigger"]), "displayName": source["displayName"]}


def _import(edit: Edit) -> None:
    trigger = copy.deepcopy(edit.values["trigger"])
    for step in tree.walk(trigger):
        edit.prepared(step)
        step["settings"].setdefault("sampleData", {})
    edit.version |= {"displayName": edit.values["displayName"], "trigger": trigger}


def _update_trigger(edit: Edit) -> None:
    old = edit.trigger
    if edit.values["name"] != old["name"]:
        raise edit.no_step(edit.values["name"])
    edit.version["trigger"] = {**edit.prepared(clean(edit.values, ())), **select(old, "nextAction")}


def _add_action(edit: Edit) -> None:
    parent = tree.find(edit.trigger, edit.values["parentStep"])
    action = read(edit.values["action"], STEP, "body/request/action")
    if parent is None:
        return  # nothing happens (api.md 6.5)
    # Children in the body are dropped; each branch gets an empty slot.
    step = edit.prepared(clean(action, tree.CHILD_KEYS))
    place(parent, edit.values.get("stepLocationRelativeToParent"), edit.values.get("branchIndex"), step)


def place(parent: Json, location: str | None, branch: int | None, step: Json) -> None:
    """Put a step below its parent. A loop or router needs a location (recording ``op_add_action_loop_parent_no_location``).

    Any other parent has no inside, whatever the location (``op_add_action_inside_loop_of_code``). Before the first branch the
    step is lost (``op_add_action_inside_branch_negative``).
    """
    inside = {"LOOP_ON_ITEMS": "INSIDE_LOOP"}.get(parent["type"], "INSIDE_BRANCH")
    if parent["type"] not in PARENTS_WITH_INSIDES or location == "AFTER":
        tree.insert(parent, "AFTER", 0, step)
        return
    if location != inside or (inside == "INSIDE_BRANCH" and branch is None):
        message = f"a loop or router as parent needs a location, not {location}"
        raise HttpError.domain("FLOW_OPERATION_INVALID", {"message": message})
    if inside == "INSIDE_LOOP" or int(branch or 0) >= 0:
        tree.insert(parent, inside, int(branch or 0), step)


def _update_action(edit: Edit) -> None:
    step = tree.find(edit.trigger, edit.values["name"])
    if step is None:
        return
    new = {**edit.prepared(clean(edit.values, tree.CHILD_KEYS)), **select(step, *tree.CHILD_KEYS)}
    step.clear()
    step.update(new)


def _delete_action(edit: Edit) -> None:
    for name in edit.values["names"]:
        tree.remove(edit.trigger, name)


def _move_action(edit: Edit) -> None:
    values = edit.values
    edit.step(values["name"])
    edit.step(values["newParentStep"])
    step = tree.remove(edit.trigger, values["name"])
    if step is None or values["newParentStep"] in tree.names(step):
        raise edit.no_step(values["name"])
    location = values.get("stepLocationRelativeToNewParent") or "AFTER"
    place(edit.step(values["newParentStep"]), location, values.get("branchIndex"), step)


def _duplicate_action(edit: Edit) -> None:
    duplicate(edit, edit.step(edit.values["stepName"]))


def duplicate(edit: Edit, original: Json) -> None:
    """Insert a copy after the step."""
    tree.insert(original, "AFTER", 0, _copy(edit, clean(original, ("nextAction",))))


def _copy(edit: Edit, step: Json) -> Json:
    """A deep copy in which every step has a free name, its label ends with "Copy", and inputs refer to the copies.

    Samples are dropped (recordings ``op_duplicate_*``, ``op_update_sample_data_info_set``).
    """
    new = copy.deepcopy(step)
    renamed: dict[str, str] = {}
    for inner in tree.walk(new):
        name = tree.free_name(edit.trigger, set(renamed.values()))
        renamed[inner["name"]] = name
        inner |= {"name": name, "displayName": f"{inner['displayName']} Copy"}
    for inner in tree.walk(new):
        settings = inner["settings"]
        if "input" in settings:
            settings["input"] = tree.with_names(settings["input"], renamed)
        if "sampleData" in settings:
            settings["sampleData"] = {}
    return new


def _skip(edit: Edit) -> None:
    for step in tree.walk(edit.trigger):
        if step["name"] in edit.values["names"]:
            step["skip"] = edit.values["skip"]


def _add_branch(edit: Edit) -> None:
    if router := edit.router():
        branches, children = _branches(router)
        index = int(edit.values["branchIndex"])
        index = index if 0 <= index <= len(branches) else len(branches)
        branches.insert(index, _branch(edit.values["branchName"], edit.values.get("conditions")))
        children.insert(index, None)


def _delete_branch(edit: Edit) -> None:
    if router := edit.router():
        branches, children = _branches(router)
        index = int(edit.values["branchIndex"])
        if 0 <= index < len(branches):
            del branches[index]
            del children[index : index + 1]


def _duplicate_branch(edit: Edit) -> None:
    """Insert a copy of a branch behind it. That of the fallback is an ordinary one (recording ``op_duplicate_branch_fallback``)."""
    if router := edit.router():
        branches, children = _branches(router)
        index = int(edit.values["branchIndex"])
        if not 0 <= index < len(branches):
            raise edit.no_branch()
        original = branches[index]
        conditions = copy.deepcopy(original.get("conditions"))
        branches.insert(index + 1, _branch(f"{original['branchName']} Copy", conditions))
        child = children[index] if index < len(children) else None
        children.insert(index + 1, _copy(edit, child) if child else None)


def _move_branch(edit: Edit) -> None:
    """Move a branch; never the fallback, nor onto it."""
    if router := edit.router():
        branches, children = _branches(router)
        source, target = int(edit.values["sourceBranchIndex"]), int(edit.values["targetBranchIndex"])
        exist = all(0 <= index < len(branches) for index in (source, target))
        if exist and "FALLBACK" not in (branches[source]["branchType"], branches[target]["branchType"]):
            branches.insert(target, branches.pop(source))
            children.insert(target, children.pop(source))


def _branch(name: str, conditions: list[Any] | None) -> Json:
    """A branch, by default with one empty condition."""
    empty = {"operator": "TEXT_CONTAINS", "firstValue": "", "secondValue": "", "caseSensitive": False}
    conditions = [[empty]] if conditions is None else conditions
    return {"branchName": name, "branchType": "CONDITION", "conditions": conditions}


def _branches(router: Json) -> tuple[list[Any], list[Any]]:
    """The branches of a router, and the first step of each."""
    return router["settings"].setdefault("branches", []), router.setdefault("children", [])


def _update_metadata(edit: Edit) -> None:
    edit.flow["metadata"] = edit.values.get("metadata")


def _save_sample_data(edit: Edit) -> None:
    """Store a step's input or output, and the id of that file in the step."""
    step = edit.step(edit.values["stepName"])
    identity = edit.engine.ids.new()
    edit.engine.state.files[identity] = {"flowId": edit.flow["id"], "payload": edit.values.get("payload")}
    key = execution.FILE_KEYS[edit.values["type"]]
    step["settings"].setdefault("sampleData", {}).update({key: identity, "lastTestDate": ids.stamp()})


def clean(values: Json, without: tuple[str, ...]) -> Json:
    """Return a deep copy of a step without some of its keys."""
    return {key: copy.deepcopy(value) for key, value in values.items() if key not in without}


def select(row: Json, *names: str) -> Json:
    """Return those of the keys that exist."""
    return {name: row[name] for name in names if name in row}


STEP: Schema = {
    "name": required(),
    "type": required(choices=("CODE", "PIECE", "LOOP_ON_ITEMS", *tree.ROUTERS)),
    "valid": Field("boolean"),
    "displayName": required(),
    "settings": required("object"),
    "skip": Field("boolean"),
}
TRIGGER: Schema = {**STEP, "type": required(choices=("EMPTY", "PIECE_TRIGGER"))}
STEP_NAME: Schema = {"stepName": required()}
NAMES: Schema = {"names": required(many=True)}
BRANCH: Schema = {**STEP_NAME, "branchIndex": required("number")}
NEW_BRANCH: Schema = {**BRANCH, "branchName": required(), "conditions": Field("array")}
MOVE_BRANCH: Schema = {**STEP_NAME, "sourceBranchIndex": required("number"), "targetBranchIndex": required("number")}
LOCATION, INDEX = Field(choices=LOCATIONS), Field("number")
ADD: Schema = {
    "parentStep": required(),
    "stepLocationRelativeToParent": LOCATION,
    "branchIndex": INDEX,
    "action": required("object"),
}
MOVE: Schema = {
    "name": required(),
    "newParentStep": required(),
    "stepLocationRelativeToNewParent": LOCATION,
    "branchIndex": INDEX,
}
IMPORT: Schema = {
    "displayName": required(),
    "trigger": required("object"),
    "schemaVersion": required(nullable=True),
}
SAMPLE: Schema = {**STEP_NAME, "payload": Field("any"), "type": required(choices=("INPUT", "OUTPUT"))}
STATUS = ("ENABLED", "DISABLED")
OPERATIONS: dict[str, Operation] = {
    "CHANGE_NAME": ({"displayName": required()}, _change_name, True),
    "CHANGE_FOLDER": ({"folderId": Field("id", nullable=True)}, _change_folder, False),
    "CHANGE_STATUS": ({"status": required(choices=STATUS)}, _change_status, False),
    "LOCK_AND_PUBLISH": ({"status": Field(choices=STATUS)}, publish, False),
    "LOCK_FLOW": ({}, _lock, False),
    "USE_AS_DRAFT": ({"versionId": required("id")}, use_as_draft, True),
    "IMPORT_FLOW": (IMPORT, _import, True),
    "UPDATE_TRIGGER": (TRIGGER, _update_trigger, True),
    "ADD_ACTION": (ADD, _add_action, True),
    "UPDATE_ACTION": (STEP, _update_action, True),
    "DELETE_ACTION": (NAMES, _delete_action, True),
    "MOVE_ACTION": (MOVE, _move_action, True),
    "DUPLICATE_ACTION": (STEP_NAME, _duplicate_action, True),
    "SET_SKIP_ACTION": ({**NAMES, "skip": required("boolean")}, _skip, True),
    "ADD_BRANCH": (NEW_BRANCH, _add_branch, True),
    "DELETE_BRANCH": (BRANCH, _delete_branch, True),
    "DUPLICATE_BRANCH": (BRANCH, _duplicate_branch, True),
    "MOVE_BRANCH": (MOVE_BRANCH, _move_branch, True),
    "UPDATE_METADATA": ({"metadata": Field("object", nullable=True)}, _update_metadata, False),
    "SAVE_SAMPLE_DATA": ({**SAMPLE, "dataType": Field(choices=("JSON", "STRING"))}, _save_sample_data, True),
}
