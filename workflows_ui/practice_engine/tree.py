"""The step tree of a flow version: finding, inserting and removing steps (api.md 6.3).

A step is a map with ``nextAction``; loops have ``firstLoopAction``, routers ``children``.
"""

import itertools
import re
from collections.abc import Iterator
from typing import Any

from .http import Json

ROUTERS = ("ROUTER", "MULTIPLE_CHOICE")
CONNECTION = re.compile(r"\{\{\s*connections\[\s*['\"]([^'\"]+)['\"]\s*\]\s*\}\}")
TEMPLATE = re.compile(r"\{\{.*?\}\}", re.DOTALL)
WORD = re.compile(r"\b\w+\b")
CHILD_KEYS = ("nextAction", "firstLoopAction", "children")


def walk(step: Json | None) -> Iterator[Json]:
    """Yield every step from ``step`` on, depth first, inner steps before the next one."""
    while step:
        yield step
        yield from walk(step.get("firstLoopAction"))
        for child in step.get("children") or []:
            yield from walk(child)
        step = step.get("nextAction")


def find(trigger: Json, name: str) -> Json | None:
    return next((step for step in walk(trigger) if step["name"] == name), None)


def names(step: Json | None) -> set[str]:
    return {one["name"] for one in walk(step)}


def free_name(trigger: Json, taken: set[str] | None = None) -> str:
    """Return the next free ``step_N``."""
    used = names(trigger) | (taken or set())
    return next(name for number in itertools.count(1) if (name := f"step_{number}") not in used)


def with_names(value: Any, names: dict[str, str]) -> Any:
    """Return an input with the names of steps in its templates replaced."""
    if isinstance(value, dict):
        return {key: with_names(inner, names) for key, inner in value.items()}
    if isinstance(value, list):
        return [with_names(inner, names) for inner in value]
    if not isinstance(value, str):
        return value
    return TEMPLATE.sub(lambda match: WORD.sub(lambda word: names.get(word[0], word[0]), match[0]), value)


def insert(parent: Json, location: str, branch: int, action: Json) -> None:
    """Insert ``action`` after ``parent``, or at the start of its loop or branch, before what is there."""
    if location == "INSIDE_LOOP":
        action = _before(action, parent.get("firstLoopAction"))
        parent["firstLoopAction"] = action
    elif location == "INSIDE_BRANCH":
        children = parent.setdefault("children", [])
        while len(children) <= branch:
            children.append(None)
        children[branch] = _before(action, children[branch])
    else:
        parent["nextAction"] = _before(action, parent.get("nextAction"))


def remove(trigger: Json, name: str) -> Json | None:
    """Remove the step and close the gap. Returns it without the steps after it, None if it does not exist."""
    for step in walk(trigger):
        for key in ("nextAction", "firstLoopAction"):
            child = step.get(key)
            if child and child["name"] == name:
                _put(step, key, child.pop("nextAction", None))
                return dict(child)
        children = step.get("children") or []
        for number, child in enumerate(children):
            if child and child["name"] == name:
                children[number] = child.pop("nextAction", None)
                return dict(child)
    return None


def connection_ids(trigger: Json) -> list[str]:
    """Return the external ids of the connections in step inputs."""
    inputs = (step.get("settings", {}).get("input") or {} for step in walk(trigger))
    texts = (given["auth"] for given in inputs if isinstance(given.get("auth"), str))
    return list(dict.fromkeys(name for text in texts for name in CONNECTION.findall(text)))


def pieces(trigger: Json) -> list[str]:
    """Return the names of the pieces in use, in order."""
    names = (step.get("settings", {}).get("pieceName") for step in walk(trigger))
    return list(dict.fromkeys(name for name in names if name))


def _before(action: Json, following: Json | None) -> Json:
    action.pop("nextAction", None)
    if following:
        action["nextAction"] = following
    return action


def _put(step: Json, key: str, child: Json | None) -> None:
    if child:
        step[key] = child
    else:
        step.pop(key, None)
