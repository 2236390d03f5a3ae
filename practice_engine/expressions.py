"""Templates in step inputs, and the conditions of routers.

``{{trigger.body.x}}``, ``{{trigger['body']['x']}}``, ``{{step_1.list[0]}}``: a text that is one template keeps the value's type; among
other text it becomes text. An unknown value is an empty text (recording ``run_odd_FAILED_Order_intake``: inputs ``""``). Conditions are
a list of lists: the outer one means or, the inner ones and (api.md 6.3).
"""

import json
import operator
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from . import ids
from .http import Json, map_texts

Operator = Callable[[Any, Any], bool]
TEMPLATE = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
TOKEN = re.compile(r"""\s*(?:\?\.|\.)?\s*(?:(\w[\w$-]*)|\[\s*(?:'([^']*)'|"([^"]*)"|(\d+))\s*\])""")


def resolve(value: Any, known: dict[str, Any]) -> Any:
    """``value`` with every template in it replaced; ``known`` maps step names to their outputs."""

    def replace(text: str) -> Any:
        whole = TEMPLATE.fullmatch(text.strip())
        if whole and text.count("{{") == 1:
            result = look_up(whole[1], known)
            return "" if result is None else result
        return TEMPLATE.sub(lambda match: _as_text(look_up(match[1], known)), text)

    return map_texts(value, replace)


def look_up(expression: str, known: dict[str, Any]) -> Any:
    """The value at a path such as ``step_1['total']``, or None."""
    expression = expression.strip()
    position, value, first = 0, known, True
    while position < len(expression):
        token = TOKEN.match(expression, position)
        if token is None or (first and token[1] is None):
            return None
        key = next(group for group in token.groups() if group is not None)
        value = _get_item(value, key)
        position, first = token.end(), False
    return None if first else value


def _as_text(value: Any) -> str:
    """A value among other text."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _get_item(value: Any, key: str) -> Any:
    if isinstance(value, dict):
        return value.get(key)
    if isinstance(value, list):
        if key == "length":
            return len(value)
        return value[int(key)] if key.isdigit() and int(key) < len(value) else None
    return None


def holds(groups: list[list[Json]]) -> bool:
    """Whether the resolved conditions hold. Empty lists never do."""
    return any(group and all(_condition_holds(condition) for condition in group) for group in groups)


def _condition_holds(condition: Json) -> bool:
    check = OPERATORS.get(str(condition.get("operator")))
    if check is None:
        return False
    first, second = condition.get("firstValue"), condition.get("secondValue")
    if not condition.get("caseSensitive"):
        first, second = _lower(first), _lower(second)
    return check(first, second)


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else json.dumps(value)


def _date(value: Any) -> datetime:
    return ids.parse(str(value).upper())


def _list(value: Any) -> list[Any]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return []
    return value if isinstance(value, list) else []


def _compared(convert: Callable[[Any], Any], compare: Callable[[Any, Any], bool]) -> Operator:
    """Compare what ``convert`` makes of the values. False if it cannot convert one."""

    def check(first: Any, second: Any) -> bool:
        try:
            return compare(convert(first), convert(second))
        except (TypeError, ValueError):
            return False

    return check


def _contains(first: Any, second: Any) -> bool:
    return any(_text(_lower(item)) == _text(second) for item in _list(first))


def _with_negation(name: str, negation: str, check: Operator) -> dict[str, Operator]:
    return {name: check, negation: lambda first, second: not check(first, second)}


OPERATORS: dict[str, Operator] = {
    **_with_negation("TEXT_CONTAINS", "TEXT_DOES_NOT_CONTAIN", lambda one, two: _text(two) in _text(one)),
    **_with_negation("TEXT_EXACTLY_MATCHES", "TEXT_DOES_NOT_EXACTLY_MATCH", lambda one, two: _text(one) == _text(two)),
    **_with_negation("TEXT_START_WITH", "TEXT_DOES_NOT_START_WITH", _compared(_text, str.startswith)),
    **_with_negation("TEXT_ENDS_WITH", "TEXT_DOES_NOT_END_WITH", _compared(_text, str.endswith)),
    **_with_negation("LIST_CONTAINS", "LIST_DOES_NOT_CONTAIN", _contains),
    **_with_negation("LIST_IS_EMPTY", "LIST_IS_NOT_EMPTY", lambda one, _: not _list(one)),
    **_with_negation("EXISTS", "DOES_NOT_EXIST", lambda one, _: one not in (None, "")),
    "BOOLEAN_IS_TRUE": lambda one, _: one is True or one == "true",
    "BOOLEAN_IS_FALSE": lambda one, _: one is False or one == "false",
    "NUMBER_IS_GREATER_THAN": _compared(float, operator.gt),
    "NUMBER_IS_LESS_THAN": _compared(float, operator.lt),
    "NUMBER_IS_EQUAL_TO": _compared(float, operator.eq),
    "DATE_IS_BEFORE": _compared(_date, operator.lt),
    "DATE_IS_EQUAL": _compared(_date, operator.eq),
    "DATE_IS_AFTER": _compared(_date, operator.gt),
}
