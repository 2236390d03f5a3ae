"""Masks secrets in what the engine returned, before a template, a log or the audit sees it.

The engine keeps the headers of the request that started a run in `steps.trigger.output.headers` (recording `webhook_headers_parent_run`),
and steps that call other systems have headers in their input: both hold tokens that open things.
"""

import re
from collections.abc import Mapping
from typing import Any

MASK = "••••••••"
#: Headers that carry credentials; masked wherever a key has one of these names, whatever is around it.
HEADERS = frozenset(
    {
        "authorization",
        "proxy-authorization",
        "x-api-key",
        "x-access-token",
        "cookie",
        "set-cookie",
        "imbracetoken",
    }
)
_SUSPICIOUS = re.compile(r"secret|token|passw|api[-_]?key|signature|credential|session", re.IGNORECASE)
_BEARER = re.compile(r"\b(Bearer|Basic)\s+[A-Za-z0-9+/=._~-]{8,}")
#: The address of an MCP server holds its only key (api.md section 14).
_MCP = re.compile(r"(/v1/mcp/)[0-9A-Za-z]{16,}")
_DEEPEST = 60
_TOO_DEEP = "…"


def headers(found: Mapping[str, Any]) -> dict[str, Any]:
    """The headers, with the values of those that carry a secret, or whose name looks like it, masked."""
    return {
        name: MASK if name.lower() in HEADERS or _SUSPICIOUS.search(name) else _text(value)
        for name, value in found.items()
    }


def step(value: Any, *, secrets: frozenset[str] = frozenset()) -> Any:
    """A copy of any JSON value with secrets masked: credential headers anywhere, suspicious names inside `headers`, and `secrets`.

    What is nested deeper than sixty levels is left out: no page can show it.
    """
    return _walk(value, secrets, 0)


def masks(value: Any) -> bool:
    """Whether something in a masked copy (see `step`) is masked. Keys are not looked at: none is ever masked."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str) and MASK in one:
            return True
        if isinstance(one, dict):
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
    return False


def _walk(value: Any, secrets: frozenset[str], depth: int) -> Any:
    if isinstance(value, dict):
        if depth > _DEEPEST:
            return _TOO_DEEP
        return {str(key): _member(str(key), inner, secrets, depth) for key, inner in value.items()}
    if isinstance(value, list):
        return [_walk(inner, secrets, depth + 1) for inner in value] if depth <= _DEEPEST else _TOO_DEEP
    return _text(value)


def _member(key: str, value: Any, secrets: frozenset[str], depth: int) -> Any:
    name = key.lower()
    if name in HEADERS or key in secrets:
        return MASK if value not in (None, "") else value
    if name == "headers" and isinstance(value, dict):
        return {str(header): _walk(inner, secrets, depth + 2) for header, inner in headers(value).items()}
    return _walk(value, secrets, depth + 1)


def _text(value: Any) -> Any:
    return _MCP.sub(rf"\1{MASK}", _BEARER.sub(rf"\1 {MASK}", value)) if isinstance(value, str) else value
