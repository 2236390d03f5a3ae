"""What the recordings left out of the stories of runs: making flows, sending to them, waiting for their runs."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from practice_engine.ids import now, stamp
from tests.practice_engine.fixtures import until
from tests.practice_engine.player import PLACE, Json, Player
from tests.practice_engine.stories_072 import Step

from .trees import MANUAL, PLAIN_CATCH, catch, code

AFTER = {"stepLocationRelativeToParent": "AFTER"}
#: What the engine's own builder writes into a webhook trigger.
WRITTEN = {"authFields": {}, "liveMarkdown": "", "syncMarkdown": "", "testMarkdown": ""}
BUILT_CATCH = catch(
    input={"authType": "none", **WRITTEN}, propertySettings=dict.fromkeys(("authType", *WRITTEN), MANUAL)
)


def practised(name: str, *behaviours: str, **values: Any) -> Json:
    """A code step that does what the practice engine knows by these names."""
    return code(name, name, "\n".join(f"// practice: {one}" for one in behaviours), **values)


def built(step: Json) -> Json:
    """A step as the engine's own builder writes it down."""
    settings = {"sampleData": {}, **step["settings"]}
    settings["propertySettings"] = dict.fromkeys(settings["input"], MANUAL) if step["type"] == "PIECE" else {}
    return {**step, "skip": False, "settings": settings}


def chain(*steps: Json) -> Json:
    """Steps one after another; gives the first."""
    first, *rest = steps
    return {**first, "nextAction": chain(*rest)} if rest else first


def made(fact: str) -> Step:
    """The empty flow that ``fact`` is about."""
    return lambda player: _place(player, fact)


def flow(fact: str, *steps: Json, trigger: Json = PLAIN_CATCH, publish: bool = True) -> Step:
    """The flow that ``fact`` is about, made step by step, as far as nothing made it yet."""

    def make(player: Player) -> None:
        place = _place(player, fact)
        _operate(player, place, "UPDATE_TRIGGER", trigger)
        parent = "trigger"
        for step in steps:
            _operate(player, place, "ADD_ACTION", {**AFTER, "parentStep": parent, "action": step})
            parent = step["name"]
        if publish:
            _operate(player, place, "LOCK_AND_PUBLISH", {})

    return make


def imported(fact: str, *steps: Json, trigger: Json = PLAIN_CATCH) -> Step:
    """The flow that ``fact`` is about, made by an import and published: what it has need not be known to the engine."""

    def make(player: Player) -> None:
        place = _place(player, fact)
        tree: Json = {
            "displayName": "unrecorded",
            "trigger": chain(trigger, *steps),
            "schemaVersion": None,
            "notes": [],
        }
        _operate(player, place, "IMPORT_FLOW", tree)
        _operate(player, place, "LOCK_AND_PUBLISH", {})

    return make


def version(fact: str) -> Step:
    """Bind the version that ``fact`` asks for to the newest one of its flow."""

    def bind(player: Player) -> None:
        found = player.facts[fact]
        asked = {**found.get("query", {}), **(found.get("body") or {})}
        flow = player.practice.call("GET", player.fill(f"/v1/flows/{asked['flowId']}")).json()
        player.bound[asked["flowVersionId"]] = flow["version"]["id"]

    return bind


def operate(fact: str, kind: str, request: Any) -> Step:
    """An operation on the flow that ``fact`` is about."""
    return lambda player: _operate(player, flow_place(player.facts[fact]), kind, request)


def send(fact: str, data: bytes = b"", kind: str = "application/json", **headers: str) -> Step:
    """A trigger of the flow that ``fact`` is about, which was not recorded."""

    def post(player: Player) -> None:
        path = player.fill(f"/v1/webhooks/{flow_place(player.facts[fact])}")
        named = {name.replace("_", "-"): text for name, text in headers.items()} | (
            {"content-type": kind} if kind else {}
        )
        assert player.practice.call("POST", path, data=data, headers=named, credential={}).status_code == 200

    return post


def run(fact: str, status: str, where: Callable[[Json], bool] = lambda output: True) -> Step:
    """Wait for a run of the flow that ``fact`` is about, and bind the run it asks for; ``where`` looks at the trigger's output."""

    def wait(player: Player) -> None:
        found = player.facts[fact]
        identity = player.fill(flow_place(found))

        def look() -> str:
            for row in player.practice.runs(identity):
                whole = player.practice.call("GET", f"/v1/flow-runs/{row['id']}").json()
                output = whole["steps"].get("trigger", {}).get("output") or {}
                if row["status"] == status and where(output):
                    return str(row["id"])
            return ""

        player.bound[PLACE.findall(found["path"])[0]] = until(look)

    return wait


def same_run(fact: str, other: str) -> Step:
    """The run that ``fact`` asks for is the one that ``other`` asked for."""

    def bind(player: Player) -> None:
        place, known = (PLACE.findall(player.facts[name]["path"])[0] for name in (fact, other))
        player.bound[place] = player.bound[known]

    return bind


def reached(fact: str, status: str) -> Step:
    """Wait until the run that ``fact`` asks for is in this state."""
    return lambda player: until(
        lambda: player.practice.call("GET", player.fill(player.facts[fact]["path"])).json().get("status") == status
    )


def raw(text: str) -> Callable[[Json], bool]:
    """The run whose request had this body."""
    return lambda output: output.get("rawBody") == text


def no_run(fact: str) -> Step:
    """The flow that ``fact`` is about made no run of the last request."""

    def look(player: Player) -> None:
        identity = player.fill(flow_place(player.facts[fact]))
        assert player.practice.journal.triggers(identity)[-1].runs == []

    return look


def setting(**values: Any) -> Step:
    """A setting of the practice engine."""

    def change(player: Player) -> None:
        for name, value in values.items():
            setattr(player.practice.engine.settings, name, value)

    return change


def apart(*seconds: float) -> Step:
    """Put the runs in time as they were recorded: the newest so many seconds before the present second's end, the rest long before."""

    def move(player: Player) -> None:
        with player.practice.engine.state.lock:
            newest_first = list(reversed(player.practice.engine.state.runs.values()))
            end = now().replace(microsecond=999_000)
            for number, row in enumerate(newest_first):
                ago = seconds[number] if number < len(seconds) else 1000 + 10 * number
                row["created"] = stamp(end - timedelta(seconds=ago))

    return move


def flow_place(fact: Json) -> str:
    """The placeholder of the flow that a fact is about. Raises ``AssertionError`` if it is about none."""
    if found := re.search(r"/(?:flows|webhooks|form|chat)/(<id:\d+>)", fact["path"]):
        return found[1]
    shape: Any = fact.get("shape")
    data = shape.get("data") if isinstance(shape, dict) else None
    rows = data.get("[]") if isinstance(data, dict) else None
    for values in (fact.get("query"), fact.get("body"), shape, rows):
        if isinstance(values, dict) and PLACE.fullmatch(str(values.get("flowId"))):
            return str(values["flowId"])
    raise AssertionError(f"{fact['name']} is about no flow")


def _place(player: Player, fact: str) -> str:
    """The placeholder of the flow that ``fact`` is about; the flow is made if nothing made it."""
    place = flow_place(player.facts[fact])
    if place not in player.bound:
        body = {"displayName": "unrecorded", "projectId": player.practice.credentials.project_id}
        player.bound[place] = player.also("POST", "/v1/flows", body).json()["id"]
    return place


def _operate(player: Player, place: str, kind: str, request: Any) -> None:
    player.also("POST", f"/v1/flows/{place}", {"type": kind, "request": request})
