"""Calls of the engine over pooled connections: reads that are tried again, writes that are sent once.

The repeating is this module's own loop. urllib3's Retry stays off: its "other" branch sends POSTs again. Redirects are not
followed, cookies are not kept, the environment (`.netrc`, proxy variables) is not looked at, and a secret is put on each
request, never on what threads share.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.parse import urlencode, urlsplit

import requests
from urllib3.exceptions import HTTPError

from . import verdict
from .answer import Answer, NotJson
from .auth import Credential
from .errors import (
    AddressRefused,
    EngineError,
    HiddenValue,
    NotSent,
    TooLarge,
    TooMany,
    Unavailable,
    Unknown,
    Unreachable,
)
from .masking import HIDDEN, Mask
from .safety import AddressSafety
from .watchdog import Watch
from .wire import Call, CheckedAdapter, where_it_broke, working_for

Params = Sequence[tuple[str, str]]
LARGEST_ANSWER = 32 * 1024 * 1024
USER_AGENT = "workflow-console/1"
_TRIES = 3
_AGAIN_CODES = ("CONNECT_FAILED", "CONNECTION_LOST", "DNS_FAILED", "TIMEOUT", "TLS_FAILED")


@dataclass(frozen=True)
class Timeouts:
    """Seconds. `connect`: for name, connection and TLS each. `read`: without a byte. `total`: the whole call, with all its tries.
    `pause`: the longest rest between two tries that somebody may be kept waiting for; who is asked for more is told so."""

    connect: float = 5.0
    read: float = 30.0
    total: float = 40.0
    pause: float = 5.0


@dataclass(frozen=True)
class Route:
    """How the engine is reached: what may be talked to, through which proxy, trusting which certificates.

    Args:
        proxy: `http://[user:password@]host:port` or None. The proxy is the operator's and is not checked; with one, only
            addresses written in the engine's address are (see `AddressSafety.check_host_behind_proxy`).
        ca_bundle: a file of certificates in PEM that are trusted instead of the usual ones, or None.
        largest_answer: bytes, after decompression; an answer beyond is cut off.
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
        """Raise AddressRefused for an address that must not be called. Names are judged when they are connected to."""
        self.safety.check_url(url)
        if self.proxy:
            self.safety.check_host_behind_proxy(urlsplit(url).hostname or "")


_adapters: dict[tuple[str, AddressSafety, str | None, str | None], CheckedAdapter] = {}
_adapters_lock = threading.Lock()


def pooled(base: str, route: Route) -> CheckedAdapter:
    """The connections to one engine under one rule, shared by all threads and credentials."""
    key = (base, route.safety, route.proxy, route.ca_bundle)
    with _adapters_lock:
        return _adapters.setdefault(key, _adapters.get(key) or CheckedAdapter())


def close_pools() -> None:
    """Close every kept connection; the next call opens new ones. For the end of a process, and for tests."""
    with _adapters_lock:
        for adapter in _adapters.values():
            adapter.close()
        _adapters.clear()


class Transport:
    """Reads and writes for one credential.

    Args:
        base: the address whose connections are shared, without a slash at the end.
        mask: what must not come in with any answer; by default the credential itself.
        clock, sleep: `time.monotonic` and `time.sleep`, given by tests so that they need not wait.
    """

    def __init__(
        self,
        base: str,
        auth: Credential,
        route: Route,
        *,
        mask: Mask | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        route.check(base)
        self.route = route
        self.auth = auth
        self._mask = mask if mask is not None else Mask(auth.secrets())
        self._adapter = pooled(base, route)
        self._clock = clock
        self._sleep = sleep

    def read(self, url: str, params: Params = (), *, method: str = "GET", body: Any = None) -> Any:
        """The decoded JSON of a call that changes nothing, tried at most three times within the total time.

        Tried again: 429 (after its `Retry-After`, if that is short and fits), 5xx, and connections that were not made or broke.
        Raises EngineError: `Unreachable` where no connection was made, `Unavailable` where one broke.
        """
        started = self._clock()
        for attempt in range(1, _TRIES + 1):
            left = self.route.timeouts.total - (self._clock() - started)
            try:
                return self._once(method, url, params, body, seconds=left, write=False)
            except EngineError as error:
                wait = error.retry_after if error.retry_after is not None else 0.5 * 2 ** (attempt - 1)
                left = self.route.timeouts.total - (self._clock() - started)
                if attempt == _TRIES or not _worth_another(error) or wait >= min(left, self.route.timeouts.pause):
                    raise
            self._sleep(wait)
        raise AssertionError("the loop returns or raises")

    def write(self, method: str, url: str, body: Any = None) -> Any:
        """The decoded JSON of a call that changes something, None for an empty answer. Sent once, whatever happens.

        Raises EngineError: `NotSent` where nothing left, `Unknown` where it may or may not have been acted on; `HiddenValue`,
        before anything is sent, where the body holds what stands in a secret's place: it would overwrite the secret with words.
        """
        return self._once(method, url, (), body, seconds=self.route.timeouts.total, write=True)

    def _once(self, method: str, url: str, params: Params, body: Any, *, seconds: float, write: bool) -> Any:
        what = self._mask.text(f"{method} {urlsplit(url).path}")
        answer = self._exchange(self._prepared(method, url, params, body), what, seconds=seconds, write=write)
        error = verdict.of_answer(answer, write=write, what=what, secrets=self.auth.secrets())
        if error is not None:
            raise error
        if write and not answer.body:
            return None
        try:
            return answer.json()
        except NotJson as problem:
            unreadable = verdict.of_body(answer, problem, write=write, what=what)
        raise unreadable

    def _prepared(self, method: str, url: str, params: Params, body: Any) -> requests.PreparedRequest:
        headers = {"accept": "application/json", "accept-encoding": "gzip, deflate", "user-agent": USER_AGENT}
        data = None
        if body is not None:
            data = encoded(body)
            if HIDDEN.encode() in data:
                words = (
                    "A value of this was hidden because it is a key of this workspace, so it cannot be written back."
                )
                raise HiddenValue(words, code="HIDDEN_VALUE", sent=False)
            headers["content-type"] = "application/json"
        target = f"{url}?{urlencode(params)}" if params else url
        return requests.Request(method, target, headers=headers | self.auth.headers(), data=data).prepare()

    def _exchange(self, request: requests.PreparedRequest, what: str, *, seconds: float, write: bool) -> Answer:
        """One request, one whole answer. Raises AddressRefused, NotSent, Unreachable, Unavailable, TooLarge or Unknown."""
        times = self.route.timeouts
        with Watch(seconds) as watch:
            call = Call(
                watch,
                safety=self.route.safety,
                connect_seconds=times.connect,
                through_proxy=self.route.proxy is not None,
            )
            with working_for(call):
                try:
                    return self._received(request, watch)
                except AddressRefused:
                    raise
                except TooLargeToRead as error:
                    broken = _too_large(error, self.route.largest_answer, what, write=write)
                except (requests.RequestException, HTTPError, HTTPException, OSError) as error:
                    broken = _broken(call, error, what, write=write, mask=self._mask)
        # Raised out here so that the request, and with it the credential, is not carried along as the exception's context.
        raise broken

    def _received(self, request: requests.PreparedRequest, watch: Watch) -> Answer:
        times, proxy = self.route.timeouts, self.route.proxy
        response = self._adapter.send(
            request,
            stream=True,
            timeout=(times.connect, min(times.read, max(watch.remaining(), 0.001))),
            verify=self.route.ca_bundle or True,
            proxies={"http": proxy, "https": proxy} if proxy else {},
        )
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
    """The body goes on beyond the limit. `start` holds as much as the limit allows."""

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
    """JSON as it goes over the wire: UTF-8, compact. Raises ValueError for NaN, infinities and lone surrogates."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _worth_another(error: EngineError) -> bool:
    if isinstance(error, TooMany):
        return True
    return isinstance(error, Unavailable) and ((error.status or 0) >= 500 or error.code in _AGAIN_CODES)


def _broken(call: Call, error: BaseException, what: str, *, write: bool, mask: Mask) -> EngineError:
    code, words = where_it_broke(call, error)
    kinds = (Unknown, Unavailable) if call.sent else (NotSent, Unreachable)
    return kinds[0 if write else 1](
        words,
        code=code,
        sent=None if call.sent else False,
        technical=mask.text(f"{what}: {call.stage}: {type(error).__name__}: {error}")[:500],
    )


def _too_large(error: TooLargeToRead, limit: int, what: str, *, write: bool) -> EngineError:
    kind = Unknown if write else TooLarge
    return kind(
        f"The engine's answer is larger than {limit // 1024 // 1024} MB and was cut off.",
        code="TOO_LARGE",
        sent=None,
        technical=f"{what}: over {limit} bytes",
    )
