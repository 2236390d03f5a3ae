"""A worker's side of jobs: claimed by one UPDATE, in leased turns. What a turn does to objects is in kit/bulk_work.py.

An object of a bulk action is marked SENDING before the engine is called about it, and nothing that was SENDING is ever sent again: a
worker that dies leaves what it had in hand as "unclear", and the rest to the next one.
"""

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q

from workflows_ui.models import JOB_OPEN, ItemState, Job, JobItem, JobKind, JobState
from workflows_ui.services import audit, clock, jobs
from workflows_ui.services.audit import Actor

#: How long a worker's claim holds: longer than any call to the engine may take; renewed before each.
LEASE = timedelta(seconds=120)
#: The position of a walk that has come to its end; no engine's cursor is a blank.
WALKED = " "
#: Pauses (seconds) while the engine is not reached; the last one repeats. After so many tries the job ends early.
PAUSES, TRIES = (2, 5, 10, 20, 40, 60), 20


class Lost(Exception):
    """The job is no longer in this worker's hands: stopped by a person, or its claim ran out."""


def claim(job_id: str, kind: JobKind) -> Job | None:
    """Takes a job of this kind by one conditional UPDATE; None where there is nothing to do, or another worker does it.

    What a worker that is gone had in hand becomes unclear.
    """
    now, token = clock.now(), secrets.token_hex(16)
    taken = Job.objects.filter(free(now), due(now), pk=job_id, kind=kind, state__in=JOB_OPEN).update(
        claim=token, claim_until=now + LEASE, not_before=None
    )
    if not taken:
        return None
    job = Job.objects.select_related("workspace", "user").get(pk=job_id)
    job.claim = token
    lose([job])
    return job


def hold(job: Job) -> None:
    """Renews the claim, before a call. Raises Lost."""
    now = clock.now()
    if not Job.objects.filter(_mine(job), pk=job.pk, claim_until__gt=now).update(claim_until=now + LEASE):
        raise Lost(job.pk)


def release(job: Job) -> None:
    """Gives the job back, for the next turn."""
    Job.objects.filter(pk=job.pk, claim=job.claim).update(claim="", claim_until=None, rung_at=None)


def pause(job: Job, technical: str) -> None:
    """Gives the job back for a while, since the engine is not reached; ends it early after too many tries."""
    if job.tries + 1 >= TRIES:
        return fail(job, jobs.Reason.NOT_REACHED, technical)
    Job.objects.filter(_mine(job), pk=job.pk).update(
        tries=F("tries") + 1,
        reason=jobs.Reason.NOT_REACHED,
        technical=jobs.kept(technical),
        claim="",
        claim_until=None,
        rung_at=None,
        not_before=clock.now() + timedelta(seconds=PAUSES[min(job.tries, len(PAUSES) - 1)]),
    )
    return None


def add(job: Job, found: Sequence[jobs.Found], position: str, *, cut: bool = False) -> None:
    """Writes down what one stretch of the walk gave, and from where it goes on (WALKED: nowhere). Raises Lost."""
    with transaction.atomic():
        hold(job)
        number = job.items.count()
        jobs.add_items(job, found, first=number)
        job.total, job.position, job.cut = number + len(found), position, job.cut or cut
        Job.objects.filter(pk=job.pk).update(total=job.total, position=position, cut=job.cut, tries=0, reason="")
        job.tries = 0


def skip(item: JobItem, reason: jobs.Reason) -> None:
    """Leaves an object out, before anything is done to it."""
    JobItem.objects.filter(pk=item.pk, state=ItemState.WAITING).update(
        state=ItemState.SKIPPED, reason=reason, ended_at=clock.now()
    )


def count(job: Job, counted: int | None) -> None:
    """How many objects the engine says there are."""
    Job.objects.filter(_mine(job), pk=job.pk).update(counted=counted)


def ask_now(job: Job, affected: Sequence[Any], looked_at: int) -> None:
    """Everything is known that the question needs; where nothing is left to ask about, the job has ended. Raises Lost."""
    known = {"affected": list(affected), "looked_at": looked_at, "claim": "", "claim_until": None, "reason": ""}
    if job.items.filter(state=ItemState.WAITING).exists():
        moved = Job.objects.filter(_mine(job), pk=job.pk).update(state=JobState.ASKING, **known)
    else:
        known["reason"] = jobs.Reason.NOTHING_FOUND
        moved = Job.objects.filter(_mine(job), pk=job.pk).update(state=JobState.ENDED, ended_at=clock.now(), **known)
    if not moved:
        raise Lost(job.pk)


def take(job: Job, most: int) -> list[JobItem]:
    """The next objects, marked SENDING: the engine may be called about them now, once. Empty where none is left. Raises Lost."""
    waiting = list(job.items.filter(state=ItemState.WAITING).order_by("position")[:most])
    if not waiting:
        return []
    now = clock.now()
    with transaction.atomic():
        hold(job)
        mine = Job.objects.filter(_mine(job), pk=job.pk, state=JobState.RUNNING, claim_until__gt=now)
        taken = JobItem.objects.filter(
            pk__in=[item.pk for item in waiting], state=ItemState.WAITING, job_id__in=mine.values("pk")
        ).update(state=ItemState.SENDING)
        if taken != len(waiting):
            raise Lost(job.pk)
    return waiting


def settle(items: Iterable[JobItem], state: ItemState, reason: str = "", technical: str = "") -> None:
    """What became of objects that were taken; also where the worker was thought lost meanwhile."""
    JobItem.objects.filter(_IN_HAND, pk__in=[item.pk for item in items]).update(
        state=state, reason=reason, technical=jobs.kept(technical), ended_at=clock.now()
    )


def put_back(items: Iterable[JobItem]) -> None:
    """Objects that were taken, but about which certainly nothing was sent."""
    JobItem.objects.filter(_IN_HAND, pk__in=[item.pk for item in items]).update(
        state=ItemState.WAITING, reason="", technical="", ended_at=None
    )


def in_a_row(job: Job, reason: jobs.Reason, number: int) -> bool:
    """Whether the last so many outcomes were failures for this one reason."""
    ended = job.items.exclude(state__in=[ItemState.WAITING, ItemState.SENDING]).order_by("-ended_at", "-position")
    last = list(ended.values_list("state", "reason")[:number])
    return len(last) == number and set(last) == {(ItemState.FAILED, reason)}


def reached(job: Job) -> None:
    """The engine answered: failures are counted anew."""
    if job.tries:
        Job.objects.filter(_mine(job), pk=job.pk).update(tries=0, reason="", technical="")
        job.tries = 0


def end(job: Job) -> None:
    """Every object has its outcome."""
    _over(job, JobState.ENDED, "", "")


def fail(job: Job, reason: jobs.Reason, technical: str = "") -> None:
    """It ends early: what has not been sent stays undone."""
    _over(job, JobState.FAILED, reason, technical)


def lose(given: Sequence[Job]) -> None:
    """Objects that these jobs' workers left in the middle become unclear, each with its line in the audit log."""
    for job in given:
        for item in job.items.filter(state=ItemState.SENDING):
            with transaction.atomic():
                lost = JobItem.objects.filter(pk=item.pk, state=ItemState.SENDING).update(
                    state=ItemState.UNCLEAR, reason=jobs.Reason.WORKER_LOST, ended_at=clock.now()
                )
                if lost:
                    audit.record(
                        Actor(job.user),
                        f"{job.resource}.{job.action}"[:60],
                        workspace=job.workspace,
                        object_type=job.resource[:40],
                        object_id=item.object_id[:120],
                        object_name=item.name,
                        outcome="unclear",
                        job=job.pk,
                    )


#: Taken by a worker that has not said what came of it, even if it was thought lost meanwhile.
_IN_HAND = Q(state=ItemState.SENDING) | Q(state=ItemState.UNCLEAR, reason=jobs.Reason.WORKER_LOST)


def free(now: datetime) -> Q:
    """Jobs that no worker has in hand."""
    return Q(claim_until__isnull=True) | Q(claim_until__lt=now)


def due(now: datetime) -> Q:
    """Jobs whose pause is over."""
    return Q(not_before__isnull=True) | Q(not_before__lte=now)


def _mine(job: Job) -> Q:
    return Q(claim=job.claim, state__in=JOB_OPEN) & ~Q(claim="")


def _over(job: Job, state: JobState, reason: str, technical: str) -> None:
    with transaction.atomic():
        moved = Job.objects.filter(_mine(job), pk=job.pk).update(
            state=state,
            reason=reason,
            technical=jobs.kept(technical),
            ended_at=clock.now(),
            claim="",
            claim_until=None,
        )
        if moved:
            jobs.note(Actor(job.user), job, "end", outcome=str(state), cause=str(reason), counts=jobs.counts(job))
