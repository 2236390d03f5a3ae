"""Filters of the list of runs."""

import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from workflows_ui.resources.runs import flows
from workflows_ui.web import messages

_LONGEST, _MOST = 100, 50


class Day(forms.DateInput):
    """The browser's own date picker. An invalid date is shown as empty: browsers complain about it."""

    input_type = "date"

    def format_value(self, value: Any) -> str | None:
        """ISO 8601, as the picker requires."""
        try:
            return datetime.date.fromisoformat(str(value)).isoformat()
        except ValueError:
            return None


class Several(forms.MultipleChoiceField):
    """Any number of values that only the engine knows; the choices are filled in later."""

    widget = forms.CheckboxSelectMultiple

    def valid_value(self, value: Any) -> bool:
        """Any value of limited length is accepted."""
        return 0 < len(str(value)) <= _LONGEST

    def validate(self, value: Any) -> None:
        """Limited to the number that fits into a URL."""
        super().validate(value)
        if len(value) > _MOST:
            raise forms.ValidationError(_("Choose at most %(most)d.") % {"most": _MOST})


class RunFilters(forms.Form):
    """Filters of the list. Flows are filled in from the engine; days are whole days in the person's time zone."""

    flow = Several(label=gettext_lazy("Flow"), required=False)
    status = forms.MultipleChoiceField(
        label=gettext_lazy("State"),
        required=False,
        choices=[(state, found.word) for state, found in messages.RUN_STATES.items()],
        widget=forms.CheckboxSelectMultiple(),
    )
    since = forms.DateField(label=gettext_lazy("From"), required=False, widget=Day())
    until = forms.DateField(label=gettext_lazy("Until"), required=False, widget=Day())
    failed = forms.CharField(
        label=gettext_lazy("Failed step"),
        required=False,
        max_length=2 * _LONGEST,
        widget=forms.Select(),
    )
    tag = forms.CharField(
        label=gettext_lazy("Tag"), required=False, max_length=_LONGEST, help_text=gettext_lazy("The whole tag.")
    )
    archived = forms.ChoiceField(
        label=gettext_lazy("Archived runs"),
        required=False,
        choices=[("", gettext_lazy("Left out")), ("only", gettext_lazy("Only these"))],
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            if name in ("flow", "status"):
                field.widget.attrs["class"] = "form-check-input"
            else:
                field.widget.attrs["class"] = "form-select" if name in ("archived", "failed") else "form-control"

    def clean(self) -> dict[str, Any]:
        """Check that the days are in order, and that a failed step belongs to one of the chosen flows."""
        cleaned = super().clean() or {}
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and until < since:
            self.add_error("until", _("This day is before the first one."))
        _step, flow = flows.step_and_flow(cleaned.get("failed") or "")
        if flow and cleaned.get("flow") and flow not in cleaned["flow"]:
            self.add_error("failed", _("This step belongs to another flow than those that are chosen."))
        return cleaned
