"""The generation of a route that each engine offers, detected by its answers instead of its version number.

Between 0.72 and 0.83 the routes of the project, the user and the MCP server moved (engine-0.83.md sections 2 and 10). The generations
are kept for all clients of the process, and forgotten after any `NoRoute` of that engine, which may have been upgraded or downgraded.
"""

import threading
from collections import OrderedDict
from typing import Literal

Generation = Literal["current", "legacy"]
#: The most engines that are remembered; the one not written for longest is forgotten first.
REMEMBERED = 1000


class Generations:
    """The known generations of each engine. Thread-safe."""

    def __init__(self) -> None:
        self._engines: OrderedDict[str, dict[str, Generation]] = OrderedDict()
        self._lock = threading.Lock()

    def known(self, base: str, route: str) -> Generation | None:
        """The generation of `route` that the engine at `base` offers; None if unknown."""
        with self._lock:
            return self._engines.get(base, {}).get(route)

    def remember(self, base: str, route: str, generation: Generation) -> None:
        """Note that the engine offers this generation of the route."""
        with self._lock:
            self._engines.setdefault(base, {})[route] = generation
            self._engines.move_to_end(base)
            while len(self._engines) > REMEMBERED:
                self._engines.popitem(last=False)

    def forget(self, base: str) -> None:
        """Forget the engine at `base`, after a missing route: its generations may be outdated."""
        with self._lock:
            self._engines.pop(base, None)

    def clear(self) -> None:
        with self._lock:
            self._engines.clear()


generations = Generations()
