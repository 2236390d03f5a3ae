"""Sends triggers: one POST on a new connection, repeated by no layer.

There is no pool (a stale pooled socket cannot be distinguished from a processed request), no requests session, no urllib3 Retry and no
redirect following; one connection object connects once and sends once. `outcome_of` interprets the answer.
"""

import re
import ssl
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.client import HTTPException
from typing import Any, Literal
from urllib.parse import urlsplit

from urllib3.connection import ProxyConfig
from urllib3.exceptions import HTTPError
from urllib3.util import make_headers, parse_url

from . import response_errors
from .answer import Answer, NotJson, decoded
from .auth import Credential
from .connection import Call, CheckedHTTPConnection, CheckedHTTPSConnection, tls_context
from .errors import AddressRefused
from .masking import HIDDEN, Mask
from .multipart import Upload, encode_body
from .transport import USER_AGENT, Route, TooLargeToRead, connection_error, encoded, read_body

Outcome = Literal["accepted", "answered", "waited_out", "failed", "refused", "off_or_answered", "unknown"]
_TAG = re.compile(r"<[^<>]*>")
_FAILED = "The flow has failed and there is no response returned"  # recording webhook_sync_get_method
_BROKE = "An internal error has occurred"  # api.md 7.2
_TOO_SLOW = "The request took too long to reply"  # api.md 7.2


@dataclass(frozen=True)
class TriggerAnswer:
    """A complete answer to a trigger, and its interpretation.

    Attributes:
        status, headers: of the answer; header names in lower case.
        body: decompressed, cut at the limit; `truncated`: whether it was cut.
        webhook_id: the header `x-webhook-id`, which only the engine's webhook handler sends. It identifies the request, not the run.
        engine_date: the engine's clock at the answer, UTC, from the header `Date`; None without it.
        retry_after: seconds to wait by `Retry-After`; None without it.
        outcome: "accepted" (started, nothing to wait for), "answered" (the flow's answer, of any status), "waited_out" (no
            answer within the engine's wait limit, the run goes on), "failed" (the flow ran and failed), "refused" (no run was
            started), "off_or_answered" (either that, or a flow's own answer in the same form), "unknown" (the answer is not the
            engine's and proves nothing).
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    truncated: bool
    webhook_id: str | None
    engine_date: datetime | None
    retry_after: float | None
    outcome: Outcome

    def value(self) -> Any:
        """The body as JSON, else as text, else as bytes; None if empty. Never raises."""
        if not self.body:
            return None
        try:
            return decoded(self.body)
        except NotJson:
            pass
        try:
            return self.body.decode()
        except UnicodeDecodeError:
            return self.body

    def message(self) -> str:
        """The message in the body, for debugging: an error's message, else the start of a text."""
        value = self.value()
        text = response_errors.error_message(value) or (value if isinstance(value, str) else "")
        return " ".join(_TAG.sub(" ", text[:5000]).split())[:500]


def outcome_of(status: int, headers: Mapping[str, str], body: bytes, *, wait: bool) -> Outcome:
    """The outcome of a trigger by its answer (api.md 7.1 and 7.2; recordings `webhook_*`).

    Only the engine's webhook handler sends `x-webhook-id`. Without it the answer is a proxy's, which may have sent it after the engine
    acted: then no status proves anything. Names of headers are in lower case.
    """
    if "x-webhook-id" not in headers:
        return "unknown"
    try:
        value = decoded(body)
    except NotJson:
        value = None
    if status in (404, 410) and value == {}:
        # Nobody but the engine answers a request that does not wait; a flow may answer one that waits like this, too.
        return "off_or_answered" if wait else "refused"
    if not wait:
        return "accepted" if 200 <= status < 300 else "unknown"
    if status == 204:
        return "waited_out"
    message = response_errors.error_message(value)
    if (status == 500 and message in (_FAILED, _BROKE)) or (status == 504 and message == _TOO_SLOW):
        return "failed"
    return "answered"


@dataclass(frozen=True)
class EncodedJson:
    """A payload that is JSON in UTF-8 already. It is sent unchanged, so that a large one needs no second copy."""

    data: bytes = field(repr=False)


class TriggerWire:
    """Sends triggers for one credential by one route. Holds no connection; thread-safe."""

    def __init__(self, auth: Credential, route: Route, mask: Mask | None = None) -> None:
        self._auth = auth
        self._mask = mask if mask is not None else Mask(auth.secrets())
        self._route = route
        self._tls: ssl.SSLContext | None = None

    def send(
        self,
        url: str,
        payload: Any,
        *,
        wait: bool,
        headers: Mapping[str, str],
        before_first_byte: Callable[[], None] | None,
        deadline: float,
        files: Sequence[Upload] = (),
    ) -> TriggerAnswer:
        """POST `payload` to `url`, once: as JSON or, with `files`, as multipart/form-data.

        Arguments and errors are those of `Triggers.send_trigger`. The deadline is for everything from the resolution of the name to the
        last byte of the answer. Raises ValueError, and sends nothing, if `payload` cannot be encoded as JSON, or not together with files,
        or contains the replacement of a masked secret.
        """
        plain = payload.data if isinstance(payload, EncodedJson) else encoded(payload)
        if HIDDEN.encode() in plain:
            raise ValueError("A hidden value cannot be sent.")
        data, kind = plain, "application/json"
        if files:
            values = decoded(plain) if isinstance(payload, EncodedJson) else payload
            data, kind = encode_body(values, files)
        what = self._mask.text(f"POST {urlsplit(url).path}")
        with self._route.open_call(deadline, before_first_byte) as call:
            try:
                return self._exchange(url, data, {"content-type": kind, **headers}, call, wait=wait)
            except AddressRefused:
                raise
            except (HTTPError, HTTPException, OSError, ValueError) as error:
                if error is call.refused:
                    raise
                failure = connection_error(call, error, what, write=True, mask=self._mask)
        # Raised outside of the handler, so that the exception's context does not hold the headers with the credential.
        raise failure

    def _exchange(self, url: str, data: bytes, headers: Mapping[str, str], call: Call, *, wait: bool) -> TriggerAnswer:
        connection, target, extra = self._connection(url)
        all_headers = {
            "accept": "*/*",
            "accept-encoding": "identity",
            "connection": "close",
            "user-agent": USER_AGENT,
            **extra,
            **headers,
            **self._auth.headers(),
        }
        try:
            connection.timeout = self._route.timeouts.connect
            connection.connect()
            connection.timeout = max(call.watch.remaining(), 0.001)
            try:
                connection.request(
                    "POST", target, body=data, headers=all_headers, preload_content=False, decode_content=False
                )
            except BrokenPipeError:
                # The peer closed the connection during the write. It may have answered before (a 413 does), so read first.
                if call.refused is not None:
                    raise
            response = connection.getresponse()
            try:
                return self._read(response, call, wait=wait)
            finally:
                response.close()
        finally:
            connection.close()

    def _read(self, response: Any, call: Call, *, wait: bool) -> TriggerAnswer:
        truncated = False
        try:
            body = read_body(response, self._route.largest_answer, decode=False)
        except TooLargeToRead as error:
            body, truncated = error.start, True
        call.watch.check()
        headers = {name.lower(): value for name, value in response.headers.items()}
        if not truncated:
            body, truncated = _decompress(body, headers.get("content-encoding", ""), self._route.largest_answer)
        answer = Answer(response.status, headers, b"")
        return TriggerAnswer(
            status=response.status,
            headers=self._mask.headers(headers),
            body=self._mask.body(body),
            truncated=truncated,
            webhook_id=headers.get("x-webhook-id"),
            engine_date=answer.date,
            retry_after=answer.retry_after(datetime.now(UTC)),
            outcome=outcome_of(response.status, headers, body, wait=wait),
        )

    def _connection(self, url: str) -> tuple[CheckedHTTPConnection | CheckedHTTPSConnection, str, dict[str, str]]:
        """A connection for `url`, not open yet, the request's target and the headers for a proxy."""
        parts = urlsplit(url)
        host, secure = parts.hostname or "", parts.scheme == "https"
        port = parts.port or (443 if secure else 80)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        if secure and self._tls is None:
            self._tls = tls_context(self._route.ca_bundle)
        if self._route.proxy is None:
            if secure:
                return CheckedHTTPSConnection(host, port, ssl_context=self._tls), path, {}
            return CheckedHTTPConnection(host, port), path, {}
        proxy = parse_url(self._route.proxy)
        proxy_auth = make_headers(proxy_basic_auth=proxy.auth) if proxy.auth else {}
        proxy_host, proxy_port = (proxy.host or "").strip("[]"), proxy.port or 80
        if not secure:
            return CheckedHTTPConnection(proxy_host, proxy_port, proxy=proxy), url, proxy_auth
        tunnel = CheckedHTTPSConnection(
            proxy_host,
            proxy_port,
            ssl_context=self._tls,
            proxy=proxy,
            proxy_config=ProxyConfig(None, False, None, None),
        )
        tunnel.set_tunnel(host, port, headers=proxy_auth, scheme="http")
        return tunnel, path, {}


def _decompress(body: bytes, encoding: str, limit: int) -> tuple[bytes, bool]:
    """`body` decompressed up to `limit`, and whether it was longer. A body that is not in the encoding is returned unchanged."""
    if encoding.strip().lower() not in ("gzip", "x-gzip", "deflate"):
        return body, False
    try:
        unpacker = zlib.decompressobj(wbits=47)  # zlib or gzip, by its header
        plain = unpacker.decompress(body, limit)
    except zlib.error:
        return body, False
    return plain, bool(unpacker.unconsumed_tail)
