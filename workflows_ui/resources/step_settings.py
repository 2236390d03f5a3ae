"""What is set in a step, field by field: for the outline of a flow, and for what differs between two versions."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from workflows_ui.engine import flow_tree
from workflows_ui.kit.caller import Caller
from workflows_ui.kit.resource import pick
from workflows_ui.resources import apps, step_values
from workflows_ui.resources.flow_reading import REFUSALS
from workflows_ui.resources.step_values import Line, Names

#: Settings that are told elsewhere (the piece and what it does), or that only the engine's builder needs.
_ELSEWHERE = frozenset(
    {
        "actionName",
        "branches",
        "customLogoUrl",
        "errorHandlingOptions",
        "executionType",
        "input",
        "inputUiInfo",
        "items",
        "pieceName",
        "pieceVersion",
        "propertySettings",
        "sampleData",
        "sourceCode",
        "triggerName",
    }
)
_LABELS_FOR, _MOST_PIECES = 600, 8
_EXECUTION: dict[str, str | Promise] = {
    "EXECUTE_FIRST_MATCH": gettext_lazy("Only the first branch that fits"),
    "EXECUTE_ALL_MATCH": gettext_lazy("Every branch that fits"),
}
_HANDLING = (
    ("continueOnFailure", gettext_lazy("The flow goes on if it fails")),
    ("retryOnFailure", gettext_lazy("It is tried again if it fails")),
)
#: Operators of conditions (api.md 6.3), in words that stand between two values or behind the one.
_OPERATORS: dict[str, str | Promise] = {
    "TEXT_CONTAINS": gettext_lazy("contains"),
    "TEXT_DOES_NOT_CONTAIN": gettext_lazy("does not contain"),
    "TEXT_EXACTLY_MATCHES": gettext_lazy("is exactly"),
    "TEXT_DOES_NOT_EXACTLY_MATCH": gettext_lazy("is not exactly"),
    "TEXT_START_WITH": gettext_lazy("starts with"),
    "TEXT_DOES_NOT_START_WITH": gettext_lazy("does not start with"),
    "TEXT_ENDS_WITH": gettext_lazy("ends with"),
    "TEXT_DOES_NOT_END_WITH": gettext_lazy("does not end with"),
    "LIST_CONTAINS": gettext_lazy("has in its list"),
    "LIST_DOES_NOT_CONTAIN": gettext_lazy("does not have in its list"),
    "NUMBER_IS_GREATER_THAN": gettext_lazy("is greater than"),
    "NUMBER_IS_LESS_THAN": gettext_lazy("is less than"),
    "NUMBER_IS_EQUAL_TO": gettext_lazy("is equal to"),
    "DATE_IS_BEFORE": gettext_lazy("is before"),
    "DATE_IS_EQUAL": gettext_lazy("is the same time as"),
    "DATE_IS_AFTER": gettext_lazy("is after"),
    "EXISTS": gettext_lazy("is there"),
    "DOES_NOT_EXIST": gettext_lazy("is not there"),
    "BOOLEAN_IS_TRUE": gettext_lazy("is true"),
    "BOOLEAN_IS_FALSE": gettext_lazy("is false"),
    "LIST_IS_EMPTY": gettext_lazy("is an empty list"),
    "LIST_IS_NOT_EMPTY": gettext_lazy("is a list with something in it"),
}
_ALONE = frozenset(
    {"EXISTS", "DOES_NOT_EXIST", "BOOLEAN_IS_TRUE", "BOOLEAN_IS_FALSE", "LIST_IS_EMPTY", "LIST_IS_NOT_EMPTY"}
)

#: Labels of fields by piece, then by action or trigger, then by field.
Labels = Mapping[str, Mapping[str, Mapping[str, str]]]


def names_of(trigger: Any, connections: Mapping[str, tuple[str, str]], slug: str, older: Any = None) -> Names:
    """What references in this tree are told by; steps that only the `older` tree has are called as there."""
    steps = flow_tree.steps_by_name(older) | flow_tree.steps_by_name(trigger)
    titles = {name: str(step.get("displayName") or name) for name, step in steps.items()}
    return Names(titles, connections, slug)


def labels(caller: Caller, trigger: Any) -> Labels:
    """The labels of the fields of the pieces in this tree (of the first eight; remembered). Without them names are made readable."""
    found: dict[str, Mapping[str, Mapping[str, str]]] = {}
    named = (pick(node.step, "settings.pieceName") for node in flow_tree.walk(trigger))
    for name in list(dict.fromkeys(one for one in named if isinstance(one, str) and one))[:_MOST_PIECES]:
        nothing: dict[str, dict[str, str]] = {}
        ask = partial(_labels, caller, name)
        found[name] = caller.remember_or(nothing, f"piece-labels:{name}", _LABELS_FOR, ask)
    return found


def lines(step: Mapping[str, Any], names: Names, known: Labels, most: int = step_values.MOST) -> tuple[list[Line], int]:
    """Everything that is set in a step, and how many fields are left out."""
    settings = step.get("settings")
    if not isinstance(settings, Mapping):
        return [], 0
    found: list[Line] = []
    for key, label in (("items", _("For each item in")), ("executionType", _("Runs"))):
        if isinstance(settings.get(key), str):
            value = _EXECUTION.get(settings[key], settings[key]) if key == "executionType" else settings[key]
            found.append(step_values.line((key,), str(value), names, {key: label}))
    found += [
        step_values.line(("branches", name), text, names, {"branches": _("Branch")})
        for name, text in _branches(settings.get("branches"))
    ]
    inner, left = step_values.lines(settings.get("input"), names, _of_step(settings, known), most=most)
    found += inner
    found += _code(settings.get("sourceCode"), names)
    for key, value in settings.items():
        if key not in _ELSEWHERE:
            more, also = step_values.lines(value, names, at=(str(key)[:80],), most=most)
            found, left = found + more, left + also
    handling = settings.get("errorHandlingOptions")
    found += [
        step_values.line((key,), True, names, {key: str(label)})
        for key, label in _HANDLING
        if pick(handling, f"{key}.value") is True
    ]
    return found, left


def condition(found: Any) -> str:
    """One condition in words, its values as the engine has them."""
    operator = pick(found, "operator")
    operator = operator if isinstance(operator, str) else ""
    first, second = (step_values.plain(pick(found, key)) for key in ("firstValue", "secondValue"))
    word = str(_OPERATORS.get(operator, operator[:60]))
    said = [first or _("(nothing)"), word] if operator in _ALONE else [first or _("(nothing)"), word, second]
    return " ".join(part for part in said if part)


def _branches(found: Any) -> list[tuple[str, str]]:
    """(name, conditions in words) of a router's branches."""
    told = []
    for number, branch in enumerate(found if isinstance(found, list) else [], start=1):
        name = pick(branch, "branchName")
        name = name if isinstance(name, str) and name else str(number)
        if pick(branch, "branchType") == "FALLBACK":
            told.append((name, _("If no other branch fits")))
            continue
        ways = pick(branch, "conditions")
        groups = [way for way in ways if isinstance(way, list)] if isinstance(ways, list) else []
        joined = [_(" and ").join(condition(one) for one in group) for group in groups if group]
        told.append((name, _(", or ").join(joined) or _("No condition is set")))
    return told


def _code(found: Any, names: Names) -> list[Line]:
    if not isinstance(found, Mapping):
        return []
    code, packages = found.get("code"), found.get("packageJson")
    told = [step_values.line(("sourceCode",), code, names, {"sourceCode": _("Code")})]
    if isinstance(packages, str) and packages.strip() not in ("", "{}"):
        told.append(step_values.line(("packageJson",), packages, names, {"packageJson": _("Packages")}))
    return told


def _of_step(settings: Mapping[str, Any], known: Labels) -> Mapping[str, str]:
    piece = settings.get("pieceName")
    action = settings.get("actionName") or settings.get("triggerName")
    own = known.get(piece, {}).get(action, {}) if isinstance(piece, str) and isinstance(action, str) else {}
    return {"auth": _("Connection")} | dict(own)


def _labels(caller: Caller, name: str) -> dict[str, dict[str, str]]:
    try:
        piece = apps.asked(caller, name)
    except REFUSALS:
        return {}
    found: dict[str, dict[str, str]] = {}
    for kind in ("actions", "triggers"):
        listed = piece.get(kind)
        for key, one in listed.items() if isinstance(listed, Mapping) else ():
            props = pick(one, "props")
            told = {
                str(prop): str(pick(what, "displayName"))[:80]
                for prop, what in (props.items() if isinstance(props, Mapping) else ())
                if isinstance(pick(what, "displayName"), str) and pick(what, "displayName").strip()
            }
            found.setdefault(str(key), {}).update(told)
    return found
