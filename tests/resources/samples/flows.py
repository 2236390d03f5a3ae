"""A flow."""

import json
from typing import Any

from tests import flows
from tests.resources.samples import Sample
from tests.stub_engine import flow
from workflows_ui.flow_editing import services as flow_edits

#: A tree that fits every version of the engine, so that nothing has to be asked.
_TREE = {"name": "trigger", "type": "EMPTY", "valid": True, "displayName": "Select a trigger", "settings": {}}
_FILE = json.dumps({"template": {"displayName": "From a file", "trigger": _TREE, "schemaVersion": "8"}}).encode()


def _edit(stage: Any, key: str) -> None:
    """An edit that can be undone."""
    flow = stage.session.workflows.get_flow(key)
    before = flow | {"version": flow["version"] | {"displayName": "As before"}}
    edit = flow_edits.begin(stage.session, key, "CHANGE_NAME", before, flow)
    flow_edits.end(edit, flow["version"], as_expected=True, meanwhile=False)


def _sample(stage: Any, key: str) -> None:
    """The trigger has a sample."""
    request = {"stepName": "trigger", "payload": {"a": 1}, "type": "OUTPUT", "dataType": "JSON"}
    stage.session.workflows.apply_flow_operation(key, {"type": "SAVE_SAMPLE_DATA", "request": request})
    stage.practice.journal.clear()


def _two_versions(stage: Any, key: str) -> None:
    """The draft has another name than the version that was locked."""
    for kind, request in (("LOCK_FLOW", {}), ("CHANGE_NAME", {"displayName": "Later"})):
        stage.session.workflows.apply_flow_operation(key, {"type": kind, "request": request})
    stage.practice.journal.clear()


def _webhook(stage: Any, key: str) -> None:
    """The flow starts with an app."""
    workflows = stage.session.workflows
    if workflows.get_flow(key)["version"]["trigger"]["type"] == "EMPTY":
        trigger: Any = flows.WEBHOOK
        installed = workflows.get_piece(trigger["settings"]["pieceName"])["version"]
        request = trigger | {"settings": trigger["settings"] | {"pieceVersion": installed}}
        workflows.apply_flow_operation(key, {"type": "UPDATE_TRIGGER", "request": request})
        stage.practice.journal.clear()


SAMPLE = Sample(
    "/flows",
    lambda name: flow(name=name),
    ("/flows", "/folders"),
    late=("/flow-runs", "/app-connections"),
    filter="status=ENABLED",
    odd_filter="status=NO_SUCH_STATE",
    typed={
        "import": {"file": _FILE},
        "import-here": {"file": _FILE},
        "step-app": {"piece": "@activepieces/piece-approval", "operation_name": "wait_for_approval"},
        **{action: {"name": "Something new"} for action in ("step-rename", "branch-rename")},
        "step-failure": {"retry_on_failure": True},
        "step-code": {"code": "export const code = async () => 1;"},
        "branch-conditions": {"first1": "{{trigger.body.sum}}", "operator1": "EXISTS"},
        "note-change": {"content": "Something else"},
        "step-sample": {"payload": '{"a": 2}'},
        "router-execution": {"execution": "EXECUTE_ALL_MATCH"},
        "minutes-saved": {"minutes": "5"},
        "operation": {"type": "CHANGE_NAME", "request": '{"displayName": "Something new"}'},
    },
    versions=dict.fromkeys(
        ["minutes-saved", "note-add", "note-change", "note-delete", "owner", "step-sample-clear", "step-test"], "0.83.0"
    ),
    prepared={
        "edit-undo": _edit,
        "step-sample-clear": _sample,
        "step-settings": _webhook,
        "use-as-draft": _two_versions,
    },
    huge={"metadata": {"note": "y" * 3_000_000}},
)
