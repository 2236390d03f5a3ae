"""An object's history on its own page: who did what to it, the newest first, with the way to the whole audit log for managers."""

from dataclasses import dataclass

from django.urls import reverse

from workflows_ui.kit import audit_words
from workflows_ui.kit.words import StateWord, Text
from workflows_ui.models import AuditEvent, Role, User
from workflows_ui.services import audit_reading
from workflows_ui.services.access import Access
from workflows_ui.services.audit_reading import Line

#: So many of the newest.
NEWEST = 20


@dataclass(frozen=True)
class Shown:
    """One thing that was done, in words. `url` is its own page, `object_url` that of the object; "" where there is none."""

    event: AuditEvent
    who: Text
    what: Text
    outcome: StateWord
    cut_off: bool
    url: str = ""
    object_url: str = ""


@dataclass(frozen=True)
class History:
    """What templates/audit/history.html shows. `partly`: only what the person did themselves; `url`: everything, for managers."""

    lines: list[Shown]
    partly: bool
    url: str


def of(place: Access, kind: str, id: str = "", *, whole: bool = False) -> History:
    """What was done to an object, or to all of its kind. `whole`: the person may see all of it, whatever their role is."""
    manager = place.allows(Role.MANAGER)
    slug = place.workspace.slug
    found = audit_reading.history(place, kind, id, whole=whole, newest=NEWEST)
    query = {"kind": kind, "id": id[:120]} if id else {"kind": kind}
    return History(
        [shown(line, place.workspace.slug if manager else "") for line in found],
        not (whole or place.allows(Role.BUILDER)),
        reverse("audit", kwargs={"slug": slug}, query=query) if manager else "",
    )


def outside(user: User, kind: str, id: str) -> History:
    """What was done to an object of no workspace, for whoever may see all of it; links lead superusers to the whole log."""
    slug = None if user.is_superuser else ""
    url = reverse("audit_everywhere", query={"kind": kind, "id": id[:120]}) if user.is_superuser else ""
    found = audit_reading.outside(kind, id, newest=NEWEST)
    return History([shown(line, slug) for line in found], partly=False, url=url)


def shown(line: Line, slug: str | None) -> Shown:
    """A line in words. `slug`: the workspace whose page of the row is linked, None for the whole console's, "" for no link."""
    event = line.event
    url = ""
    if slug is None:
        url = reverse("audit_row_everywhere", kwargs={"row": event.pk})
    elif slug:
        url = reverse("audit_row", kwargs={"slug": slug, "row": event.pk})
    return Shown(
        event,
        audit_words.who(event),
        audit_words.action(event.action),
        audit_words.outcome_of(event, line.end),
        audit_words.cut_off(event, line.end),
        url,
        audit_words.url(event),
    )
