"""Forms of launching: the values to launch with, the filters of the list, the verdict on an unclear launch."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from workflows_ui.forms.days import DaysForm
from workflows_ui.kit import carried, payload_words
from workflows_ui.models import UNDER_WAY, UNSENT, LaunchInput, State, Workspace
from workflows_ui.services import database, payloads

START, WAIT = "start", "wait"
_SALT = "workflows_ui.launch.flow"


class LaunchForm(forms.Form):
    """The values as JSON text, whether to wait, and the one-use ticket. `value` is the decoded payload of a valid form."""

    payload = forms.CharField(
        label=_("Values (JSON)"),
        required=False,
        strip=False,
        widget=forms.Textarea(
            attrs={"rows": 12, "spellcheck": "false", "autocomplete": "off", "autocapitalize": "none", "wrap": "soft"}
        ),
    )
    how = forms.ChoiceField(
        label=pgettext_lazy("of a launch", "How"),
        choices=[
            (START, pgettext_lazy("a flow", "Start")),
            (WAIT, pgettext_lazy("a flow", "Start and wait for the answer")),
        ],
        widget=forms.RadioSelect,
    )
    ticket = forms.CharField(widget=forms.HiddenInput(attrs={"autocomplete": "off"}), max_length=64)
    #: The flow's name as the engine gave it, signed: so that launching needs no engine.
    flow = forms.CharField(widget=forms.HiddenInput(attrs={"autocomplete": "off"}), required=False)

    value: Any = None

    def clean_payload(self) -> str:
        """Keeps the text and sets `value`. An error names line and column."""
        text = str(self.cleaned_data["payload"])
        try:
            self.value = payloads.parse(text)
        except payloads.BadPayload as problem:
            raise ValidationError(payload_words.of(problem, text)) from None
        return text

    @property
    def wait(self) -> bool:
        """Whether a valid form asks to wait for the answer."""
        return bool(self.cleaned_data["how"] == WAIT)

    def flow_name(self, workspace: Workspace, flow_id: str) -> str:
        """The flow's name as it was signed into the form; empty where it is not there or is another flow's."""
        return name_of(workspace, flow_id, self.data.get("flow", ""))

    def renew(self, ticket: str, **fields: str) -> None:
        """Puts another ticket into a bound form that is shown again, and other hidden fields; all that was typed stays."""
        self.data = {**{name: self.data.get(name, "") for name in self.data}, "ticket": ticket, **fields}


def signed_name(workspace: Workspace, flow_id: str, name: str) -> str:
    """What the hidden field `flow` carries: that this workspace has such a flow, and what it is called."""
    return carried.sign(workspace, flow_id, name, salt=_SALT)


def name_of(workspace: Workspace, flow_id: str, signed: str) -> str:
    """The flow's name as it was signed into a form; empty where it is not there, or is another flow's or another workspace's."""
    return carried.read(workspace, flow_id, signed, salt=_SALT)


#: States as the list's filter offers them: what reads the same is one choice.
STATES: dict[str, tuple[Any, Q]] = {
    "open": (_("Not ended yet"), Q(state__in=UNDER_WAY)),
    "waiting": (State.QUEUED.label, Q(state__in=UNSENT)),
    **{str(state): (state.label, Q(state=state)) for state in State if state not in {State.QUEUED, State.CLAIMED}},
}


class FilterForm(DaysForm):
    """Filters of the list of launches. Persons and flows are offered from what is there; others may be asked for by address."""

    field_order = ("search", "flow", "person", "state", "since", "until", "id")
    search = forms.CharField(
        label=_("Flow's name, or a searchable input"),
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )
    flow = forms.CharField(label=_("Flow"), required=False, max_length=64, widget=forms.Select)
    person = forms.IntegerField(label=_("Person"), required=False, min_value=1, max_value=2**31, widget=forms.Select)
    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[("", _("Any")), *((name, label) for name, (label, _q) in STATES.items())],
    )
    id = forms.CharField(label=_("Id of the launch or its run"), required=False, max_length=64)

    def conditions(self) -> Q:
        """What the launches must fulfil, from the fields that are valid and filled. Days are those of the person's zone."""
        data, found = self.filled(), self.within("asked_at")
        if "search" in data:
            texts, names = Q(), Q()
            for text in database.spellings(data["search"]):
                texts |= Q(text__icontains=text)
                names |= Q(flow_name__icontains=text)
            found &= Q(pk__in=LaunchInput.objects.filter(texts).values("launch")) | names
        if "flow" in data:
            found &= Q(flow_id=data["flow"])
        if "person" in data:
            found &= Q(user_id=data["person"])
        if "state" in data:
            found &= STATES[data["state"]][1]
        if "id" in data:
            found &= Q(pk=data["id"].strip()) | Q(run_id=data["id"].strip())
        return found


class SettleForm(forms.Form):
    """What a person found out about a launch of unclear fate, and how."""

    ran = forms.ChoiceField(choices=[("yes", ""), ("no", "")])
    why = forms.CharField(
        label=_("How do you know?"),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Kept with the launch and in the audit log."),
        error_messages={"required": _("Say in a few words how you know.")},
    )
