"""Reads runs as the engine sends them: states, times and results, whatever is missing or empty in them."""

import json
from datetime import UTC, datetime
from typing import Any

from workflows_ui.models import State
from workflows_ui.services import database

_FIRST_YEAR, _LAST_YEAR = 1970, 2999

#: The engine's words (api.md 8.1). A word that is not here is treated as not ended.
STATES = {
    "QUEUED": State.RUNNING,
    "RUNNING": State.RUNNING,
    "PAUSED": State.PAUSED,
    "SUCCEEDED": State.SUCCEEDED,
    "FAILED": State.FAILED,
    "TIMEOUT": State.FAILED,
    "MEMORY_LIMIT_EXCEEDED": State.FAILED,
    "QUOTA_EXCEEDED": State.FAILED,
    "INTERNAL_ERROR": State.FAILED,
    "CANCELED": State.FAILED,
}


def text(run: dict[str, Any], key: str) -> str:
    """A text of a run, as the database can keep it; nulls, empty strings and other kinds of value all read as ''."""
    value = run.get(key)
    return database.storable(value) if isinstance(value, str) else ""


def state(run: dict[str, Any]) -> State:
    """The launch state that a run's status means."""
    return STATES.get(text(run, "status"), State.RUNNING)


def moment(run: dict[str, Any], key: str) -> datetime | None:
    """A time of a run (ISO-8601, UTC), or None: the engine sends '' for a time that has not come (recording `run_get_RUNNING`).

    Times that no run can have read as None too: at the calendar's ends, a time zone's shift fits into no column and no page.
    """
    try:
        found = datetime.fromisoformat(text(run, key))
        found = found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    return found if _FIRST_YEAR <= found.year <= _LAST_YEAR else None


def failed_step(run: dict[str, Any]) -> tuple[str, str]:
    """Name and display name of the failed step; both '' where there is none (`failedStep` is {} then)."""
    step = run.get("failedStep")
    if not isinstance(step, dict):
        return "", ""
    name = text(step, "name")
    return name, text(step, "displayName") or name


def steps(run: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The step outputs by name in the order they ran; {} while running and where the engine kept none."""
    found = run.get("steps")
    return {name: step for name, step in found.items() if isinstance(step, dict)} if isinstance(found, dict) else {}


def trigger_header(run: dict[str, Any], name: str) -> str:
    """A header of the request that started the run, as its trigger stored it; '' where it is not there."""
    output = steps(run).get("trigger", {}).get("output")
    headers = output.get("headers") if isinstance(output, dict) else None
    return text(headers, name) if isinstance(headers, dict) else ""


def any_failed(steps: Any) -> bool:
    """Whether a step of this chain (steps by name, as a run or a round of a loop has them) failed; steps inside loops count."""
    waiting = [steps]
    while waiting:
        chain = waiting.pop()
        for step in chain.values() if isinstance(chain, dict) else ():
            if not isinstance(step, dict):
                continue
            if step.get("status") == "FAILED":
                return True
            output = step.get("output")
            rounds = output.get("iterations") if isinstance(output, dict) else None
            waiting.extend(rounds if isinstance(rounds, list) else ())
    return False


def result(run: dict[str, Any]) -> Any | None:
    """The output of the last step that ran at the top level; None where only the trigger ran."""
    outputs = [step.get("output") for name, step in steps(run).items() if name != "trigger"]
    return outputs[-1] if outputs else None


def failure(run: dict[str, Any]) -> str:
    """Why the run failed, in the failed step's own words; '' where the engine kept none."""
    name, _ = failed_step(run)
    found = _find(steps(run), name)
    message = found.get("errorMessage") if found else None
    if message is None or message == "":
        return ""
    return message if isinstance(message, str) else json.dumps(message, ensure_ascii=True)


def _find(outputs: dict[str, dict[str, Any]], name: str) -> dict[str, Any] | None:
    """A step's output by name; steps inside a loop are only in its iterations (recording `run_odd_SUCCEEDED_Imported_route_and_loop`)."""
    waiting = [outputs]
    while waiting:
        level = waiting.pop(0)
        for key, step in level.items():
            if key == name and step.get("status") == "FAILED":
                return step
            output = step.get("output")
            iterations = output.get("iterations") if isinstance(output, dict) else None
            if isinstance(iterations, list):
                waiting += [
                    {inner: value for inner, value in turn.items() if isinstance(value, dict)}
                    for turn in iterations
                    if isinstance(turn, dict)
                ]
    return outputs.get(name)
