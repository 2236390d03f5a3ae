"""Rewriting the words of runs after a manager has chosen the other way of storing them: from the kept data, without the engine.

The newest come first. `words_left` of the index is the largest key of the runs that are still to be written; those with larger keys were
written with their rows. A killed reader writes some of them twice, which changes nothing.
"""

from collections.abc import Sequence
from typing import NamedTuple

from django.db import transaction

from workflows_ui.core.crypto import CannotOpen
from workflows_ui.engine_objects.runs import Run
from workflows_ui.launches.services import run_search
from workflows_ui.run_index.models import IndexedRun, Kept, RunIndex, RunValues
from workflows_ui.run_index.services import kept_steps, rows, run_words, values

#: Runs that are written at once.
BATCH = 50


def begin(index: RunIndex) -> None:
    """Note that all runs of the index are to be written again. Not saved."""
    newest = IndexedRun.objects.filter(workspace_id=index.pk).order_by("-pk").values_list("pk", flat=True).first()
    index.words_left = newest or 0


def backlog(index: RunIndex, most: int) -> int:
    """The number of runs that are still to be written, at most so many."""
    if not index.words_left:
        return 0
    return IndexedRun.objects.filter(workspace_id=index.pk, pk__lte=index.words_left)[:most].count()


def write_some(index: RunIndex, key: str) -> bool:
    """Write the words of the next runs, with this key; whether there are more for this reader, which has the index's lease of words.

    The runs are locked before the way of storing is read: after a change, the next reader waits for them, or this one sees it.
    """
    left = IndexedRun.objects.filter(workspace_id=index.pk, pk__lte=index.words_left)
    keys = list(left.order_by("-pk").values_list("pk", flat=True)[:BATCH])
    with transaction.atomic():
        locked = list(IndexedRun.objects.filter(pk__in=keys).order_by("run_id").select_for_update())
        same = RunIndex.objects.filter(pk=index.pk, started_at=index.started_at, search=index.search, kept=index.kept)
        if same.exists():
            _write(index, [row for row in locked if row.erased_at is None], key)
    index.words_left = keys[-1] - 1 if len(keys) == BATCH else 0
    held = RunIndex.objects.filter(RunIndex.words_lease.held(index), pk=index.pk)
    # A search finds other runs now than when it was counted.
    changed = {} if index.words_left else rows.changed(past=True)
    return bool(held.update(words_left=index.words_left, **changed)) and bool(index.words_left)


class _Stored(NamedTuple):
    """The steps that are kept of a run, as the engine shows them, whether they are all, and the ids by which its launches are found."""

    run: dict[str, object]
    whole: bool
    ids: frozenset[str]


def _write(index: RunIndex, found: Sequence[IndexedRun], key: str) -> None:
    stored_values = _stored_values(found) if index.kept == Kept.VALUES else {}
    launched = values.launches_of(index.pk, set[str]().union(*(stored.ids for stored in stored_values.values())))
    related = {
        pk: [launch for launch in launched if {launch.pk, launch.run_id} & stored.ids]
        for pk, stored in stored_values.items()
    }
    marked = rows.secretive(index.pk, found)
    new = {row.pk: run_words.words_of(run_words.texts(row, "")) for row in found}
    spoken = {
        row.pk: run_words.words_of(run_words.texts(row, rows.message(row)))
        for row in found
        if row.run_id not in marked and not related.get(row.pk)
    }
    # A message without words belongs to a launch with secret inputs, which may be known no longer: it gets none.
    again = run_words.stored(key, {pk: set(said) - set(new[pk]) for pk, said in spoken.items()})
    run_words.write(index, key, new | {pk: spoken[pk] for pk in again})
    of_values = {
        row.pk: values.found_words(row, stored_values[row.pk].run, related[row.pk])
        for row in found
        if row.pk in stored_values
    }
    run_words.write(index, key, of_values, of_values=True)
    # Values that did not fit had words, too: they are read again, if the engine still has them.
    cut = [pk for pk, stored in stored_values.items() if not stored.whole]
    IndexedRun.objects.filter(pk__in=cut).update(values_read=0)


def _stored_values(found: Sequence[IndexedRun]) -> dict[int, _Stored]:
    """The values of these runs, by their keys, as far as they can be opened."""
    by_key = {row.pk: row for row in found}
    stored = dict[int, _Stored]()
    for run_values in RunValues.objects.filter(run__in=by_key, kept=Kept.VALUES):
        row = run_values.run = by_key[run_values.pk]
        try:
            steps, whole = kept_steps.parsed(run_values.open("content"))
        except (CannotOpen, ValueError):
            continue
        run: dict[str, object] = {"steps": steps}
        ids = {row.run_id, row.parent_id, Run(run).trigger.header(run_search.HEADER)} - {""}
        stored[row.pk] = _Stored(run, whole, frozenset(ids))
    return stored
