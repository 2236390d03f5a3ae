"""An object's history on its page: its audit rows, newest first, with a link to the whole audit log for managers."""

from dataclasses import dataclass

from django.urls import reverse

from workflows_ui.accounts.models import User
from workflows_ui.audit import messages as audit_messages
from workflows_ui.audit import visibility as audit_visibility
from workflows_ui.audit.models import AuditEvent
from workflows_ui.audit.visibility import Line
from workflows_ui.core.states import Badge
from workflows_ui.members.models import Role
from workflows_ui.members.services.access import Access
from workflows_ui.web.messages import Text

#: Number of rows shown.
NEWEST = 20


@dataclass(frozen=True)
class HistoryLine:
    """One action with its labels. `url` is the page of the row, `object_url` that of the object; "" if there is none."""

    event: AuditEvent
    who: Text
    what: Text
    outcome: Badge
    cut_off: bool
    url: str = ""
    object_url: str = ""
    object_name: Text = ""


@dataclass(frozen=True)
class History:
    """Context of templates/audit/history.html. `partly`: only the person's own actions; `url`: the whole log, for managers."""

    lines: list[HistoryLine]
    partly: bool
    url: str


def object_history(access: Access, kind: str, id: str = "", *, whole: bool = False) -> History:
    """Return the history of an object, or of all objects of its kind. `whole`: the person may see all of it, regardless of role."""
    manager = access.allows(Role.MANAGER)
    slug = access.workspace.slug
    rows = audit_visibility.object_history(access, kind, id, whole=whole, newest=NEWEST)
    query = {"kind": kind, "id": id[:120]} if id else {"kind": kind}
    return History(
        [history_line(line, access.workspace.slug if manager else "") for line in rows],
        not (whole or access.allows(Role.BUILDER)),
        reverse("audit", kwargs={"slug": slug}, query=query) if manager else "",
    )


def global_history(user: User, kind: str, id: str) -> History:
    """Return the whole history of an object that belongs to no workspace; the caller checks access. Links are for superusers."""
    slug = None if user.is_superuser else ""
    url = reverse("audit_everywhere", query={"kind": kind, "id": id[:120]}) if user.is_superuser else ""
    rows = audit_visibility.global_history(kind, id, newest=NEWEST)
    return History([history_line(line, slug) for line in rows], partly=False, url=url)


def history_line(line: Line, slug: str | None) -> HistoryLine:
    """Return a line with labels. `slug`: the workspace of the linked page, None for the console-wide page, "" for no link."""
    event = line.event
    url = ""
    if slug is None:
        url = reverse("audit_row_everywhere", kwargs={"row": event.pk})
    elif slug:
        url = reverse("audit_row", kwargs={"slug": slug, "row": event.pk})
    return HistoryLine(
        event,
        audit_messages.actor_label(event),
        audit_messages.action(event.action),
        audit_messages.event_outcome(event, line.end),
        audit_messages.cut_off(event, line.end),
        url,
        audit_messages.url(event),
        audit_messages.object_name(event),
    )
