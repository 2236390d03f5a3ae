"""Starting, ending and erasing, who may see an index, and its size. Reading is in test_reading.py."""

import re
import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests import users as test_users
from tests.practice_engine.fixtures import until
from tests.users import Users
from workflows_ui.accounts.models import User
from workflows_ui.audit.models import AuditEvent
from workflows_ui.audit.services.audit_log import CONSOLE
from workflows_ui.credentials.models import Credential, CredentialShare
from workflows_ui.credentials.services import sharing
from workflows_ui.engine_objects.runs import Run
from workflows_ui.run_index.models import IndexedRun, RunIndex
from workflows_ui.run_index.services import indexes, reading, rows, spans

pytestmark = [pytest.mark.both_databases, pytest.mark.django_db]
DAY = timedelta(days=1)


@pytest.fixture
def cast() -> Users:
    """The owner's credential reads the index, which has read something. The colleague is in two teams, the credential's among them."""
    users = test_users.gather(test_users.workspace("sales"), "secret")
    for name in ("Sales", "Support"):
        users.colleague.groups.add(Group.objects.create(name=name))
    share(users.credential, "Sales")
    indexes.start(CONSOLE, users.workspace, users.credential, keep_days=90)
    have_read()
    return users


def share(credential: Credential, team: str, *, mark: str = "") -> None:
    """The credential acts for a team; with a mark of one's own invention, it does not."""
    sharing.write(credential, Group.objects.get(name=team), credential.owner)
    if mark:
        CredentialShare.objects.filter(credential=credential, team__name=team).update(mark=mark)


def have_read(**values: Any) -> None:
    """A reader has been there."""
    now = timezone.now()
    RunIndex.objects.update(**{"read_at": now, "read_until": now} | values)


def put(cast: Users, number: int, *, days: float = 1, **values: Any) -> None:
    """Runs in the index."""
    first = IndexedRun.objects.count()
    created = timezone.now() - days * DAY
    IndexedRun.objects.bulk_create(
        IndexedRun(workspace=cast.workspace, run_id=f"run{first + one}", created=created, **values)
        for one in range(number)
    )


def run(run_id: str, created: datetime) -> dict[str, Any]:
    """A run as the engine lists it."""
    moment = created.isoformat()
    times = {"created": moment, "updated": moment, "startTime": moment, "finishTime": moment}
    return {"id": run_id, "flowId": "flow", "status": "FAILED", "tags": ["order 4711"], **times}


def assert_empty(row: IndexedRun) -> None:
    """Nothing is kept of the run."""
    assert row.erased_at
    assert {row.flow_id, row.flow_name, row.failed_step, row.message, row.tags, row.parent_id} == {""}
    assert (row.duration, {row.started, row.finished, row.updated, row.check_at}) == (-1, {None})


def see(cast: Users, who: User) -> bool:
    """Whether a person may see the index."""
    return indexes.readable(cast.workspace, who.pk) is not None


def test_the_owner_and_the_teams_of_the_credential_see_the_index(cast: Users) -> None:
    assert see(cast, cast.owner)
    assert see(cast, cast.colleague)
    assert not see(cast, cast.stranger)


def test_one_genuine_share_is_enough_and_a_forged_one_is_not(cast: Users) -> None:
    share(cast.credential, "Support", mark="0" * 64)
    assert see(cast, cast.colleague)
    share(cast.credential, "Sales", mark="0" * 64)
    assert not see(cast, cast.colleague)
    assert see(cast, cast.owner)


def test_an_heir_who_is_in_no_team_of_the_credential_sees_nothing(cast: Users) -> None:
    sharing.pass_on(CONSOLE, cast.credential, cast.stranger)
    assert not see(cast, cast.stranger)
    assert see(cast, cast.colleague)
    cast.stranger.groups.add(Group.objects.get(name="Sales"))
    assert see(cast, cast.stranger)


def test_nothing_is_seen_of_another_engine_or_once_the_credential_is_gone(cast: Users) -> None:
    type(cast.workspace).objects.update(moves=1)
    assert not see(cast, cast.owner)
    type(cast.workspace).objects.update(moves=0)
    cast.credential.delete()
    assert not see(cast, cast.owner)


def test_another_credential_shows_nothing_before_it_has_read(cast: Users) -> None:
    other = test_users.credential(cast.workspace, cast.owner, "another secret", name="Other")
    share(other, "Sales")
    have_read(trouble="Forbidden", failures=3)
    index = indexes.start(CONSOLE, cast.workspace, other, keep_days=90)
    assert not see(cast, cast.colleague)
    assert (index.failures, index.trouble) == (0, "")
    assert index.read_until
    have_read()
    indexes.start(CONSOLE, cast.workspace, other, keep_days=30)
    assert see(cast, cast.colleague)


def test_only_genuinely_shared_credentials_of_the_workspace_may_read(cast: Users) -> None:
    elsewhere = test_users.workspace("elsewhere", project="E" * 21)
    for space, name in ((cast.workspace, "Forged"), (elsewhere, "Elsewhere's")):
        share(
            test_users.credential(space, cast.owner, "secret", name=name), "Sales", mark="0" * 64 * (name == "Forged")
        )
    share(cast.credential, "Support")
    [(credential, teams)] = indexes.choices(cast.workspace).items()
    assert (credential, [team.name for team in teams]) == (cast.credential, ["Sales", "Support"])


def test_counts_of_an_earlier_index_are_not_those_of_the_next(cast: Users) -> None:
    assert indexes.remember(RunIndex.objects.get(), "all", lambda: 5) == 5
    assert indexes.remember(RunIndex.objects.get(), "all", lambda: 6) == 5
    indexes.stop(CONSOLE, cast.workspace)
    assert indexes.remember(indexes.start(CONSOLE, cast.workspace, cast.credential, 90), "all", lambda: 7) == 7


def test_a_longer_time_is_read_again_only_where_something_was_read(cast: Users) -> None:
    indexes.start(CONSOLE, cast.workspace, cast.credential, keep_days=120)
    [span] = spans.load(RunIndex.objects.get().spans)
    assert span.after
    assert span.before
    assert (span.before - span.after).days == 30
    have_read(read_until=None, spans=[])
    assert not indexes.start(CONSOLE, cast.workspace, cast.credential, keep_days=150).spans


def test_a_second_end_ends_nothing(cast: Users) -> None:
    assert indexes.stop(CONSOLE, cast.workspace)
    assert not indexes.stop(CONSOLE, cast.workspace)
    assert AuditEvent.objects.filter(action="run_index.stop").count() == 1


def test_the_runs_of_an_earlier_index_are_deleted_in_batches_by_the_next_reader(
    cast: Users, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "BATCH", 2)
    put(cast, 5)
    indexes.erase(CONSOLE, cast.workspace, "run3")
    indexes.stop(CONSOLE, cast.workspace)
    indexes.start(CONSOLE, cast.workspace, cast.credential, keep_days=90)
    assert indexes.progress(RunIndex.objects.get()).runs == 0
    # The engine does not answer.
    reading.read(cast.workspace.pk)
    assert [row.run_id for row in IndexedRun.objects.all()] == ["run3"]


def test_an_erased_run_is_not_read_again_if_the_index_is_changed_or_started_again(cast: Users) -> None:
    created = timezone.now() - 40 * DAY
    rows.save(RunIndex(workspace=cast.workspace), [Run(run("secret", created))], timezone.now(), "key")
    assert indexes.erase(CONSOLE, cast.workspace, "secret")
    indexes.start(CONSOLE, cast.workspace, cast.credential, keep_days=30)
    indexes.purge()
    indexes.stop(CONSOLE, cast.workspace)
    indexes.purge()
    indexes.start(CONSOLE, cast.workspace, cast.credential, keep_days=90)
    rows.save(RunIndex(workspace=cast.workspace), [Run(run("secret", created))], timezone.now(), "key")
    assert_empty(IndexedRun.objects.get())
    event = AuditEvent.objects.get(action="run_index.erase")
    assert (event.subject_type, event.subject_id) == ("runs", "secret")


def test_transactions_that_write_an_index_and_its_runs_lock_the_index_first(cast: Users) -> None:
    """Otherwise two of them could wait for each other."""

    def written(caught: CaptureQueriesContext) -> list[str]:
        """The tables of indexes and runs, in the order in which they were written."""
        tables = re.findall(
            r"(?:UPDATE|INSERT INTO|DELETE FROM) \"(workflows_ui_(?:runindex|indexedrun))\"",
            "\n".join(one["sql"] for one in caught),
        )
        return [table.removeprefix("workflows_ui_") for table in tables]

    now = timezone.now()
    RunIndex.objects.update(due_at=now)
    work = reading._claim(cast.workspace.pk)
    assert work
    with CaptureQueriesContext(connection) as caught:
        reading._write(work, [Run(run("run0", now))], [])
    assert written(caught)[:2] == ["runindex", "indexedrun"]
    with CaptureQueriesContext(connection) as caught:
        indexes.erase(CONSOLE, cast.workspace, "run0")
    assert written(caught)[:2] == ["runindex", "indexedrun"]
    put(cast, 1)
    with CaptureQueriesContext(connection) as caught:
        reading._delete_earlier(work)
    assert written(caught)[:2] == ["runindex", "indexedrun"]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_run_that_is_erased_while_it_is_written_stays_empty(cast: Users) -> None:
    created = timezone.now()
    rows.save(RunIndex(workspace=cast.workspace), [Run(run("secret", created))], created, "key")

    def write() -> None:
        later = run("secret", created) | {"updated": (created + DAY).isoformat()}
        with transaction.atomic():
            rows.save(RunIndex(workspace=cast.workspace), [Run(later)], created, "key")
        connection.close()

    thread = threading.Thread(target=write)
    with transaction.atomic():
        assert indexes.erase(CONSOLE, cast.workspace, "secret")
        thread.start()
        until(one_waits)
    thread.join()
    assert_empty(IndexedRun.objects.get())


def one_waits() -> bool:
    """Whether a transaction waits for another one."""
    with connection.cursor() as cursor:
        # PostgreSQL shows a transaction what it saw first.
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute("SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
        return cursor.fetchone() is not None


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_settings_that_are_saved_while_runs_are_written_are_not_in_the_readers_way(
    cast: Users, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, saved, real = timezone.now(), list[RunIndex](), rows.save
    RunIndex.objects.update(due_at=now)
    work = reading._claim(cast.workspace.pk)
    assert work

    def begin() -> None:
        saved.append(indexes.start(CONSOLE, cast.workspace, cast.credential, 30))
        connection.close()

    thread = threading.Thread(target=begin)

    def save(*arguments: Any) -> Any:
        thread.start()
        until(one_waits)
        return real(*arguments)

    monkeypatch.setattr(rows, "save", save)
    reading._write(work, [Run(run("run0", now))], [])
    thread.join()
    assert len(saved) == 1
    assert IndexedRun.objects.filter(run_id="run0").exists()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_people_who_start_the_first_index_at_the_same_time_start_one(cast: Users) -> None:
    RunIndex.objects.all().delete()
    begun: list[RunIndex] = []

    def begin() -> None:
        begun.append(indexes.start(CONSOLE, cast.workspace, cast.credential, 30))
        connection.close()

    thread = threading.Thread(target=begin)
    with transaction.atomic():
        indexes.start(CONSOLE, cast.workspace, cast.credential, 90)
        thread.start()
        until(one_waits)
    thread.join()
    assert len(begun) == 1
    assert RunIndex.objects.get().keep_days == 30


def test_runs_without_an_index_are_deleted_and_those_of_others_stay(cast: Users) -> None:
    put(cast, 2)
    elsewhere = test_users.workspace("elsewhere", project="E" * 21)
    IndexedRun.objects.create(workspace=elsewhere, run_id="run", created=timezone.now())
    indexes.purge()
    assert set(IndexedRun.objects.values_list("workspace_id", flat=True)) == {cast.workspace.pk}


def test_a_viewer_who_arrives_during_a_turn_gets_the_next_one_soon(cast: Users) -> None:
    RunIndex.objects.update(due_at=timezone.now())
    work = reading._claim(cast.workspace.pk)
    assert work
    indexes.watch(RunIndex.objects.get())
    reading._finish(work.index, "")
    assert RunIndex.objects.get().due_at < timezone.now() + 2 * reading.WATCHED


def test_viewers_are_noted_only_once_in_a_while(cast: Users) -> None:
    RunIndex.objects.update(due_at=timezone.now() + reading.IDLE)
    indexes.watch(RunIndex.objects.get())
    index = RunIndex.objects.get()
    assert index.due_at <= timezone.now()
    with CaptureQueriesContext(connection) as caught:
        indexes.watch(index)
    assert not [one for one in caught if one["sql"].startswith("UPDATE")]


def test_a_viewer_does_not_shorten_the_pause_of_a_failing_engine(cast: Users) -> None:
    later = timezone.now() + timedelta(minutes=5)
    RunIndex.objects.update(due_at=later, failures=4)
    indexes.watch(RunIndex.objects.get())
    assert RunIndex.objects.get().due_at == later
    indexes.read_soon(cast.workspace)
    index = RunIndex.objects.get()
    assert index.due_at < later
    assert index.failures == 4


def test_progress_is_the_part_of_the_time_that_was_read(cast: Users) -> None:
    now = timezone.now()
    put(cast, 3, days=10)
    have_read(spans=spans.dump([spans.Span(None, now - 30 * DAY), spans.Span(now - DAY, now, compares=True)]))
    progress = indexes.progress(RunIndex.objects.get())
    assert (progress.runs, progress.share) == (3, 33)
    assert progress.filled_to == now - 30 * DAY
    assert progress.oldest == IndexedRun.objects.order_by("created")[0].created
    # What is older than the index keeps does not count.
    have_read(spans=spans.dump([spans.Span(None, now - 200 * DAY)]))
    progress = indexes.progress(RunIndex.objects.get())
    assert (progress.share, progress.filled_to) == (100, None)


def test_an_index_that_has_read_nothing_is_at_the_beginning_and_an_empty_engine_is_complete(cast: Users) -> None:
    have_read(read_at=None, read_until=None)
    assert indexes.progress(RunIndex.objects.get()).share == 0
    have_read(read_until=None)
    assert indexes.progress(RunIndex.objects.get()).share == 100


def test_many_runs_are_counted_once_a_minute_and_few_each_time(cast: Users, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexes, "FEW", 3)
    index = RunIndex.objects.get()
    put(cast, 3)
    assert indexes.progress(index).runs == 3
    put(cast, 2)
    assert indexes.progress(index).runs == 5
    put(cast, 2)
    with CaptureQueriesContext(connection) as caught:
        assert indexes.progress(index).runs == 5
    assert not [one for one in caught if "COUNT" in one["sql"]]
    indexes.erase(CONSOLE, cast.workspace, "run0")
    assert indexes.progress(index).runs == 6


@pytest.mark.postgres
def test_the_size_on_disk_is_the_share_of_the_tables(cast: Users) -> None:
    elsewhere = test_users.workspace("elsewhere", project="E" * 21)
    IndexedRun.objects.bulk_create(
        IndexedRun(workspace=elsewhere, run_id=f"run{one}", created=timezone.now()) for one in range(300)
    )
    put(cast, 100)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE workflows_ui_indexedrun")
        cursor.execute(
            "SELECT sum(pg_total_relation_size(name::regclass))::bigint "
            "FROM unnest(ARRAY['workflows_ui_indexedrun', 'workflows_ui_runword', 'workflows_ui_runtext', "
            "'workflows_ui_runvalues']) AS name"
        )
        [whole] = cursor.fetchone()
    assert indexes.progress(RunIndex.objects.get()).bytes == whole // 4
