"""Who can help with a flow: the people who look after flows in a workspace, and who last changed this one from the console."""

from dataclasses import dataclass
from datetime import datetime

from workflows_ui.models import AuditEvent, Member, Role, Workspace

#: People who are named, at most.
MOST = 5


@dataclass(frozen=True)
class Caretakers:
    """`names` are builders of the workspace, else its managers; `changed_by` "" where nobody changed the flow from here."""

    names: tuple[str, ...]
    more: int
    changed_by: str = ""
    changed_at: datetime | None = None


def of(workspace: Workspace, flow_id: str) -> Caretakers:
    """The caretakers of a flow. People before teams, by name; the engine's own editor tells nobody's name, so it is not asked."""
    members = Member.objects.filter(workspace=workspace, role__in=(Role.BUILDER, Role.MANAGER))
    rows = [row for row in members.select_related("user", "team") if row.user is None or row.user.is_active]
    builders = [row for row in rows if row.role == Role.BUILDER] or rows
    people = sorted({row.user.label for row in builders if row.user is not None}, key=str.casefold)
    teams = sorted({row.team.name for row in builders if row.team is not None}, key=str.casefold)
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
    by = change.user.label if change is not None and change.user is not None else ""
    return Caretakers(tuple(names[:MOST]), max(0, len(names) - MOST), by, change.at if change and by else None)
