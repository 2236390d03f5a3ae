"""Notes on flows, runs and launches. Who may open the object reads them and adds some; the callers have looked it up."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import cache

from django.db import transaction
from django.db.models import QuerySet

from workflows_ui.accounts.models import User
from workflows_ui.audit.models import AuditEvent
from workflows_ui.audit.services import audit_log
from workflows_ui.core import clock, collation, database, masking
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.core.prepared import Prepared
from workflows_ui.members.models import Role, Workspace
from workflows_ui.members.services import members
from workflows_ui.members.services.access import Access
from workflows_ui.notes.models import Note, Subject
from workflows_ui.notifications import services as notifications
from workflows_ui.notifications.models import NoticeKind

#: The longest text; most notes on an object, and of them on its page.
LONGEST, MOST, SHOWN = 10_000, 200, 20
#: The longest name of an object in the audit log: the engine's may have any length.
_NAMED = 1000
_DOUBLE_CLICK = timedelta(minutes=1)


class TooManyNotes(Exception):
    """The object has as many notes as it can have."""


@dataclass(frozen=True)
class Entry:
    """A note with its text, known secrets masked; None if it does not open. `changes` and `deletes` are what the person may do."""

    row: Note
    text: str | None
    changes: bool
    deletes: bool


def entries(access: Access, subject: str, object_id: str, most: int = MOST) -> tuple[list[Entry], int]:
    """The newest notes on an object, and how many more there are."""
    place = (access.workspace.pk, subject, object_id)
    newest = _newest(most)(*place)
    more = _notes(*place).count() - most if len(newest) > most else 0
    return [entry(access, row) for row in newest[:most]], more


def _notes(workspace: int, subject: str, object_id: str) -> QuerySet[Note]:
    return Note.objects.filter(workspace=workspace, subject=subject, object_id=object_id)


@cache
def _newest(most: int) -> Prepared[Note]:
    return Prepared(
        lambda *place: _notes(*place).select_related("author").order_by("-created_at", "-pk")[: most + 1], int, str, str
    )


def entry(access: Access, row: Note) -> Entry:
    own = row.author_id == access.user.pk
    try:
        text = masking.workspace_mask(access.workspace).text(row.open("text"))
    except CannotOpen:
        text = None
    return Entry(row, text, own, own or access.allows(Role.MANAGER))


def add(actor: audit_log.Actor, access: Access, subject: str, object_id: str, name: str, text: str) -> Note:
    """Add a note on the object of this name. Raises TooManyNotes."""
    row = Note(workspace=access.workspace, subject=subject, object_id=object_id, author=access.user)
    row.created_at, row.text = clock.now(), row.seal("text", database.storable(text)[:LONGEST])
    with transaction.atomic():
        # Serialised per workspace, so that the limit holds for two at the same time.
        Workspace.objects.select_for_update().get(pk=access.workspace.pk)
        if Note.objects.filter(workspace=access.workspace, subject=subject, object_id=object_id).count() >= MOST:
            raise TooManyNotes(object_id)
        row.save(force_insert=True)
        _record(actor, "note.add", row, name)
    return row


def ask(actor: audit_log.Actor, access: Access, subject: str, object_id: str, name: str, text: str) -> Note | None:
    """Add a question on the object of this name; None for the second click of a double click. Raises TooManyNotes."""
    with transaction.atomic():
        # Locked before the check, so that the second of two simultaneous requests sees the note of the first.
        Workspace.objects.select_for_update().get(pk=access.workspace.pk)
        if _is_double_click(access, subject, object_id, text):
            return None
        return add(actor, access, subject, object_id, name, text)


def _is_double_click(access: Access, subject: str, object_id: str, text: str) -> bool:
    """Whether the newest note on an object is the person's own, with this text, and less than a minute old."""
    row = next(iter(_newest(1)(access.workspace.pk, subject, object_id)), None)
    if row is None or row.author_id != access.user.pk or row.created_at < clock.now() - _DOUBLE_CLICK:
        return False
    try:
        return bool(row.open("text") == database.storable(text)[:LONGEST])
    except CannotOpen:
        return False


def notify(people: Iterable[User], row: Note, name: str, url: str, *, asks: bool = False) -> None:
    """Notify people of a note on the object of this name, at the path `url`, or of the question (`asks`) that it is. Its text is not part
    of the notification: who may open the object reads it there.
    """
    for person in people:
        if person.pk == row.author_id:
            continue
        notifications.notify(
            person,
            NoticeKind.NOTE,
            f"note:{row.pk}",
            url=url,
            workspace=row.workspace,
            by=row.author.label[:100],
            asks=asks,
            name=name[:200],
            launch=row.object_id if row.subject == Subject.LAUNCH else "",
            run=row.object_id if row.subject == Subject.RUN else "",
        )


def mentioned(workspace: Workspace, text: str) -> list[User]:
    """The active members of a workspace whose name or username follows an @ in a text, whatever the case and the accents; of several such
    names after one @, the longest counts. The @ of an address is none.
    """
    plain = collation.plain(text)
    if "@" not in plain:
        return []
    names = {
        person: {collation.plain(person.label), collation.plain(person.username)}
        for person in members.active_members(workspace)
    }
    longest_first = sorted(set().union(*names.values()), key=len, reverse=True)
    after_at = re.compile(rf"(?<!\w)@({'|'.join(map(re.escape, longest_first))})(?!\w)")
    found = set(after_at.findall(plain)) if names else set()
    return [person for person, own in names.items() if own & found]


def change(actor: audit_log.Actor, row: Note, text: str) -> None:
    row.changed_at, row.text = clock.now(), row.seal("text", database.storable(text)[:LONGEST])
    with transaction.atomic():
        row.save(update_fields=["text", "changed_at"])
        _record(actor, "note.change", row)


def delete(actor: audit_log.Actor, row: Note) -> None:
    with transaction.atomic():
        _record(actor, "note.delete", row)
        row.delete()


def _record(actor: audit_log.Actor, action: str, row: Note, name: str = "") -> None:
    """Audit on the object that the note is about, without its text. Without a name, that of the object's latest row."""
    subject = Subject(row.subject)
    if not name:
        rows = AuditEvent.objects.filter(workspace=row.workspace, object_type=subject.value, object_id=row.object_id)
        name = rows.exclude(object_name="").order_by("-at").values_list("object_name", flat=True).first() or ""
    audit_log.record(
        actor,
        action,
        workspace=row.workspace,
        object_type=subject.value,
        object_id=row.object_id,
        object_name=name[:_NAMED],
        note=row.pk,
        author=row.author.label,
    )
