"""Notifications about rules: for the owner of the rule and the managers of the workspace."""

from typing import Any

from django.urls import reverse

from workflows_ui.failure_rules.models import FailureRule
from workflows_ui.members.services import access as member_access, members
from workflows_ui.notifications import services as notifications
from workflows_ui.notifications.models import NoticeKind

#: The most managers who are notified.
PEOPLE = 100


def tell(rule: FailureRule, event: str, key: str, *, url: str = "", **about: Any) -> None:
    """Notify the owner, if they still belong to the workspace, and the managers. Once for each `key`."""
    people = {person.pk: person for person in members.managers(rule.workspace)[:PEOPLE]}
    if member_access.belongs(rule.owner, rule.workspace) and rule.owner.is_active:
        people[rule.owner.pk] = rule.owner
    for pk in sorted(people):
        notifications.notify(
            people[pk],
            NoticeKind.FAILURE_RULE,
            key,
            url=url or reverse("failure_rule", args=[rule.workspace.slug, rule.pk]),
            workspace=rule.workspace,
            event=event,
            does=rule.kind,
            owner=rule.owner.label[:100],
            **about,
        )
