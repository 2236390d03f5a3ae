"""Rate limits: 0.83.0 counts sign-ins and sign-ups (recordings ``sign_in``, ``sign_in_rate_limited``)."""

import math
import time

from .clock import Clock
from .http import HttpError

MINUTE = 60.0  # engine seconds


class RateLimits:
    """Counts the calls of each client to each route, for a minute from the first one on."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._counted: dict[tuple[str, str], tuple[float, int]] = {}

    def count(self, route: str, client: str, allowed: int) -> dict[str, str]:
        """Count one call and return the headers with the rest. Raises a 429 after ``allowed`` calls."""
        now = time.monotonic()
        start, calls = self._counted.get((route, client), (now, 0))
        window = self._clock.real_seconds(MINUTE)
        if now - start >= window:
            start, calls = now, 0
        calls += 1
        self._counted[route, client] = (start, calls)
        rest = str(math.ceil(MINUTE * (1 - (now - start) / window)))
        headers = {"x-ratelimit-limit": str(allowed), "x-ratelimit-remaining": str(max(allowed - calls, 0))}
        headers["x-ratelimit-reset"] = rest
        if calls > allowed:
            error = HttpError.plain(429, f"too many requests, try again in {rest} seconds")
            raise HttpError(429, error.body, {**headers, "retry-after": rest})
        return headers
