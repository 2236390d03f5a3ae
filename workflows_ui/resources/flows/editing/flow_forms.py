"""Forms for what lies beside the steps: samples of steps, the owner of a flow, the lock of its draft, and any operation as JSON."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from workflows_ui.resource_admin.resource import Affected, Row
from workflows_ui.resources.flows import reading
from workflows_ui.resources.flows.editing import places, templates
from workflows_ui.resources.flows.editing.forms import EditForm, StepForm, an_object
from workflows_ui.resources.flows.editing.json_field import JsonField
from workflows_ui.resources.flows.editing.prediction import TYPES, Json, Operation
from workflows_ui.web.paths import dict_at


class SampleForm(StepForm):
    """Changes what the engine keeps beside a step, which no difference of trees shows."""

    first = True

    def describe(self, step: Json) -> str:
        """What happens to the sample, as a sentence."""
        raise NotImplementedError

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if self.questions:
            self.questions[0] = Affected(self.describe(self.find_step(cleaned["flow"], cleaned)))
        return cleaned


class SaveSample(SampleForm):
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

    def describe(self, step: Json) -> str:
        if self.cleaned_data["kind"] == "INPUT":
            return gettext("This becomes the sample input of “%(step)s”.") % {"step": places.title(step)}
        return gettext("This becomes the sample output of “%(step)s”.") % {"step": places.title(step)}

    def operation(self, flow: Row, data: Mapping[str, Any]) -> Operation:
        self.find_step(flow, data)
        payload = data["payload"]
        # Engines before 0.83 ask for the type of the data; newer ones ignore it.
        kind = "STRING" if isinstance(payload, str) else "JSON"
        request = {"stepName": data["step"], "payload": payload, "type": data["kind"], "dataType": kind}
        return Operation("SAVE_SAMPLE_DATA", request)


class ClearSample(SampleForm):
    def describe(self, step: Json) -> str:
        return gettext("“%(step)s” will have no sample.") % {"step": places.title(step)}

    def operation(self, flow: Row, data: Mapping[str, Any]) -> Operation:
        if not dict_at(self.find_step(flow, data), "settings.sampleData"):
            raise forms.ValidationError({"step": gettext("This step has no sample.")})
        return Operation("UPDATE_SAMPLE_DATA_INFO", {"stepName": data["step"], "sampleDataSettings": None})


class ChangeOwner(EditForm):
    owner = forms.ChoiceField(
        label=_("New owner"),
        help_text=_(
            "The people that the console knows: the user of your credential, and owners of flows and of connections. The engine has no "
            "list of users for it."
        ),
    )

    def prepare(self) -> None:
        super().prepare()
        self.people = reading.people(self.session)
        others = [item for item in self.people.items() if item[0] != self.row.get("ownerId")]
        self.choose("owner", others)
        if not others:
            self.fields["owner"].help_text = gettext("The console knows nobody else: the engine names no other user.")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if self.questions:
            text = gettext("The flow then belongs to %(owner)s.") % {"owner": self.people[cleaned["owner"]]}
            self.questions.insert(0, Affected(text))
        return cleaned

    def operation(self, flow: Row, data: Mapping[str, Any]) -> Operation:
        return Operation("UPDATE_OWNER", {"ownerId": data["owner"]})


class LockFlow(EditForm):
    """Nothing is asked: the page explains what it does."""

    def operation(self, flow: Row, data: Mapping[str, Any]) -> Operation:
        return Operation("LOCK_FLOW", {})


class RawOperation(EditForm):
    """Any operation, for those who know the engine's requests. `type` in the address fills in a template."""

    above = "resources/flows/operation_template.html"
    type = forms.ChoiceField(label=_("Operation"), choices=[(name, name) for name in TYPES])
    request = JsonField(label=_("Request (JSON)"), rows=12)

    def prepare(self) -> None:
        super().prepare()
        self.initial["request"] = templates.request(str(self.asked.get("type") or TYPES[0]), self.row)

    def clean_request(self) -> Json:
        return an_object(self.cleaned_data["request"])

    def operation(self, flow: Row, data: Mapping[str, Any]) -> Operation:
        return Operation(data["type"], data["request"])
