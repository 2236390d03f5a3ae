"""Filters of the list of flows."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from workflows_ui.resources.flows.pages import Asked
from workflows_ui.web import messages


class FlowFilters(forms.Form):
    """The engine applies all of them. Folders and connections are filled in from the engine."""

    name = forms.CharField(label=_("Name contains"), required=False, max_length=200)
    status = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[("", _("Any")), *((state, found.word) for state, found in messages.FLOW_STATES.items())],
    )
    folder = forms.CharField(label=_("Folder"), required=False, max_length=100, widget=forms.Select())
    connection = forms.CharField(label=_("Connection"), required=False, max_length=200, widget=forms.Select())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.widget.attrs["class"] = "form-control" if name == "name" else "form-select"


def read_filters(filters: Mapping[str, Any]) -> Asked:
    """The active filters, as the engine has them."""
    return Asked(filters.get("name"), filters.get("status"), filters.get("folder"), filters.get("connection"))
