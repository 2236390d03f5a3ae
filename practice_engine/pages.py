"""Cursor pages that lose rows exactly as the engine's do.

The cursor holds the ``created`` time of the boundary row and is compared, strictly, with ``created`` cut to whole seconds,
so the other rows of the boundary's second are skipped (api.md 4.1; recordings ``runs_list_limit2*``). A cursor that cannot
be read gives the first page (recording ``runs_list_bad_cursor``). A limit of zero or less means all (``runs_list_limit_0``).
"""

import base64
import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from . import ids
from .http import Json

DEFAULT_LIMIT = 10


def page(
    rows: Iterable[Json],
    query: Json,
    render: Callable[[Json], Json] = lambda row: row,
    *,
    oldest_first: bool = False,
    sort_key: str = "created",
) -> Json:
    """The page of ``rows`` for ``query`` (``limit``, ``cursor``), newest first, each row by ``render``.

    Flows are sorted by ``updated`` and projects keep their order (``sort_key=""``), but both are cut by ``created``, as the
    engine does.
    """
    ordered = sorted(rows, key=lambda row: str(row.get(sort_key)), reverse=not oldest_first)
    direction, boundary = _cursor(query, _parse_created)
    if direction:
        second = boundary // 1000
        older = (direction == "next") != oldest_first
        ordered = [row for row in ordered if (_second(row) < second if older else _second(row) > second)]
    return _slice(ordered, query, direction, render, lambda row: f"created:{ids.epoch_ms(row['created'])}")


def page_of_flows(rows: Iterable[Json], query: Json, render: Callable[[Json], Json]) -> Json:
    """A page of flows as 0.83.0 lists them: enabled ones first, then the last changed (recordings ``flows_list*``).

    Its cursor holds status and time of the boundary row, so no row is lost.
    """
    ordered = sorted(rows, key=_flow_position)
    direction, boundary = _cursor(query, lambda text: _flow_position(json.loads(text)))
    if direction == "next":
        ordered = [row for row in ordered if _flow_position(row) > boundary]
    elif direction == "prev":
        ordered = [row for row in ordered if _flow_position(row) < boundary]
    return _slice(ordered, query, direction, render, _flow_boundary)


def single_page(rows: Sequence[Json]) -> Json:
    """The shape of a page for a list that is never cut."""
    return {"data": list(rows), "next": None, "previous": None}


def _slice(
    rows: list[Json], query: Json, direction: str, render: Callable[[Json], Json], boundary: Callable[[Json], str]
) -> Json:
    size = int(query.get("limit", DEFAULT_LIMIT))
    if size <= 0:
        return single_page([render(row) for row in rows])
    more = len(rows) > size
    if direction == "prev":
        chosen, has_next, has_previous = rows[-size:], True, more
    else:
        chosen, has_next, has_previous = rows[:size], more, direction == "next"
    return {
        "data": [render(row) for row in chosen],
        "next": _encode(f"next_{_encode(boundary(chosen[-1]))}") if has_next and chosen else None,
        "previous": _encode(f"prev_{_encode(boundary(chosen[0]))}") if has_previous and chosen else None,
    }


def _cursor(query: Json, parse: Callable[[str], Any]) -> tuple[str, Any]:
    """The direction of a cursor and what ``parse`` makes of its boundary; no direction if it cannot be read."""
    try:
        direction, _, inner = _decode(str(query.get("cursor") or "")).partition("_")
        return (direction, parse(_decode(inner))) if direction in ("next", "prev") else ("", None)
    except (KeyError, TypeError, ValueError):
        return "", None


def _parse_created(text: str) -> int:
    name, _, number = text.partition(":")
    return {"created": int}[name](number)


def _decode(text: str) -> str:
    return base64.b64decode(text, validate=True).decode()


def _encode(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _second(row: Json) -> int:
    return ids.epoch_ms(row["created"]) // 1000


def _flow_position(row: Json) -> tuple[bool, int]:
    """What flows are sorted by."""
    return row["status"] != "ENABLED", -ids.epoch_ms(row["updated"])


def _flow_boundary(row: Json) -> str:
    return json.dumps({"status": row["status"], "updated": row["updated"]}, separators=(",", ":"))
