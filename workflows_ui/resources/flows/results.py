"""How a flow did lately: its latest results, for its row in the list; and its record (success, duration, last launch), for its pages."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import NamedTuple

from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from workflows_ui.core import formats
from workflows_ui.core.paths import dicts_at
from workflows_ui.core.prepared import Prepared
from workflows_ui.core.readers import parts_of
from workflows_ui.core.states import Badge
from workflows_ui.credentials.services.engine_session import EngineSession, cached
from workflows_ui.engine_objects.runs import Run
from workflows_ui.launches import panels as plots
from workflows_ui.launches.models import Launch, State
from workflows_ui.launches.services import runs, usual_time
from workflows_ui.launches.services.usual_time import MOST as MOST, Sample
from workflows_ui.members.models import Role
from workflows_ui.members.services.access import Access
from workflows_ui.resource_admin.places import launch_url, run_url
from workflows_ui.run_index.services import indexes
from workflows_ui.runs import plots as run_plots, reading as run_reading
from workflows_ui.web import elements, messages
from workflows_ui.web.plots import Spark

_RUNS, _LAUNCHES, _SHOWN = 100, 200, 5


@dataclass(frozen=True)
class Outcome:
    """One run, or a launch without one: its state, its time, and its page ("" for none)."""

    state: Badge
    at: datetime
    url: str

    @property
    def when(self) -> str:
        return formats.relative(self.at)

    def __str__(self) -> str:
        """With the day and time, for exports."""
        return f"{self.state.word} ({formats.exact(self.at, seconds=False)})"


@dataclass(frozen=True)
class Results:
    """The latest outcomes, newest first. Not a tuple, of which an exported file in JSON would show each part."""

    outcomes: tuple[Outcome, ...]

    def __str__(self) -> str:
        """All of them as text, for exports."""
        return "; ".join(map(str, self.outcomes))


def html(value: Results) -> SafeString:
    """The badge of the newest outcome, and the icons of the earlier ones."""
    newest, *earlier = value.outcomes
    before = [(one.state, f"{one.state.word}, {one.when}") for one in earlier]
    return elements.results(newest.state, newest.url, newest.when, before)


#: The colours of outcomes in the order in which a list shows them: what went wrong first.
_WORST_FIRST = ("red", "orange", "yellow", "blue", "secondary", "green")
#: More than the seconds of any moment.
_EPOCH = 1e11


def rank(flow: Mapping[str, object]) -> float | None:
    """What the list of flows is sorted by, if by its last results: failures first, of these the latest."""
    newest = _newest_outcome(flow)
    if newest is None:
        return None
    colour = newest.state.colour
    worst = _WORST_FIRST.index(colour) if colour in _WORST_FIRST else len(_WORST_FIRST)
    return worst * _EPOCH - newest.at.timestamp()


def last_run(flow: Mapping[str, object]) -> datetime | None:
    """When the newest of the last results of a flow began."""
    newest = _newest_outcome(flow)
    return newest.at if newest else None


def _newest_outcome(flow: Mapping[str, object]) -> Outcome | None:
    found = flow.get("results")
    return found.outcomes[0] if isinstance(found, Results) else None


class _Recent(NamedTuple):
    """What the badge and the link of a launch need, in the order of the model's columns: of 200, those that are shown become rows."""

    id: str
    user_id: int
    flow_id: str
    state: str
    reason: str
    asked_at: datetime
    send_by: datetime
    kept: bool
    poll_at: datetime | None
    misses: int
    run_status: str


#: The newest launches of flows, without those whose runs are listed already.
_without_runs = Prepared(
    lambda workspace, flows, runs: (
        Launch.objects.filter(workspace=workspace, flow_id__in=flows)
        .exclude(run_id__in=runs)
        .order_by("-asked_at")
        .values_list(*_Recent._fields)[:_LAUNCHES]
    ),
    int,
    [str],
    [str],
)


def latest(session: EngineSession, flow_ids: Sequence[str]) -> dict[str, Results]:
    """Results by flow. The project's newest hundred runs, at most a minute old, are the one call; a quick session does
    without if they are not cached, and so does the page if the engine refuses them. Flows that ran long ago have none.
    """
    wanted_ids, listed = set(flow_ids), _newest_runs(session)
    found: dict[str, list[tuple[datetime, _Recent | tuple[str, str]]]] = defaultdict(list)
    for flow, run, status, created in listed:
        if flow in wanted_ids:
            found[flow].append((created, (status, run)))
    for values in _without_runs(session.workspace.pk, list(wanted_ids), [run for _flow, run, *_rest in listed]):
        launch = _Recent(*values)
        found[launch.flow_id].append((launch.asked_at, launch))
    return {flow: _results(session, items) for flow, items in found.items()}


def _results(session: EngineSession, found: list[tuple[datetime, _Recent | tuple[str, str]]]) -> Results:
    """The newest of these launches and runs (state, id)."""
    newest = sorted(found, key=itemgetter(0), reverse=True)[:_SHOWN]
    return Results(tuple(_outcome(session, time, item) for time, item in newest))


def _outcome(session: EngineSession, time: datetime, item: _Recent | tuple[str, str]) -> Outcome:
    if isinstance(item, _Recent):
        launch = Launch.from_db(None, _Recent._fields, item)
        return Outcome(messages.launch_badge(launch), time, launch_url(session, launch))
    status, run = item
    return Outcome(messages.run_state(status), time, run_url(session.workspace.slug, run))


def sparks(session: EngineSession, flow_ids: Sequence[str]) -> Mapping[str, Spark]:
    """The last days of each flow: its runs where there is a run index, else its launches, everybody's for builders, else one's own.

    Two queries, or none if a second request follows.
    """
    if session.put_off:
        return {}
    if index := indexes.for_session(session):
        return run_plots.sparks(index, session.workspace.slug, flow_ids)
    rows = Launch.objects.filter(workspace=session.workspace)
    if not session.allows(Role.BUILDER):
        rows = rows.filter(user=session.user_id)
    return plots.sparks(rows, session.workspace.slug, flow_ids)


@cached("flow-outcomes", 60, [], optional=True)
def _newest_runs(session: EngineSession) -> list[tuple[str, str, str, datetime]]:
    """(flow, run, state, created) of the newest runs."""
    rows = parts_of(session.workflows.list_runs(limit=_RUNS).get("data"), Run)
    return [(run.flow_id, run.id, run.status, run.created) for run in rows if run.created]


@dataclass(frozen=True)
class Record:
    """The record of a flow. `last` is when it was last launched here, `by` by whom; None and "" if never."""

    launches: Sample
    runs: Sample
    last: datetime | None
    by: str

    @property
    def best(self) -> Sample:
        """The larger sample."""
        return usual_time.larger(self.launches, self.runs)

    @property
    def success(self) -> str:
        """How often it succeeded, out of how many; "" if none has ended."""
        sample = self.best
        if not sample.number:
            return ""
        one_well, one_failed, all_well, some_well, all_failed = _LAUNCHED if sample is self.launches else _RAN
        if sample.number == 1:
            return str(one_well if sample.well else one_failed)
        text = all_failed if not sample.well else all_well if sample.well == sample.number else some_well
        return str(text) % {"well": sample.well, "number": sample.number}


#: How often a flow succeeded, and what is counted: once, never in one, always, sometimes, never.
_LAUNCHED = (
    gettext_lazy("Its one finished launch from here succeeded"),
    gettext_lazy("Its one finished launch from here failed"),
    gettext_lazy("All of its last %(number)d finished launches from here succeeded"),
    gettext_lazy("%(well)d of its last %(number)d finished launches from here succeeded"),
    gettext_lazy("All of its last %(number)d finished launches from here failed"),
)
#: The same of runs as the engine lists them, including launches from this console.
_RAN = (
    gettext_lazy("Its one finished run succeeded"),
    gettext_lazy("Its one finished run failed"),
    gettext_lazy("All of the last %(number)d finished runs succeeded"),
    gettext_lazy("%(well)d of the last %(number)d finished runs succeeded"),
    gettext_lazy("All of the last %(number)d finished runs failed"),
)


_last = Prepared(
    lambda workspace, flow: (
        Launch.objects.filter(workspace=workspace, flow_id=flow)
        .order_by("-asked_at", "-pk")
        .select_related("user")
        .only("asked_at", "user__username", "user__first_name", "user__last_name")[:1]
    ),
    int,
    str,
)


def load_record(access: Access, flow_id: str, session: EngineSession | None = None) -> Record:
    """The record of a flow: from local rows; with a session that is not quick, from its newest runs too (one call, cached for a minute).

    Every page with success figures uses this, so that the figures agree. The launches of all people count: only the last one's person is
    named, and not to guests.
    """
    launches = usual_time.ended_launches(access.workspace.pk, flow_id)
    last = _last.first(access.workspace.pk, flow_id)
    label = last.user.label if last is not None and not access.guest else ""
    return Record(
        launches,
        _ended_runs(session, flow_id) if session else usual_time.NOTHING,
        last.asked_at if last else None,
        label,
    )


#: What is kept of a run.
_KEPT = (
    "id",
    "status",
    "created",
    "updated",
    "startTime",
    "finishTime",
    "flowId",
    "flowVersionId",
    "parentRunId",
)


def latest_runs(session: EngineSession, flow_id: str) -> list[dict[str, object]]:
    """The flow's newest runs without steps, at most a minute old, with their retries. A quick session has them only if they are cached."""
    return run_reading.with_retries(session.workspace, _newest_of_flow(session, flow_id))


@cached("flow-latest-runs", 60, [], optional=True)
def _newest_of_flow(session: EngineSession, flow_id: str) -> list[dict[str, object]]:
    reduced = []
    for row in dicts_at(session.workflows.list_runs(limit=MOST, flow_id=flow_id), "data"):
        # Without the step's message, which may repeat what was typed into a secret field.
        step = Run(row).failed_step
        failed = {"failedStep": {"name": step.name, "displayName": step.title}}
        reduced.append({key: row[key] for key in _KEPT if key in row} | failed)
    return reduced


def _ended_runs(session: EngineSession, flow_id: str) -> Sample:
    states = [(runs.state(run), run) for run in map(Run, latest_runs(session, flow_id))]
    sample = usual_time.sample_of(
        (state == State.SUCCEEDED, run_reading.started(run), run.raw.get("finishTime"))
        for state, run in states
        if state in (State.SUCCEEDED, State.FAILED)
    )
    if sample.number:
        usual_time.keep_runs(session.workspace.pk, flow_id, sample)
    return sample
