"""Masks secrets in the engine's answers and in launch inputs, before a template, a file, a mail or the audit log gets them.

The engine keeps the headers of the request that started a run in `steps.trigger.output.headers` (recording `webhook_headers_parent_run`),
steps that call other systems have headers in their input, and people enter passwords as inputs. workflows_ui/core/secret_names.py
decides which names denote a secret.
"""

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from workflows_ui.core.secret_names import MASK, mask_text, masks, names_secret

__all__ = ["HEADERS", "MASK", "adds_mask", "headers", "holds_secret", "masks", "step", "without_masked"]

#: Headers that carry credentials; a key with one of these names is masked everywhere.
HEADERS = frozenset(
    {"authorization", "proxy-authorization", "x-api-key", "x-access-token", "cookie", "set-cookie", "imbracetoken"}
)
_SUSPICIOUS = re.compile(r"secret|token|passw|api[-_]?key|signature|credential|session", re.IGNORECASE)
#: A reference that the engine resolves when the flow runs, such as `{{connections['slack']}}`: it holds no secret.
_REFERENCE = re.compile(r"""\s*\{\{\s*[A-Za-z_$][\w$]*(?:\.[\w$-]+|\[(?:'[^'{}]*'|"[^"{}]*"|\d+)\])*\s*\}\}\s*""")
#: Headers, form fields, answers and parameters also come as lists of pairs: the keys of names and the keys of values, in any case.
_NAMES = frozenset(
    {"name", "key", "field", "header", "label", "title", "question", "param", "parameter", "variable", "id", "k"}
    | {"fieldname"}
)
_VALUES = frozenset({"value", "values", "val", "v", "answer", "content", "text", "fieldvalue"})
_NO: frozenset[str] = frozenset()
_NESTED = (dict, list)
#: How JSON of an object or list begins: an expression (`{{trigger.body}}`) does not, and need not be parsed.
_JSON = re.compile(r'[ \t\n\r]*(?:\[|\{[ \t\n\r]*["}])')
_DEEPEST = 60
#: The steps of a flow follow each other inside each other: they are a chain, not a nesting. 600 of them are the limit.
_FOLLOWING, _STEP = "nextAction", 0.1
#: The longest key that is remembered.
_LONGEST_KEY = 120
_TOO_DEEP = "…"
#: The most characters of a text that is parsed as JSON; longer ones are masked as plain text.
_LONGEST_JSON = 4_000_000


def headers(values: Mapping[str, Any]) -> dict[str, Any]:
    """The headers, with the values masked of those that carry a secret or have a suspicious name."""
    return {
        name: MASK if name.lower() in HEADERS or _SUSPICIOUS.search(name) else _text(value, _NO, _NO, 0)
        for name, value in values.items()
    }


def step(value: Any, *, secrets: frozenset[str] = frozenset(), plain: frozenset[str] = frozenset()) -> Any:
    """A copy of any JSON value with secrets masked: values whose key denotes one, and pairs of such a name and a value
    inside texts, including JSON.

    `secrets` are additional keys to mask; `plain` are keys that are not masked, since they have another meaning at the engine. Values
    nested deeper than sixty levels are left out: no page can show them (`is_cut`).
    """
    return _walk(value, secrets, plain, 0)


def is_cut(value: object) -> bool:
    """Whether `step` leaves out a part of the value."""
    waiting: list[tuple[object, float]] = [(value, 0)]
    while waiting:
        current, depth = waiting.pop()
        if isinstance(current, _NESTED) and depth > _DEEPEST:
            return True
        if isinstance(current, dict):
            waiting += [
                (inner, depth + (_STEP if key == _FOLLOWING else 1))
                for key, inner in current.items()
                if isinstance(inner, _NESTED)
            ]
        elif isinstance(current, list):
            waiting += [(inner, depth + 1) for inner in current if isinstance(inner, _NESTED)]
    return False


def without_masked(value: object) -> object:
    """A copy of a masked value without its masked members, for a form in which they have to be entered again."""
    if isinstance(value, dict):
        return {key: without_masked(inner) for key, inner in value.items() if inner != MASK}
    return [without_masked(inner) for inner in value] if isinstance(value, list) else value


def adds_mask(new: object, shown: object, real: object) -> bool:
    """Whether a submitted value has more masks than the real value that a page showed as `shown`. If a part of that was hidden, any mask
    may stand for it.
    """
    return str(new).count(MASK) > (str(real).count(MASK) if shown == real else 0)


def _walk(value: object, secrets: frozenset[str], plain: frozenset[str], depth: float) -> object:
    if isinstance(value, dict):
        return _chain(value, secrets, plain, depth)
    if isinstance(value, list):
        if value and all(isinstance(item, list) and len(item) == 2 and isinstance(item[0], str) for item in value):
            value = [[name, MASK if names_secret(name) and holds_secret(inner) else inner] for name, inner in value]
        return [_walk(inner, secrets, plain, depth + 1) for inner in value] if depth <= _DEEPEST else _TOO_DEEP
    return _text(value, secrets, plain, depth)


def _chain(value: dict[object, object], secrets: frozenset[str], plain: frozenset[str], depth: float) -> object:
    """An object with those that follow it, masked without recursion: a chain is as deep as the flow is long."""
    holder: dict[str, object] = {}
    place, current = holder, value
    while depth <= _DEEPEST:
        following = current.get(_FOLLOWING)
        members = [(str(key), _key(str(key)), inner) for key, inner in current.items()]
        pair = any(key.of_name and isinstance(name, str) and names_secret(name) for _name, key, name in members)
        masked = {
            name: MASK
            if pair and key.of_value and holds_secret(inner)
            # Replaced in the next round, or left out.
            else _TOO_DEEP
            if name == _FOLLOWING and isinstance(inner, dict)
            else _member(name, key, inner, secrets, plain, depth)
            for name, key, inner in members
        }
        place[_FOLLOWING] = masked
        if not isinstance(following, dict):
            break
        place, current, depth = masked, following, depth + _STEP
    return holder.get(_FOLLOWING, _TOO_DEEP)


class _Key(NamedTuple):
    """What the key of a member says: it is that of a name, or of its value, in a pair; it is a header's, or that of headers; it denotes a
    secret.
    """

    of_name: bool
    of_value: bool
    header: bool
    headers: bool
    secret: bool


def _key(name: str) -> _Key:
    # A key may be megabytes long: only short ones are remembered.
    return _known_key(name) if len(name) <= _LONGEST_KEY else _parsed_key(name)


def _parsed_key(name: str) -> _Key:
    lowered = name.lower()
    bare = lowered[:20].replace("_", "").replace("-", "")
    return _Key(bare in _NAMES, bare in _VALUES, lowered in HEADERS, lowered == "headers", names_secret(name))


_known_key = lru_cache(maxsize=20_000)(_parsed_key)


def _member(
    name: str, key: _Key, value: object, secrets: frozenset[str], plain: frozenset[str], depth: float
) -> object:
    if key.header or name in secrets:
        return MASK if value not in (None, "") else value
    if key.secret and name not in plain and holds_secret(value):
        return MASK
    if isinstance(value, str):
        return _text(value, secrets, plain, depth + 1)
    if not isinstance(value, _NESTED):
        return value
    if key.headers and isinstance(value, dict):
        return {str(name): _walk(inner, secrets, plain, depth + 2) for name, inner in headers(value).items()}
    return _walk(value, secrets, plain, depth + 1)


def holds_secret(value: object) -> bool:
    """Whether there is a value to hide, given that it is called a secret: not for booleans, empty values and references."""
    if value is None or isinstance(value, bool) or value in ("", [], {}):
        return False
    return not (isinstance(value, str) and _REFERENCE.fullmatch(value))


def _text(value: Any, secrets: frozenset[str], plain: frozenset[str], depth: float) -> Any:
    if not isinstance(value, str):
        return value
    if _JSON.match(value) and len(value) <= _LONGEST_JSON and depth <= _DEEPEST:
        try:
            parsed = json.loads(value)
        except (ValueError, RecursionError):
            return mask_text(value)
        masked = _walk(parsed, secrets, plain, depth + 1)
        # The parser keeps only the last of duplicate keys, so the text itself is masked.
        return mask_text(value) if masked == parsed else json.dumps(masked, ensure_ascii=False)
    return mask_text(value)
