"""The database's clock, so that leases and deadlines of several machines are compared by one clock."""

from datetime import UTC, date, datetime, tzinfo

from django.db import connection
from django.utils import timezone

_FIRST_YEAR, _LAST_YEAR = 1970, 2999


def parse_time(text: str) -> datetime | None:
    """A time in ISO 8601 (UTC if it has no zone) as an aware time in UTC; None for any other text.

    None also for years before 1970 and after 2999: at the ends of the calendar, a shift of the time zone can overflow columns and pages.
    """
    try:
        time = datetime.fromisoformat(text)
        time = time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    return time if _FIRST_YEAR <= time.year <= _LAST_YEAR else None


def midnight(day: date, zone: tzinfo | None = None) -> datetime:
    """The beginning of a day, by default in the current time zone."""
    return timezone.make_aware(datetime.combine(day, datetime.min.time()), zone)


def now() -> datetime:
    """The database server's time (aware, UTC); on SQLite this machine's, which is the same clock for all its users."""
    if connection.vendor != "postgresql":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (moment,) = cursor.fetchone()
    assert isinstance(moment, datetime)  # noqa: S101  (for the type checker; PostgreSQL returns it)
    return moment
