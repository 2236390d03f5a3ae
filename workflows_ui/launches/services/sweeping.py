"""Periodic maintenance of launches, every second: re-enqueueing, detection of lost workers, removal of old inputs.

The broker may lose any message and any worker may die: pending work is derived from the rows.
"""

from datetime import datetime

import structlog
from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet

from workflows_ui.core import clock
from workflows_ui.core.lease import ENQUEUE_AGAIN
from workflows_ui.launches.models import KEPT, UNSENT, Launch, LaunchFile, LaunchInput, Reason, State
from workflows_ui.launches.services import launches

log = structlog.get_logger(__name__)

#: Rows of one kind in one sweep.
BATCH = 500


def to_enqueue() -> list[str]:
    """Ids of the launches to enqueue now: with a lost task, requeued after an attempt, or with a worker that died before sending.

    They are marked as enqueued, so that the next sweeps skip them for a while.
    """
    now = clock.now()
    sendable = launches.sendable_launches(now)
    return Launch.to_enqueue(sendable.filter(kept=False), now, BATCH) + _kept_to_enqueue(sendable, now)


def _kept_to_enqueue(sendable: QuerySet[Launch], now: datetime) -> list[str]:
    """The kept launch to enqueue now in each workspace: the earliest, and none while another one is being tried, or while the pause
    after an attempt is not over.

    So an engine that does not answer is tried by one launch of a workspace, once a minute in the end, and gets at most one a second when
    it is back, in the order of their requests. If only the flow of one cannot be read (NOT_READY), those of other flows overtake it.
    """
    tried = ~Launch.lease.free(now) | Q(enqueued_at__gte=now - ENQUEUE_AGAIN)
    tried |= Q(reason=Reason.NOT_REACHED, not_before__gt=now)
    busy = Launch.objects.filter(tried, KEPT).values("workspace_id")
    earlier = Launch.objects.filter(KEPT, workspace_id=OuterRef("workspace_id"), flow_id=OuterRef("flow_id"))
    earlier = earlier.filter(not_before__gt=now, asked_at__lt=OuterRef("asked_at"))
    due = sendable.filter(~Exists(earlier), kept=True).exclude(workspace_id__in=busy).order_by("asked_at", "pk")
    earliest: dict[int, str] = {}
    for workspace_id, pk in due.values_list("workspace_id", "pk")[:BATCH]:
        earliest.setdefault(workspace_id, pk)
    Launch.mark_enqueued(earliest.values())
    return list(earliest.values())


def end_late() -> int:
    """End launches that could not be sent in time as "not sent: too late". Return their number."""
    now = clock.now()
    waiting = Launch.objects.filter(Launch.lease.free(now), state__in=UNSENT)
    return sum(
        launches.end(launch, State.NOT_SENT, _late(launch), now, rows=waiting, **Launch.lease.released_values)
        for launch in waiting.filter(send_by__lte=now).select_related("workspace")[:BATCH]
    )


def _late(launch: Launch) -> Reason:
    awaited = launch.kept and launch.reason == Reason.NOT_REACHED and not launch.workspace.launching_paused
    return Reason.NOT_BACK if awaited else Reason.TOO_LATE


def notice_lost() -> int:
    """Mark launches as unclear whose worker died or hung after the commit of SENDING, until their runs are found. Return their number."""
    now = clock.now()
    gone = Launch.objects.filter(Launch.lease.expired(now))
    sending = gone.filter(state=State.SENDING)
    lost = 0
    for launch in sending.select_related("workspace")[:BATCH]:
        # The claim's token stays: if the worker was only slow, its answer is still saved.
        if launches.doubt(launch, Reason.WORKER_LOST, now, rows=sending, claim_until=None):
            log.warning("launch.worker_lost", launch=launch.pk, workspace=launch.workspace.slug)
            lost += 1
    # Their run was found before the call ended. Nothing is concluded about a launch while a call may be in progress.
    gone.exclude(state__in=[*UNSENT, State.SENDING]).update(claim_until=None)
    return lost


def forget_files() -> None:
    """Remove the bytes of files that were sent or never will be. Their names stay with the launch."""
    stored_files = LaunchFile.objects.order_by().exclude(data="")
    done = stored_files.exclude(launch__state__in=(*UNSENT, State.SENDING))
    LaunchFile.objects.filter(pk__in=list(done.values_list("pk", flat=True)[:BATCH])).update(data="")


def purge() -> int:
    """Remove inputs, answers and failures older than the retention time, but not the launches. Return the number of launches."""
    before = clock.now() - settings.LAUNCH_RETENTION
    # Also for launches that are still followed: an engine that is gone for good never reports their end.
    LaunchFile.objects.filter(launch__asked_at__lt=before).delete()
    LaunchInput.objects.filter(launch__asked_at__lt=before).delete()
    return (
        Launch.objects.filter(asked_at__lt=before)
        .exclude(payload="", answer="", failure="")
        .update(payload="", answer="", failure="", answer_cut=False)
    )
