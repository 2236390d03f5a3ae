"""Numbered pages of lists whose length is known: links to the first, last and neighbouring pages, and "21-40 of 1,284"."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Expression, Model, Q, QuerySet
from django.utils.translation import gettext as _

from workflows_ui.core import formats

M = TypeVar("M", bound=Model)
#: The most new rows that are counted.
MOST_NEW = 100
#: Pages shown beside the current one.
_AROUND = 2


@dataclass(frozen=True)
class Pages:
    """The pages of a list. `text` says which rows are shown; the URLs are empty where there is no such page.

    `links` are numbers and URLs: an empty URL is the current page, the number 0 a gap.
    """

    text: str = ""
    total: int | None = None
    links: Sequence[tuple[int, str]] = ()
    first_url: str = ""
    newer_url: str = ""
    older_url: str = ""


def numbered(start: int, shown: int, total: int, size: int, url: Callable[[int], str]) -> Pages:
    """The pages of a list of `total` rows, of which `shown` from the index `start` are on this page.

    Args:
        url: returns the URL of the page that begins at an index.
    """
    last, current = max(1, -(-total // size)), start // size + 1
    links = [
        (number, url((number - 1) * size) if number and number != current else "") for number in _numbers(current, last)
    ]
    return Pages(
        range_text(start, shown, total),
        total,
        links if last > 1 else [],
        first_url=url(0) if start else "",
        newer_url=url(max(0, start - size)) if start else "",
        older_url=url(start + size) if start + shown < total else "",
    )


def range_text(start: int, shown: int, total: int | None) -> str:
    """Which rows are shown, out of how many if that is known; "" for none."""
    if not shown:
        return ""
    values = {"first": formats.number(start + 1), "last": formats.number(start + shown)}
    if total is None:
        return _("%(first)s–%(last)s") % values
    return _("%(first)s–%(last)s of %(total)s") % {**values, "total": formats.number(total)}


def _numbers(current: int, last: int) -> Iterator[int]:
    """The numbers of the pages to link, with a 0 for each gap."""
    wanted = sorted({1, last, *range(max(1, current - _AROUND), min(last, current + _AROUND) + 1)})
    before = 0
    for number in wanted:
        if number > before + 1:
            yield number - 1 if number == before + 2 else 0
        yield number
        before = number


@dataclass(frozen=True)
class LocalPage(Generic[M]):
    """One page of rows of the console's own database.

    Attributes:
        total: the number of rows on all pages.
        as_of: the time and key of the newest row when the person began to page, "" if there is one page only. Rows that were added
            since are left out, so that none comes twice.
    """

    rows: list[M]
    start: int
    total: int
    as_of: str = ""


def local_page(
    rows: QuerySet[M],
    position: str,
    *,
    moment: str,
    size: int,
    order: Sequence[str | Expression] = (),
    keys_first: bool = False,
    count: Callable[[QuerySet[M]], int] = QuerySet.count,
    most: int | None = None,
) -> LocalPage[M]:
    """A page of rows.

    Args:
        position: the index where the page begins and, after an @, its `as_of`; "" for the first page.
        moment: the datetime field by which the rows are listed, newest first.
        order: fields to sort by instead.
        keys_first: for hundreds of thousands of rows with an index of each order: find the page in the index alone, from the nearer end.
        count: counts the rows, where their number is known more cheaply.
        most: the number at which `count` ends, so that there may be more rows, which no page shows.
    """
    index, _at, as_of = position.partition("@")
    start = int(index) if index.isascii() and index.isdecimal() and len(index) < 8 else 0
    begun = _position(rows.model, as_of) if start else None
    if begun is not None:
        at, pk = begun
        rows = rows.filter(Q(**{f"{moment}__lt": at}) | Q(**{moment: at, "pk__lte": pk}))
    total = count(rows)
    if start >= total:
        start = max(0, (total - 1) // size * size)
    ordered = rows.order_by(*order, f"-{moment}", "-pk")
    found = (
        _by_keys(ordered, start, size, total, whole=total != most)
        if keys_first
        else list(ordered[start : start + size])
    )
    if total > size and begun is None:
        newest = found[0] if not order and not start else rows.order_by(f"-{moment}", "-pk")[0]
        as_of = row_position(newest, moment)
    return LocalPage(found, start, total, as_of if total > size else "")


def _by_keys(ordered: QuerySet[M], start: int, size: int, total: int, *, whole: bool) -> list[M]:
    """`whole`: `total` is the number of all rows."""
    keys = ordered.values_list("pk", flat=True)
    end = min(start + size, total)
    forward = start <= total - end or not whole
    chosen = list(keys[start:end]) if forward else list(keys.reverse()[total - end : total - start])[::-1]
    rows = ordered.model._default_manager.in_bulk(chosen)  # noqa: SLF001
    return [rows[key] for key in chosen if key in rows]


def row_position(row: Model, moment: str) -> str:
    """The time and the key of a row, as a text."""
    return f"{getattr(row, moment).isoformat()}~{row.pk}"


def rows_after(rows: QuerySet[Model], position: str, *, moment: str) -> int:
    """How many rows, a hundred at most, came after the row at a position; all of them if the position is unreadable."""
    found = _position(rows.model, position)
    if found is not None:
        at, pk = found
        rows = rows.filter(Q(**{f"{moment}__gt": at}) | Q(**{moment: at, "pk__gt": pk}))
    return rows.order_by()[:MOST_NEW].count()


def _position(model: type[Model], text: str) -> tuple[datetime, object] | None:
    """Parse the time and the key of a row; return None if they are invalid."""
    moment, _sign, key = text.partition("~")
    try:
        parsed = datetime.fromisoformat(moment)
        position = parsed.astimezone(UTC), model._meta.pk.to_python(key[:40])  # noqa: SLF001  (documented by Django as public)
    except (OverflowError, ValueError, ValidationError):
        return None
    return position if parsed.tzinfo and key.isalnum() and key.isascii() else None
