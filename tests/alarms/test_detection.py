"""What is usual and what is not, tried on made-up flows with other seeds than those that the detection was tuned with."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.alarms import rhythms, table
from tests.alarms.rhythms import CHECKING, FLOWS, RUNS, Flow, Runs, counted, try_flow, try_runs
from workflows_ui.alarms import detection
from workflows_ui.alarms.detection import Hour, Latest, Rhythm
from workflows_ui.alarms.profiles import Calendar

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
CALENDAR = Calendar(rhythms.ZONE)
#: Flows whose holidays nobody knows: each holiday is a false alarm.
_UNKNOWN = "Office hours, holidays of its own, not entered"


@pytest.mark.slow
@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_there_is_at_most_one_false_alarm_a_month_and_silence_is_found_within_two_usual_pauses(flow: Flow) -> None:
    found = try_flow(flow, CHECKING[:1], timedelta(weeks=4))
    assert found.worst <= 1 or flow.name == _UNKNOWN
    assert not found.missed
    assert sorted(found.delays)[len(found.delays) // 2] <= 2


@pytest.mark.slow
@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_most_silences_are_found_within_two_usual_pauses(flow: Flow) -> None:
    found = try_flow(flow, CHECKING[6:9], timedelta(weeks=2))
    assert found.a_month <= 1
    assert not found.missed
    assert found.in_time >= 0.75
    # People are notified of all of them, of some later.
    assert max(found.notified_delays) <= 5 or flow.name == _UNKNOWN


@pytest.mark.parametrize("kind", RUNS, ids=lambda kind: kind.name)
def test_failures_and_lengths_that_vary_as_usual_are_no_alarms(kind: Runs) -> None:
    found = try_runs(kind, CHECKING[:1], weeks=6)
    assert found.failing <= found.months
    assert found.longer <= found.months
    assert max(*found.failing_after, *found.longer_after) <= detection.LATEST


def test_the_tables_are_of_this_detection() -> None:
    assert f"made of {table.sources()} " in table.written(), "Run python -m tests.alarms.table"


@pytest.mark.slow
def test_the_tables_are_of_these_flows() -> None:
    for number in (4, 6, 7):
        assert table.flow_row(FLOWS[number]) in table.written()


@pytest.mark.bench
@pytest.mark.timeout(1200)
def test_the_tables_can_be_made_again() -> None:
    assert table.tables() == table.written()


def hourly(weeks: float, until: datetime = NOW, **values: float) -> list[Hour]:
    """An hourly flow."""
    number = int(weeks * 168)
    return [
        Hour(until - place * HOUR, until - place * HOUR, 1, 1, 0, 10, 10, 1, **values) for place in range(number, 0, -1)
    ]


def test_a_new_flow_has_no_rhythm_and_an_old_one_does() -> None:
    known = NOW - timedelta(weeks=30)
    assert detection.learn([], known, NOW, CALENDAR) == Rhythm()
    young = detection.learn(hourly(2.9), known, NOW, CALENDAR)
    assert detection.quiet_at(young, NOW - HOUR, CALENDAR) is None
    assert detection.failing_runs(young, [Latest("", True, True, 1)] * 20, alarming=False) == (0, 0)
    assert detection.long_runs(young, [Latest("", True, True, 1e6)] * 20, alarming=False) == []
    old = detection.learn(hourly(3.1), known, NOW, CALENDAR)
    moment = detection.quiet_at(old, NOW - HOUR, CALENDAR)
    assert moment is not None
    assert HOUR < moment - (NOW - HOUR) <= 2.5 * HOUR
    # An index that knows the last days only says nothing about the weeks before.
    assert not detection.learn(hourly(8), NOW - timedelta(weeks=2), NOW, CALENDAR).hours


def test_a_week_off_does_not_change_the_rhythm() -> None:
    hours = [hour for hour in hourly(8) if not timedelta(weeks=3) < NOW - hour.first <= timedelta(weeks=4)]
    rhythm = detection.learn(hours, NOW - timedelta(weeks=9), NOW, CALENDAR)
    moment = detection.quiet_at(rhythm, NOW - HOUR, CALENDAR)
    assert moment is not None
    assert moment - NOW <= HOUR


def test_the_usual_number_of_runs_is_that_of_the_weekday_and_hour() -> None:
    days = [NOW.replace(hour=8) - timedelta(days=day) for day in range(1, 57)]
    monday = [
        moment + minute * timedelta(minutes=1)
        for moment in sorted(days)
        if moment.weekday() == 0
        for minute in range(40)
    ]
    rhythm = detection.learn(counted(monday), NOW - timedelta(weeks=9), NOW, CALENDAR)
    midnight = NOW.replace(hour=0)
    assert round(detection.expected(rhythm, midnight, NOW, CALENDAR)) == 40
    assert round(detection.expected(rhythm, midnight + timedelta(days=1), NOW + timedelta(days=1), CALENDAR)) == 0


def test_a_rhythm_survives_storing_and_a_damaged_one_is_ignored() -> None:
    rhythm = detection.learn(hourly(8), NOW - timedelta(weeks=9), NOW, CALENDAR)
    stored = Rhythm.load(rhythm.dump())
    moments = [detection.quiet_at(one, NOW, CALENDAR) for one in (stored, rhythm)]
    assert moments[0]
    assert moments[1]
    assert abs(moments[0] - moments[1]) < timedelta(minutes=1)
    assert Rhythm.load({"other": 1}) == Rhythm()


def test_one_slow_or_failed_run_is_no_alarm_but_one_that_never_ends_is() -> None:
    rhythm = Rhythm(usual=10, longest=20, failing=0.02)
    fine, slow = Latest("", True, False, 10), Latest("slow", True, False, 100)
    assert detection.long_runs(rhythm, [slow, *[fine] * 9], alarming=False) == []
    assert detection.long_runs(rhythm, [slow, fine, slow, *[fine] * 9], alarming=False) == [slow, slow]
    assert detection.long_runs(rhythm, [fine, slow, *[fine] * 9], alarming=True) == [slow]
    running = Latest("running", False, False, 100)
    assert detection.long_runs(rhythm, [running, *[fine] * 9], alarming=False) == [running]
    failed = Latest("", True, True, 10)
    assert detection.failing_runs(rhythm, [failed, failed, *[fine] * 9], alarming=False) == (0, 0)
    assert detection.failing_runs(rhythm, [failed] * 4 + [fine] * 9, alarming=False)[0] == 4
