"""Contacts for a flow: the builders or managers of its workspace, and the person who last changed it in the console."""

from dataclasses import dataclass
from datetime import datetime

from workflows_ui.audit.models import AuditEvent
from workflows_ui.core.collation import sort_key
from workflows_ui.members.models import Member, Role, Workspace

#: The most names that are listed.
MOST = 5


@dataclass(frozen=True)
class Caretakers:
    """`names` are builders of the workspace, else its managers; `changed_by` is "" if nobody changed the flow in the console."""

    names: tuple[str, ...]
    more: int
    changed_by: str = ""
    changed_at: datetime | None = None


def find_caretakers(workspace: Workspace, flow_id: str) -> Caretakers:
    """The caretakers of a flow. People before teams, by name. The engine's editor records no names, so it is not queried."""
    members = Member.objects.filter(workspace=workspace, role__in=(Role.BUILDER, Role.MANAGER))
    rows = [row for row in members.select_related("user", "team") if row.user is None or row.user.is_active]
    builders = [row for row in rows if row.role == Role.BUILDER] or rows
    people = sorted({row.user.label for row in builders if row.user is not None}, key=sort_key)
    teams = sorted({row.team.name for row in builders if row.team is not None}, key=sort_key)
    names = [*people, *teams]
    change = (
        AuditEvent.objects.filter(
            workspace=workspace, object_type="flows", object_id=flow_id, action__startswith="flows.", outcome="done"
        )
        .exclude(action="flows.export")
        .select_related("user")
        .order_by("-at")
        .first()
    )
    editor = change.user.label if change is not None and change.user is not None else ""
    return Caretakers(tuple(names[:MOST]), max(0, len(names) - MOST), editor, change.at if change and editor else None)
