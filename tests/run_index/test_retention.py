"""The most runs of an index: what is deleted, what is read again, and what pages say about it."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.run_index.index_scene import add_past, everything, read_all, start, turn
from tests.run_index.test_indexes import cast, have_read, put, run
from tests.run_index.test_run_index_page import LIVE, PAGE, html_of, indexed, post, shared, text as text_of, values
from tests.stage import Stage, stage
from tests.users import Users
from workflows_ui.audit.models import AuditEvent
from workflows_ui.audit.services.audit_log import CONSOLE
from workflows_ui.engine_objects.runs import Run
from workflows_ui.run_index import tasks
from workflows_ui.run_index.models import IndexedRun, RunIndex
from workflows_ui.run_index.services import indexes, reading, retention, rows, spans, statistics

__all__ = ["cast", "indexed", "shared", "stage"]
pytestmark = [pytest.mark.both_databases, pytest.mark.django_db]
on_the_engine = pytest.mark.parametrize("stage", ["activepieces"], indirect=True)
HOUR = timedelta(hours=1)


def limit(users: Users, keep_runs: int, keep_days: int = 90) -> RunIndex:
    """The index keeps so many runs."""
    return indexes.start(CONSOLE, users.workspace, users.credential, keep_days, keep_runs=keep_runs)


def run_ids() -> list[str]:
    """The runs of the index, the newest first."""
    return list(IndexedRun.objects.order_by("-created").values_list("run_id", flat=True))


def newest(stage: Stage, number: int) -> set[str]:
    """The newest runs of the engine."""
    found = [stage.practice.engine.state.runs[key] for key in everything(stage)]
    return {row["id"] for row in sorted(found, key=lambda row: row["created"], reverse=True)[:number]}


def lists(stage: Stage) -> int:
    """How many lists of runs the engine gave."""
    return len(stage.practice.journal.all("GET", "/v1/flow-runs"))


def test_the_oldest_runs_beyond_the_limit_are_deleted_and_erased_ones_do_not_count(
    cast: Users, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "BATCH", 2)
    for hours in range(8):
        put(cast, 1, days=(hours + 1) / 24)
    indexes.erase(CONSOLE, cast.workspace, "run1")
    limit(cast, 4)
    before = RunIndex.objects.get().version
    tasks.trim(cast.workspace.pk)
    index = RunIndex.objects.get()
    assert run_ids() == ["run0", "run1", "run2", "run3", "run4"]
    assert index.kept_since
    assert timedelta(0) < IndexedRun.objects.get(run_id="run4").created - index.kept_since < HOUR
    assert index.version > before
    indexes.purge()
    assert len(run_ids()) == 5
    put(cast, 1, days=0)
    indexes.purge()
    assert "run4" not in run_ids()


def test_runs_of_one_millisecond_leave_together(cast: Users) -> None:
    created = timezone.now() - HOUR
    for place in range(3):
        put(cast, 1, days=1)
        IndexedRun.objects.filter(run_id=f"run{place}").update(created=created)
    put(cast, 1, days=0)
    limit(cast, 2)
    indexes.purge()
    assert run_ids() == ["run3"]


def test_a_limit_that_was_raised_meanwhile_deletes_nothing(cast: Users) -> None:
    put(cast, 5)
    earlier = limit(cast, 2)
    limit(cast, 100)
    retention.cut(earlier, timezone.now())
    assert RunIndex.objects.get().kept_since is None
    indexes.purge()
    assert len(run_ids()) == 5


def test_a_higher_limit_reads_the_past_again_as_far_as_the_days_allow(cast: Users) -> None:
    put(cast, 3, days=1)
    put(cast, 3, days=40)
    limit(cast, 3)
    indexes.purge()
    since = RunIndex.objects.get().kept_since
    assert since
    assert len(run_ids()) == 3
    have_read()
    [span] = spans.load(limit(cast, 10).spans)
    assert span.before == since
    assert span.after
    assert RunIndex.objects.get().kept_since is None
    have_read(spans=[], kept_since=since)
    # What the days do not keep is not read again either.
    assert not limit(cast, 20, keep_days=10).spans


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_run_that_is_being_written_is_deleted_the_next_time(cast: Users) -> None:
    put(cast, 3, days=100)
    locked, release = threading.Event(), threading.Event()

    def write() -> None:
        with transaction.atomic():
            IndexedRun.objects.filter(run_id="run1").update(status="FAILED")
            locked.set()
            assert release.wait(10)
        connection.close()

    thread = threading.Thread(target=write)
    thread.start()
    assert locked.wait(10)
    indexes.purge()
    assert run_ids() == ["run1"]
    release.set()
    thread.join()
    indexes.purge()
    assert run_ids() == []


@pytest.mark.slow
@on_the_engine
def test_the_past_is_read_as_far_as_the_limit_and_not_compared_beyond_it(stage: Stage) -> None:
    add_past(stage, 400, seconds=600)
    stage.practice.engine.settings.version = "0.72.4"
    start(stage, keep_runs=50)
    before = lists(stage)
    # The first page has more than the index keeps.
    turn(stage)
    assert not [span for span in spans.load(RunIndex.objects.get().spans) if not span.compares]
    assert lists(stage) - before <= 3
    indexes.purge()
    assert set(run_ids()) == newest(stage, 50)
    for version in ("0.72.4", "0.83.0"):
        stage.practice.engine.settings.version = version
        RunIndex.objects.update(compared_at=None)
        turn(stage)
        read_all(stage)
        assert set(run_ids()) == newest(stage, 50)
    assert RunIndex.objects.get().missed == 0
    start(stage, keep_runs=300)
    read_all(stage)
    indexes.purge()
    assert set(run_ids()) == newest(stage, 300)
    assert not IndexedRun.objects.filter(gone_at__isnull=False).exists()


@on_the_engine
def test_a_reader_that_began_before_the_limit_was_lowered_writes_nothing(stage: Stage) -> None:
    index = start(stage, keep_runs=50)
    work = reading._claim(index.pk)
    assert work
    start(stage, keep_runs=10)
    with pytest.raises(reading.Lost):
        reading._read_new(work)
    assert not run_ids()


@pytest.mark.slow
@on_the_engine
def test_the_limit_is_a_setting_with_its_limits_and_is_audited(indexed: Stage) -> None:
    assert "Most runs to keep" in html_of(indexed.browser)
    for wrong, said in (
        ("999", "greater than or equal to 1000"),
        ("5000001", "less than or equal to 5000000"),
        ("", "This field is required"),
    ):
        response = post(indexed, PAGE, **values(indexed, keep_runs=wrong))
        assert response.status_code == 422
        assert said in text_of(response.content)
    post(indexed, PAGE, **values(indexed, keep_runs="2000"))
    assert RunIndex.objects.get().keep_runs == 2000
    event = AuditEvent.objects.filter(action="run_index.start").latest("pk")
    assert event.detail["runs"] == 2000
    assert "Most runs to keep 2,000 " in html_of(indexed.browser)


@pytest.mark.slow
@on_the_engine
def test_pages_say_since_when_runs_are_kept(indexed: Stage) -> None:
    note = "The run index keeps runs since"
    everywhere = ("/w/sales/failures/", "/w/sales/report/?week=2026-W10", "/w/sales/runs/?since=2026-03-01")
    for url in ("/w/sales/runs/", "/w/sales/report/"):
        assert note not in html_of(indexed.browser, url), url
    start(indexed, keep_runs=5)
    RunIndex.objects.update(read_at=timezone.now())
    indexes.purge()
    assert IndexedRun.objects.count() <= 5
    for url in (*everywhere, "/w/sales/runs/plots/"):
        assert note in html_of(indexed.browser, url), url
    assert "Most runs to keep 5, reached: runs since" in html_of(indexed.browser, headers=LIVE)


def test_counts_of_the_past_are_kept_until_a_run_of_the_past_changes(cast: Users) -> None:
    now = timezone.now()
    have_read()

    def save(run_id: str, days: float, **others: str) -> tuple[int, int]:
        """What the number of runs says afterwards, and how many queries it took."""
        rows_of = run(run_id, now - timedelta(days=days)) | others
        work = reading.Work(RunIndex.objects.get(), None, now, "key")  # type: ignore[arg-type]
        RunIndex.objects.update(lease_until=now + HOUR)
        work.index.lease_until = now + HOUR
        reading._write(work, [Run(rows_of)], [])
        index = RunIndex.objects.get()
        with CaptureQueriesContext(connection) as caught:
            number = statistics.number(index, statistics.listed(index))
        return number, len([one for one in caught if "COUNT" in one["sql"]])

    assert save("old", 5) == (1, 2)
    assert save("new", 0) == (2, 1)
    assert save("new", 0, status="SUCCEEDED", updated=now.isoformat()) == (2, 1)
    # An older run that has not ended is written at each look, but counts as before.
    assert save("waiting", 5, status="PAUSED") == (3, 2)
    assert save("waiting", 5, status="PAUSED") == (3, 1)
    assert save("waiting", 5, status="SUCCEEDED", updated=now.isoformat()) == (3, 2)
    indexes.erase(CONSOLE, cast.workspace, "old")
    assert save("new", 0, status="FAILED", updated=(now + HOUR).isoformat()) == (2, 2)
