"""Notes on flows, runs and launches. Who may open the object reads them and adds some; the callers have looked it up."""

from dataclasses import dataclass
from functools import cache

from django.db import transaction
from django.db.models import QuerySet

from workflows_ui.audit.models import AuditEvent
from workflows_ui.audit.services import audit_log
from workflows_ui.core import clock, database, masking
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.core.prepared import Prepared
from workflows_ui.members.models import Role, Workspace
from workflows_ui.members.services.access import Access
from workflows_ui.notes.models import Note, Subject

#: The longest text; most notes on an object, and of them on its page.
LONGEST, MOST, SHOWN = 10_000, 200, 20
#: The longest name of an object in the audit log: the engine's may have any length.
_NAMED = 1000


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
