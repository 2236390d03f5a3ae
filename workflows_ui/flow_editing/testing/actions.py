"""Tests: of the whole draft, which the engine runs once while the console waits for its answer; and of one step of the newest version,
which it runs alone, with the samples of the other steps as their outputs.

The inputs of the draft leave by the connection that launches use, which sends once. A test is not a launch: its run is of the kind
TESTING, which no list of the engine contains (api.md section 8), so it could not be followed, nor could a lost answer be concluded.
"""

import json
import secrets
import time
from collections.abc import Mapping
from typing import TypedDict, Unpack, cast

from django import forms
from django.core.cache import cache
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy as _

from workflows_ui.core import crypto, json_text, redaction
from workflows_ui.core.form_arguments import Cleaned, FormArguments
from workflows_ui.core.paths import dict_at
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import EngineError, TriggerAnswer, flow_tree
from workflows_ui.engine_objects.flows import Flow, Step
from workflows_ui.flow_editing import actions as editing, flow_forms, places
from workflows_ui.flow_editing.expressions import used_steps
from workflows_ui.flow_editing.operations import Json
from workflows_ui.flow_editing.prediction import MALFORMED, Impossible, predict, step_named
from workflows_ui.flow_editing.testing import run_values
from workflows_ui.flows import notes
from workflows_ui.flows.reading import moment_of, trigger_of
from workflows_ui.flows.seen_form import CHANGED, SeenForm
from workflows_ui.form_schema import checking
from workflows_ui.form_schema.document import NUMBERS, Column, Field, FieldKind
from workflows_ui.launch_forms.proposal import proposing
from workflows_ui.launches import flow_facts
from workflows_ui.resource_admin.places import subpage_url
from workflows_ui.resource_admin.resource import Action, Row, id_at
from workflows_ui.runs import masking
from workflows_ui.web.json_field import JsonField

#: Seconds for which an answer can be read, and the most bytes of one that is kept whole.
_KEPT_FOR, _LONGEST = 3600, 500_000
_MOST_NAMED = 5
#: Empty values of the kinds that are not texts.
_EMPTY: Mapping[FieldKind, object] = {
    **dict.fromkeys(NUMBERS, 0),
    FieldKind.YES_NO: False,
    FieldKind.LIST: [],
    FieldKind.CHOICES: [],
    FieldKind.JSON: {},
}


class DraftTestForm(forms.Form):
    """The inputs of the draft, filled with those of the run that the address names, with the sample of its trigger, otherwise with empty
    values of what its steps read.
    """

    discreet = frozenset({"payload"})
    payload = JsonField(
        label=_("Inputs (JSON)"),
        rows=12,
        required=False,
        help_text=_("Steps read it as {{trigger.body}}. It replaces the sample of the trigger."),
    )

    def __init__(
        self, *, session: EngineSession, row: Row, asked: Mapping[str, object], **arguments: Unpack[FormArguments]
    ) -> None:
        super().__init__(**arguments)
        if not self.is_bound:
            given = _given(session, row, str(asked.get("run") or "")) or redaction.step(_sample(session, row))
            self.initial["payload"] = json_text.pretty(given or _outline(row))

    def clean_payload(self) -> object:
        payload = self.cleaned_data["payload"]
        return {} if payload is None else payload


def _given(session: EngineSession, flow: Row, run_id: str) -> object:
    """What a run of the flow was given, secrets masked; None without one."""
    if not run_id:
        return None
    try:
        [run] = masking.masked(session, [session.workflows.get_run(run_id)])
    except EngineError:
        return None
    return masking.body(run) if run.get("flowId") == flow.get("id") else None


def _sample(session: EngineSession, flow: Row) -> object:
    """The inputs in the newest sample of the trigger; {} without one."""
    try:
        return flow_facts.sample(session.workflows.list_trigger_events(id_at(flow), limit=1)) or {}
    except EngineError:
        return {}


def _outline(flow: Row) -> object:
    """What the steps of the newest version read, with empty values; {} if they read nothing."""
    form = proposing.propose(trigger_of(flow))
    return checking.assemble_payload(form, {field.name: _empty(field) for field in form.fields})


def _empty(field: Field | Column) -> object:
    if isinstance(field, Field) and field.kind is FieldKind.TABLE:
        return [{column.key: _empty(column) for column in field.columns}]
    return _EMPTY.get(field.kind, "")


def _run_draft(session: EngineSession, id: str, data: Cleaned) -> dict[str, str]:
    """Send the inputs once, and keep the answer for the page that shows it. Raises EngineError."""
    answer = session.workflows.test_draft(id, data["payload"])
    key = secrets.token_urlsafe(16)
    name = _name(session, id, key)
    # In the database: the answer can be got once only.
    cache.set(name, crypto.seal(json.dumps(_kept(answer)), name), _KEPT_FOR)
    return {"key": key}


class Answer(TypedDict):
    """The answer of a draft that was tested (TriggerAnswer)."""

    status: int
    headers: dict[str, str]
    body: object
    outcome: str


def find_answer(session: EngineSession, id: str, key: str) -> Answer | None:
    """The answer of a test; None if it is no longer kept."""
    name = _name(session, id, key)
    sealed = cache.get(name)
    try:
        return cast("Answer", json.loads(crypto.unseal(sealed, name))) if sealed else None
    except crypto.CannotOpen:
        return None


def _name(session: EngineSession, id: str, key: str) -> str:
    """For this credential, since others may have access to other objects."""
    return f"draft-test:{session.workspace.pk}:{session.credential_id}:{id}:{key}"


def _kept(answer: TriggerAnswer) -> dict[str, object]:
    value = answer.value()
    if isinstance(value, bytes):
        value = gettext("(%(size)d bytes, not text)") % {"size": len(value)}
    elif len(answer.body) > _LONGEST:
        value = answer.body[:_LONGEST].decode("utf-8", "replace")
    return {
        "status": answer.status,
        "headers": redaction.headers(answer.headers),
        "body": redaction.step(value),
        "outcome": answer.outcome,
        "cut": answer.truncated or len(answer.body) > _LONGEST,
    }


def can_test_draft(flow: Row) -> bool:
    """Whether the newest version starts by a call or a form."""
    return flow_facts.start_of(trigger_of(flow)) in flow_facts.LAUNCHED and not Flow(flow).deleting


#: Beside the steps of a flow; leads to the page of the answer.
DRAFT_TEST = Action(
    "draft-test",
    _("Test the draft"),
    "play",
    _run_draft,
    form=DraftTestForm,
    confirm=_(
        "The newest version runs once from its trigger to its end, as it is now, also while the flow is off. What it does is real: "
        "messages are sent, records are written. The page waits for its answer, up to half a minute."
    ),
    button=_("Run the draft once"),
    visible=can_test_draft,
    needs="draft-test",
    tab="steps",
    success_url=lambda slug, flow, answer: f"{subpage_url('draft_test', slug, flow)}?test={answer['key']}",
)


class StepTestForm(SeenForm):
    """Which step; `seen` is the version that the page showed. Valid data has `version`, the id of that version.

    With a `run`, the outputs of its steps become the samples that the step reads; valid data has them as `samples`.
    """

    discreet = frozenset({"seen", "version", "samples"})
    addressed = frozenset({"step", "run"})
    run = forms.CharField(required=False, max_length=100, widget=forms.HiddenInput)
    step = forms.ChoiceField(
        label=_("Step"), error_messages={"invalid_choice": _("This step is no longer in the flow.")}
    )

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
        trigger = dict_at(row, "version.trigger")
        steps = dict(places.step_choices(trigger))
        chosen = str(asked.get("step") or next(iter(steps), ""))
        field = cast("forms.ChoiceField", self.fields["step"])
        field.choices = [(chosen, steps[chosen])] if chosen in steps else []
        field.help_text = _hints(trigger, step_named(trigger, chosen) or {})
        # A masked step does not say what it reads.
        self.session, self.row, self._flow = session, row, unmasked or row
        self.initial["seen"] = moment_of(row)

    def clean(self) -> Cleaned:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("seen") != moment_of(self.row):
            self.set_seen(moment_of(self.row))
            raise forms.ValidationError(CHANGED)
        samples = self._samples(cleaned) if cleaned.get("run") and not self.errors else {}
        return cleaned | {"version": id_at(dict_at(self.row, "version")), "samples": samples}

    def has_own_mask(self, name: str, value: object) -> bool:
        """Of the run's outputs: what the step reads is not masked."""
        return name not in self.fields

    def _samples(self, cleaned: Cleaned) -> dict[str, object]:
        """The outputs of the run. Raises ValidationError if some are hidden from the person, EngineError."""
        step = step_named(trigger_of(self._flow), cleaned["step"]) or {}
        values = run_values.read(self.session, self._flow, step, cleaned["run"])
        if values is None:
            raise forms.ValidationError(gettext("This is a run of another flow."))
        if values.hidden:
            text = gettext("The console does not show you all values that the step was given: %(steps)s.")
            raise forms.ValidationError(text % {"steps": ", ".join(f"“{title}”" for title in values.hidden)})
        return values.outputs


def _hints(trigger: Json, step: Json) -> str:
    """What the test lacks: values of steps that have no sample."""
    lacking = [
        places.title(other)
        for other in used_steps(flow_tree.steps_by_name(trigger), step)
        if not Step(other).settings.has_sample
    ]
    if not lacking:
        return ""
    named = ", ".join(f"“{name}”" for name in lacking[:_MOST_NAMED])
    text = gettext("These have no sample yet, so what this step takes from them is empty: %(steps)s.")
    return text % {"steps": named}


def _run_step(session: EngineSession, id: str, data: Cleaned) -> Row:
    """Save the samples, if the test takes them from a run, then send the test once. Raises EngineError, ValidationError."""
    for step, output in data["samples"].items():
        flow = session.workflows.get_flow(id)
        operation = flow_forms.save_sample(step, output)
        try:
            predicted = predict(flow, operation)
        except (Impossible, *MALFORMED) as problem:
            raise forms.ValidationError(CHANGED) from problem
        applied = editing.apply(session, id, {"operation": operation, "flow": flow, "predicted": predicted})
        if applied["edit"].meanwhile:
            raise forms.ValidationError(CHANGED)
    # The samples of a locked version are those of a new draft.
    version = id_at(session.workflows.get_flow(id), "version.id") if data["samples"] else data["version"]
    run = session.workflows.test_step(id, version, data["step"])
    return {**run, "repairs": data["run"]}


def _tested(slug: str, _flow: Row, run: Row) -> str:
    """The page of the test; of one with the values of a run that failed, the page that repairs it."""
    since = str(int(time.time()))
    if repaired := str(run.get("repairs") or ""):
        query = {"test": id_at(run), "since": since}
        return f"{reverse('run_repair', args=[slug, repaired], query=query)}#repair-test"
    return f"{subpage_url('step_test', slug, run)}?since={since}"


def can_test_step(flow: Row) -> bool:
    """Whether the engine can test single steps: by its flows, which have notes since the version that can."""
    return notes.has_notes(flow) and bool(places.step_choices(trigger_of(flow))) and not Flow(flow).deleting


#: On a step's page; leads to the page of the test.
STEP_TEST = Action(
    "step-test",
    _("Test the step"),
    "test-tube",
    _run_step,
    form=StepTestForm,
    confirm=_(
        "Only this step runs, as it is in the newest version. What it does is real: a message is sent, a record is written. The samples "
        "of the other steps are used as their outputs."
    ),
    button=_("Test the step"),
    visible=can_test_step,
    needs="step-test",
    tab="steps",
    success_url=_tested,
)
