"""Build the hash chain of the audit log, and remove expired rows from its beginning.

Every second, one sealer gives committed rows their numbers and digests, in batches.

Writers never wait for it. A row that commits late, with a lower id than sealed rows, is sealed in the next batch: the
order of the chain is the order of sealing. A killed sealer leaves no partial batch: a batch is one transaction.

The digests (column `mark`) are HMAC-SHA256 with AUDIT_KEY. A digest covers the previous digest, the row's number and id, and its canonical
text; so a row cannot be changed, removed, inserted or moved without the key. Each row stores the id of its key, so that old digests stay
verifiable after a new key is put first in AUDIT_KEY.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q

from workflows_ui.audit import canonical_text
from workflows_ui.audit.models import AuditChain, AuditCheckpoint, AuditEvent
from workflows_ui.audit.services import audit_log
from workflows_ui.core import clock

log = structlog.get_logger(__name__)

#: Rows of one batch, and the length of the sealer's lease.
BATCH = 1000
LEASE = timedelta(seconds=10)
#: Batches of one call: after a long stop of all workers, the following calls seal the rest.
BATCHES = 20
#: Primary key of the only AuditChain row.
ONE = 1
_DAY = timedelta(hours=24)
#: Rows removed in one transaction, and transactions of one call.
PART = 5000
PARTS = 20


class NoSuchKey(Exception):
    """The key of a digest is no longer in AUDIT_KEY."""


@dataclass(frozen=True)
class Head:
    """The end of a chain, or a position in it: the number and digest of a row. 0 and "" before the first row."""

    number: int = 0
    mark: str = ""

    def __str__(self) -> str:
        return f"{self.number}:{self.mark}"


def current_key_id() -> str:
    return key_id(settings.AUDIT_KEY[0])


def key_id(key: str) -> str:
    """An identifier of a key that does not reveal it."""
    return hashlib.sha256(f"audit key id:{key}".encode()).hexdigest()[:16]


def row_digest(key: str, before: Head, id: int, canonical: str) -> str:
    """The digest of the row after `before`. Raises NoSuchKey."""
    return _mac(key, "row", before.mark, str(before.number + 1), str(id), canonical)


def head_signature(key: str, head: Head) -> str:
    return _mac(key, "head", head.mark, str(head.number))


def checkpoint_signature(key: str, head: Head, until: datetime, removed: int, before: str) -> str:
    """The signature of a checkpoint; `before` is the signature of the previous one, or "". Raises NoSuchKey."""
    return _mac(key, "checkpoint", head.mark, str(head.number), canonical_text.moment(until), str(removed), before)


def digests_equal(first: str, second: str) -> bool:
    """Compare two digests in constant time."""
    return hmac.compare_digest(first.encode(), second.encode())


def _mac(key: str, *parts: str) -> str:
    secret = next((candidate for candidate in settings.AUDIT_KEY if key_id(candidate) == key), None)
    if secret is None:
        raise NoSuchKey(key)
    # Each part is prefixed with its length, so that different lists of parts never give the same message.
    message = b"".join(len(part := text.encode()).to_bytes(8, "big") + part for text in parts)
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def seal() -> int:
    """Seal the committed rows without a digest and return their number. 0 if another process holds the lease."""
    if not AuditEvent.objects.filter(number=None).exists():
        return 0
    AuditChain.objects.get_or_create(pk=ONE)
    chain = AuditChain.lease.claim(AuditChain.objects.all(), ONE, LEASE, clock.now())
    if chain is None:
        return 0
    count = 0
    try:
        for _number in range(BATCHES):
            sealed = _batch(chain)
            count += sealed
            if sealed < BATCH:
                break
    finally:
        AuditChain.lease.release(chain)
    return count


def head() -> Head:
    """The last signed end of the chain."""
    row = AuditChain.objects.filter(pk=ONE).first()
    return Head(row.number, row.mark) if row else Head()


def log_head() -> bool:
    """Write the head to the application log once a day; return whether it was due.
    A copy kept elsewhere proves later that the chain was not truncated.
    """
    now = clock.now()
    due = Q(told_at=None) | Q(told_at__lte=now - _DAY)
    if not AuditChain.objects.filter(due, pk=ONE, number__gt=0).update(told_at=now):
        return False
    log.info("audit.head", head=str(head()))
    return True


def _batch(claimed: AuditChain) -> int:
    """Seal the next rows in one transaction. It locks the AuditChain row, which only sealing, pruning and verification wait for."""
    key = current_key_id()
    with transaction.atomic():
        chain = AuditChain.objects.select_for_update().filter(AuditChain.lease.held(claimed), pk=ONE).first()
        if chain is None:
            return 0  # The lease expired, and another sealer may hold it.
        position = Head(chain.number, chain.mark)
        rows = list(AuditEvent.objects.filter(number=None).order_by("pk").values_list("pk", "canonical")[:BATCH])
        marks = []
        for pk, canonical in rows:
            position = Head(position.number + 1, row_digest(key, position, pk, canonical))
            marks.append((position.number, position.mark, key, pk))
        if marks:
            _write(marks)
            AuditChain.objects.filter(pk=ONE).update(
                number=position.number,
                mark=position.mark,
                key=key,
                signature=head_signature(key, position),
                lease_until=clock.now() + LEASE,
            )
    return len(rows)


def _write(marks: list[tuple[int, str, str, int]]) -> None:
    """Set number, digest and key once: the unique number prevents a fork by a second sealer."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # One statement for the batch: a thousand single statements take ten times as long.
            numbers, texts, keys, ids = (list(column) for column in zip(*marks, strict=True))
            cursor.execute(
                "UPDATE workflows_ui_auditevent AS event SET number = sealed.number, mark = sealed.mark, key = sealed.key"
                " FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::bigint[]) AS sealed(number, mark, key, id)"
                " WHERE event.id = sealed.id AND event.number IS NULL",
                [numbers, texts, keys, ids],
            )
        else:
            cursor.executemany(
                "UPDATE workflows_ui_auditevent SET number = %s, mark = %s, key = %s WHERE id = %s AND number IS NULL",
                marks,
            )


def prune() -> int:
    """Remove sealed rows older than AUDIT_RETENTION_DAYS, from the beginning of the chain only; return their number."""
    count = 0
    for _number in range(PARTS):
        removed = _prune_part()
        count += removed
        if removed < PART:
            break
    return count


def _prune_part() -> int:
    key = current_key_id()
    with transaction.atomic():
        # The lock separates concurrent prunings; the triggers allow deletion only up to a checkpoint, which is written first.
        if not list(AuditChain.objects.select_for_update().filter(pk=ONE)):
            return 0
        sealed = AuditEvent.objects.filter(number__isnull=False)
        limit = clock.now() - settings.AUDIT_RETENTION
        first_recent = sealed.filter(at__gte=limit).order_by("number").values_list("number", flat=True).first()
        old = sealed.filter(at__lt=limit) if first_recent is None else sealed.filter(number__lt=first_recent)
        rows = list(old.order_by("number").values_list("number", "mark", "at")[:PART])
        if not rows:
            return 0
        number, mark, until = rows[-1]
        assert number is not None  # noqa: S101  (for the type checker; the filter guarantees it)
        until = max(until, *(at for _number, _mark, at in rows))
        last = AuditCheckpoint.objects.order_by("-number").first()
        before = last.signature if last else ""
        position = Head(number, mark)
        AuditCheckpoint.objects.create(
            number=number,
            mark=mark,
            until=until,
            removed=len(rows),
            made_at=clock.now(),
            key=key,
            signature=checkpoint_signature(key, position, until, len(rows), before),
        )
        with connection.cursor() as cursor:  # The model rejects deletions.
            cursor.execute("DELETE FROM workflows_ui_auditevent WHERE number <= %s", [number])
        audit_log.record(
            audit_log.CONSOLE,
            "audit.prune",
            object_type="audit",
            object_id=str(number),
            rows=len(rows),
            until=until,
            head=str(position),
        )
    return len(rows)
