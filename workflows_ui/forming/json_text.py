"""JSON as a person types it, as it is stored and sent, and as it is shown again."""

import json
import math
import re
from typing import Any

#: The engine refuses more (api.md 4: body limit 25 MiB).
MAX_BYTES = 25 * 1024 * 1024
#: Levels of nesting; more is a mistake, and neither a page nor the engine copes with it.
MAX_DEPTH = 200
_HALF = re.compile("[\ud800-\udfff]")


class BadPayload(Exception):
    """The text is not JSON that can be sent. `problem` is a word for the page's message; line and column count from 1, or are None."""

    def __init__(self, problem: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.line = line
        self.column = column


def parse(text: str) -> Any:
    """The value of a JSON text; empty text is `{}`.

    Raises BadPayload with problem `syntax` (line, column), `number` (not finite, or too long), `letter` (half of a surrogate
    pair, which no request can carry), `deep` or `large`.
    """
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise BadPayload("large")
    if not text.strip():
        return {}
    try:
        value = json.loads(text, parse_constant=_not_a_number, parse_float=_finite, parse_int=_whole)
    except json.JSONDecodeError as problem:
        raise BadPayload("syntax", problem.lineno, problem.colno) from None
    except RecursionError:
        raise BadPayload("deep") from None
    if _depth(value) > MAX_DEPTH:
        raise BadPayload("deep")
    if "\\u" in text and _HALF.search(json.dumps(value, ensure_ascii=False)):
        raise BadPayload("letter")
    return value


def _depth(value: Any) -> int:
    level, depth = [value], 0
    while level := [item for item in level if isinstance(item, (dict, list))]:
        depth += 1
        level = [child for item in level for child in (item.values() if isinstance(item, dict) else item)]
    return depth


def _not_a_number(_name: str) -> Any:
    raise BadPayload("number")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise BadPayload("number")
    return value


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:  # Python refuses whole numbers of more than 4,300 digits
        raise BadPayload("number") from None


def dump(value: Any) -> str:
    """The text that is stored and sent: compact, ASCII, keys in the order they were typed."""
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"))


def pretty(value: Any) -> str:
    """The text that is shown: indented, readable letters; half of a surrogate pair stays an escape, since no page can carry it."""
    return json.dumps(value, ensure_ascii=False, indent=2).encode("utf-8", "backslashreplace").decode()
