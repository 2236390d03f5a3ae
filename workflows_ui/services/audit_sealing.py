"""Chains the audit log: one sealer at a time gives committed rows their numbers and marks, every second, in batches.

Writers know nothing of it and wait for nobody. A row that commits late, with a lower id than rows already sealed, is simply sealed in
the next batch: the chain's order is the order of sealing. A sealer that is killed leaves nothing half done: a batch is one transaction.
"""

import secrets
from datetime import timedelta

import structlog
from django.db import connection, transaction
from django.db.models import Q

from workflows_ui.models import AuditChain, AuditEvent
from workflows_ui.services import audit_marks, clock
from workflows_ui.services.audit_marks import Head

log = structlog.get_logger(__name__)

#: Rows of one batch, and how long a sealer has the work for itself.
BATCH = 1000
LEASE = timedelta(seconds=10)
#: Batches of one turn: after a long stop of all workers the rest is done in the next seconds.
BATCHES = 20
#: The chain's row.
ONE = 1
_DAY = timedelta(hours=24)


def seal() -> int:
    """Chains what is committed and has no mark yet; how many rows that were. 0 too where another sealer is at it."""
    if not AuditEvent.objects.filter(number=None).exists():
        return 0
    holder = secrets.token_hex(16)
    if not _take(holder):
        return 0
    count = 0
    try:
        for _turn in range(BATCHES):
            done = _batch(holder)
            count += done
            if done < BATCH:
                break
    finally:
        AuditChain.objects.filter(pk=ONE, holder=holder).update(holder="", lease_until=None)
    return count


def head() -> Head:
    """The end of the chain as it was last signed."""
    row = AuditChain.objects.filter(pk=ONE).first()
    return Head(row.number, row.mark) if row else Head()


def tell_head() -> bool:
    """Writes the head to the process's log, once a day: kept elsewhere, it proves later that nothing was cut off. Whether it did."""
    now = clock.now()
    due = Q(told_at=None) | Q(told_at__lte=now - _DAY)
    if not AuditChain.objects.filter(due, pk=ONE, number__gt=0).update(told_at=now):
        return False
    log.info("audit.head", head=str(head()))
    return True


def _take(holder: str) -> bool:
    """Takes the lease by one conditional UPDATE."""
    now = clock.now()
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    if AuditChain.objects.filter(free, pk=ONE).update(holder=holder, lease_until=now + LEASE):
        return True
    if AuditChain.objects.filter(pk=ONE).exists():
        return False
    AuditChain.objects.bulk_create([AuditChain(pk=ONE)], ignore_conflicts=True)
    return bool(AuditChain.objects.filter(free, pk=ONE).update(holder=holder, lease_until=now + LEASE))


def _batch(holder: str) -> int:
    """Seals the next rows in one transaction. The chain's row is locked in it, which only sealers and pruning ever wait for."""
    key = audit_marks.current()
    with transaction.atomic():
        chain = AuditChain.objects.select_for_update().filter(pk=ONE, holder=holder).first()
        if chain is None:
            return 0  # The lease ran out meanwhile, and another sealer has it.
        at = Head(chain.number, chain.mark)
        rows = list(AuditEvent.objects.filter(number=None).order_by("pk").values_list("pk", "canonical")[:BATCH])
        marks = []
        for pk, canonical in rows:
            at = Head(at.number + 1, audit_marks.of_row(key, at, pk, canonical))
            marks.append((at.number, at.mark, key, pk))
        if marks:
            _write(marks)
            AuditChain.objects.filter(pk=ONE).update(
                number=at.number,
                mark=at.mark,
                key=key,
                signature=audit_marks.of_head(key, at),
                lease_until=clock.now() + LEASE,
            )
    return len(rows)


def _write(marks: list[tuple[int, str, str, int]]) -> None:
    """Sets number, mark and key, once: the unique number keeps a second sealer from ever making a fork."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # One statement for the batch: a thousand single ones take ten times as long.
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
