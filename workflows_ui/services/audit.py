"""Writes the audit log. Callers pass plain values, secrets masked; known secrets of the workspace that are in them nevertheless are too.

Writers only insert: no lock, no look at other rows. The chain is made afterwards, by audit_sealing.py.
"""

from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from workflows_ui.engine import Mask
from workflows_ui.models import BEGUN, AuditEvent, User, Workspace, audit_text
from workflows_ui.services import masking


@dataclass(frozen=True)
class Actor:
    """Who acts, and from where: a person at a browser, or the console itself (`user` None)."""

    user: User | None
    address: str | None = None
    request_id: str = ""
    #: A keyed digest of the session, never its key.
    session: str = ""


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
    reason: str = "",
    begun: AuditEvent | None = None,
    **detail: Any,
) -> AuditEvent:
    """Adds one row. `action` is noun.verb (`launch.ask`), `reason` what a person said why; `detail` is kept as JSON.

    `outcome` tells how what the action names came out, never only that it was noticed: a launch that ended by failing is `failed`.
    """
    mask = masking.of(workspace) if workspace is not None else Mask(())
    event = AuditEvent(
        at=timezone.now(),
        user=actor.user,
        user_name=_name(actor.user),
        workspace=workspace,
        action=action,
        object_type=object_type,
        object_id=audit_text.storable(object_id),
        object_name=mask.text(audit_text.storable(object_name)),
        outcome=outcome,
        reason=mask.text(audit_text.storable(reason)),
        detail=mask.value(audit_text.plain(detail)),
        address=actor.address,
        session=actor.session,
        request_id=actor.request_id,
        begun=begun,
    )
    event.canonical = event.told()
    event.save(force_insert=True)
    return event


def begin(
    actor: Actor,
    action: str,
    *,
    workspace: Workspace | None = None,
    object_type: str = "",
    object_id: str = "",
    object_name: str = "",
    reason: str = "",
    **detail: Any,
) -> AuditEvent:
    """Adds the row that says that a write to the engine is about to begin. `end` adds what came of it."""
    return record(
        actor,
        action,
        workspace=workspace,
        object_type=object_type,
        object_id=object_id,
        object_name=object_name,
        outcome=BEGUN,
        reason=reason,
        **detail,
    )


def end(begun: AuditEvent, outcome: str = "done", **detail: Any) -> AuditEvent:
    """Adds the row that tells how what `begin` announced ended: the same person, place and object, another outcome."""
    actor = Actor(begun.user, begun.address, begun.request_id, begun.session)
    return record(
        actor,
        begun.action,
        workspace=begun.workspace,
        object_type=begun.object_type,
        object_id=begun.object_id,
        object_name=begun.object_name,
        outcome=outcome,
        begun=begun,
        **detail,
    )


def _name(user: User | None) -> str:
    if user is None:
        return ""
    name = user.username if user.label == user.username else f"{user.label} ({user.username})"
    return audit_text.storable(name)
