"""Rules that recognise failures by codes and HTTP statuses in known positions. phrases.py has the rules for texts.

A rule exists only where the meaning is certain; otherwise the message is displayed as it is. A number means nothing without its service,
so each table says what must stand beside it, and where the service documents it.
Values are keys of `messages.KINDS`. tests/launches/failure_messages.json has the messages that the rules are tested with.
"""

from collections.abc import Mapping

#: HTTP statuses with the same meaning everywhere. Not 402, which payment services also use for a declined card; not 405 and the like,
#: which suggest no remedy.
STATUSES: Mapping[int, str] = {
    400: "rejected", 401: "sign_in", 403: "permission", 404: "not_found", 408: "timeout", 409: "conflict", 410: "not_found",
    413: "too_large", 422: "rejected", 429: "pause", 500: "server_error", 502: "unavailable", 503: "unavailable", 504: "timeout",
    520: "unavailable", 521: "unavailable", 522: "unavailable", 523: "unavailable", 524: "timeout", 529: "unavailable",
    412: "conflict", 414: "too_large", 423: "busy", 431: "too_large", 525: "tls", 526: "tls",
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
    # OpenAI, see platform.openai.com/docs/guides/error-codes; on Azure, see learn.microsoft.com/azure/ai-services/openai
    "content_filter": "content", "content_policy_violation": "content", "ResponsibleAIPolicyViolation": "content",
    # Stripe, see docs.stripe.com/error-codes
    "card_error": "declined", "card_declined": "declined", "expired_card": "declined",
    "incorrect_cvc": "declined", "balance_insufficient": "credit", "lock_timeout": "busy", "idempotency_error": "conflict",
    "amount_too_small": "choice", "amount_too_large": "choice", "parameter_invalid_integer": "wrong_kind",
    "parameter_invalid_empty": "missing", "url_invalid": "url",
    # Microsoft Graph, see learn.microsoft.com/graph/errors, learn.microsoft.com/onedrive/developer/rest-api/concepts/errors
    "InvalidAuthenticationToken": "sign_in", "AuthenticationError": "sign_in", "unauthenticated": "sign_in",
    "accessDenied": "permission", "ErrorAccessDenied": "permission", "Authorization_RequestDenied": "permission",
    "ErrorSendAsDenied": "permission", "itemNotFound": "not_found", "ErrorItemNotFound": "not_found",
    "ErrorFolderNotFound": "not_found", "Request_ResourceNotFound": "not_found", "nameAlreadyExists": "exists",
    "quotaLimitReached": "quota", "ErrorQuotaExceeded": "quota", "activityLimitReached": "pause", "TooManyRequests": "pause",
    "ApplicationThrottled": "pause", "resourceLocked": "busy", "resourceModified": "conflict", "serviceNotAvailable": "unavailable",
    "ErrorInvalidRecipients": "email", "ErrorMessageSizeExceeded": "too_large",
    # Google, see cloud.google.com/apis/design/errors (ErrorInfo), developers.google.com/workspace/drive/api/guides/handle-errors
    "SERVICE_DISABLED": "permission", "accessNotConfigured": "permission", "ACCESS_TOKEN_SCOPE_INSUFFICIENT": "permission",
    "insufficientFilePermissions": "permission", "API_KEY_INVALID": "sign_in", "ACCESS_TOKEN_EXPIRED": "sign_in",
    # Airtable, see airtable.com/developers/web/api/errors, support.airtable.com (API error codes)
    "INVALID_MULTIPLE_CHOICE_OPTIONS": "choice", "INVALID_VALUE_FOR_COLUMN": "wrong_kind", "UNKNOWN_FIELD_NAME": "not_found",
    "MODEL_ID_NOT_FOUND": "not_found", "TABLE_NOT_FOUND": "not_found", "ROW_DOES_NOT_EXIST": "not_found",
    "VIEW_NAME_NOT_FOUND": "not_found", "NOT_FOUND": "not_found", "AUTHENTICATION_REQUIRED": "sign_in",
    "INVALID_PERMISSIONS": "permission", "INVALID_REQUEST_UNKNOWN": "rejected", "INVALID_REQUEST_BODY": "rejected",
    "PUBLIC_API_BILLING_LIMIT_EXCEEDED": "quota",
    # WooCommerce and WordPress, see woocommerce.github.io/woocommerce-rest-api-docs (Errors), developer.wordpress.org/rest-api
    "woocommerce_rest_authentication_error": "sign_in", "woocommerce_rest_cannot_create": "permission",
    "woocommerce_rest_cannot_view": "permission", "woocommerce_rest_cannot_edit": "permission",
    "woocommerce_rest_cannot_delete": "permission", "woocommerce_rest_shop_order_invalid_id": "not_found",
    "woocommerce_rest_product_invalid_id": "not_found", "woocommerce_rest_customer_invalid_id": "not_found",
    "woocommerce_rest_term_invalid": "not_found", "rest_post_invalid_id": "not_found", "rest_no_route": "not_found",
    "rest_forbidden": "permission", "rest_cannot_create": "permission", "rest_cannot_edit": "permission",
    "rest_missing_callback_param": "missing", "rest_invalid_param": "rejected", "term_exists": "exists",
    "registration-error-email-exists": "exists",
    "woocommerce_rest_product_exists": "exists", "woocommerce_rest_shop_order_exists": "exists",
    # Django REST framework, which many APIs are built with, see www.django-rest-framework.org/api-guide/exceptions
    "not_authenticated": "sign_in", "authentication_failed": "sign_in", "permission_denied": "permission", "not_found": "not_found",
    "throttled": "pause", "parse_error": "rejected",
    "validation_error": "rejected", "VALIDATION_ERROR": "rejected",
    # Zoho, see www.zoho.com/crm/developer/docs/api/v8/status-codes.html
    "INVALID_TOKEN": "sign_in", "AUTHENTICATION_FAILURE": "sign_in", "OAUTH_SCOPE_MISMATCH": "permission", "NO_PERMISSION": "permission",
    "DUPLICATE_DATA": "exists", "MANDATORY_NOT_FOUND": "missing", "INVALID_DATA": "rejected", "TOO_MANY_REQUESTS": "pause",
    # Notion, see developers.notion.com/reference/status-codes
    "restricted_resource": "permission",
    # MISA meInvoice (doc.meinvoice.vn) and GHTK (api.ghtk.vn/docs)
    "InvalidToken": "sign_in", "InvalidTokenCode": "sign_in", "TokenExpiredCode": "sign_in", "InvoiceDuplicated": "exists",
    "DuplicateInvoiceRefID": "exists", "LicenseInfo_OutOfInvoice": "quota",
    "ORDER_ID_EXIST": "exists",
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
    # See docs.slack.dev/reference/methods/chat.postMessage (errors), conversations.invite
    "not_in_channel": "permission", "restricted_action": "permission", "no_text": "missing",
    "access_denied": "permission", "team_access_not_granted": "permission", "ekm_access_denied": "permission",
    "invalid_blocks": "rejected", "already_in_channel": "exists", "thread_not_found": "not_found", "cannot_dm_bot": "recipient",
    "user_disabled": "recipient", "storage_limit_reached": "quota", "service_unavailable": "unavailable",
    "internal_error": "server_error", "fatal_error": "server_error", "request_timeout": "timeout",
}  # fmt: skip
SALESFORCE: Mapping[str, str] = {
    "INVALID_SESSION_ID": "sign_in", "INVALID_LOGIN": "sign_in", "REQUEST_LIMIT_EXCEEDED": "quota", "STORAGE_LIMIT_EXCEEDED": "quota",
    "REQUIRED_FIELD_MISSING": "missing", "DUPLICATE_VALUE": "exists", "DUPLICATES_DETECTED": "conflict",
    "INVALID_EMAIL_ADDRESS": "email", "INSUFFICIENT_ACCESS": "permission", "INSUFFICIENT_ACCESS_OR_READONLY": "permission",
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": "permission", "API_DISABLED_FOR_ORG": "permission",
    "STRING_TOO_LONG": "too_large", "ENTITY_IS_DELETED": "not_found", "SERVER_UNAVAILABLE": "unavailable",
    # See developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_concepts_core_data_objects.htm (StatusCode)
    "UNABLE_TO_LOCK_ROW": "busy", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": "choice", "NUMBER_OUTSIDE_VALID_RANGE": "choice",
    "INVALID_TYPE_ON_FIELD_IN_RECORD": "wrong_kind", "FIELD_CUSTOM_VALIDATION_EXCEPTION": "rejected",
    "DUPLICATE_EXTERNAL_ID": "exists", "DUPLICATE_USERNAME": "exists", "SINGLE_EMAIL_LIMIT_EXCEEDED": "quota",
    "MASS_MAIL_LIMIT_EXCEEDED": "quota", "INVALID_AUTH_HEADER": "sign_in", "QUERY_TIMEOUT": "timeout",
    "REQUEST_RUNNING_TOO_LONG": "timeout", "NOT_FOUND": "not_found", "INVALID_CROSS_REFERENCE_KEY": "reference",
}  # fmt: skip
HUBSPOT: Mapping[str, str] = {
    "VALIDATION_ERROR": "rejected", "OBJECT_NOT_FOUND": "not_found", "RATE_LIMITS": "pause", "INVALID_AUTHENTICATION": "sign_in",
    "EXPIRED_AUTHENTICATION": "sign_in", "MISSING_SCOPES": "permission",
}  # fmt: skip
#: HubSpot's `error` of a property, in the JSON after "Property values were not valid: " (developers.hubspot.com/docs/api/error-handling).
HUBSPOT_PROPERTY: Mapping[str, str] = {
    "INVALID_OPTION": "choice", "INVALID_EMAIL": "email", "INVALID_INTEGER": "wrong_kind", "INVALID_LONG": "wrong_kind",
    "INVALID_DOUBLE": "wrong_kind", "INVALID_NUMBER": "wrong_kind", "INVALID_DATE": "wrong_kind", "INVALID_BOOLEAN": "wrong_kind",
    "PROPERTY_DOESNT_EXIST": "not_found",
}  # fmt: skip
#: HubSpot's `policyName`, next to `errorType` RATE_LIMIT.
HUBSPOT_POLICY: Mapping[str, str] = {"DAILY": "quota", "TEN_SECONDLY_ROLLING": "pause", "SECONDLY": "pause"}
#: Reasons of Google's older errors, whose objects have a `domain` next to the `reason`.
GOOGLE: Mapping[str, str] = {
    "notFound": "not_found", "duplicate": "exists", "authError": "sign_in", "backendError": "server_error", "forbidden": "permission",
    "invalid": "rejected", "badRequest": "rejected", "timeRangeEmpty": "rejected", "required": "missing", "conditionNotMet": "conflict",
}  # fmt: skip
#: gRPC number and HTTP status of Google's status names (google.rpc.Code).
GRPC: Mapping[str, tuple[int, int]] = {
    "INVALID_ARGUMENT": (3, 400), "FAILED_PRECONDITION": (9, 400), "OUT_OF_RANGE": (11, 400), "UNAUTHENTICATED": (16, 401),
    "PERMISSION_DENIED": (7, 403), "NOT_FOUND": (5, 404), "ALREADY_EXISTS": (6, 409), "ABORTED": (10, 409),
    "RESOURCE_EXHAUSTED": (8, 429), "INTERNAL": (13, 500), "UNAVAILABLE": (14, 503), "DEADLINE_EXCEEDED": (4, 504),
}  # fmt: skip
#: Twilio's numbers, next to a `more_info` with Twilio's address.
TWILIO: Mapping[int, str] = {
    21211: "phone", 21217: "phone", 21614: "phone", 20003: "sign_in", 20429: "pause",
    # See www.twilio.com/docs/api/errors
    20404: "not_found", 21408: "permission", 21602: "missing", 21604: "missing", 21608: "permission", 21610: "recipient",
    21611: "pause", 21617: "too_large", 30007: "content", 63038: "quota",
}  # fmt: skip
#: Numbers of Meta's Graph API (WhatsApp, Facebook), next to a `fbtrace_id`.
META: Mapping[int, str] = {
    190: "sign_in", 10: "permission", 200: "permission", 4: "pause", 17: "pause", 32: "pause", 613: "pause", 80007: "pause",
    130429: "pause", 131056: "pause", 102: "sign_in", 368: "permission", 131026: "recipient",
}  # fmt: skip
#: Numbers that mean something only together with their text (in lower case): in `code` or `error` next to `message` or `msg`,
#: or in the brackets of a DiscordAPIError.
NUMBERED: Mapping[tuple[int, str], str] = {
    # Discord, see discord.com/developers/docs/topics/opcodes-and-status-codes (JSON Error Codes)
    (10003, "unknown channel"): "not_found", (10004, "unknown guild"): "not_found", (10008, "unknown message"): "not_found",
    (10011, "unknown role"): "not_found", (10013, "unknown user"): "not_found", (10015, "unknown webhook"): "not_found",
    (40001, "unauthorized"): "sign_in", (40005, "request entity too large"): "too_large", (50001, "missing access"): "permission",
    (50006, "cannot send an empty message"): "missing", (50007, "cannot send messages to this user"): "recipient",
    (50013, "missing permissions"): "permission", (50035, "invalid form body"): "rejected",
    # Zalo Official Account, see developers.zalo.me/docs/official-account/phu-luc/ma-loi
    (-201, "invalid parameter"): "rejected", (-216, "access token has expired"): "sign_in",
    (-216, "access token is invalid"): "sign_in", (-220, "access token is expired"): "sign_in",
    (-213, "user has not followed oa"): "recipient",
    # Zalo Notification Service, see zalo.cloud/zns/guidelines/handle-error-code
    (-108, "phone number invalid"): "phone", (-115, "out of quota"): "credit", (-124, "access token invalid"): "sign_in",
    (-104, "app secret key invalid"): "sign_in",
}  # fmt: skip
#: PayPal's `name`, next to a `debug_id` (developer.paypal.com/api/rest/responses).
PAYPAL: Mapping[str, str] = {
    "AUTHENTICATION_FAILURE": "sign_in", "NOT_AUTHORIZED": "permission", "INVALID_REQUEST": "rejected", "RESOURCE_NOT_FOUND": "not_found",
    "UNPROCESSABLE_ENTITY": "rejected", "RESOURCE_CONFLICT": "conflict", "RATE_LIMIT_REACHED": "pause",
    "INTERNAL_SERVER_ERROR": "server_error", "SERVICE_UNAVAILABLE": "unavailable",
}  # fmt: skip
#: MoMo's `resultCode`, next to a `partnerCode` (developers.momo.vn/v3/docs/payment/api/result-handling/resultcode).
MOMO: Mapping[int, str] = {
    10: "unavailable", 11: "permission", 13: "sign_in", 20: "rejected", 21: "choice", 22: "choice", 40: "exists", 41: "exists",
    42: "not_found", 45: "exists", 1001: "declined", 1002: "declined", 1004: "declined", 1007: "declined", 4001: "declined",
}  # fmt: skip
#: VNPay's `vnp_ResponseCode` (sandbox.vnpayment.vn/apis/docs/bang-ma-loi).
VNPAY: Mapping[str, str] = {
    "09": "declined", "10": "declined", "12": "declined", "51": "declined", "65": "declined", "75": "unavailable",
}  # fmt: skip
#: eSMS's `CodeResult` (developers.esms.vn/en/esms-api/table-of-error-codes).
ESMS: Mapping[str, str] = {
    "101": "sign_in", "103": "credit", "104": "not_found", "108": "phone", "124": "exists", "140": "permission",
}  # fmt: skip
#: Error classes and the codes in brackets after them, with one meaning: docs.stripe.com/error-handling, undici.nodejs.org (Errors),
#: github.com/openai/openai-node, discord.js.org (DiscordjsErrorCodes).
CLASSES: Mapping[str, str] = {
    "StripeCardError": "declined", "StripeAuthenticationError": "sign_in", "StripePermissionError": "permission",
    "StripeRateLimitError": "pause", "StripeIdempotencyError": "conflict", "APIConnectionTimeoutError": "timeout",
    "HeadersTimeoutError": "timeout", "BodyTimeoutError": "timeout", "ConnectTimeoutError": "timeout",
    "TOKEN_INVALID": "sign_in", "TokenInvalid": "sign_in",
}  # fmt: skip
#: Messages of SendGrid in lower case, in objects with a `field` (twilio.com/docs/sendgrid/api-reference).
SENDGRID: Mapping[str, str] = {
    "maximum credits exceeded": "credit",
    "the provided authorization grant is invalid, expired, or revoked": "sign_in",
}
STORAGE: Mapping[str, str] = {
    "AccessDenied": "permission", "InvalidAccessKeyId": "sign_in", "SignatureDoesNotMatch": "sign_in", "ExpiredToken": "sign_in",
    "NoSuchKey": "not_found", "NoSuchBucket": "not_found", "SlowDown": "pause", "EntityTooLarge": "too_large",
    "ServiceUnavailable": "unavailable", "InternalError": "server_error",
}  # fmt: skip
#: Mail servers' enhanced status codes (RFC 3463, RFC 4954). 5.1.0 may be the sender, 5.7.1 a filter or a missing right: not mapped.
MAIL: Mapping[str, str] = {
    "5.1.1": "email",
    "5.1.2": "email",
    "5.1.3": "email",
    "5.1.10": "email",
    "5.7.8": "sign_in",
    "5.7.9": "sign_in",
    "5.2.1": "recipient",
    "5.2.2": "recipient",
    "4.2.2": "recipient",
    "5.2.3": "too_large",
    "5.3.4": "too_large",
}
#: Response codes of IMAP (RFC 5530, RFC 5182), in brackets at the beginning of a message.
IMAP: Mapping[str, str] = {
    "AUTHENTICATIONFAILED": "sign_in", "AUTHORIZATIONFAILED": "permission", "EXPIRED": "sign_in", "NOPERM": "permission",
    "UNAVAILABLE": "unavailable", "INUSE": "busy", "OVERQUOTA": "quota", "ALREADYEXISTS": "exists", "NONEXISTENT": "not_found",
}  # fmt: skip
