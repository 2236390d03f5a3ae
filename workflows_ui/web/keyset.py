"""Keyset pagination of local lists: newest first, stable while rows are added, equally fast on every page."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from django.http import QueryDict

M = TypeVar("M", bound=Model)


@dataclass(frozen=True)
class Window(Generic[M]):
    """One page, with the positions of the newer and older pages; "" if there is none."""

    rows: list[M]
    newer: str = ""
    older: str = ""


def window(rows: QuerySet[M], parameters: QueryDict, *, moment: str, size: int) -> Window[M]:
    """Return the page for the parameter `before` or `after`, else the first. `moment` is the datetime field of the order."""
    before, after = (_position(rows.model, parameters.get(name, "")) for name in ("before", "after"))
    if after is not None:
        at, pk = after
        beyond = Q(**{f"{moment}__gt": at}) | Q(**{moment: at, "pk__gt": pk})
        batch = list(rows.filter(beyond, **{f"{moment}__gte": at}).order_by(moment, "pk")[: size + 1])
        if len(batch) < size:
            return window(rows, QueryDict(), moment=moment, size=size)  # fill up the first page
        visible, more_newer, more_older = batch[:size][::-1], len(batch) > size, True
    else:
        if before is not None:
            at, pk = before
            beyond = Q(**{f"{moment}__lt": at}) | Q(**{moment: at, "pk__lt": pk})
            rows = rows.filter(beyond, **{f"{moment}__lte": at})
        batch = list(rows.order_by(f"-{moment}", "-pk")[: size + 1])
        visible, more_newer, more_older = batch[:size], before is not None, len(batch) > size
    if not visible:
        return Window([])
    newer, older = (f"{getattr(row, moment).isoformat()}~{row.pk}" for row in (visible[0], visible[-1]))
    return Window(visible, newer if more_newer else "", older if more_older else "")


def _position(model: type[Model], text: str) -> tuple[datetime, Any] | None:
    """Parse a position; return None if it is invalid."""
    moment, _sign, key = text.partition("~")
    try:
        parsed = datetime.fromisoformat(moment)
        position = parsed.astimezone(UTC), model._meta.pk.to_python(key[:40])  # noqa: SLF001  (documented by Django as public)
    except (OverflowError, ValueError, ValidationError):
        return None
    return position if parsed.tzinfo and key.isalnum() and key.isascii() else None
