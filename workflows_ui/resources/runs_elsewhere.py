"""Runs that the console did not start (webhooks, the clock, other tools) and that want somebody's eye: under way, or failed lately."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from workflows_ui.engine import EngineError
from workflows_ui.kit.caller import Caller
from workflows_ui.kit.resource import Row, id_at
from workflows_ui.models import ENDED
from workflows_ui.resources import launchable, run_starters
from workflows_ui.resources.places import run_url
from workflows_ui.resources.run_reading import failed_at, name_of
from workflows_ui.services import runs

#: Runs that the one call asks for, seconds for which its answer is remembered, and runs that are shown of each kind.
_RUNS, _FOR, SHOWN = 100, 60, 5
FAILED = ("FAILED", "INTERNAL_ERROR", "TIMEOUT", "MEMORY_LIMIT_EXCEEDED", "QUOTA_EXCEEDED")
GOING_ON = ("QUEUED", "RUNNING", "PAUSED")
_KEPT = ("id", "flowId", "status", "created", "finishTime", "parentRunId", "flowVersion", "failedStep")


@dataclass(frozen=True)
class Run:
    """A run as home tells it. `by` is what started it, "" where that may be anybody; `step` the failed one's name, "" for none;
    `status` the engine's word."""

    url: str
    flow: str
    by: str
    step: str
    status: object
    at: datetime | None


@dataclass(frozen=True)
class Some:
    """The newest of some runs, and how many there are; `more` where the engine may know further ones."""

    newest: tuple[Run, ...]
    number: int
    more: bool


@dataclass(frozen=True)
class Elsewhere:
    """What was started elsewhere and is under way, and what failed."""

    running: Some
    failed: Some


def of(caller: Caller, since: datetime) -> Elsewhere | None:
    """Runs under way, and those that failed after `since`, without those of launches. One call, remembered for a minute; None where the
    engine does not tell."""

    def ask() -> list[dict[str, Any]]:
        data = caller.workflows.list_runs(limit=_RUNS, status=[*FAILED, *GOING_ON]).get("data")
        rows = [row for row in data if isinstance(row, dict)] if isinstance(data, list) else []
        return [{key: row[key] for key in _KEPT if key in row} for row in rows if id_at(row)]

    try:
        found = caller.remember("runs-to-look-at", _FOR, ask)
    except EngineError:
        return None
    launched = run_starters.launches_of(caller.workspace, found)
    theirs = run_starters.named(
        caller.workspace, [row for row in found if id_at(row) not in launched], launchable.starts(caller)
    )
    going = [row for row in theirs if runs.state(dict(row)) not in ENDED]
    failed = [row for row in theirs if row.get("status") in FAILED and _after(row, since)]
    full = len(found) >= _RUNS
    slug = caller.workspace.slug
    return Elsewhere(_some(slug, going, full=full), _some(slug, failed, full=full))


def _after(row: Row, since: datetime) -> bool:
    moment = _moment(row)
    return moment is not None and moment > since


def _moment(row: Mapping[str, Any]) -> datetime | None:
    return runs.moment(dict(row), "finishTime") or runs.moment(dict(row), "created")


def _some(slug: str, rows: Sequence[Row], *, full: bool) -> Some:
    newest = tuple(
        Run(
            run_url(slug, row.get("id")),
            name_of(row) or id_at(row, "flowId"),
            run_starters.name_of(row),
            failed_at(row),
            row.get("status"),
            _moment(row),
        )
        for row in rows[:SHOWN]
    )
    return Some(newest, len(rows), full)
