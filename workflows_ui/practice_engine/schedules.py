"""The schedule that a trigger installs (recording ``flow_get_schedule``)."""

from __future__ import annotations

from .http import Json

PIECE = "@activepieces/piece-schedule"


def schedule_of(trigger: Json) -> Json | None:
    """``{type, cronExpression, timezone}`` for a schedule trigger, else None."""
    settings = trigger.get("settings", {})
    if settings.get("pieceName") != PIECE:
        return None
    given = settings.get("input") or {}
    # Weekend runs are off in the recording although asked for: the option's true name differs there; kept as recorded.
    days = "*" if given.get("run_on_weekends") else "1-5"
    hour, weekday = given.get("hour_of_the_day", 0), given.get("day_of_the_week", 1)
    crons = {
        "every_x_minutes": f"*/{given.get('minutes', 5)} * * * *",
        "every_hour": f"0 * * * {days}",
        "every_day": f"0 {hour} * * {'*' if given.get('run_on_weekends') else '1-5'}",
        "every_week": f"0 {hour} * * {weekday}",
        "every_month": f"0 {hour} {given.get('day_of_the_month', 1)} * *",
        "cron_expression": str(given.get("cronExpression", "0 9 * * *")),
    }
    cron = crons.get(str(settings.get("triggerName")), "0 * * * *")
    return {"type": "CRON_EXPRESSION", "cronExpression": cron, "timezone": given.get("timezone") or "UTC"}
