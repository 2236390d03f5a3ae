"""The operations on a flow: ``POST /v1/flows/{id}`` with ``{type, request}`` (api.md 6.5).

Longer than 300 lines, since twenty operations and their one table are read together.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import ids, tree, validity
from .http import Json, bare, invalid, refuse
from .schedules import schedule_of
from .schema import Field, Schema, need, read

if TYPE_CHECKING:
    from .engine import PracticeEngine

INSIDE = ("INSIDE_LOOP", "INSIDE_BRANCH")
PARENTS_WITH_INSIDES = ("LOOP_ON_ITEMS", *tree.ROUTERS)
LOCATIONS = ("AFTER", *INSIDE)


def apply(engine: PracticeEngine, flow: Json, body: Any, user: str, flavour: str) -> None:
    """Apply one operation. Raises the refusals of api.md 6.4 and 6.5."""
    if not isinstance(body, dict):
        raise invalid("body must be an object")
    operation = OPERATIONS.get(body.get("type", ""))
    if operation is None:
        raise invalid("body/type must be one of the known operations")
    if "request" not in body:
        raise invalid("body: 'request' is missing")
    schema, act, on_version = operation
    values = read(body["request"], schema, "body/request", flavour)
    _in_use(engine, flow, user)
    if on_version:
        version = copy.deepcopy(draft(engine, flow))
        act(engine, flow, version, values)
        _kept(engine, flow, version, user)
    else:
        act(engine, flow, engine.state.versions[flow["versionId"]], values)
    flow["updated"] = ids.stamp()


def draft(engine: PracticeEngine, flow: Json) -> Json:
    """The version to edit: the latest, or a new draft copied from it if it is locked."""
    latest = engine.state.versions[flow["versionId"]]
    if latest["state"] == "DRAFT":
        return latest
    moment = ids.stamp()
    version = {**copy.deepcopy(latest), "id": engine.ids.new(), "created": moment, "updated": moment, "state": "DRAFT"}
    for step in tree.walk(version["trigger"]):
        if "pieceVersion" in step.get("settings", {}):
            step["settings"]["pieceVersion"] = validity.loose(step["settings"]["pieceVersion"])
    return version


def refresh(version: Json) -> None:
    """Recompute what follows from the tree."""
    steps = list(tree.walk(version["trigger"]))
    version["valid"] = all(step.get("valid") for step in steps)
    version["connectionIds"] = tree.connection_ids(version["trigger"])
    version["updated"] = ids.stamp()


def _kept(engine: PracticeEngine, flow: Json, version: Json, user: str) -> None:
    refresh(version)
    version["updatedBy"] = user
    engine.state.versions[version["id"]] = version
    flow["versionId"] = version["id"]


def _in_use(engine: PracticeEngine, flow: Json, user: str) -> None:
    if {"*", flow["id"]} & set(engine.settings.flow_in_use):
        raise refuse("FLOW_IN_USE", {"flowVersionId": flow["versionId"], "message": "a colleague is editing this flow"})


def _step(version: Json, name: str) -> Json:
    step = tree.find(version["trigger"], name)
    if step is None:
        raise refuse("STEP_NOT_FOUND", {"stepName": name})
    return step


def _change_name(engine: PracticeEngine, flow: Json, version: Json, values: Json) -> None:
    version["displayName"] = values["displayName"]


def _change_folder(engine: PracticeEngine, flow: Json, version: Json, values: Json) -> None:
    flow["folderId"] = values.get("folderId")


def change_status(engine: PracticeEngine, flow: Json, version: Json, values: Json) -> None:
    """Enable or disable. Enabling what was never published is a 500 (api.md 6.5)."""
    if values["status"] == "ENABLED" and flow["publishedVersionId"] is None:
        raise bare(500, "a flow must be published before it is enabled")
    if values["status"] == "ENABLED":
        published = engine.state.versions[flow["publishedVersionId"]]
        if published["trigger"]["type"] == "EMPTY":
            raise refuse("PIECE_TRIGGER_NOT_FOUND")
        flow["triggerSource"] = {"schedule": schedule_of(published["trigger"])}
    else:
        flow.pop("triggerSource", None)
    flow["status"] = values["status"]


def _lock_and_publish(engine: PracticeEngine, flow: Json, version: Json, values: Json) -> None:
    """Lock, publish, enable: not atomic. An empty trigger fails only at the last part (recording ``flow_draft_publish_invalid``)."""
    _lock(engine, flow, version, values)
    flow["publishedVersionId"] = version["id"]
    flow["updated"] = version["updated"]
    change_status(engine, flow, version, {"status": values.get("status", "ENABLED")})


def _lock(engine: PracticeEngine, flow: Json, version: Json, values: Json) -> None:
    if version["state"] == "LOCKED":
        return
    for step in tree.walk(version["trigger"]):
        if "pieceVersion" in step.get("settings", {}):
            step["settings"]["pieceVersion"] = validity.exact(step["settings"]["pieceVersion"])
    version |= {"state": "LOCKED", "updated": ids.stamp()}
    version["updatedBy"] = version["updatedBy"] or engine.state.projects[flow["projectId"]]["ownerId"]


def _use_as_draft(engine: PracticeEngine, flow: Json, version: Json, values: Json) -> None:
    source = engine.state.versions.get(values["versionId"])
    if source is None or source["flowId"] != flow["id"]:
        raise refuse("ENTITY_NOT_FOUND")
    version |= {"trigger": copy.deepcopy(source["trigger"]), "displayName": source["displayName"]}


def _import(engine: PracticeEngine, flow: Json, version: Json, values: Json) -> None:
    trigger = copy.deepcopy(values["trigger"])
    for step in tree.walk(trigger):
        validity.prepare(step, flow["projectId"])
        step["settings"].setdefault("sampleData", {})
    version |= {"displayName": values["displayName"], "trigger": trigger}


def _update_trigger(engine: PracticeEngine, flow: Json, version: Json, values: Json) -> None:
    old = version["trigger"]
    if values["name"] != old["name"]:
        raise refuse("STEP_NOT_FOUND", {"stepName": values["name"]})
    new = validity.prepare(_clean(values, ()), flow["projectId"])
    if "nextAction" in old:
        new["nextAction"] = old["nextAction"]
    version["trigger"] = new


def _add_action(engine: PracticeEngine, flow: Json, version: Json, values: Json) -> None:
    parent = tree.find(version["trigger"], values["parentStep"])
    location = values.get("stepLocationRelativeToParent")
    action = read(values["action"], STEP, "body/request/action", "")
    if parent is None:
        return  # silently nothing (api.md 6.5)
    if parent["type"] in PARENTS_WITH_INSIDES and location is None:
        raise refuse("FLOW_OPERATION_INVALID", {"message": "a loop or router as parent needs a location"})
    # Children in the body are dropped; one empty slot for each branch is made.
    new = validity.prepare(_clean(action, tree.CHILD_KEYS), flow["projectId"])
    tree.insert(version["trigger"], parent, location or "AFTER", int(values.get("branchIndex", 0)), new)


def _update_action(engine: PracticeEngine, flow: Json, version: Json, values: Json) -> None:
    step = tree.find(version["trigger"], values["name"])
    if step is None:
        return
    kept = {key: step[key] for key in tree.CHILD_KEYS if key in step}
    new = validity.prepare(_clean(values, tree.CHILD_KEYS), flow["projectId"])
    step.clear()
    step.update({**new, **kept})


def _delete_action(engine: PracticeEngine, flow: Json, version: Json, values: Json) -> None:
    for name in values["names"]:
        tree.remove(version["trigger"], name)


def _move_action(engine: PracticeEngine, flow: Json, version: Json, values: Json) -> None:
    _step(version, values["name"])
    _step(version, values["newParentStep"])
    step = tree.remove(version["trigger"], values["name"])
    if step is None or values["newParentStep"] in tree.names(step):
        raise refuse("STEP_NOT_FOUND", {"stepName": values["name"]})
    location = values.get("stepLocationRelativeToNewParent") or "AFTER"
    tree.insert(
        version["trigger"], _step(version, values["newParentStep"]), location, int(values.get("branchIndex", 0)), step
    )


def _duplicate_action(engine: PracticeEngine, flow: Json, version: Json, values: Json) -> None:
    original = _step(version, values["stepName"])
    new = _copied(version, {key: value for key, value in original.items() if key != "nextAction"})
    new["displayName"] = f"{original['displayName']} Copy"
    tree.insert(version["trigger"], original, "AFTER", 0, new)


def _copied(version: Json, step: Json) -> Json:
    """A deep copy in which every step has a free name."""
    new = copy.deepcopy(step)
    taken: set[str] = set()
    for inner in tree.walk(new):
        inner["name"] = tree.free_name(version["trigger"], taken)
        taken.add(inner["name"])
    return new


def _skip(engine: PracticeEngine, flow: Json, version: Json, values: Json) -> None:
    for step in tree.walk(version["trigger"]):
        if step["name"] in values["names"]:
            step["skip"] = values["skip"]


def _router(version: Json, values: Json) -> tuple[list[Any], list[Any]]:
    step = _step(version, values["stepName"])
    if step["type"] not in tree.ROUTERS:
        raise refuse("FLOW_OPERATION_INVALID", {"message": "the step has no branches"})
    return step["settings"].setdefault("branches", []), step.setdefault("children", [])


def _add_branch(engine: PracticeEngine, flow: Json, version: Json, values: Json) -> None:
    branches, children = _router(version, values)
    place = int(values["branchIndex"])
    empty = [[{"operator": "TEXT_CONTAINS", "firstValue": "", "secondValue": ""}]]
    branch = {
        "branchName": values["branchName"],
        "branchType": "CONDITION",
        "conditions": values.get("conditions", empty),
    }
    branches.insert(place, branch)
    children.insert(place, None)


def _delete_branch(engine: PracticeEngine, flow: Json, version: Json, values: Json) -> None:
    branches, children = _router(version, values)
    place = int(values["branchIndex"])
    if 0 <= place < len(branches):
        del branches[place]
        del children[place : place + 1]


def _duplicate_branch(engine: PracticeEngine, flow: Json, version: Json, values: Json) -> None:
    branches, children = _router(version, values)
    place = int(values["branchIndex"])
    if not 0 <= place < len(branches):
        raise refuse("FLOW_OPERATION_INVALID", {"message": "there is no such branch"})
    branches.insert(
        place + 1, {**copy.deepcopy(branches[place]), "branchName": f"{branches[place]['branchName']} Copy"}
    )
    child = children[place] if place < len(children) else None
    children.insert(place + 1, _copied(version, child) if child else None)


def _move_branch(engine: PracticeEngine, flow: Json, version: Json, values: Json) -> None:
    branches, children = _router(version, values)
    source, target = int(values["sourceBranchIndex"]), int(values["targetBranchIndex"])
    inside = all(0 <= place < len(branches) for place in (source, target))
    if not inside or "FALLBACK" in (branches[source]["branchType"], branches[target]["branchType"]):
        return
    branches.insert(target, branches.pop(source))
    children.insert(target, children.pop(source))


def _metadata(engine: PracticeEngine, flow: Json, version: Json, values: Json) -> None:
    flow["metadata"] = values.get("metadata")


def _sample_data(engine: PracticeEngine, flow: Json, version: Json, values: Json) -> None:
    step = _step(version, values["stepName"])
    key = "sampleDataFileId" if values["type"] == "OUTPUT" else "sampleDataInputFileId"
    step["settings"].setdefault("sampleData", {}).update({key: engine.ids.new(), "lastTestDate": ids.stamp()})


def _clean(values: Json, without: tuple[str, ...]) -> Json:
    return {key: copy.deepcopy(value) for key, value in values.items() if key not in without}


STEP: Schema = {
    "name": need(),
    "type": need(choices=("CODE", "PIECE", "LOOP_ON_ITEMS", *tree.ROUTERS)),
    "valid": Field("boolean"),
    "displayName": need(),
    "settings": need("object"),
    "skip": Field("boolean"),
}
TRIGGER: Schema = {**STEP, "type": need(choices=("EMPTY", "PIECE_TRIGGER"))}
BRANCH: Schema = {"stepName": need(), "branchIndex": need("number")}
PLACE: Schema = {"branchIndex": Field("number")}
Act = Callable[["PracticeEngine", Json, Json, Json], None]
# type: (schema of `request`, what it does, whether it edits the version)
OPERATIONS: dict[str, tuple[Schema, Act, bool]] = {
    "CHANGE_NAME": ({"displayName": need()}, _change_name, True),
    "CHANGE_FOLDER": ({"folderId": Field("id", nullable=True)}, _change_folder, False),
    "CHANGE_STATUS": ({"status": need(choices=("ENABLED", "DISABLED"))}, change_status, False),
    "LOCK_AND_PUBLISH": ({"status": Field(choices=("ENABLED", "DISABLED"))}, _lock_and_publish, False),
    "LOCK_FLOW": ({}, _lock, False),
    "USE_AS_DRAFT": ({"versionId": need("id")}, _use_as_draft, True),
    "IMPORT_FLOW": (
        {"displayName": need(), "trigger": need("object"), "schemaVersion": need(nullable=True)},
        _import,
        True,
    ),
    "UPDATE_TRIGGER": (TRIGGER, _update_trigger, True),
    "ADD_ACTION": (
        {
            "parentStep": need(),
            "stepLocationRelativeToParent": Field(choices=LOCATIONS),
            **PLACE,
            "action": need("object"),
        },
        _add_action,
        True,
    ),
    "UPDATE_ACTION": (STEP, _update_action, True),
    "DELETE_ACTION": ({"names": need(many=True)}, _delete_action, True),
    "MOVE_ACTION": (
        {
            "name": need(),
            "newParentStep": need(),
            "stepLocationRelativeToNewParent": Field(choices=LOCATIONS),
            **PLACE,
        },
        _move_action,
        True,
    ),
    "DUPLICATE_ACTION": ({"stepName": need()}, _duplicate_action, True),
    "SET_SKIP_ACTION": ({"names": need(many=True), "skip": need("boolean")}, _skip, True),
    "ADD_BRANCH": ({**BRANCH, "branchName": need(), "conditions": Field("array")}, _add_branch, True),
    "DELETE_BRANCH": (BRANCH, _delete_branch, True),
    "DUPLICATE_BRANCH": (BRANCH, _duplicate_branch, True),
    "MOVE_BRANCH": (
        {"stepName": need(), "sourceBranchIndex": need("number"), "targetBranchIndex": need("number")},
        _move_branch,
        True,
    ),
    "UPDATE_METADATA": ({"metadata": Field("object", nullable=True)}, _metadata, False),
    "SAVE_SAMPLE_DATA": (
        {
            "stepName": need(),
            "payload": Field("any"),
            "type": need(choices=("INPUT", "OUTPUT")),
            "dataType": Field(choices=("JSON", "STRING")),
        },
        _sample_data,
        True,
    ),
}
