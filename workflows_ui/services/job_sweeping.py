"""What is done for jobs whether or not anybody asks: bells rung again, lost workers noticed, old questions and values removed."""

from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.db.models import Q

from workflows_ui.models import JOB_OPEN, JOB_OVER, Job, JobPart, JobState
from workflows_ui.services import clock, job_turns, jobs

#: A bell that nothing came of is rung again after this long.
RING_AGAIN = timedelta(seconds=10)
#: A question that nobody answers is withdrawn: its list of objects grows old.
ASKED_FOR = timedelta(days=1)


def bells() -> list[str]:
    """Ids of the jobs that a worker should look at now: new ones, those given back, those whose worker is gone. Marked as rung."""
    now = clock.now()
    quiet = Q(rung_at__isnull=True) | Q(rung_at__lt=now - RING_AGAIN)
    wanted = list(
        Job.objects.filter(job_turns.free(now), job_turns.due(now), quiet, state__in=JOB_OPEN)
        .order_by("asked_at")
        .values_list("pk", flat=True)[: jobs.BATCH]
    )
    rung(wanted)
    return wanted


def rung(ids: Sequence[str]) -> None:
    """Notes that the bell was rung for these jobs."""
    if ids:
        Job.objects.filter(pk__in=ids).update(rung_at=clock.now())


def notice_lost() -> None:
    """Jobs that were stopped while a worker had them, and whose worker is gone: what it had in hand is unclear."""
    gone = Job.objects.filter(state__in=JOB_OVER, claim_until__lt=clock.now()).select_related("workspace", "user")
    lost = list(gone[: jobs.BATCH])
    job_turns.lose(lost)
    Job.objects.filter(pk__in=[job.pk for job in lost]).update(claim="", claim_until=None)


def purge() -> None:
    """Withdraws questions that nobody answered, and removes values and files whose time is over."""
    now = clock.now()
    Job.objects.filter(state=JobState.ASKING, asked_at__lt=now - ASKED_FOR).update(
        state=JobState.STOPPED, reason=jobs.Reason.FORGOTTEN, ended_at=now
    )
    old = Job.objects.filter(state__in=JOB_OVER, asked_at__lt=now - settings.LAUNCH_RETENTION)
    old.exclude(data="").update(data="")
    JobPart.objects.filter(job__keep_until__lt=now).delete()
    # What a job that ended early has written of its file is nobody's.
    JobPart.objects.filter(job__state__in=(JobState.STOPPED, JobState.FAILED)).delete()
