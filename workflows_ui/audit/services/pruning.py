"""Remove expired audit rows from the beginning of the chain, and leave a signed checkpoint on which the rest builds."""

from django.conf import settings
from django.db import connection, transaction

from workflows_ui.audit.models import AuditChain, AuditCheckpoint, AuditEvent
from workflows_ui.audit.services import audit_log
from workflows_ui.audit.services import digests as audit_digests
from workflows_ui.audit.services.digests import Head
from workflows_ui.audit.services.hash_chain import ONE
from workflows_ui.core import clock

#: Rows removed in one transaction, and transactions of one call.
PART = 5000
PARTS = 20


def prune() -> int:
    """Remove sealed rows older than AUDIT_RETENTION_DAYS, from the beginning of the chain only; return their number."""
    count = 0
    for _number in range(PARTS):
        removed = _part()
        count += removed
        if removed < PART:
            break
    return count


def _part() -> int:
    key = audit_digests.current_key_id()
    with transaction.atomic():
        # The lock separates concurrent prunings; the triggers allow deletion only up to a checkpoint, which is written first.
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
            signature=audit_digests.checkpoint_signature(key, position, until, len(rows), before),
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
