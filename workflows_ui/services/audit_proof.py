"""Proves the audit log: walks the whole chain and names the first row that was changed, taken out, put in or moved.

What it cannot see by itself: somebody who holds AUDIT_KEY; and rows cut off from the end together with the signed head, if an older
signed head is put in its place. The second shows when a head that was written down elsewhere is given (`head`).
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import transaction

from workflows_ui.models import AuditChain, AuditCheckpoint, AuditEvent
from workflows_ui.services import audit_marks, clock
from workflows_ui.services.audit_marks import Head, NoSuchKey
from workflows_ui.services.audit_sealing import ONE

#: Unsealed rows older than this are told: nobody seals.
LATE = timedelta(minutes=1)
_ROWS = 2000


class Broken(Exception):
    """The first thing that is wrong, in words for whoever looks after the console."""


@dataclass
class Proof:
    """What was found: `problem` is empty where the chain holds."""

    problem: str = ""
    head: Head = field(default_factory=Head)
    rows: int = 0
    removed: int = 0
    unsealed: int = 0
    warnings: list[str] = field(default_factory=list)


def verify(known: Head | None = None) -> Proof:
    """Walks the chain from its last checkpoint. `known` is a head that was written down before and must be in it."""
    while True:
        proof = Proof()
        start: Head | None = None
        try:
            with transaction.atomic():
                chain = AuditChain.objects.select_for_update().filter(pk=ONE).first()
                signed = _signed(chain)
                start, proof.removed = _checkpoints()
            _walk(proof, start, signed, known)
        except NoSuchKey as problem:
            proof.problem = (
                f"The key {problem} that made a mark is not in AUDIT_KEY: put it back, at the end of the list."
            )
        except Broken as problem:
            if start is not None and AuditCheckpoint.objects.filter(number__gt=start.number).exists():
                continue  # Rows were pruned while the chain was walked.
            proof.problem = str(problem)
        break
    waiting = AuditEvent.objects.filter(number=None)
    proof.unsealed = waiting.count()
    late = waiting.filter(at__lt=clock.now() - LATE).count()
    if late:
        proof.warnings.append(f"{late} rows wait for their mark for more than a minute: does a worker run, and beat?")
    return proof


def _signed(chain: AuditChain | None) -> Head:
    if chain is None or not chain.number:
        return Head()
    head = Head(chain.number, chain.mark)
    if not audit_marks.same(chain.signature, audit_marks.of_head(chain.key, head)):
        raise Broken("The signed head of the chain is forged.")
    return head


def _checkpoints() -> tuple[Head, int]:
    """Where the chain begins, and how many rows were removed before. Every checkpoint is looked at."""
    before, removed, at = "", 0, Head()
    for row in AuditCheckpoint.objects.order_by("number"):
        place = Head(row.number, row.mark)
        wanted = audit_marks.of_checkpoint(row.key, place, row.until, row.removed, before)
        if not audit_marks.same(row.signature, wanted):
            raise Broken(f"The checkpoint at number {row.number} is forged, or one before it was removed.")
        removed += row.removed
        if removed != row.number:
            raise Broken(f"The checkpoints up to number {row.number} tell of {removed} removed rows: one is missing.")
        before, at = row.signature, place
    return at, removed


def _walk(proof: Proof, start: Head, signed: Head, known: Head | None) -> None:
    at = start
    found = known is None or known == start or known == Head()
    for row in _rows(start.number):
        if row.number != at.number + 1:
            raise Broken(_gap(at.number + 1, row))
        if row.canonical != row.told():
            raise Broken(
                f"Row {row.pk} (number {row.number}, {row.at:%Y-%m-%d %H:%M:%S} UTC) was changed: {_what(row)}."
            )
        mark = audit_marks.of_row(row.key, at, row.pk, row.canonical)
        if not audit_marks.same(row.mark, mark):
            raise Broken(
                f"Row {row.pk} (number {row.number}) does not follow from the row before it:"
                " it was changed, put in, or moved, or its mark was."
            )
        at = Head(row.number, row.mark)
        proof.rows, proof.head = proof.rows + 1, at
        if known is not None and known.number == at.number:
            if not audit_marks.same(known.mark, at.mark):
                raise Broken(f"The head {known} is not in this chain: row {row.pk} stands at its number.")
            found = True
    proof.head = at
    if at.number < signed.number or (at.number == signed.number and at.mark != signed.mark):
        raise Broken(
            f"The chain ends at number {at.number}, but its signed head is at {signed.number}: the end was cut off."
        )
    if at.number and not signed.number:
        raise Broken("The signed head of the chain was removed.")
    if not found and known is not None:
        if known.number <= start.number:
            proof.warnings.append(
                f"The head at number {known.number} was pruned; the checkpoint at {start.number} stands in its place."
            )
        else:
            raise Broken(
                f"The head {known.number} is not in this chain, which ends at {at.number}: the end was cut off."
            )


def _rows(after: int) -> Iterator[AuditEvent]:
    """The rows behind this number in the chain's order, some at a time."""
    while True:
        part = list(AuditEvent.objects.filter(number__gt=after).order_by("number")[:_ROWS])
        yield from part
        if len(part) < _ROWS:
            return
        after = part[-1].number or 0


def _gap(missing: int, row: AuditEvent) -> str:
    last = (row.number or 0) - 1
    which = f"number {missing} is" if last == missing else f"the numbers {missing} to {last} are"
    return f"Rows were removed: {which} missing before row {row.pk} ({row.at:%Y-%m-%d %H:%M:%S} UTC)."


def _what(row: AuditEvent) -> str:
    """Which columns differ from the canonical text; for the person who has to look."""
    try:
        stored, now = json.loads(row.canonical), json.loads(row.told())
    except ValueError:
        return "its canonical text is no text of ours"
    differing = sorted(name for name in now if not isinstance(stored, dict) or stored.get(name) != now[name])
    return ", ".join(differing) or "its canonical text"


def parse(text: str) -> Head:
    """`NUMBER:MARK` as it stands in the log. Raises ValueError."""
    number, separator, mark = text.strip().partition(":")
    if not separator or not number.isdecimal() or len(mark) != 64:
        raise ValueError(text)
    return Head(int(number), mark)
