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
    position, sign, side = (before, "-", "lt") if after is None else (after, "", "gt")
    beyond = rows.order_by(f"{sign}{moment}", f"{sign}pk")
    if position is not None:
        at, pk = position
        further = Q(**{f"{moment}__{side}": at}) | Q(**{moment: at, f"pk__{side}": pk})
        beyond = beyond.filter(further, **{f"{moment}__{side}e": at})
    batch = list(beyond[: size + 1])
    if after is not None and len(batch) < size:
        return window(rows, QueryDict(), moment=moment, size=size)  # fill up the first page
    visible, more = batch[:size] if after is None else batch[:size][::-1], len(batch) > size
    more_newer, more_older = (before is not None, more) if after is None else (more, True)
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
