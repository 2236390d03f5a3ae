"""The filters of a list as one bar above it, and the base form of local lists, with a range of days."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Q
from django.forms.boundfield import BoundField
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy as _, ngettext, pgettext, pgettext_lazy

from workflows_ui.core import clock, days as plot_days, formats
from workflows_ui.core.collation import sort_key
from workflows_ui.core.states import Badge
from workflows_ui.core.text import Text
from workflows_ui.lists.declaration import Cleaned


def style(form: forms.Form) -> None:
    classes = (
        (forms.Select, "form-select"),
        (forms.TextInput, "form-control"),
        (forms.CheckboxSelectMultiple, "form-check-input"),
    )
    for name_of_field, field in form.fields.items():
        for widget, name in classes:
            if isinstance(field.widget, widget):
                field.widget.attrs["class"] = name
        if name_of_field in _SEARCH and isinstance(field.widget, forms.TextInput):
            field.widget.input_type = "search"
            field.widget.attrs = {"placeholder": field.label, **field.widget.attrs, "autocomplete": "off"}


#: Number of filters that stand in the bar; the others are in a menu at its end.
_IN_BAR = 3
#: Days that are plotted are not earlier, so that those before them exist.
_EARLIEST = date(1970, 1, 1)
#: Names of the field that searches.
_SEARCH = ("search", "name")


@dataclass(frozen=True)
class Control:
    """One control of the filter bar: a field, or the two days of a range, the first of which is its `field`.

    `menu` is whether it opens: boxes to tick and ranges do, selects and texts stand in the bar.
    """

    label: Text
    field: BoundField
    fields: Sequence[BoundField]
    menu: bool


@dataclass(frozen=True)
class FilterBar:
    """The fields of a filter form in their places.

    Attributes:
        rows: fields that belong together, row by row; the form names them as `field_rows`.
        hidden: fields without a control.
        search: the text field that comes first.
        main, more: the controls in the bar and those in the menu at its end. A form names the fields of the bar, in this order, as
            `main_filters`; otherwise they are its first ones that are no texts.
        active: whether a filter other than the search has a value.
    """

    rows: Sequence[Sequence[BoundField]]
    hidden: Sequence[BoundField]
    search: BoundField | None
    main: Sequence[Control]
    more: Sequence[Control]
    active: bool


def filter_bar(form: forms.Form) -> FilterBar:
    """The bar of a form. Its fields `since` and `until`, if it has them, are a range of days."""
    rows = [[form[name] for name in names] for names in getattr(form, "field_rows", ())]
    in_rows = {field.name for row in rows for field in row}
    fields = [field for field in form.visible_fields() if field.name not in in_rows]
    search = next((field for field in fields if field.name in _SEARCH), None)
    controls = list(_controls(field for field in fields if field is not search))
    names = getattr(form, "main_filters", None)
    if names is None:
        names = [control.field.name for control in controls if not _is_text(control.field)][:_IN_BAR]
    main = sorted(
        (control for control in controls if control.field.name in names),
        key=lambda control: list(names).index(control.field.name),
    )
    more = [control for control in controls if control.field.name not in names]
    filled = any(field.data for control in controls for field in control.fields)
    active = filled or any(row[0].data or row[-1].data for row in rows)
    return FilterBar(rows, form.hidden_fields(), search, main, more, active)


def _controls(fields: Iterator[BoundField]) -> Iterator[Control]:
    for field in fields:
        if field.name == "until" and "since" in field.form.fields:
            continue
        if field.name == "since":
            yield Control(_("When"), field, [field, field.form["until"]], menu=True)
        else:
            menu = isinstance(field.field.widget, forms.CheckboxSelectMultiple)
            yield Control(field.label, field, [field], menu)


def _is_text(field: BoundField) -> bool:
    widget = field.field.widget
    return isinstance(widget, forms.TextInput) and not isinstance(widget, forms.DateInput | forms.NumberInput)


def choice_field(label: Text, choices: Mapping[str, Text], *, empty: Text = "") -> forms.ChoiceField:
    """A filter by one of these values; `empty` is the label of no filter, by default "Any"."""
    return forms.ChoiceField(label=label, required=False, choices=[("", empty or _("Any")), *choices.items()])


def state_field(states: Mapping[str, Badge]) -> forms.ChoiceField:
    """A filter by one of the engine's states."""
    return choice_field(_("State"), {name: state.word for name, state in states.items()})


def period_field() -> forms.ChoiceField:
    """A filter by the last days, today included, whose meaning moves on with them: its values are numbers of days."""
    return choice_field(_("Period"), {"1": _("Today"), "7": _("Last 7 days"), "30": _("Last 30 days")})


def first_day(filled: Cleaned) -> date | None:
    """The first day that the fields `period` and `since` leave, in the current time zone; None without a limit."""
    days = [filled["since"]] if filled.get("since") else []
    if filled.get("period"):
        days.append(timezone.localdate() - timedelta(days=int(filled["period"]) - 1))
    return max(days, default=None)


def plotted_days(filled: Cleaned, days: int = plot_days.DAYS) -> Sequence[date]:
    """The days of a plot of the rows: those that `first_day` and `until` leave, by default the last ones; at most plot_days.MOST_DAYS."""
    today = timezone.localdate()
    last = min(max(filled.get("until") or today, _EARLIEST), today)
    first = first_day(filled) or last - timedelta(days=days - 1)
    return plot_days.days_until(last, min(max(1, (last - first).days + 1), plot_days.MOST_DAYS))


def plotted_period(filled: Cleaned) -> str:
    """The days of `plotted_days` in words: how many up to today, or the first and the last one."""
    days = plotted_days(filled)
    if days[-1] == timezone.localdate():
        if len(days) == 1:
            return pgettext("period", "today")
        return ngettext("last %(n)d day", "last %(n)d days", len(days)) % {"n": len(days)}
    return gettext("%(first)s to %(last)s") % {"first": formats.date(days[0]), "last": formats.date(days[-1])}


def _day(label: Text) -> forms.DateField:
    implausible = _("Enter a year between 1970 and 9000.")
    # The last representable day has no next one.
    limits = [MinValueValidator(date(1970, 1, 1), implausible), MaxValueValidator(date(9000, 12, 31), implausible)]
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(label=label, required=False, widget=widget, validators=limits)


class DaysForm(forms.Form):
    """A period and a range of days, both included, in the current time zone."""

    period = period_field()
    since = _day(pgettext_lazy("date", "From"))
    until = _day(pgettext_lazy("date", "To"))

    def __init__(self, data: Mapping[str, object] | None = None) -> None:
        super().__init__(data)
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

    def filled(self) -> Cleaned:
        return {name: value for name, value in self.cleaned_data.items() if value not in (None, "")}

    def within(self, moment: str) -> Q:
        """The condition that the field `moment` lies within the days of a valid form."""
        data, condition = self.filled(), Q()
        if first := first_day(data):
            condition &= Q(**{f"{moment}__gte": clock.midnight(first)})
        if "until" in data:
            condition &= Q(**{f"{moment}__lt": clock.midnight(data["until"] + timedelta(days=1))})
        return condition
