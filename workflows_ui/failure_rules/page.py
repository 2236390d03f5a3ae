"""What the page of a launch shows of the rule that made it."""

from typing import TypedDict

from django.urls import reverse

from workflows_ui.failure_rules.acting import TICKET
from workflows_ui.failure_rules.failure_input import page_path
from workflows_ui.failure_rules.models import FailureAction
from workflows_ui.launches.models import Launch
from workflows_ui.members.models import Role
from workflows_ui.members.services.access import Access


class Because(TypedDict):
    """The failure because of which a launch was made: the flow's name, and what a builder may open."""

    flow: str
    url: str
    rule_url: str


def because_of(launch: Launch, access: Access) -> Because | None:
    """Why a rule made this launch; None for a launch of a person. No query for those."""
    if not launch.ticket.startswith(TICKET):
        return None
    action = FailureAction.objects.filter(launch=launch.pk).select_related("failure").first()
    if action is None:
        return None
    slug, builds = access.workspace.slug, access.allows(Role.BUILDER)
    failure = action.failure
    return {
        "flow": failure.flow_name or failure.flow_id,
        "url": page_path(slug, failure) if builds else "",
        "rule_url": reverse("failure_rule", args=[slug, action.rule_id]) if builds and action.rule_id else "",
    }
