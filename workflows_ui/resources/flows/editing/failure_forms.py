"""The error handling of a step: its `errorHandlingOptions` (recording `op_update_action_code_continue_on_failure`)."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from workflows_ui.resource_admin.resource import Row, pick
from workflows_ui.resources.flows.editing.forms import NO_HANDLING, SettingsForm
from workflows_ui.resources.flows.editing.operations import Operation
from workflows_ui.resources.flows.editing.prediction import Json
from workflows_ui.web.paths import dict_at

#: The names of the fields, and their labels, by the engine's keys.
FIELDS = {
    "continueOnFailure": ("continue_on_failure", _("Continue the flow if the step fails")),
    "retryOnFailure": ("retry_on_failure", _("Retry the step if it fails")),
}


def add_fields(form: forms.Form, options: Json, settings: Json, *, new: bool) -> list[str]:
    """Add the fields that an action has to the form of its step. Return their keys.

    Args:
        options: the action's `errorHandlingOptions`, which hide a field or have its default.
        settings: of the step.
        new: whether the step gets the defaults.
    """
    shown = [key for key in FIELDS if pick(options, f"{key}.hide") is not True]
    for key in shown:
        name, label = FIELDS[key]
        now = pick(settings, f"errorHandlingOptions.{key}.value")
        default = new and pick(options, f"{key}.defaultValue") is True
        form.fields[name] = forms.BooleanField(
            label=label, required=False, initial=now if isinstance(now, bool) else default
        )
    return shown


def changed(settings: Json, keys: Iterable[str], data: Mapping[str, Any]) -> Json:
    """The step's `errorHandlingOptions` with the values of these fields; unknown ones stay as they are."""
    found = dict_at(settings, "errorHandlingOptions") or NO_HANDLING
    return {**found, **{key: {**dict_at(found, key), "value": data.get(FIELDS[key][0]) is True} for key in keys}}


class FailureHandling(SettingsForm):
    """The error handling of a code step."""

    kinds = ("CODE",)

    def prepare(self) -> None:
        super().prepare()
        self.handled = add_fields(self, {}, self.settings, new=False)

    def operation(self, flow: Row, data: Mapping[str, Any]) -> Operation:
        settings = dict_at(self.find_step(flow, data), "settings")
        return self.update(
            flow, data, settings={**settings, "errorHandlingOptions": changed(settings, self.handled, data)}
        )
