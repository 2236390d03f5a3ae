"""What a run says of itself, whatever is missing or odd in it: names, lengths of time, the failed step, and one sentence."""

import datetime
from collections.abc import Mapping

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from workflows_ui.kit import show
from workflows_ui.kit.resource import Row, pick
from workflows_ui.resources.run_actions import ended
from workflows_ui.services import runs

#: The state in which a step has not gone well.
FAILED = "FAILED"


def name_of(run: Row) -> str:
    """The flow's name at the time of the run; "" where it is not told."""
    found = pick(run, "flowVersion.displayName")
    return found if isinstance(found, str) and found.strip() else ""


def length(run: Row) -> float | None:
    """Milliseconds from the start to the end; None while it goes on, and where the times make no sense."""
    return show.between(run.get("startTime"), run.get("finishTime"))


def waited(run: Row, now: datetime.datetime | None = None) -> float | None:
    """Milliseconds that it stood in the engine's queue; for a queued run, so far.

    None where it did not wait: the engine often writes a run down only after it has begun (recording `runs_list`: `startTime` before
    `created`).
    """
    if run.get("status") == "QUEUED" and not run.get("startTime"):
        return show.between(run.get("created"), (now or timezone.now()).isoformat())
    return show.between(run.get("created"), run.get("startTime")) or None


def failed_at(run: Row) -> str:
    """The failed step's name as people see it, else as the engine has it; "" where none failed."""
    for path in ("failedStep.displayName", "failedStep.name"):
        found = pick(run, path)
        if isinstance(found, str) and found:
            return found
    return ""


def sentence(run: Row) -> str:
    """What happened, in one sentence of plain words."""
    status = run.get("status")
    took, step = show.duration(length(run)), failed_at(run)[:200]
    if status == "SUCCEEDED" and runs.any_failed(run.get("steps")):
        return _("It ran to its end, although a step in it failed: the flow is made to go on then.")
    if status == "SUCCEEDED":
        return _("It ran to its end in %(length)s.") % {"length": took} if took else _("It ran to its end.")
    if status == "FAILED":
        if step and took:
            return _("It failed at “%(step)s” after %(length)s.") % {"step": step, "length": took}
        return _("It failed at “%(step)s”.") % {"step": step} if step else _("It failed.")
    return str(_SENTENCES.get(str(status), "")) or _(
        "The engine calls its state “%(state)s”; nothing more is known."
    ) % {"state": str(status or "–")[:60]}


_SENTENCES: Mapping[str, str | Promise] = {
    "QUEUED": gettext_lazy("It waits until the engine has room to start it."),
    "RUNNING": gettext_lazy("It is running. The engine tells the steps once it has stopped."),
    "PAUSED": gettext_lazy(
        "It is paused, and goes on by itself when its delay is over or the answer it waits for comes in."
    ),
    "TIMEOUT": gettext_lazy("The engine stopped it because it took too long."),
    "MEMORY_LIMIT_EXCEEDED": gettext_lazy(
        "The engine stopped it because it used too much memory. The steps are not kept then."
    ),
    "QUOTA_EXCEEDED": gettext_lazy("The engine stopped it because a quota of its plan is used up."),
    "INTERNAL_ERROR": gettext_lazy("The engine itself failed while running it. The steps are not kept then."),
    "CANCELED": gettext_lazy("Somebody cancelled it."),
}


def poll_seconds(run: Row, now: datetime.datetime | None = None) -> int:
    """How often the page of a run that has not ended asks again: often at first, then more and more seldom, in the end never.

    What counts is the time since the run was last changed, so that a retried one is watched as a new one is.
    """
    if ended(run):
        return 0
    known = [found for key in ("created", "startTime", "updated") if (found := show.moment(run.get(key)))]
    if not known:
        return 15
    age = ((now or timezone.now()) - max(known)).total_seconds()
    return next((seconds for limit, seconds in _PACE if age < limit), 0)


#: (seconds since its last change, seconds between two looks). After a day the page is still: it can be loaded again.
_PACE = ((30, 2), (300, 5), (1800, 15), (86_400, 60))
