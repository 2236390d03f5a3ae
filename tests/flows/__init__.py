"""Flows that tests make on the practice engine, over HTTP, as a builder would."""

from typing import Any

from workflows_ui.engine import Workflows

WEBHOOK = {
    "name": "trigger",
    "type": "PIECE_TRIGGER",
    "valid": True,
    "displayName": "Catch Webhook",
    "settings": {
        "pieceName": "@activepieces/piece-webhook",
        "triggerName": "catch_webhook",
        "input": {"authType": "none", "authFields": {}},
        "propertySettings": {},
    },
}


def code(behaviour: str, **inputs: Any) -> dict[str, Any]:
    """A code step with one of the practice engine's behaviours."""
    source = f"// practice: {behaviour}\nexport const code = async (inputs) => inputs;"
    return {
        "type": "CODE",
        "valid": True,
        "displayName": behaviour.split()[0].title(),
        "settings": {"sourceCode": {"code": source, "packageJson": "{}"}, "input": inputs},
    }


def response(body: Any, status: int = 200, *, stop: bool = True) -> dict[str, Any]:
    """A step that answers a waiting trigger, and ends the run unless `stop` is False."""
    fields = {"status": status, "headers": {}, "body": body}
    inputs = {"responseType": "json", "respond": "stop" if stop else "respond", "fields": fields}
    return piece("webhook", "return_response", inputs)


def delay(seconds: int) -> dict[str, Any]:
    """A step that pauses the run."""
    return piece("delay", "delayFor", {"unit": "seconds", "delayFor": seconds})


def installed(workflows: Workflows, step: dict[str, Any]) -> dict[str, Any]:
    """A step or trigger with the version of its piece that the engine has: a builder is offered no other."""
    settings = step["settings"]
    if "pieceName" not in settings:
        return step
    version = workflows.get_piece(settings["pieceName"])["version"]
    return {**step, "settings": {**settings, "pieceVersion": f"~{version}"}}


def piece(name: str, action: str, inputs: dict[str, Any]) -> dict[str, Any]:
    """A step of a piece."""
    return {
        "type": "PIECE",
        "valid": True,
        "displayName": action,
        "settings": {
            "pieceName": f"@activepieces/piece-{name}",
            "actionName": action,
            "input": inputs,
            "propertySettings": {},
        },
    }


def make(workflows: Workflows, name: str, *steps: dict[str, Any], publish: bool = True) -> str:
    """Makes a flow with a webhook trigger and these steps one after another; its id."""
    flow_id = str(workflows.create_flow(name, workflows.resolve_project_id())["id"])
    workflows.apply_flow_operation(flow_id, {"type": "UPDATE_TRIGGER", "request": installed(workflows, WEBHOOK)})
    parent = "trigger"
    for number, step in enumerate(steps, start=1):
        action = {"name": f"step_{number}", **installed(workflows, step)}
        workflows.apply_flow_operation(
            flow_id, {"type": "ADD_ACTION", "request": {"parentStep": parent, "action": action}}
        )
        parent = f"step_{number}"
    if publish:
        workflows.apply_flow_operation(flow_id, {"type": "LOCK_AND_PUBLISH", "request": {}})
    return flow_id
