"""Lists with unfinished rows, which the browser requests again and again until all have ended."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from workflows_ui.core import clock
from workflows_ui.lists import export
from workflows_ui.lists.declaration import List, Row

#: The parameter with the version that the browser has.
SEEN = "seen"
#: The shortest and the longest time between two requests, in seconds: a list is more work than an object's page, and new rows come also
#: while the only unfinished one has been paused for long.
_SHORTEST, _LONGEST = 5, 30


@dataclass(frozen=True)
class Live:
    """When the list is requested again, and the version of what is shown: without a new one there is nothing to send."""

    seconds: int
    version: str


def live(kind: List, rows: Sequence[Row], *shown: object) -> Live | None:
    """How the list refreshes itself; None if all rows have ended. `shown` is what else the page shows, such as the length.

    The times relative to now are a part of the version, to the minute.
    """
    waits = [seconds for row in rows if (seconds := kind.refresh_seconds(row))]
    if not waits:
        return None
    values = [export.cells(kind, row) for row in rows]
    text = json.dumps([values, int(clock.now().timestamp()) // 60, *shown], default=str)
    return Live(min(max(_SHORTEST, min(waits)), _LONGEST), hashlib.sha256(text.encode()).hexdigest()[:16])
