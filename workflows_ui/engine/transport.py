"""Calls to the engine over pooled connections: reads are retried, writes are sent once.

The retries are a loop in this module. urllib3's Retry stays off: its "other" branch repeats POSTs. Redirects are not followed, cookies
are not kept, the environment (`.netrc`, proxy variables) is not read, and a secret is added to each request, never to objects that
threads share.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.parse import urlencode, urlsplit

import requests
from urllib3.exceptions import HTTPError

from . import errors, response_errors
from .answer import Answer, NotJson
from .auth import Credential
from .connection import CURRENT, Call, CheckedAdapter, failed_stage
from .deadlines import seconds_left
from .generations import generations
from .masking import HIDDEN, Mask
from .safety import AddressSafety
from .watchdog import Watch
from .writes import Refusal

Params = Sequence[tuple[str, str]]
LARGEST_ANSWER = 32 * 1024 * 1024
USER_AGENT = "workflow-console/1"
_TRIES = 3
_RETRIED_CODES = ("CONNECT_FAILED", "CONNECTION_LOST", "DNS_FAILED", "TIMEOUT", "TLS_FAILED")


@dataclass(frozen=True)
class Timeouts:
    """Seconds. `connect`: for name, connection and TLS each. `read`: without a byte. `total`: the whole call, with all its attempts.
    `wait`: before the second attempt, doubled before the third. `pause`: the longest wait between two attempts; if the engine requests
    a longer one, its error is raised."""

    connect: float = 5.0
    read: float = 30.0
    total: float = 40.0
    wait: float = 0.5
    pause: float = 5.0


@dataclass(frozen=True)
class Route:
    """The network settings for an engine: allowed addresses, time limits, proxy, trusted certificates (see `Client`).

    The proxy is the operator's choice and is not checked. `largest_answer` counts bytes after decompression.
    """

    safety: AddressSafety = AddressSafety()  # noqa: RUF009
    timeouts: Timeouts = Timeouts()
    proxy: str | None = None
    ca_bundle: str | None = None
    largest_answer: int = LARGEST_ANSWER

    def __post_init__(self) -> None:
        if self.proxy and urlsplit(self.proxy).scheme != "http":
            raise ValueError("The proxy must be an http:// address.")

    def check(self, url: str) -> None:
        """Raise AddressRefused for an address that must not be called. Names are checked when connecting."""
        self.safety.check_url(url)
        if self.proxy:
            self.safety.check_host_behind_proxy(urlsplit(url).hostname or "")

    def send(
        self, adapter: CheckedAdapter, request: requests.PreparedRequest, read_seconds: float
    ) -> requests.Response:
        """Send one request within an open call. The body of the response is not read yet."""
        return adapter.send(
            request,
            stream=True,
            timeout=(self.timeouts.connect, read_seconds),
            verify=self.ca_bundle or True,
            proxies={"http": self.proxy, "https": self.proxy} if self.proxy else {},
        )

    @contextmanager
    def open_call(self, seconds: float, before_first_byte: Callable[[], None] | None = None) -> Iterator[Call]:
        """A call with this deadline, which connections in the context serve."""
        with Watch(seconds) as watch:
            call = Call(
                watch,
                safety=self.safety,
                connect_seconds=self.timeouts.connect,
                through_proxy=self.proxy is not None,
                before_first_byte=before_first_byte,
            )
            token = CURRENT.set(call)
            try:
                yield call
            finally:
                CURRENT.reset(token)


_adapters: dict[tuple[str, AddressSafety, str | None, str | None], CheckedAdapter] = {}
_adapters_lock = threading.Lock()


def shared_adapter(base: str, route: Route) -> CheckedAdapter:
    """The connections to one engine with the same settings, shared by all threads and credentials."""
    key = (base, route.safety, route.proxy, route.ca_bundle)
    with _adapters_lock:
        return _adapters.setdefault(key, _adapters.get(key) or CheckedAdapter())


def close_pools() -> None:
    """Close every kept connection and forget the generations of engines. For the end of a process, and for tests."""
    generations.clear()
    with _adapters_lock:
        for adapter in _adapters.values():
            adapter.close()
        _adapters.clear()


class Transport:
    """Reads and writes for one credential. `base` is the address whose connections are shared, without a trailing slash, `session_url` a
    route on which the engine says clearly that a session was ended; for the other arguments see `Client`."""

    def __init__(
        self,
        base: str,
        auth: Credential,
        route: Route,
        *,
        mask: Mask | None = None,
        on_no_route: Callable[[], None] | None = None,
        session_url: str = "",
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        route.check(base)
        self.base = base
        self.route = route
        self._on_no_route = on_no_route
        self._session_url = session_url
        self.auth = auth
        self._mask = mask if mask is not None else Mask(auth.secrets())
        self._adapter = shared_adapter(base, route)
        self._clock = clock
        self._sleep = sleep

    def read(
        self,
        url: str,
        params: Params = (),
        *,
        method: str = "GET",
        body: Any = None,
        text: bool = False,
        seconds: float | None = None,
    ) -> Any:
        """The decoded JSON of a call that changes nothing, with at most three attempts within the total time, or fewer `seconds`. With
        `text`, an answer of the type text/plain is returned as it is.

        Retried: 429 (after its `Retry-After`, if that is short enough), 5xx, and failed connections. Raises EngineError: `Unreachable` if
        no connection was made, `Unavailable` if one broke.
        """
        started = self._clock()
        total = self.route.timeouts.total if seconds is None else min(seconds, self.route.timeouts.total)
        total = seconds_left(total)
        for attempt in range(1, _TRIES + 1):
            left = total - (self._clock() - started)
            try:
                return self._once(method, url, params, body, seconds=left, write=False, text=text)
            except errors.EngineError as error:
                wait = (
                    error.retry_after
                    if error.retry_after is not None
                    else self.route.timeouts.wait * 2 ** (attempt - 1)
                )
                left = total - (self._clock() - started)
                if attempt == _TRIES or not _is_retriable(error) or wait >= min(left, self.route.timeouts.pause):
                    raise
            self._sleep(wait)
        raise AssertionError("the loop returns or raises")

    def write(self, method: str, url: str, body: Any = None, *, refusals: Sequence[Refusal] | None) -> Any:
        """The decoded JSON of a call that changes something, None for an empty answer. Always sent at most once.

        Only `refusals` prove that nothing was done; with None, for a sign-in, every refusal counts as the engine's.

        Raises EngineError: `NotSent` if nothing was sent, `Unknown` if the outcome is not known; `HiddenValue`, before anything is sent,
        if the body contains the replacement of a masked secret, which would overwrite the secret.
        """
        return self._once(method, url, (), body, seconds=self.route.timeouts.total, write=True, refusals=refusals)

    def _once(
        self,
        method: str,
        url: str,
        params: Params,
        body: Any,
        *,
        seconds: float,
        write: bool,
        text: bool = False,
        refusals: Sequence[Refusal] | None = None,
    ) -> Any:
        what = self._mask.text(f"{method} {urlsplit(url).path}")
        answer = self._exchange(self._prepare(method, url, params, body), what, seconds=seconds, write=write)
        error = response_errors.error_for_answer(
            answer, write=write, what=what, secrets=self.auth.secrets(), refusals=refusals
        )
        if isinstance(error, errors.NoRoute) or (isinstance(error, errors.Unknown) and error.cause is errors.NoRoute):
            generations.forget(self.base)
            if self._on_no_route is not None:
                self._on_no_route()
        if isinstance(error, errors.Forbidden) and response_errors.in_doubt(answer):
            error = self._session_error(seconds) or error
        if error is not None:
            raise error
        if write and not answer.body:
            return None
        if text and answer.headers.get("content-type", "").startswith("text/plain"):
            return answer.body.decode("utf-8", "replace")
        try:
            return answer.json()
        except NotJson as problem:
            unreadable = response_errors.error_for_body(answer, problem, write=write, what=what)
        raise unreadable

    def _session_error(self, seconds: float) -> errors.EngineError | None:
        """The error of an ended session or refused token, if the engine says so on `session_url`; None if it says anything else."""
        if not self._session_url:
            return None
        what = f"GET {urlsplit(self._session_url).path}"
        try:
            request = self._prepare("GET", self._session_url, (("limit", "1"),), None)
            answer = self._exchange(request, what, seconds=seconds, write=False)
        except errors.EngineError:
            return None
        error = response_errors.error_for_answer(answer, write=False, what=what, secrets=self.auth.secrets())
        # Without one of the engine's codes, the answer may be a gateway's.
        return error if isinstance(error, errors.CredentialRefused) and error.code else None

    def _prepare(self, method: str, url: str, params: Params, body: Any) -> requests.PreparedRequest:
        headers = {"accept": "application/json", "accept-encoding": "gzip, deflate", "user-agent": USER_AGENT}
        data = None
        if body is not None:
            data = encoded(body)
            if HIDDEN.encode() in data:
                message = (
                    "A value of this was hidden because it is a key of this workspace, so it cannot be written back."
                )
                raise errors.HiddenValue(message, code="HIDDEN_VALUE", sent=False)
            headers["content-type"] = "application/json"
        target = f"{url}?{urlencode(params)}" if params else url
        return requests.Request(method, target, headers=headers | self.auth.headers(), data=data).prepare()

    def _exchange(self, request: requests.PreparedRequest, what: str, *, seconds: float, write: bool) -> Answer:
        """Send one request and read the complete answer.

        Raises AddressRefused, NotSent, Unreachable, Unavailable, TooLarge or Unknown.
        """
        with self.route.open_call(seconds) as call:
            try:
                return self._send(request, call.watch)
            except errors.AddressRefused:
                raise
            except TooLargeToRead:
                failure = _too_large(self.route.largest_answer, what, write=write)
            except (requests.RequestException, HTTPError, HTTPException, OSError) as error:
                failure = connection_error(call, error, what, write=write, mask=self._mask)
        # Raised outside of the handler, so that the exception's context does not hold the request with its credential.
        raise failure

    def _send(self, request: requests.PreparedRequest, watch: Watch) -> Answer:
        read_seconds = min(self.route.timeouts.read, max(watch.remaining(), 0.001))
        response = self.route.send(self._adapter, request, read_seconds)
        try:
            body = read_body(response.raw, self.route.largest_answer)
            watch.check()
            headers = self._mask.headers({k.lower(): v for k, v in response.headers.items()})
            return Answer(response.status_code, headers, self._mask.body(body))
        except BaseException:
            response.raw.close()
            raise
        finally:
            response.raw.release_conn()


class TooLargeToRead(Exception):
    """The body exceeds the limit. `start` is its beginning up to the limit."""

    def __init__(self, start: bytes) -> None:
        super().__init__("too large")
        self.start = start


def read_body(raw: Any, limit: int, *, decode: bool = True) -> bytes:
    """The body of a urllib3 response, decompressed piece by piece. Raises TooLargeToRead past `limit` bytes."""
    pieces = bytearray()
    while piece := raw.read(65536, decode_content=decode):
        pieces += piece
        if len(pieces) > limit:
            raise TooLargeToRead(bytes(pieces[:limit]))
    return bytes(pieces)


def encoded(body: Any) -> bytes:
    """Compact JSON in UTF-8. Raises ValueError for NaN, infinities and lone surrogates."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _is_retriable(error: errors.EngineError) -> bool:
    if isinstance(error, errors.RateLimited):
        return True
    return isinstance(error, errors.Unavailable) and ((error.status or 0) >= 500 or error.code in _RETRIED_CODES)


def connection_error(call: Call, error: BaseException, what: str, *, write: bool, mask: Mask) -> errors.EngineError:
    """The error of a call whose connection failed."""
    code, message = failed_stage(call, error)
    kinds = (errors.Unknown, errors.Unavailable) if call.sent else (errors.NotSent, errors.Unreachable)
    return kinds[0 if write else 1](
        message,
        code=code,
        sent=None if call.sent else False,
        technical=mask.text(f"{what}: {call.stage}: {type(error).__name__}: {error}")[:500],
    )


def _too_large(limit: int, what: str, *, write: bool) -> errors.EngineError:
    kind = errors.Unknown if write else errors.TooLarge
    return kind(
        f"The engine's answer is larger than {limit // 1024 // 1024} MB and was cut off.",
        code="TOO_LARGE",
        sent=None,
        technical=f"{what}: over {limit} bytes",
    )
