"""The database's clock: leases and deadlines of several machines are compared by one clock only."""

from datetime import datetime

from django.db import connection
from django.utils import timezone


def now() -> datetime:
    """The database server's time (aware, UTC); on SQLite this machine's, which is the same clock for all its users."""
    if connection.vendor != "postgresql":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (moment,) = cursor.fetchone()
    assert isinstance(moment, datetime)  # noqa: S101  (tells the type checker what PostgreSQL returns)
    return moment
