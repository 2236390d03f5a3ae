"""Jobs as people see them: asking for one, confirming, stopping, trying again. A worker's side of them is in job_turns.py."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, QuerySet
from django.utils import translation

from workflows_ui.models import JOB_OVER, ItemState, Job, JobItem, JobKind, JobState, Role
from workflows_ui.services import audit, clock, database
from workflows_ui.services.access import Access
from workflows_ui.services.audit import Actor

#: Rows written by one statement.
BATCH = 500
#: Characters of a name or of the engine's words that are kept.
KEPT = 1000


class Reason(StrEnum):
    """Why a job or one of its objects is in its state: stable codes, with their words in kit/job_words.py."""

    NOTHING_FOUND = "nothing_found"
    NOT_CONFIRMED = "not_confirmed"
    FORGOTTEN = "forgotten"
    NO_ACCESS = "no_access"
    NO_CREDENTIAL = "no_credential"
    CREDENTIAL_REFUSED = "credential_refused"
    CREDENTIAL_UNREADABLE = "credential_unreadable"
    ADDRESS_REFUSED = "address_refused"
    NOT_REACHED = "not_reached"
    BAD_FILTERS = "bad_filters"
    NOT_DECLARED = "not_declared"
    FORBIDDEN = "forbidden"
    NOT_IN_PLAN = "not_in_plan"
    REFUSED = "refused"
    NOT_OFFERED = "not_offered"
    GONE = "gone"
    IN_USE = "in_use"
    INVALID = "invalid"
    UNAVAILABLE = "unavailable"
    NOT_TAKEN = "not_taken"
    CUT_OFF = "cut_off"
    WORKER_LOST = "worker_lost"


@dataclass(frozen=True)
class Found:
    """An object that a bulk action is asked for; `offered` says whether its state allows the action."""

    id: str
    name: str = ""
    offered: bool = True


def of_workspace(access: Access) -> QuerySet[Job]:
    """The jobs a person may see in a workspace, newest first: their own; managers see everybody's.

    Each knows as `troubled` whether something of it failed or is unclear.
    """
    trouble = JobItem.objects.filter(job=OuterRef("pk"), state__in=(ItemState.FAILED, ItemState.UNCLEAR))
    jobs = (
        Job.objects.filter(workspace=access.workspace)
        .annotate(troubled=Exists(trouble))
        .select_related("user", "workspace")
        .order_by("-asked_at", "-pk")
    )
    return jobs if access.allows(Role.MANAGER) else jobs.filter(user=access.user)


def ask(
    actor: Actor,
    access: Access,
    *,
    resource: str,
    action: str,
    found: Sequence[Found] = (),
    everything: bool = False,
    look: bool = False,
    filters: str = "",
    filters_told: Sequence[tuple[str, str]] = (),
    data: str = "",
    retry_of: Job | None = None,
) -> Job:
    """A new bulk action, written down and audited. Nothing is done before `begin`.

    Args:
        found: the objects; or `everything` that matches `filters`, which a worker then finds.
        look: a worker looks first at what would be touched besides.
        data: JSON of the form's values, where they are known already.
    """
    job = Job(
        workspace=access.workspace,
        user=access.user,
        kind=JobKind.BULK,
        resource=resource,
        action=action,
        filters=filters,
        filters_told=list(filters_told),
        language=translation.get_language() or "",
        everything=everything,
        retry_of=retry_of,
        state=JobState.COLLECTING if everything or look else JobState.ASKING,
        total=len(found),
        asked_at=clock.now(),
    )
    job.data = job.seal("data", data)
    with transaction.atomic():
        job.save(force_insert=True)
        add_items(job, found, first=0)
        note(actor, job, "ask", count=len(found), everything=everything, retry_of=retry_of.pk if retry_of else "")
    return job


def begin(actor: Actor, job: Job, data: str, told: Mapping[str, Any]) -> bool:
    """The person said yes: from now on a worker acts. False where that was said, or taken back, already.

    Args:
        data: JSON of the form's values; `told`: the same as the audit log may hold it.
    """
    with transaction.atomic():
        begun = Job.objects.filter(pk=job.pk, state=JobState.ASKING).update(
            state=JobState.RUNNING, reason="", data=job.seal("data", data), begun_at=clock.now(), rung_at=None, tries=0
        )
        if begun:
            note(actor, job, "begin", values=dict(told), count=job.items.filter(state=ItemState.WAITING).count())
    return bool(begun)


def stop(actor: Actor, job: Job) -> bool:
    """What has not been sent stays undone. False where it was over already."""
    with transaction.atomic():
        reason = Reason.NOT_CONFIRMED if job.begun_at is None else ""
        stopped = (
            Job.objects.filter(pk=job.pk)
            .exclude(state__in=JOB_OVER)
            .update(state=JobState.STOPPED, reason=reason, ended_at=clock.now())
        )
        if stopped:
            note(actor, job, "stop", counts=counts(job))
    return bool(stopped)


def retry(actor: Actor, access: Access, job: Job, *, look: bool) -> Job | None:
    """A new question about those that failed, with the same values; None where nothing failed. What is unclear is left alone.

    A question about the same that waits already is given again.
    """
    with database.one_at_a_time(access.user):
        waiting = job.retries.filter(user=access.user, state__in=[JobState.COLLECTING, JobState.ASKING]).first()
        if waiting is not None:
            return waiting
        failed = [
            Found(item.object_id, item.name) for item in job.items.filter(state=ItemState.FAILED).order_by("position")
        ]
        if not failed or not job.over:
            return None
        return ask(
            actor,
            access,
            resource=job.resource,
            action=job.action,
            found=failed,
            look=look,
            filters=job.filters,
            filters_told=job.filters_told,
            data=job.open("data"),
            retry_of=job,
        )


def counts(job: Job) -> dict[str, int]:
    """How many of its objects are in each state, by ItemState; states that none is in are left out."""
    found = job.items.order_by().values_list("state").annotate(number=Count("pk"))
    return {str(state): number for state, number in found}


def add_items(job: Job, found: Sequence[Found], first: int) -> None:
    """Writes objects down, from position `first` on; those that are not offered the action are skipped at once."""
    now = clock.now()
    JobItem.objects.bulk_create(
        [
            JobItem(
                job=job,
                position=number,
                object_id=one.id,
                name=kept(one.name),
                state=ItemState.WAITING if one.offered else ItemState.SKIPPED,
                reason="" if one.offered else Reason.NOT_OFFERED,
                ended_at=None if one.offered else now,
            )
            for number, one in enumerate(found, first)
        ],
        batch_size=BATCH,
    )


def kept(text: str) -> str:
    """A text as the rows keep it: one that every database takes, and not endless."""
    return database.storable(text)[:KEPT]


def note(actor: Actor, job: Job, verb: str, *, outcome: str = "done", **detail: Any) -> None:
    """A line of the audit log about the job itself; its objects have lines of their own."""
    audit.record(
        actor,
        f"job.{verb}",
        workspace=job.workspace,
        object_type="job",
        object_id=job.pk,
        object_name=f"{job.resource}.{job.action}",
        outcome=outcome,
        **detail,
    )
