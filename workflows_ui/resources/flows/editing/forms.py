"""Forms that edit a flow, one for each operation (api.md 6.5).

A submitted form predicts the result, refuses damage, and asks for a confirmation of what will change. The second
submission holds a mark of what was confirmed: if the flow was changed since, the question is asked again.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, cast

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext, ngettext, pgettext
from django.utils.translation import gettext_lazy as _

from workflows_ui.core import redaction
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import NotFound
from workflows_ui.flow_edits import services as flow_edits
from workflows_ui.flow_edits.models import FlowEdit
from workflows_ui.resource_admin.resource import Affected, Row, id_at, pick
from workflows_ui.resources.flows import difference, outline, reading
from workflows_ui.resources.flows.editing import damage, places
from workflows_ui.resources.flows.editing.json_field import JsonField
from workflows_ui.resources.flows.editing.prediction import (
    BODY,
    FALLBACK,
    LOOP,
    MALFORMED,
    Impossible,
    Json,
    Operation,
    find,
    free_name,
    names,
    predict,
)
from workflows_ui.web import formats
from workflows_ui.web.paths import dict_at, text_at

#: Parts of a version that an import takes.
TREE = ("displayName", "trigger", "schemaVersion", "notes")
#: Choices of places, for when somebody else has changed the flow meanwhile.
GONE = {"invalid_choice": _("This place is no longer in the flow.")}
_MOST_LINES = 12
_NO_HANDLING = {"retryOnFailure": {"value": False}, "continueOnFailure": {"value": False}}
NEW_CODE = "export const code = async (inputs) => {\n  return inputs;\n};\n"


class EditForm(forms.Form):
    """Base of the forms: subclasses say which operation their values mean.

    Valid data has `flow` (as read from the engine), `predicted` and `operation`.
    """

    #: Steps have code and may have secrets, which the audit log must not have.
    discreet = frozenset({"undone", "flow", "predicted", "operation", "seen", "code", "inputs", "request", "packages"})
    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(
        self,
        *args: Any,
        session: EngineSession,
        row: Row,
        asked: Mapping[str, Any],
        unmasked: Row | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        #: The flow with its secrets, which only a submitted form has.
        self.flow: Row = unmasked or {}
        self.session, self.row, self.asked, self.questions = session, row, asked, list[Affected]()
        self.prepare()

    def prepare(self) -> None:
        """Set choices and initial values."""

    @property
    def trigger(self) -> Json:
        """The tree as it was when the page was opened, with secrets masked: for choices."""
        return dict_at(self.row, "version.trigger")

    def operation(self, flow: Row, data: Mapping[str, Any]) -> Operation:
        """Return what the valid values mean for this flow. Raises ValidationError."""
        raise NotImplementedError

    def choose(self, name: str, choices: places.Choices) -> str:
        """Set the choices of a field. Return the one that the address names, else the first; "" if there are none."""
        cast("forms.ChoiceField", self.fields[name]).choices = choices
        return str(self.asked.get(name) or next(iter(dict(choices)), ""))

    def keep_only(self, name: str, value: str) -> None:
        """Offer only this choice of a field, since what the form shows means nothing in another one."""
        field = cast("forms.ChoiceField", self.fields[name])
        field.choices = [choice for choice in cast("places.Choices", field.choices) if choice[0] == value]

    def clean(self) -> dict[str, Any]:
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
            predicted = predict(flow, operation, _versions(self.session, flow, operation))
            problems = damage.problems(flow, predicted, operation)
        except Impossible as problem:
            raise forms.ValidationError(_impossible(problem)) from problem
        except MALFORMED as problem:
            raise forms.ValidationError(_impossible(Impossible())) from problem
        if problems:
            raise forms.ValidationError(
                [*problems, gettext("The engine would accept this all the same. Nothing was sent.")]
            )
        mark = _mark(flow, operation)
        seen = cleaned.pop("seen", "")
        if seen != mark:
            self.questions = [*changes(self.session, flow, predicted), _request(operation)]
            if seen and seen.partition("-")[0] != mark.partition("-")[0]:
                text = gettext("The flow has been changed since you opened this page. Nothing was sent yet.")
                self.questions.insert(0, Affected(text))
            data = cast("QueryDict", self.data).copy()
            data["seen"] = mark
            self.data = data
        return cleaned | {"flow": flow, "predicted": predicted, "operation": operation}


def _versions(session: EngineSession, flow: Row, operation: Operation) -> dict[str, Json]:
    """The version that the operation copies, by its id; none if the flow has no such version."""
    key = text_at(operation.request, "versionId") if operation.type == "USE_AS_DRAFT" else ""
    try:
        return {key: dict_at(session.workflows.get_flow(id_at(flow), key), "version")} if key else {}
    except NotFound:
        return {}


def _mark(flow: Row, operation: Operation) -> str:
    """What the person saw: the flow's version, "-", the operation."""
    parts = ([pick(flow, "version.id"), pick(flow, "version.updated")], operation.body)
    return "-".join(hashlib.sha256(json.dumps(part, sort_keys=True).encode()).hexdigest()[:32] for part in parts)


def _impossible(problem: Impossible) -> str:
    if problem.step:
        text = gettext("The engine would refuse this for the step “%(step)s”. It may have been changed or removed.")
        return text % {"step": problem.step}
    return gettext("The engine would refuse this. The flow may have been changed since you opened the page.")


def changes(session: EngineSession, before: Row, after: Row) -> list[Affected]:
    """What is different between two flows, in words; secrets masked."""
    old, new = dict_at(before, "version"), dict_at(after, "version")
    masked = (
        redaction.step(old, secrets=reading.SECRETS),
        redaction.step(new, secrets=reading.SECRETS),
    )
    connections = reading.connection_names(session)
    found = difference.between(
        old,
        new,
        masked=masked,
        names=outline.names_of(pick(new, "trigger"), connections, session.workspace.slug, pick(old, "trigger")),
        known=outline.labels(session, pick(new, "trigger")),
    )
    lines = [text for change in found.steps for text in _lines(change)]
    if found.names:
        lines.insert(
            0,
            gettext("The flow is renamed: “%(old)s” → “%(new)s”") % dict(zip(("old", "new"), found.names, strict=True)),
        )
    lines += _other_changes(before, after)
    if not lines:
        return [Affected(gettext("The steps stay as they are."))]
    number, shown = len(lines), lines[:_MOST_LINES]
    if number > len(shown):
        shown.append(gettext("and %(n)d more") % {"n": number - len(shown)})
    summary = ngettext("This will change:", "These %(n)d things will change:", number) % {"n": number}
    return [Affected(summary, [(line, "") for line in shown])]


def _lines(change: difference.StepChange) -> Iterator[str]:
    values = {"step": formats.cut(change.title)}
    if change.kind == "added":
        yield gettext("“%(step)s” is added") % values
    elif change.kind == "removed":
        yield gettext("“%(step)s” is removed") % values
    if change.moved:
        yield gettext("“%(step)s” is moved") % values
    if change.renamed:
        yield gettext("“%(old)s” is renamed to “%(step)s”") % {**values, "old": formats.cut(change.renamed)}
    if change.kind != "changed":
        return
    for item in change.changes:
        before, after = (
            formats.cut(part.whole, 60) if part else gettext("not set") for part in (item.before, item.after)
        )
        if item.hidden or (item.before is None and item.after is None):
            yield gettext("“%(step)s”, %(field)s: changed") % {**values, "field": item.label}
        else:
            texts = {**values, "field": item.label, "before": before, "after": after}
            yield gettext("“%(step)s”, %(field)s: %(before)s → %(after)s") % texts


def _other_changes(before: Row, after: Row) -> Iterator[str]:
    old, new = (len(dict_at(flow, "version").get("notes") or []) for flow in (before, after))
    if old != new:
        yield gettext("Notes on the canvas: %(old)d → %(new)d") % {"old": old, "new": new}
    elif pick(before, "version.notes") != pick(after, "version.notes"):
        yield gettext("A note on the canvas is changed")
    if pick(before, "version.state") != pick(after, "version.state"):
        yield gettext("The draft is locked: the next edit makes a new draft")
    if before.get("timeSavedPerRun") != after.get("timeSavedPerRun"):
        values = {"old": before.get("timeSavedPerRun") or "–", "new": after.get("timeSavedPerRun") or "–"}
        yield gettext("Minutes saved with each run: %(old)s → %(new)s") % values


def _request(operation: Operation) -> Affected:
    """The request itself, for those who know the engine."""
    text = json.dumps(redaction.step(operation.body, secrets=reading.SECRETS), ensure_ascii=False)
    return Affected(gettext("Request to the engine"), [(formats.cut(text, 300), "")])


class StepForm(EditForm):
    """An operation on one step, which the address may name."""

    first: ClassVar[bool] = False
    kinds: ClassVar[tuple[str, ...]] = ()
    step = forms.ChoiceField(
        label=_("Step"), error_messages={"invalid_choice": _("This step is no longer in the flow.")}
    )

    def prepare(self) -> None:
        super().prepare()
        self.chosen = self.choose("step", places.step_choices(self.trigger, first=self.first, kinds=self.kinds))

    def find_step(self, flow: Row, data: Mapping[str, Any]) -> Json:
        """The chosen step as it is now."""
        step = find(dict_at(flow, "version.trigger"), data["step"])
        if step is None:
            raise forms.ValidationError({"step": gettext("This step is no longer in the flow.")})
        return step

    def update(self, flow: Row, data: Mapping[str, Any], **values: Any) -> Operation:
        """The operation that sets these parts of the step; everything else is sent as it is."""
        step = self.find_step(flow, data)
        is_trigger = step is dict_at(flow, "version.trigger") or text_at(step, "type") in ("EMPTY", "PIECE_TRIGGER")
        body = {key: step[key] for key in BODY if key in step} | values
        return Operation("UPDATE_TRIGGER" if is_trigger else "UPDATE_ACTION", body)


class SettingsForm(StepForm):
    """A step operation that shows settings of the step."""

    def prepare(self) -> None:
        super().prepare()
        self.keep_only("step", self.chosen)
        self.settings = dict_at(find(self.trigger, self.chosen) or {}, "settings")


class RenameStep(StepForm):
    first = True
    name = forms.CharField(label=_("New name"), max_length=200)

    def operation(self, flow: Row, data: Mapping[str, Any]) -> Operation:
        return self.update(flow, data, displayName=data["name"])


class SkipStep(StepForm):
    skip = forms.ChoiceField(
        label=_("When the flow runs"),
        choices=[("yes", _("Skip this step")), ("no", _("Run this step"))],
        widget=forms.RadioSelect,
    )

    def operation(self, flow: Row, data: Mapping[str, Any]) -> Operation:
        self.find_step(flow, data)
        return Operation("SET_SKIP_ACTION", {"names": [data["step"]], "skip": data["skip"] == "yes"})


class MoveStep(StepForm):
    place = forms.ChoiceField(label=_("New place"), error_messages=GONE)

    def prepare(self) -> None:
        super().prepare()
        choices = places.place_choices(self.trigger, find(self.trigger, self.chosen))
        self.choose("place", choices)
        self.initial.setdefault("place", choices[-1][0] if choices else "")

    def operation(self, flow: Row, data: Mapping[str, Any]) -> Operation:
        self.find_step(flow, data)
        location, parent, branch = places.read_place(data["place"])
        request = {"name": data["step"], "newParentStep": parent, "stepLocationRelativeToNewParent": location}
        return Operation("MOVE_ACTION", request | ({} if branch is None else {"branchIndex": branch}))


class DuplicateStep(StepForm):
    def operation(self, flow: Row, data: Mapping[str, Any]) -> Operation:
        self.find_step(flow, data)
        return Operation("DUPLICATE_ACTION", {"stepName": data["step"]})


class DeleteStep(StepForm):
    def operation(self, flow: Row, data: Mapping[str, Any]) -> Operation:
        self.find_step(flow, data)
        return Operation("DELETE_ACTION", {"names": [data["step"]]})


class AddStep(EditForm):
    """A new step of a type that needs no app."""

    place = forms.ChoiceField(label=_("Place"), error_messages=GONE)
    kind = forms.ChoiceField(
        label=_("Kind"),
        choices=[("CODE", _("Code")), (LOOP, _("For each item")), ("ROUTER", _("Branches"))],
        widget=forms.RadioSelect,
        initial="CODE",
    )
    name = forms.CharField(label=_("Name"), max_length=200)

    def prepare(self) -> None:
        super().prepare()
        self.choose("place", places.place_choices(self.trigger))

    def operation(self, flow: Row, data: Mapping[str, Any]) -> Operation:
        location, parent, branch = places.read_place(data["place"])
        action = {
            "name": free_name(names(dict_at(flow, "version.trigger"))),
            "type": data["kind"],
            "valid": data["kind"] == "CODE",
            "displayName": data["name"],
            "settings": new_settings(data["kind"]),
        }
        request: Json = {"parentStep": parent, "stepLocationRelativeToParent": location, "action": action}
        return Operation("ADD_ACTION", request | ({} if branch is None else {"branchIndex": branch}))


def new_settings(kind: str) -> Json:
    """The settings of a new step, as the engine's own builder makes them (recordings `op_add_action_*`)."""
    if kind == "CODE":
        source = {"code": NEW_CODE, "packageJson": "{}"}
        return {"input": {}, "sourceCode": source, "errorHandlingOptions": _NO_HANDLING}
    if kind == LOOP:
        return {"items": ""}
    empty = {"operator": "TEXT_CONTAINS", "firstValue": "", "secondValue": "", "caseSensitive": False}
    first = gettext("Branch %(number)d") % {"number": 1}
    branches = [
        {"branchName": first, "branchType": "CONDITION", "conditions": [[empty]]},
        {"branchName": pgettext("branch", "Otherwise"), "branchType": FALLBACK},
    ]
    return {"branches": branches, "executionType": "EXECUTE_FIRST_MATCH"}


class EditCode(SettingsForm):
    kinds = ("CODE",)
    code = forms.CharField(
        label=_("Code"),
        strip=False,
        widget=forms.Textarea({"rows": 14, "class": "font-monospace", "spellcheck": "false"}),
    )
    inputs = JsonField(
        label=_("Inputs (JSON)"),
        rows=5,
        required=False,
        help_text=_(
            "An object. The code reads them as `inputs`; values may be expressions such as {{trigger.body.total}}."
        ),
    )
    packages = JsonField(
        label=_("Packages (package.json)"),
        rows=3,
        required=False,
    )

    def prepare(self) -> None:
        super().prepare()
        self.initial.update(
            {
                "code": text_at(self.settings, "sourceCode.code") or NEW_CODE,
                "inputs": self.settings.get("input") or {},
                "packages": _parsed(text_at(self.settings, "sourceCode.packageJson")),
            }
        )

    def clean_inputs(self) -> Json:
        return an_object(self.cleaned_data["inputs"])

    def clean_packages(self) -> Json:
        return an_object(self.cleaned_data["packages"])

    def operation(self, flow: Row, data: Mapping[str, Any]) -> Operation:
        settings = dict_at(self.find_step(flow, data), "settings")
        old = dict_at(settings, "sourceCode")
        # Unchanged, the packages stay as they are written.
        same = _parsed(text_at(old, "packageJson")) == data["packages"]
        packages = old.get("packageJson", "{}") if same else json.dumps(data["packages"])
        source = old | {"code": data["code"].replace("\r\n", "\n"), "packageJson": packages}
        return self.update(flow, data, settings={**settings, "sourceCode": source, "input": data["inputs"]})


def _parsed(text: str) -> Any:
    try:
        return json.loads(text or "{}")
    except ValueError:
        return {}


def an_object(value: Any) -> Json:
    """Return what was typed as an object. Raises ValidationError."""
    if value in (None, ""):
        return {}
    if not isinstance(value, dict):
        raise forms.ValidationError(gettext("This has to be an object: {…}."))
    return value


class EditLoop(SettingsForm):
    discreet = SettingsForm.discreet | {"items"}
    kinds = (LOOP,)
    items = forms.CharField(
        label=_("List of items"),
        max_length=5000,
        help_text=_("An expression that gives a list, such as {{trigger.body.lines}}."),
    )

    def prepare(self) -> None:
        super().prepare()
        self.initial["items"] = text_at(self.settings, "items")

    def operation(self, flow: Row, data: Mapping[str, Any]) -> Operation:
        settings = dict_at(self.find_step(flow, data), "settings")
        return self.update(flow, data, valid=True, settings={**settings, "items": data["items"]})


class UndoEdit(EditForm):
    """Makes the version before the last edit the draft again; valid data has that edit as `undone`."""

    undone: FlowEdit | None = None

    def operation(self, flow: Row, data: Mapping[str, Any]) -> Operation:
        edit = flow_edits.latest(self.session.workspace, id_at(flow))
        try:
            versions = flow_edits.open_versions(edit) if edit else None
        except CannotOpen as problem:
            text = gettext("What was kept of the last edit cannot be opened any more.")
            raise forms.ValidationError(text) from problem
        if versions is None:
            raise forms.ValidationError(gettext("There is no edit by this console that could be undone."))
        self.undone = edit
        return Operation(
            "IMPORT_FLOW", {"notes": [], **{key: versions.before[key] for key in TREE if key in versions.before}}
        )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if self.questions:
            text = gettext(
                "Samples of steps that were deleted do not come back. Runs and published versions stay as they are."
            )
            self.questions.append(Affected(text))
        return cleaned | {"undone": self.undone}


class MinutesSaved(EditForm):
    minutes = forms.FloatField(
        label=_("Minutes saved with each run"),
        required=False,
        min_value=0,
        max_value=100_000,
        help_text=_("Empty: not stated."),
    )

    def operation(self, flow: Row, data: Mapping[str, Any]) -> Operation:
        minutes = data["minutes"]
        whole = int(minutes) if minutes is not None and minutes == int(minutes) else minutes
        return Operation("UPDATE_MINUTES_SAVED", {"timeSavedPerRun": whole})
