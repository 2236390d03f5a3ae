"""What an operation makes of a flow, before it is sent (api.md 6.5; engine-0.83.md section 5, recordings `op_*` of 0.83).

The engine answers 200 to much that it does not do or that destroys steps. A prediction is what it really does, damage included;
damage.py finds what is wrong with it. What only the engine decides is left out here and in `shape`: whether a step is valid, the
exact version of a piece, its defaults.
"""

import copy
import itertools
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from workflows_ui.engine import flow_tree

ROUTERS = ("ROUTER", "MULTIPLE_CHOICE")
LOOP = "LOOP_ON_ITEMS"
FALLBACK = "FALLBACK"
#: Keys of a step that lead to other steps.
INNER = ("nextAction", "firstLoopAction", "children")
#: Keys of a step that an update sends (api.md 6.3).
BODY = ("name", "type", "valid", "displayName", "settings", "skip")
_EXPRESSION = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_WORD = re.compile(r"\b\w+\b")
#: The condition of a new branch for which none are given (recording `op_add_branch_before_fallback`).
_NO_CONDITION = {"operator": "TEXT_CONTAINS", "firstValue": "", "secondValue": "", "caseSensitive": False}

#: What code that expects a well-formed request or flow raises for another one.
MALFORMED = (ArithmeticError, AttributeError, IndexError, KeyError, TypeError, ValueError)

Json = dict[str, Any]


class Impossible(Exception):
    """The engine would refuse the operation. `step` is the name that it does not know, "" if something else is wrong."""

    def __init__(self, step: str = "") -> None:
        super().__init__(step)
        self.step = step


@dataclass(frozen=True)
class Operation:
    """One `POST /v1/flows/{id}`."""

    type: str
    request: Json

    @property
    def body(self) -> Json:
        return {"type": self.type, "request": self.request}


def predict(flow: Mapping[str, Any], operation: Operation, versions: Mapping[str, Json] | None = None) -> Json:
    """Return the flow as it is after the operation; the argument is not changed.

    Args:
        flow: the engine's flow with its newest version (api.md 6.1).
        versions: other versions by id, for USE_AS_DRAFT.

    Raises Impossible for what the engine refuses, and for a type that is not known here.
    """
    after = copy.deepcopy(dict(flow))
    edit = _EDITS.get(operation.type)
    if edit is None:
        raise Impossible
    try:
        edit(_Edit(after, after["version"], copy.deepcopy(operation.request), versions or {}))
    except MALFORMED as problem:
        # A part of the request is missing or of another type, or the flow is malformed.
        raise Impossible from problem
    return after


def shape(flow: Mapping[str, Any]) -> Json:
    """Return what a prediction states about a flow: compare those of the predicted and of the returned flow."""
    version = flow["version"]
    return {
        "name": version.get("displayName"),
        "trigger": _step_shape(version.get("trigger")),
        "notes": [
            {key: note.get(key) for key in ("id", "content", "color", "position", "size")}
            for note in version.get("notes") or []
        ],
        **{key: flow.get(key) for key in ("status", "folderId", "metadata", "ownerId", "timeSavedPerRun")},
    }


@dataclass(frozen=True)
class _Edit:
    """A copy of the flow and of its version, and the request."""

    flow: Json
    version: Json
    request: Json
    versions: Mapping[str, Json]

    @property
    def trigger(self) -> Json:
        trigger: Json = self.version["trigger"]
        return trigger

    def find(self, name: Any) -> Json | None:
        return find(self.trigger, name)

    def step(self, key: str) -> Json:
        name = self.request.get(key)
        found = self.find(name)
        if found is None:
            raise Impossible(str(name))
        return found

    def action(self, key: str) -> Json:
        step = self.step(key)
        if step is self.trigger:
            raise Impossible(flow_tree.step_name(step))
        return step

    def router(self) -> Json | None:
        """The router of the request; None for others, where nothing happens."""
        step = self.find(self.request.get("stepName"))
        return step if step is not None and step.get("type") in ROUTERS else None


def find(trigger: Json, name: Any) -> Json | None:
    """Return the first step of this name."""
    return next((node.step for node in flow_tree.walk(trigger) if node.name == name), None)


def names(step: Json | None) -> list[str]:
    """Return the names of a step and of all that follows or lies in it, in reading order."""
    return [node.name for node in flow_tree.walk(step)]


def own_names(step: Json) -> list[str]:
    """Return the names of a step and of all that lies in it, without what follows."""
    return names({key: value for key, value in step.items() if key != "nextAction"})


def free_name(taken: Iterable[str]) -> str:
    """Return the first free `step_N`."""
    used = set(taken)
    return next(name for number in itertools.count(1) if (name := f"step_{number}") not in used)


def _new_step(request: Json, old: Json | None = None) -> Json:
    """A step as the engine stores it: its sample is never taken from the request (`op_update_action_with_sample_data_in_body`)."""
    step = {key: request[key] for key in BODY if key in request}
    settings = dict(step.get("settings") or {})
    settings.pop("sampleData", None)
    if old is not None and "sampleData" in (old.get("settings") or {}):
        settings["sampleData"] = old["settings"]["sampleData"]
    step["settings"] = settings
    if step.get("type") == LOOP:
        return step
    if step.get("type") in ROUTERS:
        step["children"] = [None for _branch in settings.get("branches") or []]
    return step


def _change_name(edit: _Edit) -> None:
    edit.version["displayName"] = edit.request["displayName"]


def _change_folder(edit: _Edit) -> None:
    """Without `folderId` nothing happens (`op_change_folder_missing`)."""
    if "folderId" in edit.request:
        edit.flow["folderId"] = edit.request["folderId"]


def _change_status(edit: _Edit) -> None:
    if edit.request["status"] == "ENABLED" and not edit.flow.get("publishedVersionId"):
        raise Impossible
    edit.flow["status"] = edit.request["status"]


def _publish(edit: _Edit) -> None:
    if edit.trigger.get("type") == "EMPTY":
        raise Impossible(flow_tree.step_name(edit.trigger))
    edit.flow["publishedVersionId"] = edit.version.get("id")
    edit.flow["status"] = edit.request.get("status") or "ENABLED"
    edit.version["state"] = "LOCKED"


def _lock(edit: _Edit) -> None:
    edit.version["state"] = "LOCKED"


def _use_as_draft(edit: _Edit) -> None:
    """Writes over the draft (`op_use_as_draft`)."""
    source = edit.versions.get(str(edit.request["versionId"]))
    if source is None:
        raise Impossible
    edit.version.update(
        copy.deepcopy({key: source[key] for key in ("displayName", "trigger", "notes") if key in source})
    )


def _import(edit: _Edit) -> None:
    """Replaces the tree, the notes too (`op_import_flow_no_notes_key`)."""
    if not isinstance(edit.request.get("trigger"), dict):
        raise Impossible
    edit.version["displayName"] = edit.request["displayName"]
    edit.version["trigger"] = edit.request["trigger"]
    edit.version["notes"] = edit.request.get("notes") or []


def _update_trigger(edit: _Edit) -> None:
    old = edit.trigger
    if edit.request.get("name") != old.get("name"):
        raise Impossible(str(edit.request.get("name")))
    edit.version["trigger"] = _new_step(edit.request, old) | {key: old[key] for key in ("nextAction",) if key in old}


def _add_action(edit: _Edit) -> None:
    """Below an unknown step nothing happens (`op_add_action_unknown_parent`)."""
    parent = edit.find(edit.request.get("parentStep"))
    if parent is not None:
        step = _new_step(edit.request["action"])
        _place(parent, edit.request.get("stepLocationRelativeToParent"), edit.request.get("branchIndex"), step)


def _update_action(edit: _Edit) -> None:
    """An unknown step is left alone; inner steps stay if the type does (`op_update_action_change_type_router_to_code`)."""
    step = edit.find(edit.request.get("name"))
    if step is None:
        return
    kept = INNER if step.get("type") == edit.request.get("type") else ("nextAction",)
    new = _new_step(edit.request, step)
    if "children" in kept:
        new.pop("children", None)
    new |= {key: step[key] for key in kept if key in step}
    step.clear()
    step |= new


def _delete_action(edit: _Edit) -> None:
    for name in edit.request["names"]:
        _remove(edit.trigger, name)


def _move_action(edit: _Edit) -> None:
    """The step is taken out first: after itself or below its own steps it is lost (`op_move_action_after_itself`)."""
    step = edit.action("name")
    edit.step("newParentStep")
    _remove(edit.trigger, flow_tree.step_name(step))
    parent = edit.find(edit.request["newParentStep"])
    if parent is not None:
        step = {key: value for key, value in step.items() if key != "nextAction"}
        _place(parent, edit.request.get("stepLocationRelativeToNewParent"), edit.request.get("branchIndex"), step)


def _duplicate_action(edit: _Edit) -> None:
    original = edit.action("stepName")
    copied = {key: value for key, value in original.items() if key != "nextAction"}
    _insert(original, "nextAction", _copy(copied, edit.trigger))


def _skip(edit: _Edit) -> None:
    for node in flow_tree.walk(edit.trigger):
        if node.name in edit.request["names"]:
            node.step["skip"] = edit.request["skip"]


def _add_branch(edit: _Edit) -> None:
    if router := edit.router():
        branches, children = _branches(router)
        index = int(edit.request["branchIndex"])
        index = index if 0 <= index <= len(branches) else len(branches)
        branches.insert(index, _branch(edit.request["branchName"], edit.request.get("conditions")))
        children.insert(index, None)


def _delete_branch(edit: _Edit) -> None:
    if router := edit.router():
        branches, children = _branches(router)
        index = int(edit.request["branchIndex"])
        if 0 <= index < len(branches):
            del branches[index]
            del children[index : index + 1]


def _duplicate_branch(edit: _Edit) -> None:
    """The copy of the fallback is an ordinary branch (`op_duplicate_branch_fallback`)."""
    if router := edit.router():
        branches, children = _branches(router)
        index = int(edit.request["branchIndex"])
        if not 0 <= index < len(branches):
            raise Impossible(flow_tree.step_name(router))
        original = branches[index]
        branches.insert(index + 1, _branch(f"{original['branchName']} Copy", original.get("conditions")))
        child = children[index] if index < len(children) else None
        children.insert(index + 1, _copy(child, edit.trigger) if child else None)


def _move_branch(edit: _Edit) -> None:
    """Never the fallback, nor onto it (`op_move_branch_fallback`, `op_move_branch_onto_fallback`)."""
    if router := edit.router():
        branches, children = _branches(router)
        source, target = int(edit.request["sourceBranchIndex"]), int(edit.request["targetBranchIndex"])
        known = all(0 <= index < len(branches) for index in (source, target))
        if known and FALLBACK not in (branches[source].get("branchType"), branches[target].get("branchType")):
            branches.insert(target, branches.pop(source))
            children.insert(target, children.pop(source))


def _update_metadata(edit: _Edit) -> None:
    edit.flow["metadata"] = edit.request.get("metadata")


def _update_owner(edit: _Edit) -> None:
    edit.flow["ownerId"] = edit.request["ownerId"]


def _update_minutes_saved(edit: _Edit) -> None:
    edit.flow["timeSavedPerRun"] = edit.request["timeSavedPerRun"]


def _sample(edit: _Edit) -> None:
    """Samples are files beside the tree: only the step has to exist."""
    edit.step("stepName")


def _add_note(edit: _Edit) -> None:
    edit.version["notes"] = [*(edit.version.get("notes") or []), edit.request]


def _update_note(edit: _Edit) -> None:
    for note in edit.version.get("notes") or []:
        if note.get("id") == edit.request["id"]:
            note |= edit.request


def _delete_note(edit: _Edit) -> None:
    notes = edit.version.get("notes") or []
    edit.version["notes"] = [note for note in notes if note.get("id") != edit.request["id"]]


_EDITS: dict[str, Callable[[_Edit], None]] = {
    "CHANGE_NAME": _change_name,
    "CHANGE_FOLDER": _change_folder,
    "CHANGE_STATUS": _change_status,
    "LOCK_AND_PUBLISH": _publish,
    "LOCK_FLOW": _lock,
    "USE_AS_DRAFT": _use_as_draft,
    "IMPORT_FLOW": _import,
    "UPDATE_TRIGGER": _update_trigger,
    "ADD_ACTION": _add_action,
    "UPDATE_ACTION": _update_action,
    "DELETE_ACTION": _delete_action,
    "MOVE_ACTION": _move_action,
    "DUPLICATE_ACTION": _duplicate_action,
    "SET_SKIP_ACTION": _skip,
    "ADD_BRANCH": _add_branch,
    "DELETE_BRANCH": _delete_branch,
    "DUPLICATE_BRANCH": _duplicate_branch,
    "MOVE_BRANCH": _move_branch,
    "UPDATE_METADATA": _update_metadata,
    "UPDATE_OWNER": _update_owner,
    "UPDATE_MINUTES_SAVED": _update_minutes_saved,
    "SAVE_SAMPLE_DATA": _sample,
    "UPDATE_SAMPLE_DATA_INFO": _sample,
    "ADD_NOTE": _add_note,
    "UPDATE_NOTE": _update_note,
    "DELETE_NOTE": _delete_note,
}
TYPES = tuple(_EDITS)


def _place(parent: Json, location: Any, index: Any, step: Json) -> None:
    """Put a step below another one. A loop or router needs a location (`op_add_action_loop_parent_no_location`); any other step has no
    inside, whatever the location (`op_add_action_inside_loop_of_code`). Before the first branch the step is lost; behind the last one
    empty branches are made (`op_add_action_inside_branch_negative`, `op_add_action_inside_branch_out_of_range`).
    """
    kind = parent.get("type")
    if location == "AFTER" or (kind != LOOP and kind not in ROUTERS):
        _insert(parent, "nextAction", step)
    elif kind == LOOP and location == "INSIDE_LOOP":
        _insert(parent, "firstLoopAction", step)
    elif kind in ROUTERS and location == "INSIDE_BRANCH" and index is not None:
        children = _branches(parent)[1]
        if (at := int(index)) > flow_tree.MOST_STEPS:
            raise Impossible(flow_tree.step_name(parent))
        if at >= 0:
            children.extend([None] * (at + 1 - len(children)))
            children[at] = step | ({"nextAction": children[at]} if children[at] else {})
    else:
        raise Impossible(flow_tree.step_name(parent))


def _insert(parent: Json, key: str, step: Json) -> None:
    following = parent.get(key)
    parent[key] = step | ({"nextAction": following} if following else {})


def _remove(trigger: Json, name: Any) -> None:
    """Take out a step with its inner steps and close the gap; the trigger stays (`op_delete_action_trigger`)."""
    for node in flow_tree.walk(trigger):
        for key in ("nextAction", "firstLoopAction"):
            child = node.step.get(key)
            if isinstance(child, dict) and child.get("name") == name:
                if following := child.get("nextAction"):
                    node.step[key] = following
                else:
                    del node.step[key]
                return
        children = node.step.get("children")
        for index, child in enumerate(children if isinstance(children, list) else []):
            if isinstance(child, dict) and child.get("name") == name:
                node.step["children"][index] = child.get("nextAction")
                return


def _copy(step: Json, trigger: Json) -> Json:
    """A deep copy with free names, whose inputs refer to the copies (`op_duplicate_action_loop`)."""
    new = copy.deepcopy(step)
    taken, renamed = set(names(trigger)), dict[str, str]()
    copies = [node.step for node in flow_tree.walk(new)]
    for inner in copies:
        name = free_name(taken)
        taken.add(name)
        renamed[flow_tree.step_name(inner)] = name
        inner |= {"name": name, "displayName": f"{inner.get('displayName')} Copy"}
    for inner in copies:
        settings = inner.get("settings")
        if isinstance(settings, dict) and "input" in settings:
            settings["input"] = _renamed(settings["input"], renamed)
    return new


def _renamed(value: Any, renamed: Mapping[str, str]) -> Any:
    """An input in whose expressions steps have other names."""
    if isinstance(value, dict):
        return {key: _renamed(inner, renamed) for key, inner in value.items()}
    if isinstance(value, list):
        return [_renamed(inner, renamed) for inner in value]
    if not isinstance(value, str):
        return value
    return _EXPRESSION.sub(lambda found: _WORD.sub(lambda word: renamed.get(word[0], word[0]), found[0]), value)


def _branch(name: str, conditions: Any) -> Json:
    listed = [[dict(_NO_CONDITION)]] if conditions is None else copy.deepcopy(conditions)
    return {"branchName": name, "branchType": "CONDITION", "conditions": listed}


def _branches(router: Json) -> tuple[list[Json], list[Json | None]]:
    """The branches of a router and the first steps in them, as lists that may be changed."""
    return router.setdefault("settings", {}).setdefault("branches", []), router.setdefault("children", [])


def _step_shape(step: Any) -> Json | None:
    """What the console decides about a step and all that follows: the engine adds defaults and drops unknown inputs."""
    if not isinstance(step, dict):
        return None
    found = step.get("settings")
    settings: Json = found if isinstance(found, dict) else {}
    shaped = {key: step.get(key) for key in ("name", "type", "displayName")} | {"skip": bool(step.get("skip"))}
    shaped |= {
        key: settings.get(key)
        for key in ("pieceName", "actionName", "triggerName", "sourceCode", "items", "executionType")
        if key in settings
    }
    if "branches" in settings:
        shaped["branches"] = [
            {key: branch.get(key) for key in ("branchName", "branchType", "conditions")}
            for branch in settings["branches"]
        ]
    shaped["input"] = settings.get("input") or {}
    shaped |= {key: _step_shape(step[key]) for key in ("nextAction", "firstLoopAction") if step.get(key)}
    if step.get("children"):
        shaped["children"] = [_step_shape(child) for child in step["children"]]
    return shaped
