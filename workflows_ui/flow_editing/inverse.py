"""The operation that undoes an edit: its inverse where there is one, since an import leaves steps without their samples.

Each candidate follows from the difference of two trees, and is taken only if its prediction is the flow as it was.
"""

from collections.abc import Iterator, Mapping

from workflows_ui.core.paths import dict_at, dicts_at, list_at, text_at
from workflows_ui.core.readers import as_text
from workflows_ui.engine import flow_tree
from workflows_ui.flow_editing import damage
from workflows_ui.flow_editing.operations import TREE, Json, Operation, step_body
from workflows_ui.flow_editing.prediction import MALFORMED, Impossible, predict
from workflows_ui.flows import notes
from workflows_ui.pieces.missing_apps import exact
from workflows_ui.resource_admin.resource import id_at

#: What the engine decides about a step, and its sample, which no operation on the tree needs.
_ENGINES, _SAMPLE = ("lastUpdatedDate", "valid"), "sampleData"
_NOTE = ("id", "content", "color", "position", "size")
#: The operation that sets each part of a flow besides its version.
_ON_FLOW = {
    "status": "CHANGE_STATUS",
    "folderId": "CHANGE_FOLDER",
    "ownerId": "UPDATE_OWNER",
    "metadata": "UPDATE_METADATA",
    "timeSavedPerRun": "UPDATE_MINUTES_SAVED",
}


def inverse(flow: Mapping[str, object], before: Mapping[str, object], parts: Mapping[str, object]) -> Operation:
    """The operation that makes a flow what it was; an import of the earlier version if no other does.

    Args:
        flow: the flow as it is now.
        before: its version before the edit.
        parts: what the edit changed besides the version, as it was.
    """
    earlier = {**flow, **parts, "version": {**dict_at(flow, "version"), **before}}
    wanted = _essence(earlier)
    if wanted == _essence(flow):
        for operation in _of_samples(dict_at(flow, "version.trigger"), dict_at(before, "trigger")):
            return operation
    for operation in _candidates(flow, earlier, parts):
        try:
            predicted = predict(flow, operation)
            if _essence(predicted) == wanted and not damage.problems(flow, predicted, operation):
                return operation
        except (Impossible, *MALFORMED):
            continue
    return Operation("IMPORT_FLOW", {"notes": [], **{key: before[key] for key in TREE if key in before}})


def samples(flow: Mapping[str, object], before: Mapping[str, object], operation: str) -> dict[str, tuple[Json, bool]]:
    """What the steps of the earlier version have as samples, by name: of the same step now, else of that version; and whether the former.

    The files of samples outlive an import (recordings `sample_import_11_import_same_tree`, `sample_import_15_undo_get_step_1`). Engines
    before 0.83 leave samples in an imported tree, and cannot set them. The file of a deleted step's sample is gone.

    Args:
        flow: the flow before the undo.
        before: the version that is brought back.
        operation: the type of the operation that undoes.
    """
    if not notes.has_notes(flow) or operation in ("ADD_ACTION", "UPDATE_SAMPLE_DATA_INFO"):
        return {}
    now = flow_tree.steps_by_name(dict_at(flow, "version.trigger"))
    found = {}
    for node in flow_tree.walk(dict_at(before, "trigger")):
        step = now.get(node.name, {})
        if _kind(step) == _kind(node.step) and (sample := _sample(step)):
            found[node.name] = (sample, True)
        elif sample := _sample(node.step):
            found[node.name] = (sample, False)
    return found


def _kind(step: Mapping[str, object]) -> list[object]:
    settings = dict_at(step, "settings")
    return [step.get("type"), *(settings.get(key) for key in ("pieceName", "actionName", "triggerName"))]


def _sample(step: Mapping[str, object]) -> Json:
    return dict_at(step, f"settings.{_SAMPLE}")


def files(sample: Mapping[str, object]) -> Json:
    """The ids of a sample's files, without the time when it was named."""
    return {key: value for key, value in sample.items() if key != "lastTestDate"}


def set_sample(step: str, sample: Json | None) -> Operation:
    """The operation that names the files of a step's sample."""
    return Operation("UPDATE_SAMPLE_DATA_INFO", {"stepName": step, "sampleDataSettings": sample})


def _of_samples(now: Json, before: Json) -> Iterator[Operation]:
    steps = flow_tree.steps_by_name(now)
    for node in flow_tree.walk(before):
        if node.name in steps and files(sample := _sample(node.step)) != files(_sample(steps[node.name])):
            yield set_sample(node.name, sample or None)


def _essence(flow: Mapping[str, object]) -> Json:
    """What an undo restores, without what the engine decides alone."""
    version = dict_at(flow, "version")
    steps = [
        (node.depth, node.parent, node.branch_index, _essence_of_step(node.step))
        for node in flow_tree.walk(version.get("trigger"))
    ]
    notes = [{key: note.get(key) for key in _NOTE} for note in dicts_at(version, "notes")]
    parts = {key: flow.get(key) for key in _ON_FLOW}
    return {"name": version.get("displayName"), "steps": steps, "notes": notes, **parts}


def _essence_of_step(step: Mapping[str, object]) -> Json:
    body = {key: value for key, value in step_body(step).items() if key not in _ENGINES} | {
        "skip": bool(step.get("skip"))
    }
    settings = {key: value for key, value in dict_at(step, "settings").items() if key != _SAMPLE}
    if "pieceVersion" in settings:
        settings["pieceVersion"] = exact(as_text(settings["pieceVersion"]))
    return body | {"settings": settings}


def _candidates(
    now: Mapping[str, object], earlier: Mapping[str, object], parts: Mapping[str, object]
) -> Iterator[Operation]:
    for key, value in parts.items():
        yield Operation(_ON_FLOW[key], {key: value})
    old, new = dict_at(now, "version"), dict_at(earlier, "version")
    if old.get("displayName") != new.get("displayName"):
        yield Operation("CHANGE_NAME", {"displayName": new.get("displayName")})
    yield from _of_notes(old, new)
    yield from _of_steps(dict_at(old, "trigger"), dict_at(new, "trigger"))


def _of_notes(old: Json, new: Json) -> Iterator[Operation]:
    """None for a deleted note: it would be the last one, and its author would be the sender."""
    existing, wanted = ({id_at(note): note for note in dicts_at(version, "notes")} for version in (old, new))
    for key in existing.keys() - wanted.keys():
        yield Operation("DELETE_NOTE", {"id": key})
    for key in existing.keys() & wanted.keys():
        if wanted[key] != existing[key]:
            # Without an author, the engine takes the sender of the change.
            values = {name: wanted[key][name] for name in (*_NOTE, "ownerId") if wanted[key].get(name) is not None}
            yield Operation("UPDATE_NOTE", values)


def _of_steps(old: Json, new: Json) -> Iterator[Operation]:
    """From the tree as it is to the one that it was."""
    there, wanted = ({node.name: node for node in flow_tree.nodes(trigger)} for trigger in (old, new))
    routers = [name for name in there if name in wanted and there[name].step.get("type") in flow_tree.ROUTERS]
    for name in routers:
        yield from _of_branches(there[name].step, wanted[name].step)
    added = [node for node in there.values() if node.name not in wanted]
    if added:
        inner = {step.name for node in added for step in flow_tree.inner(node)}
        yield Operation("DELETE_ACTION", {"names": [node.name for node in added if node.name not in inner]})
    for name in [name for name in wanted if name not in there][:1]:
        yield Operation(
            "ADD_ACTION",
            _position(wanted[name], wanted, "parentStep", "ToParent") | {"action": step_body(wanted[name].step)},
        )
    skipped = [
        name for name in there if name in wanted and _is_skipped(there[name].step) is not _is_skipped(wanted[name].step)
    ]
    for skip in {_is_skipped(wanted[name].step) for name in skipped}:
        yield Operation("SET_SKIP_ACTION", {"names": skipped, "skip": skip})
    for name, node in wanted.items():
        if name in there and _essence_of_step(there[name].step) != _essence_of_step(node.step):
            is_trigger = node.step.get("type") in flow_tree.TRIGGERS
            yield Operation("UPDATE_TRIGGER" if is_trigger else "UPDATE_ACTION", step_body(node.step))
    for name, node in wanted.items():
        known = there.get(name)
        if known and node.parent and _where(known) != _where(node):
            yield Operation("MOVE_ACTION", {"name": name} | _position(node, wanted, "newParentStep", "ToNewParent"))


def _is_skipped(step: Mapping[str, object]) -> bool:
    return bool(step.get("skip"))


def _where(node: flow_tree.Node) -> tuple[object, ...]:
    return node.depth, node.parent, node.branch, node.branch_index, node.in_loop


def _of_branches(router: Json, wanted: Json) -> Iterator[Operation]:
    old, new = (list_at(step, "settings.branches") for step in (router, wanted))
    name = text_at(router, "name")
    differing = (number for number, pair in enumerate(zip(old, new, strict=False)) if pair[0] != pair[1])
    first = next(differing, min(len(old), len(new)))
    if len(old) == len(new) + 1:
        # A copy is like the branch before it.
        for index in range(first, -1, -1):
            yield Operation("DELETE_BRANCH", {"stepName": name, "branchIndex": index})
    elif len(old) == len(new) - 1:
        branch = new[first]
        request = {"stepName": name, "branchIndex": first, "branchName": text_at(branch, "branchName")}
        yield Operation("ADD_BRANCH", request | {"conditions": list_at(branch, "conditions")})
    elif len(old) == len(new) and first < len(old):
        last = max(number for number, pair in enumerate(zip(old, new, strict=True)) if pair[0] != pair[1])
        for source, target in ((first, last), (last, first)):
            yield Operation("MOVE_BRANCH", {"stepName": name, "sourceBranchIndex": source, "targetBranchIndex": target})


def _position(node: flow_tree.Node, nodes: Mapping[str, flow_tree.Node], parent: str, suffix: str) -> Json:
    """Where a step is, as a request has it: `parent` and `suffix` are of the names of its parts."""
    above = nodes[node.parent or ""].step
    request: Json = {parent: node.parent, f"stepLocationRelative{suffix}": "AFTER"}
    if above.get("nextAction") is node.step:
        return request
    if above.get("type") not in flow_tree.ROUTERS:
        return request | {f"stepLocationRelative{suffix}": "INSIDE_LOOP"}
    return request | {f"stepLocationRelative{suffix}": "INSIDE_BRANCH", "branchIndex": node.branch_index}
