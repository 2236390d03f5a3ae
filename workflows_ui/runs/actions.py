"""Actions on runs (api.md 8.2). Every call names its runs: without ids it would mean all of them."""

from collections.abc import Mapping, Sequence
from typing import Unpack

from django import forms
from django.utils.translation import gettext, gettext_lazy as _

from workflows_ui.core.form_arguments import FormArguments
from workflows_ui.core.paths import dicts_at, text_at
from workflows_ui.core.readers import parts_of
from workflows_ui.core.states import Badge
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import EngineError, Unknown
from workflows_ui.engine_objects.runs import Run
from workflows_ui.jobs.services.jobs import Reason
from workflows_ui.launches.services import following, repairs, run_results, runs
from workflows_ui.members.models import Role
from workflows_ui.resource_admin.actions import always
from workflows_ui.resource_admin.places import run_url
from workflows_ui.resource_admin.resource import Action, Bulk, Row, Text, pick
from workflows_ui.run_index.services import rows as index_rows
from workflows_ui.runs import indexed
from workflows_ui.unclear_writes.models import UnclearWrite
from workflows_ui.web import messages

_CANCELLABLE = ("PAUSED", "QUEUED")
_STARTED = _("Started again")


def _retry_failed(session: EngineSession, id: str, _data: dict[str, object]) -> object:
    """Retry the same run (recording `run_retry_from_failed_step`), and follow its launch again."""
    try:
        answer = session.workflows.retry_run(id, "FROM_FAILED_STEP")
    except Unknown:
        _follow_again(session, [id])
        raise
    _record_retry(session, id, answer)
    return answer


def _record_retry(session: EngineSession, id: str, run: Row) -> None:
    """A run continues from its failed step. `run` is the engine's answer."""
    repairs.record(session.workspace, session.user_id, id, id)
    run_results.record_retry(session.workspace, {**run, "id": id})
    index_rows.check_again(session.workspace.pk, [id])


def _retried_later(session: EngineSession, write: UnclearWrite, answer: object) -> None:
    # The look for a retry of many answers with a list.
    run = next(iter(parts_of(answer, Run)), Run(answer))
    _record_retry(session, write.object_id, run.raw)


def _retry_on_latest(session: EngineSession, id: str, _data: dict[str, object]) -> object:
    """Start a new run. The answer holds only a part of it, including its id (recording `run_retry_on_latest`)."""
    answer = session.workflows.retry_run(id, "ON_LATEST_VERSION")
    repairs.record(session.workspace, session.user_id, id, text_at(answer, "id"))
    return answer


class RetryForm(forms.Form):
    """Asks before a run that succeeded is started again: what it did is done a second time."""

    succeeded = forms.BooleanField(label=_("It succeeded. Run it again"), required=True)

    def __init__(self, *, row: Row, **arguments: Unpack[FormArguments]) -> None:
        super().__init__(**arguments)
        if not row:
            self.fields["succeeded"] = forms.BooleanField(
                label=_("Also start runs again that succeeded"),
                help_text=_("What they did is done again. Unless selected, they are left out."),
                required=False,
            )
        elif Run(row).status not in runs.SUCCEEDED:
            del self.fields["succeeded"]


def _why_left_out(run: Row, _data: Mapping[str, object]) -> str:
    """A waiting run breaks if it is retried (recordings `approval_35_retry_paused`, `approval_36_run_after_retry`)."""
    return str(Reason.PAUSED) if Run(run).status == "PAUSED" else ""


def _why_not_started_again(run: Row, data: Mapping[str, object]) -> str:
    if Run(run).status in runs.SUCCEEDED and not data.get("succeeded"):
        return str(Reason.SUCCEEDED)
    return _why_left_out(run, data)


def _follow(session: EngineSession, ids: Sequence[str]) -> dict[str, Badge]:
    return {key: messages.run_state(Run(row).status) for key, row in _rows(session, ids).items()}


def _cancel(session: EngineSession, id: str, _data: dict[str, object]) -> dict[str, object]:
    """The run's `status` after cancelling, None if it cannot be read. The engine's answer is the same for a run
    that continues regardless (recordings `runs_cancel_running`, `run_get_cancel_running_later`).
    """
    return {"status": _cancel_runs(session, [id]).get(id)}


def _cancel_runs(session: EngineSession, ids: Sequence[str]) -> dict[str, str]:
    """The states of these runs afterwards; empty if the engine does not give them now."""
    session.workflows.cancel_runs(ids)
    _follow_again(session, ids)
    try:
        return {key: Run(row).status for key, row in _rows(session, ids).items()}
    except EngineError:
        return {}


def _cancelled(_run: Row, answer: Row) -> Text:
    status = answer["status"]
    if status == "CANCELED":
        return gettext("The run is cancelled.")
    if status in (None, *_CANCELLABLE):
        return gettext("The engine was asked to cancel the run. This page will show the result.")
    return gettext(
        "The engine was asked to cancel the run, but it is already running or has ended, so it was not cancelled."
    )


def _rows(session: EngineSession, ids: Sequence[str]) -> dict[str, Row]:
    """The current state of these runs, including archived ones."""
    rows = session.workflows.list_runs(limit=len(ids), flow_run_ids=ids)["data"] if ids else []
    return {str(row.get("id")): row for row in rows if row.get("id") in ids}


def _retry_all_failed(session: EngineSession, ids: Sequence[str], _data: dict[str, object]) -> list[str]:
    """The engine answers with the runs that it queued again, which keep their ids (api.md 8.2)."""
    try:
        answer = session.workflows.retry_runs(ids, "FROM_FAILED_STEP")
    except Unknown:
        _follow_again(session, ids)
        raise
    _follow_again(session, ids)
    rows = [row for row in dicts_at({"runs": answer}, "runs") if row.get("id")]
    for row in rows:
        _record_retry(session, str(row["id"]), row)
    return [str(row["id"]) for row in rows]


def _cancel_all(session: EngineSession, ids: Sequence[str], _data: dict[str, object]) -> list[str]:
    """The runs that are cancelled, or may still be; the engine's answer does not say (recording `runs_cancel`)."""
    statuses = _cancel_runs(session, ids)
    return [key for key in ids if statuses.get(key, "CANCELED") in ("CANCELED", *_CANCELLABLE)]


def _archive_all(session: EngineSession, ids: Sequence[str], _data: dict[str, object]) -> None:
    """The engine's answer is empty (recording `runs_archive`)."""
    session.workflows.archive_runs(ids)
    index_rows.check_again(session.workspace.pk, ids)


def _changed_later(session: EngineSession, write: UnclearWrite, _answer: object) -> None:
    _follow_again(session, [write.object_id])


def _follow_again(session: EngineSession, ids: Sequence[str]) -> None:
    for key in ids:
        following.follow_again(session.workspace, key)
    index_rows.check_again(session.workspace.pk, ids)


ACTIONS = (
    Action(
        "retry",
        _("Retry from failed step"),
        "rotate-cw",
        _retry_failed,
        needs="run-retry",
        role=Role.LAUNCHER,
        confirm=_(
            "The run continues at the step that failed, with the same version and values. Earlier steps are not "
            "repeated."
        ),
        button=_("Retry the run"),
        visible=lambda run: runs.ended(Run(run)) and Run(run).status != "SUCCEEDED" and not indexed.is_gone(run),
        primary=always,
        done=_("The run continues at the step that failed."),
        in_rows=True,
        follow_up=_retried_later,
        bulk=Bulk(
            _(
                "Each run continues at the step that failed, with the same version and values. Earlier steps are not "
                "repeated."
            ),
            together=_retry_all_failed,
            rows=_rows,
            skip_reason=_why_left_out,
            done=_STARTED,
            follow=_follow,
        ),
    ),
    Action(
        "retry-latest",
        _("Retry on the latest version"),
        "step-forward",
        _retry_on_latest,
        form=RetryForm,
        creates="runs",
        needs="run-retry",
        role=Role.LAUNCHER,
        confirm=_(
            "A new run is started from the beginning: with the flow as it is published now, and the values of this run."
        ),
        button=_("Start a new run"),
        visible=lambda run: runs.ended(Run(run)) and not indexed.is_gone(run),
        done=_("A new run was started. This page shows it."),
        success_url=lambda slug, run, answer: run_url(slug, pick(answer, "id")) or run_url(slug, run.get("id")),
        in_rows=True,
        bulk=Bulk(
            # One call each: for many, the engine does not say which of them it started again.
            _(
                "For each of them a new run is started from the beginning: with the flow as it is published now, and the values of the "
                "old run."
            ),
            skip_reason=_why_not_started_again,
            choices={"succeeded": Reason.SUCCEEDED},
            done=_STARTED,
            result=lambda answer: text_at(answer, "id"),
            follow=_follow,
        ),
    ),
    Action(
        "cancel",
        _("Cancel the run"),
        "ban",
        _cancel,
        needs="run-cancel",
        role=Role.LAUNCHER,
        stops=True,
        confirm=_(
            "The engine is asked to stop the run. If it is already running, it continues to its end. "
            "What it has done is not undone."
        ),
        visible=lambda run: Run(run).status in _CANCELLABLE and not indexed.is_gone(run),
        done=_cancelled,
        in_rows=True,
        follow_up=_changed_later,
        bulk=Bulk(
            _(
                "The engine is asked to stop the runs. Those already running continue to their end. What "
                "they have done is not undone."
            ),
            together=_cancel_all,
            rows=_rows,
        ),
    ),
    Action(
        "archive",
        _("Archive"),
        "archive",
        lambda session, key, data: _archive_all(session, [key], data),
        needs="run-archive",
        stops=True,
        confirm=_("The run is no longer listed. The console cannot bring it back to the list."),
        button=_("Archive the run"),
        visible=lambda run: runs.ended(Run(run)) and not run.get("archivedAt") and not indexed.is_gone(run),
        done=_("The run is archived."),
        in_rows=True,
        follow_up=_changed_later,
        bulk=Bulk(
            _("The runs are no longer listed. The console cannot bring them back to the list."),
            together=_archive_all,
            rows=_rows,
        ),
    ),
)
