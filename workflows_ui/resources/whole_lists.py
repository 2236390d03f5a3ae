"""Lists of small things: a thousand are had by one call and paged here, since the engine's cursors lose the rows of the boundary's second.

A position is the place where the page begins, the id of the row before it, and the engine's cursor of the thousand that it lies in:
what is made or deleted meanwhile neither hides a row nor shows one twice.
"""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from workflows_ui.kit.resource import Page, Query, Row, Text

#: Rows of one call (api.md 4.1: no upper bound of a page is known). A resource that pages so has this as its `stride`.
AT_ONCE = 1000
_LONGEST_ID = 60


def cursor(query: Query) -> str | None:
    """The engine's cursor of the thousand in which the page lies; None for the first."""
    return query.position.partition("~")[2] or None


def rows_of(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of the engine's answer, each once."""
    return list({str(row.get("id")): row for row in answer.get("data") or [] if isinstance(row, dict)}.values())


def following(answer: dict[str, Any]) -> str:
    """The engine's cursor of what comes after its answer; "" for nothing."""
    found = answer.get("next")
    return found if isinstance(found, str) else ""


def page(rows: Sequence[Row], query: Query, *, beyond: str = "", notice: Text = "", warning: Text = "") -> Page:
    """The page that is asked for, out of all rows that one call gave; `beyond` is the engine's cursor of what follows them."""
    here = cursor(query) or ""
    start = _start(rows, query.position.partition("~")[0])
    end = start + query.rows
    shown = rows[start:end]
    older = f"0.~{beyond}" if beyond else ""
    if end < len(rows):
        last = str(shown[-1].get("id")) if shown else ""
        older = f"{end}.{last if len(last) <= _LONGEST_ID else ''}~{here}"
    note = _("The engine gives a thousand at a time, and may leave some out between two of them.") if beyond else ""
    return Page(shown, older, note, notice, warning, total=None if here or beyond else len(rows))


def _start(rows: Sequence[Row], place: str) -> int:
    """Where a page begins: behind the row that ended the one before; where that is gone, at its place."""
    number, _dot, last = place.partition(".")
    found = next((at + 1 for at, row in enumerate(rows) if last and row.get("id") == last), None)
    if found is not None:
        return found
    if not (number.isascii() and number.isdecimal() and len(number) < 6):
        return 0
    return max(0, int(number) - 1) if last else int(number)
