"""Runs that the console did not start and that need attention: in progress, or recently failed."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from workflows_ui.core import crypto, redaction
from workflows_ui.core.paths import dict_at, dicts_at
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import EngineError
from workflows_ui.engine_objects.runs import Run
from workflows_ui.flows import launchable
from workflows_ui.launches.services import runs
from workflows_ui.resource_admin.places import list_url, run_url
from workflows_ui.resource_admin.resource import Row, id_at
from workflows_ui.runs import masking, starters
from workflows_ui.runs.reading import error_of, failed_at, finished, name_of

#: Runs requested by the one call, seconds for which its answer is cached, and runs shown of each kind.
_RUNS, _FOR, SHOWN = 100, 60, 5
_NAME = "runs-to-look-at"
_KEPT = ("id", "flowId", "status", "created", "finishTime", "parentRunId", "flowVersion", "failedStep")


def find_runs(session: EngineSession, since: datetime) -> dict[str, object] | None:
    """Runs in progress (`running`), and those that `failed` after `since`, without those of launches; `more` if the
    engine may have further ones. One call, cached for a minute; None if the engine gives no answer.
    """

    def ask() -> str:
        page = session.workflows.list_runs(limit=_RUNS, status=[*runs.FAILED, *runs.UNDER_WAY])
        # Sealed: a failure's message may repeat what was typed into a secret field, and whose it was is known later.
        return crypto.seal(json.dumps([_reduced(row) for row in dicts_at(page, "data") if id_at(row)]), _NAME)

    try:
        rows = json.loads(crypto.unseal(session.remember(_NAME, _FOR, ask), _NAME))
    except (EngineError, crypto.CannotOpen):
        return None
    launched = starters.launches_of(session, rows)
    theirs = starters.with_starters(
        session, [row for row in rows if id_at(row) not in launched], launchable.starts(session)
    )
    # A retry of a launch's run does not belong to the launch, but holds its inputs.
    theirs = masking.masked(session, theirs) if any(id_at(row, "parentRunId") for row in theirs) else theirs
    going = [row for row in theirs if row.get("status") in runs.UNDER_WAY]
    ended = [row for row in theirs if row.get("status") in runs.FAILED]
    failed = [row for row in ended if (moment := _moment(row)) is not None and moment > since]
    more = len(rows) >= _RUNS
    return {
        "running": _selection(session, going, runs.UNDER_WAY) | {"more": more},
        "failed": _selection(session, failed, runs.FAILED) | {"more": more},
    }


def _reduced(row: Mapping[str, object]) -> dict[str, object]:
    """A row reduced to what the home page shows; of the failed step's message only the first line, secrets masked."""
    reduced = {key: row[key] for key in _KEPT if key in row}
    if failed := dict_at(reduced, "failedStep"):
        reduced["failedStep"] = {**failed, "message": error_of(Run(redaction.step(row)))}
    return reduced


def _moment(row: Mapping[str, object]) -> datetime | None:
    run = Run(row)
    return finished(run) or run.created


def _selection(session: EngineSession, rows: Sequence[Row], states: Sequence[str]) -> dict[str, object]:
    """The newest of these runs, their number, and the URL of the list of the runs in these states."""
    slug = session.workspace.slug
    newest = [
        {
            "url": run_url(slug, row.get("id")),
            "flow": name_of(Run(row)) or id_at(row, "flowId"),
            "by": starters.name_of(row),
            "step": failed_at(Run(row)),
            "error": error_of(Run(row)),
            "status": row.get("status"),
            "at": _moment(row),
        }
        for row in rows[:SHOWN]
    ]
    return {"newest": newest, "number": len(rows), "url": list_url(slug, "runs", status=states)}
