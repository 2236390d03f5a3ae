"""A complete HTTP answer, and the decoding of its body, which may not be JSON."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


#: What is said of bodies that are no JSON.
WEB_PAGE = "A web page came back instead of the engine's answer."
UNREADABLE = "The answer is not readable as JSON."


class NotJson(ValueError):
    """The body is not JSON; the message gives the reason. `code` is "EMPTY", "HTML" or "NOT_JSON"."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Answer:
    """Status, headers (lower-case names) and body of a complete answer."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    def json(self) -> Any:
        """The decoded body. Raises NotJson."""
        return decoded(self.body)

    @property
    def request_id(self) -> str:
        """`x-request-id`, or the gateway's `request_id` in the body (api.md 2.2); "" if there is neither."""
        given = self.headers.get("x-request-id", "")
        if not given:
            try:
                body = self.json()
            except NotJson:
                return ""
            given = body.get("request_id", "") if isinstance(body, dict) else ""
        return str(given)[:100]

    @property
    def date(self) -> datetime | None:
        """The engine's clock when it answered (header `Date`), in UTC; None without the header."""
        return http_date(self.headers.get("date", ""))

    def retry_after(self, now: datetime) -> float | None:
        """Seconds to wait by `Retry-After`, a number or a date; a date is compared with the engine's clock if the answer has one."""
        text = self.headers.get("retry-after", "").strip()
        if text.isascii() and text.isdigit():
            return float(text[:9])
        moment = http_date(text)
        return max(0.0, (moment - (self.date or now)).total_seconds()) if moment else None


def http_date(text: str) -> datetime | None:
    """An HTTP date in UTC; None for any other text."""
    try:
        moment = parsedate_to_datetime(text)
        # At the ends of the calendar, the conversion can overflow.
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def decoded(body: bytes) -> Any:
    """JSON in UTF-8, decoded. Lone surrogates, which pages and databases cannot hold, become U+FFFD. Raises NotJson."""
    if not body.strip():
        raise NotJson("EMPTY", "The answer is empty.")
    try:
        value = json.loads(body.decode("utf-8-sig"), parse_constant=_no_constant)
        return map_texts(value, _without_surrogates) if _SURROGATE.search(body) else value
    except (ValueError, RecursionError):
        start = body.lstrip()[:200].lower()
        if start.startswith((b"<!doctype", b"<html", b"<head", b"<body", b"<?xml", b"<!--")):
            raise NotJson("HTML", WEB_PAGE) from None
        raise NotJson("NOT_JSON", UNREADABLE) from None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _without_surrogates(text: str) -> str:
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def map_texts(value: Any, change: Callable[[str], str]) -> Any:
    """A copy of a JSON value with every text and every key changed. Raises RecursionError if it is nested too deep."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [map_texts(item, change) for item in value]
    if isinstance(value, dict):
        return {map_texts(key, change): map_texts(item, change) for key, item in value.items()}
    return value
