"""Writes the audit log. Callers pass plain values; anything that could be a secret is masked before it gets here."""

from dataclasses import dataclass
from typing import Any

from workflows_ui.models import AuditEvent, User, Workspace


@dataclass(frozen=True)
class Actor:
    """Who acts, and from where: a person at a browser, or the console itself (`user` None)."""

    user: User | None
    address: str | None = None
    request_id: str = ""


#: The console acting by itself: following runs, sweeping.
CONSOLE = Actor(user=None)


def record(
    actor: Actor,
    action: str,
    *,
    workspace: Workspace | None = None,
    object_type: str = "",
    object_id: str = "",
    object_name: str = "",
    outcome: str = "done",
    **detail: Any,
) -> AuditEvent:
    """Adds one row. `action` is noun.verb (`launch.ask`); `detail` must be JSON-serialisable."""
    return AuditEvent.objects.create(
        user=actor.user,
        workspace=workspace,
        action=action,
        object_type=object_type,
        object_id=object_id,
        object_name=object_name,
        outcome=outcome,
        detail=detail,
        address=actor.address,
        request_id=actor.request_id,
    )
