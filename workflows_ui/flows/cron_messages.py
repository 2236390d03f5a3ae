"""Describes a cron expression of a common shape in words; any other is shown unchanged rather than described wrongly."""

from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _, ngettext

_LONGEST = 120
_MOST_TIMES = 4


def describe_schedule(cron: str, zone: str = "") -> str:
    """`Every day at 09:00, Asia/Ho_Chi_Minh`; the expression itself if no description fits; "" if it is not an
    expression.

    Args:
        cron: five fields (minute, hour, day, month, weekday), as in recording `flow_get_schedule`.
        zone: the name of the time zone, UTC if it is empty, as for the engine; left out if the description has no hour.
    """
    if not cron.strip():
        return ""
    fields = cron.split()
    zone_name = zone.strip()[:_LONGEST] or "UTC"
    description = _often(fields) if len(fields) == 5 else ""
    if description:
        return description
    description = (_at_times(fields) if len(fields) == 5 else "") or " ".join(fields)[:_LONGEST]
    return _("%(when)s, %(zone)s") % {"when": description, "zone": zone_name}


def _often(fields: list[str]) -> str:
    """Several times a day: such descriptions need no time zone unless they name days."""
    minute, hour, *rest = fields
    if rest != ["*", "*", "*"]:
        return ""
    if hour == "*" and (step := _step(minute, 60)):
        return ngettext("Every minute", "Every %(n)d minutes", step) % {"n": step}
    if minute == "0" and hour != "*" and (step := _step(hour, 24)) > 1:
        return ngettext("Every hour", "Every %(n)d hours", step) % {"n": step}
    if hour == "*" and (number := _number(minute, 0, 59)) is not None:
        if number == 0:
            return ngettext("Every hour", "Every %(n)d hours", 1) % {"n": 1}
        return _("Every hour, at minute %(minute)d") % {"minute": number}
    return ""


def _at_times(fields: list[str]) -> str:
    minute, hour, day, month, weekday = fields
    if month != "*":
        return ""
    days = _days(weekday)
    if hour == "*" and minute == "0" and day == "*" and days:
        return _("Every hour, %(days)s") % {"days": days}
    times = _times(minute, hour)
    if not times:
        return ""
    if day == "*" and weekday == "*":
        return _("Every day at %(times)s") % {"times": times}
    if day == "*" and days:
        if len(_numbers(weekday, 0, 7)) == 1:
            return _("Every %(day)s at %(times)s") % {"day": days, "times": times}
        return _("%(days)s at %(times)s") % {"days": days, "times": times}
    number = _number(day, 1, 31)
    if weekday == "*" and number is not None:
        return _("On day %(day)d of every month at %(times)s") % {"day": number, "times": times}
    return ""


def _times(minute: str, hour: str) -> str:
    at, hours = _number(minute, 0, 59), _numbers(hour, 0, 23)
    if at is None or not 0 < len(hours) <= _MOST_TIMES:
        return ""
    return ", ".join(f"{item:02d}:{at:02d}" for item in hours)


def _days(field: str) -> str:
    """Days of the week by name: one, a list, or Monday to Friday; Sunday is 0 and 7."""
    if field == "1-5":
        return _("Monday to Friday")
    numbers = dict.fromkeys(number % 7 for number in _numbers(field, 0, 7))
    return ", ".join(str(WEEKDAYS[(number - 1) % 7]) for number in numbers)


def _step(field: str, whole: int) -> int:
    """The n of `*` and `*/n` if n divides the whole evenly, so that "every n" is true; else 0."""
    if field == "*":
        return 1
    before, _slash, number = field.partition("/")
    step = _number(number, 1, whole - 1) if before == "*" else None
    return step if step and whole % step == 0 else 0


def _numbers(field: str, least: int, most: int) -> list[int]:
    """The numbers of a list such as `1,3`; [] if any part is something else."""
    numbers = [_number(part, least, most) for part in field.split(",")]
    valid = [number for number in numbers if number is not None]
    return valid if len(valid) == len(numbers) else []


def _number(text: str, least: int, most: int) -> int | None:
    inside = text.isascii() and text.isdecimal() and len(text) <= 2 and least <= int(text) <= most
    return int(text) if inside else None
