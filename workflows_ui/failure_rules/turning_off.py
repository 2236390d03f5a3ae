"""Turning a flow off after failures in a row: a job of the rule's owner, which has the promises of every write.

The failures are counted from the ends of the runs, each time anew: a run that is read late, or twice, counts once and in its place.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Exists

from workflows_ui.audit.services import audit_log
from workflows_ui.audit.services.audit_log import CONSOLE, Actor
from workflows_ui.core import clock
from workflows_ui.failure_rules import messages, services
from workflows_ui.failure_rules.models import ActionState, Failure, FailureAction, FailureRule, RuleKind, Skip, Stop
from workflows_ui.failure_rules.owners import owner_access, usable_credential
from workflows_ui.failure_rules.telling import tell
from workflows_ui.jobs.models import JOB_OVER, ItemState, Job
from workflows_ui.jobs.services import jobs
from workflows_ui.jobs.services.jobs import Found
from workflows_ui.launches.models import Launch, State
from workflows_ui.launches.services import runs
from workflows_ui.resource_admin.places import flow_url
from workflows_ui.run_index.models import LISTED, IndexedRun

#: Latest runs among which those that ended last are looked for: one that ended late may have begun early.
AMONG = 200
_STOPS = {
    jobs.Reason.NO_ACCESS: Stop.NO_RIGHT,
    jobs.Reason.NO_CREDENTIAL: Stop.NO_CREDENTIAL,
    jobs.Reason.CREDENTIAL_UNREADABLE: Stop.NO_CREDENTIAL,
    jobs.Reason.CREDENTIAL_REFUSED: Stop.REFUSED,
    jobs.Reason.FORBIDDEN: Stop.REFUSED,
}


def turn_off(rule: FailureRule, failure: Failure, rules: Sequence[FailureRule]) -> str:
    """Create the job that turns the flow off, if it failed often enough in a row; its id, else "".

    A rule for the flow itself takes the place of one for all flows.
    """
    own = any(other.kind == RuleKind.TURN_OFF and other.flow_id for other in rules)
    if own and not rule.flow_id:
        return ""
    latest = latest_action(failure.workspace_id, failure.flow_id)
    if latest is not None and latest.state == ActionState.WAITING:
        return ""
    since = max(rule.since, latest.at) if latest is not None else rule.since
    if not _failed_in_a_row(failure, rule.threshold, since):
        return ""
    access, problem = owner_access(rule)
    if access is None or usable_credential(rule) is None:
        services.stop(rule, problem or Stop.NO_CREDENTIAL)
        return ""
    now, actor = clock.now(), Actor(rule.owner)
    name = failure.flow_name or failure.flow_id
    found = [Found(failure.flow_id, name)]
    job = jobs.ask(actor, access, resource="flows", action="turn-off", found=found, data="{}")
    jobs.begin(actor, job, "{}", {}, why=messages.sentence(rule))
    FailureAction.objects.create(rule=rule, failure=failure, at=now, job=job)
    services.count(rule, now)
    audit_log.record(
        CONSOLE, "failure_rule.turn_off", rule, belongs_to=("flows", failure.flow_id), flow=name, number=rule.threshold
    )
    return job.pk


def latest_action(workspace_id: int, flow_id: str) -> FailureAction | None:
    """The last time that a rule turned this flow off, or tried to."""
    rows = FailureAction.objects.filter(
        failure__workspace=workspace_id, failure__flow_id=flow_id, job__isnull=False
    ).select_related("rule__owner", "job", "failure")
    return rows.order_by("-at", "-pk").first()


def _failed_in_a_row(failure: Failure, number: int, since: datetime) -> bool:
    """Whether the last runs of the flow that succeeded or failed, of those that began since then, all failed."""
    ends = _indexed_ends(failure, since) or _launched_ends(failure, since)
    latest = sorted(ends, reverse=True)[:number]
    return len(latest) == number and all(failed for _end, failed in latest)


def _indexed_ends(failure: Failure, since: datetime) -> list[tuple[datetime, bool]]:
    """When the runs of the index ended, and whether they failed; nothing if it does not have the failed one."""
    rows = IndexedRun.objects.filter(LISTED, workspace=failure.workspace_id, flow_id=failure.flow_id, created__gt=since)
    rows = rows.filter(status__in=["SUCCEEDED", *runs.FAILED]).order_by("-created", "-pk")
    found = rows.values_list("run_id", "finished", "updated", "created", "status")[:AMONG]
    if not any(run_id == failure.run_id for run_id, *_rest in found):
        return []
    return [
        (finished or updated or created, status in runs.FAILED) for _id, finished, updated, created, status in found
    ]


def _launched_ends(failure: Failure, since: datetime) -> list[tuple[datetime, bool]]:
    """The same of launches: all that is known without an index."""
    rows = Launch.objects.filter(workspace=failure.workspace_id, flow_id=failure.flow_id, asked_at__gt=since)
    rows = rows.filter(state__in=[State.SUCCEEDED, State.FAILED]).order_by("-asked_at", "-pk")
    found = rows.values_list("run_finished_at", "ended_at", "asked_at", "state")[:AMONG]
    return [(finished or ended or asked, state == State.FAILED) for finished, ended, asked, state in found]


def settle(workspace_id: int) -> None:
    """Write down how the jobs ended, and notify people. One whose write is being looked for waits until that is known."""
    waiting = FailureAction.objects.filter(
        failure__workspace=workspace_id, state=ActionState.WAITING, job__state__in=JOB_OVER
    )
    for action in waiting.select_related("rule__workspace", "rule__owner", "job", "failure"):
        if action.job is not None and not Job.objects.filter(pk=action.job.pk).filter(_is_checked()).exists():
            _settle(action, action.job)


def _is_checked() -> Exists:
    return Exists(jobs.checked())


def _settle(action: FailureAction, job: Job) -> None:
    item = job.items.first()
    state = item.state if item else ""
    reason = item.reason if item else job.reason
    with transaction.atomic():
        if state == ItemState.DONE:
            ended, skip, event = ActionState.DONE, "", "turned_off"
        elif state == ItemState.UNCLEAR:
            ended, skip, event = ActionState.UNCLEAR, "", "unclear"
        elif state == ItemState.SKIPPED:
            ended, skip, event = ActionState.NOT_DONE, Skip.ALREADY_OFF, ""
        else:
            ended, skip, event = ActionState.NOT_DONE, Skip.NOT_TURNED_OFF, "not_turned_off"
        rows = FailureAction.objects.filter(pk=action.pk, state=ActionState.WAITING)
        if not rows.update(state=ended, reason=skip, at=clock.now()) or action.rule is None:
            return
        rule, failure = action.rule, action.failure
        if event:
            url = flow_url(rule.workspace.slug, failure.flow_id)
            name = failure.flow_name or failure.flow_id
            tell(rule, event, f"failure_rule:action:{action.pk}", url=url, flow=name[:200], n=rule.threshold)
        why = job.reason or reason
        if why in _STOPS and event == "not_turned_off":
            services.stop(rule, _STOPS[jobs.Reason(why)])
