"""Requests with the headers of a proxy although TRUSTED_PROXIES is 0: noted for administrators, and logged once an hour.

Anyone can send these headers. So the note keeps apart what is known: requests of people who are signed in, and all others, which prove
nothing. Addresses in the headers themselves are not kept.
"""

import ipaddress
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog
from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest

log = structlog.get_logger(__name__)

HEADERS = ("X-Forwarded-For", "Forwarded")
#: Seconds for which a note is kept, and within which it is not written again by a process.
KEPT, _EVERY = 24 * 3600, 60
#: Seconds between two lines of the log.
_LOG_EVERY = 3600
#: Addresses that are kept.
_MOST = 5
_KEY = "forwarding:noted"
#: When this process noted requests, with a sign-in by address, and all others.
_noted: dict[str, float] = {}


@dataclass(frozen=True)
class Note:
    """What is known.

    Attributes:
        own: the address that the reader's request came from, if it had such a header; else "".
        signed_in: other addresses from which requests of people who are signed in had one.
        stranger: the address of the last request without a sign-in that had one, and when it came.
    """

    own: str = ""
    signed_in: list[str] = field(default_factory=list)
    stranger: str = ""
    stranger_at: datetime | None = None

    @property
    def likely(self) -> bool:
        """Whether there is more than requests that anyone can send."""
        return bool(self.own or self.signed_in)


def header(request: HttpRequest) -> str:
    """The name of the request's header of a proxy; "" without one, and if proxies are trusted."""
    if settings.TRUSTED_PROXIES:
        return ""
    return next((name for name in HEADERS if name in request.headers), "")


def note(request: HttpRequest) -> None:
    """Note a request that has such a header."""
    signed_in, peer, now = request.user.is_authenticated, _peer(request), time.time()
    key = peer if signed_in else ""
    if now - _noted.get(key, 0) < _EVERY:
        return
    if len(_noted) > _MOST:
        _noted.clear()
    _noted[key] = now
    people, stranger, stranger_at = _stored()
    if signed_in:
        people = {address: at for address, at in people.items() if address != peer}
        people = dict([(peer, now), *people.items()][:_MOST])
    else:
        stranger, stranger_at = peer, now
    cache.set(_KEY, [people, stranger, stranger_at], KEPT)
    if cache.add(f"forwarding:logged:{int(signed_in)}", now, _LOG_EVERY):
        log.warning("forwarding.not_trusted", header=header(request), peer=peer, signed_in=signed_in, trusted_proxies=0)


def known(request: HttpRequest) -> Note | None:
    """What an administrator should know, or None."""
    if settings.TRUSTED_PROXIES:
        return None
    people, stranger, stranger_at = _stored()
    own = _peer(request) if header(request) else ""
    recent = [address for address, at in people.items() if time.time() - at < KEPT and address != own]
    if not (own or recent or stranger_at):
        return None
    return Note(own, recent, stranger, datetime.fromtimestamp(stranger_at, UTC) if stranger_at else None)


def _stored() -> tuple[dict[str, float], str, float]:
    """When requests with a sign-in came, by address, and address and time of the last one without (0.0: there was none)."""
    people, stranger, stranger_at = cache.get(_KEY) or ({}, "", 0.0)
    return people, stranger, stranger_at


def _peer(request: HttpRequest) -> str:
    """The address of the other end of the connection; "" for a Unix socket."""
    try:
        return str(ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")))
    except ValueError:
        return ""
