"""The work of rules: a worker takes each failure once, and writes in one transaction what every rule does about it.

Nothing here calls the engine. A launch, a job and a message are rows, which their own workers take up; a worker that dies in between leaves
either all of them, or a failure that is still to be acted on.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet

from workflows_ui.audit.services import audit_log
from workflows_ui.audit.services.audit_log import CONSOLE, Actor
from workflows_ui.core import clock, database
from workflows_ui.failure_rules import failure_input, posting, services, turning_off
from workflows_ui.failure_rules.chains import Chain, chain_of
from workflows_ui.failure_rules.models import (
    LATEST,
    ActionState,
    Failure,
    FailureAction,
    FailureRule,
    RuleKind,
    Skip,
    Stop,
)
from workflows_ui.failure_rules.noticing import LAUNCH_KEY, rules_for
from workflows_ui.failure_rules.owners import owner_access, usable_credential
from workflows_ui.failure_rules.telling import tell
from workflows_ui.launches.models import Reason
from workflows_ui.launches.services import launches
from workflows_ui.launches.services.launches import LaunchRequest, Outcome

log = structlog.get_logger(__name__)

#: The beginning of the tickets of launches by rules, each of which is used once.
TICKET = "on-failure-"
#: Failures of one turn; the pause until a failure is looked at again about which something is not known yet, or that waits for its turn.
BATCH, AGAIN, LATER = 200, timedelta(seconds=10), timedelta(minutes=1)
#: Launches of one rule within an hour: handlers that call each other without the engine's knowledge would never end.
HOURLY, HOUR = 60, timedelta(hours=1)
#: Why a rule is stopped whose launch was not sent for this reason.
_REFUSALS = {
    Reason.NO_ACCESS: Stop.NO_RIGHT,
    Reason.LAUNCH_CHANGED: Stop.CHANGED,
    Reason.CREDENTIAL_REFUSED: Stop.REFUSED,
    Reason.FORBIDDEN: Stop.REFUSED,
    **dict.fromkeys(
        (
            Reason.NO_CREDENTIAL,
            Reason.CHOSEN_CREDENTIAL,
            Reason.CREDENTIAL_UNREADABLE,
            Reason.CREDENTIAL_CHANGED,
            Reason.NOT_ENTERED,
        ),
        Stop.NO_CREDENTIAL,
    ),
}


@dataclass
class Started:
    """What was written and is to be enqueued: ids of launches and jobs."""

    launches: list[str] = field(default_factory=list)
    jobs: list[str] = field(default_factory=list)


def due() -> list[int]:
    """Ids of the workspaces with something to do."""
    found = set(_due(clock.now()).values_list("workspace_id", flat=True))
    waiting = FailureAction.objects.filter(state=ActionState.WAITING)
    return sorted(found | set(waiting.values_list("failure__workspace_id", flat=True)))


def act(workspace_id: int) -> Started:
    """Act on the failures of a workspace. Safe to call any number of times, by any number of workers."""
    started = Started()
    with database.turn():
        pks = list(_due(clock.now()).filter(workspace=workspace_id).order_by("pk").values_list("pk", flat=True)[:BATCH])
    for pk in pks:
        try:
            with database.turn(), transaction.atomic():
                _act_on(pk, found := Started())
        except database.AWAY:
            raise
        except Exception:
            # Otherwise it would be the first of every turn, and nothing would be done about any other.
            log.exception("failure_rules.broken", failure=pk)
            with database.turn():
                Failure.objects.filter(pk=pk).update(due_at=clock.now() + HOUR)
            continue
        started.launches += found.launches
        started.jobs += found.jobs
    with database.turn():
        posting.post(workspace_id)
        turning_off.settle(workspace_id)
        _stop_refused(workspace_id)
    return started


def _due(now: datetime) -> QuerySet[Failure]:
    return Failure.objects.filter(due_at__lte=now)


def _act_on(pk: int, started: Started) -> None:
    """Claim a failure and act on it. Another worker waits for the end of this transaction, and finds nothing to do."""
    now = clock.now()
    if not _due(now).filter(pk=pk).update(due_at=None):
        return
    failure = Failure.objects.select_related("workspace", "launch").get(pk=pk)
    if not _identify(failure):
        return
    # Locked, in one order for all workers: what a rule has done about other failures counts.
    keys = rules_for(failure.workspace_id, failure.flow_id).filter(since__lte=failure.failed_at)
    locked = FailureRule.objects.select_for_update(no_key=True, of=("self",)).select_related("owner")
    rules = list(locked.filter(pk__in=keys.values("pk")).order_by("pk"))
    if not rules:
        return
    late = failure.failed_at < now - LATEST
    again: list[timedelta] = []
    for rule in rules:
        rule.workspace = failure.workspace
        if rule.kind == RuleKind.TURN_OFF:
            if not late and (job := turning_off.turn_off(rule, failure, rules)):
                started.jobs.append(job)
            continue
        action, _created = FailureAction.objects.get_or_create(rule=rule, failure=failure, defaults={"at": now})
        if action.state != ActionState.WAITING:
            continue
        if late:
            _skip(action, Skip.LATE)
        elif rule.kind == RuleKind.LAUNCH and (pause := _launch(rule, failure, action, started)):
            again.append(pause)
    if again:
        Failure.objects.filter(pk=pk).update(due_at=now + min(again))


def _identify(failure: Failure) -> bool:
    """Find the run of a failed launch; False if it is not known yet, or the failure is known by its run already.

    The run index and a launch may both make a failure known, so nothing is done about a launch before its run is known, or will not be.
    """
    if not failure.key.startswith(LAUNCH_KEY):
        known = Failure.objects.filter(
            workspace=failure.workspace_id, key=f"{LAUNCH_KEY}{failure.parent_id}", due_at=None
        )
        return not (failure.parent_id and known.exists())
    launch = failure.launch
    if launch is None or not launch.run_id:
        if launch is not None and launch.poll_at is not None:
            Failure.objects.filter(pk=failure.pk).update(due_at=clock.now() + AGAIN)
            return False
        return True
    failure.key = failure.run_id = launch.run_id
    failure.step_title = failure.step_title or launch.failed_step[:200]
    try:
        with transaction.atomic():
            failure.save(update_fields=["key", "run_id", "step_title"])
    except IntegrityError:
        return False
    return True


def _skip(action: FailureAction, reason: Skip) -> None:
    FailureAction.objects.filter(pk=action.pk).update(state=ActionState.NOT_DONE, reason=reason, at=clock.now())


def _launch(rule: FailureRule, failure: Failure, action: FailureAction, started: Started) -> timedelta | None:
    """Launch a rule's flow for its owner. The time until it is to be tried again, if that is not possible yet."""
    chain = Chain.OWN if failure.flow_id == rule.handler_id else chain_of(failure)
    if chain == Chain.UNKNOWN:
        return AGAIN
    if chain == Chain.OWN:
        _skip(action, Skip.OWN_CHAIN)
        return None
    access, problem = owner_access(rule)
    credential = usable_credential(rule) if access else None
    if access is None or credential is None:
        services.stop(rule, problem or Stop.NO_CREDENTIAL)
        return None
    now = clock.now()
    launched = FailureAction.objects.filter(rule=rule, launch__isnull=False, at__gt=now - HOUR).count()
    if launched >= HOURLY:
        _skip(action, Skip.TOO_MANY)
        hour = now.isoformat(timespec="hours")
        tell(rule, "too_many", f"failure_rule:{rule.pk}:too_many:{hour}", flow=rule.handler_name, n=HOURLY)
        return None
    request = LaunchRequest(
        flow_id=rule.handler_id,
        flow_name=rule.handler_name,
        payload=failure_input.build(rule, failure, access),
        wait=False,
        ticket=f"{TICKET}{rule.pk}-{failure.pk}",
        confirmed=True,
        credential=credential,
        logged={"rule": rule.pk, "failed_flow": failure.flow_name or failure.flow_id},
    )
    result = launches.create(Actor(rule.owner), access, request)
    if result.launched is None:
        if result.outcome == Outcome.TOO_OFTEN:
            return LATER
        _skip(action, Skip.LAUNCHING_PAUSED if result.outcome == Outcome.PAUSED else Skip.REFUSED)
        return None
    launch = result.launched
    FailureAction.objects.filter(pk=action.pk).update(state=ActionState.DONE, launch=launch, at=now)
    services.count(rule, now)
    audit_log.record(
        CONSOLE,
        "failure_rule.launch",
        rule,
        belongs_to=("launch", launch.pk),
        flow=failure.flow_name or failure.flow_id,
        run=failure.run_id,
        launched_flow=rule.handler_name or rule.handler_id,
    )
    started.launches.append(launch.pk)
    return None


def _stop_refused(workspace_id: int) -> None:
    """Stop the rules whose launches were not sent because their owner or the credential may not do so any more."""
    rows = FailureAction.objects.filter(
        rule__in=rules_for(workspace_id),
        launch__reason__in=_REFUSALS,
        at__gt=clock.now() - HOUR,
        at__gte=F("rule__since"),
    )
    for action in rows.select_related("rule__workspace", "rule__owner", "launch"):
        if action.rule is not None and action.launch is not None:
            services.stop(action.rule, _REFUSALS[Reason(action.launch.reason)])
