"""Indexed runs from the engine's run objects, and back."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.expressions import Combinable

from workflows_ui.core import clock
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.engine_objects.runs import Run
from workflows_ui.launches.models import Launch
from workflows_ui.launches.services import runs
from workflows_ui.run_index.models import IndexedRun, RunIndex, RunValues
from workflows_ui.run_index.services import recent, run_words, words
from workflows_ui.run_index.signals import runs_failed

#: The longest message that is kept, the most tags, and the longest one.
MESSAGE, TAGS, LONGEST_TAG = 2000, 50, 100
#: How far the engine's clock may be ahead. Runs that were created later are not kept: the limits of an index would keep nothing else.
AHEAD = timedelta(days=1)
#: Runs that are deleted at once, with some hundred words each, so that no transaction is long.
BATCH = 500
#: The age below which a run that has not ended is read again at an interval; older ones are not read again.
_PACE = (
    (timedelta(minutes=5), timedelta(seconds=2)),
    (timedelta(hours=1), timedelta(seconds=30)),
    (timedelta(days=1), timedelta(minutes=5)),
    (timedelta(days=31), timedelta(hours=1)),
)
#: The columns that are written if a run has changed.
_CHANGING = (
    *("flow_id", "version_id", "flow_name", "status", "updated", "started", "finished", "archived", "duration"),
    *("failed_step", "failed_step_title", "message", "fingerprint", "tags", "parent_id", "triggered_by"),
    *("check_at", "gone_at", "values_read"),
)
#: The values of an erased run. When it was created, and its state, are kept: comparisons count them.
_EMPTY: Mapping[str, object] = {
    **dict.fromkeys(("flow_id", "version_id", "flow_name", "failed_step", "failed_step_title", "message"), ""),
    **dict.fromkeys(("tags", "parent_id", "triggered_by"), ""),
    **dict.fromkeys(("updated", "started", "finished", "check_at")),
    "duration": -1,
    "fingerprint": 0,
}


def from_engine(workspace_id: int, run: Run, now: datetime, key: str) -> IndexedRun | None:
    """The row of a run of the engine's list, not saved; None without an id or a possible time of creation. `key` is that of the words."""
    created = run.created
    if not run.id or len(run.id) > 64 or created is None or created > now + AHEAD:
        return None
    started, finished = _plausible(run.start_time, now), _plausible(run.finish_time, now)
    ended = runs.ended(run)
    row = IndexedRun(
        workspace_id=workspace_id,
        run_id=run.id,
        flow_id=run.flow_id[:64],
        version_id=run.flow_version_id[:64],
        flow_name=run.flow_version.display_name[:200],
        status=run.status[:40],
        created=created,
        updated=run.updated,
        started=started,
        finished=finished if ended else None,
        archived=run.archived_at,
        duration=_milliseconds(started, finished) if ended else -1,
        failed_step=run.failed_step.name[:100],
        failed_step_title=run.failed_step.title[:200],
        tags=_lines(run.tags),
        parent_id=run.parent_run_id[:64],
        triggered_by=run.triggered_by[:64],
        check_at=None if ended else _next_check(created, now),
    )
    message = run.failed_step.message[:MESSAGE]
    row.message = row.seal("message", message)
    if row.status in runs.FAILED:
        row.fingerprint = fingerprint(run, key)
    row.texts = run_words.texts(row, message)
    return row


def _plausible(moment: datetime | None, now: datetime) -> datetime | None:
    """The time, unless it is further ahead than a clock may be."""
    return moment if moment is None or moment <= now + AHEAD else None


def fingerprint(run: Run, key: str) -> int:
    """The number that failures of the same cause share, for a failed run of the engine."""
    return words.fingerprint(key, run.flow_id[:64], run.failed_step.name, run.failed_step.message[:MESSAGE])


def _lines(tags: Sequence[str]) -> str:
    texts = [" ".join(tag[:LONGEST_TAG].split()) for tag in tags[:TAGS]]
    return "\n".join(["", *texts, ""]) if texts else ""


def with_tag(tag: str) -> Q:
    """The condition that a run has this tag."""
    return ~Q(tags="") & Q(tags__contains=f"\n{' '.join(tag.split())}\n")


def _milliseconds(start: datetime | None, end: datetime | None) -> int:
    return max(-1, (end - start) // timedelta(milliseconds=1)) if start and end else -1


def _next_check(created: datetime, now: datetime) -> datetime | None:
    return next((now + pause for age, pause in _PACE if now - created < age), None)


def save(index: RunIndex, found: Iterable[Run], now: datetime, key: str) -> tuple[int, int, bool]:
    """Write the engine's runs that are new or have changed, each id once, with their words. `key` is that of the words.

    Return how many were new, how many were written, and whether the counts of the past (recent.py) are outdated. Call it in a
    transaction: two writers of the same rows wait for each other.
    """
    workspace_id = index.pk
    rows = {row.run_id: row for run in found if (row := from_engine(workspace_id, run, now, key))}
    stored = IndexedRun.objects.filter(workspace_id=workspace_id, run_id__in=rows).defer("message", "tags")
    known = {row.run_id: row for row in stored}
    written = [row for row in sorted(rows.values(), key=lambda row: row.run_id) if _is_news(known.get(row.run_id), row)]
    IndexedRun.objects.bulk_create(
        written,
        batch_size=200,
        update_conflicts=True,
        unique_fields=["workspace", "run_id"],
        update_fields=_CHANGING,
    )
    if written:
        _save_words(index, [row for row in written if any(row.texts) or row.run_id in known], key)
        # Those that were erased since they were read above have just been filled again.
        again = IndexedRun.objects.filter(workspace_id=workspace_id, run_id__in=[row.run_id for row in written])
        _empty(again.filter(erased_at__isnull=False))
    if failed := [row for row in written if row.fingerprint]:
        runs_failed.send(IndexedRun, workspace_id=workspace_id, rows=failed)
    begin = recent.begin(now)
    past = any(row.created < begin and _state(row) != _state(known.get(row.run_id)) for row in written)
    return sum(run_id not in known for run_id in rows), len(written), past


def _state(row: IndexedRun | None) -> tuple[object, ...]:
    return (row.status, row.updated, row.archived) if row else ()


def _save_words(index: RunIndex, rows: Sequence[IndexedRun], key: str) -> None:
    if not rows:
        return
    said = {row.run_id: row.texts for row in rows}
    marked = secretive(index.pk, rows)
    keys = dict(IndexedRun.objects.filter(workspace_id=index.pk, run_id__in=said).values_list("run_id", "pk"))
    found = {pk: run_words.words_of(said[run_id][run_id in marked :]) for run_id, pk in keys.items()}
    run_words.write(index, key, found)


def secretive(workspace_id: int, rows: Sequence[IndexedRun]) -> set[str]:
    """The ids of those of these runs whose launches have secret inputs: their messages may repeat those, and have no words."""
    parents = {row.parent_id: row.run_id for row in rows if row.parent_id}
    ids = {row.run_id for row in rows}
    launched = Launch.objects.filter(Q(run_id__in=ids) | Q(pk__in=parents), workspace_id=workspace_id)
    marked = set[str]()
    for pk, run_id, marks in launched.values_list("pk", "run_id", "secret_marks"):
        if marks:
            marked |= {run_id, parents.get(pk, "")}
    return marked & ids


def _is_news(known: IndexedRun | None, row: IndexedRun) -> bool:
    if known is None or row.check_at is not None:
        return known is None or known.erased_at is None
    if known.erased_at is not None:
        return False
    return _state(known) != _state(row) or known.check_at is not None or known.gone_at is not None


def mark_gone(workspace_id: int, run_ids: Collection[str], now: datetime) -> None:
    """Note that these runs are gone from the engine."""
    rows = IndexedRun.objects.filter(workspace_id=workspace_id, run_id__in=run_ids, gone_at__isnull=True)
    if run_ids and rows.update(gone_at=now, check_at=None):
        count_change(workspace_id, past=False)


def count_change(workspace_id: int, *, past: bool = True) -> None:
    """Note that the runs of an index have changed."""
    RunIndex.objects.filter(pk=workspace_id).update(**changed(past=past))


def changed(*, past: bool) -> dict[str, Combinable]:
    """The columns of an index whose runs have changed; `past`: that those of the past (recent.py) are to be counted again."""
    return {name: F(name) + 1 for name in (("version", "past_version") if past else ("version",))}


def keeps(workspace_id: int, run_id: str) -> bool:
    """Whether the index keeps this run, and it was not erased."""
    return IndexedRun.objects.filter(workspace_id=workspace_id, run_id=run_id, erased_at__isnull=True).exists()


def erase(workspace_id: int, run_id: str, now: datetime) -> bool:
    """Empty a run's row, which stays so that the run is not read again. Return whether there was one to empty."""
    rows = IndexedRun.objects.filter(workspace_id=workspace_id, run_id=run_id, erased_at__isnull=True)
    return _empty(rows, erased_at=now)


def _empty(rows: QuerySet[IndexedRun], **values: object) -> bool:
    # The runs first: then nobody else is writing their words and values.
    keys = list(rows.values_list("pk", flat=True))
    done = rows.filter(pk__in=keys).update(**_EMPTY, **values)
    run_words.forget(keys)
    RunValues.objects.filter(run__in=keys).delete()
    return bool(done)


def delete_some(found: QuerySet[IndexedRun], *, waits: bool = False) -> int:
    """Delete up to BATCH of these runs with their words and values; returns how many.

    Runs that somebody else is writing are left for the next time, unless `waits`: a deletion that waits for a reader, which may wait for
    it, could be a deadlock. Only the reader itself may wait.
    """
    with transaction.atomic():
        # The runs first: then nobody else is writing their words and values.
        locked = found.select_for_update(skip_locked=not waits)
        keys = list(locked.values_list("pk", flat=True)[:BATCH])
        run_words.forget(keys)
        RunValues.objects.filter(run__in=keys).delete()
        IndexedRun.objects.filter(pk__in=keys).only("pk").delete()
    return len(keys)


def to_engine(row: IndexedRun) -> dict[str, object]:
    """A run as the engine's list shows it, for the pages that show runs. Its message is "" if it cannot be opened."""
    failed = {}
    if row.failed_step or row.failed_step_title:
        failed = {"name": row.failed_step, "displayName": row.failed_step_title, "message": message(row)}
    return {
        "id": row.run_id,
        "created": row.created.isoformat(),
        "updated": _text(row.updated),
        "flowId": row.flow_id,
        "flowVersionId": row.version_id,
        "flowVersion": {"displayName": row.flow_name},
        "status": row.status,
        "startTime": _text(row.started),
        "finishTime": _text(row.finished),
        "archivedAt": _text(row.archived),
        "failedStep": failed,
        "tags": row.tags.split("\n")[1:-1],
        "parentRunId": row.parent_id,
        "triggeredBy": row.triggered_by,
    }


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def message(row: IndexedRun) -> str:
    """The message of a run's failed step; "" if it cannot be opened."""
    try:
        return row.open("message")
    except CannotOpen:
        return ""


def between(workspace_id: int, after: datetime | None, before: datetime | None) -> QuerySet[IndexedRun]:
    """The workspace's runs that were created between two times, neither included."""
    limits = Q(created__gt=after) if after else Q()
    limits &= Q(created__lt=before) if before else Q()
    return IndexedRun.objects.filter(limits, workspace_id=workspace_id)


def check_again(workspace_id: int, run_ids: Sequence[str]) -> None:
    """Read these runs again soon, since the console has changed them."""
    rows = IndexedRun.objects.filter(workspace_id=workspace_id, run_id__in=run_ids, erased_at__isnull=True)
    rows.update(check_at=clock.now())
