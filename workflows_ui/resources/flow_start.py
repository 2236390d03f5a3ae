"""What starts a flow, in words: a webhook, a form, the clock with its times, or something that happens in an app."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from workflows_ui.kit import flow_facts
from workflows_ui.kit.resource import Row, pick
from workflows_ui.resources import apps, cron_words
from workflows_ui.resources.flow_reading import trigger_of

_LONGEST = 100


def words(flow: Row) -> str:
    """What starts it. A schedule that the engine has installed (`triggerSource`, recording `flow_get_schedule`) goes before the
    draft's own fields: it is what runs."""
    trigger = trigger_of(flow)
    start = flow_facts.start_of(trigger)
    if start == "nothing":
        return _("No trigger chosen yet")
    if start == "call":
        return _("Webhook")
    if start == "form":
        return _("Form")
    if start == "schedule":
        return schedule(flow) or _("By the clock")
    title = _text(pick(trigger, "displayName")) or _text(pick(trigger, "settings.triggerName"))
    app = apps.short(pick(trigger, "settings.pieceName"))[:_LONGEST]
    return f"{app}: {title}" if title else app


def schedule(flow: Row) -> str:
    """When the clock starts it; "" where that is not known."""
    installed = pick(flow, "triggerSource.schedule")
    told = cron_words.told(pick(installed, "cronExpression"), pick(installed, "timezone"))
    settings = pick(trigger_of(flow), "settings")
    return told or (cron_words.told(*_wanted(settings)) if isinstance(settings, Mapping) else "")


def _wanted(settings: Mapping[str, Any]) -> tuple[str, str]:
    """The cron expression that a schedule trigger's fields mean, and the zone; "" where it cannot be said for certain."""
    given = settings.get("input")
    given = given if isinstance(given, Mapping) else {}
    hour, every_day = _whole(given.get("hour_of_the_day")), given.get("run_on_weekends") is True
    crons = {
        "every_x_minutes": f"*/{_whole(given.get('minutes'))} * * * *",
        "every_hour": f"0 * * * {'*' if every_day else '1-5'}",
        "every_day": f"0 {hour} * * {'*' if every_day else '1-5'}",
        "every_week": f"0 {hour} * * {_whole(given.get('day_of_the_week'))}",
        "every_month": f"0 {hour} {_whole(given.get('day_of_the_month'))} * *",
        "cron_expression": _text(given.get("cronExpression")),
    }
    cron = crons.get(str(settings.get("triggerName")), "")
    return ("" if "?" in cron else cron), _text(given.get("timezone"))


def _whole(value: Any) -> str:
    """A number as cron has it; "?" where there is none."""
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdecimal():
        return value.strip()[:3]
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else "?"


def _text(value: Any) -> str:
    return value.strip()[:_LONGEST] if isinstance(value, str) else ""
