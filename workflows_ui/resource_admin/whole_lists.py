"""Lists of small objects: a thousand are loaded in one call and paged here, since the engine's cursors lose the rows of
the boundary's second.

A position is the index where the page begins, the id of the row before it, and the engine's cursor of its thousand:
rows created or deleted meanwhile neither hide a row nor show one twice.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from django.utils.translation import gettext as _

from workflows_ui.core.collation import plain
from workflows_ui.core.paths import dicts_at, text_at
from workflows_ui.resource_admin.resource import Page, Query, Row, Text

#: Rows per call (api.md 4.1: no upper bound of a page is known). A resource with this paging has it as its `batch_size`.
AT_ONCE = 1000
_LONGEST_ID = 60


def cursor(query: Query) -> str | None:
    """The engine's cursor of the thousand that contains the page; None for the first."""
    return query.position.partition("~")[2] or None


Named = TypeVar("Named", bound=Row)


def rows_of(answer: Mapping[str, object]) -> list[dict[str, object]]:
    """The rows of the engine's answer, without duplicates."""
    return list({str(row.get("id")): row for row in dicts_at(answer, "data")}.values())


def following(answer: Mapping[str, object]) -> str:
    """The engine's cursor of what follows its answer; "" for nothing."""
    return text_at(answer, "next")


def named(
    query: Query, load: Callable[[str | None], Mapping[str, object]], name_of: Callable[[Row], object]
) -> Mapping[str, object]:
    """The engine's answer for the filter `name`, which `load` gets. If it finds nothing, since it compares accents, its answer without
    the filter is searched here, provided that it is all there is."""
    name = query.filters.get("name")
    answer = load(name)
    if not name or cursor(query) or rows_of(answer) or following(answer):
        return answer
    everything = load(None)
    return answer if following(everything) else {"data": with_name(rows_of(everything), name, name_of)}


def with_name(rows: Sequence[Named], name: str, name_of: Callable[[Named], object]) -> list[Named]:
    """The rows whose name contains the text, compared without case and accents."""
    text = plain(name)
    return [row for row in rows if text and text in plain(str(name_of(row)))]


def find(load: Callable[[str | None], Mapping[str, object]], id: str, calls: int) -> dict[str, object] | None:
    """The row with an id, of a kind for which the engine has no call for a single one; None after so many calls.

    `load` gets the engine's cursor.
    """
    cursor: str | None = None
    for _number in range(calls):
        answer = load(cursor)
        row = next((row for row in rows_of(answer) if row.get("id") == id), None)
        cursor = following(answer)
        if row is not None or not cursor:
            return row
    return None


def page(rows: Sequence[Row], query: Query, *, beyond: str = "", notice: Text = "", warning: Text = "") -> Page:
    """The requested page out of all rows of one call; `beyond` is the engine's cursor of what follows them. Sorted only if nothing does."""
    current = cursor(query) or ""
    whole = not (current or beyond)
    if whole and query.order:
        rows = query.order.sorted(rows)
    start = _start(rows, query.position.partition("~")[0])
    end = start + query.rows
    page_rows = rows[start:end]
    older = f"0.~{beyond}" if beyond else ""
    if end < len(rows):
        last = str(page_rows[-1].get("id")) if page_rows else ""
        older = f"{end}.{last if len(last) <= _LONGEST_ID else ''}~{current}"
    note = _("The engine gives a thousand at a time, and may leave some out between two of them.") if beyond else ""
    total = len(rows) if whole else None
    return Page(page_rows, older, note, notice, warning, total=total, start=start if whole else None, sortable=whole)


def page_of(answer: Mapping[str, object], query: Query, *, warning: Text = "") -> Page:
    """The requested page out of the engine's answer."""
    return page(rows_of(answer), query, beyond=following(answer), warning=warning)


def numbered_page(rows: Sequence[Row], query: Query) -> Page:
    """The requested page out of all rows of a list that changes rarely; a position is the index where it begins."""
    if query.order:
        rows = query.order.sorted(rows)
    start = _start(rows, query.position)
    end = start + query.rows
    older = str(end) if end < len(rows) else ""
    return Page(rows[start:end], older, total=len(rows), start=start, sortable=True)


def _start(rows: Sequence[Row], position: str) -> int:
    """The index of the page's first row: after the previous page's last row, else the index in the position."""
    number, _dot, last = position.partition(".")
    index = next((at + 1 for at, row in enumerate(rows) if last and row.get("id") == last), None)
    if index is not None:
        return index
    if not (number.isascii() and number.isdecimal() and len(number) < 6):
        return 0
    return max(0, int(number) - 1) if last else int(number)
