"""What a poll's sightings mean for a launch: the one place where a run's state becomes a launch's state."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models import Q

from workflows_ui.models import Launch, State
from workflows_ui.services import launches, payloads, runs
from workflows_ui.services.launches import Reason

if TYPE_CHECKING:
    from workflows_ui.services.following import Look

#: How long the engine may take to write an ended run's steps.
STEPS_LATE = timedelta(seconds=10)
#: An answered launch whose run the engine does not show is searched for no longer than this, where no marker was ever seen.
SEARCH_ANSWERED = timedelta(seconds=60)
#: A launch whose engine has too many runs to search them all is given up after this long, without saying "no trace".
SEARCH_AT_MOST = timedelta(days=1)
#: Characters of a result or a failure that are kept.
KEPT = 256 * 1024
#: Age of a launch (seconds since it was sent) up to which it is looked at again after so many seconds.
PACE = ((20, 1), (120, 2), (600, 5), (3600, 30), (86_400, 300))
SLOWEST = 1800


def write(launch: Launch, look: "Look", now: datetime) -> datetime | None:
    """Writes what was seen of one launch, if it still wants to be looked at.

    Returns when to look again where nothing else changed (the caller writes that for many at once); else `look_at` is written here.
    """
    run = look.runs.get(launch.pk)
    if run is not None:
        return _found(launch, run, look, now)
    if launch.pk in look.gone:
        return _gone(launch, now)
    if launch.run_id:
        return next_look(launch, now)  # known, but not read this time
    return _not_found(launch, look, now)


def next_look(launch: Launch, now: datetime) -> datetime:
    """When to look at it again: every second at first, every half an hour in the end (a pause may last 30 days, api.md 8.1)."""
    age = (now - (launch.sending_at or launch.asked_at)).total_seconds()
    return now + timedelta(seconds=next((pause for limit, pause in PACE if age < limit), SLOWEST))


def _watched() -> Q:
    return Q(look_at__isnull=False)


def _found(launch: Launch, run: dict[str, Any], look: "Look", now: datetime) -> datetime | None:
    state, details = runs.state(run), look.details.get(launch.pk)
    finished = runs.moment(run, "finishTime")
    seen: dict[str, Any] = {
        "run_id": runs.text(run, "id")[:64],
        "run_status": runs.text(run, "status")[:60],
        "run_started_at": runs.moment(run, "startTime") or runs.moment(run, "created"),
        "run_finished_at": finished,
        "failed_step": runs.failed_step(run)[1][:500],
    }
    if state not in {State.SUCCEEDED, State.FAILED}:
        if (launch.run_id, launch.run_status, launch.state) == (seen["run_id"], seen["run_status"], state):
            return next_look(launch, now)
        reason = launch.reason if launch.reason == Reason.WAITED_OUT else ""
        Launch.objects.filter(_watched(), pk=launch.pk).update(
            **seen, state=state, reason=reason, ended_at=None, look_at=next_look(launch, now)
        )
        return None
    told = _told(launch, state, details, now, asked=launch.pk in look.unread)
    # The result first: a worker that dies in between leaves a launch that is looked at again. Never over the flow's own answer.
    if told:
        rows = Launch.objects.filter(_watched(), pk=launch.pk)
        (rows.exclude(answer_from="flow") if "answer" in told else rows).update(**told)
    reason = ""
    if state == State.SUCCEEDED:
        if details is not None and runs.any_failed(runs.steps(details)):
            reason = Reason.STEP_FAILED
        seen["failure"] = ""  # of an earlier try: the engine keeps the run's id when it is retried from the failed step
    look_at = next_look(launch, now) if told is None else None
    if launch.state == state:
        Launch.objects.filter(_watched(), pk=launch.pk).update(**seen, reason=reason, look_at=look_at)
    else:
        # The time of our seeing it: the run's own (run_finished_at) may be long ago, or a lie, and its result still to come.
        launches.end(launch, state, reason, now, only=_watched(), **seen, look_at=look_at)
    return None


def _told(
    launch: Launch, state: State, details: dict[str, Any] | None, now: datetime, *, asked: bool
) -> dict[str, Any] | None:
    """The result or the failure as columns; None where it should be asked for again. `asked`: it was, just now, in vain."""
    if details is None:
        return {} if asked and _given_up(launch, now) else None
    if not runs.steps(details) and runs.text(details, "status") in {"SUCCEEDED", "FAILED"}:
        finished = min(runs.moment(details, "finishTime") or now, now)
        if now - finished < STEPS_LATE and not _given_up(launch, now):
            return None
    if state == State.FAILED:
        return {"failure": launch.seal("failure", runs.failure(details)[:KEPT])}
    result = runs.result(details)
    if result is None:
        return {}
    text = payloads.dump(result)
    return {
        "answer": launch.seal("answer", text[:KEPT]),
        "answer_cut": len(text) > KEPT,
        "answer_type": "application/json",
        "answer_from": "step",
    }


def _given_up(launch: Launch, now: datetime) -> bool:
    return launch.ended_at is not None and now - launch.ended_at > settings.LAUNCH_SEARCH


def _gone(launch: Launch, now: datetime) -> datetime | None:
    """The engine does not know the run any more: at once after the start that is normal, later it was removed."""
    sent = launch.sending_at or launch.asked_at
    if now - sent < settings.LAUNCH_SEARCH:
        return next_look(launch, now)
    if launch.state in {State.SUCCEEDED, State.FAILED}:
        Launch.objects.filter(_watched(), pk=launch.pk).update(look_at=None)
    else:
        launches.end(launch, State.UNKNOWN, Reason.RUN_GONE, now, only=_watched(), look_at=None)
    return None


def _not_found(launch: Launch, look: "Look", now: datetime) -> datetime | None:
    """No run with the launch's marker. Nothing is concluded while its call is in the air, before its time, or from half a list."""
    sent = launch.sending_at or launch.asked_at
    age = now - sent
    marker_works = launch.workspace.marker_seen_at is not None
    limit = SEARCH_ANSWERED if launch.answer_from == "flow" and not marker_works else settings.LAUNCH_SEARCH
    if launch.claim_until is not None or age < limit or not (look.complete or age > SEARCH_AT_MOST):
        return next_look(launch, now)
    # As it was when the poll began: what a late answer has told meanwhile stands.
    only = _watched() & Q(run_id="", claim_until__isnull=True, state=launch.state, answer_from=launch.answer_from)
    if launch.state == State.FAILED:
        Launch.objects.filter(only, pk=launch.pk).update(look_at=None)
    elif launch.answer_from == "flow":
        launches.end(launch, State.SUCCEEDED, Reason.RUN_NOT_FOUND, now, only=only, look_at=None)
    elif launch.state == State.ACCEPTED:
        launches.end(launch, State.UNKNOWN, Reason.NO_RUN, now, only=only, look_at=None)
    else:
        reason = Reason.NO_TRACE if marker_works and look.complete else launch.reason
        launches.end(launch, State.UNKNOWN, reason, now, only=only, look_at=None)
    return None
