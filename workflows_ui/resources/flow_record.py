"""How a flow has done lately: how often it went well, how long it takes, who launched it last; and from how many that is told."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from workflows_ui.kit import show
from workflows_ui.kit.caller import Caller
from workflows_ui.models import Launch, State
from workflows_ui.resources.flow_reading import REFUSALS
from workflows_ui.services import runs
from workflows_ui.services.access import Access

#: Launches and runs that are looked at, and seconds for which runs are remembered.
MOST, _FOR = 50, 60
#: Fewer say nothing about how long it takes.
_FEWEST = 3
_SECOND = 1000


@dataclass(frozen=True)
class Sample:
    """Launches, or runs, that have ended: how many, how many of them well, and how long those took (milliseconds)."""

    number: int
    well: int
    took: Sequence[float]

    @property
    def usual(self) -> str:
        """How long it usually takes: the middle of those that went well; "" where too few are known."""
        return show.roughly(statistics.median(self.took)) if len(self.took) >= _FEWEST else ""

    @property
    def spread(self) -> str:
        """Between which lengths nearly all of them are; "" where that says no more than the usual one."""
        if len(self.took) < 2 * _FEWEST:
            return ""
        ordered = sorted(self.took)
        least, most = (ordered[int(len(ordered) * part)] for part in (0.1, 0.9))
        low, high = show.roughly(least), show.roughly(most)
        if low == high:
            return ""
        words = _("mostly up to %(high)s") if least < _SECOND else _("mostly between %(low)s and %(high)s")
        return words % {"low": low, "high": high}


@dataclass(frozen=True)
class Record:
    """What is told of a flow. `last` is when it was last launched here, `by` whose launch that was; None and "" where it never was."""

    launches: Sample
    runs: Sample | None
    last: datetime | None
    by: str

    @property
    def best(self) -> Sample:
        """The larger sample: a flow that mostly starts by itself is better told by its runs."""
        return self.runs if self.runs is not None and self.runs.number > self.launches.number else self.launches

    @property
    def success(self) -> str:
        """How often it went well, of how many times; "" where none has ended."""
        sample = self.best
        return (_launched if sample is self.launches else _ran)(sample) if sample.number else ""


def _launched(sample: Sample) -> str:
    if sample.number == 1:
        return (
            _("It went well the one time it was launched")
            if sample.well
            else _("It failed the one time it was launched")
        )
    if sample.well == sample.number:
        words = _("It went well each of the last %(number)d times it was launched")
    elif sample.well:
        words = _("It went well %(well)d of the last %(number)d times it was launched")
    else:
        words = _("It failed each of the last %(number)d times it was launched")
    return words % {"well": sample.well, "number": sample.number}


def _ran(sample: Sample) -> str:
    if sample.number == 1:
        return _("It went well the one time it ran") if sample.well else _("It failed the one time it ran")
    if sample.well == sample.number:
        words = _("It went well each of the last %(number)d times it ran")
    elif sample.well:
        words = _("It went well %(well)d of the last %(number)d times it ran")
    else:
        words = _("It failed each of the last %(number)d times it ran")
    return words % {"well": sample.well, "number": sample.number}


def of(place: Access, flow_id: str, caller: Caller | None = None) -> Record:
    """The record of a flow: from our rows; with a caller that is not quick, from its newest runs too (one call, remembered for a minute).

    Whose launches they are does not matter here: only the last one's person is named, and to guests nobody is.
    """
    rows = Launch.objects.filter(workspace=place.workspace, flow_id=flow_id).order_by("-asked_at", "-pk")
    ended = rows.filter(state__in=(State.SUCCEEDED, State.FAILED)).values_list(
        "state", "run_started_at", "run_finished_at"
    )[:MOST]
    launches = _sample((state == State.SUCCEEDED, start, end) for state, start, end in ended)
    last = rows.select_related("user").only("asked_at", "user").first()
    label = last.user.label if last is not None and not place.guest else ""
    return Record(launches, _runs(caller, flow_id) if caller else None, last.asked_at if last else None, label)


def _sample(ended: Iterable[tuple[bool, object, object]]) -> Sample:
    told = list(ended)
    took = [length for well, start, end in told if well and (length := show.between(start, end)) is not None]
    return Sample(len(told), sum(1 for well, _start, _end in told if well), took)


def _runs(caller: Caller, flow_id: str) -> Sample | None:
    def ask() -> Sample:
        try:
            page = caller.workflows.list_runs(limit=MOST, flow_id=flow_id)
        except REFUSALS:
            return Sample(0, 0, ())
        rows = page.get("data")
        listed = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
        ended = [(runs.state(row), row) for row in listed if runs.state(row) in (State.SUCCEEDED, State.FAILED)]
        return _sample((state == State.SUCCEEDED, row.get("startTime"), row.get("finishTime")) for state, row in ended)

    nothing: Sample | None = None
    return caller.decorate(nothing, f"flow-record:{flow_id}", _FOR, ask)
