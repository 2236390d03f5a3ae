"""Steps of runs in the index: choosing those to read next, within a budget of calls, keeping them, and deleting them.

They are kept sealed, masked as pages show them, with the words of their values. `values_read` of a run records the part that was read; a
run that has changed is read again.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from itertools import chain

from django.db import transaction
from django.db.models import Q, QuerySet, Sum

from workflows_ui.core import clock, redaction
from workflows_ui.core.caching import answers
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.engine import Client, Forbidden, NotFound, Refused, flow_tree
from workflows_ui.engine_objects.flows import Flow, Step
from workflows_ui.engine_objects.runs import Run
from workflows_ui.launches.models import Launch
from workflows_ui.launches.services import run_search, secrets as launch_secrets
from workflows_ui.launches.services.run_results import STEPS_LATE
from workflows_ui.run_index.models import LATER, READABLE, IndexedRun, Kept, RunIndex, RunValues
from workflows_ui.run_index.services import kept_steps, run_words, words

#: The most calls of a turn and of a minute; the seconds of a turn that they may take.
TURN, MINUTE, BUDGET = 20, 120, 2.0
#: Larger backlogs are not counted.
COUNTED = 10_000
#: Runs whose values are deleted at once, so that no transaction is long.
BATCH = 500
#: Seconds that the titles of a version's steps are known.
TITLES = 86_400
_MINUTE = timedelta(minutes=1)


def waiting(index: RunIndex, now: datetime) -> QuerySet[IndexedRun]:
    """The runs whose steps are still to be read. The engine writes them some seconds after the end."""
    since = now - timedelta(days=index.values_days)
    rows = IndexedRun.objects.filter(READABLE, workspace_id=index.pk, created__gte=since)
    return rows.filter(values_read__lt=index.kept).exclude(finished__gt=now - STEPS_LATE)


def next_runs(index: RunIndex, now: datetime) -> list[IndexedRun]:
    """The runs to read in this turn, the newest first, as many as the budget allows, with the versions whose titles are not known."""
    room = min(TURN, MINUTE - _calls(index, now))
    if index.kept == Kept.NOTHING or room <= 0:
        return []
    found = list(waiting(index, now).filter(values_read__gte=0).order_by("values_read", "-created")[:room])
    if len(found) < room:
        found += waiting(index, now).filter(values_read=LATER).order_by("-created")[: room - len(found)]
    while calls(index, found) > room:
        found.pop()
    return found


def calls(index: RunIndex, rows: list[IndexedRun]) -> int:
    """The calls that it takes to read these runs: one each, and one for each version whose steps' titles are not known yet."""
    versions = {row.version_id for row in rows if row.version_id}
    return len(rows) + sum(answers.get(_titles_key(index.pk, version)) is None for version in versions)


def titles(client: Client, index: RunIndex, row: IndexedRun, known: dict[str, dict[str, str]]) -> dict[str, str]:
    """The titles of the steps of the version that ran, by name; {} without one, or if the engine does not have it. Raises EngineError.

    `known` are those of the turn, by version: the cache may be away.
    """
    version = row.version_id
    if version and version not in known:
        key = _titles_key(index.pk, version)
        found: dict[str, str] | None = answers.get(key)
        if found is None:
            found = _read_titles(client, row)
            answers.set(key, found, TITLES)
        known[version] = found
    return known.get(version, {})


def _read_titles(client: Client, row: IndexedRun) -> dict[str, str]:
    try:
        flow = Flow(client.workflows.get_flow(row.flow_id, row.version_id))
    except (NotFound, Forbidden, Refused):
        return {}
    steps = flow_tree.steps_by_name(flow.version.trigger.raw)
    return {name: Step(step).display_name[:200] for name, step in steps.items()}


def _titles_key(workspace_id: int, version: str) -> str:
    return f"run-index-titles:{workspace_id}:{version}"


def reserved(index: RunIndex, rows: list[IndexedRun], now: datetime) -> dict[str, object]:
    """The columns of the index that count the calls for these runs, before they are made: a killed reader makes no more than allowed."""
    before = _calls(index, now)
    return {"values_minute": index.values_minute if before else now, "values_calls": before + calls(index, rows)}


def _calls(index: RunIndex, now: datetime) -> int:
    """The calls of the current minute."""
    return index.values_calls if index.values_minute and now - index.values_minute < _MINUTE else 0


def backlog(index: RunIndex) -> int:
    """The number of runs whose steps are still to be read; COUNTED + 1 for more than COUNTED."""
    return waiting(index, clock.now())[: COUNTED + 1].count() if index.kept else 0


def stored_bytes(index: RunIndex) -> int:
    """The approximate size of inputs and outputs on disk: a ciphertext is a third longer than its text."""
    size = RunValues.objects.filter(workspace_id=index.pk).aggregate(size=Sum("size"))["size"]
    return (size or 0) * 4 // 3


def put_off(row: IndexedRun, setting: int) -> None:
    """Note that the run's steps could not be read: they are read once more, after all others."""
    IndexedRun.objects.filter(pk=row.pk, values_read=row.values_read).update(
        values_read=setting if row.values_read == LATER else LATER
    )


def save(index: RunIndex, row: IndexedRun, run: Run, titles: Mapping[str, str], key: str) -> bool:
    """Keep the steps of a run as the engine gave it, with their titles, and its words. `key` is that of the words. In a transaction.

    Return whether it was written: not if the run was erased or has changed since it was chosen.
    """
    unchanged = IndexedRun.objects.filter(pk=row.pk, erased_at__isnull=True, updated=row.updated, status=row.status)
    if not unchanged.update(values_read=index.kept):
        return False
    marker = run.trigger.header(run_search.HEADER)
    related = launches_of(index.pk, {row.run_id, row.parent_id, marker} - {""})
    masked = _masked(run.raw, related)
    content = kept_steps.reduced(masked, titles, index.kept, index.values_kb * 1024)
    run_values = RunValues(
        run=row, workspace_id=index.pk, created=row.created, kept=index.kept, size=len(content.encode())
    )
    run_values.content = run_values.seal("content", content)
    RunValues.objects.bulk_create(
        [run_values], update_conflicts=True, unique_fields=["run"], update_fields=["kept", "size", "content"]
    )
    if related:
        # The marker of a launch with secret inputs may be known from the steps only: the message may repeat them.
        run_words.write(index, key, {row.pk: run_words.words_of(run_words.texts(row, ""))})
    found = found_words(row, masked, related) if index.kept == Kept.VALUES else []
    run_words.write(index, key, {row.pk: found}, of_values=True)
    return True


def found_words(row: IndexedRun, run: dict[str, object], related: Collection[Launch]) -> list[str]:
    """The words of a run's masked steps, without those of secret inputs of the launches; none if these are not known any more."""
    hidden = [launch_secrets.secret_texts(launch) for launch in related]
    if None in hidden:
        return []
    secret = {word for texts in hidden for text in texts or () for word in words.split(text)}
    return words.of_values(chain([row.flow_name], kept_steps.texts(run)), secret)


def launches_of(workspace_id: int, ids: Collection[str]) -> list[Launch]:
    """The launches with secret inputs that led to runs, by the ids of these, of what started them, and of their markers."""
    rows = Launch.objects.filter(Q(run_id__in=ids) | Q(pk__in=ids), workspace_id=workspace_id)
    return [row for row in rows.defer("payload", "answer", "failure", "technical") if row.secret_marks]


def _masked(run: Mapping[str, object], related: list[Launch]) -> dict[str, object]:
    """The run without secrets, by their names and by the values that were entered as such."""
    value: object = {key: run.get(key) for key in ("steps", "failedStep", "status")}
    short = frozenset[str]()
    for launch in related:
        hider = launch_secrets.payload_hider(launch)
        value, short = hider.value(value), short | hider.short
    masked: dict[str, object] = redaction.step(value, secrets=short)
    return masked


def steps(row: IndexedRun) -> kept_steps.Steps:
    """The steps that are kept of a run, as the engine shows them; {} without any, or if they cannot be opened."""
    run_values = RunValues.objects.filter(run=row).first()
    if run_values is None:
        return {}
    run_values.run = row
    try:
        return kept_steps.displayed(run_values.open("content"), run_values.kept)
    except (CannotOpen, ValueError):
        return {}


def trim(index: RunIndex) -> bool:
    """Delete values beyond the index's settings, in short transactions: a killed process leaves the rest to the next.

    Return whether there was anything.
    """
    found = False
    rows = RunValues.objects.filter(workspace_id=index.pk)
    for condition in (
        Q(created__lt=clock.now() - timedelta(days=index.values_days)),
        Q(kept__gt=index.kept),
        Q(kept=index.kept, size__gt=index.values_kb * 1024),
    ):
        while _delete(rows.filter(condition)):
            found = True
    return found


def _delete(found: QuerySet[RunValues]) -> bool:
    """Delete some of these values; whether there were any. Those of runs that a reader is writing are left for the next time."""
    with transaction.atomic():
        # The runs first: they are what a reader that writes their values has locked.
        chosen = IndexedRun.objects.filter(pk__in=list(found.values_list("pk", flat=True)[:BATCH]))
        locked = list(chosen.select_for_update(skip_locked=True).values_list("pk", flat=True))
        # Values that a reader has written again meanwhile may be within the limits.
        keys = list(found.filter(pk__in=locked).values_list("pk", flat=True))
        IndexedRun.objects.filter(pk__in=keys).update(values_read=0)
        RunValues.objects.filter(pk__in=keys).delete()
        run_words.forget_values(keys)
    return bool(locked)
