"""Reading of the engine's runs into the index: one reader per workspace, regardless of the number of viewers.

A turn reads the new runs, then those that had not ended, then for a limited time the missing runs of the past. Every page is written
together with the rest that is left to read, so that a killed reader loses nothing, and rows that are read twice are written once.

The engine's cursor loses rows (engine-0.83.md section 8): pages follow each other by `createdBefore`, and overlap by a millisecond, since
the engine keeps more digits than it sends.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import Count, F, Q

from workflows_ui.core import clock, database
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.core.lease import backoff
from workflows_ui.credentials.services import clients, sharing
from workflows_ui.engine import (
    AddressRefused,
    Client,
    CredentialRefused,
    EngineError,
    NoRoute,
    NotFound,
    NotSent,
    RateLimited,
    Timeouts,
)
from workflows_ui.engine_objects.runs import Run
from workflows_ui.run_index.models import LATER, IndexedRun, RunIndex
from workflows_ui.run_index.services import objects, recent, retention, rows, spans, values
from workflows_ui.run_index.services.spans import Span

log = structlog.get_logger(__name__)

#: A reader that has not written a page for this long counts as dead; a call of a page, of which there are three, takes less.
LEASE, TIMEOUTS = timedelta(seconds=60), Timeouts(read=15, total=18)
#: Time between two turns: while somebody looks or the past is being read, and otherwise.
WATCHED, IDLE = timedelta(seconds=3), timedelta(minutes=1)
#: Pause after a failed turn, doubled with each failure.
PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(minutes=10)
#: Seconds of a turn that are spent on the past: with the pause between turns, less than half of the engine's time.
BUDGET = 2.0
#: Runs in a page, and in the largest one, which is requested if all runs of a page were created in the same millisecond.
PAGE, LARGEST_PAGE = 120, 20_000
#: How far what is new overlaps with what was read, since a run may appear in the list later than one that was created after it: in each
#: turn, and in the first one of each minute.
OVERLAP, WIDE_OVERLAP = timedelta(seconds=10), timedelta(minutes=2)
#: Runs that are further ahead of the console's clock may show that the engine's is ahead.
NEAR = timedelta(minutes=5)
#: Runs in one call by id (recording `runs_list_flow_run_ids_21_refused`), and in one turn.
IDS, CHECKED = 20, 200
#: The trouble of an index whose credential's owner has ended the last share: their consent to read with it.
NOT_SHARED = "NotShared"
#: Time between two comparisons with the engine; what was created later than the second value is left out, since it still changes.
COMPARED, SETTLED = timedelta(hours=1), timedelta(minutes=5)
#: The longest time that is counted at once, and the shortest that is halved. Earlier times than those of so many days are longer.
COUNTED, SHORTEST, DAYS = timedelta(days=1), timedelta(hours=1), 90
#: Without counts, this much of the past is read again at each comparison, and all of it once a day.
_RECENT = timedelta(days=1)


class Lost(Exception):
    """Another reader has taken over."""


@dataclass
class Work:
    """A turn: the claimed row and its client."""

    index: RunIndex
    client: Client
    now: datetime
    #: The key of the words.
    key: str
    #: Whether steps of runs are left that the budget allows to read soon.
    hurries: bool = False

    @property
    def floor(self) -> datetime:
        """The earliest time of creation that is read."""
        return retention.floor(self.index, self.now)


def due() -> list[int]:
    """Ids of the workspaces whose runs are to be read now, and are not being read."""
    now = clock.now()
    wanted = RunIndex.objects.filter(RunIndex.lease.free(now), _readable(), due_at__lte=now)
    return sorted(wanted.values_list("pk", flat=True))


def _readable() -> Q:
    return Q(credential__isnull=False, moves=F("workspace__moves"))


def read(workspace_id: int) -> None:
    """Read the runs of a workspace for one turn. Safe to call any number of times."""
    with database.turn():
        work = _claim(workspace_id)
    if work is None:
        return
    trouble = ""
    try:
        if work.index.read_until is None:
            _delete_earlier(work)
        _read_new(work)
        _read_unended(work)
        objects.read(work.index, work.client.workflows, lambda: _write(work, (), spans.load(work.index.spans)))
        _read_spans(work, time.monotonic() + BUDGET)
        _read_values(work, time.monotonic() + values.BUDGET)
        _compare(work)
    except Lost:
        log.info("run_index.lost", workspace=workspace_id)
        return
    except EngineError as problem:
        trouble = type(problem).__name__
        log.warning("run_index.failed", workspace=workspace_id, error=trouble, status=problem.status)
    except Exception as problem:  # a run that cannot be read must not be tried again and again at full speed
        trouble = type(problem).__name__
        log.exception("run_index.broken", workspace=workspace_id)
    with database.turn():
        _finish(work.index, trouble, hurries=work.hurries)


def _claim(workspace_id: int) -> Work | None:
    now = clock.now()
    free = RunIndex.objects.filter(_readable(), due_at__lte=now)
    index = RunIndex.lease.claim(free, workspace_id, LEASE, now, ("workspace", "credential__workspace"))
    if index is None or index.credential is None:
        return None
    if not sharing.genuine(credential=index.credential_id):
        _finish(index, NOT_SHARED)
        return None
    try:
        key = index.open("word_key")
        client = clients.client_for_credential(index.credential, timeouts=TIMEOUTS)
    except (CannotOpen, AddressRefused, ValueError) as problem:
        log.error("run_index.cannot_use", credential=str(index.credential.pk), error=type(problem).__name__)
        _finish(index, type(problem).__name__)
        return None
    return Work(index, client, now, key)


def _finish(index: RunIndex, trouble: str, *, hurries: bool = False) -> None:
    now = clock.now()
    if trouble:
        failures = index.failures + 1
        pause = backoff(PAUSE, failures, LONGEST_PAUSE)
    else:
        failures = 0
        # Read again: somebody may have begun to look during the turn.
        watched = RunIndex.objects.filter(pk=index.pk, watched_until__gt=now).exists()
        pause = WATCHED if watched or index.spans or hurries or objects.pending(index) else IDLE
    RunIndex.lease.finish(index, failures=failures, trouble=trouble[:40], due_at=now + pause)


def _page(work: Work, span: Span) -> tuple[list[Run], datetime | None]:
    """The newest runs of a span, and the end of what is left of it; None if nothing is. Raises EngineError."""
    limit = PAGE
    while True:
        answer = work.client.workflows.list_runs(
            limit=limit, created_after=span.after, created_before=span.before, archived=None
        )
        found = [Run(row) for row in answer["data"]]
        if len(found) < limit and not answer.get("next"):
            return found, None
        oldest = min(_moments(found), default=None)
        if oldest is None:
            return found, None
        rest = oldest + timedelta(milliseconds=1)
        if span.before is None or rest < span.before or limit >= LARGEST_PAGE:
            return found, rest if limit < LARGEST_PAGE else oldest - timedelta(milliseconds=1)
        limit *= 4


def _moments(found: Iterable[Run]) -> list[datetime]:
    """The times at which these runs were created, each run once, without those that cannot be read."""
    unique = {run.id: run for run in found}.values()
    return [run.created for run in unique if run.created]


def _write(work: Work, found: Iterable[Run], left: Iterable[Span], **values: object) -> int:
    """Write a page and the rest that is left to read; return the number of new runs. Raises Lost.

    Transactions that write both lock the index before its runs: otherwise two of them could wait for each other.
    """
    now, stored = clock.now(), spans.dump(left)
    with database.turn(), transaction.atomic():
        if not RunIndex.lease.renew(RunIndex.objects.all(), work.index, LEASE, now, spans=stored, **values):
            raise Lost
        new, written, past = rows.save(work.index, found, now, work.key)
        if written:
            rows.count_change(work.index.pk, past=past)
    for name, value in {"spans": stored, "lease_until": now + LEASE, **values}.items():
        setattr(work.index, name, value)
    return new


def _delete_earlier(work: Work) -> None:
    """Delete the runs that an earlier index has left: of another engine, or read with another right. Raises Lost."""
    left = IndexedRun.objects.filter(workspace_id=work.index.pk, erased_at__isnull=True)
    deleted = True
    while deleted:
        now = clock.now()
        with database.turn(), transaction.atomic():
            if not RunIndex.lease.renew(RunIndex.objects.all(), work.index, LEASE, now):
                raise Lost
            deleted = bool(rows.delete_some(left, waits=True))
        work.index.lease_until = now + LEASE


def _read_new(work: Work) -> None:
    """Read the runs that were created since the last turn; the rest beyond a page becomes a span."""
    index = work.index
    known = index.read_until
    before = index.read_at
    same_minute = before is not None and work.now - before < IDLE and work.now.minute == before.minute
    overlap = OVERLAP if same_minute else WIDE_OVERLAP
    after = max(known - overlap, work.floor) if known else work.floor
    found, rest = _page(work, Span(after))
    left = spans.load(index.spans)
    if rest is not None:
        left = spans.merged([*left, Span(after, rest)])
    newest = _newest(_moments(found), work.now)
    read_until = max(filter(None, (known, newest)), default=None)
    _write(work, found, left, read_until=read_until, read_at=clock.now())


def _newest(moments: Sequence[datetime], now: datetime) -> datetime | None:
    """Where the new runs begin, by the times at which these were created; None without runs.

    The engine's clock may be ahead. A single run that is ahead is not taken for the clock: runs of now would count as read.
    """
    possible = sorted(moment for moment in moments if moment <= now + rows.AHEAD)
    if sum(moment > now + NEAR for moment in possible) == 1:
        possible.pop()
    return possible[-1] if possible else (now if moments else None)


def _read_unended(work: Work) -> None:
    """Read the runs again that had not ended. Those that the engine does not list by their ids are gone."""
    with database.turn():
        due_runs = IndexedRun.objects.filter(workspace_id=work.index.pk, check_at__lte=clock.now())
        ids = list(due_runs.order_by("check_at").values_list("run_id", flat=True)[:CHECKED])
    for start in range(0, len(ids), IDS):
        batch = ids[start : start + IDS]
        answer = work.client.workflows.list_runs(limit=len(batch), flow_run_ids=batch, archived=None)
        found = [Run(row) for row in answer["data"]]
        _write(work, found, spans.load(work.index.spans))
        gone = set(batch) - {run.id for run in found}
        with database.turn():
            rows.mark_gone(work.index.pk, gone, clock.now())


def _read_spans(work: Work, until: float) -> None:
    """Read the rest of the past, the latest first, until a time of the monotonic clock."""
    left = spans.load(work.index.spans)
    if any(not span.compares for span in left):
        # The past ends where the limit of runs is reached.
        with database.turn():
            retention.cut(work.index, clock.now())
    while left and time.monotonic() < until:
        span, *others = left
        if span.before is not None and span.before < work.floor:
            left = others
            _write(work, (), left)
            continue
        span = span.since(work.floor)
        found, rest = _page(work, span)
        left = [replace(span, before=rest), *others] if rest is not None else others
        new = _write(work, found, left)
        if span.compares:
            _settle(work, span, found, rest, new)


def _read_values(work: Work, until: float) -> None:
    """Read the steps of ended runs until a time of the monotonic clock, within the budget of calls. Raises Lost.

    A run that cannot be read is put off, with all others of this turn: the engine may be the reason, or the run.
    """
    index, titles = work.index, dict[str, dict[str, str]]()
    with database.turn():
        found = values.next_runs(index, clock.now())
    if not found:
        return
    _write(work, (), spans.load(index.spans), **values.reserved(index, found, clock.now()))
    for row in found:
        if time.monotonic() >= until:
            break
        try:
            run = Run(work.client.workflows.get_run(row.run_id))
            named = values.titles(work.client, index, row, titles)
        except NotFound:
            with database.turn():
                rows.mark_gone(index.pk, [row.run_id], clock.now())
            continue
        except (NotSent, RateLimited, CredentialRefused):
            raise
        except EngineError as problem:
            log.warning("run_index.unread_steps", workspace=index.pk, error=type(problem).__name__)
            with database.turn():
                values.put_off(row, index.kept)
            break
        if not run.steps and row.values_read != LATER:
            # They may be written later than usual.
            with database.turn():
                values.put_off(row, index.kept)
            continue
        now = clock.now()
        try:
            _save_values(work, row, run, named, now)
        except Lost:
            raise
        except Exception:
            # Otherwise it would be the first of every turn, and no other run would be read.
            with database.turn():
                values.put_off(row, index.kept)
            raise
        index.lease_until = now + LEASE
    # The calls of this minute were counted when they were reserved.
    work.hurries = index.values_calls < values.MINUTE


def _save_values(work: Work, row: IndexedRun, run: Run, titles: Mapping[str, str], now: datetime) -> None:
    """Store the values of a run. Raises Lost."""
    with database.turn(), transaction.atomic():
        if not RunIndex.lease.renew(RunIndex.objects.all(), work.index, LEASE, now):
            raise Lost
        if values.save(work.index, row, run, titles, work.key):
            rows.count_change(work.index.pk, past=row.created < recent.begin(now))


def _settle(work: Work, span: Span, found: list[Run], rest: datetime | None, new: int) -> None:
    """Record the results of a comparison: runs that were missed, and runs that are gone."""
    millisecond = timedelta(milliseconds=1)
    oldest = rest + millisecond if rest is not None else span.after
    listed = {run.id for run in found}
    with database.turn():
        known = rows.between(work.index.pk, oldest, span.before and span.before - millisecond)
        absent = set(known.filter(gone_at__isnull=True).values_list("run_id", flat=True)) - listed
        rows.mark_gone(work.index.pk, absent, clock.now())
        if new:
            RunIndex.objects.filter(pk=work.index.pk).update(missed=F("missed") + new)
            log.warning("run_index.missed", workspace=work.index.pk, runs=new)


def _compare(work: Work) -> None:
    """Compare the index with the engine from time to time, by counts where the engine has them; times that differ are read again."""
    index = work.index
    last = index.compared_at
    if index.spans or index.read_until is None or (last is not None and work.now - last < COMPARED):
        return
    end = index.read_until - SETTLED
    try:
        wrong = [] if end <= work.floor else _differing(work, work.floor, end)
    except NoRoute:
        complete = last is None or work.now.date() != last.date()
        wrong = [Span(work.floor if complete else end - _RECENT, end, compares=True)]
    _write(work, (), wrong, compared_at=clock.now())


def _differing(work: Work, after: datetime, before: datetime) -> list[Span]:
    """The times in which the engine counts other runs than the index, halved until they are short, the latest first.

    Every day is counted: over longer times, a run that was missed and one that was deleted would cancel each other out. Beyond DAYS,
    the times that are counted grow with their age, so that ten years take a few hundred calls.
    """
    waiting, wrong = [(after, before)], list[Span]()
    while waiting:
        start, end = waiting.pop()
        length = end - start
        if length <= max(COUNTED, (before - end) / DAYS) and _counts_agree(work, start, end):
            continue
        if length < SHORTEST:
            wrong.append(Span(start, end, compares=True))
        else:
            middle = start + length / 2
            waiting += [(start, middle), (middle, end)]
    return wrong


def _counts_agree(work: Work, after: datetime, before: datetime) -> bool:
    counted = work.client.workflows.count_runs(created_after=after, created_before=before)
    # Many counts take longer than a lease.
    _write(work, (), spans.load(work.index.spans))
    with database.turn():
        stored = IndexedRun.objects.filter(
            workspace_id=work.index.pk,
            created__gte=after,
            created__lte=before,
            archived__isnull=True,
            gone_at__isnull=True,
        )
        indexed = dict(stored.order_by().values_list("status").annotate(n=Count("pk")))
    return counted == indexed
