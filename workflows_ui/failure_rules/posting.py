"""Posts to channels: the failures of a flow that one rule has collected are one message, and the next one comes minutes later."""

from datetime import datetime, timedelta

from django.db import transaction

from workflows_ui.alarms.failure_posts import FAILURE
from workflows_ui.alarms.models import AlarmDelivery
from workflows_ui.core import clock
from workflows_ui.failure_rules import services
from workflows_ui.failure_rules.failure_input import page_path
from workflows_ui.failure_rules.models import ActionState, FailureAction, FailureRule, RuleKind, Skip
from workflows_ui.failure_rules.noticing import rules_for
from workflows_ui.resource_admin.places import list_url

#: The least time between two posts of a rule about one flow; and failures that one post counts.
PAUSE, COUNTED = timedelta(minutes=5), 5000


def post(workspace_id: int) -> None:
    """Write the messages whose time has come. Safe to call any number of times, by any number of workers."""
    waiting = FailureAction.objects.filter(state=ActionState.WAITING, rule__kind=RuleKind.POST)
    waiting = waiting.filter(rule__in=rules_for(workspace_id))
    for rule_id, flow_id in sorted(set(waiting.order_by().values_list("rule", "failure__flow_id"))):
        with transaction.atomic():
            _post(rule_id, flow_id, clock.now())


def _post(rule_id: str, flow_id: str, now: datetime) -> None:
    # Locked: two workers would each post.
    rule = FailureRule.objects.select_for_update(no_key=True, of=("self",)).get(pk=rule_id)
    actions = FailureAction.objects.filter(rule=rule, failure__flow_id=flow_id)
    if actions.filter(delivery__isnull=False, at__gt=now - PAUSE).exists():
        return
    waiting = list(
        actions.filter(state=ActionState.WAITING).select_related("failure").order_by("failure__failed_at")[:COUNTED]
    )
    channel = rule.channel
    if not waiting or channel is None:
        return
    rows = FailureAction.objects.filter(pk__in=[action.pk for action in waiting])
    if channel.paused or channel.moves != rule.workspace.moves:
        rows.update(state=ActionState.NOT_DONE, reason=Skip.PAUSED, at=now)
        return
    latest, slug = waiting[-1].failure, rule.workspace.slug
    many = list_url(slug, "runs", flow=flow_id, status="FAILED") if latest.run_id and not latest.launch_id else ""
    delivery = AlarmDelivery.objects.create(
        channel=channel,
        event=FAILURE,
        created_at=now,
        due_at=now,
        content={
            "flow": flow_id,
            "name": latest.flow_name,
            "number": len(waiting),
            "step": latest.step_title or latest.step,
            "run": latest.run_id,
            "since": waiting[0].failure.failed_at.isoformat(),
            "path": (many if len(waiting) > 1 else "") or page_path(slug, latest),
        },
    )
    rows.update(state=ActionState.DONE, delivery=delivery, at=now)
    services.count(rule, now)
