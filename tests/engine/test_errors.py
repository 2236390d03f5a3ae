"""Every refused call of the recordings, and of api.md 2.2 and 4.2, becomes the right class: the code counts before the status.

The bodies are the engine's shapes with its codes; its prose is replaced, except where it decides (six sentences).
"""

from datetime import UTC, datetime
from typing import Any

import pytest

from workflows_ui.engine import (
    AddressRefused,
    CredentialRefused,
    EngineError,
    Forbidden,
    InProgress,
    NoRoute,
    NotFound,
    NotInPlan,
    NotSent,
    RateLimited,
    Refused,
    ScopedKey,
    SessionEnded,
    TooLarge,
    Unavailable,
    Unknown,
    UnknownReference,
    Unreachable,
    WrongOrganization,
    WrongProject,
)
from workflows_ui.engine.answer import Answer
from workflows_ui.engine.response_errors import error_for_answer

from .servers import Reply

UNKNOWN_CALLER = {"code": "AUTHORIZATION", "params": {"message": "invalid route for principal type"}}
NEW_UNKNOWN_CALLER = {"code": "AUTHORIZATION", "params": {"message": "principal is not allowed for this route"}}
CLOSED_PROJECT = {"code": "AUTHORIZATION", "params": {"message": "m", "userId": "U", "projectId": "P"}}
INVALID = {"statusCode": 400, "code": "FST_ERR_VALIDATION", "error": "Bad Request", "message": "m"}
NO_ROUTE = {"statusCode": 404, "error": "Not Found", "message": "Route not found"}
BARE_401 = {"statusCode": 401, "error": "Unauthorized", "message": "m"}


def _entity(kind: str | None = None) -> dict[str, Any]:
    return {"code": "ENTITY_NOT_FOUND", "params": {"entityType": kind, "entityId": "A"} if kind else {}}


# (recordings, status, body, class)
RECORDED: list[tuple[str, int, Any, type[EngineError]]] = [
    ("conn_delete_again conn_delete_unknown", 404, _entity("AppConnection"), NotFound),
    ("conn_delete_by_external_id run_get_bad_id flow_get_bad_id webhook_bad_id_format", 400, INVALID, Refused),
    ("conn_get_by_id_route err_route_not_found err_method_not_allowed err_patch project_get", 404, NO_ROUTE, NoRoute),
    ("conn_list_no_project flows_list_no_project mcp_list_no_project run_retry_missing_project", 400, INVALID, Refused),
    ("conn_upsert_custom_auth", 400, {"code": "INVALID_APP_CONNECTION", "params": {"error": "m"}}, Refused),
    (
        "conn_upsert_unknown_piece piece_get_unknown",
        404,
        {"code": "ENTITY_NOT_FOUND", "params": {"message": "m"}},
        NotFound,
    ),
    (
        "err_no_auth_flows err_api_key_header err_lowercase_bearer trigger_runs_status_noauth",
        403,
        UNKNOWN_CALLER,
        CredentialRefused,
    ),
    ("err_bad_token err_bearer_sk_invalid err_tampered_token", 401, BARE_401, CredentialRefused),
    ("err_bad_token_pieces", 401, {"code": "INVALID_BEARER_TOKEN", "params": {"message": "m"}}, CredentialRefused),
    (
        "err_other_project_403",
        403,
        {"code": "AUTHORIZATION", "params": {"message": "invalid project id"}},
        WrongProject,
    ),
    (
        "flow_del_04_delete_again",
        400,
        {"code": "FLOW_OPERATION_INVALID", "params": {"message": "m is already being m"}},
        InProgress,
    ),
    ("flow_del_05_get_later flow_get_unknown test_trigger_unknown_flow", 404, _entity(), NotFound),
    ("flow_draft_publish_invalid", 400, {"code": "PIECE_TRIGGER_NOT_FOUND", "params": {}}, Refused),
    ("invites_list_project", 409, {"code": "VALIDATION", "params": {"message": "m"}}, Refused),
    ("mcp_rotate_unknown", 500, {"statusCode": 500, "error": "Internal Server Error", "message": "m"}, Unavailable),
    (
        "records_create_unknown_table",
        500,
        {"statusCode": 500, "code": "23503", "error": "e", "message": "m"},
        UnknownReference,
    ),
    ("records_get_unknown", 404, "[object Object]", NotFound),
    ("run_get_unknown_404", 400, {"code": "FLOW_RUN_NOT_FOUND", "params": {"id": "A"}}, NotFound),
    ("webhook_async_disabled_flow webhook_sync_disabled_flow", 404, {}, NotFound),
    ("webhook_invalid_json", 400, {"statusCode": 400, "error": "Bad Request", "message": "m"}, Refused),
]
# The same of 0.83.0, where it differs.
RECORDED_083: list[tuple[str, int, Any, type[EngineError]]] = [
    (
        "err_no_auth_flows err_api_key_header op_no_auth project_list_no_auth",
        403,
        NEW_UNKNOWN_CALLER,
        CredentialRefused,
    ),
    ("err_no_auth_unknown_id flow_get_unknown", 404, _entity("flow"), NotFound),
    ("err_other_project_403 flow_create_other_project project_get_bad_id", 404, _entity("project"), WrongProject),
    ("run_get_unknown_404 run_retry_unknown", 404, _entity("flow_run"), NotFound),
    ("member_flows_of_other_project member_run_get_other_project", 403, CLOSED_PROJECT, WrongProject),
    ("member_mcp_platform member_users_list", 403, {"code": "AUTHORIZATION", "params": {}}, Forbidden),
    ("mcp_list mcp_create users_project_current", 404, NO_ROUTE, NoRoute),
    ("users_me users_projects runs_list_flow_run_ids_21_refused flows_count", 400, INVALID, Refused),
    (
        "flow_del_published_03_delete_again",
        409,
        {"code": "FLOW_OPERATION_IN_PROGRESS", "params": {"message": "m"}},
        InProgress,
    ),
    (
        "op_change_folder_unknown op_update_owner_unknown flow_create_unknown_folder_id",
        500,
        {"statusCode": 500, "code": "23503", "error": "e", "message": "m"},
        UnknownReference,
    ),
    (
        "op_duplicate_branch_out_of_range invites_accept_bad_token",
        500,
        {"statusCode": 500, "error": "Internal Server Error", "message": "m"},
        Unavailable,
    ),
    ("sign_in_wrong_password", 401, {"code": "INVALID_CREDENTIALS", "params": None}, CredentialRefused),
    ("sign_in_rate_limited", 429, {"statusCode": 429, "error": "Too Many Requests", "message": "m"}, RateLimited),
    ("pieces_list_release_param", 400, {"code": "PIECE_SYNC_NOT_SUPPORTED", "params": {"message": "m"}}, Refused),
    ("records_create_over_limit", 409, {"code": "VALIDATION", "params": {"message": "m"}}, Refused),
]
# From api.md, sections 2.2, 4.2, 6.4 and 7.1.
WRITTEN: list[tuple[str, int, Any, type[EngineError]]] = [
    ("no credential", 401, {"message": "m"}, CredentialRefused),
    ("key unknown", 401, {"error": "Unauthorized", "message": "m", "request_id": "r"}, CredentialRefused),
    ("key service down", 500, {"error": "e", "message": "m", "request_id": "r"}, Unavailable),
    ("scoped key", 403, {"error": "Forbidden", "message": "Invalid API path: /x", "request_id": "r"}, ScopedKey),
    (
        "another organization",
        400,
        {"message": "m - organization_id not found in user organizations"},
        WrongOrganization,
    ),
    ("bad organization header", 409, {"code": "VALIDATION", "params": {"message": "m"}}, Refused),
    ("another 403", 403, {"error": "Forbidden", "message": "m"}, Forbidden),
    ("permission", 403, {"code": "PERMISSION_DENIED", "params": {}}, Forbidden),
    ("session over", 403, {"code": "SESSION_EXPIRED", "params": {}}, SessionEnded),
    ("not in the plan", 402, {"code": "FEATURE_DISABLED", "params": {}}, NotInPlan),
    ("quota", 402, {"code": "QUOTA_EXCEEDED", "params": {}}, NotInPlan),
    ("credit", 402, {"code": "AI_CREDIT_LIMIT_EXCEEDED", "params": {}}, NotInPlan),
    ("any 402", 402, {}, NotInPlan),
    ("in use", 409, {"code": "FLOW_IN_USE", "params": {"flowVersionId": "v", "message": "m"}}, Refused),
    ("code before status", 409, {"code": "ENTITY_NOT_FOUND", "params": {}}, NotFound),
    ("unknown flow's webhook", 410, {}, NotFound),
    ("empty 404", 404, b"", NotFound),
    ("too many", 429, {}, RateLimited),
    ("too many, said by a proxy", 429, b"<html>slow down</html>", RateLimited),
    ("too large, said by a proxy", 413, b"<html>413</html>", Refused),
    ("the gateway without the service", 502, b"<html>\r\n<head><title>502</title></head></html>", Unavailable),
    ("gateway time-out in text", 504, b"Gateway Timeout", Unavailable),
    ("a proxy's 404 page", 404, b"<!DOCTYPE html><html>", Unavailable),
    ("a proxy's 403 page", 403, b"<html>denied</html>", Unavailable),
    ("a redirect", 302, b"", Unavailable),
    ("another 4xx", 418, {}, Refused),
    ("odd body", 400, [1, 2], Refused),
    ("odd code", 400, {"code": 5, "params": "x", "message": ["m"]}, Refused),
]


def _of(status: int, body: Any, *, write: bool = False, headers: dict[str, str] | None = None) -> EngineError:
    answer = Answer(status, headers or {}, Reply(status, body).data)
    error = error_for_answer(
        answer, write=write, what="GET /v1/x", secrets=["s3cret"], now=datetime(2026, 11, 24, tzinfo=UTC)
    )
    assert error is not None
    return error


@pytest.mark.parametrize(
    ("where", "status", "body", "kind"), RECORDED + RECORDED_083 + WRITTEN, ids=lambda value: str(value)[:30]
)
def test_a_refusal_becomes_its_class(where: str, status: int, body: Any, kind: type[EngineError]) -> None:
    error = _of(status, body)
    assert type(error) is kind, where
    assert error.status == status
    assert error.sent is True
    assert error.message
    code = body.get("code") if isinstance(body, dict) else None
    if isinstance(code, str):
        assert error.code == code


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (502, b"<html></html>", Unknown),
        (504, b"Gateway Timeout", Unknown),
        (504, {"message": "m"}, Unknown),
        (502, {"message": "m"}, Unknown),
        (503, b"<html></html>", Unknown),
        (500, b"", Unknown),
        (500, {"statusCode": 500, "error": "e", "message": "m"}, Unavailable),
        (503, {"message": "m"}, Unavailable),
        (404, b"<html></html>", Unavailable),
        (307, b"", Unavailable),
        (400, INVALID, Refused),
        (401, b"<html></html>", CredentialRefused),
    ],
)
def test_a_write_that_something_in_between_answered_for_is_unknown(
    status: int, body: Any, kind: type[EngineError]
) -> None:
    error = _of(status, body, write=True)
    assert type(error) is kind
    assert error.sent is (None if kind is Unknown else True)


def test_a_success_is_no_error() -> None:
    assert error_for_answer(Answer(201, {}, b"{}"), write=True, what="") is None


def test_the_request_id_comes_from_the_header_or_the_gateways_body() -> None:
    body = {"error": "Unauthorized", "message": "m", "request_id": "in-body"}
    assert _of(401, body).request_id == "in-body"
    assert _of(401, body, headers={"x-request-id": "in-header"}).request_id == "in-header"
    assert _of(401, {}).request_id == ""
    assert len(_of(401, {"request_id": "x" * 5000}).request_id) == 100


def test_a_secret_that_the_engine_repeats_is_taken_out() -> None:
    error = _of(400, {"message": "bad key s3cret given"}, headers={"location": "/x?key=s3cret"})
    redirect = _of(302, b"", headers={"location": "/x?key=s3cret"})
    assert "s3cret" not in repr(error) + error.technical + repr(redirect) + redirect.technical


def test_words_of_the_engine_are_cut_to_a_sane_length() -> None:
    assert len(_of(400, {"message": "x" * 100_000}).message) == 500


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": " 0 "}, 0.0),
        ({"retry-after": "Tue, 24 Nov 2026 00:00:30 GMT"}, 30.0),
        ({"retry-after": "Tue, 24 Nov 2026 10:00:30 GMT", "date": "Tue, 24 Nov 2026 10:00:10 GMT"}, 20.0),
        ({"retry-after": "Mon, 23 Nov 2026 00:00:00 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "²"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read_as_seconds_or_a_date(headers: dict[str, str], seconds: float | None) -> None:
    assert _of(429, {}, headers=headers).retry_after == seconds


def test_the_tree_of_errors_says_what_may_be_done() -> None:
    assert issubclass(ScopedKey, CredentialRefused)
    assert issubclass(WrongOrganization, CredentialRefused)
    assert issubclass(TooLarge, Unavailable)
    assert issubclass(AddressRefused, NotSent)
    assert issubclass(Unreachable, Unavailable)
    assert issubclass(Unreachable, NotSent)
    assert not issubclass(Unknown, Unavailable | NotSent)
