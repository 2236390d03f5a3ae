"""Application of a poll's snapshot to launches: the only module that turns a run's state into a launch's state."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import QuerySet

from workflows_ui.core import clock, json_text
from workflows_ui.engine_objects.runs import Run
from workflows_ui.launches.models import CONFIRMED, Launch, Reason, State
from workflows_ui.launches.services import flow_checks, launches, runs
from workflows_ui.launches.services.runs import PollSnapshot
from workflows_ui.members.models import Workspace
from workflows_ui.members.services import launch_rights

#: How long the engine may take to write an ended run's steps.
STEPS_LATE = timedelta(seconds=10)
#: Unclear launches are searched for at the normal pace at first, then at this interval, and when the search time is over.
SEARCH_OFTEN, SEARCH_PACE = timedelta(seconds=30), timedelta(seconds=15)
#: Launches without a trace are searched for again after these multiples of the search time: engines have made runs 170 s after the
#: call. Only the last of these searches ends them.
LATER = (0.2, 1, 12, 288)
#: Pause after a last search that proved nothing.
LAST_AGAIN = timedelta(minutes=10)
#: Reasons of refusal by status, for answers that may come from a gateway, once it is proved that no run was made.
REFUSALS = flow_checks.CREDENTIAL_REASONS | {
    400: Reason.BAD_REQUEST,
    404: Reason.NOTHING_THERE,
    410: Reason.NOTHING_THERE,
    413: Reason.TOO_LARGE,
}
#: An answered launch whose run the engine does not show is searched for no longer than this, where no marker was ever seen.
SEARCH_ANSWERED = timedelta(seconds=60)
#: A launch whose engine has too many runs for a complete search is given up after this time, as not proved.
SEARCH_AT_MOST = timedelta(days=1)
#: Engines remove old runs: after this time a list without the run proves nothing.
REMEMBERED = timedelta(days=7)
#: Interval and limit for polling a run in an unknown state: a pause may last 30 days.
OTHER_PACE, OTHER_AT_MOST = timedelta(minutes=5), timedelta(days=31)
#: Characters of a result or a failure that are stored.
KEPT = 256 * 1024
#: Polling intervals: age of a launch (seconds since it was sent) below which the interval in seconds applies.
PACE = ((20, 1), (120, 2), (600, 5), (3600, 30), (86_400, 300))
SLOWEST = 1800


def apply_snapshot(launch: Launch, snapshot: PollSnapshot, now: datetime) -> datetime | None:
    """Apply the snapshot to one launch, if it is still being followed.

    Return the time of the next poll if nothing else changed (the caller writes it for many launches at once); otherwise `poll_at`
    is written here and None is returned.
    """
    run = snapshot.runs.get(launch.pk)
    if run is not None:
        if launch.answer and not launch.answer_from:
            # The run proves that the answer was the flow's, not the engine's (outcome "off_or_answered").
            Launch.objects.filter(pk=launch.pk, answer_from="").update(answer_from="flow")
            launch.answer_from = "flow"
        return _apply_run(launch, run, snapshot, now)
    if launch.pk in snapshot.gone:
        return _apply_missing_run(launch, now)
    if launch.run_id:
        return next_poll(launch, now)  # known, but not read this time
    return _apply_no_run(launch, snapshot, now)


def next_poll(launch: Launch, now: datetime) -> datetime:
    """The time of the next poll: every second at first, every half an hour in the end (a pause may last 30 days, api.md 8.1)."""
    age = (now - (launch.sending_at or launch.asked_at)).total_seconds()
    return now + timedelta(seconds=next((pause for limit, pause in PACE if age < limit), SLOWEST))


def _followed(launch: Launch) -> QuerySet[Launch]:
    """The launch's row, if it is still followed and its run was not retried since the poll began, which would outdate the snapshot."""
    rows = Launch.objects.filter(pk=launch.pk, poll_at__isnull=False)
    return rows.filter(retried_at=launch.retried_at) if launch.retried_at else rows.filter(retried_at__isnull=True)


def _apply_run(launch: Launch, run: Run, snapshot: PollSnapshot, now: datetime) -> datetime | None:
    state, details = runs.state(run), snapshot.details.get(launch.pk)
    if not runs.ended(run):
        return _apply_unfinished_run(launch, state, run, now)
    fields = _run_fields(launch, run) | {"run_finished_at": run.finish_time}
    if state == State.FAILED:
        fields["failed_step"] = run.failed_step.title[:500]
        if details is None and not launch.failure and (message := run.failure):
            fields["failure"] = launch.seal("failure", message[:KEPT])
    else:
        fields |= {"failed_step": "", "failure": ""}
    result = _result_fields(launch, state, details, now, unreadable=launch.pk in snapshot.unread)
    # The result first: a worker that dies in between leaves a launch that is polled again. Never over the flow's own answer.
    if result:
        rows = _followed(launch)
        (rows.exclude(answer_from="flow") if "answer" in result else rows).update(**result)
    reason = ""
    if state == State.SUCCEEDED and details is not None and details.any_failed:
        reason = Reason.STEP_FAILED
    poll_at = next_poll(launch, now) if result is None else None
    if launch.state == state and launch.ended_at is not None:
        _followed(launch).update(**fields, reason=reason, poll_at=poll_at)
    else:
        # The time of detection: run_finished_at may be long ago or wrong, and the result still to be read.
        launches.end(launch, state, reason, now, rows=_followed(launch), **fields, poll_at=poll_at)
    return None


def _run_fields(launch: Launch, run: Run) -> dict[str, object]:
    return {
        "run_id": run.id[:64],
        "run_status": run.status[:60],
        "run_started_at": runs.start_of_try(run, launch.retried_at),
    }


def record_retry(workspace: Workspace, answer: Mapping[str, object]) -> None:
    """Reopen the launch of a run that was retried from its failed step. `answer`: the engine's, the run."""
    run = Run(answer)
    launches_of_run = Launch.objects.filter(workspace=workspace, run_id=run.id).exclude(run_id="")
    now = clock.now()
    retry_time = run.updated or now
    for launch in launches_of_run:
        launches_of_run.filter(pk=launch.pk).update(
            **_cleared_fields(launch),
            state=State.ENQUEUED,
            reason="",
            run_status="QUEUED",
            run_started_at=None,
            retried_at=retry_time,
            poll_at=now,
        )


def _cleared_fields(launch: Launch) -> dict[str, object]:
    """Columns that clear the results of an earlier attempt once a run continues."""
    fields: dict[str, object] = {"run_finished_at": None, "failed_step": "", "failure": "", "ended_at": None}
    fields |= {"misses": 0, "words_read": 0}
    if launch.answer_from in {"step", "late"}:
        fields |= {"answer": "", "answer_from": "", "answer_type": "", "answer_cut": False}
    return fields


def _apply_unfinished_run(launch: Launch, state: State, run: Run, now: datetime) -> datetime | None:
    """Apply a run that has not ended, perhaps because it was retried."""
    fields, poll_at = _run_fields(launch, run), next_poll(launch, now)
    if state == State.OTHER:
        poll_at = max(poll_at, now + OTHER_PACE)
        if now - (launch.sending_at or launch.asked_at) > OTHER_AT_MOST:
            launches.end(launch, state, "", now, rows=_followed(launch), **fields, poll_at=None)
            return None
    if launch.state == state and all(getattr(launch, name) == value for name, value in fields.items()):
        return poll_at
    fields |= _cleared_fields(launch)
    reason = launch.reason if launch.reason == Reason.WAITED_OUT else ""
    if (
        _followed(launch).update(**fields, state=state, reason=reason, poll_at=poll_at)
        and launch.state == State.NOT_SENT
    ):
        launch_rights.take_again(launch.right_id)
    return None


def _result_fields(
    launch: Launch, state: State, details: Run | None, now: datetime, *, unreadable: bool
) -> dict[str, object] | None:
    """The result or the failure as columns; None to request it again. `unreadable`: this poll's request failed."""
    if state not in {State.SUCCEEDED, State.FAILED}:
        return {}
    if details is None:
        return {} if unreadable and _result_overdue(launch, now) else None
    if not details.steps and details.status in {"SUCCEEDED", "FAILED"}:
        finished = min(details.finish_time or now, now)
        if now - finished < STEPS_LATE and not _result_overdue(launch, now):
            return None
    if state == State.FAILED:
        return {"failure": launch.seal("failure", details.failure[:KEPT])}
    result = details.result
    if result is None:
        return {}
    text = json_text.dump(result)
    return {
        "answer": launch.seal("answer", text[:KEPT]),
        "answer_cut": len(text) > KEPT,
        "answer_type": "application/json",
        "answer_from": "late" if launch.wait and details.answers else "step",
    }


def _result_overdue(launch: Launch, now: datetime) -> bool:
    return launch.ended_at is not None and now - launch.ended_at > settings.LAUNCH_SEARCH


def _apply_missing_run(launch: Launch, now: datetime) -> datetime | None:
    """Apply that the engine does not know the run: normal just after the start, later the run was removed."""
    sent = launch.sending_at or launch.asked_at
    if now - sent < settings.LAUNCH_SEARCH:
        return next_poll(launch, now)
    if launch.ended and launch.state != State.UNKNOWN:
        _followed(launch).update(poll_at=None)
    else:
        launches.end(launch, State.UNKNOWN, Reason.RUN_GONE, now, rows=_followed(launch), poll_at=None)
    return None


def _apply_no_run(launch: Launch, snapshot: PollSnapshot, now: datetime) -> datetime | None:
    """Apply that no run was found. Nothing is concluded during the call, before the search time is over, from an incomplete list, or
    from a single list."""
    complete = launch.pk not in snapshot.incomplete
    marker_works = launch.workspace.marker_seen_at is not None and not snapshot.unmarked
    # The lists of another engine prove nothing.
    marker_works = marker_works and launch.moves == launch.workspace.moves
    rows = _followed(launch).filter(
        # Unchanged since the poll began: a late answer takes precedence.
        run_id="",
        claim_until__isnull=True,
        state=launch.state,
        answer_from=launch.answer_from,
        misses=launch.misses,
    )
    if launch.misses >= CONFIRMED:
        proved = marker_works and complete and launch.pk not in snapshot.unprovable | snapshot.postponed
        _apply_later_search(launch, rows, now, proved=proved)
        return None
    search_end = _search_end(launch)
    remembered = now < search_end + REMEMBERED
    provable = remembered and launch.pk not in snapshot.unprovable
    # At the time of the list, not now: a worker may be stopped in between.
    early = not search_is_over(launch, snapshot.at) or (launch.pk in snapshot.postponed and remembered)
    if early or not (complete or now > search_end + SEARCH_AT_MOST):
        return _next_search(launch, search_end, now)
    if complete and provable and launch.misses + 1 < CONFIRMED:
        rows.update(misses=launch.misses + 1, poll_at=now + max(settings.LAUNCH_SEARCH / 20, timedelta(seconds=1)))
        return None
    _conclude(launch, rows, now, proved=marker_works and complete and provable)
    return None


def _conclude(launch: Launch, rows: QuerySet[Launch], now: datetime, *, proved: bool) -> None:
    """End an unsuccessful search. `proved`: complete lists of an engine that returns the marker show no run."""
    # A slow engine may still make the run: later searches would find it.
    fields: dict[str, object] = {"misses": CONFIRMED, "poll_at": now + LATER[0] * settings.LAUNCH_SEARCH}
    if launch.state == State.FAILED:
        rows.update(poll_at=None)
    elif launch.answer_from == "flow":
        launches.end(launch, State.SUCCEEDED, Reason.RUN_NOT_FOUND, now, rows=rows, poll_at=None)
    elif launch.state == State.ACCEPTED:
        launches.end(launch, State.UNKNOWN, Reason.NO_RUN, now, rows=rows, **fields)
    else:
        launches.end(launch, State.UNKNOWN, Reason.NO_TRACE if proved else launch.reason, now, rows=rows, **fields)


def _apply_later_search(launch: Launch, rows: QuerySet[Launch], now: datetime, *, proved: bool) -> None:
    """Apply a search after the conclusion, which found no run either. The first that proves it leaves a launch without a trace, the last
    one ends it."""
    remaining = LATER[launch.misses - CONFIRMED + 1 :]
    if remaining or not _is_doubted(launch):
        next_search = now + remaining[0] * settings.LAUNCH_SEARCH if remaining else None
        reason = Reason.NO_TRACE if proved and _is_doubted(launch) else launch.reason
        rows.update(misses=launch.misses + 1, poll_at=next_search, reason=reason)
    elif proved and launch.reason != Reason.NO_TRACE:
        # What ends a launch is never the first proof.
        rows.update(reason=Reason.NO_TRACE, poll_at=now + LAST_AGAIN)
    elif proved:
        state, reason = _end_without_run(launch)
        launches.end(launch, state, reason, now, rows=rows, misses=launch.misses + 1, poll_at=None)
    elif launch.reason == Reason.NO_TRACE and now < (launch.sending_at or launch.asked_at) + REMEMBERED:
        rows.update(poll_at=now + LAST_AGAIN)
    else:
        rows.update(poll_at=None)


def _end_without_run(launch: Launch) -> tuple[State, Reason]:
    """The end of a launch that has no run: refused if its answer was a refusal, else not sent."""
    status = launch.answer_status
    if launch.answer and not launch.answer_from:
        # The engine's handler answered (outcome "off_or_answered").
        return State.REFUSED, Reason.FLOW_GONE if status == 410 else Reason.FLOW_OFF
    if status in REFUSALS:
        return State.REFUSED, REFUSALS[status]
    return State.NOT_SENT, Reason.ENGINE_BUSY if status == 429 else Reason.NO_RUN_MADE


def _is_doubted(launch: Launch) -> bool:
    """Whether the launch is unclear, and neither its run was seen nor has the engine promised one."""
    return launch.state == State.UNKNOWN and launch.reason not in {Reason.NO_RUN, Reason.RUN_GONE}


def last_search(launch: Launch) -> datetime | None:
    """About when a launch without a trace is searched for the last time; None for any other launch."""
    if launch.state != State.UNKNOWN or launch.reason != Reason.NO_TRACE or launch.poll_at is None:
        return None
    return launch.poll_at + sum(LATER[launch.misses - CONFIRMED + 1 :]) * settings.LAUNCH_SEARCH


def concludes(launch: Launch, now: datetime) -> bool:
    """Whether a search that finds nothing now may prove that the launch has no run."""
    if launch.run_id:
        return False
    return search_is_over(launch, now) if launch.misses < CONFIRMED else _is_doubted(launch)


def search_is_over(launch: Launch, now: datetime) -> bool:
    """Whether a launch without a run has been searched for long enough to conclude something."""
    return launch.claim_until is None and now >= _search_end(launch)


def _search_end(launch: Launch) -> datetime:
    """The end of the search time, which starts at the last known event of the launch's call."""
    marker_works = launch.workspace.marker_seen_at is not None
    limit = SEARCH_ANSWERED if launch.answer_from == "flow" and not marker_works else settings.LAUNCH_SEARCH
    moments = (launch.asked_at, launch.sending_at, launch.answered_at, launch.ended_at)
    return max(moment for moment in moments if moment is not None) + limit


def _next_search(launch: Launch, search_end: datetime, now: datetime) -> datetime:
    """The time of the next search: often at first, and when the search time is over."""
    next_search = next_poll(launch, now)
    if launch.state == State.UNKNOWN and now - (launch.sending_at or launch.asked_at) > SEARCH_OFTEN:
        next_search = max(next_search, now + SEARCH_PACE)
    return min(next_search, search_end) if now < search_end else next_search
