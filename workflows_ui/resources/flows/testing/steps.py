"""Testing one step of the newest version: the engine runs it alone, with the samples of the other steps as their outputs."""

import re
import time
from collections.abc import Iterator, Mapping
from typing import Any, cast

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import braces, flow_tree, references
from workflows_ui.resource_admin.resource import Action, Row, id_at
from workflows_ui.resources.flows import notes, reading
from workflows_ui.resources.flows.editing import places
from workflows_ui.resources.flows.editing.prediction import Json, find
from workflows_ui.resources.flows.forms import CHANGED, SeenForm
from workflows_ui.resources.places import subpage_url
from workflows_ui.web.paths import dict_at

_WORD = re.compile(r"\b\w+\b")
_MOST_NAMED = 5


class StepTestForm(SeenForm):
    """Which step; `seen` is the version that the page showed. Valid data has `version`, the id of that version."""

    discreet = frozenset({"seen", "version"})
    step = forms.ChoiceField(
        label=_("Step"), error_messages={"invalid_choice": _("This step is no longer in the flow.")}
    )

    def __init__(self, *args: Any, row: Row, asked: Mapping[str, Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        trigger = dict_at(row, "version.trigger")
        steps = dict(places.step_choices(trigger))
        chosen = str(asked.get("step") or next(iter(steps), ""))
        field = cast("forms.ChoiceField", self.fields["step"])
        field.choices = [(chosen, steps[chosen])] if chosen in steps else []
        field.help_text = _hints(trigger, find(trigger, chosen) or {})
        self.row = row
        self.initial["seen"] = reading.moment_of(row)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("seen") != reading.moment_of(self.row):
            self.set_seen(reading.moment_of(self.row))
            raise forms.ValidationError(CHANGED)
        return cleaned | {"version": id_at(dict_at(self.row, "version"))}


def _hints(trigger: Json, step: Json) -> str:
    """What the test lacks: values of steps that have no sample."""
    lacking = [places.title(other) for other in used_steps(trigger, step) if not reading.has_sample(other)]
    if not lacking:
        return ""
    named = ", ".join(f"“{name}”" for name in lacking[:_MOST_NAMED])
    return gettext("These have no sample yet, so what this step takes from them is empty: %(steps)s.") % {
        "steps": named
    }


def used_steps(trigger: Json, step: Json) -> Iterator[Json]:
    """The steps whose values the expressions of a step name, in reading order."""
    texts = references.texts_in(flow_tree.without_steps(step))
    inside = (text[start:end] for text in texts for start, end in braces.spans(text))
    words = {word for expression in inside for word in _WORD.findall(expression)}
    return (
        node.step for node in flow_tree.walk(trigger) if node.name in words and node.name != flow_tree.step_name(step)
    )


def _run(session: EngineSession, id: str, data: dict[str, Any]) -> Row:
    return session.workflows.test_step(id, data["version"], data["step"])


def can_test(flow: Row) -> bool:
    """Whether the engine can test single steps: by its flows, which have notes since the version that can."""
    return notes.has_notes(flow) and bool(places.step_choices(reading.trigger_of(flow))) and not reading.deleting(flow)


#: On a step's page; leads to the page of the test.
TEST = Action(
    "step-test",
    _("Test the step"),
    "test-tube",
    _run,
    form=StepTestForm,
    confirm=_(
        "Only this step runs, as it is in the newest version. What it does is real: a message is sent, a record is written. The samples "
        "of the other steps are used as their outputs."
    ),
    button=_("Test the step"),
    visible=can_test,
    needs="step-test",
    tab="steps",
    success_url=lambda slug, _flow, run: f"{subpage_url('step_test', slug, run)}?since={int(time.time())}",
)
