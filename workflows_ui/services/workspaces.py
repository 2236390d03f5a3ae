"""What managers set about a workspace."""

from typing import Any

from django.db import transaction

from workflows_ui.models import Workspace
from workflows_ui.services import audit
from workflows_ui.services.audit import Actor


def change(
    actor: Actor,
    workspace: Workspace,
    *,
    name: str,
    colour: str,
    launching_paused: bool,
    second_factor_required: bool | None = None,
) -> list[str]:
    """Sets name, colour, whether launching is paused and whether a second step is demanded (None: as it is).

    The names of the fields that changed are returned and audited.
    """
    wanted: dict[str, Any] = {"name": name, "colour": colour, "launching_paused": launching_paused}
    if second_factor_required is not None:
        wanted["second_factor_required"] = second_factor_required
    with transaction.atomic():
        current = Workspace.objects.select_for_update().get(pk=workspace.pk)
        before = {field: getattr(current, field) for field in wanted}
        changed = [field for field, value in wanted.items() if before[field] != value]
        if not changed:
            return []
        for field in changed:
            setattr(current, field, wanted[field])
        current.save(update_fields=changed)
        audit.record(
            actor,
            "workspace.change",
            workspace=current,
            object_type="workspace",
            object_id=current.slug,
            object_name=current.name,
            before={field: before[field] for field in changed},
            after={field: wanted[field] for field in changed},
        )
    workspace.refresh_from_db()
    return changed
