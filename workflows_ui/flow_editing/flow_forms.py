"""Forms for what a flow has besides its steps: samples, notes on its canvas (engine-0.83.md section 5), owner, minutes saved, the lock of
the draft, undo, any operation as JSON.
"""

import itertools
from collections.abc import Iterable
from contextlib import suppress

from django import forms
from django.utils.translation import gettext, gettext_lazy as _

from workflows_ui.core import formats, json_text, redaction
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.core.form_arguments import Cleaned
from workflows_ui.core.json_values import JsonType, json_type
from workflows_ui.core.paths import dict_at, number_at, text_at
from workflows_ui.engine import EngineError, Forbidden, NotFound, NotInPlan
from workflows_ui.engine_objects.flows import Step
from workflows_ui.flow_editing import changes, inverse, places, request_shapes, services as flow_edits
from workflows_ui.flow_editing.forms import EditForm, StepForm, an_object
from workflows_ui.flow_editing.imports import contents
from workflows_ui.flow_editing.models import FlowEdit
from workflows_ui.flow_editing.operations import Json, Operation
from workflows_ui.flow_editing.prediction import TYPES, step_named
from workflows_ui.flows import notes, reading, versions as flow_versions
from workflows_ui.flows.seen_form import CHANGED
from workflows_ui.pieces import connections as connection_list
from workflows_ui.resource_admin.resource import Affected, Row, id_at, pick
from workflows_ui.web.json_field import JsonField


class SampleForm(StepForm):
    """Changes what the engine keeps beside a step, which no difference of trees shows."""

    first = True

    def describe(self, step: Json) -> str:
        """What happens to the sample, as a sentence."""
        raise NotImplementedError

    def clean(self) -> Cleaned:
        cleaned = super().clean()
        if self.questions:
            # No difference of trees shows it.
            place = 1 if self.questions[0].summary == CHANGED else 0
            self.questions[place] = Affected(self.describe(self.find_step(cleaned["flow"], cleaned)))
        return cleaned


class SaveSample(SampleForm):
    """Filled with the sample that the step has, or with the output of the run that tested it, which the address may name as `run`."""

    only_chosen = True
    discreet = StepForm.discreet | {"payload"}
    kind = forms.ChoiceField(
        label=_("Sample of"),
        choices=[("OUTPUT", _("Output of the step")), ("INPUT", _("Input of the step"))],
        initial="OUTPUT",
        widget=forms.RadioSelect,
    )
    payload = JsonField(
        label=_("Sample (JSON)"),
        rows=12,
        help_text=_("Later steps are built and tested with it. It replaces the sample that the step has now."),
    )

    def prepare(self) -> None:
        super().prepare()
        if self.is_bound:
            return
        run, kind = str(self.asked.get("run") or ""), str(self.asked.get("kind") or "OUTPUT")
        found = self._tested(run) if run else self._saved(kind)
        # A text is JSON only in quotation marks.
        self.initial["payload"] = "" if found in (None, {}) else json_text.pretty(redaction.step(found))

    def _tested(self, run_id: str) -> object:
        """The output of the step in a run that tested it; None if it is another one's."""
        run = self.session.workflows.get_run(run_id)
        tested = run.get("flowId") == self.row.get("id") and run.get("stepNameToTest") == self.chosen
        return dict_at(dict_at(run, "steps"), self.chosen).get("output") if tested else None

    def _saved(self, kind: str) -> object:
        """The stored sample; None if the engine does not give it."""
        version = id_at(dict_at(self.row, "version"))
        try:
            return self.session.workflows.get_sample_data(id_at(self.row), version, self.chosen, kind)
        except EngineError:
            return None

    def consequences(self, flow: Row, operation: Operation, predicted: Row) -> list[Affected]:
        """A sample that the step has is lost: it cannot be brought back."""
        step = self.find_step(flow, self.cleaned_data)
        if operation.request["type"] == "OUTPUT" and not Step(step).settings.has_sample:
            return []
        return super().consequences(flow, operation, predicted)

    def describe(self, step: Json) -> str:
        if self.cleaned_data["kind"] == "INPUT":
            return gettext("This becomes the sample input of “%(step)s”.") % {"step": places.title(step)}
        return gettext("This becomes the sample output of “%(step)s”.") % {"step": places.title(step)}

    def operation(self, flow: Row, data: Cleaned) -> Operation:
        self.find_step(flow, data)
        return save_sample(data["step"], data["payload"], data["kind"])


def save_sample(step: str, payload: object, kind: str = "OUTPUT") -> Operation:
    """The operation that replaces a sample of a step."""
    # Engines before 0.83 ask for the type of the data; newer ones ignore it.
    data_type = "STRING" if json_type(payload) is JsonType.TEXT else "JSON"
    request = {"stepName": step, "payload": payload, "type": kind, "dataType": data_type}
    return Operation("SAVE_SAMPLE_DATA", request)


class ClearSample(SampleForm):
    def describe(self, step: Json) -> str:
        return gettext("“%(step)s” will have no sample.") % {"step": places.title(step)}

    def operation(self, flow: Row, data: Cleaned) -> Operation:
        if not dict_at(self.find_step(flow, data), "settings.sampleData"):
            raise forms.ValidationError({"step": gettext("This step has no sample.")})
        return Operation("UPDATE_SAMPLE_DATA_INFO", {"stepName": data["step"], "sampleDataSettings": None})


_SIZE = {"width": 240, "height": 140}
#: Left of the steps, which the engine's builder draws from the middle to the right; between notes.
_LEFT, _GAP = -600, 20


class NoteFields(EditForm):
    """What a note says, and its colour."""

    discreet = EditForm.discreet | {"content"}
    content = forms.CharField(label=_("Text"), max_length=5000, widget=forms.Textarea({"rows": 5}))
    color = forms.ChoiceField(label=_("Colour"), choices=list(notes.COLORS.items()), initial="yellow")

    def values(self, data: Cleaned) -> Json:
        """The typed parts of the note."""
        return {"content": data["content"].replace("\r\n", "\n"), "color": data["color"]}


class AddNote(NoteFields):
    """A new note, whose id and place the console chooses: the same ones when the question is answered."""

    def operation(self, flow: Row, data: Cleaned) -> Operation:
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
        chosen = str(self.asked.get("note") or "") or id_at(existing[0] if existing else {})
        # The text of one note means nothing in another one.
        self.existing = next((note for note in existing if id_at(note) == chosen), {})
        self.choose(
            "note", [(chosen, formats.cut(text_at(self.existing, "content")) or chosen)] if self.existing else []
        )

    def find_note(self, flow: Row, data: Cleaned) -> Row:
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

    def operation(self, flow: Row, data: Cleaned) -> Operation:
        note = self.find_note(flow, data)
        # The author stays: without one, the engine takes the sender of the change.
        identity = {key: note[key] for key in ("id", "ownerId") if key in note}
        places = {key: dict_at(note, key) for key in ("position", "size")}
        return Operation("UPDATE_NOTE", {**identity, **places, **self.values(data)})


class DeleteNote(NoteChoice):
    def operation(self, flow: Row, data: Cleaned) -> Operation:
        return Operation("DELETE_NOTE", {"id": id_at(self.find_note(flow, data))})


class ChangeOwner(EditForm):
    always_asks = True
    owner = forms.ChoiceField(label=_("New owner"))

    def prepare(self) -> None:
        super().prepare()
        people, owner = reading.people(self.session), str(self.row.get("ownerId") or "")
        others = [item for item in people.items() if item[0] != owner]
        label = gettext("%(name)s (may not see this project)")
        rest = reading.other_people(self.session).items()
        elsewhere = [(key, label % {"name": name}) for key, name in rest if key != owner]
        #: For the audit log (action_forms.named_changes): the present owner is not among the choices.
        self.before = {"owner": people.get(owner, owner)}
        self.choose("owner", [*others, *elsewhere])
        help_text = gettext("The console knows no one else in this workspace.")
        if elsewhere:
            help_text = gettext(
                "All users of the engine, since your credential is an administrator's. Not every one of them can open this flow."
            )
        elif others:
            help_text = gettext(
                "People that the console knows in this workspace: the user of your credential, and owners of flows and connections."
            )
        self.fields["owner"].help_text = help_text

    def operation(self, flow: Row, data: Cleaned) -> Operation:
        return Operation("UPDATE_OWNER", {"ownerId": data["owner"]})


class LockFlow(EditForm):
    """Without fields: the page explains what it does."""

    always_asks = True

    def operation(self, flow: Row, data: Cleaned) -> Operation:
        return Operation("LOCK_FLOW", {})


class UseVersion(EditForm):
    always_asks = True
    version = forms.ChoiceField(label=_("Version"))

    def prepare(self) -> None:
        super().prepare()
        newest = text_at(self.row, "version.id")
        rows = [row for row in flow_versions.list_versions(self.session, id_at(self.row)) if id_at(row) != newest]
        self.choose("version", [(id_at(row), flow_versions.title(self.row, row)) for row in rows])
        self.fields["version"].help_text = "" if rows else gettext("There is no other version yet.")

    def operation(self, flow: Row, data: Cleaned) -> Operation:
        return Operation("USE_AS_DRAFT", {"versionId": data["version"]})


class RawOperation(EditForm):
    """Any operation, for those who know the engine's requests. `type` in the address fills in a template."""

    above = "flow_editing/operation_template.html"
    always_asks = True
    type = forms.ChoiceField(label=_("Operation"), choices=[(name, name) for name in TYPES])
    request = JsonField(label=_("Request (JSON)"), rows=12)

    def prepare(self) -> None:
        super().prepare()
        self.initial["request"] = request_shapes.template(str(self.asked.get("type") or TYPES[0]), self.row)

    def clean_request(self) -> Json:
        return an_object(self.cleaned_data["request"])

    def clean(self) -> Cleaned:
        if not self.errors:
            typed = str(self.data.get("request") or "")
            for problem in request_shapes.problems(self.cleaned_data["type"], self.cleaned_data["request"], typed):
                self.add_error("request", problem)
            for external in self._unknown_connections():
                text = gettext("This workspace has no connection “%(name)s”.")
                self.add_error("request", text % {"name": formats.cut(external)})
            owner = self.cleaned_data.get("request", {}).get("ownerId")
            # A list, since the request may have anything as the owner.
            known = [self.row.get("ownerId"), *reading.people(self.session)] if owner else []
            if owner and owner not in known and owner not in list(reading.other_people(self.session)):
                self.add_error("request", gettext("The console does not know this owner in this workspace."))
        return super().clean()

    def _unknown_connections(self) -> list[str]:
        """The external ids that the request's steps name, and neither the flow nor the workspace has; none if the engine does not say."""
        request: Json = self.cleaned_data.get("request", {})
        conditions = {"settings": {"branches": request.get("conditions")}}
        named = contents.read([request, request.get("action"), request.get("trigger"), conditions]).connections
        used_already = contents.read([pick(self.flow, "version.trigger")]).connections
        with suppress(Forbidden, NotFound, NotInPlan):
            return connection_list.unknown(self.session, [name for name in named if name not in used_already])
        return []

    def operation(self, flow: Row, data: Cleaned) -> Operation:
        return Operation(data["type"], data["request"])


_NO_UNDO = _(
    "Samples of deleted steps are not restored. Runs and published versions stay as they are. An undo cannot be undone."
)


class UndoEdit(EditForm):
    """Undoes the last edit; valid data has that edit as `undone`.

    `edit` is the one whose changes the page showed: if it is still the last one, and nobody has changed the flow since, nothing is asked.
    """

    undone: FlowEdit | None = None
    edit = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def prepare(self) -> None:
        super().prepare()
        if self.is_bound:
            return
        with suppress(CannotOpen):
            edit, versions = self._latest(self.row)
            if edit and versions and versions.after and flow_edits.is_newest(versions, self.row):
                now = {key: self.row.get(key) for key in versions.parts}
                self.initial["edit"] = edit.pk
                before, after = {**now, "version": versions.after}, {**versions.parts, "version": versions.before}
                self.questions = changes.lines(self.session, before, after)
                self.questions.append(Affected(_NO_UNDO))

    def _latest(self, flow: Row) -> tuple[FlowEdit | None, flow_edits.Versions | None]:
        edit = flow_edits.latest(self.session.workspace, id_at(flow))
        return edit, flow_edits.open_versions(edit) if edit else None

    def operation(self, flow: Row, data: Cleaned) -> Operation:
        try:
            edit, versions = self._latest(flow)
        except CannotOpen as problem:
            text = gettext("What was kept of the last edit cannot be opened any more.")
            raise forms.ValidationError(text) from problem
        if edit is None or versions is None:
            raise forms.ValidationError(gettext("There is no edit by this console that could be undone."))
        self.undone = edit
        self.always_asks = data.get("edit") != edit.pk or not flow_edits.is_newest(versions, flow)
        return inverse.inverse(flow, versions.before, versions.parts)

    def consequences(self, flow: Row, operation: Operation, predicted: Row) -> list[Affected]:
        if not self.always_asks:
            return []
        if operation.type == "UPDATE_SAMPLE_DATA_INFO":
            step = step_named(dict_at(flow, "version.trigger"), operation.request["stepName"]) or {}
            text = gettext("“%(step)s” gets the sample back that it had.") % {"step": places.title(step)}
            return [Affected(text), Affected(gettext("An undo cannot be undone."))]
        return [Affected(_NO_UNDO)]

    def clean(self) -> Cleaned:
        return super().clean() | {"undone": self.undone}


class MinutesSaved(EditForm):
    """The engine's database takes whole numbers of 32 bits; also negative ones, which mean nothing (engine-0.83.md section 13.4)."""

    minutes = forms.IntegerField(
        label=_("Minutes saved per run"),
        required=False,
        min_value=0,
        max_value=request_shapes.MOST_MINUTES,
        help_text=_("A whole number. Leave it empty if you do not know."),
        error_messages={"invalid": _("Enter whole minutes, such as 5.")},
    )

    def prepare(self) -> None:
        super().prepare()
        self.initial["minutes"] = self.row.get("timeSavedPerRun")

    def operation(self, flow: Row, data: Cleaned) -> Operation:
        return Operation("UPDATE_MINUTES_SAVED", {"timeSavedPerRun": data["minutes"]})


class RemoveTrigger(EditForm):
    """No trigger, as a new flow has it (recording `op_update_trigger_empty`)."""

    def operation(self, flow: Row, data: Cleaned) -> Operation:
        body = {"name": dict_at(flow, "version.trigger").get("name"), "type": "EMPTY", "valid": False}
        return Operation("UPDATE_TRIGGER", body | {"displayName": "Select Trigger", "settings": {}})
