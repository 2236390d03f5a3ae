"""Whether a step is valid, as the server decides it (api.md 6.3 and 11.3), and what it does to inputs on the way."""

from __future__ import annotations

import re
from typing import Any

from . import catalog
from .http import Json, refuse
from .tree import ROUTERS

EXACT = re.compile(r"[~^]?(\d+\.\d+\.\d+)")


def piece(project: str, name: str) -> Json:
    """The piece with this name; a 404 refusal if there is none (recording ``piece_get_unknown``)."""
    found = catalog.PIECES.get(name)
    if found is None:
        raise refuse("ENTITY_NOT_FOUND", {"message": f"no such piece: project {project}, piece {name}"})
    return found


def prepare(step: Json, project: str) -> Json:
    """A step from a request as it is stored: loose version, validity computed, unknown inputs gone."""
    kind = step["type"]
    settings = step.setdefault("settings", {})
    if kind in ("PIECE", "PIECE_TRIGGER"):
        _piece_step(step, settings, project)
    elif kind == "LOOP_ON_ITEMS":
        step["valid"] = bool(settings.get("items"))
    elif kind in ROUTERS:
        step["valid"] = bool(settings.get("branches")) and bool(settings.get("executionType"))
        step.setdefault("children", [None] * len(settings.get("branches") or []))
    elif kind == "EMPTY":
        step["valid"] = False
    else:
        step["valid"] = bool(step.get("valid", True))
    return step


def loose(version: str) -> str:
    """A version with ``~`` (0.x) or ``^`` in front, as structural operations store it."""
    number = exact(version)
    return ("~" if number.startswith("0.") else "^") + number


def exact(version: str) -> str:
    """A version without ``~`` or ``^``, as a lock stores it."""
    found = EXACT.fullmatch(str(version))
    return found[1] if found else str(version)


def known_version(asked: str, newest: str) -> bool:
    """Whether a version can be had: any up to the newest of the same major one is taken as released."""
    try:
        wanted = [int(part) for part in exact(asked).split(".")]
    except ValueError:
        return False
    has = [int(part) for part in newest.split(".")]
    return wanted[0] == has[0] and wanted <= has


def _piece_step(step: Json, settings: Json, project: str) -> None:
    found = piece(project, settings.get("pieceName", ""))
    version = settings.get("pieceVersion") or found["version"]
    if not known_version(version, found["version"]):
        raise refuse("ENTITY_NOT_FOUND", {"message": f"no such version: project {project}, piece {found['name']}"})
    settings["pieceVersion"] = loose(version)
    settings.setdefault("propertySettings", {})
    given = settings.setdefault("input", {})
    triggers = step["type"] == "PIECE_TRIGGER"
    operation = found["triggers" if triggers else "actions"].get(
        settings.get("triggerName" if triggers else "actionName")
    )
    if operation is None:
        step["valid"] = False
        return
    step["valid"] = inputs_hold(operation["props"], given) and (
        not found["auth"] or operation.get("requireAuth") is False or isinstance(given.get("auth"), str)
    )
    if not triggers or step["valid"]:
        settings["input"] = {
            name: value for name, value in given.items() if name in operation["props"] or name == "auth"
        }


def inputs_hold(props: Json, given: Json) -> bool:
    """Whether the inputs fit the properties. Arrays and dynamic parts are not looked into, as in the engine."""
    return all(_holds(prop, given.get(name)) for name, prop in props.items())


def _holds(prop: Json, value: Any) -> bool:
    kind = prop["type"]
    if kind in ("MARKDOWN", "CUSTOM"):
        return True
    if value is None:
        return not prop.get("required")
    accepted = ACCEPTED.get(kind, (object,))
    if not isinstance(value, accepted):
        return False
    return not (prop.get("required") and value == "" and kind in ("SHORT_TEXT", "LONG_TEXT", "DYNAMIC"))


ACCEPTED: dict[str, tuple[type, ...]] = {
    "SHORT_TEXT": (str,),
    "LONG_TEXT": (str,),
    "NUMBER": (int, float, str),
    "CHECKBOX": (bool, str),
    "DATE_TIME": (str,),
    "FILE": (str,),
    "COLOR": (str,),
    "STATIC_MULTI_SELECT_DROPDOWN": (list, str),
    "MULTI_SELECT_DROPDOWN": (list, str),
    "DYNAMIC": (dict, str),
    "ARRAY": (list, str, dict),
    "OBJECT": (dict, str),
    "JSON": (dict, list, str),
}
