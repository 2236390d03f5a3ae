"""Forms that edit a flow, one for each operation (api.md 6.5).

A submitted form predicts the result and refuses damage. It asks for a confirmation only if something would be lost, or if the flow was
changed since the form was opened; forms that replace more than a step always ask. `seen` is a mark of the version that the page showed, and
after a question of what was confirmed.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, partial
from itertools import islice
from typing import ClassVar, Unpack, cast

from django import forms
from django.forms.utils import ErrorDict
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy as _, pgettext

from workflows_ui.core import redaction
from workflows_ui.core.form_arguments import Cleaned, FormArguments
from workflows_ui.core.json_values import JsonType, json_type
from workflows_ui.core.paths import dict_at, text_at
from workflows_ui.core.text import Text
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import NotFound
from workflows_ui.engine.flow_tree import FALLBACK, LOOP, TRIGGERS
from workflows_ui.flow_editing import changes, damage, places, saved_edits, services as flow_edits
from workflows_ui.flow_editing.operations import Json, Operation, add_step, update_step
from workflows_ui.flow_editing.prediction import (
    MALFORMED,
    NO_CONDITION,
    Impossible,
    free_name,
    names,
    predict,
    step_named,
)
from workflows_ui.flows import drawing
from workflows_ui.flows.seen_form import CHANGED, SeenForm
from workflows_ui.resource_admin.places import flow_url, step_url
from workflows_ui.resource_admin.resource import Affected, Row, id_at, pick
from workflows_ui.web.form_rendering import LongSelect

#: A choice of places. Somebody else may have changed the flow meanwhile.
place_field = partial(
    forms.ChoiceField,
    widget=LongSelect,
    error_messages={"invalid_choice": _("This place is no longer in the flow.")},
)
#: The fields that say where an edit is made, and what marks a text in which expressions may stand.
POSITION = ("step", "branch", "place")
EXPRESSION = {"data-expression": ""}
#: The template above the form of a chosen step.
STEP_HEAD = "flow_editing/form_head.html"
NO_HANDLING = {"retryOnFailure": {"value": False}, "continueOnFailure": {"value": False}}
NEW_CODE = "export const code = async (inputs) => {\n  return inputs;\n};\n"


class EditForm(SeenForm):
    """Base of the forms: subclasses say which operation their values mean.

    Valid data has `flow` (as read from the engine), `predicted` and `operation`.
    """

    #: Steps have code and may have secrets, which the audit log must not have.
    discreet = frozenset({"undone", "flow", "predicted", "operation", "seen", "code", "inputs", "request", "packages"})
    #: What links may say: where an edit is made and which form is meant, never what is set.
    addressed = frozenset({*POSITION, "piece", "version", "operation_name", "kind", "type", "note"})
    #: Scripts and styles of the page, and what it has below the form.
    head, foot = "flow_editing/editing_head.html", "flow_editing/editing_foot.html"
    #: The template shown next to the form on a whole page, with `drawing`.
    side_template = "flows/drawing.html"
    #: The name of the step that the form is about, "" if it is about the flow.
    current = ""
    #: Whether it is what opens when its step is chosen in the diagram.
    is_main: ClassVar[bool] = False
    #: Whether only the chosen step or branch is offered, since what the form shows means nothing in another one.
    only_chosen: ClassVar[bool] = False
    #: Whether what will change is always confirmed, since it is more than what the person sees in the form.
    always_asks = False

    def __init__(
        self,
        *,
        session: EngineSession,
        row: Row,
        asked: Mapping[str, object],
        unmasked: Row | None,
        **arguments: Unpack[FormArguments],
    ) -> None:
        super().__init__(**arguments)
        #: The flow with its secrets, which only a submitted form has.
        self.flow: Row = unmasked or {}
        #: The tree as it was when the page was opened, with secrets masked: for choices.
        self.trigger = dict_at(row, "version.trigger")
        self.session, self.row, self.asked, self.questions = session, row, asked, list[Affected]()
        self.initial["seen"] = flow_edits.version_mark(row)
        self.prepare()

    @classmethod
    def is_for(cls, flow: Row) -> bool:
        """Whether a flow has what the form edits."""
        return True

    def prepare(self) -> None:
        """Set choices and initial values."""

    @property
    def draft(self) -> bool:
        """Whether the form is shown again without validation, by a button named `redo`."""
        return self.is_bound and bool(self.asked.get("redo"))

    def full_clean(self) -> None:
        if self.draft:
            self._errors, self.cleaned_data = ErrorDict(), {}
        else:
            super().full_clean()

    @property
    def values_url(self) -> str:
        """The values that may stand in this form's fields marked EXPRESSION: those of the steps before its step, branch or place."""
        if not any("data-expression" in field.widget.attrs for field in self.fields.values()):
            return ""
        chosen = {name: self[name].value() or _first(self.fields[name]) for name in POSITION if name in self.fields}
        return reverse("flow_values", args=[self.session.workspace.slug, id_at(self.row)], query=chosen or None)

    @property
    def drawing(self) -> drawing.Drawing | None:
        return drawing.editor_panel(self.session, self.row, self.current)

    @property
    def saved(self) -> saved_edits.SavedEdit | None:
        """What the edit that was just made changed, which the address names; None on the page of a submitted form."""
        key = "" if self.is_bound else str(self.asked.get(saved_edits.SAVED) or "")
        return saved_edits.context(self.session, self.row, key)

    @property
    def tab_url(self) -> str:
        """The steps of the flow."""
        return f"{flow_url(self.session.workspace.slug, id_at(self.row))}?tab=steps"

    @property
    def home(self) -> str:
        """The page of the step, or the steps of the flow: where the person goes without running the operation."""
        if self.is_main:
            return self.tab_url
        return step_url(self.tab_url.partition("?")[0], self.current) or self.tab_url

    def operation(self, flow: Row, data: Cleaned) -> Operation:
        """What the valid values mean for this flow. Raises ValidationError."""
        raise NotImplementedError

    def consequences(self, flow: Row, operation: Operation, predicted: Row) -> list[Affected]:
        """What else would be lost. If there is anything, it is confirmed first."""
        if flow_edits.is_undoable(operation.type, dict_at(flow, "version"), dict_at(predicted, "version")):
            return []
        return [Affected(gettext("“Undo the last edit” cannot restore this."))]

    def corrected(self, predicted: Row, operation: Operation) -> Row:
        """The prediction with what only this form knows about the result."""
        return predicted

    def has_own_mask(self, name: str, value: object) -> bool:
        """Whether the masks in a valid value are texts of the flow: in what the console computed, and in fields that hide nothing."""
        if name not in self.fields:
            return True
        shown, real = (
            form.get_initial_for_field(form.fields[name], name) if name in form.fields else None
            for form in (self, self._unmasked_form)
        )
        return not redaction.adds_mask(value, shown, real)

    @cached_property
    def _unmasked_form(self) -> "EditForm":
        """This form as it would be shown without masks."""
        return type(self)(session=self.session, row=self.flow, asked=self.asked, unmasked=None)

    def choose(self, name: str, choices: places.Choices) -> str:
        """Set the choices of a field. Return the one that the address names, otherwise the first; "" without choices."""
        chosen = str(self.asked.get(name) or next(iter(dict(choices)), ""))
        if self.only_chosen:
            choices = [choice for choice in choices if choice[0] == chosen]
        cast("forms.ChoiceField", self.fields[name]).choices = choices
        return chosen

    def clean(self) -> Cleaned:
        """Predict the operation. Raises EngineError."""
        cleaned = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        if redaction.is_cut(self.flow):
            # What the page leaves out would be missing in what it sends.
            raise forms.ValidationError(
                gettext("The console cannot show the whole flow: it is nested too deeply. Edit it in the engine.")
            )
        flow = self.flow
        try:
            operation = self.operation(flow, cleaned)
            predicted = self.corrected(predict(flow, operation, _versions(self.session, flow, operation)), operation)
            problems = damage.problems(flow, predicted, operation)
        except (Impossible, *MALFORMED) as problem:
            raise forms.ValidationError(_impossible(problem)) from problem
        if problems:
            raise forms.ValidationError(
                [*problems, gettext("The engine would accept this all the same. Nothing was sent.")]
            )
        self.questions = self._ask(cleaned.pop("seen", ""), flow, operation, predicted)
        return cleaned | {"flow": flow, "predicted": predicted, "operation": operation}

    def _ask(self, seen: str, flow: Row, operation: Operation, predicted: Row) -> list[Affected]:
        """What has to be confirmed; nothing if it was, or if nothing would be lost that the page did not show."""
        version = flow_edits.version_mark(flow)
        mark = f"{version}-{flow_edits.digest(operation.body)}"
        if seen == mark:
            return []
        lost = [
            *changes.removed_steps(flow, predicted, operation),
            *changes.unmet_references(flow, predicted),
            *changes.other_outputs(flow, predicted),
            *self.consequences(flow, operation, predicted),
        ]
        if seen == version and not lost and not self.always_asks:
            return []
        self.set_seen(mark)
        found = [*changes.lines(self.session, flow, predicted), *lost, changes.request(self.session, operation)]
        if seen and seen.partition("-")[0] != version:
            found.insert(0, Affected(CHANGED))
        return found


def _first(field: forms.Field) -> str:
    """The first choice of a field, "" without one."""
    return str(next(iter(dict(getattr(field, "choices", ()))), ""))


def _versions(session: EngineSession, flow: Row, operation: Operation) -> dict[str, Json]:
    """The version that the operation copies, by its id; none if the flow has no such version."""
    key = text_at(operation.request, "versionId") if operation.type == "USE_AS_DRAFT" else ""
    try:
        return {key: dict_at(session.workflows.get_flow(id_at(flow), key), "version")} if key else {}
    except NotFound:
        return {}


def _impossible(problem: Exception) -> str:
    if isinstance(problem, Impossible) and problem.step:
        text = gettext("The engine would refuse this for the step “%(step)s”. It may have been changed or removed.")
        return text % {"step": problem.step}
    return gettext("The engine would refuse this. The flow may have been changed since you opened the page.")


class StepForm(EditForm):
    """An operation on one step, which the address may name."""

    first: ClassVar[bool] = False
    kinds: ClassVar[tuple[str, ...]] = ()
    #: How many such steps a flow has to have.
    fewest: ClassVar[int] = 1
    above = STEP_HEAD
    step = forms.ChoiceField(
        label=_("Step"),
        widget=LongSelect,
        error_messages={"invalid_choice": _("This step is no longer in the flow.")},
    )

    @classmethod
    def is_for(cls, flow: Row) -> bool:
        found = places.steps(pick(flow, "version.trigger"), kinds=cls.kinds)
        return cls.first or len(list(islice(found, cls.fewest))) == cls.fewest

    def prepare(self) -> None:
        super().prepare()
        choices = places.step_choices(self.trigger, first=self.first, kinds=self.kinds)
        self.chosen = self.current = self.choose("step", choices)

    def find_step(self, flow: Row, data: Cleaned) -> Json:
        """The chosen step as it is now."""
        step = step_named(dict_at(flow, "version.trigger"), data["step"])
        if step is None:
            raise forms.ValidationError({"step": gettext("This step is no longer in the flow.")})
        return step

    def update(
        self, flow: Row, data: Cleaned, *, settings: Mapping[str, object] | None = None, **values: object
    ) -> Operation:
        """The operation that sets these parts of the step, and of its `settings`; everything else is sent as it is."""
        step = self.find_step(flow, data)
        if settings is not None:
            values["settings"] = {**dict_at(step, "settings"), **settings}
        is_trigger = step is dict_at(flow, "version.trigger") or text_at(step, "type") in TRIGGERS
        return update_step(step, is_trigger=is_trigger, **values)


class SettingsForm(StepForm):
    """A step operation that shows settings of the step."""

    only_chosen = True

    def prepare(self) -> None:
        super().prepare()
        self.settings = dict_at(step_named(self.trigger, self.chosen) or {}, "settings")


#: Empty rows after the filled ones, and the maximum number of rows of a submitted form.
_EMPTY_ROWS, MOST_ROWS = 3, 100


class RowsForm(EditForm):
    """A form with rows, shown by resource_admin/form_rows.html; flow_editing.js adds and removes some.

    Attributes:
        row_keys: the names of a row's fields, to which the number of the row is added.
        row_label, add_label, rows_help: the name of one row, the button for another one, and what the rows mean.
        fields_before, fields_after: the other visible fields.
    """

    row_keys: ClassVar[tuple[str, ...]] = ()
    row_label: ClassVar[Text] = ""
    add_label: ClassVar[Text] = ""
    rows_help: ClassVar[Text] = ""
    fields_before: ClassVar[tuple[str, ...]] = ()
    fields_after: ClassVar[tuple[str, ...]] = ()
    most_rows = MOST_ROWS

    def row_fields(self, values: Sequence[object]) -> Sequence[forms.Field]:
        """The fields of a row with these initial values."""
        raise NotImplementedError

    def add_rows(self, filled: Sequence[Sequence[object]], empty: Sequence[object]) -> None:
        """Add rows with these initial values, empty ones, and as many as were submitted."""
        submitted = (
            number for number in range(MOST_ROWS, 0, -1) if any(f"{key}{number}" in self.asked for key in self.row_keys)
        )
        number = max(len(filled) + _EMPTY_ROWS, next(submitted, 0))
        self.row_names = [[f"{key}{row}" for key in self.row_keys] for row in range(1, number + 1)]
        self.discreet = self.discreet | {name for row in self.row_names for name in row}
        for number, row in enumerate(self.row_names):
            values = filled[number] if number < len(filled) else empty
            self.fields.update(zip(row, self.row_fields(values), strict=True))
            self.initial.update(zip(row, values, strict=True))

    @property
    def rows(self) -> Iterator[list[forms.BoundField]]:
        return ([self[name] for name in row] for row in self.row_names)

    @property
    def bound_before(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields_before]

    @property
    def bound_after(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields_after]


class RenameStep(SettingsForm):
    first = True
    name = forms.CharField(label=_("New name"), max_length=200)

    def prepare(self) -> None:
        super().prepare()
        self.initial["name"] = text_at(step_named(self.trigger, self.chosen) or {}, "displayName")

    def operation(self, flow: Row, data: Cleaned) -> Operation:
        return self.update(flow, data, displayName=data["name"])


class SkipStep(StepForm):
    skip = forms.ChoiceField(
        label=_("When the flow runs"),
        choices=[("yes", _("Skip this step")), ("no", _("Run this step"))],
        widget=forms.RadioSelect,
    )

    def operation(self, flow: Row, data: Cleaned) -> Operation:
        self.find_step(flow, data)
        return Operation("SET_SKIP_ACTION", {"names": [data["step"]], "skip": data["skip"] == "yes"})


class MoveStep(StepForm):
    fewest = 2
    place = place_field(label=_("New place"))

    def prepare(self) -> None:
        super().prepare()
        choices = places.place_choices(self.trigger, step_named(self.trigger, self.chosen))
        self.choose("place", choices)
        self.initial.setdefault("place", choices[-1][0] if choices else "")

    def operation(self, flow: Row, data: Cleaned) -> Operation:
        self.find_step(flow, data)
        location, parent, branch = places.read_place(data["place"])
        request = {"name": data["step"], "newParentStep": parent, "stepLocationRelativeToNewParent": location}
        return Operation("MOVE_ACTION", request | ({} if branch is None else {"branchIndex": branch}))


class DuplicateStep(StepForm):
    def operation(self, flow: Row, data: Cleaned) -> Operation:
        self.find_step(flow, data)
        return Operation("DUPLICATE_ACTION", {"stepName": data["step"]})


class DeleteStep(StepForm):
    def operation(self, flow: Row, data: Cleaned) -> Operation:
        self.find_step(flow, data)
        return Operation("DELETE_ACTION", {"names": [data["step"]]})


class AddStep(EditForm):
    """A new step of a type that needs no app."""

    place = place_field(label=_("Place"))
    kind = forms.ChoiceField(
        label=_("Kind"),
        choices=[("CODE", _("Code")), (LOOP, _("For each item")), ("ROUTER", _("Branches"))],
        widget=forms.RadioSelect,
        initial="CODE",
    )
    name = forms.CharField(label=_("Name"), max_length=200)

    def prepare(self) -> None:
        super().prepare()
        place = self.choose("place", places.place_choices(self.trigger))
        self.current = place.partition(":")[2].partition(":")[0]

    def operation(self, flow: Row, data: Cleaned) -> Operation:
        action = {
            "name": free_name(names(dict_at(flow, "version.trigger"))),
            "type": data["kind"],
            "valid": data["kind"] == "CODE",
            "displayName": data["name"],
            "settings": new_settings(data["kind"]),
        }
        return add_step(places.read_place(data["place"]), action)


def new_settings(kind: str) -> Json:
    """The settings of a new step, as the engine's own builder makes them (recordings `op_add_action_*`)."""
    if kind == "CODE":
        source = {"code": NEW_CODE, "packageJson": "{}"}
        return {"input": {}, "sourceCode": source, "errorHandlingOptions": NO_HANDLING}
    if kind == LOOP:
        return {"items": ""}
    first = gettext("Branch %(number)d") % {"number": 1}
    branches = [
        {"branchName": first, "branchType": "CONDITION", "conditions": [[dict(NO_CONDITION)]]},
        {"branchName": pgettext("branch", "Otherwise"), "branchType": FALLBACK},
    ]
    return {"branches": branches, "executionType": "EXECUTE_FIRST_MATCH"}


def an_object(value: object) -> Json:
    """What was typed as an object. Raises ValidationError."""
    if value in (None, ""):
        return {}
    if json_type(value) is not JsonType.OBJECT:
        raise forms.ValidationError(gettext("This has to be an object: {…}."))
    return cast("Json", value)


class EditLoop(SettingsForm):
    is_main = True
    discreet = SettingsForm.discreet | {"items"}
    kinds = (LOOP,)
    items = forms.CharField(
        label=_("List of items"),
        max_length=5000,
        widget=forms.TextInput(EXPRESSION),
        help_text=_("An expression that gives a list, such as {{trigger.body.lines}}."),
    )

    def prepare(self) -> None:
        super().prepare()
        self.initial["items"] = text_at(self.settings, "items")

    def operation(self, flow: Row, data: Cleaned) -> Operation:
        return self.update(flow, data, valid=True, settings={"items": data["items"]})
