"""Filters of the console's own lists: what they have in common, from one day to another."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from workflows_ui.kit.words import Text


def _day(label: Any) -> forms.DateField:
    return forms.DateField(
        label=label, required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )


class DaysForm(forms.Form):
    """From one day to another, both included. Days are those of the person's zone."""

    since = _day(pgettext_lazy("date", "From"))
    until = _day(pgettext_lazy("date", "To"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs["class"] = "form-select" if isinstance(field.widget, forms.Select) else "form-control"

    def choices(self, name: str, options: Mapping[str, Text], *, first: Mapping[str, Text] | None = None) -> None:
        """Gives a select field its choices, by their words; what the address names beside them stays chosen."""
        ahead, wanted = dict(first or {}), str(self.data.get(name, ""))[:60]
        rest = dict(options)
        if wanted and wanted not in {**ahead, **rest}:
            rest[wanted] = wanted
        widget = self.fields[name].widget
        if isinstance(widget, forms.Select):
            ordered = sorted(rest.items(), key=lambda option: str(option[1]).casefold())
            widget.choices = [("", _("Any")), *ahead.items(), *ordered]

    def filled(self) -> dict[str, Any]:
        """The fields that are valid and filled."""
        return {name: value for name, value in self.cleaned_data.items() if value not in (None, "")}

    def within(self, moment: str) -> Q:
        """That the field `moment` of a row lies within the days of a valid form."""
        data, found = self.filled(), Q()
        if "since" in data:
            found &= Q(**{f"{moment}__gte": _midnight(data["since"])})
        if "until" in data:
            found &= Q(**{f"{moment}__lt": _midnight(data["until"] + timedelta(days=1))})
        return found

    def clean_since(self) -> date | None:
        """Days before 1970 and after 9000 are slips of the finger."""
        return self._possible("since")

    def clean_until(self) -> date | None:
        """The last day there is has no day after it."""
        return self._possible("until")

    def _possible(self, name: str) -> date | None:
        day: date | None = self.cleaned_data[name]
        if day is not None and not 1970 <= day.year <= 9000:
            raise ValidationError(_("Enter a year between 1970 and 9000."))
        return day


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
