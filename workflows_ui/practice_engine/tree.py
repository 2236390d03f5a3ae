"""The step tree of a flow version: walking, finding, inserting, taking out (api.md 6.3).

A step is a map with ``nextAction``; loops have ``firstLoopAction``, routers ``children``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .http import Json

ROUTERS = ("ROUTER", "MULTIPLE_CHOICE")
CONNECTION = re.compile(r"\{\{\s*connections\[\s*['\"]([^'\"]+)['\"]\s*\]\s*\}\}")
CHILD_KEYS = ("nextAction", "firstLoopAction", "children")


def walk(step: Json | None) -> Iterator[Json]:
    """Every step from ``step`` on, depth first, inner steps before the following one."""
    while step:
        yield step
        yield from walk(step.get("firstLoopAction"))
        for child in step.get("children") or []:
            yield from walk(child)
        step = step.get("nextAction")


def find(trigger: Json, name: str) -> Json | None:
    """The step with this name."""
    return next((step for step in walk(trigger) if step["name"] == name), None)


def names(step: Json | None) -> set[str]:
    """The names of all steps."""
    return {one["name"] for one in walk(step)}


def free_name(trigger: Json, taken: set[str] | None = None) -> str:
    """The next free ``step_N``."""
    used = names(trigger) | (taken or set())
    number = 1
    while f"step_{number}" in used:
        number += 1
    return f"step_{number}"


def insert(trigger: Json, parent: Json, location: str, branch: int, action: Json) -> None:
    """Put ``action`` after ``parent``, or at the start of its loop or branch; it takes over what stood there."""
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
    """Take the step out and close the gap; gives it without what followed it, or None if there is none."""
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
    """The external ids of connections that step inputs name."""
    found: list[str] = []
    for step in walk(trigger):
        auth = (step.get("settings", {}).get("input") or {}).get("auth")
        for name in CONNECTION.findall(auth) if isinstance(auth, str) else []:
            if name not in found:
                found.append(name)
    return found


def pieces(trigger: Json) -> list[str]:
    """The names of the pieces in use, in order."""
    found: list[str] = []
    for step in walk(trigger):
        name = step.get("settings", {}).get("pieceName")
        if name and name not in found:
            found.append(name)
    return found


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
