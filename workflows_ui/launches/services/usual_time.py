"""How long a flow usually takes: the median of its latest successes, against which pages and lists measure what is under way."""

import hashlib
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.utils import timezone
from django.utils.translation import gettext as _

from workflows_ui.core import formats
from workflows_ui.core.caching import answers
from workflows_ui.core.prepared import Prepared
from workflows_ui.launches.models import Launch, State

#: Launches and runs in a sample.
MOST = 20
#: The minimum sample for a statement on how long it takes.
_FEWEST = 3
_SECOND = 1000
#: Seconds for which the last sample of a flow's runs is kept for the pages that must not call the engine.
_SAMPLE_KEPT = 3600
#: States in which the engine is at work on a launch.
_AT_WORK = frozenset({State.SENDING, State.ACCEPTED, State.ENQUEUED, State.RUNNING})


@dataclass(frozen=True)
class Sample:
    """Launches, or runs, that have ended: their number, how many succeeded, and the durations of those (milliseconds)."""

    number: int
    well: int
    took: Sequence[float]

    @property
    def median(self) -> float | None:
        """How long it usually takes, in milliseconds: the median of the successes; None if too few are known."""
        return statistics.median(self.took) if len(self.took) >= _FEWEST else None

    @property
    def usual(self) -> str:
        """The same as text; "" if too few are known."""
        return formats.roughly(self.median) if self.median is not None else ""

    @property
    def spread(self) -> str:
        """The range of nearly all durations; "" if it adds nothing to the usual one."""
        if len(self.took) < 2 * _FEWEST:
            return ""
        ordered = sorted(self.took)
        least, most = (ordered[int(len(ordered) * part)] for part in (0.1, 0.9))
        low, high = formats.roughly(least), formats.roughly(most)
        if low == high:
            return ""
        text = _("mostly up to %(high)s") if least < _SECOND else _("mostly between %(low)s and %(high)s")
        return text % {"low": low, "high": high}


NOTHING = Sample(0, 0, ())

_ended = Prepared(
    lambda workspace, flow: (
        Launch.objects.filter(workspace=workspace, flow_id=flow, state__in=(State.SUCCEEDED, State.FAILED))
        .order_by("-asked_at", "-pk")
        .values_list("state", "run_started_at", "run_finished_at")[:MOST]
    ),
    int,
    str,
)


def sample_of(ended: Iterable[tuple[bool, object, object]]) -> Sample:
    """The sample of what has ended: whether each succeeded, its start and its end."""
    outcomes = list(ended)
    took = [length for well, start, end in outcomes if well and (length := formats.between(start, end)) is not None]
    return Sample(len(outcomes), sum(1 for well, _start, _end in outcomes if well), took)


def ended_launches(workspace_id: int, flow_id: str) -> Sample:
    """The sample of a flow's latest launches. One query."""
    return sample_of((state == State.SUCCEEDED, start, end) for state, start, end in _ended(workspace_id, flow_id))


def keep_runs(workspace_id: int, flow_id: str, sample: Sample) -> None:
    """Keep the sample of a flow's latest runs, which the engine was asked for."""
    answers.set(_key(workspace_id, flow_id), sample, _SAMPLE_KEPT)


def load(workspace_id: int, flow_id: str) -> Sample:
    """The sample that shows how long a flow usually takes, as its launch form showed it. One query, no call: the runs are those that
    `keep_runs` was given, at most an hour ago.
    """
    return larger(ended_launches(workspace_id, flow_id), answers.get(_key(workspace_id, flow_id)) or NOTHING)


def larger(launches: Sample, runs: Sample) -> Sample:
    """The larger sample: runs say more about a flow that mostly starts automatically."""
    return max(launches, runs, key=lambda sample: sample.number)


def elapsed(launch: Launch) -> int | None:
    """Milliseconds since a launch was sent, while the engine is at work on it; None before and after."""
    if launch.state not in _AT_WORK or launch.sending_at is None:
        return None
    return max(0, int((timezone.now() - launch.sending_at).total_seconds() * 1000))


def find_late(workspace_id: int, under_way: Mapping[str, tuple[str, float]]) -> frozenset[str]:
    """The keys of what takes longer than its flow usually does, of (flow id, milliseconds so far) by key. One query a flow."""
    flows = {flow_id for flow_id, _passed in under_way.values() if flow_id}
    medians = {flow_id: load(workspace_id, flow_id).median for flow_id in flows}
    return frozenset(
        key
        for key, (flow_id, passed) in under_way.items()
        if (median := medians.get(flow_id)) is not None and passed > median
    )


def _key(workspace_id: int, flow_id: str) -> str:
    digest = hashlib.sha256(flow_id.encode()).hexdigest()[:32]
    return f"flow-usual-time:{workspace_id}:{digest}"
