"""Whether a step is valid, as the server decides it (api.md 6.3 and 11.3), and what it changes in the inputs.

The versions differ in how they store the version of a piece and in what they check: ``Rules``. ``check`` is what
0.83.0 requires of steps in requests, ``check_tree`` of trees that it imports (recordings ``op_*``).
"""

import copy
import re
from collections.abc import Iterable, Mapping
from typing import Any

from . import ids, tree
from .http import V083, HttpError, Json, Version
from .schema import Field, Schema, required
from .tree import ROUTERS

VERSION = re.compile(r"[~^]?([0-9]+\.[0-9]+\.[0-9]+)")
#: Conditions without a second value.
ONE_VALUE = {"EXISTS", "DOES_NOT_EXIST", "BOOLEAN_IS_TRUE", "BOOLEAN_IS_FALSE", "LIST_IS_EMPTY", "LIST_IS_NOT_EMPTY"}
TEXT_VERBS = ("CONTAIN", "EXACTLY_MATCH", "START_WITH", "END_WITH")
#: Conditions that have ``caseSensitive`` (recordings ``op_update_action_router_case_*``).
WITH_CASE = {"TEXT_CONTAINS", "TEXT_EXACTLY_MATCHES", "TEXT_START_WITH", "TEXT_ENDS_WITH"}
WITH_CASE |= {f"TEXT_DOES_NOT_{verb}" for verb in TEXT_VERBS} | {"LIST_CONTAINS", "LIST_DOES_NOT_CONTAIN"}
WITHOUT_CASE = {"NUMBER_IS_GREATER_THAN", "NUMBER_IS_LESS_THAN", "NUMBER_IS_EQUAL_TO"}
WITHOUT_CASE |= {"DATE_IS_BEFORE", "DATE_IS_EQUAL", "DATE_IS_AFTER"}
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


class Rules:
    """The rules of a version for steps; those of 0.83.0: engine-0.83.md section 5.

    ``pieces`` are those that the engine has, by name. ``flow_versions`` may use older versions of them, which an upgraded engine
    still has.
    """

    def __init__(self, version: Version, pieces: Mapping[str, Json], flow_versions: Iterable[Json]) -> None:
        self.newer = version >= V083
        self.pieces = pieces
        self._flow_versions = flow_versions

    def stored_version(self, version: str) -> str:
        """The version of a piece in a draft: with ``~`` (0.x) or ``^`` in front, but exact on 0.83.0.

        Recordings ``op_update_trigger_caret_version``, ``..._exact_version``.
        """
        number = exact_version(version)
        return number if self.newer else ("~" if number.startswith("0.") else "^") + number

    def has_version(self, piece: Json, version: str) -> bool:
        """Whether the engine has this version of the piece: any up to the newest of the same major version.

        0.83.0: only the installed one (recording ``op_update_trigger_tilde_older_version``) and those that flows use.
        """
        version = exact_version(version)
        if self.newer:
            steps = (step["settings"] for one in self._flow_versions for step in tree.walk(one["trigger"]))
            used = ((one.get("pieceName"), exact_version(one.get("pieceVersion", ""))) for one in steps)
            return version == piece["version"] or (piece["name"], version) in used
        try:
            parts = [int(part) for part in version.split(".")]
        except ValueError:
            return False
        newest = [int(part) for part in piece["version"].split(".")]
        return parts[0] == newest[0] and parts <= newest

    def is_router_valid(self, settings: Json) -> bool:
        """Whether there are branches and, on 0.83.0, all values of conditions (recordings ``op_add_action_router_*``)."""
        branches = settings.get("branches") or []
        groups = [group for branch in branches for group in branch.get("conditions") or []] if self.newer else []
        complete = all(_is_condition_valid(condition) for group in groups for condition in group)
        return bool(branches) and bool(settings.get("executionType")) and complete


def get_piece(project: str, name: str, pieces: Mapping[str, Json]) -> Json:
    """The piece with this name. Raises a 404 if it does not exist (recording ``piece_get_unknown``)."""
    piece = pieces.get(name)
    if piece is None:
        raise HttpError.domain("ENTITY_NOT_FOUND", message=f"no such piece: project {project}, piece {name}")
    return piece


def prepare(step: Json, project: str, rules: Rules) -> Json:
    """Change a step from a request into what is stored: validity computed, unknown inputs dropped, with a date."""
    kind = step["type"]
    settings = step.setdefault("settings", {})
    step["lastUpdatedDate"] = ids.stamp()
    if kind in ("PIECE", "PIECE_TRIGGER"):
        _prepare_piece_step(step, settings, project, rules)
    elif kind == "LOOP_ON_ITEMS":
        step["valid"] = bool(settings.get("items"))
    elif kind in ROUTERS:
        step["valid"] = rules.is_router_valid(settings)
        step.setdefault("children", [None] * len(settings.get("branches") or []))
    elif kind == "EMPTY":
        step["valid"] = False
    else:
        # What the client says; on 0.83.0 always (recording op_add_action_code_valid_false).
        step["valid"] = rules.newer or bool(step.get("valid", True))
    return step


def exact_version(version: str) -> str:
    """A version without ``~`` or ``^``."""
    match = VERSION.fullmatch(str(version))
    return match[1] if match else str(version)


def _prepare_piece_step(step: Json, settings: Json, project: str, rules: Rules) -> None:
    piece = get_piece(project, settings.get("pieceName", ""), rules.pieces)
    version = settings.get("pieceVersion") or piece["version"]
    if not rules.has_version(piece, version):
        message = f"no such version: project {project}, piece {piece['name']}"
        raise HttpError.domain("ENTITY_NOT_FOUND", message=message)
    settings["pieceVersion"] = rules.stored_version(version)
    settings.setdefault("propertySettings", {})
    inputs = settings.setdefault("input", {})
    trigger = step["type"] == "PIECE_TRIGGER"
    operations, name_key = ("triggers", "triggerName") if trigger else ("actions", "actionName")
    operation = piece[operations].get(settings.get(name_key))
    if operation is None:
        step["valid"] = False
        return
    needs_auth = piece["auth"] and operation.get("requireAuth") is not False
    step["valid"] = all(_is_input_valid(prop, inputs.get(name)) for name, prop in operation["props"].items()) and (
        not needs_auth or isinstance(inputs.get("auth"), str)
    )
    if not trigger or step["valid"]:
        known = (*operation["props"], "auth")
        settings["input"] = {name: value for name, value in inputs.items() if name in known}


def known_conditions(conditions: Any) -> Any:
    """Conditions from a request as they are stored: without the values that their operator does not have.

    Raises a 400 for those that no operator has the form of (``op_update_action_router_case_null``, ``..._unknown_operator``,
    ``..._number_as_number``).
    """
    groups = conditions if isinstance(conditions, list) else []
    if not all(isinstance(group, list) and all(_is_condition(one) for one in group) for group in groups):
        raise HttpError.invalid(INVALID)
    return [[_known_condition(one) for one in group] for group in groups]


def _is_condition(condition: Any) -> bool:
    operator = condition.get("operator", "") if isinstance(condition, dict) else None
    if not isinstance(operator, str):
        return False
    values = ("firstValue",) if operator in ONE_VALUE else ("firstValue", "secondValue")
    known = "operator" not in condition or operator in ONE_VALUE | WITH_CASE | WITHOUT_CASE
    cased = "operator" not in condition or operator in WITH_CASE
    return (
        known
        and all(isinstance(condition.get(key), str) for key in values)
        and (not cased or isinstance(condition.get("caseSensitive", False), bool))
    )


def _known_condition(condition: Json) -> Json:
    operator = condition.get("operator")
    dropped = {"secondValue", "caseSensitive"} if operator in ONE_VALUE else set()
    dropped |= {"caseSensitive"} if operator in WITHOUT_CASE else set()
    return {key: value for key, value in condition.items() if key not in dropped}


def _is_condition_valid(condition: Json) -> bool:
    one_value = condition.get("operator") in ONE_VALUE
    return bool(condition.get("firstValue")) and (one_value or bool(condition.get("secondValue")))


def _is_input_valid(prop: Json, value: Any) -> bool:
    """Whether an input fits its property. Content of arrays and dynamic properties is not checked, as in the engine."""
    kind = prop["type"]
    if kind in ("MARKDOWN", "CUSTOM"):
        return True
    if value is None:
        return not prop.get("required")
    accepted = ACCEPTED.get(kind, (object,))
    if not isinstance(value, accepted):
        return False
    return not (prop.get("required") and value == "" and kind in ("SHORT_TEXT", "LONG_TEXT", "DYNAMIC"))


def check(step: Json, kinds: tuple[str, ...], *, imported: bool = False) -> None:
    """Raise a 400 unless the step is one of these types, and well formed. Imports take any text as the version of a piece."""
    if not NAME.fullmatch(str(step.get("name", ""))):
        raise HttpError.invalid(INVALID)
    settings = step.get("settings")
    if step.get("type") not in kinds or not isinstance(step.get("displayName"), str) or not isinstance(settings, dict):
        raise HttpError.invalid(INVALID)
    expected = SETTINGS[step["type"]]
    if not all(isinstance(settings.get(key), kind) for key, kind in expected.items()):
        raise HttpError.invalid(INVALID)
    if "pieceVersion" in expected and not (VERSION.fullmatch(settings["pieceVersion"]) or imported):
        raise HttpError.invalid(INVALID)
    properties = settings.get("propertySettings", {}).values()
    typed = all(isinstance(one, dict) and one.get("type") in PROPERTY_TYPES for one in properties)
    branches = settings["branches"] if step["type"] == "ROUTER" else []
    if not typed or not all(_is_branch(one) for one in branches):
        raise HttpError.invalid(INVALID)


def check_tree(trigger: Json) -> None:
    """Raise a 400 unless every step of an imported tree is well formed, and has a date as the newest trees do."""
    steps = list(tree.walk(trigger))
    for step in steps:
        check(step, TRIGGERS if step is trigger else ACTIONS, imported=True)
        if "lastUpdatedDate" not in step:
            raise HttpError.invalid(INVALID)


def migrate(trigger: Json, schema_version: Any) -> Json:
    """An imported tree in the newest schema. One of that schema is not changed.

    So a tree without dates is refused with schema 20 and accepted with any other (``op_import_flow_plain_tree_schema_*``). In
    trees older than all schemas the inputs of each step are listed, and a branch becomes a router
    (``op_import_flow_schema_null``, ``op_import_flow_unknown_step_type``). Raises a 500 if a step of a piece has no version, in any
    schema (``op_import_flow_installed_no_version*``, ``op_import_flow_not_installed_version_null``).
    """
    if any(_lacks_version(step) for step in tree.walk(trigger)):
        raise HttpError.plain(500, "there is no version of a piece to migrate")
    if schema_version == NEWEST:
        return trigger
    for step in tree.walk(trigger):
        step.setdefault("lastUpdatedDate", ids.stamp())
        if schema_version is None:
            _migrate_oldest(step)
    return trigger


def _lacks_version(step: Json) -> bool:
    settings = step.get("settings")
    return (
        step.get("type") in ("PIECE", "PIECE_TRIGGER")
        and isinstance(settings, dict)
        and settings.get("pieceVersion") is None
    )


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


def _is_branch(branch: Any) -> bool:
    return (
        isinstance(branch, dict) and branch.get("branchType") in BRANCHES and isinstance(branch.get("branchName"), str)
    )


ACCEPTED: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("SHORT_TEXT", "LONG_TEXT", "DATE_TIME", "FILE", "COLOR"), (str,)),
    **dict.fromkeys(("STATIC_MULTI_SELECT_DROPDOWN", "MULTI_SELECT_DROPDOWN"), (list, str)),
    "NUMBER": (int, float, str),
    "CHECKBOX": (bool, str),
    "DYNAMIC": (dict, str),
    "ARRAY": (list, str, dict),
    "OBJECT": (dict, str),
    "JSON": (dict, list, str),
}
