"""Parsing of dates, times and moments typed by people or sent by browsers. Ambiguous dates are rejected, never guessed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime, time, tzinfo

from django.utils.translation import gettext as _

from workflows_ui.form_schema.document import LOCAL_MOMENTS, BadValue, Moment

_YEAR_FIRST = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})", re.ASCII)
_YEAR_LAST = re.compile(r"(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4})", re.ASCII)
_CLOCK = re.compile(r"(\d{1,2})[:hH](\d{2})(?::(\d{2})(\.\d{1,6})?)?\s*([aApP][mM])?", re.ASCII)
_ZONE = re.compile(r"(.*?)\s*(Z|z|[+-]\d{2}:?\d{2})", re.ASCII)


def read_day(text: str) -> str:
    """The day as `2026-03-31`. `31/3/2026` is accepted; `3/4/2026` is ambiguous and rejected. Raises BadValue."""
    text = _normalise(text)
    match = _YEAR_FIRST.fullmatch(text)
    if match:
        return _day(int(match[1]), int(match[2]), int(match[3]))
    match = _YEAR_LAST.fullmatch(text)
    if not match:
        raise BadValue(_("Enter a date as year-month-day, such as 2026-03-31."))
    first, second, year = (int(group) for group in match.groups())
    if first <= 12 and second <= 12 and first != second:
        raise BadValue(
            _("This could be two dates. Enter %(first)s or %(second)s.")
            % {"first": _day(year, second, first), "second": _day(year, first, second)}
        )
    return _day(year, second, first) if second <= 12 else _day(year, first, second)


def read_time(text: str) -> str:
    """The time of day as `09:30`, with seconds if typed. `9h30` and `9:30 pm` are accepted. Raises BadValue."""
    match = _CLOCK.fullmatch(_normalise(text))
    if not match:
        raise BadValue(_("Enter a time as hours and minutes, such as 14:30."))
    hour, half = int(match[1]), (match[5] or "").lower()
    if half and not 1 <= hour <= 12:
        raise BadValue(_("This time does not exist. Enter it as 14:30."))
    hour = hour % 12 + (12 if half == "pm" else 0) if half else hour
    seconds = f":{match[3]}{match[4] or ''}" if match[3] else ""
    if hour > 23 or int(match[2]) > 59 or int(match[3] or 0) > 59:
        raise BadValue(_("This time does not exist. Enter it as 14:30."))
    return f"{hour:02}:{match[2]}{seconds}"


def read_moment(text: str, shape: Moment, zone: tzinfo) -> str:
    """The moment in the format `shape`. A text without a zone is in `zone`, the person's. Raises BadValue."""
    text = _normalise(text)
    match = _ZONE.fullmatch(text) if ":" in text else None
    offset = match[2].upper() if match else ""
    bare = match[1] if match else text
    day, _space, clock = bare.replace("T", " ", 1).strip().partition(" ")
    if not clock:
        raise BadValue(_("Enter a date and a time, such as 2026-03-31 14:30."))
    naive = datetime.combine(date.fromisoformat(read_day(day)), time.fromisoformat(read_time(clock)))
    local = shape in LOCAL_MOMENTS
    try:
        if offset:
            zoned = naive.replace(tzinfo=UTC if offset == "Z" else datetime.strptime(offset, "%z").tzinfo)
            moment = zoned.astimezone(zone).replace(tzinfo=None) if local else zoned.astimezone(UTC)
        else:
            moment = naive if local else _in_zone(naive, zone)
    except (ValueError, OverflowError):
        raise BadValue(_("This moment does not exist. Enter it as 2026-03-31 14:30.")) from None
    timespec = {Moment.LOCAL_MINUTES: "minutes", Moment.UTC_MILLIS: "milliseconds"}.get(shape, "seconds")
    return moment.replace(tzinfo=None).isoformat(timespec=timespec) + ("" if local else "Z")


def show_moment(value: str, shape: Moment, zone: tzinfo) -> str:
    """The text of a control: the person's local time if `read_moment` converts it back to the same value, else the value."""
    if shape in LOCAL_MOMENTS:
        return value
    try:
        local = datetime.fromisoformat(value).astimezone(zone).replace(tzinfo=None, fold=0)
        shown = local.isoformat(
            timespec="milliseconds" if local.microsecond else "seconds" if local.second else "minutes"
        )
        return shown if read_moment(shown, shape, zone) == value else value
    except (ValueError, OverflowError, BadValue):
        return value


def is_stable(read: Callable[[str], str], text: str) -> bool:
    """Whether one of the functions above returns the text unchanged."""
    try:
        return read(text) == text
    except BadValue:
        return False


def _normalise(text: str) -> str:
    """The text with full-width digits and colons of East Asian keyboards converted to ASCII."""
    return unicodedata.normalize("NFKC", text).strip()


def _in_zone(naive: datetime, zone: tzinfo) -> datetime:
    """The moment in UTC; the first one of a repeated hour. Raises ValueError for a time skipped by a clock change."""
    moment = naive.replace(tzinfo=zone).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None, fold=0) != naive:
        raise ValueError(naive)
    return moment


def _day(year: int, month: int, day: int) -> str:
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        raise BadValue(_("This date does not exist. Enter it as 2026-03-31.")) from None
