"""Rows of the audit log for its pages: visible rows, actions with their labels, an object's history, and what a row changed."""

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.urls import reverse

from workflows_ui.accounts.models import User
from workflows_ui.audit import messages as audit_messages
from workflows_ui.audit.messages import CHOICES
from workflows_ui.audit.models import BEGUN, AuditEvent
from workflows_ui.core.paths import text_at
from workflows_ui.core.readable import Node, readable_node
from workflows_ui.core.states import Badge
from workflows_ui.core.text import Text
from workflows_ui.members.models import Role, Workspace
from workflows_ui.members.services import access as member_access
from workflows_ui.members.services.access import Access

#: Number of rows of an object's history.
NEWEST = 20


class Line(TypedDict):
    """An action with its labels."""

    event: AuditEvent
    #: For a write to the engine, the last row that records its end.
    end: AuditEvent | None
    who: Text
    what: Text
    outcome: Badge
    cut_off: bool
    url: str
    object_url: str
    object_name: Text
    #: In an object's history: whether the action was done to another object, and the job that did it.
    other: NotRequired[bool]
    job: NotRequired[str]


def rows(workspace: Workspace | None) -> QuerySet[AuditEvent]:
    """All rows of a workspace (for its managers) or of the whole console (for superusers)."""
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
    # A write may be found out about later: its last end counts.
    last = ends.order_by("-pk").values("outcome")[:1]
    return events.alias(last=Subquery(last)).filter(Q(outcome=outcome) | Q(last=outcome))


def lines(events: Sequence[AuditEvent], slug: str | None) -> list[Line]:
    """Actions with their labels.

    `slug`: the workspace of the linked pages, None for the console-wide pages, "" for no links.
    """
    begun = [event.pk for event in events if event.outcome == BEGUN]
    ends = {end.begun_id: end for end in AuditEvent.objects.filter(begun__in=begun).order_by("pk")} if begun else {}
    return [_line(event, ends.get(event.pk), slug) for event in events]


def _line(event: AuditEvent, end: AuditEvent | None, slug: str | None) -> Line:
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


def opens(user: User, event: AuditEvent) -> bool:
    """Whether the person may open the page of the row's object: a manager of its workspace, unless the object was deleted."""
    if event.workspace is None:
        return False
    try:
        manages = member_access.access_for(user, event.workspace.slug).allows(Role.MANAGER)
    except member_access.NoAccess:
        return False
    names = [f"{event.object_type}.{verb}" for verb in ("delete", "remove")]
    about = AuditEvent.objects.filter(
        workspace=event.workspace, object_type=event.object_type, object_id=event.object_id
    )
    return manages and not about.filter(action__in=names, outcome="done").exists()


def object_history(
    access: Access, kind: str, id: str = "", *, whole: bool = False, page: int | None = None
) -> dict[str, object]:
    """The history of an object, or of all objects of its kind, newest first, with a link to the audit log for managers: what was
    done to it, and what else belongs to it, such as the launches of a flow. With a `page`, from 1, there are earlier and later ones.

    `whole`: the person may see everything, regardless of role; otherwise launchers and viewers see only their own actions (`partly`).
    """
    slug = access.workspace.slug if access.allows(Role.MANAGER) else ""
    query = {"kind": kind, "id": id[:120]} if id else {"kind": kind}
    url = reverse("audit", args=[slug], query=query) if slug else ""
    partly = not (whole or access.allows(Role.BUILDER))
    events = rows(access.workspace).filter(about(access.workspace, kind, id[:120]))
    if partly:
        events = events.filter(user=access.user)
    if page is None:
        return {"lines": _newest(events, slug), "partly": partly, "url": url}
    start = (page - 1) * NEWEST
    found = list(beginnings(events).order_by("-at", "-pk")[start : start + NEWEST + 1])
    shown = lines(found[:NEWEST], slug)
    for line in shown:
        line["other"] = line["event"].object_type != kind
        line["job"] = text_at(line["event"].detail, "job")
    pages = {"newer": page - 1, "older": page + 1 if len(found) > NEWEST else 0}
    return {"lines": shown, "partly": partly, "url": url, **pages}


def about(workspace: Workspace | None, kind: str, id: str) -> Q:
    """The condition of rows of an object or kind, and of those of which it is the second object. A job's page shows its items itself.

    `workspace`: of the rows, None for those of the whole console.
    """
    about = Q(object_type=kind, object_id=id) if id else Q(object_type=kind)
    if kind == "job":
        return about
    second = {"subject_type": kind, "subject_id": id} if id else {"subject_type": kind}
    ends = rows(workspace).filter(**second).exclude(begun=None)
    return about | Q(**second) | Q(pk__in=ends.values("begun_id"))


def global_history(user: User, kind: str, id: str) -> dict[str, object]:
    """The whole history of an object that belongs to no workspace; the caller checks access. Links are for superusers."""
    url = reverse("audit_everywhere", query={"kind": kind, "id": id[:120]}) if user.is_superuser else ""
    events = AuditEvent.objects.filter(workspace=None, object_type=kind, object_id=id[:120])
    return {"lines": _newest(events, None if user.is_superuser else ""), "partly": False, "url": url}


def _newest(events: QuerySet[AuditEvent], slug: str | None) -> list[Line]:
    return lines(list(beginnings(events).order_by("-at", "-pk")[:NEWEST]), slug)


def changes(detail: Mapping[str, object], action: str) -> list[dict[str, object]]:
    """Name, `before` and `after` of each changed value; the name is "" if the row has only one value. `action` is the row's."""
    if "before" not in detail and "after" not in detail:
        return []
    before, after = detail.get("before"), detail.get("after")
    if not isinstance(before, Mapping) and not isinstance(after, Mapping):
        field = "role" if action == "member.change_role" else ""
        return [_change(field, before, after, action) | {"name": ""}]
    old, new = (value if isinstance(value, Mapping) else {} for value in (before, after))
    pairs = {name: (old.get(name), new.get(name)) for name in {**old, **new}}
    return [_change(name, *pair, action) for name, pair in pairs.items() if pair[0] != pair[1]]


def _change(field: str, before: object, after: object, action: str) -> dict[str, object]:
    return {
        "name": audit_messages.field(field, action),
        "before": readable_node(_labelled(field, before)),
        "after": readable_node(_labelled(field, after)),
    }


def _labelled(field: str, value: object) -> object:
    choices = CHOICES.get(field, {})
    return str(choices[value]) if isinstance(value, str) and value in choices else value


def remaining_details(detail: Mapping[str, object], action: str = "") -> Node | None:
    """The details other than `before` and `after` in readable form, or None. `action` is the one whose form had the `values`."""
    details = {
        str(audit_messages.field(name)): _by_label(value, action) if name == "values" else _labelled(name, value)
        for name, value in detail.items()
        if name not in ("before", "after") and value not in (None, "", [], {})
    }
    return readable_node(details) if details else None


def _by_label(values: object, action: str) -> object:
    """What was entered into the form of an action, by the labels of its fields."""
    if not isinstance(values, Mapping):
        return values
    return {str(audit_messages.field(name, action)): value for name, value in values.items()}
