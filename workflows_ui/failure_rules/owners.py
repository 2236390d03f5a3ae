"""Whether the owner of a rule may still have it act for them: asked each time, since roles, teams and credentials change."""

from workflows_ui.core import clock
from workflows_ui.credentials.models import Credential
from workflows_ui.failure_rules import services
from workflows_ui.failure_rules.models import FailureRule, RuleKind, Stop
from workflows_ui.members.models import Role
from workflows_ui.members.services import access as member_access
from workflows_ui.members.services.access import Access


def owner_access(rule: FailureRule) -> tuple[Access | None, Stop | None]:
    """The owner's access to the workspace; without it, why the rule has to stop."""
    if not rule.genuine:
        # A deleted credential is part of the mark, too.
        gone = rule.kind == RuleKind.LAUNCH and rule.credential_id is None
        return None, Stop.NO_CREDENTIAL if gone else Stop.CHANGED
    try:
        access = member_access.access_for(rule.owner, rule.workspace.slug)
    except member_access.NoAccess:
        return None, Stop.NO_RIGHT
    if not (access.allows(rule.role) and access.allows(Role.LAUNCHER)):
        return None, Stop.NO_RIGHT
    return (access, None) if services.sees_failures(access) else (None, Stop.NO_INDEX)


def usable_credential(rule: FailureRule) -> Credential | None:
    """The credential with which a rule acts: the chosen one, as long as its owner may use it and it works."""
    options = (option.credential for option in member_access.credential_options(rule.owner, rule.workspace))
    found = next((row for row in options if rule.kind != RuleKind.LAUNCH or row.pk == rule.credential_id), None)
    return found if found is not None and found.usable(clock.now()) else None
