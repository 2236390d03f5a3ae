"""Sending a trigger: one POST on one connection that was made for it, repeated by no layer.

There is no layer: no pool (a stale pooled socket looks just like a processed request), no requests session, no urllib3 Retry, no
redirect following; one connection object that opens once and sends once. What the answer means is in `outcome_of`.
"""

from __future__ import annotations

import ssl
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http.client import HTTPException
from typing import Any, Literal
from urllib.parse import urlsplit

from urllib3.connection import ProxyConfig
from urllib3.exceptions import HTTPError
from urllib3.util import make_headers, parse_url

from . import verdict
from .answer import Answer, NotJson, decoded
from .auth import Credential
from .errors import AddressRefused, EngineError, NotSent, Unknown
from .masking import HIDDEN, Mask
from .multipart import Upload, body_of
from .transport import USER_AGENT, Route, TooLargeToRead, encoded, read_body
from .watchdog import Watch
from .wire import Call, CheckedHTTPConnection, CheckedHTTPSConnection, tls_context, where_it_broke, working_for

Outcome = Literal["accepted", "answered", "waited_out", "failed", "refused", "unknown"]
_REFUSING = (400, 401, 402, 403, 413, 429)
_FAILED = "The flow has failed and there is no response returned"  # recording webhook_sync_get_method
_BROKE = "An internal error has occurred"  # api.md 7.2
_TOO_SLOW = "The request took too long to reply"  # api.md 7.2


@dataclass(frozen=True)
class TriggerAnswer:
    """A whole answer to a trigger, and what it means.

    Attributes:
        status, headers: as they came; header names in lower case.
        body: decompressed, cut at the limit; `truncated` says whether it was.
        webhook_id: the header `x-webhook-id`: only the engine's webhook handler sends it. It names the request, not the run.
        engine_date: the engine's clock at the answer, UTC, from the header `Date`; None where absent.
        outcome: "accepted" (started, nothing to wait for), "answered" (the flow's own answer, whatever its status),
            "waited_out" (no answer within the engine's wait limit, the run goes on), "failed" (the flow ran and failed),
            "refused" (no run was started), "unknown" (cannot be told from the answer).
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    truncated: bool
    webhook_id: str | None
    engine_date: datetime | None
    outcome: Outcome

    def value(self) -> Any:
        """The body as JSON, else as text, else as bytes; None where it is empty. Never raises."""
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


def outcome_of(status: int, headers: Mapping[str, str], body: bytes, *, wait: bool) -> Outcome:
    """What an answer to a trigger means (api.md 7.1 and 7.2; recordings `webhook_*`).

    Args:
        headers: names in lower case.
        wait: True where the trigger asked to wait for the flow's answer.
    """
    try:
        value = decoded(body)
    except NotJson:
        value = None
    if "x-webhook-id" not in headers:
        return "refused" if status in _REFUSING or _no_route(status, value) else "unknown"
    if status in (404, 410) and value == {}:
        return "refused"
    if not wait:
        if 200 <= status < 300:
            return "accepted"
        return "refused" if status in _REFUSING or status in (404, 410) else "unknown"
    if status == 204:
        return "waited_out"
    words = verdict.said(value)
    if (status == 500 and words in (_FAILED, _BROKE)) or (status == 504 and words == _TOO_SLOW):
        return "failed"
    return "answered"


def _no_route(status: int, value: Any) -> bool:
    """The engine's own "there is no such route" (recording `err_route_not_found`): nothing that starts flows was reached."""
    return status == 404 and isinstance(value, dict) and value.get("statusCode") == 404


class TriggerWire:
    """Sends triggers for one credential by one route. Holds no connection; may be shared by threads."""

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
        """POST `payload` to `url`, once.

        Args:
            files: sent beside the payload as multipart/form-data; without any, the payload is the body as JSON.
            before_first_byte: called once the connection, its TLS and its peer are good, right before the first byte of the
                request. What it raises is raised again unchanged, and nothing is sent.
            deadline: seconds for the whole call, from looking up the name to the last byte of the answer.

        Raises:
            NotSent: nothing left; it may be sent again. AddressRefused is one of these.
            Unknown: it left, and no whole answer came back; it must not be sent again.
            ValueError: `payload` cannot be written as JSON, or not beside files, or holds what stands in a secret's place; nothing
                was sent.
        """
        plain = encoded(payload)
        if HIDDEN.encode() in plain:
            raise ValueError("A hidden value cannot be sent.")
        data, kind = body_of(payload, files, encoded) if files else (plain, "application/json")
        what = self._mask.text(f"POST {urlsplit(url).path}")
        with Watch(deadline) as watch:
            call = Call(
                watch,
                safety=self._route.safety,
                connect_seconds=self._route.timeouts.connect,
                through_proxy=self._route.proxy is not None,
                before_first_byte=before_first_byte,
            )
            with working_for(call):
                try:
                    return self._exchange(url, data, {"content-type": kind, **headers}, call, wait=wait)
                except AddressRefused:
                    raise
                except (HTTPError, HTTPException, OSError, ValueError) as error:
                    if error is call.refused:
                        raise
                    broken = _broken(call, error, what, self._mask)
        # Raised out here so that the headers, and with them the credential, are not carried along as its context.
        raise broken

    def _exchange(self, url: str, data: bytes, headers: Mapping[str, str], call: Call, *, wait: bool) -> TriggerAnswer:
        connection, target, extra = self._connection(url)
        sent = {
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
                connection.request("POST", target, body=data, headers=sent, preload_content=False, decode_content=False)
            except BrokenPipeError:
                # The other side closed while we wrote. It may have answered first (a 413 does), so look before giving up.
                if not call.sent or call.refused is not None:
                    raise
            with_body = connection.getresponse()
            try:
                return self._read(with_body, call, wait=wait)
            finally:
                with_body.close()
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
            body, truncated = _plain(body, headers.get("content-encoding", ""), self._route.largest_answer)
        return TriggerAnswer(
            status=response.status,
            headers=self._mask.headers(headers),
            body=self._mask.body(body),
            truncated=truncated,
            webhook_id=headers.get("x-webhook-id"),
            engine_date=Answer(response.status, headers, b"").date,
            outcome=outcome_of(response.status, headers, body, wait=wait),
        )

    def _connection(self, url: str) -> tuple[CheckedHTTPConnection | CheckedHTTPSConnection, str, dict[str, str]]:
        """A connection for `url`, not open yet, with what to write as the request's target and the headers a proxy needs."""
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


def _plain(body: bytes, encoding: str, limit: int) -> tuple[bytes, bool]:
    """`body` unpacked as far as `limit`, and whether there was more. A body that is not what it says stays as it is."""
    if encoding.strip().lower() not in ("gzip", "x-gzip", "deflate"):
        return body, False
    try:
        unpacker = zlib.decompressobj(wbits=47)  # zlib or gzip, by its header
        plain = unpacker.decompress(body, limit)
    except zlib.error:
        return body, False
    return plain, bool(unpacker.unconsumed_tail)


def _broken(call: Call, error: BaseException, what: str, mask: Mask) -> EngineError:
    code, words = where_it_broke(call, error)
    kind: type[EngineError] = Unknown if call.sent else NotSent
    return kind(
        words,
        code=code,
        sent=None if call.sent else False,
        technical=mask.text(f"{what}: {call.stage}: {type(error).__name__}: {error}")[:500],
    )
