"""Filters of the list of runs, and the flows for them: names, triggers, and the steps at which their runs may have failed."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from django import forms
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy as _

from workflows_ui.core import formats
from workflows_ui.core.collation import has_words, plain, sort_key
from workflows_ui.core.paths import dicts_at, id_at, number_at
from workflows_ui.credentials.services.engine_session import EngineSession, cached
from workflows_ui.engine import flow_tree
from workflows_ui.flows import outline
from workflows_ui.flows.reading import name_of, trigger_of
from workflows_ui.launches import flow_facts
from workflows_ui.lists.filters import choice_field, period_field
from workflows_ui.web import messages, plots
from workflows_ui.web.form_rendering import LongSelect

_LONGEST, _MOST = 100, 50
_FLOWS, _STEPS, _LONGEST_NAME = 100, 500, 80
#: A larger number of minutes that a run saves is a mistake.
_MOST_MINUTES = 100_000
#: The name of the cached flows.
_FLOWS_NAME = "flows-of-runs"


class Day(forms.DateInput):
    """The browser's own date picker. An invalid date is shown as empty: browsers complain about it."""

    input_type = "date"

    def format_value(self, value: object) -> str | None:
        """ISO 8601, as the picker requires."""
        try:
            return datetime.date.fromisoformat(str(value)).isoformat()
        except ValueError:
            return None


class Several(forms.MultipleChoiceField):
    """Any number of values that only the engine knows; the choices are filled in later."""

    widget = forms.CheckboxSelectMultiple

    def valid_value(self, value: object) -> bool:
        """Any value of limited length is accepted."""
        return 0 < len(str(value)) <= _LONGEST

    def validate(self, value: Sequence[str]) -> None:
        """Limited to the number that fits into a URL."""
        super().validate(value)
        if len(value) > _MOST:
            raise forms.ValidationError(gettext("Choose at most %(most)d.") % {"most": _MOST})


class RunFilters(forms.Form):
    """Filters of the list. Flows are filled in from the engine; days are whole days in the person's time zone."""

    main_filters = ("status", "flow", "person", "period")
    search = forms.CharField(
        label=_("Search"),
        required=False,
        max_length=200,
        # What a run index finds besides is said by Runs.search_hint.
        widget=forms.TextInput({"type": "search", "placeholder": _("Flow's name, or an ID")}),
    )
    flow = Several(label=_("Flow"), required=False)
    status = forms.MultipleChoiceField(
        label=_("State"),
        required=False,
        choices=[(state, found.word) for state, found in messages.RUN_STATES.items()],
        widget=forms.CheckboxSelectMultiple(),
    )
    period = period_field()
    since = forms.DateField(label=_("From"), required=False, widget=Day())
    until = forms.DateField(label=_("Until"), required=False, widget=Day())
    failed = forms.CharField(label=_("Failed step"), required=False, max_length=2 * _LONGEST, widget=LongSelect())
    person = forms.CharField(label=_("Launched by"), required=False, max_length=10, widget=LongSelect())
    tag = forms.CharField(label=_("Tag"), required=False, max_length=_LONGEST, help_text=_("The whole tag."))
    # Without a control: plots lead to it, where the runs of an hour are counted.
    hour = forms.ChoiceField(label=_("Hour"), required=False, choices=lambda: _hours(), widget=forms.HiddenInput())
    archived = choice_field(_("Archived runs"), {"only": _("Only these")}, empty=_("Left out"))

    def clean(self) -> dict[str, object]:
        """Check that the days are in order, and that a failed step belongs to one of the chosen flows."""
        cleaned = super().clean() or {}
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and until < since:
            self.add_error("until", gettext("This day is before the first one."))
        _step, flow = step_and_flow(cleaned.get("failed") or "")
        if flow and cleaned.get("flow") and flow not in cleaned["flow"]:
            self.add_error("failed", gettext("This step belongs to another flow than those that are chosen."))
        return cleaned


def hour_value(weekday: int, hour: int) -> str:
    """The filter's value for an hour of a weekday, Monday being 0."""
    return f"{weekday}-{hour:02}"


def _hours() -> list[tuple[str, str]]:
    return [(hour_value(day, hour), plots.hour_of_week(day, hour)) for day in range(7) for hour in range(24)]


def in_hour(value: str, days: Sequence[datetime.date]) -> Q:
    """The condition that a run was created in the hour of a weekday (`hour_value`), on one of these days."""
    weekday, hour = (int(part) for part in value.split("-"))
    found = Q(pk__in=())
    for day in days:
        if day.weekday() == weekday:
            begin = moment(day, datetime.time(hour))
            found |= Q(created__gte=begin, created__lt=begin + datetime.timedelta(hours=1)) if begin else Q()
    return found


@dataclass(frozen=True)
class Named:
    """A flow: its name or id, how it starts (flow_facts), its steps as (own name, title), the trigger first, and the minutes that a run
    saves; None without a figure.
    """

    id: str
    name: str
    start: str
    steps: Sequence[tuple[str, str]]
    minutes: float | None = None


def _read_flows(session: EngineSession) -> Sequence[Named]:
    return [_flow(row) for row in dicts_at(session.workflows.list_flows(limit=_FLOWS), "data") if id_at(row)]


#: The hundred flows that were changed last, at most a minute old; none if the engine does not give them. For a page that can do without
#: them, a quick session makes no call (EngineSession.decorate).
load_flows = cached(_FLOWS_NAME, 60, ())(_read_flows)
load_optional_flows = cached(_FLOWS_NAME, 60, (), optional=True)(_read_flows)


def _flow(row: dict[str, object]) -> Named:
    trigger = trigger_of(row)
    steps = flow_tree.steps_by_name(trigger).items()
    titles = [(name, outline.title_of(step)[:_LONGEST_NAME]) for name, step in steps if len(name) <= _LONGEST_NAME]
    name = name_of(row) if formats.visible(name_of(row)) else id_at(row)
    minutes = number_at(row, "timeSavedPerRun")
    saves = minutes if minutes is not None and 0 < minutes < _MOST_MINUTES else None
    return Named(id_at(row), name[:_LONGEST_NAME], flow_facts.start_of(trigger), titles[: _STEPS // 5], saves)


def known_flows(session: EngineSession) -> Sequence[Named]:
    """The same from the cache, without a call: while the engine does not answer."""
    return session.known(_FLOWS_NAME, ())


def filter_choices(flows: Sequence[Named]) -> dict[str, Sequence[tuple[str, str]]]:
    """The flows, and as many of their steps as a select field can hold, by the flows' names."""
    steps = [(flow, name, title) for flow in flows for name, title in flow.steps][:_STEPS]
    steps.sort(key=lambda item: sort_key(item[0].name))
    return {
        "flow": sorted(((flow.id, flow.name) for flow in flows), key=lambda pair: sort_key(pair[1])),
        "failed": [(step_of_flow(name, flow.id), f"{flow.name} › {title}") for flow, name, title in steps],
    }


def step_of_flow(step: str, flow: str) -> str:
    """The filter's value for a step of one flow."""
    return f"{step}@{flow}"


def step_and_flow(value: str) -> tuple[str, str]:
    """The step's own name and the flow's id, "" if the value names a step of any flow."""
    step, mark, flow = value.rpartition("@")
    return (step, flow) if mark else (value, "")


def named(flows: Sequence[Named], text: str) -> list[str]:
    """Ids of the flows whose names have every word of the text."""
    words = plain(text).split()
    return [flow.id for flow in flows if words and has_words(words, flow.name)]


def moment(day: datetime.date | None, time: datetime.time) -> datetime.datetime | None:
    """The time of a day, which is limited to the range that every time zone can hold and a run may have."""
    if day is None:
        return None
    day = min(max(day, datetime.date(1970, 1, 1)), datetime.date(9000, 1, 1))
    return timezone.make_aware(datetime.datetime.combine(day, time))
