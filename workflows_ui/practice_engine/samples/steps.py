"""Short ways to write down the step trees of the sample flows."""

from __future__ import annotations

from typing import Any

from workflows_ui.practice_engine.http import Json

HANDLING: Json = {"retryOnFailure": {"value": False}, "continueOnFailure": {"value": False}}
WEBHOOK, WEBHOOK_VERSION = "@activepieces/piece-webhook", "~0.1.25"


def chain(first: Json, *rest: Json) -> Json:
    """Steps one after another; gives the first."""
    step = first
    for following in rest:
        step["nextAction"] = following
        step = following
    return first


def piece_trigger(piece: str, version: str, name: str, label: str, /, **values: Any) -> Json:
    """A trigger of a piece."""
    settings: Json = {
        "pieceName": piece,
        "pieceVersion": version,
        "triggerName": name,
        "input": values,
        "propertySettings": {},
    }
    return {"name": "trigger", "valid": True, "displayName": label, "type": "PIECE_TRIGGER", "settings": settings}


def webhook(**values: Any) -> Json:
    """The webhook trigger."""
    return piece_trigger(WEBHOOK, WEBHOOK_VERSION, "catch_webhook", "Catch Webhook", **{"authType": "none", **values})


def code(name: str, label: str, source: str, carry_on: bool = False, /, **values: Any) -> Json:
    """A code step; ``carry_on``: its failure does not end the run."""
    handling: Json = {**HANDLING, "continueOnFailure": {"value": carry_on}}
    settings: Json = {
        "sourceCode": {"code": source, "packageJson": "{}"},
        "input": values,
        "errorHandlingOptions": handling,
    }
    return {"name": name, "valid": True, "displayName": label, "type": "CODE", "settings": settings}


def action(name: str, label: str, piece: str, version: str, act: str, /, **values: Any) -> Json:
    """An action of a piece."""
    settings: Json = {
        "pieceName": f"@activepieces/piece-{piece}",
        "pieceVersion": version,
        "actionName": act,
        "input": values,
    }
    settings |= {"propertySettings": {}, "errorHandlingOptions": HANDLING}
    return {"name": name, "valid": True, "displayName": label, "type": "PIECE", "settings": settings}


def respond(
    name: str,
    body: Any,
    status: int = 200,
    kind: str = "json",
    then: str = "stop",
    piece: str = "webhook",
    **headers: Any,
) -> Json:
    """The response step."""
    fields = {"status": status, "headers": {key.replace("_", "-"): text for key, text in headers.items()}, "body": body}
    version = WEBHOOK_VERSION if piece == "webhook" else "~0.4.8"
    return action(
        name, "Return Response", piece, version, "return_response", responseType=kind, fields=fields, respond=then
    )


def delay(name: str, label: str, amount: int, unit: str = "seconds") -> Json:
    """A delay."""
    return action(name, label, "delay", "~0.3.21", "delayFor", unit=unit, delayFor=amount)


def loop(name: str, label: str, items: str, inside: Json) -> Json:
    """A loop over ``items``."""
    step: Json = {
        "name": name,
        "valid": True,
        "displayName": label,
        "type": "LOOP_ON_ITEMS",
        "settings": {"items": items},
    }
    return {**step, "firstLoopAction": inside}


def when(label: str, operator: str, first: str, second: str = "") -> Json:
    """A branch with one condition."""
    condition: Json = {"operator": operator, "firstValue": first}
    if second:
        condition["secondValue"] = second
    return {"branchName": label, "branchType": "CONDITION", "conditions": [[condition]]}


def otherwise(label: str = "Otherwise") -> Json:
    """The branch for the rest."""
    return {"branchName": label, "branchType": "FALLBACK"}


def router(name: str, label: str, *branches: tuple[Json, Json | None], all_matching: bool = False) -> Json:
    """A router: pairs of branch and first step."""
    settings: Json = {"branches": [branch for branch, _ in branches]}
    settings["executionType"] = "EXECUTE_ALL_MATCH" if all_matching else "EXECUTE_FIRST_MATCH"
    step: Json = {"name": name, "valid": True, "displayName": label, "type": "ROUTER", "settings": settings}
    return {**step, "children": [child for _, child in branches]}
