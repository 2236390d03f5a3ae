"""The parts of a flow that a prediction states, for comparing it with the engine's result."""

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]


def shape(flow: Mapping[str, Any]) -> Json:
    """The parts of a flow that a prediction states, to compare those of the predicted and of the returned flow."""
    version = flow["version"]
    return {
        "name": version.get("displayName"),
        "trigger": _chain_shape(version.get("trigger")),
        "notes": [
            {key: note.get(key) for key in ("id", "content", "color", "position", "size")}
            for note in version.get("notes") or []
        ],
        **{
            key: flow.get(key)
            for key in ("status", "publishedVersionId", "folderId", "metadata", "ownerId", "timeSavedPerRun")
        },
    }


def _chain_shape(step: Any) -> list[Json]:
    """A step and its successors, without recursion: a chain is as deep as the flow is long."""
    chain = []
    while isinstance(step, dict):
        chain.append(_step_shape(step))
        step = step.get("nextAction")
    return chain


def _step_shape(step: Json) -> Json:
    """The parts of a step that the console decides: the engine adds defaults and drops unknown inputs."""
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
    if step.get("firstLoopAction"):
        shaped["firstLoopAction"] = _chain_shape(step["firstLoopAction"])
    if step.get("children"):
        shaped["children"] = [_chain_shape(child) for child in step["children"]]
    return shaped
