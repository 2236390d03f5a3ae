"""The flows that were changed last."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from workflows_ui.audit.models import AuditEvent
from workflows_ui.core import clock
from workflows_ui.home import queries
from workflows_ui.members.services import access
from workflows_ui.resource_admin.actions import Action
from workflows_ui.resource_admin.places import flow_url
from workflows_ui.resource_admin.resource import RESOURCES

#: How far back changes are listed.
CHANGED = timedelta(days=30)
#: Flows that are listed; and actions on flows that change none.
_FLOWS = 6
_HARMLESS = frozenset({"test-trigger", "step-test", "draft-test", "minutes-saved"})


@dataclass(frozen=True)
class Change:
    """The last change of a flow through the console: of which flow, what was done, by whom and when."""

    flow: str
    url: str
    action: str
    by: str
    at: datetime


def changed_flows(person_access: access.Access) -> list[Change]:
    """The flows that were changed last, each once."""
    labels = {f"flows.{action.name}": action for action in _actions() if action.name not in _HARMLESS}
    since = clock.now() - CHANGED
    rows: dict[str, AuditEvent] = {}
    for event in queries.changes_of_flows(person_access.workspace.pk, since, sorted(labels)):
        rows.setdefault(event.object_id or f"job {event.pk}", event)
    slug = person_access.workspace.slug
    return [
        Change(
            event.object_name or event.object_id,
            "" if event.action == "flows.delete" or not event.object_id else flow_url(slug, event.object_id),
            str(labels[event.action].label),
            event.user.label if event.user else event.user_name,
            event.at,
        )
        for event in list(rows.values())[:_FLOWS]
    ]


def _actions() -> Sequence[Action]:
    return (*RESOURCES["flows"].actions, *RESOURCES["flows"].job_actions)
