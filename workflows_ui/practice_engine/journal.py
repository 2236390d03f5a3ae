"""The journal of received requests, by which tests count what really arrived."""

from __future__ import annotations

import fnmatch
import itertools
import threading
from collections import deque
from dataclasses import dataclass, field

from . import ids
from .http import Json, Request

KEPT_BODY = 65_536


@dataclass
class Received:
    """One request that arrived; of a large body only the start is kept.

    ``status`` is None until it was answered, and stays so when the connection was reset.
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

    def described(self) -> Json:
        """As JSON, for the control routes."""
        return {**self.__dict__, "body": self.body.decode("utf-8", "replace")}


class Journal:
    """The last 20,000 requests, newest last."""

    def __init__(self) -> None:
        self._received: deque[Received] = deque(maxlen=20_000)
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def write(self, request: Request) -> Received:
        """Note that ``request`` arrived, before anything is done with it."""
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
                request.body[:KEPT_BODY],
            )
            self._received.append(entry)
        return entry

    def all(self, method: str = "*", path: str = "*") -> list[Received]:
        """The requests whose method and path (the engine's, or the whole one) match these patterns, oldest first."""
        with self._lock:
            entries = list(self._received)
        return [
            entry
            for entry in entries
            if fnmatch.fnmatchcase(entry.method, method.upper())
            and (fnmatch.fnmatchcase(entry.path, path) or fnmatch.fnmatchcase(entry.full_path, path))
        ]

    def count(self, method: str = "*", path: str = "*") -> int:
        """How many requests match."""
        return len(self.all(method, path))

    def triggers(self, flow: str = "*") -> list[Received]:
        """The requests that started a flow, or tried to, with and without waiting; ``flow`` is an id."""
        wanted = {f"/v1/webhooks/{flow}", f"/v1/webhooks/{flow}/sync"}
        return [
            entry for entry in self.all() if any(fnmatch.fnmatchcase(entry.path.rstrip("/"), one) for one in wanted)
        ]

    def clear(self) -> None:
        """Forget all of it."""
        with self._lock:
            self._received.clear()
