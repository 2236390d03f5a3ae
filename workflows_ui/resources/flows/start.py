"""What starts a flow: a webhook, a form, a schedule with its times, or an event in an app."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from workflows_ui.launches import flow_facts
from workflows_ui.resource_admin.resource import Row, pick
from workflows_ui.resources.flows.reading import trigger_of
from workflows_ui.resources.pieces import apps
from workflows_ui.resources.triggers import cron_messages as cron_words
from workflows_ui.web.paths import dict_at

_LONGEST = 100
_STARTS = {
    "nothing": gettext_lazy("No trigger chosen yet"),
    "call": gettext_lazy("Webhook"),
    "form": gettext_lazy("Form"),
}


def start_label(flow: Row) -> str:
    """What starts the flow. A schedule installed in the engine (`triggerSource`, recording `flow_get_schedule`)
    overrides the draft's own fields: it is what runs.
    """
    trigger = trigger_of(flow)
    start = flow_facts.start_of(trigger)
    if start == "schedule":
        return _schedule(flow) or _("Scheduled")
    if start != "event":
        return str(_STARTS[start])
    title = _text(pick(trigger, "displayName")) or _text(pick(trigger, "settings.triggerName"))
    app = apps.short(pick(trigger, "settings.pieceName"))[:_LONGEST]
    return f"{app}: {title}" if title else app


def _schedule(flow: Row) -> str:
    """When the schedule starts it; "" if unknown."""
    installed = pick(flow, "triggerSource.schedule")
    label = cron_words.describe_schedule(pick(installed, "cronExpression"), pick(installed, "timezone"))
    return label or cron_words.describe_schedule(*_cron_and_zone(dict_at(trigger_of(flow), "settings")))


def _cron_and_zone(settings: Mapping[str, Any]) -> tuple[str, str]:
    """The cron expression and the time zone of a schedule trigger's fields; "" if not certain."""
    values = dict_at(settings, "input")
    hour, every_day = _whole(values.get("hour_of_the_day")), values.get("run_on_weekends") is True
    crons = {
        "every_x_minutes": f"*/{_whole(values.get('minutes'))} * * * *",
        "every_hour": f"0 * * * {'*' if every_day else '1-5'}",
        "every_day": f"0 {hour} * * {'*' if every_day else '1-5'}",
        "every_week": f"0 {hour} * * {_whole(values.get('day_of_the_week'))}",
        "every_month": f"0 {hour} {_whole(values.get('day_of_the_month'))} * *",
        "cron_expression": _text(values.get("cronExpression")),
    }
    cron = crons.get(str(settings.get("triggerName")), "")
    return ("" if "?" in cron else cron), _text(values.get("timezone"))


def _whole(value: Any) -> str:
    """A number as cron has it; "?" if there is none."""
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdecimal():
        return value.strip()[:3]
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else "?"


def _text(value: Any) -> str:
    return value.strip()[:_LONGEST] if isinstance(value, str) else ""
