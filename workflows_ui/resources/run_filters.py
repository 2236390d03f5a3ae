"""Filters of the list of runs."""

import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from workflows_ui.kit import words


class Day(forms.DateInput):
    """The browser's own day picker. A day that does not exist is shown as none: browsers complain about it."""

    input_type = "date"

    def format_value(self, value: Any) -> str | None:
        """ISO 8601, as the picker wants it."""
        try:
            return datetime.date.fromisoformat(str(value)).isoformat()
        except ValueError:
            return None


class RunFilters(forms.Form):
    """Filters of the list. Flows are filled in from the engine; days are whole days in the person's zone."""

    flow = forms.CharField(label=gettext_lazy("Flow"), required=False, max_length=100, widget=forms.Select())
    status = forms.MultipleChoiceField(
        label=gettext_lazy("State"),
        required=False,
        choices=[(state, found.word) for state, found in words.RUN_STATES.items()],
        widget=forms.CheckboxSelectMultiple(),
    )
    since = forms.DateField(label=gettext_lazy("From"), required=False, widget=Day())
    until = forms.DateField(label=gettext_lazy("Until"), required=False, widget=Day())
    tag = forms.CharField(label=gettext_lazy("Tag"), required=False, max_length=100)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["flow"].widget.attrs["class"] = "form-select"
        self.fields["status"].widget.attrs["class"] = "form-check-input"
        for name in ("since", "until", "tag"):
            self.fields[name].widget.attrs["class"] = "form-control"

    def clean(self) -> dict[str, Any]:
        """The days the right way round."""
        found = super().clean() or {}
        since, until = found.get("since"), found.get("until")
        if since and until and until < since:
            self.add_error("until", _("This day is before the first one."))
        return found
