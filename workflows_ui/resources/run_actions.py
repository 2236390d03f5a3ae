"""What is done with runs: retry in two ways, cancel, archive (api.md 8.2). Every call names the run: without ids it would mean all."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from workflows_ui.engine import Unknown
from workflows_ui.kit import words
from workflows_ui.kit.caller import Caller
from workflows_ui.kit.resource import Action, Bulk, Row
from workflows_ui.models import Role
from workflows_ui.resources.places import run_url
from workflows_ui.services import following

#: States in which nothing happens any more (api.md 8.1); an unknown state counts as not ended.
ENDED = frozenset(words.RUN_STATES) - {"QUEUED", "RUNNING", "PAUSED"}
_CANCELLABLE = frozenset({"PAUSED", "QUEUED"})


def ended(run: Row) -> bool:
    """Whether the run's state is one that nothing changes by itself."""
    return str(run.get("status")) in ENDED


def _failed(run: Row) -> bool:
    return ended(run) and run.get("status") != "SUCCEEDED"


def _cancellable(run: Row) -> bool:
    return str(run.get("status")) in _CANCELLABLE


def _archivable(run: Row) -> bool:
    return ended(run) and not run.get("archivedAt")


def _retry_failed(caller: Caller, id: str, _data: dict[str, Any]) -> Any:
    """The same run goes on (recording `run_retry_from_failed_step`), so the launch it belongs to is followed again."""
    try:
        answer = caller.workflows.retry_run(id, "FROM_FAILED_STEP")
    except Unknown:
        following.look_again(caller.workspace, id)
        raise
    following.look_again(caller.workspace, id)
    return answer


def _retry_latest(caller: Caller, id: str, _data: dict[str, Any]) -> Any:
    return caller.workflows.retry_run(id, "ON_LATEST_VERSION")


def _cancel(caller: Caller, id: str, _data: dict[str, Any]) -> Any:
    answer = caller.workflows.cancel_runs([id])
    following.look_again(caller.workspace, id)
    return answer


def _rows(caller: Caller, ids: Sequence[str]) -> dict[str, Row]:
    """These runs as they are now, archived ones too, by one call for each kind (api.md 8.2)."""
    found: dict[str, Row] = {}
    for archived in (None, True):
        missing = [key for key in ids if key not in found]
        if missing:
            page = caller.workflows.list_runs(limit=len(missing), flow_run_ids=missing, archived=archived)
            rows = [row for row in page.get("data") or [] if isinstance(row, dict)]
            found |= {str(row.get("id")): row for row in rows if row.get("id") in missing}
    return found


def _retry_all_failed(caller: Caller, ids: Sequence[str], _data: dict[str, Any]) -> list[str]:
    """The engine answers with the runs that it queued again, which keep their ids (api.md 8.2)."""
    try:
        answer = caller.workflows.retry_runs(ids, "FROM_FAILED_STEP")
    except Unknown:
        _look_again(caller, ids)
        raise
    _look_again(caller, ids)
    rows = answer if isinstance(answer, list) else []
    return [str(row["id"]) for row in rows if isinstance(row, dict) and row.get("id")]


def _cancel_all(caller: Caller, ids: Sequence[str], _data: dict[str, Any]) -> None:
    """The engine answers nothing (recording `runs_cancel`)."""
    caller.workflows.cancel_runs(ids)
    _look_again(caller, ids)


def _archive_all(caller: Caller, ids: Sequence[str], _data: dict[str, Any]) -> None:
    """The engine answers nothing (recording `runs_archive`)."""
    caller.workflows.archive_runs(ids)


def _look_again(caller: Caller, ids: Sequence[str]) -> None:
    for key in ids:
        following.look_again(caller.workspace, key)


def _to_new_run(slug: str, run: Row, answer: Any) -> str:
    """The answer holds only a part of the new run, its id among it (recording `run_retry_on_latest`)."""
    made = answer.get("id") if isinstance(answer, dict) else None
    return run_url(slug, made) or run_url(slug, run.get("id"))


ACTIONS = (
    Action(
        "retry",
        gettext_lazy("Retry from the failed step"),
        "rotate-right",
        _retry_failed,
        needs="run-retry",
        role=Role.LAUNCHER,
        confirm=lambda _run: _(
            "The run goes on at the step that failed, with the version and the values it had. What came before is not done again."
        ),
        button=lambda _run: _("Retry the run"),
        offered=_failed,
        done=gettext_lazy("The run goes on at the step that failed."),
        in_rows=True,
        bulk=Bulk(
            gettext_lazy(
                "Each run goes on at the step that failed, with the version and the values it had. What came before is not done again."
            ),
            together=_retry_all_failed,
            rows=_rows,
        ),
    ),
    Action(
        "retry-latest",
        gettext_lazy("Retry on the latest version"),
        "forward",
        _retry_latest,
        needs="run-retry",
        role=Role.LAUNCHER,
        confirm=lambda _run: _(
            "A new run is started from the beginning: with the flow as it is published now, and the values of this run."
        ),
        button=lambda _run: _("Start a new run"),
        offered=ended,
        done=gettext_lazy("A new run is started. This is it."),
        then=_to_new_run,
        in_rows=True,
        bulk=Bulk(
            # One after the other: asked for many, the engine does not say which of them it started anew.
            gettext_lazy(
                "For each of them a new run is started from the beginning: with the flow as it is published now, and the values of the "
                "old run."
            )
        ),
    ),
    Action(
        "cancel",
        gettext_lazy("Cancel the run"),
        "ban",
        _cancel,
        needs="run-cancel",
        role=Role.LAUNCHER,
        danger=True,
        confirm=lambda _run: _("The run ends where it stands. What it has done already is not undone."),
        offered=_cancellable,
        done=gettext_lazy("The engine was asked to cancel the run."),
        in_rows=True,
        bulk=Bulk(
            gettext_lazy("The runs end where they stand. What they have done already is not undone."),
            together=_cancel_all,
            rows=_rows,
        ),
    ),
    Action(
        "archive",
        gettext_lazy("Archive"),
        "box-archive",
        lambda caller, key, _data: caller.workflows.archive_runs([key]),
        needs="run-archive",
        confirm=lambda _run: _(
            "The run is left out of the list of runs from now on. The console cannot bring it back there."
        ),
        button=lambda _run: _("Archive the run"),
        offered=_archivable,
        done=gettext_lazy("The run is archived."),
        in_rows=True,
        bulk=Bulk(
            gettext_lazy(
                "The runs are left out of the list of runs from now on. The console cannot bring them back there."
            ),
            together=_archive_all,
            rows=_rows,
        ),
    ),
)
