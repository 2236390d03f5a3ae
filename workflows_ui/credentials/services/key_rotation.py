"""Rotation of the encryption keys: all ciphertexts are re-sealed with the first of CREDENTIAL_KEYS.

Safe while the console runs: each ciphertext is replaced by one UPDATE that only succeeds if the old one is unchanged. Can be stopped and
restarted at any time: current ciphertexts are skipped.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from operator import attrgetter

from allauth.mfa.models import Authenticator
from django.apps import apps
from django.db import models

from workflows_ui.accounts.services import second_step
from workflows_ui.core import crypto
from workflows_ui.core.crypto import CannotOpen, SealsFields

BATCH = 500
#: How often a ciphertext that changes meanwhile is read again.
_TRIES = 5


@dataclass
class Count:
    """The counts of one column: `old` values still need another key than the first, `lost` ones open with none."""

    model: str
    field: str
    current: int = 0
    resealed: int = 0
    old: int = 0
    lost: int = 0


def columns() -> list[tuple[type[models.Model], str]]:
    """Every column that holds ciphertexts, by model and name."""
    return [
        (model, field)
        for model in sorted(apps.get_models(), key=attrgetter("__name__"))
        if issubclass(model, SealsFields)
        for field in model.sealed_fields
    ]


def rotate(*, check: bool = False) -> Iterator[Count]:
    """Re-seal all columns, and yield the count of each. With `check` nothing is changed."""
    for model, field in columns():
        count = Count(model.__name__, field)
        for pk, ciphertext in _rows(model, field):
            _reseal(model, field, pk, ciphertext, count, check=check)
        yield count
    yield _second_steps(check=check)


def _reseal(model: type[models.Model], field: str, pk: object, ciphertext: str, count: Count, *, check: bool) -> None:
    for _try in range(_TRIES):
        if not ciphertext or crypto.is_current(ciphertext):
            count.current += bool(ciphertext)
            return
        try:
            new = crypto.reseal(ciphertext)
        except CannotOpen:
            count.lost += 1
            return
        if check:
            break
        rows = _rows_of(model).filter(pk=pk, **{field: ciphertext})
        if rows.update(**{field: new}):
            count.resealed += 1
            return
        # It was changed meanwhile: continue with the new value, or nothing if the row is gone.
        ciphertext = _rows_of(model).filter(pk=pk).values_list(field, flat=True).first() or ""
    count.old += 1


def _second_steps(*, check: bool) -> Count:
    """The secrets of authenticator apps and recovery codes, which are parts of allauth's values."""
    count = Count("Authenticator", "data")
    for authenticator in Authenticator.objects.order_by("pk").iterator(BATCH):
        try:
            fields = second_step.sealed_fields(authenticator)
            stale = any(not crypto.is_current(authenticator.data[field]) for field in fields)
            if stale and not check and second_step.reseal(authenticator):
                count.resealed += 1
            elif stale:
                count.old += 1
            else:
                count.current += bool(fields)
        except CannotOpen:
            count.lost += 1
    return count


def _rows(model: type[models.Model], field: str) -> Iterator[tuple[object, str]]:
    """The rows with a ciphertext in this column, in the order of their keys, in batches."""
    last: object = None
    while True:
        rows = _rows_of(model).exclude(**{field: ""}).order_by("pk")
        if last is not None:
            rows = rows.filter(pk__gt=last)
        batch = list(rows.values_list("pk", field)[:BATCH])
        yield from batch
        if len(batch) < BATCH:
            return
        last = batch[-1][0]


def _rows_of(model: type[models.Model]) -> models.Manager[models.Model]:
    return model._default_manager  # noqa: SLF001  # every model has one; its public name differs
