"""A worker's side of jobs: claimed by one UPDATE, in leased turns. The content of a turn is in resource_admin/jobs/worker.py.

An object of a bulk action is marked SENDING before the engine is called about it, and is never sent again from that
state: when a worker dies, its objects in hand become "unclear", and the next worker does the rest. A job that `resumes`
writes down how far it is with an object (`Progress`), and looks at the object before it goes on. An export whose worker
was lost starts again, so that no row is in its file twice.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet

from workflows_ui.audit.services import audit_log
from workflows_ui.core import clock, database
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.core.lease import backoff, not_paused
from workflows_ui.credentials.services import engine_session
from workflows_ui.credentials.services.clients import NoCredential
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import EngineError, errors as engine
from workflows_ui.jobs.models import JOB_OPEN, JOB_OVER, ItemState, Job, JobItem, JobKind, JobPart, JobState
from workflows_ui.jobs.services import jobs
from workflows_ui.jobs.services.jobs import Reason
from workflows_ui.members.models import Role
from workflows_ui.members.services import access
from workflows_ui.members.services.access import NoAccess, NotAllowed
from workflows_ui.unclear_writes.models import UnclearWrite, WriteState

#: Duration of a worker's claim: longer than any call to the engine; renewed before each.
LEASE = timedelta(seconds=120)
#: The position of a walk that has ended; no engine's cursor is a blank.
WALKED = " "
#: While the engine cannot be reached: the first pause, the longest pause, and the tries after which the job ends early.
PAUSE, LONGEST_PAUSE, TRIES = timedelta(seconds=2), timedelta(minutes=1), 20
#: An unconfirmed job is withdrawn after this time: its list of objects gets out of date.
ASKED_FOR = timedelta(days=1)
#: Errors after which no object of the job can be done: the first match wins.
_ENDING: tuple[tuple[type[Exception], Reason], ...] = (
    (NoAccess, Reason.NO_ACCESS),
    (NotAllowed, Reason.NO_ACCESS),
    (NoCredential, Reason.NO_CREDENTIAL),
    (CannotOpen, Reason.CREDENTIAL_UNREADABLE),
    (engine.AddressRefused, Reason.ADDRESS_REFUSED),
)
#: Errors that concern a whole job (`fail`).
OF_A_JOB = (EngineError, NoAccess, NotAllowed, NoCredential, CannotOpen)
#: Temporary errors: the same call can be repeated later, since it was not acted on.
PASSING = (engine.NotSent, engine.RateLimited)
#: Errors about one object that may concern all: after so many in a row the job ends early. A gateway's stray 401 or 403 is about one
#: object; three in a row are never stray (at one fault in twenty, less than one job in eight thousand), and cost three calls.
IN_A_ROW = 3
_DOUBTFUL: dict[type[EngineError], Reason] = {
    engine.CredentialRefused: Reason.CREDENTIAL_REFUSED,
    engine.Forbidden: Reason.FORBIDDEN,
    engine.NotInPlan: Reason.NOT_IN_PLAN,
    engine.Unavailable: Reason.UNAVAILABLE,
}
#: An object whose worker was killed after it stored the unclear write is not unclear yet.
_UNSETTLED = (ItemState.SENDING, ItemState.UNCLEAR)


class Lost(Exception):
    """The job no longer belongs to this worker: stopped by a person, or its claim expired."""


class EndsEarly(Exception):
    """The job cannot continue, for a known reason."""

    def __init__(self, reason: Reason, technical: str = "") -> None:
        super().__init__(reason)
        self.reason, self.technical = reason, technical


def claim(job_id: str, kind: JobKind) -> Job | None:
    """Claim a job of this kind by one conditional UPDATE; None if there is nothing to do, or another worker has it.

    Objects in the hands of a lost worker become unclear.
    """
    now = clock.now()
    rows = Job.objects.filter(not_paused(now), kind=kind, state__in=JOB_OPEN)
    job = Job.lease.claim(rows, job_id, LEASE, now, ("workspace", "user"), not_before=None)
    if job is not None and job.resumes:
        put_back(job.items.filter(state=ItemState.SENDING))
    elif job is not None:
        mark_lost_items([job])
    return job


def hold(job: Job) -> None:
    """Renew the claim, before a call. Raises Lost."""
    if not Job.lease.renew(_own_rows(job), job, LEASE, clock.now()):
        raise Lost(job.pk)


class Progress:
    """What an action of a job that resumes has written down about one object: `values`, empty at its beginning."""

    def __init__(self, job: Job, item: JobItem) -> None:
        self.job, self._item = job, item
        self.values: dict[str, Any] = dict(item.progress)

    def save(self, **values: Any) -> None:
        """Write values down, and renew the claim: before each call that changes something. Raises Lost."""
        self.values |= values
        with database.turn(), transaction.atomic():
            hold(self.job)
            JobItem.objects.filter(pk=self._item.pk).update(progress=self.values)

    def earlier(self) -> dict[str, Any]:
        """The progress that the newest other job with this action stored for the object; empty without such a job."""
        with database.turn():
            found = self._others().first()
        return dict(found.progress) if found else {}

    def is_shared(self) -> bool:
        """Whether another job with this action has begun with the object, is not through with it (`over`), and goes on on its own."""
        with database.turn():
            found = self._others().filter(job__state__in=JOB_OPEN)
            return any(not progress.get("over") for progress in found.values_list("progress", flat=True))

    def _others(self) -> QuerySet[JobItem]:
        items = JobItem.objects.filter(
            object_id=self._item.object_id, job__workspace=self.job.workspace_id, job__action=self.job.action
        )
        return items.exclude(progress={}).exclude(job=self.job.pk).order_by("-job__asked_at")

    def of_job(self, job_id: str) -> dict[str, Any]:
        """What another job of this workspace wrote down about the object; empty if it has nothing."""
        items = JobItem.objects.filter(object_id=self._item.object_id, job__workspace=self.job.workspace_id)
        with database.turn():
            found = items.filter(job=job_id).first()
        return dict(found.progress) if found else {}


def release(job: Job) -> None:
    """Release the job for its next turn."""
    Job.lease.release(job, enqueued_at=None)


def pause(job: Job, technical: str) -> None:
    """Release the job for a while, since the engine cannot be reached; end it early after too many tries."""
    if job.tries + 1 >= TRIES:
        return end(job, Reason.NOT_REACHED, technical)
    _own_rows(job).update(
        tries=F("tries") + 1,
        reason=Reason.NOT_REACHED,
        technical=jobs.stored_text(technical),
        enqueued_at=None,
        not_before=clock.now() + backoff(PAUSE, job.tries + 1, LONGEST_PAUSE),
        **Job.lease.released_values,
    )
    return None


def add(job: Job, found: Sequence[jobs.Found], position: str, *, cut: bool = False) -> None:
    """Store one batch of the walk, and where it continues (WALKED: nowhere). Raises Lost."""
    with transaction.atomic():
        hold(job)
        number = job.items.count()
        jobs.add_items(job, found, first=number)
        job.total, job.position, job.cut = number + len(found), position, job.cut or cut
        Job.objects.filter(pk=job.pk).update(total=job.total, position=position, cut=job.cut, tries=0, reason="")
        job.tries = 0


def skip(item: JobItem, reason: Reason) -> None:
    """Skip an object before anything is done to it."""
    JobItem.objects.filter(pk=item.pk, state=ItemState.WAITING).update(
        state=ItemState.SKIPPED, reason=reason, ended_at=clock.now()
    )


def count(job: Job, counted: int | None) -> None:
    """Store the engine's own count of the objects."""
    _own_rows(job).update(counted=counted)


def ask_now(job: Job, affected: Sequence[object], looked_at: int, choices: Collection[str] = ()) -> None:
    """Store the impact and wait for confirmation; end the job if there are no objects left. Raises Lost.

    Args:
        choices: the reasons of skipped objects about which the person can choose otherwise.
    """
    if job.items.filter(Q(state=ItemState.WAITING) | Q(state=ItemState.SKIPPED, reason__in=choices)).exists():
        changes: dict[str, Any] = {"state": JobState.ASKING, "reason": ""}
    else:
        changes = {"state": JobState.ENDED, "reason": Reason.NOTHING_FOUND, "ended_at": clock.now()}
    if not _own_rows(job).update(affected=list(affected), looked_at=looked_at, **changes, **Job.lease.released_values):
        raise Lost(job.pk)


def take(job: Job, most: int) -> list[JobItem]:
    """Mark the next objects SENDING and return them: the engine may now be called about them, once. Empty if none is left. Raises Lost."""
    waiting = list(job.items.filter(state=ItemState.WAITING).order_by("position")[:most])
    if not waiting:
        return []
    now = clock.now()
    with transaction.atomic():
        hold(job)
        own_rows = _own_rows(job).filter(state=JobState.RUNNING, claim_until__gt=now)
        marked = JobItem.objects.filter(
            pk__in=[item.pk for item in waiting], state=ItemState.WAITING, job_id__in=own_rows.values("pk")
        ).update(state=ItemState.SENDING)
        if marked != len(waiting):
            raise Lost(job.pk)
    return waiting


def settle(
    items: Iterable[JobItem], state: ItemState, reason: str = "", technical: str = "", *, result_id: str = ""
) -> None:
    """Store the outcome of objects that were taken, even if the worker was considered lost meanwhile."""
    JobItem.objects.filter(_IN_HAND, pk__in=[item.pk for item in items]).update(
        state=state,
        reason=reason,
        technical=jobs.stored_text(technical),
        result_id=result_id[:300],
        ended_at=clock.now(),
    )


def settle_checked(write: UnclearWrite) -> None:
    """Store for an object of a job whether a write that was unclear turned out to be done. Does nothing for other writes, and if nobody
    can say.
    """
    job_id = write.path.rpartition("/jobs/")[2].strip("/")
    items = JobItem.objects.filter(
        job=job_id, job__workspace=write.workspace_id, object_id=write.object_id, state__in=_UNSETTLED
    )
    if write.state == WriteState.DONE:
        result_id = "" if write.found_id == write.object_id else write.found_id
        items.update(state=ItemState.DONE, reason="", technical="", result_id=result_id)
    elif write.state == WriteState.NOT_DONE:
        items.update(state=ItemState.FAILED, reason=Reason.NOT_TAKEN)


def in_hand(items: Iterable[JobItem]) -> QuerySet[JobItem]:
    """Those of the objects that were taken and have no outcome, as they are stored."""
    return JobItem.objects.filter(pk__in=[item.pk for item in items], state=ItemState.SENDING).order_by("position")


def put_back(items: Iterable[JobItem]) -> None:
    """Reset objects that were taken, but certainly not sent."""
    JobItem.objects.filter(_IN_HAND, pk__in=[item.pk for item in items]).update(
        state=ItemState.WAITING, reason="", technical="", ended_at=None
    )


def in_a_row(job: Job, reason: Reason) -> bool:
    """Whether the last IN_A_ROW outcomes were failures, or unclear, for this reason."""
    ended = job.items.exclude(state__in=[ItemState.WAITING, ItemState.SENDING]).order_by("-ended_at", "-position")
    last = list(ended.values_list("state", "reason")[:IN_A_ROW])
    return len(last) == IN_A_ROW and set(last) <= {(ItemState.FAILED, reason), (ItemState.UNCLEAR, reason)}


def reset_tries(job: Job) -> None:
    """Reset the count of failed tries after an answer of the engine."""
    if job.tries:
        _own_rows(job).update(tries=0, reason="", technical="")
        job.tries = 0


def end(job: Job, reason: str = "", technical: str = "", *, early: bool = True) -> None:
    """End the job: after every object has its outcome, or early, for a reason; what has not been sent then stays undone.

    With a reason that is not `early`, everything was done, and the reason adds to it.
    """
    state = JobState.FAILED if reason and early else JobState.ENDED
    with transaction.atomic():
        moved = _own_rows(job).update(
            state=state,
            reason=reason,
            technical=jobs.stored_text(technical),
            ended_at=clock.now(),
            **Job.lease.released_values,
        )
        if moved:
            jobs.note(jobs.requester(job), job, "end", outcome=str(state), cause=str(reason), counts=jobs.counts(job))


def mark_lost_items(lost_jobs: Sequence[Job]) -> None:
    """Mark the objects that lost workers had in hand as unclear, each with a row in the audit log."""
    for job in lost_jobs:
        for item in job.items.filter(state=ItemState.SENDING):
            with transaction.atomic():
                lost = JobItem.objects.filter(pk=item.pk, state=ItemState.SENDING).update(
                    state=ItemState.UNCLEAR, reason=Reason.WORKER_LOST, ended_at=clock.now()
                )
                if lost:
                    audit_log.record(
                        jobs.requester(job),
                        f"{job.resource}.{job.action}"[:60],
                        workspace=job.workspace,
                        object_type=job.resource[:40],
                        object_id=item.object_id[:120],
                        object_name=item.name,
                        outcome="unclear",
                        job=job.pk,
                    )


#: Taken by a worker that has not stored the outcome, even if the worker was considered lost meanwhile.
_IN_HAND = Q(state=ItemState.SENDING) | Q(state=ItemState.UNCLEAR, reason=Reason.WORKER_LOST)


def _own_rows(job: Job) -> QuerySet[Job]:
    return Job.objects.filter(Job.lease.held(job), pk=job.pk, state__in=JOB_OPEN)


def fail(job: Job, problem: Exception) -> None:
    """Pause the job after a temporary error, else end it early."""
    reason = ending(problem)
    if reason is None and isinstance(problem, (*PASSING, engine.Unavailable)):
        pause(job, technical(problem))
    else:
        end(job, reason or repeated_reason(problem) or Reason.REFUSED, technical(problem))


def ending(problem: Exception) -> Reason | None:
    """Why the whole job ends early; None if it can continue."""
    return next((reason for kind, reason in _ENDING if isinstance(problem, kind)), None)


def repeated_reason(problem: Exception) -> Reason | None:
    """The reason for an error that ends the job if it repeats."""
    # A write whose answer proves nothing says which error the answer would be.
    found = problem.cause if isinstance(problem, engine.Unknown) and problem.cause else type(problem)
    return next((reason for kind, reason in _DOUBTFUL.items() if issubclass(found, kind)), None)


def outcome(problem: EngineError) -> tuple[ItemState, Reason]:
    """The outcome for the object that the error is about, if nothing shows what happened. Not for errors that are `ending` or PASSING."""
    if isinstance(problem, engine.Unknown):
        return ItemState.UNCLEAR, repeated_reason(problem) or Reason.CUT_OFF
    if isinstance(problem, engine.NotFound) and problem.code:
        # Without a code the answer is not from the engine, but perhaps from something in between.
        return ItemState.SKIPPED, Reason.GONE
    if isinstance(problem, engine.InProgress):
        return ItemState.FAILED, Reason.IN_PROGRESS
    if isinstance(problem, engine.Refused):
        return ItemState.FAILED, Reason.IN_USE if problem.code == "FLOW_IN_USE" else Reason.REFUSED
    return ItemState.FAILED, repeated_reason(problem) or Reason.UNAVAILABLE


def technical(problem: Exception) -> str:
    """The error message of the engine or the network, for the technical details."""
    if not isinstance(problem, EngineError):
        return ""
    return " · ".join(part for part in (problem.message, problem.code, problem.technical) if part)


def check(job: Job, role: Role) -> access.Access:
    """The person's current access to the workspace. Raises NoAccess, also if the job was changed in the database; NotAllowed."""
    if not job.genuine:
        raise access.NoAccess(job.workspace.slug)
    person_access = access.access_for(job.user, job.workspace.slug)
    person_access.require(role)
    return person_access


def caller_of(job: Job, role: Role) -> EngineSession:
    """The person's engine session. Raises NoAccess, NotAllowed, NoCredential, CannotOpen, AddressRefused."""
    return engine_session.open_session(check(job, role))


def begin_file(job: Job, total: int | None) -> None:
    """Begin the file and remove the parts of an earlier worker; `total` is the number of rows, if known. Raises Lost."""
    with transaction.atomic():
        hold(job)
        JobPart.objects.filter(job=job).delete()
        Job.objects.filter(pk=job.pk).update(total=total or 0, rows=0, bytes=0, cut=False, begun_at=clock.now())
    job.rows = job.bytes = 0


def add_part(job: Job, data: bytes, rows: int) -> None:
    """Add a part to the file, after `rows` further rows were read; without data, those are counted only. Raises Lost."""
    with transaction.atomic():
        hold(job)
        if data:
            JobPart.objects.create(job=job, number=job.parts.count(), data=data)
        job.rows, job.bytes = job.rows + rows, job.bytes + len(data)
        Job.objects.filter(pk=job.pk).update(rows=job.rows, bytes=job.bytes, reason="", technical="")


def finish_file(job: Job, *, cut: bool) -> None:
    """Complete the file; `cut` if rows are missing at its end. It is kept for some days. Raises Lost."""
    now = clock.now()
    with transaction.atomic():
        hold(job)
        Job.objects.filter(pk=job.pk).update(
            state=JobState.ENDED,
            reason="",
            technical="",
            cut=cut,
            total=job.rows,
            ended_at=now,
            keep_until=now + settings.JOB_RETENTION,
            **Job.lease.released_values,
        )
        jobs.note(jobs.requester(job), job, "end", outcome=str(JobState.ENDED), rows=job.rows, bytes=job.bytes, cut=cut)


def to_enqueue() -> list[str]:
    """Mark as enqueued and return the ids of the jobs to enqueue now: new and released ones, and those whose worker is lost."""
    now = clock.now()
    return Job.to_enqueue(Job.objects.filter(not_paused(now), state__in=JOB_OPEN), now, jobs.BATCH)


def notice_lost() -> None:
    """Mark objects in hand as unclear in jobs that were stopped while a worker had them and that worker was lost."""
    expired = Job.objects.filter(Job.lease.expired(clock.now()), state__in=JOB_OVER).select_related("workspace", "user")
    lost = list(expired[: jobs.BATCH])
    mark_lost_items(lost)
    Job.objects.filter(pk__in=[job.pk for job in lost]).update(**Job.lease.released_values)


def purge() -> None:
    """Withdraw jobs that nobody confirmed, and remove expired values and files."""
    now = clock.now()
    Job.objects.filter(state=JobState.ASKING, asked_at__lt=now - ASKED_FOR).update(
        state=JobState.STOPPED, reason=Reason.FORGOTTEN, ended_at=now
    )
    old = Job.objects.filter(state__in=JOB_OVER, asked_at__lt=now - settings.LAUNCH_RETENTION)
    old.exclude(data="").update(data="")
    JobPart.objects.filter(job__keep_until__lt=now).delete()
    # The parts of an export that ended early are of no use.
    JobPart.objects.filter(job__state__in=(JobState.STOPPED, JobState.FAILED)).delete()
