"""The limit between recent runs, which change every few seconds, and those of the past, whose counts are kept for longer."""

from datetime import UTC, datetime, timedelta

#: The least age of a run that is not recent.
_LEAST = timedelta(hours=6)


def begin(now: datetime) -> datetime:
    """When the recent runs begin: at a midnight in UTC. Runs that were created earlier are of the past, and stay so."""
    return (now - _LEAST).astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
