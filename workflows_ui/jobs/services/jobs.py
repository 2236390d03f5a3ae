"""Jobs as people see them: request, confirm, stop, retry. The worker's side is in turns.py."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, TextChoices, Value
from django.db.models.functions import Concat
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from workflows_ui.audit.services import audit_log
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.core import clock, database
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.jobs.models import JOB_OPEN, JOB_OVER, ItemState, Job, JobItem, JobKind, JobPart, JobState
from workflows_ui.members.models import Role, Workspace
from workflows_ui.members.services.access import Access
from workflows_ui.unclear_writes.models import UnclearWrite, WriteState

#: Rows per INSERT statement, and jobs enqueued at a time.
BATCH = 500
#: Among the data of a job: the id of the job that it undoes.
UNDOES = "undo"
#: Maximum length of a stored name or error message.
KEPT = 1000


class Reason(TextChoices):
    """Why a job or one of its objects is in its state: stable codes. The text is for objects; that for jobs is in jobs/messages.py."""

    NOTHING_FOUND = "nothing_found", ""
    NOT_CONFIRMED = "not_confirmed", ""
    FORGOTTEN = "forgotten", ""
    NO_ACCESS = "no_access", ""
    NO_CREDENTIAL = "no_credential", ""
    CREDENTIAL_REFUSED = (
        "credential_refused",
        _("The engine, or something in front of it, refused the credential for this one."),
    )
    CREDENTIAL_UNREADABLE = "credential_unreadable", ""
    ADDRESS_REFUSED = "address_refused", ""
    NOT_REACHED = "not_reached", ""
    BAD_FILTERS = "bad_filters", ""
    NOT_DECLARED = "not_declared", ""
    FORBIDDEN = "forbidden", _("The engine does not allow it with this credential.")
    NOT_IN_PLAN = "not_in_plan", _("Not included in the engine's plan, or a quota is used up.")
    REFUSED = "refused", _("The engine refused it.")
    NOT_OFFERED = "not_offered", _("Not possible in its current state.")
    PAUSED = "paused", _("It waits, for a time or for an answer. A retry would break it.")
    SUCCEEDED = "succeeded", _("It succeeded, and runs that succeeded were not to be started again.")
    GONE = "gone", _("It no longer exists.")
    IN_USE = "in_use", _("Someone is editing it. Try again in a minute.")
    BROKEN = "broken", _("A console error, which its log describes. Check this item before you try again.")
    HALFWAY = (
        "halfway",
        _("It stopped halfway, and it is unclear whether the last call was done. “Continue” looks first."),
    )
    #: Of a job that was asked to delete a connection at its end.
    STILL_THERE = "still_there", ""
    USED_BY_SERVER = "used_by_server", ""
    IN_PROGRESS = (
        "in_progress",
        _("The engine is still working on it, or deleting it already. Check again in a minute."),
    )
    INVALID = "invalid", _("This cannot be done with this item.")
    UNAVAILABLE = "unavailable", _("The engine did not answer properly. It was not done.")
    NOT_TAKEN = "not_taken", _("The engine did not do this with this item.")
    CUT_OFF = (
        "cut_off",
        _("The request was sent, but no complete answer came back. Check this item before you try again."),
    )
    WORKER_LOST = (
        "worker_lost",
        _("The console was interrupted while it was being done. Check this item before you try again."),
    )


@dataclass(frozen=True)
class Found:
    """An object of a requested bulk action; `offered` is whether its state allows the action, `reason` why not."""

    id: str
    name: str = ""
    offered: bool = True
    reason: str = ""


def of_workspace(access: Access) -> QuerySet[Job]:
    """The jobs a person may see in a workspace, newest first: their own; managers see all.

    Annotated: `troubled`, whether an object failed or is unclear; `checked`, whether one is being checked.
    """
    trouble = JobItem.objects.filter(job=OuterRef("pk"), state__in=(ItemState.FAILED, ItemState.UNCLEAR))
    jobs = (
        Job.objects.filter(workspace=access.workspace)
        .annotate(troubled=Exists(trouble), checked=Exists(checked()))
        .select_related("user", "workspace")
        .order_by("-asked_at", "-pk")
    )
    return jobs if access.allows(Role.MANAGER) else jobs.filter(user=access.user)


def checked() -> QuerySet[UnclearWrite]:
    """For a subquery of jobs: the writes of the job for which the console still finds out whether they were done."""
    of_job = Concat(Value("/jobs/"), OuterRef("pk"), Value("/"))
    rows = UnclearWrite.objects.filter(state=WriteState.CHECKING, workspace=OuterRef("workspace"))
    return rows.filter(path__endswith=of_job)


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
    resumes: bool = False,
) -> Job:
    """Create and audit a bulk action. Nothing is done before `begin`.

    Args:
        found: the objects; or `everything` that matches `filters`, which a worker then collects.
        look: a worker first reads the impact on other things.
        data: JSON of the form's values, if already known.
        resumes: objects in the hands of a lost worker are taken up where they stood (actions.Bulk).
    """
    job = _new(
        actor,
        access,
        kind=JobKind.BULK,
        resource=resource,
        filters=filters,
        filters_told=list(filters_told),
        action=action,
        everything=everything,
        retry_of=retry_of,
        resumes=resumes,
        state=JobState.COLLECTING if everything or look else JobState.ASKING,
        total=len(found),
    )
    job.data = job.seal("data", data)
    with transaction.atomic():
        job.save(force_insert=True)
        add_items(job, found, first=0)
        note(actor, job, "ask", count=len(found), everything=everything, retry_of=retry_of.pk if retry_of else "")
    return job


def ask_export(
    actor: Actor,
    access: Access,
    *,
    resource: str,
    format: str,
    filters: str,
    filters_told: Sequence[tuple[str, str]] = (),
) -> Job:
    """Create and audit an export. Return the person's unfinished export of the same file, if there is one."""
    values = {"kind": JobKind.EXPORT, "resource": resource, "filters": filters, "format": format}
    with database.one_at_a_time(access.user):
        own_jobs = Job.objects.filter(workspace=access.workspace, user=access.user)
        same = own_jobs.filter(state__in=JOB_OPEN, **values).first()
        if same is not None:
            return same
        job = _new(actor, access, everything=True, filters_told=list(filters_told), **values)
        job.save(force_insert=True)
        note(actor, job, "ask", format=format, filters=filters)
        return job


def _new(actor: Actor, access: Access, **values: object) -> Job:
    language = translation.get_language() or ""
    request = {"address": actor.address, "request_id": actor.request_id}
    return Job(
        workspace=access.workspace, user=access.user, language=language, asked_at=clock.now(), **request, **values
    )


def requester(job: Job) -> Actor:
    """The person who asked for the job, with their address and request."""
    return Actor(job.user, job.address, job.request_id)


def begin(
    actor: Actor, job: Job, data: str, logged: Mapping[str, object], chosen: Collection[str] = (), why: str = ""
) -> bool:
    """Confirm the job: from now on a worker acts. Return False if it was already confirmed or withdrawn.

    Args:
        data: JSON of the form's values.
        logged: the same values for the audit log.
        chosen: the reasons of skipped objects that are done all the same.
        why: the person's reason for the job; "" if none was asked for.
    """
    with transaction.atomic():
        updated = Job.objects.filter(pk=job.pk, state=JobState.ASKING).update(
            state=JobState.RUNNING,
            reason="",
            data=job.seal("data", data),
            begun_at=clock.now(),
            enqueued_at=None,
            tries=0,
        )
        if updated:
            skipped = job.items.filter(state=ItemState.SKIPPED, reason__in=chosen)
            skipped.update(state=ItemState.WAITING, reason="", ended_at=None)
            waiting = job.items.filter(state=ItemState.WAITING).count()
            note(actor, job, "begin", reason=why, values=dict(logged), count=waiting)
    return bool(updated)


def stop(actor: Actor, job: Job) -> bool:
    """Stop the job: what has not been sent stays undone. Return False if it was already over."""
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
    """Create a bulk action for the objects that failed, with the same values; None if nothing failed. Unclear objects
    are not retried, unless the job resumes them.

    A retry that is still unconfirmed is returned again.
    """
    with database.one_at_a_time(access.user):
        waiting = job.retries.filter(user=access.user, state__in=[JobState.COLLECTING, JobState.ASKING]).first()
        if waiting is not None:
            return waiting
        failed = [
            Found(item.object_id, item.name) for item in job.items.filter(state__in=again(job)).order_by("position")
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
            resumes=job.resumes,
        )


def undo(actor: Actor, access: Access, job: Job, data: Mapping[str, object]) -> Job | None:
    """Create a bulk action that undoes this one for the objects that succeeded; None if it was undone already. One that is still
    unconfirmed is returned again.

    Args:
        data: what the procedure of the action does then.
    """
    with database.one_at_a_time(access.user):
        earlier = undone_by(job)
        if earlier is not None:
            return earlier if earlier.begun_at is None else None
        done = job.items.filter(state=ItemState.DONE).order_by("position")
        return ask(
            actor,
            access,
            resource=job.resource,
            action=job.action,
            found=[Found(item.object_id, item.name) for item in done],
            look=True,
            data=json.dumps({**data, UNDOES: job.pk}),
            resumes=job.resumes,
        )


def undone_by(job: Job) -> Job | None:
    """The newest job that undoes this one: waiting, in progress, or ended with at least one object undone. None without one."""
    later = Job.objects.filter(
        workspace=job.workspace_id,
        user=job.user_id,
        resource=job.resource,
        action=job.action,
        asked_at__gt=job.asked_at,
    )
    effective = ~Q(state__in=JOB_OVER) | Q(Exists(JobItem.objects.filter(job=OuterRef("pk"), state=ItemState.DONE)))
    found = later.filter(effective).exclude(data="").select_related("workspace", "user").order_by("-asked_at")
    return next((other for other in found if _undoes(other, job)), None)


def _undoes(other: Job, job: Job) -> bool:
    try:
        data = json.loads(other.open("data"))
    except CannotOpen:
        return False
    return bool(data.get(UNDOES) == job.pk)


def again(job: Job) -> Sequence[ItemState]:
    """The states of objects that a retry of the job is about: a job that resumes looks at an object before it acts."""
    if job.resumes:
        return (ItemState.FAILED, ItemState.UNCLEAR, ItemState.WAITING, ItemState.SENDING)
    return (ItemState.FAILED,)


def counts(job: Job) -> dict[str, int]:
    """The number of objects in each ItemState that occurs."""
    rows = job.items.order_by().values_list("state").annotate(number=Count("pk"))
    return {str(state): number for state, number in rows}


def latest_states(workspace: Workspace, resource: str, action: str, ids: Collection[str]) -> dict[str, ItemState]:
    """What became of these objects in the newest confirmed job that does this with each; of a job that has ended, none still waits."""
    rows = JobItem.objects.filter(
        job__workspace=workspace,
        job__resource=resource,
        job__action=action,
        job__begun_at__isnull=False,
        object_id__in=list(ids),
    )
    found = rows.order_by("job__asked_at", "job_id").values_list("object_id", "state", "job__state")
    open_states = (ItemState.WAITING, ItemState.SENDING)
    return {key: ItemState(state) for key, state, job in found if job in JOB_OPEN or state not in open_states}


def latest_of(workspace: Workspace, resource: str, action: str, ids: Collection[str]) -> Job | None:
    """The newest confirmed job that does this with one of the objects; None without one."""
    rows = Job.objects.filter(workspace=workspace, resource=resource, action=action, begun_at__isnull=False)
    own = JobItem.objects.filter(job=OuterRef("pk"), object_id__in=list(ids))
    return rows.filter(Exists(own)).order_by("-asked_at", "-pk").first()


def add_items(job: Job, found: Sequence[Found], first: int) -> None:
    """Add objects from position `first` on; those whose state does not allow the action are skipped at once."""
    now = clock.now()
    JobItem.objects.bulk_create(
        [
            JobItem(
                job=job,
                position=number,
                object_id=item.id,
                name=stored_text(item.name),
                state=ItemState.WAITING if item.offered else ItemState.SKIPPED,
                reason="" if item.offered else item.reason or Reason.NOT_OFFERED,
                ended_at=None if item.offered else now,
            )
            for number, item in enumerate(found, first)
        ],
        batch_size=BATCH,
    )


def stored_text(text: str) -> str:
    """A text that every database accepts, truncated for storage."""
    return database.storable(text)[:KEPT]


def note(actor: Actor, job: Job, verb: str, *, outcome: str = "done", reason: str = "", **detail: object) -> None:
    """Add an audit row about the job itself; its objects have their own rows."""
    audit_log.record(actor, f"job.{verb}", job, outcome=outcome, reason=reason, detail=detail)


def has_file(job: Job) -> bool:
    """Whether the file can be downloaded."""
    return job.state == JobState.ENDED and job.keep_until is not None and job.keep_until > clock.now()


def file_content(job: Job) -> Iterator[bytes]:
    """The file part by part, never whole in memory."""
    for number in job.parts.order_by("number").values_list("number", flat=True):
        part = JobPart.objects.filter(job=job, number=number).first()
        if part is not None:
            yield bytes(part.data)
