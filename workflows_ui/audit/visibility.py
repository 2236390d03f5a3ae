"""Queries of the audit log for its pages: visible rows, the beginning and end of a write as one line, an object's history."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet

from workflows_ui.audit.models import BEGUN, AuditEvent
from workflows_ui.members.models import Role, Workspace
from workflows_ui.members.services.access import Access


@dataclass(frozen=True)
class Line:
    """One action: its row and, for a write to the engine, the row that records the end."""

    event: AuditEvent
    end: AuditEvent | None = None


def rows(workspace: Workspace | None) -> QuerySet[AuditEvent]:
    """Return all rows of a workspace (for its managers) or of the whole console (for superusers)."""
    events = AuditEvent.objects.select_related("workspace")
    return events if workspace is None else events.filter(workspace=workspace)


def beginnings(events: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
    """Exclude the ends of writes: one row per action."""
    return events.filter(begun=None)


def with_outcome(events: QuerySet[AuditEvent], outcome: str) -> QuerySet[AuditEvent]:
    """Filter actions by outcome, recorded in their only row or in the end of a write; `begun` means no recorded end."""
    ends = AuditEvent.objects.filter(begun=OuterRef("pk"))
    if outcome == BEGUN:
        return events.filter(~Exists(ends), outcome=BEGUN)
    return events.filter(Q(outcome=outcome) | Exists(ends.filter(outcome=outcome)))


def lines(events: Sequence[AuditEvent]) -> list[Line]:
    """Return rows with the ends of their writes."""
    begun = [event.pk for event in events if event.outcome == BEGUN]
    ends = {end.begun_id: end for end in AuditEvent.objects.filter(begun__in=begun).order_by("-pk")} if begun else {}
    return [Line(event, ends.get(event.pk)) for event in events]


def global_history(kind: str, id: str, *, newest: int) -> list[Line]:
    """Return the history of an object that belongs to no workspace, newest first: a team, a person."""
    events = beginnings(AuditEvent.objects.filter(workspace=None, object_type=kind, object_id=id[:120]))
    return lines(list(events.order_by("-at", "-pk")[:newest]))


def object_history(access: Access, kind: str, id: str, *, whole: bool, newest: int) -> list[Line]:
    """Return the history of an object, newest first; only the person's own actions if they may not see all of it.

    An empty `id` means all objects of the kind.
    """
    events = beginnings(rows(access.workspace)).filter(object_type=kind)
    if id:
        events = events.filter(object_id=id[:120])
    if not (whole or access.allows(Role.BUILDER)):
        events = events.filter(user=access.user)
    return lines(list(events.order_by("-at", "-pk")[:newest]))
