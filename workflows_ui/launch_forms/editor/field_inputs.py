"""Factories for the optional inputs of the page of a field."""

from collections.abc import Mapping
from typing import Any

from django import forms

from workflows_ui.launch_forms.schema.document import LONG, SHORT

#: Attributes of inputs for names, paths and patterns.
CODE = {"spellcheck": "false", "autocapitalize": "none"}


def line(label: Any, help_text: Any = "", *, most: int = SHORT, **attrs: Any) -> forms.CharField:
    return forms.CharField(
        label=label, help_text=help_text, required=False, max_length=most, widget=forms.TextInput(attrs)
    )


def lines(label: Any, help_text: Any = "", rows: int = 2, *, strip: bool = True) -> forms.CharField:
    widget = forms.Textarea({"rows": rows})
    return forms.CharField(
        label=label, help_text=help_text, required=False, max_length=LONG, strip=strip, widget=widget
    )


def count(label: Any, least: int = 0, most: int = 1_000_000) -> forms.IntegerField:
    widget = forms.NumberInput({"inputmode": "numeric"})
    return forms.IntegerField(label=label, required=False, min_value=least, max_value=most, widget=widget)


def tick(label: Any, help_text: Any = "") -> forms.BooleanField:
    return forms.BooleanField(label=label, help_text=help_text, required=False)


def choice(label: Any, labels: Mapping[Any, Any], empty: Any, *only: Any) -> forms.TypedChoiceField:
    choices = [(member.value, text) for member, text in labels.items() if not only or member in only]
    return forms.TypedChoiceField(
        label=label, required=False, choices=choices, coerce=empty.__class__, empty_value=empty
    )
