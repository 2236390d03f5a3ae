"""Times whose runs are still to be read, kept in the row of a run index."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Self

from workflows_ui.core import clock
from workflows_ui.core.readers import as_text

_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Span:
    """The runs that were created between `after` and `before`, both included; None for no limit.

    `compares`: the runs were read before, and are read again to find those that were missed, changed or deleted.
    """

    after: datetime | None = None
    before: datetime | None = None
    compares: bool = False

    def since(self, after: datetime) -> Self:
        """The part of it that is not earlier than `after`."""
        return self if self.after is not None and self.after >= after else replace(self, after=after)


def load(values: Iterable[Sequence[object]]) -> list[Span]:
    """The spans of a list of `dump`."""
    return [
        Span(clock.parse_time(as_text(after)), clock.parse_time(as_text(before)), compares is True)
        for after, before, compares in values
    ]


def dump(spans: Iterable[Span]) -> list[list[object]]:
    """The spans as a list that can be stored as JSON."""
    return [
        [span.after and span.after.isoformat(), span.before and span.before.isoformat(), span.compares]
        for span in spans
    ]


def merged(spans: Iterable[Span]) -> list[Span]:
    """The spans without overlaps, the latest first, but those that compare last."""
    found = list[Span]()
    for span in sorted(spans, key=lambda span: (not span.compares, span.after or _FIRST)):
        last = found[-1] if found else None
        if last and last.compares == span.compares and (last.before or _LAST) >= (span.after or _FIRST):
            ends = (last.before, span.before)
            found[-1] = replace(last, before=None if None in ends else max(filter(None, ends)))
        else:
            found.append(span)
    return found[::-1]
