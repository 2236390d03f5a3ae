"""Cursor pages that lose rows exactly as the engine's do.

The cursor holds the ``created`` time of the boundary row and is compared, strictly, with ``created`` cut to whole seconds,
so the other rows of the boundary's second are skipped (api.md 4.1; recordings ``runs_list_limit2*``). A cursor that cannot
be read gives the first page (recording ``runs_list_bad_cursor``). A limit of zero or less means all (``runs_list_limit_0``).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any

from . import ids
from .http import Json

DEFAULT_LIMIT = 10


def page(rows: Sequence[Json], limit: float | None, cursor: str | None, *, oldest_first: bool = False) -> Json:
    """One page of ``rows``, which come in the order in which the list shows them.

    Flows are shown by ``updated`` but cut by ``created``, as the engine does; everything else by ``created``.
    """
    size = DEFAULT_LIMIT if limit is None else int(limit)
    direction, boundary = _read(cursor)
    after, before = _comparisons(oldest_first)
    if direction == "next":
        rows = [row for row in rows if after(_second(row), boundary)]
    elif direction == "prev":
        rows = [row for row in rows if before(_second(row), boundary)]
    if size <= 0:
        return {"data": list(rows), "next": None, "previous": None}
    more = len(rows) > size
    if direction == "prev":
        chosen, has_next, has_previous = list(rows[-size:]), True, more
    else:
        chosen, has_next, has_previous = list(rows[:size]), more, direction == "next"
    has_next, has_previous = has_next and bool(chosen), has_previous and bool(chosen)
    return {
        "data": chosen,
        "next": _write("next", chosen[-1]) if has_next else None,
        "previous": _write("prev", chosen[0]) if has_previous else None,
    }


def bare(rows: Sequence[Json]) -> Json:
    """The page shape of a list that never pages."""
    return {"data": list(rows), "next": None, "previous": None}


def _comparisons(oldest_first: bool) -> tuple[Callable[[int, int], bool], Callable[[int, int], bool]]:
    def older(row: int, boundary: int) -> bool:
        return row < boundary // 1000

    def newer(row: int, boundary: int) -> bool:
        return row > boundary // 1000

    return (newer, older) if oldest_first else (older, newer)


def _second(row: Json) -> int:
    return ids.epoch_ms(row["created"]) // 1000


def _write(direction: str, row: Json) -> str:
    inner = base64.b64encode(f"created:{ids.epoch_ms(row['created'])}".encode()).decode()
    return base64.b64encode(f"{direction}_{inner}".encode()).decode()


def _read(cursor: Any) -> tuple[str, int]:
    try:
        direction, _, inner = base64.b64decode(str(cursor or ""), validate=True).decode().partition("_")
        name, _, number = base64.b64decode(inner, validate=True).decode().partition(":")
        if direction in ("next", "prev") and name == "created":
            return direction, int(number)
    except (ValueError, binascii.Error):
        pass
    return "", 0
