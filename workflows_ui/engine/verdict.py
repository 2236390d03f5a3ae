"""What an answer of the engine, its gateway or a proxy in between means: by the body's code first, then by the status.

Facts: api.md 2.2 and 4.2 and the recordings of refused calls (`err_*`, `*_unknown`, `run_get_unknown_404`, ...).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from .answer import Answer, NotJson
from .errors import (
    CredentialRefused,
    EngineError,
    Forbidden,
    NotFound,
    NotInPlan,
    Refused,
    ScopedKey,
    TooMany,
    Unavailable,
    Unknown,
    WrongOrganization,
)

_BY_CODE: Mapping[str, type[EngineError]] = {
    "INVALID_API_KEY": CredentialRefused,
    "INVALID_BEARER_TOKEN": CredentialRefused,
    "INVALID_CREDENTIALS": CredentialRefused,
    "AUTHENTICATION": CredentialRefused,
    "SESSION_EXPIRED": CredentialRefused,
    "AUTHORIZATION": Forbidden,
    "PERMISSION_DENIED": Forbidden,
    "QUOTA_EXCEEDED": NotInPlan,
    "FEATURE_DISABLED": NotInPlan,
    "AI_CREDIT_LIMIT_EXCEEDED": NotInPlan,
    "ENTITY_NOT_FOUND": NotFound,
    "FILE_NOT_FOUND": NotFound,
    "FLOW_RUN_NOT_FOUND": NotFound,
    "FLOW_IN_USE": Refused,
    "VALIDATION": Refused,
    "FST_ERR_VALIDATION": Refused,
    "FLOW_OPERATION_INVALID": Refused,
}
_BY_STATUS: Mapping[int, type[EngineError]] = {
    401: CredentialRefused,
    402: NotInPlan,
    403: Forbidden,
    404: NotFound,
    408: Unavailable,
    410: NotFound,
    429: TooMany,
}
# A page in place of JSON is a proxy speaking, and what a proxy thinks of the route says nothing about the thing behind it.
# These statuses alone mean the same whoever says them.
_ANYONE_MAY_SAY = (401, 413, 429)
_UNKNOWN_CALLER = "invalid route for principal type"  # recordings err_no_auth_flows, err_api_key_header
_NOT_A_MEMBER = "organization_id not found"
_SCOPED = "Invalid API path"


def of_answer(
    answer: Answer, *, write: bool, what: str, secrets: Iterable[str] = (), now: datetime | None = None
) -> EngineError | None:
    """The error that `answer` stands for, or None for a success (2xx).

    Args:
        write: True for calls that change something: what a proxy's 5xx means for them is not known.
        what: method and path, for `technical`.
        secrets: texts to take out of the engine's words.
        now: our clock, for a `Retry-After` date where the engine does not tell its own.
    """
    if 200 <= answer.status < 300:
        return None
    body, problem = _body(answer)
    kind, code = _kind(answer.status, body, problem, write=write)
    words = said(body) or _plain(answer.status, problem)
    return kind(
        cleared(words, secrets)[:500],
        status=answer.status,
        code=code,
        request_id=answer.request_id,
        sent=None if kind is Unknown else True,
        retry_after=answer.retry_after(now or datetime.now(UTC)),
        technical=f"{what}: {answer.status}, {len(answer.body)} bytes"
        + (f", to {cleared(answer.headers['location'], secrets)[:200]!r}" if _is_redirect(answer) else ""),
    )


def of_body(answer: Answer, problem: NotJson, *, write: bool, what: str) -> EngineError:
    """The error of a success whose body cannot be read: a read may be repeated, a write was probably acted on."""
    kind = Unknown if write else Unavailable
    return kind(
        str(problem),
        status=answer.status,
        code=problem.code,
        request_id=answer.headers.get("x-request-id", "")[:100],
        sent=None if write else True,
        technical=f"{what}: {answer.status}, {len(answer.body)} bytes of {answer.headers.get('content-type', 'no type')[:80]}",
    )


def said(body: Any) -> str:
    """The engine's own words in an error body, "" where there are none. Three shapes, and the gateway's (README of the engine)."""
    if isinstance(body, str):
        return "" if body == "[object Object]" else body
    if not isinstance(body, dict):
        return ""
    params = body.get("params")
    inner = params if isinstance(params, dict) else {}
    found = inner.get("message") or inner.get("error") or body.get("message") or body.get("error") or ""
    return found if isinstance(found, str) else ""


def cleared(text: str, secrets: Iterable[str]) -> str:
    """`text` without any of `secrets`."""
    for secret in secrets:
        text = text.replace(secret, "***")
    return text


def _body(answer: Answer) -> tuple[Any, NotJson | None]:
    try:
        return answer.json(), None
    except NotJson as problem:
        return None, problem


def _kind(status: int, body: Any, problem: NotJson | None, *, write: bool) -> tuple[type[EngineError], str]:
    code = body.get("code") if isinstance(body, dict) else None
    code = code if isinstance(code, str) else ""
    if problem is not None and problem.code != "EMPTY" and status not in _ANYONE_MAY_SAY:
        return (Unknown if write and status >= 500 else Unavailable), problem.code
    by_code = _BY_CODE.get(code)
    if by_code is not None:
        return (CredentialRefused if by_code is Forbidden and said(body) == _UNKNOWN_CALLER else by_code), code
    if status >= 500 or status < 400:
        # 502 and 504 come from something that did not hear the engine out.
        lost = write and (status in (502, 504) or problem is not None)
        return (Unknown if lost and status >= 500 else Unavailable), code or ("" if status >= 400 else "REDIRECT")
    if status == 403 and said(body).startswith(_SCOPED):
        return ScopedKey, code
    if status == 400 and _NOT_A_MEMBER in said(body):
        return WrongOrganization, code
    return _BY_STATUS.get(status, Refused), code


def _is_redirect(answer: Answer) -> bool:
    return 300 <= answer.status < 400 and "location" in answer.headers


def _plain(status: int, problem: NotJson | None) -> str:
    if 300 <= status < 400:
        return "The engine's address answers with a redirect, which is not followed."
    if problem is not None and problem.code != "EMPTY":
        return str(problem)
    return f"The engine answered with status {status} and no explanation."
