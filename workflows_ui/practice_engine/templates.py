"""Templates in step inputs: ``{{trigger.body.x}}``, ``{{trigger['body']['x']}}``, ``{{step_1.list[0]}}``.

A text that is one template keeps the value's type; among other text it becomes text. An unknown value is an empty text
(recording ``run_odd_FAILED_Order_intake``: inputs ``""``).
"""

import json
import re
from typing import Any

TEMPLATE = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
TOKEN = re.compile(r"""\s*(?:\?\.|\.)?\s*(?:(\w[\w$-]*)|\[\s*(?:'([^']*)'|"([^"]*)"|(\d+))\s*\])""")


def resolve(value: Any, known: dict[str, Any]) -> Any:
    """Return ``value`` with every template in it replaced; ``known`` maps step names to their outputs."""
    if isinstance(value, dict):
        return {name: resolve(inner, known) for name, inner in value.items()}
    if isinstance(value, list):
        return [resolve(inner, known) for inner in value]
    if not isinstance(value, str):
        return value
    whole = TEMPLATE.fullmatch(value.strip())
    if whole and value.count("{{") == 1:
        result = look_up(whole[1], known)
        return "" if result is None else result
    return TEMPLATE.sub(lambda match: _as_text(look_up(match[1], known)), value)


def look_up(expression: str, known: dict[str, Any]) -> Any:
    """Return the value at a path such as ``step_1['total']``; None if there is none."""
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
