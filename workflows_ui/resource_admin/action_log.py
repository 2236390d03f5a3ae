"""Audit rows of actions on objects, in one shape for single actions and bulk jobs."""

from typing import Any, TypedDict

from workflows_ui.audit.models import BEGUN, AuditEvent
from workflows_ui.audit.services import audit_log
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.core import formats
from workflows_ui.engine import EngineError, Unknown
from workflows_ui.lists.declaration import Row
from workflows_ui.members.models import Workspace
from workflows_ui.resource_admin.actions import Action
from workflows_ui.resource_admin.resource import Resource

#: Maximum length of a logged text.
KEPT = 1000


class ErrorDetail(TypedDict):
    """What the audit log keeps of the engine's error."""

    error: str
    status: int | None
    code: str


def clean(text: str) -> str:
    """Text that every database accepts: the engine may send NUL characters and lone surrogates."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def name_among(resource: Resource, row: Row) -> str:
    """The object's distinguishing name for the rows of a job; "" if the name has no visible characters."""
    name = clean(resource.full_title(row))[:KEPT]
    return name if formats.visible(resource.title(row)) and formats.visible(name) else ""


def outcome_of(error: EngineError) -> tuple[str, ErrorDetail]:
    """The outcome and detail for an engine error: `unclear`, `refused`, or `failed` if nothing arrived."""
    outcome = "unclear" if isinstance(error, Unknown) else "refused" if error.sent else "failed"
    return outcome, {"error": type(error).__name__, "status": error.status, "code": error.code[:60]}


def record(
    actor: Actor,
    workspace: Workspace,
    resource: Resource,
    action: Action,
    outcome: str,
    *,
    id: str = "",
    name: str = "",
    **detail: Any,
) -> AuditEvent:
    """Log an action on the object with this id and name; without an id on the collection."""
    return audit_log.record(
        actor,
        f"{resource.name}.{action.name}"[:60],
        workspace=workspace,
        object_type=resource.name[:40],
        object_id=clean(id)[:120],
        object_name=clean(name)[:KEPT],
        outcome=outcome,
        belongs_to=action.belongs_to,
        **detail,
    )


def begin(
    actor: Actor, workspace: Workspace, resource: Resource, action: Action, *, credential: str, **values: Any
) -> AuditEvent:
    """Log that an action is about to begin with this credential; audit_log.end adds the outcome. The other values are those of `record`."""
    return record(actor, workspace, resource, action, BEGUN, credential=credential, **values)
