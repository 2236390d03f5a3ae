"""Reading the engine's runs into the index: over HTTP from the practice engine, which loses and shows rows as the real one does."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone

from practice_engine import ids
from tests import flows
from tests.practice_engine.fixtures import until
from tests.run_index.index_scene import add_past, everything, read_all, start, turn
from tests.stage import Stage, stage
from workflows_ui.audit.services.audit_log import CONSOLE
from workflows_ui.credentials.models import CredentialShare
from workflows_ui.credentials.services import sharing
from workflows_ui.run_index.models import IndexedRun, RunIndex
from workflows_ui.run_index.services import indexes, reading, rows

__all__ = ["stage"]
pytestmark = [
    pytest.mark.both_databases,
    pytest.mark.django_db,
    pytest.mark.parametrize("stage", ["activepieces"], indirect=True),
]
VERSIONS = ("0.72.4", "0.83.0")


@pytest.fixture(params=VERSIONS)
def indexed(stage: Stage, request: pytest.FixtureRequest) -> Stage:
    """A workspace with an index that has read nothing yet, on each version of the engine."""
    stage.practice.engine.settings.version = request.param
    start(stage)
    return stage


def listed(stage: Stage) -> dict[str, str]:
    """The engine's runs by id, with their states."""
    return {run["id"]: run["status"] for run in stage.practice.runs()}


def indexed_states(**conditions: Any) -> dict[str, str]:
    """The index's runs by id, with their states."""
    return dict(IndexedRun.objects.filter(**conditions).values_list("run_id", "status"))


def launch(stage: Stage, flow: str) -> str:
    """Start a run of a flow; its id, once the engine lists it."""
    stage.practice.call("POST", f"/v1/webhooks/{flow}", json={})
    run = stage.practice.started_run()
    until(lambda: run in listed(stage))
    return run


@pytest.mark.sampled(2)
def test_every_run_of_the_engine_is_read_with_its_state(indexed: Stage) -> None:
    turn(indexed)
    assert listed(indexed) == indexed_states()
    assert len(indexed_states()) > 5


@pytest.mark.sampled(2)
def test_the_past_is_read_page_by_page_and_no_run_of_the_same_moment_is_lost(indexed: Stage) -> None:
    add_past(indexed, 700, seconds=1500)
    add_past(indexed, 600, seconds=0, back=timedelta(days=3))
    turns = 0
    while turn(indexed).spans:
        turns += 1
        assert turns < 50
    missing = set(everything(indexed)) - set(indexed_states())
    assert not missing, sorted(indexed.practice.engine.state.runs[one]["created"] for one in missing)


@pytest.mark.sampled(2)
def test_new_runs_are_read_without_reading_the_old_ones_again(indexed: Stage) -> None:
    flow = flows.make(indexed.session.workflows, "More", flows.code("echo"))
    add_past(indexed, 500, seconds=600)
    read_all(indexed)
    run = launch(indexed, flow)
    before = len(indexed.practice.journal.all("GET", "/v1/flow-runs"))
    turn(indexed)
    assert run in indexed_states()
    asked = indexed.practice.journal.all("GET", "/v1/flow-runs")[before:]
    # What is new, and the runs that have not ended.
    assert len(asked) <= 2


@pytest.mark.sampled(2)
def test_a_run_is_followed_to_its_end(indexed: Stage) -> None:
    flow = flows.make(indexed.session.workflows, "Slow", flows.delay(100), flows.code("echo"))
    run = launch(indexed, flow)
    turn(indexed)
    assert indexed_states(run_id=run)[run] in ("QUEUED", "RUNNING", "PAUSED")
    until(lambda: listed(indexed)[run] == "SUCCEEDED")
    IndexedRun.objects.update(check_at=timezone.now())
    turn(indexed)
    row = IndexedRun.objects.get(run_id=run)
    assert (row.status, row.check_at) == ("SUCCEEDED", None)
    assert row.finished


@pytest.mark.sampled(2)
def test_a_comparison_finds_missed_changed_and_deleted_runs(indexed: Stage) -> None:
    past = add_past(indexed, 300, seconds=3600, back=timedelta(days=1))
    read_all(indexed)
    runs = indexed.practice.engine.state.runs
    # A run that appeared late, one that was retried elsewhere, one that was deleted.
    [late] = add_past(indexed, 1, back=timedelta(days=2))
    runs[past[10]] |= {"status": "FAILED", "updated": ids.stamp()}
    del runs[past[90]]
    RunIndex.objects.update(compared_at=timezone.now() - timedelta(days=1))
    turn(indexed)
    read_all(indexed)
    assert late in indexed_states()
    assert indexed_states(run_id=past[10]) == {past[10]: "FAILED"}
    assert IndexedRun.objects.get(run_id=past[90]).gone_at
    assert IndexedRun.objects.filter(gone_at__isnull=False).count() == 1
    assert RunIndex.objects.get().missed == 1


@pytest.mark.sampled(2)
def test_an_engine_that_fails_is_read_with_growing_pauses(indexed: Stage) -> None:
    turn(indexed)
    RunIndex.objects.update(failures=0)
    indexed.practice.server.stop()
    first = turn(indexed)
    assert (first.failures, first.trouble) == (1, "Unreachable")
    second = turn(indexed)
    assert second.failures == 2
    assert second.due_at - timezone.now() > timedelta(seconds=8)
    assert indexed_states()


@pytest.mark.sampled(2)
def test_a_reader_that_was_overtaken_writes_nothing(indexed: Stage) -> None:
    index = turn(indexed)
    work = reading._claim(index.pk) if RunIndex.objects.update(due_at=timezone.now()) else None
    assert work
    RunIndex.objects.update(lease_until=timezone.now() + timedelta(hours=1))
    count = IndexedRun.objects.count()
    add_past(indexed, 5)
    with pytest.raises(reading.Lost):
        reading._read_new(work)
    assert IndexedRun.objects.count() == count


@pytest.mark.sampled(2)
def test_an_erased_run_is_empty_and_is_not_read_again(indexed: Stage) -> None:
    turn(indexed)
    run = IndexedRun.objects.exclude(failed_step="").order_by("pk")[0]
    assert indexes.erase(CONSOLE, indexed.users.workspace, run.run_id)
    indexed.practice.engine.state.runs[run.run_id]["updated"] = ids.stamp()
    turn(indexed)
    row = IndexedRun.objects.get(pk=run.pk)
    assert (row.flow_id, row.flow_name, row.message, row.failed_step) == ("", "", "", "")
    assert row.erased_at
    assert not indexes.erase(CONSOLE, indexed.users.workspace, run.run_id)


@pytest.mark.sampled(2)
def test_an_erased_run_that_is_retried_is_not_requested_in_every_turn(indexed: Stage) -> None:
    turn(indexed)
    run = IndexedRun.objects.exclude(failed_step="").order_by("pk")[0]
    indexes.erase(CONSOLE, indexed.users.workspace, run.run_id)
    rows.check_again(indexed.users.workspace.pk, [run.run_id])
    assert IndexedRun.objects.get(pk=run.pk).check_at is None


@pytest.mark.sampled(2)
def test_runs_are_kept_as_long_as_the_index_says(indexed: Stage) -> None:
    old = add_past(indexed, 3, back=timedelta(days=60))
    read_all(indexed)
    start(indexed, keep_days=30)
    indexes.purge()
    assert not set(old) & set(indexed_states())
    assert indexed_states()
    start(indexed, keep_days=90)
    read_all(indexed)
    assert set(old) <= set(indexed_states())
    indexes.stop(CONSOLE, indexed.users.workspace)
    indexes.purge()
    assert not indexed_states()


@pytest.mark.sampled(2)
def test_messages_are_sealed(indexed: Stage) -> None:
    turn(indexed)
    for row in IndexedRun.objects.exclude(message=""):
        assert row.open("message")
        assert row.open("message") not in row.message
    if indexed.practice.engine.settings.version == "0.83.0":
        assert IndexedRun.objects.exclude(message="").exists()


@pytest.mark.slow
def test_without_a_genuine_share_of_its_credential_an_index_reads_nothing(stage: Stage) -> None:
    start(stage)
    turn(stage)
    read_at = RunIndex.objects.get().read_at
    shares = CredentialShare.objects.all()
    for end in (lambda: shares.update(mark="0" * 64), shares.delete):
        end()
        stage.practice.journal.clear()
        index = turn(stage)
        assert (index.trouble, index.read_at, index.lease_until) == (reading.NOT_SHARED, read_at, None)
        assert not stage.practice.journal.all()
    sharing.write(stage.users.credential, Group.objects.create(name="Next"), stage.users.owner)
    assert turn(stage).trouble == ""
    assert stage.practice.journal.all()
