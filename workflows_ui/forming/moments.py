"""Days, times and moments as people and their browsers write them; what could mean two days is refused, never guessed."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime, time, tzinfo

from django.utils.translation import gettext as _

from workflows_ui.forming.document import Moment

_YEAR_FIRST = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})", re.ASCII)
_YEAR_LAST = re.compile(r"(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4})", re.ASCII)
_CLOCK = re.compile(r"(\d{1,2})[:hH](\d{2})(?::(\d{2})(\.\d{1,6})?)?\s*([aApP][mM])?", re.ASCII)
_ZONE = re.compile(r"(.*?)\s*(Z|z|[+-]\d{2}:?\d{2})", re.ASCII)
#: The shapes of values that are known to be moments, days and times; others stay texts.
SHAPES = {
    Moment.LOCAL_MINUTES: re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}"),
    Moment.LOCAL: re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}"),
    Moment.UTC: re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z"),
    Moment.UTC_MILLIS: re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z"),
}


class BadMoment(Exception):
    """Not one day, time or moment. Its text says in the reader's language what to do."""


def read_day(text: str) -> str:
    """The day as `2026-03-31`. `31/3/2026` is read too; `3/4/2026` could be two days and is refused. Raises BadMoment."""
    text = _narrow(text)
    found = _YEAR_FIRST.fullmatch(text)
    if found:
        return _day(int(found[1]), int(found[2]), int(found[3]))
    found = _YEAR_LAST.fullmatch(text)
    if not found:
        raise BadMoment(_("Type a date as year-month-day, such as 2026-03-31."))
    one, two, year = (int(group) for group in found.groups())
    if one <= 12 and two <= 12 and one != two:
        raise BadMoment(
            _("This could be two dates. Type %(first)s or %(second)s.")
            % {"first": _day(year, two, one), "second": _day(year, one, two)}
        )
    return _day(year, two, one) if two <= 12 else _day(year, one, two)


def read_time(text: str) -> str:
    """The time of day as `09:30`, with seconds where they were typed. `9h30` and `9:30 pm` are read too. Raises BadMoment."""
    found = _CLOCK.fullmatch(_narrow(text))
    if not found:
        raise BadMoment(_("Type a time as hours and minutes, such as 14:30."))
    hour, half = int(found[1]), (found[5] or "").lower()
    if half and not 1 <= hour <= 12:
        raise BadMoment(_("This time does not exist. Type it as 14:30."))
    hour = hour % 12 + (12 if half == "pm" else 0) if half else hour
    seconds = f":{found[3]}{found[4] or ''}" if found[3] else ""
    if hour > 23 or int(found[2]) > 59 or int(found[3] or 0) > 59:
        raise BadMoment(_("This time does not exist. Type it as 14:30."))
    return f"{hour:02}:{found[2]}{seconds}"


def read_moment(text: str, shape: Moment, zone: tzinfo) -> str:
    """The moment as `shape` writes it. Without a zone of its own it is meant in `zone`, the person's. Raises BadMoment."""
    text = _narrow(text)
    found = _ZONE.fullmatch(text) if ":" in text else None
    own = found[2].upper() if found else ""
    bare = found[1] if found else text
    day, _space, clock = bare.replace("T", " ", 1).strip().partition(" ")
    if not clock:
        raise BadMoment(_("Type a date and a time, such as 2026-03-31 14:30."))
    naive = datetime.combine(date.fromisoformat(read_day(day)), time.fromisoformat(read_time(clock)))
    local = shape in (Moment.LOCAL, Moment.LOCAL_MINUTES)
    try:
        if own:
            told = naive.replace(tzinfo=UTC if own == "Z" else datetime.strptime(own, "%z").tzinfo)
            moment = told.astimezone(zone).replace(tzinfo=None) if local else told.astimezone(UTC)
        else:
            moment = naive if local else _in_zone(naive, zone)
    except (ValueError, OverflowError):
        raise BadMoment(_("This moment does not exist. Type it as 2026-03-31 14:30.")) from None
    return _write(moment, shape)


def show_moment(value: str, shape: Moment, zone: tzinfo) -> str:
    """What a control shows for a value: the person's local time where that leads back to this very value, else the value itself."""
    if not SHAPES[shape].fullmatch(value):
        return value
    if shape in (Moment.LOCAL, Moment.LOCAL_MINUTES):
        return value
    try:
        local = datetime.fromisoformat(value).astimezone(zone).replace(tzinfo=None, fold=0)
        shown = local.isoformat(
            timespec="milliseconds" if local.microsecond else "seconds" if local.second else "minutes"
        )
        return shown if read_moment(shown, shape, zone) == value else value
    except (ValueError, OverflowError, BadMoment):
        return value


def _narrow(text: str) -> str:
    """The text with the wide digits and colons of East Asian keyboards as the plain ones that they mean."""
    return unicodedata.normalize("NFKC", text).strip()


def _in_zone(naive: datetime, zone: tzinfo) -> datetime:
    """The moment in UTC; of an hour that comes twice the first one. Raises ValueError for a time that the clocks leave out."""
    moment = naive.replace(tzinfo=zone).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None, fold=0) != naive:
        raise ValueError(naive)
    return moment


def _day(year: int, month: int, day: int) -> str:
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        raise BadMoment(_("This date does not exist. Type it as 2026-03-31.")) from None


def _write(moment: datetime, shape: Moment) -> str:
    moment = moment.replace(tzinfo=None)
    if shape is Moment.LOCAL_MINUTES:
        return moment.isoformat(timespec="minutes")
    if shape is Moment.UTC_MILLIS:
        return moment.isoformat(timespec="milliseconds") + "Z"
    return moment.replace(microsecond=0).isoformat() + ("" if shape is Moment.LOCAL else "Z")
