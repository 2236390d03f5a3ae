"""How values are shown: moments, durations, JSON. Takes whatever the engine sends and always gives text."""

import datetime
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from django.utils import formats, timezone
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

MINUTE, HOUR, DAY = 60, 3600, 86400
#: Milliseconds; no duration that an engine could mean is longer (30 years).
_LONGEST = 1e12


def visible(text: Any) -> TypeGuard[str]:
    """Whether a text leaves anything on the page: neither empty, nor of blanks and characters without a shape alone."""
    return isinstance(text, str) and any(one.isprintable() and not one.isspace() for one in text)


def moment(value: Any) -> datetime.datetime | None:
    """An aware moment from a datetime or from the engine's ISO text (UTC, `...Z`); None for anything else, empty strings included.

    None also for the first and the last year there is: some zone could not hold the moment.
    """
    if isinstance(value, datetime.datetime):
        return value if timezone.is_aware(value) else timezone.make_aware(value)
    if not isinstance(value, str) or not value:
        return None
    try:
        found = datetime.datetime.fromisoformat(value)
    except ValueError:
        return None
    if not datetime.MINYEAR < found.year < datetime.MAXYEAR:
        return None
    return found if found.tzinfo else found.replace(tzinfo=datetime.UTC)


def relative(value: datetime.datetime, now: datetime.datetime | None = None) -> str:
    """`3 minutes ago`, `in 2 hours`; beyond a day the date and time in the person's zone."""
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
    return exact(value, seconds=False)


def exact(value: datetime.datetime, *, seconds: bool = True) -> str:
    """Date and time in the person's zone and language; the zone's name is added to the long form."""
    local = timezone.localtime(value)
    day = date(local)
    if not seconds:
        return f"{day} {local:%H:%M}"
    return f"{day} {local:%H:%M:%S} {local.tzname() or ''}".rstrip()


def date(value: datetime.date) -> str:
    """A day that cannot be misread: the month has its name, or the language's own order of numbers."""
    return formats.date_format(value, pgettext("date format, see Django's date filter", "j M Y"))


def duration(milliseconds: Any) -> str:
    """`310 ms`, `4.2 s`, `3 min 5 s`, `2 h 10 min`; empty for anything that is not a duration."""
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


def roughly(milliseconds: Any) -> str:
    """As `duration`, in the words of people who wait: nobody waits for parts of a second."""
    told = duration(milliseconds)
    return _("less than a second") if told and milliseconds < 1000 else told


def between(start: Any, end: Any) -> float | None:
    """Milliseconds from one of the engine's moments to another; None where either is missing or they are the wrong way round."""
    first, last = moment(start), moment(end)
    if first is None or last is None or last < first:
        return None
    return (last - first).total_seconds() * 1000


def cut(text: str, most: int = 60) -> str:
    """A name short enough for a sentence or a button; one that was cut ends in "…"."""
    return Truncator(text).chars(most)


def first_line(text: str) -> str:
    """The first line of an error that says something, without the stack that follows it; at most 300 characters."""
    lines = (line.strip() for line in text.splitlines())
    return next((line[:300] for line in lines if line.strip("{}[] ")), "")


@dataclass(frozen=True)
class Pretty:
    """JSON text made readable; `cut` is how many characters are not shown."""

    text: str
    cut: int

    @property
    def lines(self) -> int:
        """How many lines there are."""
        return self.text.count("\n") + 1


def pretty(value: Any, limit: int = 500_000) -> Pretty:
    """Any value as indented JSON, at most `limit` characters of it. Text stays text as JSON has it, other scripts stay readable."""
    try:
        text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    except (RecursionError, ValueError):
        text = str(value)[:limit]
    text = text.encode("utf-8", "replace").decode()
    return Pretty(text[:limit], max(0, len(text) - limit))


def named_briefly(value: Any, longest: int = 120, depth: int = 4) -> Any:
    """An object for a sentence: texts near its top, names among them, cut to a length that can be read; what lies deeper is kept."""
    if isinstance(value, str):
        return value if len(value) <= longest else value[: longest - 1] + "…"
    if isinstance(value, Mapping) and depth:
        return {key: named_briefly(one, longest, depth - 1) for key, one in value.items()}
    if isinstance(value, list | tuple) and depth:
        return [named_briefly(one, longest, depth - 1) for one in value]
    return value
