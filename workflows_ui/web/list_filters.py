"""Base form for filters of local lists, with a range of days."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from workflows_ui.core.collation import sort_key
from workflows_ui.core.states import Badge
from workflows_ui.web.messages import Text


def style(form: forms.Form) -> None:
    classes = (
        (forms.Select, "form-select"),
        (forms.TextInput, "form-control"),
        (forms.CheckboxSelectMultiple, "form-check-input"),
    )
    for field in form.fields.values():
        for widget, name in classes:
            if isinstance(field.widget, widget):
                field.widget.attrs["class"] = name


def state_field(states: Mapping[str, Badge]) -> forms.ChoiceField:
    """A filter by one of the engine's states."""
    choices = [("", _("Any")), *((name, state.word) for name, state in states.items())]
    return forms.ChoiceField(label=_("State"), required=False, choices=choices)


def _day(label: Any) -> forms.DateField:
    implausible = _("Enter a year between 1970 and 9000.")
    # The last representable day has no next one.
    limits = [MinValueValidator(date(1970, 1, 1), implausible), MaxValueValidator(date(9000, 12, 31), implausible)]
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(label=label, required=False, widget=widget, validators=limits)


class DaysForm(forms.Form):
    """A range of days, both included, in the current time zone."""

    since = _day(pgettext_lazy("date", "From"))
    until = _day(pgettext_lazy("date", "To"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        style(self)

    def choices(self, name: str, options: Mapping[str, Text], *, first: Mapping[str, Text] | None = None) -> None:
        """Set the choices of a select field, sorted by label; an unknown value from the query string stays selected."""
        leading, selected = dict(first or {}), str(self.data.get(name, ""))[:60]
        remaining = dict(options)
        if selected and selected not in {**leading, **remaining}:
            remaining[selected] = selected
        widget = self.fields[name].widget
        if isinstance(widget, forms.Select):
            ordered = sorted(remaining.items(), key=lambda option: sort_key(str(option[1])))
            widget.choices = [("", _("Any")), *leading.items(), *ordered]

    def filled(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if value not in (None, "")}

    def within(self, moment: str) -> Q:
        """Return the condition that the field `moment` lies within the days of a valid form."""
        data, condition = self.filled(), Q()
        if "since" in data:
            condition &= Q(**{f"{moment}__gte": _midnight(data["since"])})
        if "until" in data:
            condition &= Q(**{f"{moment}__lt": _midnight(data["until"] + timedelta(days=1))})
        return condition


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
