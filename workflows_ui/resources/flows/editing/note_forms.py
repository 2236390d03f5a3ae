"""Forms for the notes on a flow's canvas (engine-0.83.md section 5)."""

import itertools
from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from workflows_ui.resource_admin.resource import Row, id_at
from workflows_ui.resources.flows import notes
from workflows_ui.resources.flows.editing.forms import EditForm
from workflows_ui.resources.flows.editing.operations import Operation
from workflows_ui.resources.flows.editing.prediction import Json
from workflows_ui.web import formats
from workflows_ui.web.paths import dict_at, number_at, text_at

_SIZE = {"width": 240, "height": 140}
#: Left of the steps, which the engine's builder draws from the middle to the right; between notes.
_LEFT, _GAP = -600, 20


class NoteFields(EditForm):
    """What a note says, and its colour."""

    discreet = EditForm.discreet | {"content"}
    content = forms.CharField(label=_("Text"), max_length=5000, widget=forms.Textarea({"rows": 5}))
    color = forms.ChoiceField(label=_("Colour"), choices=list(notes.COLORS.items()), initial="yellow")

    def values(self, data: Mapping[str, Any]) -> Json:
        """The typed parts of the note."""
        return {"content": data["content"].replace("\r\n", "\n"), "color": data["color"]}


class AddNote(NoteFields):
    """A new note, whose id and place the console chooses: the same ones when the question is answered."""

    def operation(self, flow: Row, data: Mapping[str, Any]) -> Operation:
        existing = notes.notes_of(flow)
        taken = {id_at(note) for note in existing}
        free = next(name for number in itertools.count(1) if (name := f"note_{number}") not in taken)
        position = {"x": _LEFT, "y": _free_height(existing)}
        return Operation("ADD_NOTE", {"id": free, **self.values(data), "position": position, "size": _SIZE})


def _free_height(existing: Iterable[Row]) -> float:
    """The first height at which a new note covers no other one."""
    spans = []
    for note in existing:
        x, y = (number_at(note, f"position.{key}") or 0 for key in ("x", "y"))
        width, height = (number_at(note, f"size.{key}") or 0 for key in ("width", "height"))
        if x < _LEFT + _SIZE["width"] + _GAP and x + width + _GAP > _LEFT:
            spans.append((y, y + height))
    top: float = 0
    for start, end in sorted(spans):
        if start < top + _SIZE["height"] + _GAP and top < end + _GAP:
            top = end + _GAP
    return top


class NoteChoice(EditForm):
    """An operation on one note, which the address may name."""

    note = forms.ChoiceField(
        label=_("Note"), error_messages={"invalid_choice": _("This note is no longer on the canvas.")}
    )

    @classmethod
    def is_for(cls, flow: Row) -> bool:
        return bool(notes.notes_of(flow))

    def prepare(self) -> None:
        super().prepare()
        existing = notes.notes_of(self.row)
        chosen = self.asked.get("note") or id_at(existing[0] if existing else {})
        # The text of one note means nothing in another one.
        self.existing = next((note for note in existing if id_at(note) == chosen), {})
        self.choose(
            "note", [(chosen, formats.cut(text_at(self.existing, "content")) or chosen)] if self.existing else []
        )

    def find_note(self, flow: Row, data: Mapping[str, Any]) -> Row:
        """The chosen note as it is now."""
        note = next((note for note in notes.notes_of(flow) if id_at(note) == data["note"]), None)
        if note is None:
            raise forms.ValidationError({"note": gettext("This note is no longer on the canvas.")})
        return note


class ChangeNote(NoteChoice, NoteFields):
    field_order = ("note", "content", "color")

    def prepare(self) -> None:
        super().prepare()
        self.initial.update({key: text_at(self.existing, key) for key in ("content", "color")})

    def operation(self, flow: Row, data: Mapping[str, Any]) -> Operation:
        note = self.find_note(flow, data)
        # The author stays: without one, the engine takes the sender of the change.
        kept = {key: note[key] for key in ("id", "ownerId") if key in note}
        places = {key: dict_at(note, key) for key in ("position", "size")}
        return Operation("UPDATE_NOTE", {**kept, **places, **self.values(data)})


class DeleteNote(NoteChoice):
    def operation(self, flow: Row, data: Mapping[str, Any]) -> Operation:
        return Operation("DELETE_NOTE", {"id": id_at(self.find_note(flow, data))})
