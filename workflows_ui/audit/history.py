"""Rows of the audit log for its pages: visible rows, actions with their labels, and an object's history."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import reverse

from workflows_ui.accounts.models import User
from workflows_ui.audit import messages as audit_messages
from workflows_ui.audit.models import BEGUN, AuditEvent
from workflows_ui.members.models import Role, Workspace
from workflows_ui.members.services.access import Access

#: Number of rows of an object's history.
NEWEST = 20


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


def lines(events: Sequence[AuditEvent], slug: str | None) -> list[dict[str, Any]]:
    """Return actions with their labels; for a write to the engine, `end` is the row that records its end.

    `slug`: the workspace of the linked pages, None for the console-wide pages, "" for no links.
    """
    begun = [event.pk for event in events if event.outcome == BEGUN]
    ends = {end.begun_id: end for end in AuditEvent.objects.filter(begun__in=begun).order_by("-pk")} if begun else {}
    return [_line(event, ends.get(event.pk), slug) for event in events]


def _line(event: AuditEvent, end: AuditEvent | None, slug: str | None) -> dict[str, Any]:
    url = reverse("audit_row", args=[slug, event.pk]) if slug else ""
    return {
        "event": event,
        "end": end,
        "who": audit_messages.actor_label(event),
        "what": audit_messages.action(event.action),
        "outcome": audit_messages.event_outcome(event, end),
        "cut_off": audit_messages.cut_off(event, end),
        "url": reverse("audit_row_everywhere", args=[event.pk]) if slug is None else url,
        "object_url": audit_messages.url(event),
        "object_name": audit_messages.object_name(event),
    }


def object_history(access: Access, kind: str, id: str = "", *, whole: bool = False) -> dict[str, Any]:
    """Return the history of an object, or of all objects of its kind, newest first, with a link to the audit log for managers.

    `whole`: the person may see all of it, regardless of role; otherwise launchers and viewers see only their own actions (`partly`).
    """
    slug = access.workspace.slug if access.allows(Role.MANAGER) else ""
    query = {"kind": kind, "id": id[:120]} if id else {"kind": kind}
    partly = not (whole or access.allows(Role.BUILDER))
    events = rows(access.workspace).filter(object_type=kind)
    if id:
        events = events.filter(object_id=id[:120])
    if partly:
        events = events.filter(user=access.user)
    url = reverse("audit", args=[slug], query=query) if slug else ""
    return {"lines": _newest(events, slug), "partly": partly, "url": url}


def global_history(user: User, kind: str, id: str) -> dict[str, Any]:
    """Return the whole history of an object that belongs to no workspace; the caller checks access. Links are for superusers."""
    url = reverse("audit_everywhere", query={"kind": kind, "id": id[:120]}) if user.is_superuser else ""
    events = AuditEvent.objects.filter(workspace=None, object_type=kind, object_id=id[:120])
    return {"lines": _newest(events, None if user.is_superuser else ""), "partly": False, "url": url}


def _newest(events: QuerySet[AuditEvent], slug: str | None) -> list[dict[str, Any]]:
    return lines(list(beginnings(events).order_by("-at", "-pk")[:NEWEST]), slug)
