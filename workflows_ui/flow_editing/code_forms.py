"""The forms of a code step: its code, inputs and packages; and its error handling, which the forms of steps with an app have, too.

`errorHandlingOptions`: recording `op_update_action_code_continue_on_failure`.
"""

import json
from collections.abc import Iterable, Mapping, Sequence

from django import forms
from django.conf import settings
from django.utils.translation import gettext, gettext_lazy as _, pgettext_lazy

from workflows_ui.core import json_text, redaction
from workflows_ui.core.form_arguments import Cleaned
from workflows_ui.core.json_values import JsonType, json_type
from workflows_ui.core.paths import dict_at, text_at, text_of
from workflows_ui.flow_editing.forms import EXPRESSION, NEW_CODE, NO_HANDLING, RowsForm, SettingsForm, an_object
from workflows_ui.flow_editing.operations import Json, Operation
from workflows_ui.flow_editing.prediction import step_named
from workflows_ui.resource_admin.resource import Row, pick
from workflows_ui.web.json_field import JsonField

_LONGEST_NAME = 200


class EditCode(RowsForm, SettingsForm):
    is_main = True
    kinds = ("CODE",)
    row_keys = ("name", "value")
    row_label, add_label = pgettext_lazy("of code", "Input"), _("Add an input")
    rows_help = _(
        "The code reads an input as inputs.name. Values may be expressions; a value that was not text stays JSON. To "
        "remove an input, empty its name and its value."
    )
    fields_before, fields_after = ("step", "code"), ("packages",)
    code = forms.CharField(
        label=_("Code"),
        strip=False,
        widget=forms.Textarea(
            {"rows": 14, "class": "font-monospace", "spellcheck": "false", "data-code": "typescript"}
        ),
    )
    packages = JsonField(
        label=_("Packages (package.json)"),
        rows=3,
        required=False,
    )

    def prepare(self) -> None:
        super().prepare()
        self.initial["code"] = text_at(self.settings, "sourceCode.code") or NEW_CODE
        self.initial["packages"] = _parsed(text_at(self.settings, "sourceCode.packageJson"))
        self.masked = dict_at(self.settings, "input")
        self.add_rows([(name, _typed(value)) for name, value in self.masked.items()], ("", ""))

    def row_fields(self, values: Sequence[object]) -> Sequence[forms.Field]:
        return (
            forms.CharField(
                label=_("Name"), required=False, strip=False, max_length=max(_LONGEST_NAME, len(str(values[0])))
            ),
            forms.CharField(
                label=_("Value"), required=False, strip=False, widget=forms.Textarea({"rows": 1} | EXPRESSION)
            ),
        )

    def clean(self) -> Cleaned:
        self.inputs: Json = {}
        old = dict_at(step_named(dict_at(self.flow, "version.trigger"), self.chosen) or {}, "settings.input")
        for number, (name_field, value_field) in enumerate(self.row_names):
            name, value = (str(self.cleaned_data.get(field) or "") for field in (name_field, value_field))
            name = name if name in old else name.strip()
            if name in self.inputs:
                self.add_error(name_field, gettext("There is another input with this name."))
            elif name:
                self.inputs[name] = self._value(old, number, name, value.replace("\r\n", "\n"))
                # A hidden secret that was not touched is not typed.
                self.cleaned_data[value_field] = ""
            elif value.strip():
                self.add_error(name_field, gettext("A name is missing here."))
        return super().clean()

    def _value(self, old: Json, number: int, name: str, typed: str) -> object:
        """The value of a row: the current one if it was not changed; JSON if the current one is not text; otherwise the text."""
        before = list(old)[number] if number < len(old) else name
        for key in (name, before):
            if key in old and typed in (_typed(old[key]), _typed(self.masked.get(key, redaction.MASK))):
                return old[key]
        if redaction.adds_mask(typed, self.masked.get(before), old.get(before)):
            raise forms.ValidationError(
                {f"value{number + 1}": gettext("This contains a hidden secret. Enter it again.")}
            )
        if json_type(old.get(before, "")) is JsonType.TEXT:
            return typed
        try:
            return json_text.parse(typed, settings.LAUNCH_JSON_BYTES)
        except json_text.BadPayload:
            return typed

    def clean_packages(self) -> Json:
        return an_object(self.cleaned_data["packages"])

    def operation(self, flow: Row, data: Cleaned) -> Operation:
        old = dict_at(self.find_step(flow, data), "settings.sourceCode")
        # Unchanged, the packages stay as they are written.
        same = _parsed(text_at(old, "packageJson")) == data["packages"]
        packages = old.get("packageJson", "{}") if same else json.dumps(data["packages"])
        source = old | {"code": data["code"].replace("\r\n", "\n"), "packageJson": packages}
        return self.update(flow, data, settings={"sourceCode": source, "input": self.inputs})


def _typed(value: object) -> str:
    """An input's value as a form has it: texts as they are, anything else as JSON."""
    return text_of(value) if json_type(value) is JsonType.TEXT else json_text.pretty(value)


def _parsed(text: str) -> object:
    try:
        return json.loads(text or "{}")
    except ValueError:
        return {}


#: The names of the fields of error handling, and their labels, by the engine's keys.
HANDLING = {
    "continueOnFailure": ("continue_on_failure", _("Continue the flow if the step fails")),
    "retryOnFailure": ("retry_on_failure", _("Retry the step if it fails")),
}


def add_handling(form: forms.Form, options: Mapping[str, object], settings: Json, *, new: bool) -> list[str]:
    """Add the fields that an action has to the form of its step. Return their keys.

    Args:
        options: the action's `errorHandlingOptions`, which hide a field or have its default.
        settings: of the step.
        new: whether the step gets the defaults.
    """
    shown = [key for key in HANDLING if pick(options, f"{key}.hide") is not True]
    for key in shown:
        name, label = HANDLING[key]
        now = pick(settings, f"errorHandlingOptions.{key}.value")
        default = new and pick(options, f"{key}.defaultValue") is True
        form.fields[name] = forms.BooleanField(
            label=label, required=False, initial=now if json_type(now) is JsonType.TRUTH else default
        )
    return shown


def changed_handling(settings: Json, keys: Iterable[str], data: Cleaned) -> Json:
    """The step's `errorHandlingOptions` with the values of these fields; unknown ones stay as they are."""
    found = dict_at(settings, "errorHandlingOptions") or NO_HANDLING
    return {**found, **{key: {**dict_at(found, key), "value": data.get(HANDLING[key][0]) is True} for key in keys}}


class FailureHandling(SettingsForm):
    kinds = ("CODE",)

    def prepare(self) -> None:
        super().prepare()
        self.handled = add_handling(self, {}, self.settings, new=False)

    def operation(self, flow: Row, data: Cleaned) -> Operation:
        settings = dict_at(self.find_step(flow, data), "settings")
        handling = changed_handling(settings, self.handled, data)
        return self.update(flow, data, settings={"errorHandlingOptions": handling})
