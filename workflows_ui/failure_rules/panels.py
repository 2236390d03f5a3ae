"""The card of a flow's page: the rules for its failures, and whether one has turned it off."""

from django.db.models import Q

from workflows_ui.engine_objects.flows import Flow
from workflows_ui.failure_rules import messages as texts, services, turning_off
from workflows_ui.failure_rules.models import ActionState, RuleKind
from workflows_ui.members.models import Role
from workflows_ui.resource_admin.resource import Subject


def of_flow(subject: Subject) -> dict[str, object] | None:
    """The rules for this flow, for builders; for everyone, that a rule turned it off. None without either."""
    flow, access = Flow(subject.object), subject.access
    if flow.deleting or "/" in subject.id:
        return None
    found = turning_off.latest_action(subject.workspace.pk, subject.id)
    if found is not None and (found.state == ActionState.NOT_DONE or flow.is_on):
        found = None
    builds = access.allows(Role.BUILDER) and services.sees_failures(access)
    if found is None and not builds:
        return None
    rows = services.of_workspace(subject.workspace).filter(Q(flow_id="") | Q(flow_id=subject.id)) if builds else ()
    return {
        "turned_off": found,
        "may_turn_on": builds,
        "builds": builds,
        "kinds": RuleKind,
        "rules": [(rule, texts.sentence(rule)) for rule in rows],
    }
