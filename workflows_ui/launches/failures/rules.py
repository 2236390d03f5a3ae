"""Rules that recognise failures: codes and HTTP statuses in known positions, and phrases at the beginning of messages.

A rule exists only where the meaning is certain; otherwise the message is displayed as it is. So no rule searches for a word inside a
sentence: "quota", "limit", "expired" or "not found" may be about a customer's order as well as about the service.
Values are keys of `messages.KINDS`. tests/launches/failure_messages.json has the messages that the rules are tested with.
"""

import re
from collections.abc import Mapping

#: HTTP statuses with the same meaning everywhere. Not 402, which payment services also use for a declined card; not 405 and the like,
#: which suggest no remedy.
STATUSES: Mapping[int, str] = {
    400: "rejected", 401: "sign_in", 403: "permission", 404: "not_found", 408: "timeout", 409: "conflict", 410: "not_found",
    413: "too_large", 422: "rejected", 429: "pause", 500: "server_error", 502: "unavailable", 503: "unavailable", 504: "timeout",
    520: "unavailable", 521: "unavailable", 522: "unavailable", 523: "unavailable", 524: "timeout", 529: "unavailable",
}  # fmt: skip

#: Codes of network and certificate errors (Node's `code`).
NETWORK: Mapping[str, str] = {
    "ECONNREFUSED": "unreachable", "EHOSTUNREACH": "unreachable", "ENETUNREACH": "unreachable", "EAI_AGAIN": "unreachable",
    "ENOTFOUND": "address", "ETIMEDOUT": "timeout", "ESOCKETTIMEDOUT": "timeout", "UND_ERR_CONNECT_TIMEOUT": "timeout",
    "UND_ERR_HEADERS_TIMEOUT": "timeout", "UND_ERR_BODY_TIMEOUT": "timeout", "ECONNRESET": "broken", "EPIPE": "broken",
    "UND_ERR_SOCKET": "broken", "ERR_INVALID_URL": "url", "CERT_HAS_EXPIRED": "tls", "DEPTH_ZERO_SELF_SIGNED_CERT": "tls",
    "SELF_SIGNED_CERT_IN_CHAIN": "tls", "UNABLE_TO_VERIFY_LEAF_SIGNATURE": "tls", "UNABLE_TO_GET_ISSUER_CERT_LOCALLY": "tls",
    "ERR_TLS_CERT_ALTNAME_INVALID": "tls",
}  # fmt: skip

#: Codes of OAuth 2 (RFC 6749, RFC 6750), in `error` only.
OAUTH: Mapping[str, str] = {
    "invalid_grant": "sign_in", "invalid_client": "sign_in", "invalid_token": "sign_in", "insufficient_scope": "permission",
}  # fmt: skip
#: Codes that services put into `code`, `error`, `type` and the like of their JSON: OpenAI, Anthropic, Stripe, Notion, Google, AWS.
CODES: Mapping[str, str] = {
    **NETWORK,
    "insufficient_quota": "quota", "rate_limit_exceeded": "pause", "invalid_api_key": "sign_in", "model_not_found": "not_found",
    "context_length_exceeded": "too_large", "string_above_max_length": "too_large", "missing_required_parameter": "missing",
    "overloaded_error": "unavailable", "authentication_error": "sign_in", "permission_error": "permission",
    "not_found_error": "not_found", "rate_limit_error": "pause", "request_too_large": "too_large", "api_key_expired": "sign_in",
    "resource_missing": "not_found", "parameter_missing": "missing", "rate_limit": "pause", "email_invalid": "email",
    "resource_already_exists": "exists", "object_not_found": "not_found", "rateLimitExceeded": "pause",
    "userRateLimitExceeded": "pause", "quotaExceeded": "quota", "dailyLimitExceeded": "quota", "storageQuotaExceeded": "quota",
    "insufficientPermissions": "permission", "ThrottlingException": "pause", "AccessDeniedException": "permission",
}  # fmt: skip
GRAPHQL: Mapping[str, str] = {
    "THROTTLED": "pause", "ACCESS_DENIED": "permission", "FORBIDDEN": "permission", "UNAUTHENTICATED": "sign_in",
    "BAD_USER_INPUT": "rejected", "INTERNAL_SERVER_ERROR": "server_error",
}  # fmt: skip
SLACK: Mapping[str, str] = {
    "channel_not_found": "not_found", "user_not_found": "not_found", "users_not_found": "not_found", "file_not_found": "not_found",
    "message_not_found": "not_found", "invalid_auth": "sign_in", "not_authed": "sign_in", "token_revoked": "sign_in",
    "token_expired": "sign_in", "account_inactive": "sign_in", "missing_scope": "permission", "no_permission": "permission",
    "not_allowed_token_type": "permission", "ratelimited": "pause", "rate_limited": "pause", "msg_too_long": "too_large",
    "name_taken": "exists", "already_reacted": "exists",
}  # fmt: skip
SALESFORCE: Mapping[str, str] = {
    "INVALID_SESSION_ID": "sign_in", "INVALID_LOGIN": "sign_in", "REQUEST_LIMIT_EXCEEDED": "quota", "STORAGE_LIMIT_EXCEEDED": "quota",
    "REQUIRED_FIELD_MISSING": "missing", "DUPLICATE_VALUE": "exists", "DUPLICATES_DETECTED": "conflict",
    "INVALID_EMAIL_ADDRESS": "email", "INSUFFICIENT_ACCESS": "permission", "INSUFFICIENT_ACCESS_OR_READONLY": "permission",
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": "permission", "API_DISABLED_FOR_ORG": "permission",
    "STRING_TOO_LONG": "too_large", "ENTITY_IS_DELETED": "not_found", "SERVER_UNAVAILABLE": "unavailable",
}  # fmt: skip
HUBSPOT: Mapping[str, str] = {
    "VALIDATION_ERROR": "rejected", "OBJECT_NOT_FOUND": "not_found", "RATE_LIMITS": "pause", "INVALID_AUTHENTICATION": "sign_in",
    "EXPIRED_AUTHENTICATION": "sign_in", "MISSING_SCOPES": "permission",
}  # fmt: skip
#: Reasons of Google's older errors, whose objects have a `domain` next to the `reason`.
GOOGLE: Mapping[str, str] = {
    "notFound": "not_found", "duplicate": "exists", "authError": "sign_in", "backendError": "server_error", "forbidden": "permission",
}  # fmt: skip
#: gRPC number and HTTP status of Google's status names (google.rpc.Code).
GRPC: Mapping[str, tuple[int, int]] = {
    "INVALID_ARGUMENT": (3, 400), "FAILED_PRECONDITION": (9, 400), "OUT_OF_RANGE": (11, 400), "UNAUTHENTICATED": (16, 401),
    "PERMISSION_DENIED": (7, 403), "NOT_FOUND": (5, 404), "ALREADY_EXISTS": (6, 409), "ABORTED": (10, 409),
    "RESOURCE_EXHAUSTED": (8, 429), "INTERNAL": (13, 500), "UNAVAILABLE": (14, 503), "DEADLINE_EXCEEDED": (4, 504),
}  # fmt: skip
#: Twilio's numbers, next to a `more_info` with Twilio's address.
TWILIO: Mapping[int, str] = {21211: "phone", 21217: "phone", 21614: "phone", 20003: "sign_in", 20429: "pause"}
#: Numbers of Meta's Graph API (WhatsApp, Facebook), next to a `fbtrace_id`.
META: Mapping[int, str] = {
    190: "sign_in", 10: "permission", 200: "permission", 4: "pause", 17: "pause", 32: "pause", 613: "pause", 80007: "pause",
    130429: "pause", 131056: "pause",
}  # fmt: skip
STORAGE: Mapping[str, str] = {
    "AccessDenied": "permission", "InvalidAccessKeyId": "sign_in", "SignatureDoesNotMatch": "sign_in", "ExpiredToken": "sign_in",
    "NoSuchKey": "not_found", "NoSuchBucket": "not_found", "SlowDown": "pause", "EntityTooLarge": "too_large",
    "ServiceUnavailable": "unavailable", "InternalError": "server_error",
}  # fmt: skip
#: Mail servers' enhanced status codes (RFC 3463). 5.1.0 may be the sender, 5.2.2 is a full mailbox, 5.7.1 a filter: not mapped.
MAIL: Mapping[str, str] = {
    "5.1.1": "email", "5.1.2": "email", "5.1.3": "email", "5.1.10": "email", "5.7.8": "sign_in",
    "5.2.3": "too_large", "5.3.4": "too_large",
}  # fmt: skip

#: Text of a 429 about a used-up daily, monthly or yearly quota and not about the rate of requests.
ALLOWANCE = re.compile(
    r"\b(?:daily|monthly|yearly)\b.{0,60}\b(?:quota|limit|allowance)\b"
    r"|\b(?:quota|limit|allowance)\b.{0,60}\b(?:per|a|this|the) (?:day|month|year)\b",
    re.IGNORECASE,
)
#: Beginnings of messages, after the error names before them; `$` marks a whole message. The first match counts.
PHRASES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        ("memory", r"(?s-i:Code process exited with code .{0,4000}JavaScript heap out of memory)"),
        ("run_data", r"Flow run (?:data|logs) size exceeded\b"),
        ("connection_missing", r"connection \([^()\n]{1,200}\) not found\.?$"),
        ("sign_in", r"connection \([^()\n]{1,200}\) expired\.?$"),
        ("sign_in", r"incorrect API key provided\b"),
        ("sign_in", r"API key not valid\. Please pass a valid API key"),
        ("sign_in", r"\[API\] Invalid API key or access token\b"),
        ("sign_in", r"error validating access token: "),
        ("sign_in", r"access token (?:is invalid|has expired|is expired)\.?$"),
        ("sign_in", r"invalid_grant(?:$|[:. ])"),
        ("sign_in", r"AADSTS(?:50173|700082|700084|70008|7000215|7000222):"),
        ("sign_in", r"password authentication failed for user \""),
        ("sign_in", r"(?:ER_ACCESS_DENIED_ERROR: )?access denied for user '[^'\n]{0,100}'@'"),
        ("sign_in", r"bad auth : "),
        ("sign_in", r"ORA-01017: "),
        ("sign_in", r"login failed for user '"),
        ("sign_in", r"(?:WRONGPASS|NOAUTH) "),
        ("permission", r"permission denied for (?:table|schema|relation|database|sequence|function|view|column) "),
        ("permission", r"EACCES: permission denied, "),
        ("permission", r"EPERM: operation not permitted, "),
        ("permission", r"AccessDenied(?:Exception)?: User: arn:"),
        ("quota", r"you exceeded your current quota, please check your plan and billing details"),
        ("quota", r"your credit balance is too low to access the (?:Anthropic|Claude) API\b"),
        ("pause", r"API rate limit exceeded\b"),
        ("pause", r"rate limit reached for "),
        ("pause", r"rate limit exceeded\.?$"),
        ("pause", r"exceeded \d+ calls per second for api client\b"),
        ("pause", r"too many requests, please try again later\.?$"),
        ("exists", r"duplicate key value violates unique constraint\b"),
        ("exists", r"(?:ER_DUP_ENTRY: )?duplicate entry '[^\n]{0,300}' for key '"),
        ("exists", r"E11000 duplicate key error\b"),
        ("exists", r"(?:SQLITE_CONSTRAINT(?:_UNIQUE)?: )?UNIQUE constraint failed: "),
        ("exists", r"violation of (?:PRIMARY|UNIQUE) KEY constraint '"),
        ("exists", r"contact already exists\. Existing ID: "),
        ("exists", r"ORA-00001: "),
        ("missing", r"null value in column \""),
        ("missing", r"(?:SQLITE_CONSTRAINT(?:_NOTNULL)?: )?NOT NULL constraint failed: "),
        ("missing", r"(?:ER_BAD_NULL_ERROR: )?column '[^'\n]{1,100}' cannot be null\.?$"),
        ("missing", r"cannot (?:read|set) propert(?:y|ies) (?:'[^'\n]{0,200}' )?of (?:undefined|null)\b"),
        ("missing", r"no recipients defined\.?$"),
        ("too_large", r"request entity too large\.?$"),
        ("too_large", r"value too long for type character\b"),
        ("too_large", r"(?:ER_DATA_TOO_LONG: )?data too long for column '"),
        ("wrong_kind", r"invalid input syntax for type [\w ]{1,40}: "),
        ("not_found", r"ENOENT: no such file or directory, "),
        ("not_found", r"relation \"[^\"\n]{1,200}\" does not exist"),
        ("not_found", r"(?:ER_NO_SUCH_TABLE: )?table '[^'\n]{1,200}' doesn't exist\.?$"),
        ("email", r"invalid e-?mail address(?:$|[:.])"),
        ("email", r"e-?mail address (?:is invalid|is not valid)\.?$"),
        ("email", r"invalid to header\.?$"),
        ("phone", r"invalid 'to' phone number\b"),
        ("phone", r"phone number (?:is invalid|is not valid)\.?$"),
        ("timeout", r"timeout of \d+ ?ms exceeded\.?$"),
        ("timeout", r"network timeout at: https?://"),
        ("timeout", r"the operation was aborted due to timeout\.?$"),
        ("timeout", r"timeout awaiting '\w+' for \d+ms$"),
        ("timeout", r"navigation timeout of \d+ ?ms exceeded"),
        ("timeout", r"(?:connect|headers|body) timeout error\b"),
        ("timeout", r"connection timed out\.?$"),
        ("timeout", r"connection timeout\.?$"),
        ("timeout", r"greeting never received\.?$"),
        ("timeout", r"HTTPS?ConnectionPool\([^\n]{1,300}\): Read timed out\."),
        ("timeout", r"canceling statement due to (?:statement|lock) timeout"),
        ("timeout", r"server selection timed out after \d+ ms"),
        ("timeout", r"context deadline exceeded\b"),
        ("timeout", r"read timed out\.?$"),
        ("timeout", r"\[Errno 110\] connection timed out"),
        ("timeout", r"curl: \(28\) "),
        ("timeout", r"dial tcp [^\n]{1,200}: i/o timeout"),
        ("address", r"\[Errno -2\] name or service not known"),
        ("address", r"HTTPS?ConnectionPool\([^\n]{1,300}\(Caused by NameResolutionError\("),
        ("address", r"curl: \(6\) could not resolve host: "),
        ("address", r"dial tcp: lookup [^\n]{1,200}: no such host"),
        ("unreachable", r"fetch failed$"),
        ("unreachable", r"network error$"),
        ("unreachable", r"\[Errno 111\] connection refused"),
        ("unreachable", r"HTTPS?ConnectionPool\([^\n]{1,300}\(Caused by NewConnectionError\("),
        ("unreachable", r"curl: \(7\) "),
        ("unreachable", r"dial tcp [^\n]{1,200}: connect: connection refused"),
        ("unreachable", r"tunneling socket could not be established"),
        ("unreachable", r"client network socket disconnected before secure TLS connection was established"),
        ("broken", r"socket hang up$"),
        ("broken", r"other side closed$"),
        ("broken", r"premature close$"),
        ("broken", r"connection terminated unexpectedly\.?$"),
        ("broken", r"connection lost: the server closed the connection"),
        ("broken", r"\(?'?connection aborted\."),
        ("tls", r"certificate has expired$"),
        ("tls", r"self[- ]signed certificate(?: in certificate chain)?$"),
        ("tls", r"unable to verify the first certificate$"),
        ("tls", r"unable to get local issuer certificate$"),
        ("tls", r"hostname/IP does not match certificate's altnames"),
        ("tls", r"write EPROTO \S*:?error:[^\n]{0,200}SSL routines"),
        ("tls", r"\[SSL: CERTIFICATE_VERIFY_FAILED\]"),
        ("tls", r"HTTPS?ConnectionPool\([^\n]{1,300}\(Caused by SSLError\("),
        ("tls", r"curl: \(60\) "),
        ("tls", r"(?:tls: failed to verify certificate: )?x509: certificate "),
        ("not_json", r"unexpected end of JSON input$"),
        ("not_json", r"unexpected token .{1,40}in JSON at position \d+"),
        ("not_json", r"unexpected .{1,80} is not valid JSON$"),
        ("code", r"compilation error\b"),
        ("code", r"cannot find module '"),
    )
)
#: Phrases with this meaning only after an error name with the given ending.
NAMED: tuple[tuple[str, str, re.Pattern[str]], ...] = (
    ("TypeError", "code_value", re.compile(r"\S{1,200} is not (?:a function|a constructor|iterable)(?:$| \()")),
    ("TypeError", "code_value", re.compile(r"object null is not iterable\b")),
    ("ConnectException", "unreachable", re.compile(r"Connection refused")),
    ("UnknownHostException", "address", re.compile(r"\S{1,200}$")),
    ("APIConnectionError", "unreachable", re.compile(r"Connection error\.$")),
    ("TimeoutError", "timeout", re.compile(r"Request timed out\.?$", re.IGNORECASE)),
    ("ReferenceError", "code", re.compile(r"\S{1,200} is not defined$")),
)
