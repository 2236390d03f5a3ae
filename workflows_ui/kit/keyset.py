"""Pages of a local list by position instead of number: newest first, steady while rows are added, quick on every page."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from django.http import QueryDict

M = TypeVar("M", bound=Model)


@dataclass(frozen=True)
class Window(Generic[M]):
    """One page, and the positions from which newer and older rows start; "" where there are none."""

    rows: list[M]
    newer: str = ""
    older: str = ""


def window(rows: QuerySet[M], asked: QueryDict, *, moment: str, size: int) -> Window[M]:
    """The page that an address asks for by `before` or `after`, else the first. `moment` is the field of time that orders."""
    newest = (f"-{moment}", "-pk")
    before, after = (_position(rows.model, asked.get(name, "")) for name in ("before", "after"))
    if after is not None:
        at, pk = after
        beyond = Q(**{f"{moment}__gt": at}) | Q(**{moment: at, "pk__gt": pk})
        found = list(rows.filter(beyond, **{f"{moment}__gte": at}).order_by(moment, "pk")[: size + 1])
        if len(found) < size:
            return window(rows, QueryDict(), moment=moment, size=size)  # the first page, whole
        shown, more_newer, more_older = found[:size][::-1], len(found) > size, True
    else:
        if before is not None:
            at, pk = before
            beyond = Q(**{f"{moment}__lt": at}) | Q(**{moment: at, "pk__lt": pk})
            rows = rows.filter(beyond, **{f"{moment}__lte": at})
        found = list(rows.order_by(*newest)[: size + 1])
        shown, more_newer, more_older = found[:size], before is not None, len(found) > size
    if not shown:
        return Window([])
    return Window(
        shown,
        _mark(getattr(shown[0], moment), shown[0].pk) if more_newer else "",
        _mark(getattr(shown[-1], moment), shown[-1].pk) if more_older else "",
    )


def _mark(at: datetime, pk: Any) -> str:
    return f"{at.isoformat()}~{pk}"


def _position(model: type[Model], text: str) -> tuple[datetime, Any] | None:
    """The place in the list that an address names; None for anything else."""
    moment, _sign, key = text.partition("~")
    try:
        found = datetime.fromisoformat(moment)
        if found.tzinfo is None:
            return None
        found = found.astimezone(UTC)
        pk = model._meta.pk.to_python(key[:40])  # noqa: SLF001  (documented by Django as public)
    except (OverflowError, ValueError, ValidationError):
        return None
    return (found, pk) if key.isalnum() and key.isascii() else None
