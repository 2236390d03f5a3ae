"""What an operation makes of a flow, before it is sent (api.md 6.5; engine-0.83.md section 5, recordings `op_*` of 0.83).

The engine answers 200 to operations that it ignores or that destroy steps. A prediction is what it really does, damage included, which
damage.py finds. What only the engine decides is left out here and in shape.py: whether a step is valid, the exact version of a piece,
its defaults.

An operation changes all steps of the name that it gives. What is moved, copied or imported is rebuilt step by step: each router then
has a place for each of its branches.
"""

import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import cast

from workflows_ui.core.json_values import JsonType, changed_texts, json_type
from workflows_ui.core.paths import dict_at
from workflows_ui.engine import braces, flow_tree
from workflows_ui.engine.flow_tree import FALLBACK, LOOP, ROUTERS
from workflows_ui.flow_editing.operations import Json, Operation, conditions_body, step_body

_WORD = re.compile(r"\b\w+\b", re.ASCII)
#: The condition of a new branch for which none are given (recording `op_add_branch_before_fallback`).
NO_CONDITION = {"operator": "TEXT_CONTAINS", "firstValue": "", "secondValue": "", "caseSensitive": False}

#: Raised for malformed requests and flows by code that expects well-formed ones.
MALFORMED = (ArithmeticError, AttributeError, IndexError, KeyError, TypeError, ValueError)


class Impossible(Exception):
    """The engine would refuse the operation. `step` is the name that it does not know, "" if something else is wrong."""

    def __init__(self, step: str = "") -> None:
        super().__init__(step)
        self.step = step


def predict(flow: Mapping[str, object], operation: Operation, versions: Mapping[str, Json] | None = None) -> Json:
    """The flow as it is after the operation; the argument is not changed.

    Args:
        flow: the engine's flow with its newest version (api.md 6.1).
        versions: other versions by id, for USE_AS_DRAFT.

    Raises Impossible for what the engine refuses, and for a type that is not known here.
    """
    after: Json = flow_tree.copied(dict(flow))
    edit = _EDITS.get(operation.type)
    if edit is None:
        raise Impossible
    try:
        edit(_Edit(after, after["version"], flow_tree.copied(operation.request), versions or {}))
    except MALFORMED as problem:
        # A part of the request is missing or of another type, or the flow is malformed.
        raise Impossible from problem
    return after


@dataclass(frozen=True)
class _Edit:
    """A copy of the flow and of its version, and the request."""

    flow: Json
    version: Json
    request: Json
    versions: Mapping[str, Json]

    @property
    def trigger(self) -> Json:
        return cast("Json", self.version["trigger"])

    def step(self, key: str) -> Json:
        name = self.request.get(key)
        found = step_named(self.trigger, name)
        if found is None:
            raise Impossible(str(name))
        return found

    def action(self, key: str) -> Json:
        step = self.step(key)
        if step is self.trigger:
            raise Impossible(flow_tree.step_name(step))
        return step

    def routers(self) -> Iterator[Json]:
        """The routers that the request names; none for other steps, where nothing happens."""
        return (step for step in _named(self.trigger, self.request.get("stepName")) if step.get("type") in ROUTERS)


def step_named(trigger: object, name: object) -> Json | None:
    """The first step of this name."""
    return next(_named(trigger, name), None)


def _named(trigger: object, name: object) -> Iterator[Json]:
    """The steps of this name. The tree may be changed below a step that was returned."""
    return (node.step for node in flow_tree.walk(trigger) if node.name == name)


def names(step: Json | None) -> list[str]:
    """The names of a step and of all that follows or lies in it, in reading order."""
    return [node.name for node in flow_tree.walk(step)]


def own_names(step: Json) -> list[str]:
    """The names of a step and of all that lies in it, without what follows."""
    return names({key: value for key, value in step.items() if key != "nextAction"})


def free_name(taken: Iterable[str]) -> str:
    """The first free `step_N`."""
    used = set(taken)
    return next(name for number in itertools.count(1) if (name := f"step_{number}") not in used)


def _new_step(request: Json, old: Json | None = None) -> Json:
    """A step as the engine stores it: its sample is never taken from the request (`op_update_action_with_sample_data_in_body`)."""
    step = step_body(request)
    settings = dict(step.get("settings") or {})
    settings.pop("sampleData", None)
    if old is not None and "sampleData" in (old.get("settings") or {}):
        settings["sampleData"] = old["settings"]["sampleData"]
    step["settings"] = settings
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
    """Write over the draft (`op_use_as_draft`)."""
    source = edit.versions[edit.request["versionId"]]
    edit.version.update(
        flow_tree.copied({key: source[key] for key in ("displayName", "trigger", "notes") if key in source})
    )


def _import(edit: _Edit) -> None:
    """Replace the tree, the notes too (`op_import_flow_no_notes_key`). A trigger of another name than the flow's is refused, and two
    steps of one name (`op_import_flow_duplicate_names`), and an app without a version (`op_import_flow_installed_no_version`).
    """
    trigger = edit.request["trigger"]
    [(most, number)] = Counter(names(trigger)).most_common(1)
    if trigger.get("name") != edit.trigger.get("name") or number > 1:
        raise Impossible(most)
    for node in flow_tree.walk(trigger):
        settings = dict_at(node.step, "settings")
        if settings.get("pieceName") and settings.get("pieceVersion") is None:
            raise Impossible(node.name)
        if edit.request.get("schemaVersion") is None:
            _modernize(node.step)
    edit.version["displayName"] = edit.request["displayName"]
    edit.version["trigger"] = _rebuilt(trigger)
    edit.version["notes"] = edit.request.get("notes") or []


def _modernize(step: Json) -> None:
    """A branch of the oldest exports becomes a router (`op_import_flow_unknown_step_type`)."""
    if step.get("type") == "BRANCH":
        conditions = {key: step["settings"][key] for key in ("conditions",) if key in step["settings"]}
        branches = [
            {"branchName": "Branch 1", "branchType": "CONDITION", **conditions},
            {"branchName": "Otherwise", "branchType": FALLBACK},
        ]
        children = [step.pop(key, None) for key in ("onSuccessAction", "onFailureAction")]
        settings = {"branches": branches, "executionType": "EXECUTE_FIRST_MATCH"}
        step |= {"type": "ROUTER", "settings": settings, "children": children}


def _update_trigger(edit: _Edit) -> None:
    """A step of this name becomes a trigger, wherever it is; an unknown one is refused (`op_update_trigger_other_name`)."""
    old = edit.step("name")
    _replace(old, _new_step(edit.request, old), ("nextAction",))


def _add_action(edit: _Edit) -> None:
    """Below an unknown step nothing happens (`op_add_action_unknown_parent`)."""
    action, parent = edit.request["action"], edit.request.get("parentStep")
    if action.get("name") == parent and step_named(edit.trigger, parent):
        # The engine adds it below itself, again and again.
        raise Impossible(str(parent))
    _place(edit, parent, edit.request.get("stepLocationRelativeToParent"), _new_step(action))


def _update_action(edit: _Edit) -> None:
    """An unknown step is left alone; inner steps stay if the type does (`op_update_action_change_type_router_to_code`)."""
    for step in _named(edit.trigger, edit.request.get("name")):
        new, kept_keys = _new_step(edit.request, step), ["nextAction"]
        if new.get("type") == LOOP:
            kept_keys.append("firstLoopAction")
        elif new.get("type") in ROUTERS:
            new["children"] = step.get("children", [None, None])
        _replace(step, new, kept_keys)


def _delete_action(edit: _Edit) -> None:
    for name in edit.request["names"]:
        _remove(edit.trigger, name)


def _move_action(edit: _Edit) -> None:
    """The step is taken out first: after itself or below its own steps it is lost (`op_move_action_after_itself`)."""
    step = _rebuilt({key: value for key, value in edit.action("name").items() if key != "nextAction"})
    edit.step("newParentStep")
    _remove(edit.trigger, flow_tree.step_name(step))
    _place(edit, edit.request["newParentStep"], edit.request.get("stepLocationRelativeToNewParent"), step)


def _duplicate_action(edit: _Edit) -> None:
    original = edit.action("stepName")
    copied = _copy({key: value for key, value in original.items() if key != "nextAction"}, edit.trigger)
    _place(edit, flow_tree.step_name(original), "AFTER", copied)


def _skip(edit: _Edit) -> None:
    for node in flow_tree.walk(edit.trigger):
        if node.name in edit.request["names"]:
            node.step["skip"] = edit.request["skip"]


def _add_branch(edit: _Edit) -> None:
    """A place that does not exist is the end (as `op_add_branch_unknown_step` shows what was done before it)."""
    asked = int(edit.request["branchIndex"])
    for router in edit.routers():
        branches, children = _branches(router)
        index = asked if 0 <= asked <= len(branches) else len(branches)
        branches.insert(index, _branch(edit.request["branchName"], conditions_body(edit.request.get("conditions"))))
        children.insert(index, None)


def _delete_branch(edit: _Edit) -> None:
    index = int(edit.request["branchIndex"])
    for router in edit.routers():
        for listed in _branches(router) if index >= 0 else ():
            del listed[index : index + 1]


def _duplicate_branch(edit: _Edit) -> None:
    """The copy of the fallback is an ordinary branch (`op_duplicate_branch_fallback`). A step without this branch is refused."""
    router = edit.action("stepName")
    branches, children = _branches(router)
    index = int(edit.request["branchIndex"])
    if router.get("type") not in ROUTERS or not 0 <= index < len(branches):
        raise Impossible(flow_tree.step_name(router))
    original = branches[index]
    branches.insert(index + 1, _branch(f"{original['branchName']} Copy", original.get("conditions")))
    child = children[index] if index < len(children) else None
    children.insert(index + 1, _copy(child, edit.trigger) if child else None)


def _move_branch(edit: _Edit) -> None:
    """Never the fallback, nor onto it (`op_move_branch_fallback`, `op_move_branch_onto_fallback`)."""
    source, target = int(edit.request["sourceBranchIndex"]), int(edit.request["targetBranchIndex"])
    for router in edit.routers():
        branches, children = _branches(router)
        known = all(0 <= index < len(branches) for index in (source, target))
        if known and FALLBACK not in (branches[source].get("branchType"), branches[target].get("branchType")):
            branches.insert(target, branches.pop(source))
            children.extend([None] * (source + 1 - len(children)))
            children.insert(target, children.pop(source))


def _update_metadata(edit: _Edit) -> None:
    edit.flow["metadata"] = edit.request.get("metadata")


def _update_minutes_saved(edit: _Edit) -> None:
    """Without a number nothing happens (`op_update_minutes_saved_key_missing`)."""
    if "timeSavedPerRun" in edit.request:
        edit.flow["timeSavedPerRun"] = edit.request["timeSavedPerRun"]


def _update_owner(edit: _Edit) -> None:
    edit.flow["ownerId"] = edit.request["ownerId"]


def _sample(edit: _Edit) -> None:
    """Samples are files outside the tree: only the step has to exist (`op_save_sample_data_unknown_step`)."""
    edit.step("stepName")


def _sample_info(edit: _Edit) -> None:
    """Facts about a sample are stored outside the tree, too; nothing happens for an unknown step."""
    if json_type(edit.request["stepName"]) is not JsonType.TEXT:
        raise Impossible


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
    "UPDATE_SAMPLE_DATA_INFO": _sample_info,
    "ADD_NOTE": _add_note,
    "UPDATE_NOTE": _update_note,
    "DELETE_NOTE": _delete_note,
}
TYPES = tuple(_EDITS)


def _place(edit: _Edit, parent: object, location: object, step: Json) -> None:
    """Put a step below those of this name. A loop or router needs a location (`op_add_action_loop_parent_no_location`); any other step
    has no inside, whatever the location (`op_add_action_inside_loop_of_code`).
    """
    for number, found in enumerate(_named(edit.trigger, parent)):
        kind, new = found.get("type"), flow_tree.copied(step) if number else step
        if location == "AFTER" or (kind != LOOP and kind not in ROUTERS):
            _insert(found, "nextAction", new)
        elif kind == LOOP and location == "INSIDE_LOOP":
            _insert(found, "firstLoopAction", new)
        elif kind in ROUTERS and location == "INSIDE_BRANCH" and edit.request.get("branchIndex") is not None:
            _place_in_branch(found, int(edit.request["branchIndex"]), new)
        else:
            raise Impossible(flow_tree.step_name(found))


def _place_in_branch(router: Json, index: int, step: Json) -> None:
    """Before the first branch the step is lost; behind the last one empty branches are made (`op_add_action_inside_branch_negative`,
    `op_add_action_inside_branch_out_of_range`).
    """
    if index > flow_tree.MOST_STEPS:
        raise Impossible(flow_tree.step_name(router))
    if index >= 0:
        children = _branches(router)[1]
        children.extend([None] * (index + 1 - len(children)))
        children[index] = step | ({"nextAction": children[index]} if children[index] else {})


def _insert(parent: Json, key: str, step: Json) -> None:
    following = parent.get(key)
    parent[key] = step | ({"nextAction": following} if following else {})


def _replace(step: Json, new: Json, kept_keys: Iterable[str]) -> None:
    """Turn a step into another one, which keeps these parts."""
    new |= {key: step[key] for key in kept_keys if key in step}
    step.clear()
    step |= new


def _remove(trigger: Json, name: object) -> None:
    """Remove steps with their inner steps and close the gap; the trigger stays (`op_delete_action_trigger`)."""
    for node in flow_tree.walk(trigger):
        for container, key, child in list(flow_tree.slots(node.step)):
            if child.get("name") == name:
                following = child.get("nextAction")
                if following or container is not node.step:
                    container[key] = following
                else:
                    del container[key]


def _rebuilt(step: Json) -> Json:
    """The same steps with a slot for each branch of a router, and the slots that belong to no branch."""
    for node in flow_tree.walk(step):
        if node.step.get("type") in ROUTERS:
            filled = [child if flow_tree.is_step(child) else None for child in node.step.get("children") or []]
            while filled and filled[-1] is None:
                filled.pop()
            branches = node.step.get("settings", {}).get("branches") or []
            node.step["children"] = filled + [None] * (len(branches) - len(filled))
        else:
            node.step.pop("children", None)
        if node.step.get("type") != LOOP:
            node.step.pop("firstLoopAction", None)
    return step


def _copy(step: Json, trigger: Json) -> Json:
    """A deep copy with free names, whose inputs refer to the copies (`op_duplicate_action_loop`)."""
    new = _rebuilt(flow_tree.copied(step))
    taken, renamed = set(names(trigger)), dict[str, str]()
    copies = [node.step for node in flow_tree.walk(new)]
    for inner in copies:
        name = free_name(taken)
        taken.add(name)
        renamed[flow_tree.step_name(inner)] = name
        inner |= {"name": name, "displayName": f"{inner.get('displayName')} Copy"}
    for inner in copies:
        settings = dict_at(inner, "settings")
        if "input" in settings:
            settings["input"] = changed_texts(settings["input"], partial(_renamed, renamed=renamed))
    return new


def _renamed(text: str, renamed: Mapping[str, str]) -> str:
    """A text in whose expressions steps have other names."""

    def with_names(expression: str) -> str:
        return _WORD.sub(lambda word: renamed.get(word[0], word[0]), expression)

    # The engine does not resolve expressions that span lines.
    return "\n".join(braces.replaced(line, with_names) for line in text.split("\n"))


def _branch(name: str, conditions: object) -> Json:
    listed = [[dict(NO_CONDITION)]] if conditions is None else flow_tree.copied(conditions)
    return {"branchName": name, "branchType": "CONDITION", "conditions": listed}


def _branches(router: Json) -> tuple[list[Json], list[Json | None]]:
    """The branches of a router and the first steps in them, as lists that may be changed."""
    return router.setdefault("settings", {}).setdefault("branches", []), router.setdefault("children", [])
