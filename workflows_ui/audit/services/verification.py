"""Verify the audit log: walk the whole chain and name the first row that was changed, removed, inserted or moved.

It cannot detect changes by a holder of AUDIT_KEY, nor a truncated end whose signed head was replaced by an older signed one. A head
recorded elsewhere detects the latter (`known`).
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import transaction

from workflows_ui.audit.models import AuditChain, AuditCheckpoint, AuditEvent
from workflows_ui.audit.services import hash_chain
from workflows_ui.audit.services.hash_chain import ONE, Head, NoSuchKey
from workflows_ui.core import clock

#: Unsealed rows older than this give a warning: no sealer runs.
LATE = timedelta(minutes=1)
_ROWS = 2000


class Broken(Exception):
    """The first fault, as a message for administrators."""


@dataclass
class Proof:
    """The result: `problem` is empty if the chain is intact."""

    problem: str = ""
    head: Head = field(default_factory=Head)
    rows: int = 0
    removed: int = 0
    unsealed: int = 0
    warnings: list[str] = field(default_factory=list)


def verify(known: Head | None = None) -> Proof:
    """Walk the chain from its last checkpoint. `known` is a head recorded earlier, which the chain must contain."""
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
                continue  # Rows were pruned during the walk.
            proof.problem = str(problem)
        break
    waiting = AuditEvent.objects.filter(number=None)
    proof.unsealed = waiting.count()
    late = waiting.filter(at__lt=clock.now() - LATE).count()
    if late:
        proof.warnings.append(f"{late} rows wait for their mark for more than a minute: does a worker run, and beat?")
    return proof


def signed_head() -> Head:
    """The last signed end of the chain, without a walk: two columns and a signature. Raises Broken and NoSuchKey."""
    return _signed(AuditChain.objects.filter(pk=ONE).first())


def _signed(chain: AuditChain | None) -> Head:
    if chain is None or not chain.number:
        return Head()
    head = Head(chain.number, chain.mark)
    if not hash_chain.digests_equal(chain.signature, hash_chain.head_signature(chain.key, head)):
        raise Broken("The signed head of the chain is forged.")
    return head


def _checkpoints() -> tuple[Head, int]:
    """Verify every checkpoint; return the start of the chain and the number of rows removed before it."""
    before, removed, start = "", 0, Head()
    for row in AuditCheckpoint.objects.order_by("number"):
        head = Head(row.number, row.mark)
        signature = hash_chain.checkpoint_signature(row.key, head, row.until, row.removed, before)
        if not hash_chain.digests_equal(row.signature, signature):
            raise Broken(f"The checkpoint at number {row.number} is forged, or one before it was removed.")
        removed += row.removed
        if removed != row.number:
            raise Broken(f"The checkpoints up to number {row.number} record {removed} removed rows: one is missing.")
        before, start = row.signature, head
    return start, removed


def _walk(proof: Proof, start: Head, signed: Head, known: Head | None) -> None:
    position = start
    contains_known = known is None or known == start or known == Head()
    for row in _rows(start.number):
        if row.number != position.number + 1:
            raise Broken(_gap(position.number + 1, row))
        if row.canonical != row.compute_canonical():
            raise Broken(
                f"Row {row.pk} (number {row.number}, {row.at:%Y-%m-%d %H:%M:%S} UTC) was changed: {_changed_columns(row)}."
            )
        mark = hash_chain.row_digest(row.key, position, row.pk, row.canonical)
        if not hash_chain.digests_equal(row.mark, mark):
            raise Broken(
                f"Row {row.pk} (number {row.number}) does not follow from the row before it:"
                " it was changed, put in, or moved, or its mark was."
            )
        position = Head(row.number, row.mark)
        proof.rows, proof.head = proof.rows + 1, position
        if known is not None and known.number == position.number:
            if not hash_chain.digests_equal(known.mark, position.mark):
                raise Broken(f"The head {known} is not in this chain: row {row.pk} stands at its number.")
            contains_known = True
    proof.head = position
    if position.number < signed.number or (position.number == signed.number and position.mark != signed.mark):
        raise Broken(
            f"The chain ends at number {position.number}, but its signed head is at {signed.number}: the end was cut off."
        )
    if position.number and not signed.number:
        raise Broken("The signed head of the chain was removed.")
    if not contains_known and known is not None:
        if known.number <= start.number:
            proof.warnings.append(
                f"The head at number {known.number} was pruned; the checkpoint at {start.number} stands in its place."
            )
        else:
            raise Broken(
                f"The head {known.number} is not in this chain, which ends at {position.number}: the end was cut off."
            )


def _rows(after: int) -> Iterator[AuditEvent]:
    """Yield the rows after this number in the order of the chain, fetched in batches."""
    while True:
        part = list(AuditEvent.objects.filter(number__gt=after).order_by("number")[:_ROWS])
        yield from part
        if len(part) < _ROWS:
            return
        after = part[-1].number or 0


def _gap(missing: int, row: AuditEvent) -> str:
    last = (row.number or 0) - 1
    numbers = f"number {missing} is" if last == missing else f"the numbers {missing} to {last} are"
    return f"Rows were removed: {numbers} missing before row {row.pk} ({row.at:%Y-%m-%d %H:%M:%S} UTC)."


def _changed_columns(row: AuditEvent) -> str:
    """Name the columns that differ from the canonical text."""
    try:
        stored, now = json.loads(row.canonical), json.loads(row.compute_canonical())
    except ValueError:
        return "its canonical text was not written by this console"
    differing = sorted(name for name in now if not isinstance(stored, dict) or stored.get(name) != now[name])
    return ", ".join(differing) or "its canonical text"


def parse(text: str) -> Head:
    """Parse `NUMBER:MARK` as written to the application log. Raises ValueError."""
    number, separator, mark = text.strip().partition(":")
    if not separator or not number.isdecimal() or len(mark) != 64:
        raise ValueError(text)
    return Head(int(number), mark)
