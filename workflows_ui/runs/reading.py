"""Facts about a run, with missing or malformed parts: names, durations, the failed step, and a summary in one sentence."""

import datetime
from collections.abc import Mapping, Sequence

from django.db.models import QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _, gettext_lazy

from workflows_ui.audit.models import AuditEvent
from workflows_ui.core import formats
from workflows_ui.core.prepared import Prepared
from workflows_ui.engine_objects.runs import Run
from workflows_ui.launches.failures import messages as failure_messages
from workflows_ui.launches.services import runs, usual_time
from workflows_ui.members.models import Workspace
from workflows_ui.resource_admin.resource import Row, id_at

#: The state of a failed step.
FAILED = "FAILED"


def name_of(run: Run) -> str:
    """The flow's name at the time of the run; "" if it is not given."""
    name = run.flow_version.display_name
    return name if name.strip() else ""


#: The key for the last retry from the console, which the engine does not report; None if there was none.
RETRIED = "retriedAt"
#: The key for whether a run that the engine is at work on takes longer than usual, in lists; and the statuses of such runs.
LATE = "takesLonger"
_AT_WORK = ("QUEUED", "RUNNING")
#: The key of a run from the run index: when the runs were last read.
READ_AT = "indexReadAt"


def _retries_of(workspace: int, runs: Sequence[str]) -> QuerySet[AuditEvent, tuple[str, datetime.datetime]]:
    events = AuditEvent.objects.filter(workspace=workspace, object_type="runs", object_id__in=runs)
    # The time before the call where known: the engine's own time of the retry is later.
    moment = Coalesce("begun__at", "at")
    retries = events.filter(action="runs.retry", outcome="done").order_by(moment)
    return retries.values_list("object_id", moment)


_retries = Prepared(_retries_of, int, [str])


def with_retries(workspace: Workspace, rows: Sequence[Row]) -> list[dict[str, object]]:
    """The rows, each with the time of its latest successful retry from the console under RETRIED.

    Single actions write the audit row of a run's retry, and bulk actions one for each run.
    """
    ids = [key for row in rows if (key := id_at(row))]
    retries = dict(_retries(workspace.pk, ids)) if ids else {}
    return [{**row, RETRIED: retries.get(id_at(row))} for row in rows]


def with_lateness(workspace: Workspace, rows: Sequence[Row]) -> list[dict[str, object]]:
    """The rows, each with whether it takes longer than its flow usually does under LATE: the rule of the pages of launches."""
    now, under_way = timezone.now(), {}
    for run in map(Run, rows):
        if run.status in _AT_WORK and (passed := formats.between(started(run) or run.created, now)) is not None:
            under_way[run.id] = (run.flow_id, passed)
    late = usual_time.find_late(workspace.pk, under_way)
    return [{**row, LATE: id_at(row) in late} for row in rows]


def goes_on(run: Run) -> bool:
    """Whether a finish time or failed step is that of an earlier try. False for an unknown state."""
    return run.status in runs.UNDER_WAY


def retried(run: Run) -> datetime.datetime | None:
    """When the run was last retried, if known: by the console's own retries, or by remains of an earlier try in an unfinished run.

    What remains depends on the version (engine_objects.runs.Run). A finished run that was retried elsewhere does not show it.
    """
    if known := run.retried_at:
        return known
    if run.status not in runs.UNDER_WAY or (start := run.start_time) is None:
        return None
    if (finish := run.finish_time) is not None:
        return run.updated or finish
    return start if run.status == "QUEUED" or run.failed_step.name else None


def started(run: Run) -> datetime.datetime | None:
    """The start of the latest try: `startTime`, or the retry if `startTime` is still that of the first try (0.72.4).

    None if the engine does not say.
    """
    return runs.start_of_try(run, retried(run))


def engine_start(run: Run) -> datetime.datetime | None:
    """The engine's time of the start; None for a queued run, which may have that of a retry or an earlier try."""
    return None if run.status == "QUEUED" else run.start_time


def finished(run: Run) -> datetime.datetime | None:
    """The engine's time of the run's end; None while it is in progress, when it may be that of an earlier try."""
    return None if goes_on(run) else run.finish_time


def length(run: Run) -> float | None:
    """Milliseconds from the start of the latest try to the end; None while in progress, or if inconsistent."""
    return None if goes_on(run) else formats.between(started(run), run.finish_time)


def waited(run: Run, now: datetime.datetime | None = None) -> float | None:
    """Milliseconds between the run's receipt and its start; for a queued run, so far.

    None if it did not wait: the engine often stores a run only after it has begun. None too for a run known to have been retried: its
    start is that of the latest try.
    """
    retry = retried(run)
    if run.status == "QUEUED" and (retry or not run.start_time):
        return formats.between(retry or run.created, now or timezone.now())
    return None if retry else formats.between(run.created, run.start_time) or None


#: Milliseconds of a wait that is worth a word in a list.
_LONG_WAIT = 2000


def long_wait(run: Run) -> str:
    """How long the run waited before it started, in a few words; "" if that was not long."""
    time = waited(run)
    if time is None or time < _LONG_WAIT:
        return ""
    return _("%(time)s in the queue") % {"time": formats.duration(time)}


def failing(run: Run) -> bool:
    """Whether `failedStep` is the reason for the run's end, not that of an earlier try."""
    return run.status not in (*runs.UNDER_WAY, "SUCCEEDED", "CANCELED")


def failed_at(run: Run) -> str:
    """The failed step's display name, else its own name; "" if none failed."""
    return run.failed_step.title if failing(run) else ""


def left_behind(run: Run) -> str:
    """The step at which an earlier try failed, while the run goes on and still has its error; "" for none."""
    return run.failed_step.name if goes_on(run) else ""


def error_of(run: Run) -> str:
    """The first line of the failed step's message."""
    message = run.failed_step.message if failing(run) else ""
    return failure_messages.headline(message).removeprefix("Error: ")


def sentence(run: Run, took: float | None = None) -> str:
    """A summary in one sentence. `took` is the run's duration, None if unknown."""
    status, again = run.status, retried(run) is not None
    length, step = formats.duration(took), failed_at(run)
    text = _SENTENCES.get(status, _("The engine calls its state “%(state)s”; nothing more is known."))
    if status == "SUCCEEDED" and run.any_failed:
        text = _("It finished although a step failed: the flow is built to continue in that case.")
    elif status == "SUCCEEDED" and length:
        text = _("It was retried and finished in %(length)s.") if again else _("It finished in %(length)s.")
    elif status == "FAILED" and step:
        text = _FAILED_AT[bool(length), bool(length) and again]
    elif again and status in _RETRIED:
        text = _RETRIED[status]
    elif status == "RUNNING" and run.raw.get("steps"):
        text = _("It is running. The steps so far are below.")
    return str(text) % {"length": length, "step": step[:200], "state": (status or "–")[:60]}


#: Sentences about a failed step, by whether the run's duration is known, and whether it was retried.
_FAILED_AT: Mapping[tuple[bool, bool], Promise] = {
    (False, False): gettext_lazy("It failed at “%(step)s”."),
    (True, False): gettext_lazy("It failed at “%(step)s” after %(length)s."),
    (True, True): gettext_lazy("It was retried and failed at “%(step)s” after %(length)s."),
}
_RETRIED: Mapping[str, Promise] = {
    "QUEUED": gettext_lazy("It was retried, and is queued in the engine."),
    "RUNNING": gettext_lazy("It was retried and is running."),
}
_SENTENCES: Mapping[str, Promise] = {
    "SUCCEEDED": gettext_lazy("It finished."),
    "FAILED": gettext_lazy("It failed."),
    "RUNNING": gettext_lazy("It is running. The engine has not reported its steps yet."),
    "QUEUED": gettext_lazy("It is queued in the engine, and starts when the engine has capacity."),
    "PAUSED": gettext_lazy(
        "It is paused and continues automatically after its delay, or when the answer it waits for arrives."
    ),
    "TIMEOUT": gettext_lazy("The engine stopped it because it took too long."),
    "MEMORY_LIMIT_EXCEEDED": gettext_lazy("The engine stopped it because it used too much memory."),
    "QUOTA_EXCEEDED": gettext_lazy("The engine stopped it because a quota of its plan is used up."),
    "LOG_SIZE_EXCEEDED": gettext_lazy("The engine stopped it because its steps held more data than the engine keeps."),
    "INTERNAL_ERROR": gettext_lazy("The engine itself failed while running it."),
    "CANCELED": gettext_lazy("It was cancelled before it ended."),
}


def poll_seconds(run: Run, now: datetime.datetime | None = None) -> int:
    """Seconds between polls of an unfinished run's page: few at first, then more and more, in the end 0 for never.

    The time since the run was last changed counts, so that a retried one is polled like a new one.
    """
    if runs.ended(run):
        return 0
    known = [moment for moment in (run.created, run.start_time, run.updated) if moment]
    if not known:
        return 15
    age = ((now or timezone.now()) - max(known)).total_seconds()
    return next((seconds for limit, seconds in _PACE if age < limit), 0)


#: (seconds since its last change, seconds between two polls). After a day the page stops polling: it can be reloaded.
_PACE = ((30, 2), (300, 5), (1800, 15), (86_400, 60))
