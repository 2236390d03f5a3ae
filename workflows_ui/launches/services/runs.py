"""Readers of the engine's run objects: states, times and results, tolerant of missing and empty values.

The only table of a run's states: launches, pages, filters, counters and texts are derived from it.
"""

import json
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from workflows_ui.core import clock, database
from workflows_ui.core.states import Badge
from workflows_ui.engine import EngineError
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


def text(run: Mapping[str, Any], key: str) -> str:
    """A text of a run, storable in the database; '' for null and for values of other types."""
    value = run.get(key)
    return database.storable(value) if isinstance(value, str) else ""


def state(run: Mapping[str, Any]) -> State:
    """The launch state for a run's status; OTHER for an unknown status."""
    status = text(run, "status")
    return STATES[status].launch if status in STATES else State.OTHER


def ended(run: Mapping[str, Any]) -> bool:
    """Whether the run has ended: its state is final or, if the console does not know the state, there is a finish time.

    In a known state that is not final, a finish time is that of an earlier attempt (recording `run_retry_from_failed_step`).
    """
    known = text(run, "status") in STATES
    return state(run) in _FINAL if known else moment(run, "finishTime") is not None


def moment(run: Mapping[str, Any], key: str) -> datetime | None:
    """A time of a run (UTC), or None: the engine sends '' for a time in the future (recording `run_get_RUNNING`)."""
    return clock.parse_time(text(run, key))


def start_of_try(run: Mapping[str, Any], retried: datetime | None) -> datetime | None:
    """The start of a run's latest attempt: `startTime`, or the time of the retry if `startTime` is still that of the first attempt
    (0.72.4 keeps it, recording `run_retry_from_failed_step`). None without a `startTime`.

    If the run appears to have ended before its retry, the engine's clock is slow and `startTime` is that of the retry.
    """
    started, finished = moment(run, "startTime"), moment(run, "finishTime")
    if started is None or retried is None or started >= retried:
        return started
    return started if ended(run) and finished and finished < retried else retried


def failed_step(run: Mapping[str, Any]) -> tuple[str, str]:
    """Name and display name of the failed step; both '' without one (`failedStep` is {} then)."""
    step = run.get("failedStep")
    if not isinstance(step, dict):
        return "", ""
    name = text(step, "name")
    return name, text(step, "displayName") or name


def steps(run: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The step outputs by name in the order they ran; {} while running and if the engine stored none."""
    return next(_chains(run.get("steps")))


def trigger_header(run: Mapping[str, Any], name: str) -> str:
    """A header of the request that started the run, as stored by its trigger; '' if it is missing."""
    output = steps(run).get("trigger", {}).get("output")
    headers = output.get("headers") if isinstance(output, dict) else None
    return text(headers, name) if isinstance(headers, dict) else ""


def any_failed(steps: Any) -> bool:
    """Whether a step of this chain failed, including steps inside loops. `steps` are by name, as in a run or a loop's iteration."""
    return any(step.get("status") == "FAILED" for chain in _chains(steps) for step in chain.values())


def _chains(steps: Any) -> Iterator[dict[str, dict[str, Any]]]:
    """A chain of steps by name, then those of the iterations of its loops, which have the only outputs of the steps inside
    (recording `run_odd_SUCCEEDED_Imported_route_and_loop`)."""
    waiting = deque([steps])
    while waiting:
        chain = waiting.popleft()
        known = (
            {name: step for name, step in chain.items() if isinstance(step, dict)} if isinstance(chain, dict) else {}
        )
        yield known
        for step in known.values():
            output = step.get("output")
            iterations = output.get("iterations") if isinstance(output, dict) else None
            waiting += iterations if isinstance(iterations, list) else []


def result(run: Mapping[str, Any]) -> Any | None:
    """The output of the last step that ran at the top level; None if only the trigger ran."""
    outputs = [step.get("output") for name, step in steps(run).items() if name != "trigger"]
    return outputs[-1] if outputs else None


def answers(run: Mapping[str, Any]) -> bool:
    """Whether a step that ran returns the answer of a waiting call, by its inputs (recording `run_get_SUCCEEDED`)."""
    found = (step for chain in _chains(steps(run)) for step in chain.values())
    return any(isinstance(step.get("input"), dict) and "responseType" in step["input"] for step in found)


def failure(run: Mapping[str, Any]) -> str:
    """The failed step's error message; '' if the engine stored none.

    A listed run has no steps; since 0.83 its `failedStep` has the message (recording `run_get_FAILED`).
    """
    name, _display = failed_step(run)
    outputs = steps(run)
    failed = (chain[name] for chain in _chains(outputs) if name in chain and chain[name].get("status") == "FAILED")
    step = next(failed, outputs.get(name))
    message = step.get("errorMessage") if step else None
    if message in (None, "", {}) and isinstance(run.get("failedStep"), dict):
        message = run["failedStep"].get("message")
    if message in (None, "", {}):
        return ""
    return message if isinstance(message, str) else json.dumps(message, ensure_ascii=True)


@dataclass
class PollSnapshot:
    """The engine's state in one poll, by launch id: listed runs, runs with steps, launches whose known run is gone. No secrets."""

    #: When the poll began.
    at: datetime
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)
    details: dict[str, dict[str, Any]] = field(default_factory=dict)
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
