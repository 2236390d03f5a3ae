"""Times that are still to be read."""

from datetime import UTC, datetime, timedelta

from workflows_ui.run_index.services import spans
from workflows_ui.run_index.services.spans import Span

START = datetime(2026, 11, 28, 8, tzinfo=UTC)


def at(minutes: int) -> datetime:
    return START + timedelta(minutes=minutes)


def test_times_that_overlap_are_read_once_the_latest_first_and_comparisons_last() -> None:
    found = [Span(at(0), at(5)), Span(at(20), at(30)), Span(at(3), at(9)), Span(at(1), at(2), True), Span(at(29), None)]
    assert spans.merged(found) == [Span(at(20), None), Span(at(0), at(9)), Span(at(1), at(2), True)]
    assert spans.merged([Span(None, at(9)), Span(at(2), at(3))]) == [Span(None, at(9))]
    assert spans.load(spans.dump(found)) == found
