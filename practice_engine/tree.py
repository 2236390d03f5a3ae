"""The step tree of a flow version: finding, inserting and removing steps (api.md 6.3).

A step is a map with ``nextAction``; loops have ``firstLoopAction``, routers ``children``.
"""

import itertools
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from . import ids
from .http import HttpError, Json, map_texts

ROUTERS = ("ROUTER", "MULTIPLE_CHOICE")
LOCATIONS = ("AFTER", "INSIDE_LOOP", "INSIDE_BRANCH")
CONNECTION = re.compile(r"\{\{\s*connections\[\s*['\"]([^'\"]+)['\"]\s*\]\s*\}\}")
TEMPLATE = re.compile(r"\{\{.*?\}\}")
WORD = re.compile(r"\b\w+\b", re.ASCII)
SCHEDULE_PIECE = "@activepieces/piece-schedule"


def copied(step: Any) -> Any:
    """A deep copy of a JSON value. ``copy.deepcopy`` reaches Python's limit of recursion in a chain of 300 steps."""
    return json.loads(json.dumps(step))


def walk(step: Json | None) -> Iterator[Json]:
    """Yield every step from ``step`` on, depth first, inner steps before the next one."""
    while step:
        yield step
        yield from walk(step.get("firstLoopAction"))
        for child in step.get("children") or []:
            yield from walk(child)
        step = step.get("nextAction")


def find_step(trigger: Json, name: str) -> Json | None:
    return next(find_steps(trigger, name), None)


def find_steps(trigger: Json, name: str) -> Iterator[Json]:
    """Yield every step of this name: operations are done to all of them."""
    return (step for step in walk(trigger) if step["name"] == name)


def insert_after(parent: Json, step: Json) -> None:
    parent["nextAction"] = _before(step, parent.get("nextAction"))


def place(parent: Json, location: str | None, branch: int | None, step: Json) -> None:
    """Put a step below its parent, at the start of its loop or branch. These need a location (``op_add_action_loop_parent_no_location``).

    Any other parent has no inside, whatever the location (``op_add_action_inside_loop_of_code``). Before the first branch the
    step is lost (``op_add_action_inside_branch_negative``).
    """
    is_loop = parent["type"] == "LOOP_ON_ITEMS"
    if location == "AFTER" or not (is_loop or parent["type"] in ROUTERS):
        insert_after(parent, step)
    elif is_loop and location == "INSIDE_LOOP":
        parent["firstLoopAction"] = _before(step, parent.get("firstLoopAction"))
    elif is_loop or location != "INSIDE_BRANCH" or branch is None:
        message = f"{'Loop' if is_loop else 'Router'} step parent {location} not found"
        raise HttpError.domain("FLOW_OPERATION_INVALID", message=message)
    elif int(branch) >= 0:
        children = parent.setdefault("children", [])
        children += [None] * (int(branch) + 1 - len(children))
        children[int(branch)] = _before(step, children[int(branch)])


def remove(trigger: Json, name: str) -> Json | None:
    """Remove the steps of this name and close the gaps. Return the first one without the steps after it, None if no step has the name."""
    removed: list[Json] = []
    for step in walk(trigger):
        for key in ("nextAction", "firstLoopAction"):
            child = step.get(key)
            if child and child["name"] == name:
                del step[key]
                if following := child.pop("nextAction", None):
                    step[key] = following
                removed.append(child)
        children = step.get("children") or []
        for number, child in enumerate(children):
            if child and child["name"] == name:
                children[number] = child.pop("nextAction", None)
                removed.append(child)
    return dict(removed[0]) if removed else None


def rebuild(step: Json) -> Json:
    """Give every router a slot for each branch: imported, moved and copied steps are added one by one, with new slots."""
    for inner in walk(step):
        old = inner.pop("children", None) or []
        if inner["type"] not in ROUTERS:
            continue
        slots: list[Json | None] = [None] * len(inner["settings"].get("branches") or [])
        for number, child in enumerate(old):
            if child:
                slots += [None] * (number + 1 - len(slots))
                slots[number] = child
        inner["children"] = slots
    return step


def copy_steps(step: Json, trigger: Json) -> Json:
    """A deep copy: every step has a name that is free in the flow and a label that ends with "Copy", inputs refer to the copies.

    Samples are dropped (recordings ``op_duplicate_*``, ``op_update_sample_data_info_set``).
    """
    new = rebuild(copied(step))
    used = {one["name"] for one in walk(trigger)}
    renamed: dict[str, str] = {}
    for inner in walk(new):
        taken = used | set(renamed.values())
        name = next(name for number in itertools.count(1) if (name := f"step_{number}") not in taken)
        renamed[inner["name"]] = name
        inner |= {"name": name, "displayName": f"{inner['displayName']} Copy"}

    def rename(text: str) -> str:
        return TEMPLATE.sub(lambda match: WORD.sub(lambda word: renamed.get(word[0], word[0]), match[0]), text)

    for inner in walk(new):
        settings = inner["settings"]
        if "input" in settings:
            settings["input"] = map_texts(settings["input"], rename)
        if "sampleData" in settings:
            settings["sampleData"] = {}
    return new


def connection_ids(trigger: Json) -> list[str]:
    """The external ids of the connections in step inputs."""
    inputs = (step.get("settings", {}).get("input") or {} for step in walk(trigger))
    texts = (given["auth"] for given in inputs if isinstance(given.get("auth"), str))
    return list(dict.fromkeys(name for text in texts for name in CONNECTION.findall(text)))


def pieces(trigger: Json) -> list[str]:
    """The names of the pieces in use, in order."""
    names = (step.get("settings", {}).get("pieceName") for step in walk(trigger))
    return list(dict.fromkeys(name for name in names if name))


def refresh(version: Json) -> None:
    """Recompute what follows from the tree."""
    steps = list(walk(version["trigger"]))
    version["valid"] = all(step.get("valid") for step in steps)
    version["connectionIds"] = connection_ids(version["trigger"])
    version["updated"] = ids.stamp()


def set_piece_versions(trigger: Json, convert: Callable[[str], str]) -> None:
    """Convert the version of the piece in every step."""
    for step in walk(trigger):
        if "pieceVersion" in step.get("settings", {}):
            step["settings"]["pieceVersion"] = convert(step["settings"]["pieceVersion"])


def schedule_for(trigger: Json) -> Json | None:
    """The schedule that a trigger installs, None for triggers of other pieces (recording ``flow_get_schedule``)."""
    settings = trigger.get("settings", {})
    if settings.get("pieceName") != SCHEDULE_PIECE:
        return None
    inputs = settings.get("input") or {}
    # In the recording weekend runs are off although enabled: the option has another name there.
    days = "*" if inputs.get("run_on_weekends") else "1-5"
    hour, weekday = inputs.get("hour_of_the_day", 0), inputs.get("day_of_the_week", 1)
    crons = {
        "every_x_minutes": f"*/{inputs.get('minutes', 5)} * * * *",
        "every_hour": f"0 * * * {days}",
        "every_day": f"0 {hour} * * {days}",
        "every_week": f"0 {hour} * * {weekday}",
        "every_month": f"0 {hour} {inputs.get('day_of_the_month', 1)} * *",
        "cron_expression": str(inputs.get("cronExpression", "0 9 * * *")),
    }
    cron = crons.get(str(settings.get("triggerName")), "0 * * * *")
    return {"type": "CRON_EXPRESSION", "cronExpression": cron, "timezone": inputs.get("timezone") or "UTC"}


def _before(action: Json, following: Json | None) -> Json:
    action.pop("nextAction", None)
    if following:
        action["nextAction"] = following
    return action
