"""Formatting of moments, durations and JSON. Accepts any value from the engine."""

import datetime
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeGuard

from django.utils import formats, timezone
from django.utils.text import Truncator
from django.utils.translation import get_language, gettext as _, gettext_lazy, ngettext, pgettext

MINUTE, HOUR, DAY = 60, 3600, 86400
#: Maximum plausible duration in milliseconds (30 years).
_LONGEST = 1e12


def visible(text: object) -> TypeGuard[str]:
    """Whether the value is a text with at least one visible character."""
    return isinstance(text, str) and any(character.isprintable() and not character.isspace() for character in text)


def moment(value: object) -> datetime.datetime | None:
    """An aware datetime for a datetime or the engine's ISO text (UTC, `...Z`); None for anything else, including "".

    None also for the first and last representable year, which overflow in some time zones.
    """
    if isinstance(value, datetime.datetime):
        return value if timezone.is_aware(value) else timezone.make_aware(value)
    if not isinstance(value, str) or not value:
        return None
    try:
        parsed = datetime.datetime.fromisoformat(value)
    except ValueError:
        return None
    if not datetime.MINYEAR < parsed.year < datetime.MAXYEAR:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=datetime.UTC)


def relative(value: datetime.datetime, now: datetime.datetime | None = None) -> str:
    """`3 minutes ago` or `in 2 days`; beyond a week the date in the current zone."""
    seconds = ((now or timezone.now()) - value).total_seconds()
    distance = abs(seconds)
    if distance < MINUTE:
        return _("just now") if seconds > -5 else _("in under a minute")
    if distance < HOUR:
        count = int(distance // MINUTE)
        past = ngettext("%(count)d minute ago", "%(count)d minutes ago", count)
        future = ngettext("in %(count)d minute", "in %(count)d minutes", count)
        return (past if seconds > 0 else future) % {"count": count}
    if distance < DAY:
        count = int(distance // HOUR)
        past = ngettext("%(count)d hour ago", "%(count)d hours ago", count)
        future = ngettext("in %(count)d hour", "in %(count)d hours", count)
        return (past if seconds > 0 else future) % {"count": count}
    if distance < 7 * DAY:
        count = int(distance // DAY)
        past = ngettext("%(count)d day ago", "%(count)d days ago", count)
        future = ngettext("in %(count)d day", "in %(count)d days", count)
        return (past if seconds > 0 else future) % {"count": count}
    return date(timezone.localtime(value))


def exact(value: datetime.datetime, *, seconds: bool = True, zone: bool = True) -> str:
    """Date and time in the current zone and language; the form with seconds and `zone` includes the name of the zone."""
    local = timezone.localtime(value)
    day = date(local)
    if not seconds:
        return f"{day} {local:%H:%M}"
    return f"{day} {local:%H:%M:%S} {(zone and local.tzname()) or ''}".rstrip()


def number(value: float) -> str:
    """A number with the language's separators."""
    return formats.number_format(value, use_l10n=True, force_grouping=True)


def minute(moment: datetime.datetime) -> str:
    """The next full minute in the current zone, without the date if it is today."""
    return short_time((moment + datetime.timedelta(seconds=59)).replace(second=0, microsecond=0))


def short_time(moment: datetime.datetime) -> str:
    """Hour and minute in the current zone, without the date if it is today."""
    local = timezone.localtime(moment)
    return f"{local:%H:%M}" if local.date() == timezone.localdate() else exact(local, seconds=False)


def day_and_time(value: datetime.datetime) -> str:
    """`today 10:42`, `yesterday 10:42`, or date and time, in the current zone."""
    local = timezone.localtime(value)
    days = (timezone.localdate() - local.date()).days
    if days == 0:
        return _("today %(time)s") % {"time": f"{local:%H:%M}"}
    if days == 1:
        return _("yesterday %(time)s") % {"time": f"{local:%H:%M}"}
    return exact(value, seconds=False)


def place(zone: datetime.tzinfo) -> str:
    """The place of a time zone, as people name its time: "Hanoi", "New York", "UTC"."""
    name = str(zone)
    if name in _CAPITALS:
        return str(_CAPITALS[name])
    return name.rpartition("/")[2].replace("_", " ")


#: Zones whose time is called by another city than the one in their name.
_CAPITALS = {"Asia/Ho_Chi_Minh": gettext_lazy("Hanoi"), "Asia/Saigon": gettext_lazy("Hanoi")}


def date(value: datetime.date) -> str:
    """An unambiguous date: with the name of the month, or in the language's own order of numbers."""
    return _date(value.year, value.month, value.day, get_language())


@lru_cache(maxsize=4096)
def _date(year: int, month: int, day: int, _language: str | None) -> str:
    pattern = pgettext("date format, see Django's date filter", "j M Y")
    return formats.date_format(datetime.date(year, month, day), pattern)


def short_date(value: datetime.date) -> str:
    """A date without its year."""
    return formats.date_format(value, pgettext("date without year, see Django's date filter", "j M"))


def duration(milliseconds: object) -> str:
    """`310 ms`, `4.2 s`, `3 min 5 s` or `2 h 10 min`; "" for an invalid duration."""
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int | float):
        return ""
    if not 0 <= milliseconds < _LONGEST:
        return ""
    if milliseconds < 1:
        return _("less than 1 ms")
    if milliseconds < 1000:
        return _("%(n)d ms") % {"n": round(milliseconds)}
    seconds = milliseconds / 1000
    if seconds < MINUTE:
        return _("%(n)s s") % {"n": formats.number_format(round(seconds, 1), use_l10n=True)}
    minutes, rest = divmod(round(seconds), MINUTE)
    if minutes < 60:
        return _("%(m)d min %(s)d s") % {"m": minutes, "s": rest} if rest else _("%(m)d min") % {"m": minutes}
    hours, rest = divmod(minutes, 60)
    return _("%(h)d h %(m)d min") % {"h": hours, "m": rest} if rest else _("%(h)d h") % {"h": hours}


def roughly(milliseconds: object) -> str:
    """`duration` with everything below a second combined."""
    short = isinstance(milliseconds, int | float) and milliseconds < 1000
    text = duration(milliseconds)
    return _("less than a second") if text and short else text


def clock(milliseconds: float) -> str:
    """A running time as a clock shows it, as 0:12 or 1:02:03."""
    minutes, seconds = divmod(int(milliseconds) // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def between(start: object, end: object) -> float | None:
    """The milliseconds between two of the engine's moments; None if one is missing or they are reversed."""
    first, last = moment(start), moment(end)
    if first is None or last is None or last < first:
        return None
    return (last - first).total_seconds() * 1000


#: Characters by which programs recognize addresses, after which `unlinked` writes an invisible space.
_IN_ADDRESSES = re.compile(r"(?<=\w)([.:])(?=[\w/])")


def unlinked(text: str) -> str:
    """A text in which mail programs and messengers recognize no address, so that they make no link of it."""
    return _IN_ADDRESSES.sub("\\1\u200b", text)


def cut(text: str, most: int = 60) -> str:
    return text if len(text) <= most else Truncator(text).chars(most)


def file_name(name: str, otherwise: str, extension: str) -> str:
    """A file name made from a name, safe on every system."""
    plain = re.sub(r"[^\w. -]+", "-", name).strip(" .-")[:80]
    return f"{plain or otherwise}.{extension}"


def first_line(text: str) -> str:
    """The first meaningful line of an error, without its stack; at most 300 characters."""
    lines = (line.strip() for line in text.splitlines())
    return next((line[:300] for line in lines if line.strip("{}[] ")), "")


@dataclass(frozen=True)
class Pretty:
    """Indented JSON; `cut` is the number of omitted characters."""

    text: str
    cut: int


def pretty(value: object, limit: int = 500_000) -> Pretty:
    """A value as indented JSON, at most `limit` characters. Non-ASCII characters are not escaped."""
    try:
        text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    except (RecursionError, ValueError):
        text = str(value)[:limit]
    text = text.encode("utf-8", "replace").decode()
    return Pretty(text[:limit], max(0, len(text) - limit))


def named_briefly(value: object, longest: int = 120, depth: int = 4) -> object:
    """Truncate the texts in the upper levels of an object, for its name in a sentence; deeper levels are unchanged."""
    if isinstance(value, str):
        return value if len(value) <= longest else value[: longest - 1] + "…"
    if isinstance(value, Mapping) and depth:
        return {key: named_briefly(item, longest, depth - 1) for key, item in value.items()}
    if isinstance(value, list | tuple) and depth:
        return [named_briefly(item, longest, depth - 1) for item in value]
    return value
