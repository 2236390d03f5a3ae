"""Rules for failures: adding, pausing, resuming, stopping and removing them."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import F, QuerySet

from workflows_ui.audit.services import audit_log
from workflows_ui.audit.services.audit_log import CONSOLE, Actor
from workflows_ui.core import clock
from workflows_ui.failure_rules.models import ActionState, FailureAction, FailureRule, RuleKind, Skip, Stop
from workflows_ui.failure_rules.telling import tell
from workflows_ui.members.models import Workspace
from workflows_ui.members.services.access import Access
from workflows_ui.run_index.services import indexes

#: Rules of a workspace, and actions on the page of one.
RULES, SHOWN = 200, 50


def of_workspace(workspace: Workspace) -> QuerySet[FailureRule]:
    """The rules of a workspace, those for all flows first."""
    rows = FailureRule.objects.filter(workspace=workspace).select_related("workspace", "owner", "channel", "credential")
    return rows.order_by("flow_name", "flow_id", "created_at")


def sees_failures(access: Access) -> bool:
    """Whether a person may see what rules act on: launches, and the runs of the index if the workspace has one."""
    return not hasattr(access.workspace, "run_index") or indexes.for_access(access) is not None


def may_change(access: Access, rule: FailureRule) -> bool:
    """Whether a person may pause and remove a rule: builders those of a flow, managers all."""
    return access.allows(rule.role)


def may_resume(access: Access, rule: FailureRule) -> bool:
    """Whether a person may let a rule act again. One that acts for its owner needs their consent: only the owner resumes it."""
    if not sees_failures(access):
        return False
    own = rule.kind == RuleKind.POST or rule.owner_id == access.user.pk
    return may_change(access, rule) and own


def add(actor: Actor, access: Access, kind: RuleKind, **values: object) -> FailureRule:
    """Add a rule of this person. Audited. Raises NotAllowed without the role that the rule needs."""
    now = clock.now()
    workspace = access.workspace
    rule = FailureRule(
        workspace=workspace,
        kind=kind,
        owner=access.user,
        created_at=now,
        since=now,
        moves=workspace.moves,
        **values,
    )
    access.require(rule.role)
    with transaction.atomic():
        rule.save(force_insert=True)
        _record(actor, "failure_rule.add", rule, _details(rule))
    return rule


def pause(actor: Actor, rule: FailureRule) -> bool:
    """Let a rule rest. What it has launched goes on; posts that wait are not sent. Audited. False if it rests already."""
    with transaction.atomic():
        done = FailureRule.objects.filter(pk=rule.pk, paused_at=None).update(paused_at=clock.now())
        if done:
            _leave_waiting(rule, Skip.PAUSED)
            _record(actor, "failure_rule.pause", rule)
    return bool(done)


def resume(actor: Actor, rule: FailureRule) -> None:
    """Let a rule act on failures from now on, in the place where the workspace is now. Audited."""
    now = clock.now()
    with transaction.atomic():
        FailureRule.objects.filter(pk=rule.pk).update(
            paused_at=None, stopped="", stopped_at=None, since=now, moves=rule.workspace.moves
        )
        _record(actor, "failure_rule.resume", rule)


def remove(actor: Actor, rule: FailureRule) -> None:
    """Remove a rule. Its launches remain. Audited."""
    with transaction.atomic():
        _leave_waiting(rule, Skip.STOPPED)
        _record(actor, "failure_rule.remove", rule, _details(rule))
        rule.delete()


def stop(rule: FailureRule, reason: Stop) -> None:
    """Stop a rule that cannot act any more, and notify its owner and the managers. Audited."""
    now = clock.now()
    with transaction.atomic():
        if FailureRule.objects.filter(pk=rule.pk, stopped="").update(stopped=reason, stopped_at=now):
            _leave_waiting(rule, Skip.STOPPED)
            _record(CONSOLE, "failure_rule.stop", rule, {"why": str(reason)}, outcome="stopped")
            tell(
                rule, "stopped", f"failure_rule:{rule.pk}:stopped:{now.isoformat()}", stop=str(reason), flow=_flow(rule)
            )


def count(rule: FailureRule, now: datetime) -> None:
    """Note that a rule acted."""
    FailureRule.objects.filter(pk=rule.pk).update(times=F("times") + 1, acted_at=now)


def _leave_waiting(rule: FailureRule, reason: Skip) -> None:
    """End what a rule has not begun. A flow that is being turned off is settled all the same."""
    waiting = FailureAction.objects.filter(rule=rule, state=ActionState.WAITING, job=None)
    waiting.update(state=ActionState.NOT_DONE, reason=reason, at=clock.now())


def _flow(rule: FailureRule) -> str:
    return rule.flow_name or rule.flow_id


def _details(rule: FailureRule) -> dict[str, object]:
    channel = rule.channel.name if rule.channel else ""
    found = {"flow": _flow(rule), "channel": channel, "launched_flow": rule.handler_name or rule.handler_id}
    if rule.kind == RuleKind.TURN_OFF:
        found["number"] = str(rule.threshold)
    return {name: value for name, value in found.items() if value}


def _record(
    actor: Actor, action: str, rule: FailureRule, detail: Mapping[str, object] | None = None, *, outcome: str = "done"
) -> None:
    belongs_to = ("flows", rule.flow_id) if rule.flow_id else None
    audit_log.record(actor, action, rule, outcome=outcome, belongs_to=belongs_to, detail=detail)
