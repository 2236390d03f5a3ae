"""The schedule that a trigger installs (recording ``flow_get_schedule``)."""

from .http import Json

PIECE = "@activepieces/piece-schedule"


def schedule_for(trigger: Json) -> Json | None:
    """Return ``{type, cronExpression, timezone}`` for a schedule trigger, else None."""
    settings = trigger.get("settings", {})
    if settings.get("pieceName") != PIECE:
        return None
    inputs = settings.get("input") or {}
    # In the recording weekend runs are off although enabled: the option has another name there.
    days = "*" if inputs.get("run_on_weekends") else "1-5"
    hour, weekday = inputs.get("hour_of_the_day", 0), inputs.get("day_of_the_week", 1)
    crons = {
        "every_x_minutes": f"*/{inputs.get('minutes', 5)} * * * *",
        "every_hour": f"0 * * * {days}",
        "every_day": f"0 {hour} * * {days}",
        "every_week": f"0 {hour} * * {weekday}",
        "every_month": f"0 {hour} {inputs.get('day_of_the_month', 1)} * *",
        "cron_expression": str(inputs.get("cronExpression", "0 9 * * *")),
    }
    cron = crons.get(str(settings.get("triggerName")), "0 * * * *")
    return {"type": "CRON_EXPRESSION", "cronExpression": cron, "timezone": inputs.get("timezone") or "UTC"}
