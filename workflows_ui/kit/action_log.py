"""What the audit log keeps of an action on an object: one shape, whether a person did it on its page or a job did it to many."""

from typing import Any

from workflows_ui.engine import EngineError, Unknown
from workflows_ui.kit import show
from workflows_ui.kit.actions import Action, Row
from workflows_ui.kit.resource import Resource
from workflows_ui.models import AuditEvent, Workspace
from workflows_ui.services import audit
from workflows_ui.services.audit import Actor

#: Characters of one text that the log keeps.
KEPT = 1000


def clean(text: str) -> str:
    """Text that every database takes: the engine may send NUL and halves of characters."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def name_of(resource: Resource, row: Row) -> str:
    """What an object is called, as the log keeps it; "" for a name that nobody could see."""
    return _kept(resource.title(row) if row else "")


def name_among(resource: Resource, row: Row) -> str:
    """What an object is called among others, as the rows of a job keep it; "" for a name that nobody could see."""
    return _kept(resource.told(row)) if show.visible(resource.title(row)) else ""


def _kept(name: str) -> str:
    found = clean(name)[:KEPT]
    return found if show.visible(found) else ""


def outcome_of(error: EngineError) -> tuple[str, dict[str, Any]]:
    """The outcome that an engine's error is, and its detail: `unclear`, `refused`, or `failed` where nothing arrived."""
    outcome = "unclear" if isinstance(error, Unknown) else "refused" if error.sent else "failed"
    return outcome, {"error": type(error).__name__, "status": error.status, "code": error.code[:60]}


def begin(
    actor: Actor,
    workspace: Workspace,
    resource: Resource,
    action: Action,
    *,
    id: str = "",
    name: str = "",
    **detail: Any,
) -> AuditEvent:
    """Adds the row that a write of `resource.action` is about to begin; audit.end adds what came of it."""
    return audit.begin(
        actor,
        f"{resource.name}.{action.name}"[:60],
        workspace=workspace,
        object_type=resource.name[:40],
        object_id=clean(id)[:120],
        object_name=clean(name)[:KEPT],
        **detail,
    )


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
) -> None:
    """Adds the row `resource.action` about an object, or about the collection where there is no id."""
    audit.record(
        actor,
        f"{resource.name}.{action.name}"[:60],
        workspace=workspace,
        object_type=resource.name[:40],
        object_id=clean(id)[:120],
        object_name=clean(name)[:KEPT],
        outcome=outcome,
        **detail,
    )
