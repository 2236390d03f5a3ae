"""States of the engine's runs, and the corresponding states of launches.

The only table of a run's states: launches, pages, filters, counters and texts are derived from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from workflows_ui.core.states import Badge
from workflows_ui.engine import EngineError
from workflows_ui.engine_objects.runs import Run
from workflows_ui.launches.models import State


@dataclass(frozen=True)
class RunState(Badge):
    """A state of runs, and the corresponding state of a launch."""

    launch: State = State.OTHER


_FINAL = (State.SUCCEEDED, State.FAILED, State.CANCELLED)
#: The engine's statuses (api.md 8.1, engine-0.83.md section 8), in the order of filters. CANCELED comes without a finish time.
STATES: Mapping[str, RunState] = {
    "QUEUED": RunState(_("Queued in the engine"), "clock", "blue", launch=State.ENQUEUED),
    "RUNNING": RunState(_("Running"), "loader-circle", "blue", moving=True, launch=State.RUNNING),
    "PAUSED": RunState(_("Paused"), "circle-pause", "yellow", launch=State.PAUSED),
    "SUCCEEDED": RunState(_("Succeeded"), "circle-check", "green", launch=State.SUCCEEDED),
    "FAILED": RunState(_("Failed"), "circle-x", "red", launch=State.FAILED),
    "TIMEOUT": RunState(_("Stopped: timed out"), "timer-off", "red", launch=State.FAILED),
    "MEMORY_LIMIT_EXCEEDED": RunState(_("Stopped: out of memory"), "memory-stick", "red", launch=State.FAILED),
    "QUOTA_EXCEEDED": RunState(_("Stopped: quota exceeded"), "gauge", "red", launch=State.FAILED),
    "LOG_SIZE_EXCEEDED": RunState(_("Stopped: too much data"), "database", "red", launch=State.FAILED),
    "INTERNAL_ERROR": RunState(_("Engine error"), "triangle-alert", "red", launch=State.FAILED),
    "CANCELED": RunState(_("Cancelled"), "ban", "secondary", launch=State.CANCELLED),
}
#: The statuses of a run that succeeded, that failed, and that has not ended.
SUCCEEDED = tuple(name for name, run_state in STATES.items() if run_state.launch == State.SUCCEEDED)
FAILED = tuple(name for name, run_state in STATES.items() if run_state.launch == State.FAILED)
UNDER_WAY = tuple(name for name, run_state in STATES.items() if run_state.launch not in _FINAL)


def state(run: Run) -> State:
    """The launch state for a run's status; OTHER for an unknown status."""
    known = STATES.get(run.status)
    return known.launch if known else State.OTHER


def ended(run: Run) -> bool:
    """Whether the run has ended: its state is final or, if the console does not know the state, there is a finish time.

    In a known state that is not final, a finish time is that of an earlier attempt (recording `run_retry_from_failed_step`).
    """
    return state(run) in _FINAL if run.status in STATES else run.finish_time is not None


def start_of_try(run: Run, retried: datetime | None) -> datetime | None:
    """The start of a run's latest attempt: `startTime`, or the time of the retry if `startTime` is still that of the first attempt
    (0.72.4 keeps it, recording `run_retry_from_failed_step`). None without a `startTime`.

    If the run appears to have ended before its retry, the engine's clock is slow and `startTime` is that of the retry.
    """
    started = run.start_time
    if started is None or retried is None or started >= retried:
        return started
    finished = run.finish_time
    return started if ended(run) and finished and finished < retried else retried


@dataclass
class PollSnapshot:
    """The engine's state in one poll, by launch id: listed runs, runs with steps, launches whose known run is gone. No secrets."""

    #: When the poll began.
    at: datetime
    runs: dict[str, Run] = field(default_factory=dict)
    details: dict[str, Run] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    #: Launches whose run was found by the marker in the list.
    by_marker: set[str] = field(default_factory=set)
    #: Launches whose ended run could not be read: its result may be given up in the end. Those not requested wait.
    unread: set[str] = field(default_factory=set)
    #: The errors that ended the reading of lists early: what was read counts, the rest is read again. `pages`: how many could be read.
    problems: list[EngineError] = field(default_factory=list)
    pages: int = 0
    #: Launches whose list was not read completely: it must not be concluded that they have no run.
    incomplete: set[str] = field(default_factory=set)
    #: Launches without a conclusion in this poll: it is unknown whether their flow exists, or the engine owes other runs.
    postponed: set[str] = field(default_factory=set)
    #: Launches for which even a complete list proves nothing: the flow is not visible, or an unidentified run may be theirs.
    unprovable: set[str] = field(default_factory=set)
    #: Launches whose run has no marker and was found by its stored header: a gateway drops the marker.
    unmarked: set[str] = field(default_factory=set)
