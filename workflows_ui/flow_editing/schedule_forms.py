"""A schedule in words as the trigger of a flow: every weekday at 9, with the next five times (recordings `op_update_trigger_schedule_*`).

The trigger is always the one for a cron expression; another one that means the same stays as it is.
"""

import re
from datetime import datetime, time
from typing import cast
from zoneinfo import available_timezones

from django import forms
from django.conf import settings as django_settings
from django.utils import timezone, translation
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext, gettext_lazy as _

from workflows_ui.core.form_arguments import Cleaned
from workflows_ui.core.paths import dict_at, dicts_at, text_at
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import NotFound
from workflows_ui.flow_editing.forms import EditForm
from workflows_ui.flow_editing.operations import Json, Operation, update_step
from workflows_ui.flows import reading
from workflows_ui.flows.cron_messages import describe_schedule
from workflows_ui.pieces import apps
from workflows_ui.resource_admin.places import choose_app_url
from workflows_ui.resource_admin.resource import Row, id_at

PIECE, TRIGGER = "@activepieces/piece-schedule", "cron_expression"
_MINUTES = (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30)
_CRON = re.compile(r"[0-9A-Za-z*,/#?-]+( [0-9A-Za-z*,/#?-]+){4}")
_WHOLE = re.compile(r"\d{1,2}")
#: Cron counts from Sunday, Django from Monday.
_DAYS = [(str(day), WEEKDAYS[(day - 1) % 7]) for day in (1, 2, 3, 4, 5, 6, 0)]


class ScheduleFields(forms.Form):
    """The words; valid data has the `cron` expression that they mean."""

    repeat = forms.ChoiceField(
        label=_("Start the flow"),
        choices=[
            ("weekdays", _("Every day from Monday to Friday")),
            ("daily", _("Every day")),
            ("weekly", _("On some days of the week")),
            ("monthly", _("Once a month")),
            ("hourly", _("Every hour")),
            ("minutes", _("Every few minutes")),
            ("cron", _("By a cron expression")),
        ],
    )
    at = forms.TimeField(
        label=_("Time"), required=False, widget=forms.TimeInput({"type": "time"}, format="%H:%M"), initial=time(9)
    )
    days = forms.MultipleChoiceField(
        label=_("Days of the week"), required=False, choices=_DAYS, widget=forms.CheckboxSelectMultiple
    )
    day = forms.IntegerField(
        label=_("Day of the month"),
        required=False,
        min_value=1,
        max_value=31,
        initial=1,
        help_text=_("Months without this day are left out."),
    )
    minute = forms.IntegerField(label=_("Minute of the hour"), required=False, min_value=0, max_value=59, initial=0)
    every = forms.TypedChoiceField(
        label=_("Minutes between the starts"),
        required=False,
        coerce=int,
        choices=[(number, number) for number in _MINUTES],
        initial=15,
    )
    expression = forms.CharField(
        label=_("Cron expression"),
        required=False,
        max_length=100,
        help_text=_("Minute, hour, day of the month, month, day of the week, such as 0 9 * * 1-5."),
        widget=forms.TextInput({"class": "font-monospace", "autocomplete": "off", "spellcheck": "false"}),
    )
    zone = forms.ChoiceField(label=_("Time zone"))

    def set_zones(self, zones: list[tuple[str, str]]) -> None:
        cast("forms.ChoiceField", self.fields["zone"]).choices = zones

    def clean(self) -> Cleaned:
        self.cleaned_data["cron"] = "" if self.errors else self._cron(self.cleaned_data)
        return super().clean() or self.cleaned_data

    def _cron(self, data: Cleaned) -> str:
        repeat, at = data["repeat"], data.get("at")
        if repeat == "cron":
            cron = " ".join(str(data.get("expression") or "").split())
            if not _CRON.fullmatch(cron):
                self.add_error("expression", gettext("A cron expression has five parts with a blank between them."))
            return cron
        if repeat == "minutes":
            every = data.get("every") or 15
            return "* * * * *" if every == 1 else f"*/{every} * * * *"
        if repeat == "hourly":
            return f"{data.get('minute') or 0} * * * *"
        if at is None:
            self.add_error("at", gettext("Choose a time."))
            return ""
        days = data.get("days") or []
        if repeat == "weekly" and not days:
            self.add_error("days", gettext("Choose at least one day."))
        if repeat == "monthly" and not data.get("day"):
            self.add_error("day", gettext("Choose a day."))
        week = {"weekdays": "1-5", "weekly": ",".join(sorted(days))}.get(repeat, "*")
        return f"{at.minute} {at.hour} {data.get('day') if repeat == 'monthly' else '*'} * {week}"


class ChangeSchedule(ScheduleFields, EditForm):
    """The schedule of a flow; every other trigger is replaced by one."""

    body = "flow_editing/schedule_form.html"
    name = forms.CharField(
        label=_("Name of the trigger"), required=False, max_length=200, help_text=_("Empty: the schedule in words.")
    )

    def prepare(self) -> None:
        super().prepare()
        settings = dict_at(self.trigger, "settings")
        self.is_schedule = settings.get("pieceName") == PIECE
        cron, zone = reading.cron_and_zone(settings) if self.is_schedule else ("", "")
        self.set_zones(zones := time_zones(self.session, zone))
        own_zone = timezone.get_current_timezone_name()
        self.initial.update(zone=zone or (own_zone if own_zone in dict(zones) else "UTC"), **_words_of(cron))
        if self.is_schedule:
            named = text_at(self.trigger, "displayName")[:200]
            self.initial["name"] = "" if named in self._own_names(cron, zone) else named
        name = text_at(self.trigger, "name")
        self.choose_url = choose_app_url(self.session.workspace.slug, id_at(self.row), step=name)
        # Not a step's input, which may hold secrets.
        self.discreet = self.discreet | {"cron"}

    @property
    def preview(self) -> tuple[str, list[datetime]]:
        """The schedule in words, and its next times; nothing while it is not valid."""
        values = {name: self[name].value() for name in self.fields}
        fields = ScheduleFields(values)
        fields.set_zones([(str(values.get("zone")), "")])
        if not fields.is_valid():
            return "", []
        cron, zone = fields.cleaned_data["cron"], fields.cleaned_data["zone"]
        return describe_schedule(cron, zone), reading.times_of(cron, zone)

    @property
    def schedule_fields(self) -> list[tuple[str, object]]:
        """The fields, each with the kinds of repetition that it belongs to."""
        timed = "daily weekdays weekly monthly"
        kinds = {"days": "weekly", "day": "monthly", "at": timed, "minute": "hourly", "every": "minutes"}
        return [(kind, self[name]) for name, kind in (kinds | {"expression": "cron"}).items()]

    def operation(self, flow: Row, data: Cleaned) -> Operation:
        trigger = dict_at(flow, "version.trigger")
        settings = dict_at(trigger, "settings")
        own = settings.get("pieceName") == PIECE
        cron, zone = data["cron"], data["zone"]
        if not own or reading.cron_and_zone(settings) != (cron, zone):
            settings = (settings if own else {}) | {
                "pieceName": PIECE,
                "pieceVersion": text_at(settings, "pieceVersion").lstrip("~^") if own else self._version(),
                "triggerName": TRIGGER,
                "input": {"cronExpression": cron, "timezone": zone},
                "propertySettings": {name: {"type": "MANUAL"} for name in ("cronExpression", "timezone")},
            }
        return update_step(
            trigger,
            is_trigger=True,
            type="PIECE_TRIGGER",
            valid=True,
            displayName=data["name"] or describe_schedule(cron, zone)[:200],
            settings=settings,
        )

    def _own_names(self, cron: str, zone: str) -> set[str]:
        """The names of the trigger that nobody typed: the schedule in words, in any language, and the app's name of its trigger."""
        piece = apps.piece_or_empty(self.session, PIECE)
        names = {text_at(piece, f"triggers.{text_at(self.trigger, 'settings.triggerName')}.displayName")}
        for language, _name in django_settings.LANGUAGES:
            with translation.override(language):
                names.add(describe_schedule(cron, zone)[:200])
        return names

    def _version(self) -> str:
        """The version of the installed piece. Raises ValidationError without it."""
        try:
            return text_at(apps.piece(self.session, PIECE), "version")
        except NotFound as problem:
            raise forms.ValidationError(gettext("The engine does not have the app for schedules.")) from problem


def time_zones(session: EngineSession, current: str) -> list[tuple[str, str]]:
    """The time zones that the trigger offers, with the current one; all that are known if it offers none."""
    props: Json = dict_at(apps.piece_or_empty(session, PIECE), f"triggers.{TRIGGER}.props")
    offered = [
        (text_at(option, "value"), text_at(option, "label")[:100] or text_at(option, "value"))
        for option in dicts_at(props, "timezone.options.options")
    ]
    zones = [pair for pair in offered if pair[0]] or [(name, name) for name in sorted(available_timezones())]
    return zones if not current or current in dict(zones) else [(current, current[:100]), *zones]


def _words_of(cron: str) -> dict[str, object]:
    """The initial values of the fields that mean a cron expression."""
    if not cron:
        return {"repeat": "weekdays"}
    other: dict[str, object] = {"repeat": "cron", "expression": cron}
    parts = cron.split()
    if len(parts) != 5:
        return other
    minute, hour, day, month, week = parts
    if [hour, day, month, week] == ["*"] * 4:
        if minute == "*":
            return {"repeat": "minutes", "every": 1}
        every = minute.removeprefix("*/")
        if minute.startswith("*/") and every.isdecimal() and int(every) in _MINUTES:
            return {"repeat": "minutes", "every": int(every)}
        return {"repeat": "hourly", "minute": int(minute)} if _is_within(minute, 59) else other
    if month != "*" or not _is_within(minute, 59) or not _is_within(hour, 23):
        return other
    found: dict[str, object] = {"at": time(int(hour), int(minute))}
    days = week.split(",")
    if day == "*" and week in ("*", "1-5"):
        return found | {"repeat": "daily" if week == "*" else "weekdays"}
    if day == "*" and all(_is_within(number, 6) for number in days):
        return found | {"repeat": "weekly", "days": days}
    if week == "*" and _is_within(day, 31) and int(day):
        return found | {"repeat": "monthly", "day": int(day)}
    return other


def _is_within(text: str, most: int) -> bool:
    return _WHOLE.fullmatch(text) is not None and text.isascii() and int(text) <= most
