"""Leases: one worker at a time holds a row, for a limited time.

A lease is claimed, renewed and released by conditional UPDATEs on the database's clock, so any number of processes may compete for a
row, and a row of a killed process is free again at the end of its lease. The conditions on the row stay in the WHERE of the UPDATE,
where PostgreSQL checks them again after waiting for a concurrent UPDATE.
"""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, TypeVar

from django.db import models
from django.db.models import Q, QuerySet

from workflows_ui.core import clock

Row = TypeVar("Row", bound=models.Model)

#: A task without a result is enqueued again after this time.
ENQUEUE_AGAIN = timedelta(seconds=10)


def backoff(first: timedelta, tries: int, longest: timedelta) -> timedelta:
    """The pause after a number of failed attempts, doubled with each."""
    doublings: int = min(max(tries, 1) - 1, 16)
    return min(first * (1 << doublings), longest)


def not_paused(now: datetime) -> Q:
    """Rows whose pause after a failure is over: `not_before` is past or empty."""
    return Q(not_before=None) | Q(not_before__lte=now)


@dataclass(frozen=True)
class Lease:
    """The columns of a model's lease: `until` is its end, `owner` a random token of its holder.

    Without an owner column, the end identifies the holder: of leases of one length, a later one ends later.
    """

    until: str = "lease_until"
    owner: str = ""

    @property
    def released_values(self) -> dict[str, object]:
        """The columns' values on a free row, for an UPDATE that ends the lease and changes other columns."""
        return {self.until: None} | ({self.owner: ""} if self.owner else {})

    def expired(self, now: datetime) -> Q:
        """Rows whose holder has died or is too slow."""
        return Q(**{f"{self.until}__lt": now})

    def free(self, now: datetime) -> Q:
        return Q(**{self.until: None}) | self.expired(now)

    def held(self, row: models.Model) -> Q:
        """The condition that the lease was not released or taken over since `row` was claimed. It may have ended."""
        token = self.owner or self.until
        return Q(**{token: getattr(row, token)}) & ~Q(**{token: self.released_values[token]})

    def claim(
        self,
        rows: QuerySet[Row],
        pk: object,
        length: timedelta,
        now: datetime,
        related: tuple[str, ...] = (),
        **values: object,
    ) -> Row | None:
        """Claim the row, if it is among `rows` and free, and write `values` to it.

        Return the updated row with its `related` rows; None if it was not claimed.
        """
        hold: dict[str, object] = {self.until: now + length}
        if self.owner:
            hold[self.owner] = secrets.token_hex(16)
        if not rows.filter(self.free(now), pk=pk).update(**hold, **values):
            return None
        row = rows.model._default_manager.select_related(*related).get(pk=pk)  # noqa: SLF001
        # By the time of this read, the lease may belong to another worker.
        for name, value in hold.items():
            setattr(row, name, value)
        return row

    def renew(self, rows: QuerySet[Row], row: Row, length: timedelta, now: datetime, **values: object) -> bool:
        """Extend a lease that has not ended, if the row is among `rows`, and write `values`; False if it was lost."""
        valid = rows.filter(self.held(row), pk=row.pk, **{f"{self.until}__gt": now})
        return bool(valid.update(**{self.until: now + length}, **values))

    def release(self, row: models.Model, **values: object) -> bool:
        """End the lease and write `values`; False, without any change, if it was lost."""
        rows = type(row)._default_manager.filter(self.held(row), pk=row.pk)  # noqa: SLF001
        return bool(rows.update(**self.released_values, **values))

    def finish(self, row: models.Model, **values: Any) -> None:
        """End the lease and write `values`, even if it was lost: the result of a poll that took too long is still recorded."""
        if not self.release(row, **values):
            type(row)._default_manager.filter(pk=row.pk).update(**values)  # noqa: SLF001


class Queued(models.Model):
    """A row for a worker to process. The row is authoritative: a message of the broker only wakes a worker, and may be lost."""

    #: When its task was last enqueued.
    enqueued_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveIntegerField(default=0)
    claim = models.CharField(max_length=32, blank=True)
    claim_until = models.DateTimeField(null=True, blank=True)

    lease: ClassVar[Lease] = Lease("claim_until", "claim")

    class Meta:
        abstract = True

    @classmethod
    def to_enqueue(cls, rows: QuerySet[Any], now: datetime, most: int) -> list[str]:
        """Ids of those of `rows`, the oldest first, that no worker holds and whose task was not enqueued recently. Marks them."""
        not_enqueued = Q(enqueued_at__isnull=True) | Q(enqueued_at__lt=now - ENQUEUE_AGAIN)
        waiting = rows.filter(cls.lease.free(now), not_enqueued).order_by("asked_at")
        ids = list(waiting.values_list("pk", flat=True)[:most])
        cls.mark_enqueued(ids)
        return ids

    @classmethod
    def mark_enqueued(cls, ids: Collection[str]) -> None:
        """Note that the tasks of these rows were enqueued."""
        if ids:
            cls._default_manager.filter(pk__in=ids).update(enqueued_at=clock.now())
