"""JSON texts: as typed by a person, as stored and sent, and as displayed."""

import json
import math
import re
from collections.abc import Iterable

#: The engine's body limit (api.md 4: 25 MiB).
MAX_BYTES = 25 * 1024 * 1024
#: Levels of nesting; more is a mistake that neither a page nor the engine can handle.
MAX_DEPTH = 200
#: Half of a surrogate pair, which cannot be encoded in pages and requests.
HALF = re.compile("[\ud800-\udfff]")


class BadPayload(Exception):
    """The text is not JSON that can be sent. `problem` is the key of the message; line and column count from 1, or are None."""

    def __init__(self, problem: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.line = line
        self.column = column


def parse(text: str, most: int = MAX_BYTES) -> object:
    """The value of a JSON text of at most `most` bytes in UTF-8; empty text is `{}`.

    Raises BadPayload with problem `syntax` (line, column), `number` (not finite, or too long), `letter` (half of a surrogate
    pair, which cannot be encoded in a request), `deep` or `large`.
    """
    # A letter has one byte at least: a text that is far too long is not copied.
    if len(text) > most or len(text.encode("utf-8", "surrogatepass")) > most:
        raise BadPayload("large")
    if not text.strip():
        return {}
    try:
        value = json.loads(text, parse_constant=_parse_float, parse_float=_parse_float, parse_int=_parse_int)
    except json.JSONDecodeError as problem:
        raise BadPayload("syntax", problem.lineno, problem.colno) from None
    except RecursionError:
        raise BadPayload("deep") from None
    if depth(value) > MAX_DEPTH:
        raise BadPayload("deep")
    if "\\u" in text and HALF.search(json.dumps(value, ensure_ascii=False)):
        raise BadPayload("letter")
    return value


def depth(value: object) -> int:
    """The number of lists and objects inside each other."""
    level: list[object] = [value]
    number = 0
    while level := [item for item in level if isinstance(item, (dict, list))]:
        number += 1
        level = [child for item in level for child in _inner(item)]
    return number


def _inner(value: object) -> Iterable[object]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _parse_float(text: str) -> float:
    """The number; also called for NaN and Infinity, which JSON does not have. Raises BadPayload."""
    value = float(text)
    if not math.isfinite(value):
        raise BadPayload("number")
    return value


def _parse_int(text: str) -> int:
    try:
        return int(text)
    except ValueError:  # Python refuses whole numbers of more than 4,300 digits
        raise BadPayload("number") from None


def dump(value: object) -> str:
    """The text to store and send: compact, keys in the typed order; half of a surrogate pair stays an escape."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")) if HALF.search(text) else text


def pretty(value: object) -> str:
    """The text to display: indented, unescaped; half of a surrogate pair stays an escape, since a page cannot contain it."""
    return json.dumps(value, ensure_ascii=False, indent=2).encode("utf-8", "backslashreplace").decode()
