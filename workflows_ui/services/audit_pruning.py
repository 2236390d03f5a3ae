"""Removes audit rows whose time is over, from the beginning of the chain, and leaves a signed checkpoint on which the rest builds."""

from django.conf import settings
from django.db import connection, transaction

from workflows_ui.models import AuditChain, AuditCheckpoint, AuditEvent
from workflows_ui.services import audit, audit_marks, clock
from workflows_ui.services.audit_marks import Head
from workflows_ui.services.audit_sealing import ONE

#: Rows removed in one transaction, and transactions of one turn.
PART = 5000
PARTS = 20


def prune() -> int:
    """Removes what is older than AUDIT_RETENTION_DAYS; how many rows that were. Only sealed rows, none from the middle."""
    count = 0
    for _turn in range(PARTS):
        done = _part()
        count += done
        if done < PART:
            break
    return count


def _part() -> int:
    key = audit_marks.current()
    with transaction.atomic():
        # The lock keeps two prunings apart; the triggers let rows go only behind the checkpoint that is written first.
        if not list(AuditChain.objects.select_for_update().filter(pk=ONE)):
            return 0
        sealed = AuditEvent.objects.filter(number__isnull=False)
        limit = clock.now() - settings.AUDIT_RETENTION
        kept = sealed.filter(at__gte=limit).order_by("number").values_list("number", flat=True).first()
        old = sealed.filter(at__lt=limit) if kept is None else sealed.filter(number__lt=kept)
        rows = list(old.order_by("number").values_list("number", "mark", "at")[:PART])
        if not rows:
            return 0
        number, mark, until = rows[-1]
        assert number is not None  # noqa: S101  (tells the type checker what the filter made sure of)
        until = max(until, *(at for _number, _mark, at in rows))
        last = AuditCheckpoint.objects.order_by("-number").first()
        before = last.signature if last else ""
        at = Head(number, mark)
        AuditCheckpoint.objects.create(
            number=number,
            mark=mark,
            until=until,
            removed=len(rows),
            made_at=clock.now(),
            key=key,
            signature=audit_marks.of_checkpoint(key, at, until, len(rows), before),
        )
        with connection.cursor() as cursor:  # The model refuses to delete anything.
            cursor.execute("DELETE FROM workflows_ui_auditevent WHERE number <= %s", [number])
        audit.record(
            audit.CONSOLE,
            "audit.prune",
            object_type="audit",
            object_id=str(number),
            rows=len(rows),
            until=until,
            head=str(at),
        )
    return len(rows)
