"""Reads the audit log for its pages: whose rows a person may see, a write's beginning and end as one line, an object's history."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet

from workflows_ui.models import BEGUN, AuditEvent, Role, Workspace
from workflows_ui.services.access import Access


@dataclass(frozen=True)
class Line:
    """One thing that was done: its row and, where it is a write to the engine, the row that tells its end."""

    event: AuditEvent
    end: AuditEvent | None = None


def rows(workspace: Workspace | None) -> QuerySet[AuditEvent]:
    """Every row of a workspace, or of the whole console; for its managers, and for superusers."""
    found = AuditEvent.objects.select_related("workspace")
    return found if workspace is None else found.filter(workspace=workspace)


def beginnings(found: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
    """One row for each thing that was done: a write's end is told with its beginning."""
    return found.filter(begun=None)


def with_outcome(found: QuerySet[AuditEvent], outcome: str) -> QuerySet[AuditEvent]:
    """Things with this outcome, whether told in one row or by the end of a write; `begun` is what has no end."""
    ends = AuditEvent.objects.filter(begun=OuterRef("pk"))
    if outcome == BEGUN:
        return found.filter(~Exists(ends), outcome=BEGUN)
    return found.filter(Q(outcome=outcome) | Exists(ends.filter(outcome=outcome)))


def lines(found: Sequence[AuditEvent]) -> list[Line]:
    """Rows with their ends."""
    begun = [event.pk for event in found if event.outcome == BEGUN]
    ends = {end.begun_id: end for end in AuditEvent.objects.filter(begun__in=begun).order_by("-pk")} if begun else {}
    return [Line(event, ends.get(event.pk)) for event in found]


def outside(kind: str, id: str, *, newest: int) -> list[Line]:
    """What was done to an object that belongs to no workspace, newest first: a team, a person."""
    found = beginnings(AuditEvent.objects.filter(workspace=None, object_type=kind, object_id=id[:120]))
    return lines(list(found.order_by("-at", "-pk")[:newest]))


def history(place: Access, kind: str, id: str, *, whole: bool, newest: int) -> list[Line]:
    """What was done to an object, newest first; only what the person did themselves, where they may not see the whole of it.

    An empty `id` means all objects of the kind.
    """
    found = beginnings(rows(place.workspace)).filter(object_type=kind)
    if id:
        found = found.filter(object_id=id[:120])
    if not (whole or place.allows(Role.BUILDER)):
        found = found.filter(user=place.user)
    return lines(list(found.order_by("-at", "-pk")[:newest]))
