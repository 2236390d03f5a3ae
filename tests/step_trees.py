"""Step trees as the engine keeps them."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
HANDLING: Json = {"retryOnFailure": {"value": False}, "continueOnFailure": {"value": False}}


def chain(first: Json, *rest: Json) -> Json:
    """Steps one after another; gives the first."""
    step = first
    for following in rest:
        step["nextAction"] = following
        step = following
    return first


def webhook() -> Json:
    """The webhook trigger."""
    settings: Json = {"pieceName": "@activepieces/piece-webhook", "triggerName": "catch_webhook", "input": {}}
    return {
        "name": "trigger",
        "valid": True,
        "displayName": "Catch Webhook",
        "type": "PIECE_TRIGGER",
        "settings": settings,
    }


def code(name: str, label: str, source: str, /, **values: Any) -> Json:
    """A code step."""
    settings: Json = {
        "sourceCode": {"code": source, "packageJson": "{}"},
        "input": values,
        "errorHandlingOptions": HANDLING,
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


def router(name: str, label: str, *branches: tuple[Json, Json | None]) -> Json:
    """A router: pairs of branch and first step."""
    settings = {"branches": [branch for branch, _ in branches], "executionType": "EXECUTE_FIRST_MATCH"}
    step: Json = {"name": name, "valid": True, "displayName": label, "type": "ROUTER", "settings": settings}
    return {**step, "children": [child for _, child in branches]}
