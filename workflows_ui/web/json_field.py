"""A field for JSON whose mistakes are shown by line and column, as on the page that launches."""

from typing import Any

from django import forms
from django.conf import settings
from django.forms.fields import InvalidJSONInput

from workflows_ui.core import json_errors, json_text


class JsonField(forms.JSONField):
    """The text that was typed comes back exactly as it is, so that lines and columns stay true."""

    widget = forms.Textarea
    #: Django would take {} and [] as empty, too.
    empty_values = [None, ""]

    def __init__(self, *, rows: int = 4, **kwargs: Any) -> None:
        attributes = {"rows": rows, "class": "font-monospace", "spellcheck": "false", "data-code": "json"}
        kwargs.setdefault("widget", forms.Textarea(attributes))
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> Any:
        if value in self.empty_values:
            return None
        try:
            return json_text.parse(value, settings.LAUNCH_JSON_BYTES)
        except json_text.BadPayload as problem:
            raise forms.ValidationError(json_errors.describe(problem, value)) from problem

    def bound_data(self, data: object, initial: object) -> object:
        return initial if self.disabled else InvalidJSONInput(data or "")

    def prepare_value(self, value: object) -> str:
        return value if isinstance(value, str) else json_text.pretty(value)
