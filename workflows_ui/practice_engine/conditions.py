"""The conditions of a router: outer list OR, inner list AND (api.md 6.3)."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from . import ids
from .http import Json


def holds(groups: list[list[Json]]) -> bool:
    """Whether the resolved conditions hold. Two empty lists hold never."""
    return any(group and all(_one(condition) for condition in group) for group in groups)


def _one(condition: Json) -> bool:
    operator = OPERATORS.get(str(condition.get("operator")))
    if operator is None:
        return False
    first, second = condition.get("firstValue"), condition.get("secondValue")
    if not condition.get("caseSensitive"):
        first, second = _lower(first), _lower(second)
    return operator(first, second)


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else json.dumps(value)


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _numbers(compare: Callable[[float, float], bool]) -> Callable[[Any, Any], bool]:
    def check(first: Any, second: Any) -> bool:
        one, two = _number(first), _number(second)
        return one is not None and two is not None and compare(one, two)

    return check


def _date(value: Any) -> datetime | None:
    try:
        return ids.parse(str(value).upper())
    except ValueError:
        return None


def _dates(compare: Callable[[datetime, datetime], bool]) -> Callable[[Any, Any], bool]:
    def check(first: Any, second: Any) -> bool:
        one, two = _date(first), _date(second)
        return one is not None and two is not None and compare(one, two)

    return check


def _list(value: Any) -> list[Any]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return []
    return value if isinstance(value, list) else []


def _contains(first: Any, second: Any) -> bool:
    return any(_text(_lower(item)) == _text(second) for item in _list(first))


def _there(first: Any, second: Any) -> bool:
    return first is not None and first != ""


def _true(first: Any, second: Any) -> bool:
    return first is True or first == "true"


def _false(first: Any, second: Any) -> bool:
    return first is False or first == "false"


def _not(check: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda first, second: not check(first, second)


def _in(first: Any, second: Any) -> bool:
    return _text(second) in _text(first)


def _equal(first: Any, second: Any) -> bool:
    return _text(first) == _text(second)


def _starts(first: Any, second: Any) -> bool:
    return _text(first).startswith(_text(second))


def _ends(first: Any, second: Any) -> bool:
    return _text(first).endswith(_text(second))


def _empty_list(first: Any, second: Any) -> bool:
    return not _list(first)


OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "TEXT_CONTAINS": _in,
    "TEXT_DOES_NOT_CONTAIN": _not(_in),
    "TEXT_EXACTLY_MATCHES": _equal,
    "TEXT_DOES_NOT_EXACTLY_MATCH": _not(_equal),
    "TEXT_START_WITH": _starts,
    "TEXT_DOES_NOT_START_WITH": _not(_starts),
    "TEXT_ENDS_WITH": _ends,
    "TEXT_DOES_NOT_END_WITH": _not(_ends),
    "LIST_CONTAINS": _contains,
    "LIST_DOES_NOT_CONTAIN": _not(_contains),
    "NUMBER_IS_GREATER_THAN": _numbers(lambda one, two: one > two),
    "NUMBER_IS_LESS_THAN": _numbers(lambda one, two: one < two),
    "NUMBER_IS_EQUAL_TO": _numbers(lambda one, two: one == two),
    "DATE_IS_BEFORE": _dates(lambda one, two: one < two),
    "DATE_IS_EQUAL": _dates(lambda one, two: one == two),
    "DATE_IS_AFTER": _dates(lambda one, two: one > two),
    "EXISTS": _there,
    "DOES_NOT_EXIST": _not(_there),
    "BOOLEAN_IS_TRUE": _true,
    "BOOLEAN_IS_FALSE": _false,
    "LIST_IS_EMPTY": _empty_list,
    "LIST_IS_NOT_EMPTY": _not(_empty_list),
}
