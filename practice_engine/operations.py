"""The operations on a flow: ``POST /v1/flows/{id}`` with ``{type, request}``.

0.72.4: api.md 6.5; 0.83.0: engine-0.83.md section 5 and recordings ``op_*``. The latter responds 200 to much that it does not do, or
does in an unexpected way: clients have to notice.
"""

from collections.abc import Callable
from dataclasses import dataclass

from . import execution, ids, tree, validity
from .core import Engine
from .http import HttpError, Json, Request
from .schema import Field, Schema, read, required
from .validity import Rules


@dataclass
class Edit:
    """One operation: the row of the flow, its version (a copy if the operation edits it), and the values of the request."""

    engine: Engine
    flow: Json
    version: Json
    values: Json
    user: str
    rules: Rules

    @property
    def newer(self) -> bool:
        """Whether the engine is 0.83.0."""
        return self.rules.newer

    @property
    def trigger(self) -> Json:
        """The root of the tree."""
        trigger: Json = self.version["trigger"]
        return trigger

    def new_step(self, values: Json, old: Json | None = None) -> Json:
        """A step from a request as it is stored; ``old`` is the one that it replaces.

        Its sample is never taken from the request on 0.83.0 (``op_update_action_with_sample_data_in_body``).
        """
        step = tree.copied(select(values, *STEP))
        if old is not None and self.newer:
            step["settings"].pop("sampleData", None)
            step["settings"] |= select(old["settings"], "sampleData")
        if self.newer:
            for branch in step["settings"].get("branches", []):
                if "conditions" in branch:
                    branch["conditions"] = validity.known_conditions(branch["conditions"])
        return validity.prepare(step, self.flow["projectId"], self.rules)

    def check(self, step: Json, kinds: tuple[str, ...]) -> None:
        """Raise a 400 on 0.83.0 unless the step is of one of these types and well formed."""
        if self.newer:
            validity.check(step, kinds)

    def step(self, name: str) -> Json:
        """The step. Raises an error if it does not exist."""
        step = tree.find_step(self.trigger, name)
        if step is None:
            raise self.no_step(name)
        return step

    def action(self, name: str) -> Json:
        """A step, on 0.83.0 not the trigger (recordings ``op_duplicate_action_trigger``, ``op_move_action_trigger``)."""
        step = self.step(name)
        if self.newer and step is self.trigger:
            raise self.no_step(name)
        return step

    def no_step(self, name: str) -> HttpError:
        """The error for a step that does not exist (``op_move_action_unknown_step``, ``op_update_trigger_other_name``)."""
        if not self.newer:
            return HttpError.domain("STEP_NOT_FOUND", stepName=name)
        return HttpError.not_found("step", name, message="there is no such action")

    def routers(self) -> list[tuple[list[Json], list[Json | None]]]:
        """The branches and slots of routers of the request's name. On 0.83.0 nothing happens for others and unknown ones."""
        name = self.values["stepName"]
        found = [step for step in tree.find_steps(self.trigger, name) if step["type"] in tree.ROUTERS]
        if not found and not self.newer:
            self.step(name)
            raise HttpError.domain("FLOW_OPERATION_INVALID", message="the step has no branches")
        return [_branches(step) for step in found]

    def check_row(self, kind: str, identity: str | None) -> None:
        """Raise the database's error for an unknown id (recordings ``op_change_folder_unknown``, ``op_update_owner_unknown``)."""
        if identity is not None and identity not in getattr(self.engine.state, kind):
            raise HttpError.plain(500, "the id is not known to the database", "23503")


#: The schema of ``request``, the function that applies it, and whether that edits the version.
Operation = tuple[Schema, Callable[[Edit], None], bool]


def apply(engine: Engine, flow: Json, request: Request) -> None:
    """Apply the operation of a request. Raises the errors of api.md 6.4 and 6.5."""
    body, user, rules = request.payload, request.principal.user, engine.rules(request.version)
    if not isinstance(body, dict):
        raise HttpError.invalid("body must be an object")
    operation = (OPERATIONS_083 if rules.newer else OPERATIONS).get(str(body.get("type", "")))
    if operation is None:
        raise HttpError.invalid("body/type must be one of the known operations")
    if "request" not in body:
        raise HttpError.invalid("body must have required property 'request'")
    schema, act, on_version = operation
    values = read(body["request"], schema, "body/request")
    if {"*", flow["id"]} & set(engine.settings.flow_in_use):
        message = "a colleague is editing this flow"
        raise HttpError.domain("FLOW_IN_USE", flowVersionId=flow["versionId"], message=message)
    latest = engine.state.versions[flow["versionId"]]
    version = _draft(latest, rules) if on_version else latest
    act(Edit(engine, flow, version, values, user, rules))
    if on_version:
        tree.refresh(version)
        version["updatedBy"] = user
        engine.state.versions[version["id"]] = version
        flow["versionId"] = version["id"]
    flow["updated"] = ids.stamp()


def _draft(latest: Json, rules: Rules) -> Json:
    """A copy of the latest version to edit, as a new draft if that is locked."""
    version: Json = tree.copied(latest)
    if latest["state"] != "DRAFT":
        moment = ids.stamp()
        version |= {"id": ids.new_id(), "created": moment, "updated": moment, "state": "DRAFT"}
        tree.set_piece_versions(version["trigger"], rules.stored_version)
    return version


def _change_name(edit: Edit) -> None:
    edit.version["displayName"] = edit.values["displayName"]


def _change_folder(edit: Edit) -> None:
    if edit.newer and "folderId" not in edit.values:
        return
    folder = edit.values.get("folderId")
    if edit.newer:
        edit.check_row("folders", folder)
    edit.flow["folderId"] = folder


def _change_status(edit: Edit) -> None:
    """Enable or disable the published version. Without one, enabling is a 500 (api.md 6.5)."""
    flow, status = edit.flow, edit.values["status"]
    if status == "ENABLED" and flow["publishedVersionId"] is None:
        raise HttpError.plain(500, "a flow must be published before it is enabled")
    if status == "ENABLED":
        published = edit.engine.state.versions[flow["publishedVersionId"]]
        if published["trigger"]["type"] == "EMPTY":
            raise HttpError.domain("PIECE_TRIGGER_NOT_FOUND")
        flow["triggerSource"] = {"schedule": tree.schedule_for(published["trigger"])}
    else:
        flow.pop("triggerSource", None)
    flow["status"] = status


def _publish(edit: Edit) -> None:
    """Lock, publish, enable: not atomic. An empty trigger fails only at the last part (recording ``flow_draft_publish_invalid``)."""
    _lock(edit)
    edit.flow["publishedVersionId"] = edit.version["id"]
    edit.flow["updated"] = edit.version["updated"]
    status = edit.values.setdefault("status", "ENABLED")
    if edit.newer and status == "ENABLED" and edit.trigger["type"] == "EMPTY":
        message = "the flow has no trigger"
        raise HttpError.domain("ENTITY_NOT_FOUND", entityType="piece_trigger", message=message, extra={})
    _change_status(edit)


def _lock(edit: Edit) -> None:
    """Lock the version, with exact versions of pieces."""
    if edit.version["state"] != "LOCKED":
        tree.set_piece_versions(edit.trigger, validity.exact_version)
        edit.version |= {"state": "LOCKED", "updated": ids.stamp(), "updatedBy": edit.user}


def _use_as_draft(edit: Edit) -> None:
    """Overwrite the draft with an older version."""
    source = edit.engine.state.versions.get(edit.values["versionId"])
    if source is None or source["flowId"] != edit.flow["id"]:
        if edit.newer:
            raise HttpError.not_found("FlowVersion", edit.values["versionId"], message="not of this flow")
        raise HttpError.domain("ENTITY_NOT_FOUND")
    edit.version |= {"trigger": tree.copied(source["trigger"]), "displayName": source["displayName"]}
    if edit.newer:
        edit.version["notes"] = tree.copied(source.get("notes", []))


def _import(edit: Edit) -> None:
    trigger = tree.copied(edit.values["trigger"])
    for step in tree.walk(trigger):
        validity.prepare(step, edit.flow["projectId"], edit.rules)
        step["settings"].setdefault("sampleData", {})
    edit.version |= {"displayName": edit.values["displayName"], "trigger": trigger}


def _import_083(edit: Edit) -> None:
    """Replace the tree; its ``valid`` is trusted (recordings ``op_import_flow_*``)."""
    values = edit.values
    if "trigger" not in values:
        raise HttpError.plain(500, "there is no tree to migrate")
    trigger = validity.migrate(tree.copied(values["trigger"]), values.get("schemaVersion"))
    validity.check_tree(trigger)
    names = [step["name"] for step in tree.walk(trigger)]
    if len(names) > len(set(names)):
        raise HttpError.plain(500, "the steps form a circle")
    if trigger["name"] != edit.trigger["name"]:
        raise edit.no_step(trigger["name"])
    for step in tree.walk(tree.rebuild(trigger)):
        validity.prepare_imported(step, edit.rules)
    edit.version |= {"displayName": values["displayName"], "trigger": trigger, "notes": values.get("notes") or []}


def _update_trigger(edit: Edit) -> None:
    """Change the trigger; a step that has the name in the request becomes one."""
    edit.check(edit.values, validity.TRIGGERS)
    old = edit.step(edit.values["name"])
    _replace(old, {**edit.new_step(edit.values, old), **select(old, "nextAction")})


def _add_action(edit: Edit) -> None:
    """Add a step. Children in the body are dropped; each branch gets an empty slot."""
    edit.check(edit.values["action"], validity.ACTIONS)
    action = edit.values["action"] if edit.newer else read(edit.values["action"], STEP, "body/request/action")
    name = edit.values["parentStep"]
    if tree.find_step(edit.trigger, name) is None and not edit.newer:
        return  # nothing happens (api.md 6.5)
    if name == action["name"] and tree.find_step(edit.trigger, name):
        raise HttpError.plain(500, "the step would be below itself")
    step = edit.new_step(action)
    for parent in list(tree.find_steps(edit.trigger, name)):
        location = edit.values.get("stepLocationRelativeToParent")
        tree.place(parent, location, edit.values.get("branchIndex"), tree.copied(step))


def _update_action(edit: Edit) -> None:
    """Change a step, on 0.83.0 even the trigger into an action. Inner steps stay only if the type does."""
    edit.check(edit.values, validity.ACTIONS)
    for step in list(tree.find_steps(edit.trigger, edit.values["name"])):
        new = {**edit.new_step(edit.values, step), **select(step, "nextAction")}
        if new["type"] == "LOOP_ON_ITEMS":
            new |= select(step, "firstLoopAction")
        elif new["type"] in tree.ROUTERS:
            new["children"] = step.get("children", [None, None])
        _replace(step, new)


def _replace(step: Json, new: Json) -> None:
    step.clear()
    step.update(new)


def _delete_action(edit: Edit) -> None:
    """Remove steps, on 0.83.0 with the files of their samples (recording ``sample_import_16_after_delete_action_get``)."""
    for name in edit.values["names"]:
        removed = tree.remove(edit.trigger, name)
        for step in tree.walk(removed) if edit.newer else ():
            for kind in execution.FILE_KEYS:
                edit.engine.state.files.pop(execution.sample_file(step, kind), None)


def _move_action(edit: Edit) -> None:
    """Remove the step, then put it below its new parent. Below itself: lost on 0.83.0, refused before."""
    values = edit.values
    edit.action(values["name"])
    edit.step(values["newParentStep"])
    step = tree.remove(edit.trigger, values["name"])
    parents = list(tree.find_steps(edit.trigger, values["newParentStep"]))
    location = values.get("stepLocationRelativeToNewParent")
    if step is None or (not parents and not edit.newer):
        raise edit.no_step(values["name"])
    for parent in parents:
        new = tree.rebuild(tree.copied(step))
        tree.place(parent, location if edit.newer else location or "AFTER", values.get("branchIndex"), new)


def _duplicate_action(edit: Edit) -> None:
    """Insert a copy after the step."""
    original = edit.action(edit.values["stepName"])
    copied = {key: value for key, value in original.items() if key != "nextAction"}
    new = tree.copy_steps(copied, edit.trigger)
    for parent in list(tree.find_steps(edit.trigger, original["name"])):
        tree.insert_after(parent, tree.copied(new))


def _skip(edit: Edit) -> None:
    for step in tree.walk(edit.trigger):
        if step["name"] in edit.values["names"]:
            step["skip"] = edit.values["skip"]


def _add_branch(edit: Edit) -> None:
    """Insert a branch, at the end if the place does not exist."""
    if edit.newer and edit.values.get("conditions") is not None:
        edit.values["conditions"] = validity.known_conditions(edit.values["conditions"])
    for branches, children in edit.routers():
        index = int(edit.values["branchIndex"])
        index = index if 0 <= index <= len(branches) else len(branches)
        branches.insert(index, _branch(edit.values["branchName"], edit.values.get("conditions")))
        children.insert(index, None)


def _delete_branch(edit: Edit) -> None:
    """Remove a branch and its slot, if they exist."""
    index = int(edit.values["branchIndex"])
    for branches, children in edit.routers():
        if 0 <= index < len(branches):
            del branches[index]
        if 0 <= index < len(children):
            del children[index]


def _duplicate_branch(edit: Edit) -> None:
    """Insert a copy of a branch behind it. That of the fallback is an ordinary one (recording ``op_duplicate_branch_fallback``)."""
    router = edit.action(edit.values["stepName"])
    branches, children = _branches(router) if router["type"] in tree.ROUTERS else ([], [])
    index = int(edit.values["branchIndex"])
    if not 0 <= index < len(branches):
        if edit.newer:
            raise HttpError.plain(500, "there is no branch to copy the name of")
        raise HttpError.domain("FLOW_OPERATION_INVALID", message="there is no such branch")
    original = branches[index]
    branches.insert(index + 1, _branch(f"{original['branchName']} Copy", tree.copied(original.get("conditions"))))
    child = children[index] if index < len(children) else None
    children.insert(index + 1, tree.copy_steps(child, edit.trigger) if child else None)


def _move_branch(edit: Edit) -> None:
    """Move a branch; never the fallback, nor onto it."""
    source, target = int(edit.values["sourceBranchIndex"]), int(edit.values["targetBranchIndex"])
    for branches, children in edit.routers():
        exist = all(0 <= index < len(branches) for index in (source, target))
        if exist and "FALLBACK" not in (branches[source]["branchType"], branches[target]["branchType"]):
            branches.insert(target, branches.pop(source))
            child = children.pop(source) if source < len(children) else None
            children.insert(target, child)


def _branch(name: str, conditions: list[list[Json]] | None) -> Json:
    """A branch, by default with one empty condition."""
    empty = {"operator": "TEXT_CONTAINS", "firstValue": "", "secondValue": "", "caseSensitive": False}
    conditions = [[empty]] if conditions is None else conditions
    return {"branchName": name, "branchType": "CONDITION", "conditions": conditions}


def _branches(router: Json) -> tuple[list[Json], list[Json | None]]:
    return router["settings"].setdefault("branches", []), router.setdefault("children", [])


def _update_metadata(edit: Edit) -> None:
    edit.flow["metadata"] = edit.values.get("metadata")


def _save_sample_data(edit: Edit) -> None:
    """Store a step's input or output, and the id of that file in the step."""
    step = edit.step(edit.values["stepName"])
    identity = ids.new_id()
    edit.engine.state.files[identity] = {"flowId": edit.flow["id"], "payload": edit.values.get("payload")}
    key = execution.FILE_KEYS[edit.values["type"]]
    step["settings"].setdefault("sampleData", {}).update({key: identity, "lastTestDate": ids.stamp()})


def _update_sample_data_info(edit: Edit) -> None:
    """Store facts about a step's sample; null, or no value, removes them. Nothing happens for an unknown step."""
    for step in tree.find_steps(edit.trigger, edit.values["stepName"]):
        step["settings"].pop("sampleData", None)
        if edit.values.get("sampleDataSettings") is not None:
            step["settings"]["sampleData"] = {"lastTestDate": ids.stamp(), **edit.values["sampleDataSettings"]}


def _update_owner(edit: Edit) -> None:
    edit.check_row("users", edit.values["ownerId"])
    edit.flow["ownerId"] = edit.values["ownerId"]


def _update_minutes_saved(edit: Edit) -> None:
    """Without a number nothing happens; the database takes whole numbers of 32 bits (``op_update_minutes_saved_*``)."""
    number = edit.values.get("timeSavedPerRun", edit.flow.get("timeSavedPerRun"))
    if isinstance(number, bool) or not isinstance(number, int | float | None):
        raise HttpError.invalid("body/request/timeSavedPerRun must be a number or null")
    if isinstance(number, float) and not number.is_integer():
        raise HttpError.plain(500, "the database takes whole numbers", "22P02")
    if number is not None and abs(number) >= 2**31:
        raise HttpError.plain(500, "the number is too large for the database", "22003")
    edit.flow["timeSavedPerRun"] = number


def _add_note(edit: Edit) -> None:
    """Add a note. Clients choose ids, even the same twice: only the first note gets the owner at once (``op_add_note_same_id``)."""
    moment = ids.stamp()
    notes = edit.version.setdefault("notes", [])
    notes.append({**edit.values, "createdAt": moment, "updatedAt": moment})
    next(note for note in notes if note["id"] == edit.values["id"])["ownerId"] = edit.user


def _update_note(edit: Edit) -> None:
    for note in edit.version.get("notes", []):
        if note["id"] == edit.values["id"]:
            note |= {**edit.values, "ownerId": edit.values.get("ownerId") or edit.user, "updatedAt": ids.stamp()}


def _delete_note(edit: Edit) -> None:
    edit.version["notes"] = [note for note in edit.version.get("notes", []) if note["id"] != edit.values["id"]]


def select(row: Json, *names: str) -> Json:
    """Those of the keys that exist."""
    return {name: row[name] for name in names if name in row}


STEP: Schema = {**validity.STEP, "type": required(choices=("CODE", "PIECE", "LOOP_ON_ITEMS", *tree.ROUTERS))}
TRIGGER: Schema = {**STEP, "type": required(choices=("EMPTY", "PIECE_TRIGGER"))}
STEP_NAME: Schema = {"stepName": required()}
NAMES: Schema = {"names": required(many=True)}
BRANCH: Schema = {**STEP_NAME, "branchIndex": required("number")}
NEW_BRANCH: Schema = {**BRANCH, "branchName": required(), "conditions": Field("array")}
MOVE_BRANCH: Schema = {**STEP_NAME, "sourceBranchIndex": required("number"), "targetBranchIndex": required("number")}
LOCATION, INDEX = Field(choices=tree.LOCATIONS), Field("number")
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
IMPORT: Schema = {"displayName": required(), "trigger": required("object"), "schemaVersion": required(nullable=True)}
SAMPLE: Schema = {**STEP_NAME, "payload": Field("any"), "type": required(choices=("INPUT", "OUTPUT"))}
STATUS = ("ENABLED", "DISABLED")
OPERATIONS: dict[str, Operation] = {
    "CHANGE_NAME": ({"displayName": required()}, _change_name, True),
    "CHANGE_FOLDER": ({"folderId": Field("id", nullable=True)}, _change_folder, False),
    "CHANGE_STATUS": ({"status": required(choices=STATUS)}, _change_status, False),
    "LOCK_AND_PUBLISH": ({"status": Field(choices=STATUS)}, _publish, False),
    "LOCK_FLOW": ({}, _lock, False),
    "USE_AS_DRAFT": ({"versionId": required("id")}, _use_as_draft, True),
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
NOTE: Schema = {
    "id": required(),
    "content": required(),
    "color": required(choices=("orange", "red", "green", "blue", "purple", "yellow")),
    "position": required("object"),
    "size": required("object"),
}
SAMPLE_INFO: Schema = {**STEP_NAME, "sampleDataSettings": Field("object", nullable=True)}
IMPORT_083: Schema = {
    "displayName": required(),
    "trigger": Field("object"),
    "schemaVersion": Field(nullable=True),
    "notes": Field("array", nullable=True),
}
#: 0.83.0 has more operations, and checks less in the schema.
OPERATIONS_083: dict[str, Operation] = {
    **OPERATIONS,
    "CHANGE_FOLDER": ({"folderId": Field(nullable=True)}, _change_folder, False),
    "IMPORT_FLOW": (IMPORT_083, _import_083, True),
    "UPDATE_TRIGGER": (validity.STEP, _update_trigger, True),
    "UPDATE_ACTION": (validity.STEP, _update_action, True),
    "DELETE_ACTION": ({"names": required("strings")}, _delete_action, True),
    "SAVE_SAMPLE_DATA": (SAMPLE, _save_sample_data, True),
    "UPDATE_SAMPLE_DATA_INFO": (SAMPLE_INFO, _update_sample_data_info, True),
    "UPDATE_OWNER": ({"ownerId": required()}, _update_owner, False),
    "UPDATE_MINUTES_SAVED": ({"timeSavedPerRun": Field("any", nullable=True)}, _update_minutes_saved, False),
    "ADD_NOTE": (NOTE, _add_note, True),
    "UPDATE_NOTE": ({**NOTE, "ownerId": Field(nullable=True)}, _update_note, True),
    "DELETE_NOTE": ({"id": required()}, _delete_note, True),
}
