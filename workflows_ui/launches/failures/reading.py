"""Parser of a failed step's error: its message, and statuses and codes in the positions used by services and libraries.

Text anywhere else is a message for people, not a fact: `{"status": 404, "order": "A-1"}` may be a parcel's state.
"""

import http
import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field

from workflows_ui.core import formats
from workflows_ui.core.paths import dicts_in, text_of
from workflows_ui.core.readers import as_items, as_text, as_whole_number, is_nested, mapping_of
from workflows_ui.launches.failures import rules as failure_rules
from workflows_ui.launches.failures.error_objects import ErrorObject

#: Characters of an error that are read, and levels of its JSON that are searched.
READ, _DEEPEST = 40_000, 6


@dataclass
class Report:
    """A parsed error."""

    #: The service's own message, or "".
    sentence: str = ""
    status: int | None = None
    #: The kinds (messages.KINDS) for codes in known positions.
    codes: set[str] = field(default_factory=set)
    #: Sentences that may begin with a known phrase, and the error names before them.
    lines: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    def add_kind(self, kind: str | None) -> None:
        if kind:
            self.codes.add(kind)


_STACK = re.compile(r"^(?:[ \t]+at \S|-{3,} ?(?:stderr|Native stack trace))", re.MULTILINE)
_NAME = re.compile(
    r"\s*(?:Uncaught )?(?:((?:\w+\.){0,6}\w*(?:Error|Exception))(?: ?\[(\w+)\])?|error|ETELEGRAM|EFATAL|(?:API|HTTP) [Ee]rror): ?"
)
_REASONS: dict[int, tuple[str, ...]] = {status.value: (status.phrase.casefold(),) for status in http.HTTPStatus} | {
    413: ("payload too large", "request entity too large", "content too large"),
    422: ("unprocessable entity", "unprocessable content"),
    504: ("gateway timeout", "gateway time-out"),
    503: ("service unavailable", "service temporarily unavailable"),
}
#: Error classes of services' libraries that belong to one status, which follows the name.
_CLASSES = {
    "BadRequestError": 400, "AuthenticationError": 401, "PermissionDeniedError": 403, "NotFoundError": 404, "ConflictError": 409,
    "UnprocessableEntityError": 422, "RateLimitError": 429, "InternalServerError": 500,
}  # fmt: skip
_STATUS_LINES = (
    re.compile(r"Request failed with status code (\d{3})\b"),
    re.compile(r"Response code (\d{3}) \("),
    re.compile(r"(\d{3}) (?:Client|Server) Error: [^\n]{1,200} for url: "),
    re.compile(
        r"(?:the )?(?:server|API|endpoint|webhook|request) (?:responded|replied|answered|returned|failed) "
        r"(?:with )?(?:an? )?(?:HTTP status(?: code)?|HTTP|status code|status):? (\d{3})\b",
        re.IGNORECASE,
    ),
    re.compile(r"Response status code does not indicate success: (\d{3}) \("),
    re.compile(r"(?:Client|Server) error: `[A-Z]{3,7} \S{1,300}` resulted in a `(\d{3}) "),
    re.compile(r"The remote server returned an error: \((\d{3})\)"),
    re.compile(r"googleapi: Error (\d{3}): "),
    re.compile(r"(?:Unexpected|Received|Got|Invalid|Bad) (?:HTTP )?(?:response )?status(?: code)?:? (\d{3})\.?$"),
    re.compile(
        r"(?:API call|API request|HTTP request|Request|Call|Fetch) failed(?: with|:) "
        r"(?:status code|status|HTTP(?: status)?):? (\d{3})\b"
    ),
)
#: How libraries print a status before a text, "[503 Service Unavailable] ...", and before an answer in JSON, "400 {...}".
_BRACKETED_STATUS = re.compile(r"(?:Error fetching from \S{1,300}: )?[\[(](\d{3}) ([A-Z][A-Za-z' -]{1,40})[\])] ?")
_STATUS_OF_JSON = re.compile(r'(\d{3})(?: - | ?)(?=\{\s{0,9}"(?:error|message|type|ok|status|object)"\s?:)')
_BARE_STATUS = re.compile(r"(HTTP(?:/\d(?:\.\d)?)?(?: error)?:? )?(\d{3})\b[ :-]*", re.IGNORECASE)
_CALL = re.compile(r"(?:connect|read|write|getaddrinfo|query[A-Z]\w*) (E[A-Z_]+)\b")
_GRPC = re.compile(r"(\d{1,2}) ([A-Z_]+): ")
_MAIL = re.compile(
    r"(?:Message failed: |Can't send mail - all recipients were rejected: |Remote server returned '"
    r"|(?:Mail|Recipient|Data) command failed: )?(?:4\d\d[ -](?=4)|5\d\d[ -](?=5))([45]\.\d{1,2}\.\d{1,2})\b"
)
_ALONE = re.compile(r"(E[A-Z_]+)(?:$|: (?:connect|read|write|getaddrinfo|socket)\b)")
_SLACK = re.compile(r"An API error occurred: (\w{1,60})$")
_IMAP = re.compile(r"\[([A-Z]{5,30})\] ")
_HUBSPOT_PROPERTIES = re.compile(r"Property values were not valid: (?=\[\{)")
_HUBSPOT_PROPERTY = re.compile(r'"error":"([A-Z_]{3,40})"')
_NUMBERED = re.compile(r"DiscordAPIError\[(\d{1,6})\]: ([^\n]{1,200})")
_STATUS_BEFORE_TEXT = re.compile(r"[45]\d\d (?=\S)")
_LEADING_CODE = re.compile(r"([A-Z][A-Z_]{5,60}): ")
#: Codes at the beginning of a sentence.
_LINE_CODES = (
    (_ALONE, failure_rules.NETWORK),
    (_MAIL, failure_rules.MAIL),
    (_IMAP, failure_rules.IMAP),
    (_SLACK, failure_rules.SLACK),
    (_LEADING_CODE, failure_rules.SALESFORCE),
)
_CAUSE = re.compile(r"^\s*(?:\[cause\]|Caused by): (.{1,500})$", re.MULTILINE)
_REASON = re.compile(r"request to \S{1,500} failed, reason: (.{1,500})$", re.MULTILINE)
#: What `util.inspect` prints below an error's stack.
_PRINTED_CODE = re.compile(r"^ {1,4}code: '([A-Z_0-9]{3,60})',?$", re.MULTILINE)
_PRINTED_STATUS = re.compile(r"^ {1,4}response: \{\s{1,20}status: (\d{3}),", re.MULTILINE)
_PAGE = re.compile(r"\s*<(?:!doctype\b|html\b|\?xml\b|Error>)", re.IGNORECASE)
_TITLE = re.compile(r"<title[^>]{0,200}>([^<]{0,300})</title>", re.IGNORECASE)
_STORAGE = re.compile(
    r"(?:<\?xml[^>]{0,200}>\s{0,20})?<(?:Error|ErrorResponse)\b[^>]{0,200}>.{0,500}?<Code>(\w{1,60})</Code>", re.DOTALL
)
_XML_MESSAGE = re.compile(r"<Message>([^<]{1,500})</Message>")

#: Keys of an error that are searched for the service's message, the best first.
_MESSAGES = (
    "elements", "validationerrors", "message", "error_description", "errormessage", "detail", "details", "title", "description", "reason",
    "msg", "error", "errors", "body", "response", "data",
)  # fmt: skip
#: Keys whose objects belong to the error. `data` does only inside a response: otherwise it is the flow's data.
_INNER = frozenset(
    {"response", "body", "error", "errors", "detail", "details", "message", "cause", "err", "fault", "extensions",
     "responsestatus", "innererror"}
)  # fmt: skip
_CODE_KEYS = frozenset({"code", "error", "errorcode", "error_code", "type", "__type", "reason"})
_STATUS_KEYS = ("status", "statuscode", "status_code", "httpstatus", "httpstatuscode", "http_status", "http_code")
#: Keys of errors. An object with other keys may be anything, so its `status` is not taken as an HTTP status.
_ERROR_KEYS = frozenset(
    {*_INNER, *_CODE_KEYS, *_STATUS_KEYS, *_MESSAGES}
    | {"statustext", "headers", "timestamp", "path", "instance", "more_info", "object", "request_id", "requestid"}
    | {"trace_id", "traceid", "name", "url", "method", "config", "request", "stack", "success", "ok", "info", "params"}
    | {"developermessage", "usermessage", "statusmessage", "category", "correlationid"}
)
_NOT_THE_SERVICE = frozenset({"request", "config", "headers", "stack"})


def read(text: str) -> Report:
    """Parse a step's error (`errorMessage`, api.md 8.1: a text that may contain JSON). Secrets must be masked before."""
    report = Report()
    rest = _strip_names(text[:READ].strip(), report)
    if (numbered := _NUMBERED.match(text)) is not None:
        report.add_kind(_numbered(int(numbered[1]), numbered[2]))
    first = formats.first_line(rest)
    end = _status_line(first, report)
    # JSON after any other text than a status line is the flow's data and not the service's answer.
    start = 0 if rest[:1] in ("{", "[") else rest.find("{", end) if end else -1
    value = _json_at(rest, start) if 0 <= start <= end + 12 else None
    if value is not None:
        _read_json(value, report)
        report.sentence = _sentence(value, 0)
    elif _PAGE.match(rest):
        report.sentence = _read_markup(rest, report)
    if not report.sentence and (end or (value is None and not _PAGE.match(rest))):
        report.sentence = first.partition("{")[0].rstrip(" :-") if value is not None else first
    causes = [match[1] for pattern in (_REASON, _CAUSE) for match in pattern.finditer(text[:READ])]
    causes = [_strip_names(line.strip(), Report()) for line in causes]
    bare = _STATUS_BEFORE_TEXT.sub("", first, count=1) if first[:1].isdigit() else ""
    lines = (report.sentence, first, first[end:].lstrip(), bare, *causes)
    report.lines = [unicodedata.normalize("NFC", line) for line in dict.fromkeys(lines) if line]
    if rest.startswith("Code process exited"):
        report.lines.append(rest)  # the reason follows many lines below
    for line in report.lines:
        _read_line(line, report)
    if report.status is None:
        _status_line(report.sentence, report)
    for code in _PRINTED_CODE.findall(text[:READ]):
        report.add_kind(failure_rules.NETWORK.get(code))
    if report.status is None and (printed := _PRINTED_STATUS.search(text[:READ])):
        report.status = int(printed[1])
    return report


def collapsed(text: str) -> str:
    """The message with one error name: "Error: Error: soft" becomes "Error: soft", "Error: TypeError: x" becomes "TypeError: x"."""
    position = 0
    for _turn in range(10):
        match = _NAME.match(text, position)
        following = _NAME.match(text, match.end()) if match else None
        if match is None or following is None or (match[1] or "Error") not in ("Error", following[1]):
            break
        position = match.end()
    return text[position:]


def split(text: str) -> tuple[str, str]:
    """The message and the stack after it, "" without one."""
    match = _STACK.search(text)
    end = match.start() if match and match.start() else len(text)
    return (text[:end].rstrip(), text[end:].strip("\n")) if end < len(text) else (text, "")


def _strip_names(text: str, report: Report) -> str:
    position = 0
    for _turn in range(10):
        match = _NAME.match(text, position)
        if match is None:
            break
        report.names += [match[1].rpartition(".")[2]] if match[1] else []
        report.add_kind(failure_rules.NETWORK.get(match[2] or ""))
        report.add_kind(failure_rules.CLASSES.get(match[1] or ""))
        report.add_kind(failure_rules.CLASSES.get(match[2] or ""))
        position = match.end()
    return text[position:].strip()


def _status_line(line: str, report: Report) -> int:
    """Read the status from a line in the format of an HTTP library. Return the end of the match; 0 for any other line."""
    match = next(
        filter(
            None,
            (pattern.match(line) for pattern in (*_STATUS_LINES, _BRACKETED_STATUS, _STATUS_OF_JSON, _BARE_STATUS)),
        ),
        None,
    )
    if match is None:
        return 0
    following = line[match.end() :]
    if match.re is _BRACKETED_STATUS:
        status = int(match[1])
        if not _is_reason_phrase(status, match[2]):
            return 0
    else:
        status = int(match.groups()[-1])
    if match.re is _BARE_STATUS and not (match[1] and not following):
        by_class = any(_CLASSES.get(name) == status for name in report.names) or "StatusCodeError" in report.names
        if not by_class and not _is_reason_phrase(status, following):
            return 0
    if 400 <= status < 600:
        report.status = status
    return match.end()


def _is_reason_phrase(status: int, text: str) -> bool:
    """Whether a text is the reason phrase of the status ("Not Found" for 404), followed only by punctuation."""
    lower = text.casefold().lstrip("(")
    phrases = [phrase for phrase in _REASONS.get(status, ()) if lower.startswith(phrase)]
    return any(not lower[len(phrase) :].lstrip()[:1].isalnum() for phrase in phrases)


def _json_at(text: str, position: int) -> object:
    """The JSON object or list of objects at `position`, or None."""
    try:
        value, _end = json.JSONDecoder().raw_decode(text[position:])
    except (ValueError, RecursionError):
        return None
    return (mapping_of(value) or dicts_in(as_items(value)[:5])) or None


def _read_json(value: object, report: Report) -> None:
    for key, found in _objects(value, "", 0):
        if report.status is None:
            report.status = _status(key, found)
        for name in _CODE_KEYS & found.raw.keys():
            _read_code(key, name, found, report)
        if "correlationid" in found.raw:
            report.add_kind(failure_rules.HUBSPOT.get(found.category))
        if found.error_type == "RATE_LIMIT":
            report.add_kind(failure_rules.HUBSPOT_POLICY.get(found.policy_name))
        if "field" in found.raw:
            report.add_kind(failure_rules.SENDGRID.get(found.message.casefold().rstrip(".")))
        if "debug_id" in found.raw:
            report.add_kind(failure_rules.PAYPAL.get(found.name))
        _read_payment(found, report)


def _read_payment(found: ErrorObject, report: Report) -> None:
    """Read the result codes of Vietnamese payment and message services, which answer with status 200."""
    if "partnercode" in found.raw and found.momo_code is not None:
        report.add_kind(failure_rules.MOMO.get(found.momo_code))
    report.add_kind(failure_rules.VNPAY.get(found.vnpay_code))
    report.add_kind(failure_rules.ESMS.get(found.esms_code))


def _numbered(number: int, text: str) -> str | None:
    return failure_rules.NUMBERED.get((number, text.strip().rstrip(".").casefold()))


def _objects(value: object, key: str, depth: int) -> Iterator[tuple[str, ErrorObject]]:
    """All objects of an error with their keys, outer objects first."""
    if depth > _DEEPEST:
        return
    if members := mapping_of(value):
        yield key, ErrorObject({str(name).casefold(): inner for name, inner in members.items()})
        for name, inner in list(members.items())[:50]:
            lower = str(name).casefold()
            if lower in _INNER or (lower == "data" and key == "response"):
                yield from _objects(_decode_nested(inner), lower, depth + 1)
    for inner in as_items(value)[:5]:
        yield from _objects(inner, key, depth + 1)


def _status(key: str, found: ErrorObject) -> int | None:
    if (known := failure_rules.GRPC.get(found.status)) is not None:
        return known[1] if found.code == known[1] else None
    code = as_text(found.code) or str(as_whole_number(found.code))
    if re.fullmatch(r"[45]\d\d", code):
        phrases = _REASONS.get(int(code), ())
        if found.error.casefold() in phrases or found.message.casefold() in phrases:
            return int(code)
    error_code = found.telegram_code
    if found.ok is False and found.description is not None and error_code is not None and 400 <= error_code < 600:
        return error_code
    if key != "response" and not found.raw.keys() <= _ERROR_KEYS:
        return None
    for name in _STATUS_KEYS:
        value = found.raw.get(name)
        digits = as_text(value)
        number = int(digits) if re.fullmatch(r"\d{3}", digits) else as_whole_number(value)
        if number is not None and 400 <= number < 600:
            return number
    return None


def _read_code(key: str, name: str, found: ErrorObject, report: Report) -> None:
    """Add the kind for the code under `name` in an object; `key` is the object's own key."""
    number = as_whole_number(found.raw[name])
    if number is not None:
        if "twilio" in str(found.more_info):
            report.add_kind(failure_rules.TWILIO.get(number))
        if "fbtrace_id" in found.raw:
            report.add_kind(failure_rules.META.get(number))
        report.add_kind(_numbered(number, found.message))
    code = as_text(found.raw[name])
    report.add_kind(failure_rules.CODES.get(code))
    if name == "error":
        report.add_kind(failure_rules.OAUTH.get(code))
    if key == "extensions":
        report.add_kind(failure_rules.GRAPHQL.get(code))
    if found.ok is False:
        report.add_kind(failure_rules.SLACK.get(code))
    if "errorcode" in found.raw and "message" in found.raw:
        report.add_kind(failure_rules.SALESFORCE.get(code))
    if "domain" in found.raw:
        report.add_kind(failure_rules.GOOGLE.get(code))


def _read_line(line: str, report: Report) -> None:
    """Read codes at the beginning of a sentence."""
    if (call := _CALL.match(line)) is not None and "SSL routines" not in line[:300]:
        report.add_kind(failure_rules.NETWORK.get(call[1]))
    if (grpc := _GRPC.match(line)) is not None:
        number, status = failure_rules.GRPC.get(grpc[2], (0, 0))
        # 8, RESOURCE_EXHAUSTED, is also used for a message that is too large.
        if number == int(grpc[1]) != 8:
            report.status = report.status or status
    if _HUBSPOT_PROPERTIES.match(line):
        for code in _HUBSPOT_PROPERTY.findall(line[:4000]):
            report.add_kind(failure_rules.HUBSPOT_PROPERTY.get(code))
    for pattern, kinds in _LINE_CODES:
        if (match := pattern.match(line)) is not None:
            report.add_kind(kinds.get(match[1]))


def _read_markup(text: str, report: Report) -> str:
    """The message of an HTML page or of a storage service's XML. Also reads its status and code."""
    if (storage := _STORAGE.match(text)) is not None:
        report.add_kind(failure_rules.STORAGE.get(storage[1]))
        message = _XML_MESSAGE.search(text)
        return message[1].strip() if message else storage[1]
    title = _TITLE.search(text[:4000])
    line = title[1].strip() if title else ""
    if line and report.status is None:
        _status_line(line, report)
    return line


def _decode_nested(value: object) -> object:
    """The decoded JSON of a text, since services wrap errors of other services; other values unchanged."""
    text = text_of(value)
    if text[:1] in ("{", "[") and len(text) < READ:
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return value
    return value


def _sentence(value: object, depth: int) -> str:
    """The service's message in an error, or ""."""
    value = _decode_nested(value)
    if text := text_of(value):
        text = _read_markup(text, Report()) if _PAGE.match(text) else text
        return text if formats.visible(text) else ""
    if depth > _DEEPEST:
        return ""
    if listed := as_items(value):
        return next((sentence for inner in listed[:3] if (sentence := _sentence(inner, depth + 1))), "")
    members = ((str(name).casefold(), item) for name, item in mapping_of(value).items())
    lower = {name: item for name, item in members if name not in _NOT_THE_SERVICE}
    nested = [key for key in _MESSAGES if is_nested(_decode_nested(lower.get(key)))]
    plain = [key for key in _MESSAGES if text_of(lower.get(key)) and key not in nested]
    inner = next((sentence for key in nested if (sentence := _sentence(lower[key], depth + 1))), "")
    own = next((sentence for key in plain if (sentence := _sentence(lower[key], depth + 1))), "")
    # The inner service's message is closer to the cause than an outer "Request failed with status code 400".
    return inner if inner and (not own or " " in inner) else own
