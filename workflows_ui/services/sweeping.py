"""What is done every second whether or not anybody asks: bells rung again, lost workers noticed, old inputs removed.

The broker may lose any message and any worker may die: the rows say what is still to be done.
"""

from datetime import timedelta

from django.conf import settings
from django.db.models import Q

from workflows_ui.models import UNSENT, Launch, LaunchFile, LaunchInput, State, Workspace
from workflows_ui.services import clock, launches
from workflows_ui.services.launches import Reason

#: A bell that nothing came of is rung again after this long.
RING_AGAIN = timedelta(seconds=10)
#: Bells rung by one sweep.
BELLS = 500


def bells() -> list[str]:
    """Ids of the launches to ring for now: those the bell missed, those put back after a try, those whose worker died before sending.

    They are marked as rung, so that the next sweep leaves them alone for a while.
    """
    now = clock.now()
    wanted = list(
        Launch.objects.filter(
            Q(state=State.QUEUED) | Q(state=State.CLAIMED, claim_until__lt=now),
            Q(rung_at__isnull=True) | Q(rung_at__lt=now - RING_AGAIN),
            not_before__lte=now,
            send_by__gt=now,
            workspace_id__in=Workspace.objects.filter(launching_paused=False).values("pk"),
        )
        .order_by("asked_at")
        .values_list("pk", flat=True)[:BELLS]
    )
    rung(wanted)
    return wanted


def rung(ids: list[str]) -> None:
    """Notes that the bell was rung for these launches."""
    if ids:
        Launch.objects.filter(pk__in=ids).update(rung_at=clock.now())


def end_late() -> int:
    """Ends what could not be sent in time as "not sent: too late", instead of firing hours after; says how many."""
    now = clock.now()
    late = Q(state=State.QUEUED) | Q(state=State.CLAIMED, claim_until__lt=now)
    ended = 0
    for launch in Launch.objects.filter(late, send_by__lte=now).select_related("workspace")[:BELLS]:
        ended += launches.end(launch, State.NOT_SENT, Reason.TOO_LATE, now, only=late, claim="", claim_until=None)
    return ended


def notice_lost() -> int:
    """Notices workers that died (or hang) after the first byte: their launches are unclear until their runs are found; says how many."""
    now = clock.now()
    gone = Q(claim_until__lt=now)
    lost = 0
    sending = Launch.objects.filter(gone, state=State.SENDING).select_related("workspace")
    for launch in sending[:BELLS]:
        # The claim itself stays: should the worker only have been slow, its answer is still written down.
        lost += launches.end(
            launch,
            State.UNKNOWN,
            Reason.WORKER_LOST,
            now,
            only=gone & Q(state=State.SENDING),
            claim_until=None,
            look_at=now,
        )
    Launch.objects.filter(gone).exclude(state__in=[State.CLAIMED, State.QUEUED, State.SENDING]).update(claim_until=None)
    return lost


def forget_files() -> None:
    """Removes the bytes of files that were sent, or are never going to be; their names stay with the launch."""
    kept = LaunchFile.objects.order_by().exclude(data="")
    done = kept.exclude(launch__state__in=(*UNSENT, State.SENDING))
    LaunchFile.objects.filter(pk__in=list(done.values_list("pk", flat=True)[:BELLS])).update(data="")


def purge() -> int:
    """Removes inputs, answers and failures older than the retention time; the launches stay in the record. Says how many."""
    before = clock.now() - settings.LAUNCH_RETENTION
    # Also of those that are still followed: an engine that is gone for good never tells their end.
    LaunchFile.objects.filter(launch__asked_at__lt=before).delete()
    LaunchInput.objects.filter(launch__asked_at__lt=before).delete()
    return (
        Launch.objects.filter(asked_at__lt=before)
        .exclude(payload="", answer="", failure="")
        .update(payload="", answer="", failure="", answer_cut=False)
    )
