"""Validation of steps in requests to 0.83.0, and of trees that it imports (recordings ``op_*``)."""

import copy
import re
from typing import Any

from . import ids, tree
from .http import HttpError, Json
from .schema import Field, Schema, required
from .validity import VERSION, Rules

NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
ACTIONS = ("CODE", "PIECE", "LOOP_ON_ITEMS", "ROUTER")
TRIGGERS = ("EMPTY", "PIECE_TRIGGER")
#: The newest schema of trees.
NEWEST = "20"
STEP: Schema = {
    **dict.fromkeys(("name", "type", "displayName"), required()),
    "settings": required("object"),
    "valid": Field("boolean"),
    "skip": Field("boolean"),
}
#: The required settings of each type of step, and their types.
PIECE: dict[str, type] = {"pieceName": str, "pieceVersion": str, "input": dict, "propertySettings": dict}
SETTINGS: dict[str, dict[str, type]] = {
    "CODE": {"sourceCode": dict, "input": dict},
    "PIECE": PIECE,
    "PIECE_TRIGGER": PIECE,
    "LOOP_ON_ITEMS": {"items": str},
    "ROUTER": {"branches": list, "executionType": str},
    "EMPTY": {},
}
BRANCHES = ("CONDITION", "FALLBACK")
PROPERTY_TYPES = ("MANUAL", "AUTO", "DYNAMIC")
#: The settings that replace those of an old branch.
OLD_BRANCH: Json = {
    "branches": [
        {"branchName": "Branch 1", "branchType": "CONDITION"},
        {"branchName": "Otherwise", "branchType": "FALLBACK"},
    ],
    "executionType": "EXECUTE_FIRST_MATCH",
}
INVALID = "body/ Invalid input"


def check(step: Json, kinds: tuple[str, ...]) -> None:
    """Raise a 400 unless the step is one of these types, and well formed."""
    if not NAME.fullmatch(str(step.get("name", ""))):
        raise HttpError.invalid("the name of a step is letters, digits and underscores")
    if step.get("type") not in kinds or not isinstance(step.get("displayName"), str):
        raise HttpError.invalid(INVALID)
    settings = step.get("settings")
    expected = SETTINGS[step["type"]]
    if not isinstance(settings, dict) or not all(isinstance(settings.get(key), kind) for key, kind in expected.items()):
        raise HttpError.invalid(INVALID)
    if "pieceVersion" in expected and not VERSION.fullmatch(settings["pieceVersion"]):
        raise HttpError.invalid("the version of a piece is three numbers")
    if not all(_is_property(one) for one in settings.get("propertySettings", {}).values()):
        raise HttpError.invalid(INVALID)
    if step["type"] == "ROUTER" and not all(_is_branch(branch) for branch in settings["branches"]):
        raise HttpError.invalid(INVALID)


def check_tree(trigger: Json) -> None:
    """Raise a 400 unless every step of an imported tree is well formed, and has a date as the newest trees do."""
    steps = list(tree.walk(trigger))
    for step in steps:
        check(step, TRIGGERS if step is trigger else ACTIONS)
        if "lastUpdatedDate" not in step:
            raise HttpError.invalid(INVALID)


def migrate(trigger: Json, schema_version: Any) -> Json:
    """Return an imported tree in the newest schema. One of that schema is not changed.

    So a tree without dates is refused with schema 20 and accepted with any other (``op_import_flow_plain_tree_schema_*``). In
    trees older than all schemas the inputs of each step are listed, and a branch becomes a router
    (``op_import_flow_schema_null``, ``op_import_flow_unknown_step_type``).
    """
    if schema_version == NEWEST:
        return trigger
    for step in tree.walk(trigger):
        step.setdefault("lastUpdatedDate", ids.stamp())
        if schema_version is None:
            _migrate_oldest(step)
    return trigger


def _migrate_oldest(step: Json) -> None:
    if step.get("type") == "BRANCH":
        step |= {"type": "ROUTER", "valid": False, "children": [None, None], "settings": copy.deepcopy(OLD_BRANCH)}
    settings = step.get("settings")
    if isinstance(settings, dict) and step.get("type") in ACTIONS:
        given = settings.get("input")
        settings["propertySettings"] = {name: {"type": "MANUAL"} for name in given} if isinstance(given, dict) else {}


def prepare_imported(step: Json, rules: Rules) -> None:
    """Change a step of an import into what is stored: with a date and an exact version; its ``valid`` is trusted."""
    step["lastUpdatedDate"] = ids.stamp()
    settings = step["settings"]
    if "pieceVersion" in settings:
        settings["pieceVersion"] = rules.stored_version(settings["pieceVersion"])
    if step["type"] in ACTIONS:
        settings["sampleData"] = {}


def _is_property(one: Any) -> bool:
    return isinstance(one, dict) and one.get("type") in PROPERTY_TYPES


def _is_branch(branch: Any) -> bool:
    return (
        isinstance(branch, dict) and branch.get("branchType") in BRANCHES and isinstance(branch.get("branchName"), str)
    )
