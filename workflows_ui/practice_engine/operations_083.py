"""The operations on a flow that 0.83.0 does differently or adds (engine-0.83.md section 5; recordings ``op_*``).

The engine responds 200 to much that it does not do, or does in an unexpected way: clients have to notice.
"""

import copy

from . import ids, operations, steps_083, tree
from .http import HttpError, Json
from .operations import OPERATIONS, Edit, Operation, clean, select
from .schema import Field, Schema, required


class Edit083(Edit):
    """One operation on 0.83.0."""

    def no_step(self, name: str) -> HttpError:
        """Return the 404 of recordings ``op_move_action_unknown_step``, ``op_update_trigger_other_name``."""
        params = {"entityType": "step", "entityId": name, "message": "there is no such action"}
        return HttpError.domain("ENTITY_NOT_FOUND", params)

    def action(self, name: str) -> Json:
        """Return a step that is not the trigger (recordings ``op_duplicate_action_trigger``, ``op_move_action_trigger``)."""
        step = self.step(name)
        if step is self.trigger:
            raise self.no_step(name)
        return step

    def router(self) -> Json | None:
        """Return the router; None, and nothing happens, if the step is not a router or does not exist."""
        step = tree.find(self.trigger, self.values["stepName"])
        return step if step is not None and step["type"] in tree.ROUTERS else None

    def no_branch(self) -> HttpError:
        """Return the 500 of copying the name of no branch."""
        return HttpError.plain(500, "there is no branch to copy the name of")

    def check_row(self, kind: str, identity: str | None) -> None:
        """Raise the database's error for an unknown id (recordings ``op_change_folder_unknown``, ``op_update_owner_unknown``)."""
        if identity is not None and identity not in getattr(self.engine.state, kind):
            raise HttpError.plain(500, "the id is not known to the database", "23503")


def _change_folder(edit: Edit083) -> None:
    if "folderId" in edit.values:
        edit.check_row("folders", edit.values["folderId"])
        edit.flow["folderId"] = edit.values["folderId"]


def _publish(edit: Edit083) -> None:
    try:
        operations.publish(edit)
    except HttpError as error:
        if error.body.get("code") != "PIECE_TRIGGER_NOT_FOUND":
            raise
        params = {"entityType": "piece_trigger", "message": "the flow has no trigger", "extra": {}}
        raise HttpError.domain("ENTITY_NOT_FOUND", params) from None


def _use_as_draft(edit: Edit083) -> None:
    source = edit.engine.state.versions.get(edit.values["versionId"])
    if source is None or source["flowId"] != edit.flow["id"]:
        params = {"entityId": edit.values["versionId"], "entityType": "FlowVersion", "message": "not of this flow"}
        raise HttpError.domain("ENTITY_NOT_FOUND", params)
    operations.use_as_draft(edit)
    edit.version["notes"] = copy.deepcopy(source.get("notes", []))


def _import(edit: Edit083) -> None:
    """Replace the tree; its ``valid`` is trusted (recordings ``op_import_flow_*``)."""
    values = edit.values
    if "trigger" not in values:
        raise HttpError.plain(500, "there is no tree to migrate")
    trigger = steps_083.migrate(copy.deepcopy(values["trigger"]), values.get("schemaVersion"))
    steps_083.check_tree(trigger)
    names = [step["name"] for step in tree.walk(trigger)]
    if len(names) > len(set(names)):
        raise HttpError.plain(500, "the steps form a circle")
    for step in tree.walk(trigger):
        steps_083.prepare_imported(step, edit.rules)
    edit.version |= {"displayName": values["displayName"], "trigger": trigger, "notes": values.get("notes") or []}


def _update_trigger(edit: Edit083) -> None:
    steps_083.check(edit.values, steps_083.TRIGGERS)
    old = edit.trigger
    if edit.values["name"] != old["name"]:
        raise edit.no_step(edit.values["name"])
    edit.version["trigger"] = {**_changed(edit, old), **select(old, "nextAction")}


def _add_action(edit: Edit083) -> None:
    action = edit.values["action"]
    steps_083.check(action, steps_083.ACTIONS)
    parent = tree.find(edit.trigger, edit.values["parentStep"])
    step = edit.prepared(clean(select(action, *steps_083.STEP), tree.CHILD_KEYS))
    if parent is not None:
        operations.place(parent, edit.values.get("stepLocationRelativeToParent"), edit.values.get("branchIndex"), step)


def _update_action(edit: Edit083) -> None:
    """Change a step, even the trigger into an action. Inner steps stay only if the type does."""
    steps_083.check(edit.values, steps_083.ACTIONS)
    step = tree.find(edit.trigger, edit.values["name"])
    if step is None:
        return
    inner = ("firstLoopAction", "children") if step["type"] == edit.values["type"] else ()
    new = {**_changed(edit, step), **select(step, "nextAction", *inner)}
    step.clear()
    step.update(new)


def _changed(edit: Edit083, old: Json) -> Json:
    """The new step. Its sample is never taken from the request (``op_update_action_with_sample_data_in_body``)."""
    new = clean(select(edit.values, *steps_083.STEP), tree.CHILD_KEYS)
    new["settings"].pop("sampleData", None)
    new["settings"] |= select(old["settings"], "sampleData")
    return edit.prepared(new)


def _delete_action(edit: Edit083) -> None:
    for name in edit.values["names"]:
        if name != edit.trigger["name"]:
            tree.remove(edit.trigger, name)


def _move_action(edit: Edit083) -> None:
    """Remove the step, then put it below its new parent; without that it is lost."""
    values = edit.values
    edit.action(values["name"])
    edit.step(values["newParentStep"])
    step = tree.remove(edit.trigger, values["name"])
    parent = tree.find(edit.trigger, values["newParentStep"])
    if step is not None and parent is not None:
        operations.place(parent, values.get("stepLocationRelativeToNewParent"), values.get("branchIndex"), step)


def _duplicate_action(edit: Edit083) -> None:
    operations.duplicate(edit, edit.action(edit.values["stepName"]))


def _update_sample_data_info(edit: Edit083) -> None:
    """Set what is stored about a step's sample or, by null or nothing, remove it."""
    settings = edit.step(edit.values["stepName"])["settings"]
    settings.pop("sampleData", None)
    if edit.values.get("sampleDataSettings") is not None:
        settings["sampleData"] = {"lastTestDate": ids.stamp(), **edit.values["sampleDataSettings"]}


def _update_owner(edit: Edit083) -> None:
    edit.check_row("users", edit.values["ownerId"])
    edit.flow["ownerId"] = edit.values["ownerId"]


def _update_minutes_saved(edit: Edit083) -> None:
    number = edit.values["timeSavedPerRun"]
    if isinstance(number, bool) or not isinstance(number, int | float | None):
        raise HttpError.invalid("body/request/timeSavedPerRun must be a number or null")
    edit.flow["timeSavedPerRun"] = number


def _notes(edit: Edit083) -> list[Json]:
    notes: list[Json] = edit.version.setdefault("notes", [])
    return notes


def _add_note(edit: Edit083) -> None:
    """Add a note. Clients choose ids, even the same twice: only the first note gets the owner at once (``op_add_note_same_id``)."""
    moment = ids.stamp()
    notes = _notes(edit)
    notes.append({**edit.values, "createdAt": moment, "updatedAt": moment})
    next(note for note in notes if note["id"] == edit.values["id"])["ownerId"] = edit.user


def _update_note(edit: Edit083) -> None:
    for note in _notes(edit):
        if note["id"] == edit.values["id"]:
            note |= {**edit.values, "ownerId": edit.values.get("ownerId") or edit.user, "updatedAt": ids.stamp()}


def _delete_note(edit: Edit083) -> None:
    edit.version["notes"] = [note for note in _notes(edit) if note["id"] != edit.values["id"]]


IMPORT: Schema = {
    "displayName": required(),
    "trigger": Field("object"),
    "schemaVersion": Field(nullable=True),
    "notes": Field("array", nullable=True),
}
NOTE: Schema = {
    "id": required(),
    "content": required(),
    "color": required(choices=("orange", "red", "green", "blue", "purple", "yellow")),
    "position": required("object"),
    "size": required("object"),
}
SAMPLE_INFO: Schema = {**operations.STEP_NAME, "sampleDataSettings": Field("object", nullable=True)}
OPERATIONS_083: dict[str, Operation] = {
    **OPERATIONS,
    "CHANGE_FOLDER": ({"folderId": Field(nullable=True)}, _change_folder, False),
    "LOCK_AND_PUBLISH": (OPERATIONS["LOCK_AND_PUBLISH"][0], _publish, False),
    "USE_AS_DRAFT": (OPERATIONS["USE_AS_DRAFT"][0], _use_as_draft, True),
    "IMPORT_FLOW": (IMPORT, _import, True),
    "UPDATE_TRIGGER": (steps_083.STEP, _update_trigger, True),
    "ADD_ACTION": (operations.ADD, _add_action, True),
    "UPDATE_ACTION": (steps_083.STEP, _update_action, True),
    "DELETE_ACTION": ({"names": required("strings")}, _delete_action, True),
    "MOVE_ACTION": (operations.MOVE, _move_action, True),
    "DUPLICATE_ACTION": (operations.STEP_NAME, _duplicate_action, True),
    "SAVE_SAMPLE_DATA": (operations.SAMPLE, OPERATIONS["SAVE_SAMPLE_DATA"][1], True),
    "UPDATE_SAMPLE_DATA_INFO": (SAMPLE_INFO, _update_sample_data_info, True),
    "UPDATE_OWNER": ({"ownerId": required()}, _update_owner, False),
    "UPDATE_MINUTES_SAVED": ({"timeSavedPerRun": required("any", nullable=True)}, _update_minutes_saved, False),
    "ADD_NOTE": (NOTE, _add_note, True),
    "UPDATE_NOTE": ({**NOTE, "ownerId": Field(nullable=True)}, _update_note, True),
    "DELETE_NOTE": ({"id": required()}, _delete_note, True),
}
