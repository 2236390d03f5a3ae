"""Notes on a flow's canvas, which engines have since 0.83 (engine-0.83.md section 4)."""

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

from workflows_ui.core.paths import dicts_at, text_at
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine_objects.flows import Flow
from workflows_ui.flows import reading
from workflows_ui.resource_admin.resource import Row, id_at

COLORS: dict[str, str | Promise] = {
    "orange": pgettext_lazy("colour", "Orange"),
    "red": pgettext_lazy("colour", "Red"),
    "green": pgettext_lazy("colour", "Green"),
    "blue": pgettext_lazy("colour", "Blue"),
    "purple": pgettext_lazy("colour", "Purple"),
    "yellow": pgettext_lazy("colour", "Yellow"),
}
#: Characters of a note that are shown, and how many notes are.
_LONGEST, MOST = 2_000, 50


def has_notes(flow: Row) -> bool:
    """Whether the engine is one that has notes."""
    return Flow(flow).version.notes is not None


def notes_of(flow: Row) -> list[dict[str, object]]:
    """The notes of the newest version."""
    return dicts_at(flow, "version.notes")


def panel(session: EngineSession, flow: Row) -> list[dict[str, object]]:
    """The notes as a page shows them: `id`, `text`, `color` and its `label`, `author`, `changed`."""
    found = notes_of(flow)[:MOST]
    people = reading.people_names(session) if found else {}
    return [
        {
            "id": id_at(note),
            "text": text_at(note, "content")[:_LONGEST],
            "color": color if (color := text_at(note, "color")) in COLORS else "secondary",
            "label": COLORS.get(color, color[:20]),
            "author": people.get(id_at(note, "ownerId"), ""),
            "changed": note.get("updatedAt"),
        }
        for note in found
    ]
