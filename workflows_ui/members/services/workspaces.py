"""Settings of a workspace."""

from typing import Any

from django.db import transaction

from workflows_ui.audit.services import audit_log
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.members.models import Workspace
from workflows_ui.members.models.workspace import place


def record(actor: Actor, action: str, workspace: Workspace, **detail: Any) -> None:
    """Add an audit row about a workspace."""
    audit_log.record(
        actor,
        action,
        workspace=workspace,
        object_type="workspace",
        object_id=workspace.slug,
        object_name=workspace.name,
        **detail,
    )


def record_place(actor: Actor, action: str, workspace: Workspace, **detail: Any) -> None:
    """Add an audit row with the engine and project of a workspace, which credentials.services.binding compares."""
    record(actor, action, workspace, **place(workspace), **detail)


def change(
    actor: Actor,
    workspace: Workspace,
    *,
    name: str,
    colour: str,
    launching_paused: bool,
    second_factor_required: bool | None = None,
) -> list[str]:
    """Set name, colour, whether launching is paused and whether a second step is required (None: unchanged).

    Return and audit the names of the changed fields.
    """
    values: dict[str, Any] = {"name": name, "colour": colour, "launching_paused": launching_paused}
    if second_factor_required is not None:
        values["second_factor_required"] = second_factor_required
    with transaction.atomic():
        current = Workspace.objects.select_for_update().get(pk=workspace.pk)
        before = {field: getattr(current, field) for field in values}
        changed = [field for field, value in values.items() if before[field] != value]
        if not changed:
            return []
        for field in changed:
            setattr(current, field, values[field])
        current.save(update_fields=changed)
        record(
            actor,
            "workspace.change",
            current,
            before={field: before[field] for field in changed},
            after={field: values[field] for field in changed},
        )
    workspace.refresh_from_db()
    return changed
