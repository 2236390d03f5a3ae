"""The days of a plot."""

from collections.abc import Sequence
from datetime import date, timedelta

#: Days of a plot, today included, unless others are asked for; and the most that are counted.
DAYS, MOST_DAYS = 14, 62


def days_until(last: date, number: int = DAYS) -> Sequence[date]:
    """The days up to and including `last`, the earliest first."""
    return [last - timedelta(days=number - 1 - position) for position in range(number)]
