"""The error for an answer of the engine, its gateway or a proxy: by the code in the body first, then by the status.

Facts: api.md 2.2 and 4.2 and the recordings of refused calls (`err_*`, `*_unknown`, `run_get_unknown_404`, ...).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from . import errors
from .answer import Answer, NotJson
from .writes import Refusal

_REFUSED_CALLERS = (
    "INVALID_API_KEY",
    "INVALID_BEARER_TOKEN",
    "INVALID_CREDENTIALS",
    "AUTHENTICATION",
)
_BY_CODE: Mapping[str, type[errors.EngineError]] = {
    **dict.fromkeys(_REFUSED_CALLERS, errors.CredentialRefused),
    "SESSION_EXPIRED": errors.SessionEnded,
    "USER_IS_INACTIVE": errors.UserInactive,
    **dict.fromkeys(("AUTHORIZATION", "PERMISSION_DENIED"), errors.Forbidden),
    **dict.fromkeys(("QUOTA_EXCEEDED", "FEATURE_DISABLED", "AI_CREDIT_LIMIT_EXCEEDED"), errors.NotInPlan),
    **dict.fromkeys(("ENTITY_NOT_FOUND", "FILE_NOT_FOUND", "FLOW_RUN_NOT_FOUND"), errors.NotFound),
    **dict.fromkeys(("FLOW_IN_USE", "VALIDATION", "FST_ERR_VALIDATION", "FLOW_OPERATION_INVALID"), errors.Refused),
    "FLOW_OPERATION_IN_PROGRESS": errors.InProgress,
    "23503": errors.UnknownReference,
}
_BY_STATUS: Mapping[int, type[errors.EngineError]] = {
    401: errors.CredentialRefused,
    402: errors.NotInPlan,
    403: errors.Forbidden,
    404: errors.NotFound,
    408: errors.Unavailable,
    410: errors.NotFound,
    429: errors.RateLimited,
}
# A page instead of JSON comes from a proxy, whose status says nothing about the object behind the route. Only these statuses have the
# same meaning from any sender.
_SENDER_INDEPENDENT = (401, 413, 429)
# Recordings err_no_auth_flows, err_api_key_header: 0.72 and 0.83.
_UNKNOWN_CALLER = ("invalid route for principal type", "principal is not allowed for this route")
# What 0.83 answers on routes of a project if the session was ended, instead of SESSION_EXPIRED (recordings `session_revoked_flows`,
# `session_inactive_tables`): an accident, so that only another route says what it means (`in_doubt`).
_ENDED_ON_PROJECT_ROUTES = {
    "statusCode": 403,
    "error": "Forbidden",
    "message": "Cannot read properties of undefined (reading 'type')",
}
# Recording err_other_project_403 of 0.72.4.
_CLOSED_PROJECT = "invalid project id"
# Recording flow_del_04_delete_again: the message of 0.72, where 0.83 has a separate code.
_IN_PROGRESS = "is already being"
# Recording err_route_not_found; other builds name the route.
_NO_ROUTE = re.compile(r"route .*not found", re.IGNORECASE | re.DOTALL)
_NOT_A_MEMBER = "organization_id not found"
_SCOPED = "Invalid API path"


def error_for_answer(
    answer: Answer,
    *,
    write: bool,
    what: str,
    secrets: Iterable[str] = (),
    now: datetime | None = None,
    refusals: Sequence[Refusal] | None = None,
) -> errors.EngineError | None:
    """The error of `answer`, or None for a success (2xx).

    Args:
        write: True for calls that change something: their outcome is not known after a proxy's 5xx.
        what: method and path.
        secrets: texts to remove from the engine's message.
        now: the console's clock, for a `Retry-After` date in an answer without a `Date`.
        refusals: of a write, the only answers that prove that nothing was done; any other one becomes Unknown, with its kind as `cause`.
    """
    if 200 <= answer.status < 300:
        return None
    body, problem = None, None
    try:
        body = answer.json()
    except NotJson as error:
        problem = error
    kind, code = _kind(answer.status, body, problem, write=write)
    message = error_message(body) or _default_message(answer.status, problem)
    technical = f"{what}: {answer.status}, {len(answer.body)} bytes"
    if 300 <= answer.status < 400 and "location" in answer.headers:
        technical += f", to {without_secrets(answer.headers['location'], secrets)[:200]!r}"
    proves = refusals is None or any(refusal.matches(answer.status, body) for refusal in refusals)
    found = (kind if proves else errors.Unknown)(
        without_secrets(message, secrets)[:500],
        status=answer.status,
        code=code,
        request_id=answer.request_id,
        sent=True,
        retry_after=answer.retry_after(now or datetime.now(UTC)),
        technical=technical,
    )
    if isinstance(found, errors.Unknown):
        found.sent, found.cause = None, None if kind is errors.Unknown else kind
    return found


def in_doubt(answer: Answer) -> bool:
    """Whether a 403 may mean that the session was ended, which a call to a route that is not a project's tells."""
    try:
        return answer.status == 403 and answer.json() == _ENDED_ON_PROJECT_ROUTES
    except NotJson:
        return False


def error_for_body(answer: Answer, problem: NotJson, *, write: bool, what: str) -> errors.EngineError:
    """The error of a success whose body cannot be decoded: a read may be repeated, a write probably took effect."""
    kind = errors.Unknown if write else errors.Unavailable
    return kind(
        str(problem),
        status=answer.status,
        code=problem.code,
        request_id=answer.headers.get("x-request-id", "")[:100],
        sent=None if write else True,
        technical=f"{what}: {answer.status}, {len(answer.body)} bytes of {answer.headers.get('content-type', 'no type')[:80]}",
    )


def error_message(body: Any) -> str:
    """The message in an error body, or "". The engine has three shapes, the gateway another (README of the engine)."""
    if isinstance(body, str):
        return "" if body == "[object Object]" else body
    if not isinstance(body, dict):
        return ""
    params = body.get("params")
    inner = params if isinstance(params, dict) else {}
    message = inner.get("message") or inner.get("error") or body.get("message") or body.get("error") or ""
    return message if isinstance(message, str) else ""


def without_secrets(text: str, secrets: Iterable[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, "***")
    return text


def _kind(status: int, body: Any, problem: NotJson | None, *, write: bool) -> tuple[type[errors.EngineError], str]:
    code = body.get("code") if isinstance(body, dict) else None
    code = code if isinstance(code, str) else ""
    if problem is not None and problem.code != "EMPTY" and status not in _SENDER_INDEPENDENT:
        return (errors.Unknown if write and status >= 500 else errors.Unavailable), problem.code
    by_code = _BY_CODE.get(code)
    if code == "FLOW_OPERATION_INVALID" and _IN_PROGRESS in error_message(body):
        by_code = errors.InProgress
    if _wrong_project(code, body):
        by_code = errors.WrongProject
    if by_code is not None:
        return (
            errors.CredentialRefused
            if by_code is errors.Forbidden and error_message(body) in _UNKNOWN_CALLER
            else by_code
        ), code
    if status >= 500 or status < 400:
        # 502 and 504 come from a proxy that did not get the engine's complete answer.
        lost = write and (status in (502, 504) or problem is not None)
        return (errors.Unknown if lost and status >= 500 else errors.Unavailable), code or (
            "" if status >= 400 else "REDIRECT"
        )
    if status == 403 and error_message(body).startswith(_SCOPED):
        return errors.ScopedKey, code
    if status == 400 and _NOT_A_MEMBER in error_message(body):
        return errors.WrongOrganization, code
    if status == 404 and not code and _NO_ROUTE.fullmatch(error_message(body)):
        return errors.NoRoute, code
    return _BY_STATUS.get(status, errors.Refused), code


def _wrong_project(code: str, body: Any) -> bool:
    params = body.get("params") if isinstance(body, dict) else None
    if not isinstance(params, dict):
        return False
    if code == "AUTHORIZATION":
        # 0.83 gives the id of the closed project (recording member_flows_of_other_project).
        return bool(params.get("projectId")) or error_message(body) == _CLOSED_PROJECT
    return code == "ENTITY_NOT_FOUND" and str(params.get("entityType")).lower() == "project"


def _default_message(status: int, problem: NotJson | None) -> str:
    if 300 <= status < 400:
        return "The engine's address answers with a redirect, which is not followed."
    if problem is not None and problem.code != "EMPTY":
        return str(problem)
    return f"The engine answered with status {status} and no explanation."
