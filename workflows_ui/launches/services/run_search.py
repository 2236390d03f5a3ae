"""Search for the runs of launches without one: by the marker in the engine's run list, else by the header stored with a run.

A PollSnapshot also records how much a list proves: which lists were not read to the end or may hide a run.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Concatenate, ParamSpec, TypeVar

import structlog

from workflows_ui.engine import USER_AGENT, Client, CredentialRefused, EngineError, Forbidden, Workflows
from workflows_ui.engine_objects.runs import Run
from workflows_ui.launches.models import CONFIRMED, Follow, Launch
from workflows_ui.launches.services import run_results
from workflows_ui.launches.services.runs import PollSnapshot
from workflows_ui.members.models import Workspace

log = structlog.get_logger(__name__)
T = TypeVar("T")
P = ParamSpec("P")

#: Ids in one call (since 0.83 a query takes no more: recording `runs_list_flow_run_ids_21_refused`), runs in one page (5 kB each since
#: 0.83), pages in one search, single runs requested in one poll.
IDS, PAGE, PAGES, SINGLES = 20, 50, 60, 50
#: Errors after which a poll reads no more lists; the next poll reads the rest.
PROBLEMS = 2
#: Tolerated difference of the engine's clock; the wider one is used before it is concluded that there is no run.
SKEW, WIDE = timedelta(minutes=2), timedelta(hours=1)
#: A run not found by its marker for this long is also searched for by the header stored in its trigger.
HEADER_SEARCH_AFTER = timedelta(seconds=5)
#: The marker as a request header; the engine stores the request's headers with the run.
HEADER = "x-console-launch-id"
_UNKNOWN = datetime.min.replace(tzinfo=UTC)


class EngineCaller:
    """Calls the engine with the first credential that is accepted. Refused credentials are tried only once."""

    def __init__(self, clients: list[Client]) -> None:
        self._clients = clients

    def __call__(self, call: Callable[Concatenate[Workflows, P], T], *args: P.args, **options: P.kwargs) -> T:
        while True:
            try:
                return call(self._clients[0].workflows, *args, **options)
            except (CredentialRefused, Forbidden):
                if len(self._clients) == 1:
                    raise
                self._clients = self._clients[1:]


@dataclass(frozen=True)
class Work:
    """One poll: the launches that are due, the means to read their runs, and what was read."""

    follow: Follow
    workspace: Workspace
    launches: list[Launch]
    call_engine: EngineCaller
    offset: timedelta
    now: datetime
    #: When it makes no more requests for single runs, by the monotonic clock.
    until: float
    #: Whether the engine owes runs of other launches: then no run counts as missing yet.
    runs_owed: bool
    snapshot: PollSnapshot


def search(work: Work) -> None:
    """Search for the runs of all launches of the work without one, and add them to its snapshot.

    The search is wider for launches about to be concluded to have no run.
    """
    lost = [launch for launch in work.launches if not launch.run_id and launch.sending_at is not None]
    late = {launch.pk for launch in lost if run_results.search_is_over(launch, work.now)}
    _search(work, [launch for launch in lost if launch.pk not in late], SKEW)
    # Launches concluded perhaps a day ago are checked again separately, so that they do not lengthen the others' search.
    _search(work, [launch for launch in lost if launch.pk in late and launch.misses < CONFIRMED], WIDE)
    _search(work, [launch for launch in lost if launch.pk in late and launch.misses >= CONFIRMED], WIDE)


def _search(work: Work, lost: list[Launch], margin: timedelta) -> None:
    """Find the runs of launches by the marker, in the list of their flows' runs since `margin` before the first launch was sent.

    Otherwise by the header stored with a run, if the marker has never come back or is missing.
    """
    by_flow: dict[str, list[Launch]] = defaultdict(list)
    for launch in lost:
        by_flow[launch.flow_id].append(launch)
    flow_ids = sorted(by_flow)
    for start in range(0, len(flow_ids), IDS):
        chunk = flow_ids[start : start + IDS]
        wanted = {launch.pk: launch for flow_id in chunk for launch in by_flow[flow_id]}
        if len(work.snapshot.problems) >= PROBLEMS:
            work.snapshot.incomplete |= set(wanted)
            continue
        first_sent = min(launch.sending_at for launch in wanted.values() if launch.sending_at)
        # `Date` may be a gateway's clock and not the engine's, so a clock ahead of the console's never shortens the search: a run outside
        # of it would be reported as missing.
        since = first_sent + min(work.offset, timedelta(0)) - margin
        # Never the same URL twice: a proxy may cache answers.
        since -= timedelta(milliseconds=work.now.microsecond // 1000)
        unmarked: list[Run] = []
        for run in _list_runs(work, chunk, since):
            if run is None:
                work.snapshot.incomplete |= set(wanted)
                break
            match = wanted.get(run.parent_run_id)
            if match is not None and run.flow_id == match.flow_id:
                # Oldest wins: a retry on the latest version may carry its first run's marker along.
                work.snapshot.runs[match.pk] = run
                work.snapshot.by_marker.add(match.pk)
            elif not run.parent_run_id:
                unmarked.append(run)
        _search_headers(work, wanted, unmarked)


def _list_runs(work: Work, flow_ids: list[str], after: datetime) -> Iterable[Run | None]:
    """The runs of these flows since `after`, newest first, including archived ones; finally None if there may be more, or if a page
    cannot be read.

    Pages overlap by an inclusive `createdBefore`, since the engine's own cursors lose rows of the boundary second (api.md 4.1).
    """
    seen: set[str] = set()
    before: datetime | None = None
    for _ in range(PAGES):
        try:
            answer = work.call_engine(
                Workflows.list_runs, limit=PAGE, flow_id=flow_ids, created_after=after, created_before=before
            )
        except EngineError as problem:
            log.info("follow.list_failed", workspace=work.workspace.pk, error=type(problem).__name__)
            work.snapshot.problems.append(problem)
            break
        work.snapshot.pages += 1
        page = [Run(row) for row in answer["data"]]
        fresh = [run for run in page if run.id and run.id not in seen]
        seen.update(run.id for run in fresh)
        yield from fresh
        # An engine may return less than the limit and have more.
        if len(page) < PAGE and not answer.get("next"):
            return
        last = page[-1].created if page else None
        if not fresh or last is None or time.monotonic() > work.until:
            break
        # The engine stores more digits than it returns.
        before = last + timedelta(milliseconds=1)
    yield None


def _search_headers(work: Work, wanted: dict[str, Launch], unmarked: list[Run]) -> None:
    """Read the request's headers in runs without a marker, oldest first.

    A gateway may drop the marker, and a run that was retried on the latest version has its first run's headers. Where the marker has
    come back before, this is done only for launches about to be given up.
    """
    snapshot, old_enough = work.snapshot, work.now - HEADER_SEARCH_AFTER
    marker_works = work.workspace.marker_seen_at is not None or bool(snapshot.by_marker)
    lost = {
        pk: launch
        for pk, launch in wanted.items()
        if pk not in snapshot.runs
        and launch.sending_at
        and (run_results.search_is_over(launch, work.now) if marker_works else launch.sending_at < old_enough)
    }
    # Before 0.83 the headers are missing while a run is in progress (recording `run_get_RUNNING`).
    readable = [
        run
        for run in unmarked
        if run.status not in {"QUEUED", "RUNNING"} or (run.steps_count is not None and run.status == "RUNNING")
    ]
    for run in sorted(readable, key=lambda run: run.created or _UNKNOWN)[:SINGLES]:
        if time.monotonic() > work.until or not lost:
            return
        try:
            full_run = Run(work.call_engine(Workflows.get_run, run.id))
        except EngineError as problem:
            log.info("follow.run_failed", run=run.id[:64], error=type(problem).__name__)
            continue
        marker = full_run.trigger.header(HEADER)
        if not marker and full_run.trigger.header("user-agent") == USER_AGENT:
            # The console started this run: a gateway drops the console's headers.
            snapshot.unprovable |= {pk for pk, launch in lost.items() if launch.flow_id == full_run.flow_id}
        launch = lost.pop(marker, None)
        if launch is not None and full_run.flow_id == launch.flow_id:
            snapshot.runs[launch.pk] = snapshot.details[launch.pk] = full_run
            snapshot.unmarked.add(launch.pk)
