"""Steps and trees that the recordings of 0.83.0 left out, exactly as they were: a fact's digest compares every value."""

import copy
from typing import Any

from practice_engine.accounts import ANH
from tests.practice_engine.player import Json, Player, code_step
from tests.practice_engine.stories_072 import Step

WEBHOOK, STORE, DELAY = "webhook", "store", "delay"
VERSIONS = {WEBHOOK: "~0.1.29", STORE: "~0.6.20", DELAY: "~0.3.26", "discord": "0.2.0"}
HANDLING: Json = {"continueOnFailure": {"value": False}, "retryOnFailure": {"value": False}}
MANUAL = {"type": "MANUAL"}


def code(name: str, label: str = "", source: str = "", **inputs: str) -> Json:
    """A code step that gives back what it gets, or as ``source`` says."""
    made = code_step(name, source, **inputs) if source else code_step(name, **inputs)
    return {**made, "displayName": label or name}


def piece(name: str, label: str, app: str, action: str, given: Json, **settings: Any) -> Json:
    """A step of a piece."""
    filled: Json = {"pieceName": f"@activepieces/piece-{app}", "pieceVersion": VERSIONS[app], "actionName": action}
    filled |= {"input": given, "propertySettings": {}, "errorHandlingOptions": HANDLING, **settings}
    return {"name": name, "valid": True, "displayName": label, "type": "PIECE", "settings": filled}


def approval(name: str, label: str, action: str) -> Json:
    """A step of the piece for approvals, as a client other than the builder wrote it."""
    filled: Json = {"pieceName": "@activepieces/piece-approval", "pieceVersion": "0.1.19", "actionName": action}
    filled |= {"input": {}, "propertySettings": {}, "errorHandlingOptions": {}}
    return {"name": name, "skip": False, "type": "PIECE", "valid": True, "displayName": label, "settings": filled}


def response(name: str, body: Any, status: int = 200, kind: str = "json", **more: Any) -> Json:
    """A step that answers; ``headers`` may be given."""
    fields = {"status": status, "headers": more.pop("headers", {}), "body": body}
    given = {"responseType": kind, "respond": more.pop("respond", "stop"), "fields": fields}
    return piece(name, "Return Response", WEBHOOK, "return_response", given, **more)


def catch(**settings: Any) -> Json:
    """The webhook trigger."""
    filled: Json = {
        "pieceName": "@activepieces/piece-webhook",
        "pieceVersion": "~0.1.29",
        "triggerName": "catch_webhook",
    }
    filled |= {"input": {"authType": "none"}, "propertySettings": {}, **settings}
    return {
        "name": "trigger",
        "valid": True,
        "displayName": "Catch Webhook",
        "type": "PIECE_TRIGGER",
        "settings": filled,
    }


PLAIN_CATCH = catch()
FULL_CATCH = catch(
    input={"authType": "none", "authFields": {}}, propertySettings={"authType": MANUAL, "authFields": MANUAL}
)


def condition(operator: str, first: str, second: str = "", **more: Any) -> Json:
    """One condition of a branch."""
    found = {"operator": operator, "firstValue": first}
    return {**found, "secondValue": second, **more} if second else found


def router(name: str, label: str, *branches: tuple[str, list[list[Json]]]) -> Json:
    """A router with these branches and a fallback."""
    made: list[Json] = [
        {"branchType": "CONDITION", "branchName": one, "conditions": all_of} for one, all_of in branches
    ]
    made.append({"branchType": "FALLBACK", "branchName": "Otherwise"})
    settings = {"branches": made, "executionType": "EXECUTE_FIRST_MATCH"}
    return {"name": name, "valid": True, "displayName": label, "type": "ROUTER", "settings": settings}


def loop(name: str, label: str, items: str) -> Json:
    """A loop."""
    return {"name": name, "valid": True, "displayName": label, "type": "LOOP_ON_ITEMS", "settings": {"items": items}}


TOTAL, NOTE = "{{trigger.body.total}}", "{{trigger.body.note}}"
BIG = ("Big", [[condition("NUMBER_IS_GREATER_THAN", TOTAL, "100")]])
URGENT = [condition("TEXT_CONTAINS", NOTE, "urgent", caseSensitive=False), condition("EXISTS", NOTE)]
MIDDLE = ("Middle", [[condition("NUMBER_IS_GREATER_THAN", TOTAL, "10")], URGENT])
#: The tree that most operations were tried on: parent, location, branch, step.
GROWN: list[tuple[str, str | None, int | None, Json]] = [
    ("trigger", None, None, code("step_1", "Prepare", "export const code = async (inputs) => ({ items: inputs.items });",
                                 items="{{trigger.body.items}}")),
    ("step_1", None, None, loop("step_2", "Each item", "{{step_1.items}}")),
    ("step_2", "INSIDE_LOOP", None, code("step_3", "Price", "export const code = async (i) => i.x;", x="{{step_2.item}}")),
    ("step_3", None, None, code("step_4", "Log")),
    ("step_2", "AFTER", None, router("step_5", "Big or small", BIG, MIDDLE)),
    ("step_5", "INSIDE_BRANCH", 0, code("step_6", "Big 1")),
    ("step_6", None, None, code("step_7", "Big 2", **{"from": "{{step_6.x}}"})),
    ("step_5", "INSIDE_BRANCH", 2, code("step_8", "Small")),
    ("step_5", "AFTER", None, response("step_9", {"price": "{{step_1.items}}"})),
]  # fmt: skip


def keep_first_user(player: Player) -> None:
    """The recorded platform had one user and one project."""
    state = player.practice.engine.state
    with state.lock:
        state.users = {key: user for key, user in state.users.items() if key == ANH}
        state.projects = {key: row for key, row in state.projects.items() if row["ownerId"] == ANH}
        state.organizations = {key: row for key, row in state.organizations.items() if row["members"][0] == ANH}


def signed_up(person: str, role: str) -> Step:
    """Somebody whose signing up was not recorded."""
    return lambda player: player.sign_up(person, role)


def made(fact: str) -> Step:
    """A flow whose making was not recorded, without a trigger."""
    return lambda player: player.make_flow(fact)


def flow(fact: str, trigger: Json = FULL_CATCH, name: str = "unrecorded") -> Step:
    """A flow with a trigger, whose making was not recorded."""
    return lambda player: _flow(player, fact, trigger, name)


def grown(fact: str, name: str = "unrecorded") -> Step:
    """A flow with the big tree, whose making was not recorded."""

    def make(player: Player) -> None:
        _flow(player, fact, FULL_CATCH, name)
        for parent, location, branch, step in GROWN:
            _add(player, fact, parent, step, location, branch)

    return make


def trigger(fact: str, made: Json = PLAIN_CATCH) -> Step:
    """A trigger whose setting was not recorded."""
    return lambda player: player.operate(fact, "UPDATE_TRIGGER", made)


def publish(fact: str, **asked: str) -> Step:
    """The publishing, where it was not recorded."""
    return lambda player: player.operate(fact, "LOCK_AND_PUBLISH", asked)


def add(fact: str, parent: str, step: Json, location: str | None = None, branch: int | None = None) -> Step:
    """A step that was not recorded."""
    return lambda player: _add(player, fact, parent, step, location, branch)


def operate(fact: str, kind: str, **request: Any) -> Step:
    """An operation that was not recorded."""
    return lambda player: player.operate(fact, kind, request)


def _flow(player: Player, fact: str, trigger: Json, name: str) -> None:
    player.make_flow(fact, name=name)
    player.operate(fact, "UPDATE_TRIGGER", trigger)


def _add(player: Player, fact: str, parent: str, step: Json, location: str | None, branch: int | None) -> None:
    where: Json = {"stepLocationRelativeToParent": location, "branchIndex": branch}
    given = {name: value for name, value in where.items() if value is not None}
    player.operate(fact, "ADD_ACTION", {"parentStep": parent, "action": copy.deepcopy(step), **given})
