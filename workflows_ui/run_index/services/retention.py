"""The runs that an index keeps: those of some days, and of these the newest up to its limit."""

from datetime import datetime, timedelta

from django.db.models import QuerySet

from workflows_ui.run_index.models import IndexedRun, RunIndex


def stored_runs(workspace_id: int) -> QuerySet[IndexedRun]:
    """The runs of a workspace that were not erased: the empty rows of erased ones do not count."""
    return IndexedRun.objects.filter(workspace_id=workspace_id, erased_at__isnull=True)


def floor(index: RunIndex, now: datetime) -> datetime:
    """Runs that were created earlier are neither read, compared nor kept."""
    return max(filter(None, (now - timedelta(days=index.keep_days), index.kept_since)))


def cut(index: RunIndex, now: datetime) -> None:
    """Move `kept_since` behind the oldest runs, if the index has more than it keeps. They are deleted by `indexes.purge`.

    Runs of one millisecond, the precision of the engine's times, leave together: their order is unknown.
    """
    rows = stored_runs(index.pk).filter(created__gte=floor(index, now))
    over = rows.count() - index.keep_runs
    if over <= 0:
        return
    last = rows.order_by("created").values_list("created", flat=True)[over - 1 : over].first()
    if last is None:
        return
    since = last + timedelta(milliseconds=1)
    # Not if a manager has allowed more meanwhile: then the past is read again.
    same = RunIndex.objects.filter(pk=index.pk, keep_runs=index.keep_runs, kept_since=index.kept_since)
    if same.update(kept_since=since):
        index.kept_since = since
