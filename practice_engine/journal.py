"""The journal of received requests, by which tests count what arrived."""

import itertools
import threading
from collections import deque
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from . import ids
from .http import Request

BODY_SIZE = 65_536


@dataclass
class Received:
    """One request; a large body is truncated.

    ``status`` is that of the response: None until then, and always if the connection was reset. Whatever faults did: ``acted``
    is whether the request reached the engine, ``own_status`` the engine's own status (None without or before it), ``runs``
    the runs that it created or queued again.
    """

    number: int
    at: str
    method: str
    path: str
    full_path: str
    flavour: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes
    route: str = ""
    status: int | None = None
    faults: list[str] = field(default_factory=list)
    acted: bool = False
    own_status: int | None = None
    runs: list[str] = field(default_factory=list)


def matches(request: Request | Received, method: str, path: str) -> bool:
    """Whether method and path (the engine's or the full one) of a request match these patterns."""
    paths = (request.path, request.full_path)
    return fnmatchcase(request.method, method.upper()) and any(fnmatchcase(one, path) for one in paths)


class Journal:
    """The last 20,000 requests, newest last."""

    def __init__(self) -> None:
        self._received: deque[Received] = deque(maxlen=20_000)
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def add(self, request: Request) -> Received:
        """Add an entry for ``request``, before it is handled."""
        with self._lock:
            entry = Received(
                next(self._numbers),
                ids.stamp(),
                request.method,
                request.path,
                request.full_path,
                request.flavour,
                request.raw_query,
                dict(request.headers),
                request.body[:BODY_SIZE],
                runs=request.runs,
            )
            self._received.append(entry)
        return entry

    def all(self, method: str = "*", path: str = "*") -> list[Received]:
        """The requests that match these patterns, oldest first."""
        with self._lock:
            entries = list(self._received)
        return [entry for entry in entries if matches(entry, method, path)]

    def count(self, method: str = "*", path: str = "*") -> int:
        return len(self.all(method, path))

    def triggers(self, flow: str = "*") -> list[Received]:
        """The requests that started a flow, or tried to, with and without waiting; ``flow`` is an id."""
        patterns = (f"/v1/webhooks/{flow}", f"/v1/webhooks/{flow}/sync")
        return [entry for entry in self.all() if any(fnmatchcase(entry.path, one) for one in patterns)]

    def clear(self) -> None:
        with self._lock:
            self._received.clear()
