"""Contacts for a flow: the builders or managers of its workspace, and the person who last changed it in the console."""

from typing import Any

from workflows_ui.audit.models import AuditEvent
from workflows_ui.core.collation import sort_key
from workflows_ui.members.models import Member, Role, Workspace

#: The most names that are listed.
MOST = 5


def find_caretakers(workspace: Workspace, flow_id: str) -> dict[str, Any]:
    """The `names` of the builders of a flow's workspace, else its managers, people before teams; how many `more` there are; and the person
    who last changed it in the console: `changed_by`, "" if nobody did, and `changed_at`. The engine's editor records no names."""
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
    return {
        "names": names[:MOST],
        "more": max(0, len(names) - MOST),
        "changed_by": change.user.label if change and change.user else "",
        "changed_at": change.at if change else None,
    }
