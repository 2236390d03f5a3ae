"""Runs found by parts of words, where a manager has chosen that words are stored as plain text; and what is never stored so."""

import json

import pytest
from django.db import connection
from django.utils import timezone

from practice_engine import ids
from tests.resource_admin.test_export import ask, work
from tests.run_index.index_scene import launched, read_all, start, turn
from tests.run_index.test_indexed_list import RUNS, page
from tests.run_index.test_indexed_search import fail, listed
from tests.run_index.test_run_index_page import PAGE, html_of, shared, values as form_values
from tests.run_index.test_values import _in_one_turn, ran, settle
from tests.stage import Stage, stage
from workflows_ui import apps
from workflows_ui.audit.models import AuditEvent
from workflows_ui.audit.services.audit_log import CONSOLE
from workflows_ui.launches.models import Launch
from workflows_ui.launches.services import run_search
from workflows_ui.members.models import Role
from workflows_ui.run_index import tasks
from workflows_ui.run_index.models import IndexedRun, Kept, RunIndex, RunText, RunWord, Search
from workflows_ui.run_index.services import indexes, launch_words, parts, rewriting

__all__ = ["_in_one_turn", "shared", "stage"]
pytestmark = [
    pytest.mark.both_databases,
    pytest.mark.django_db,
    pytest.mark.parametrize("stage", ["activepieces"], indirect=True),
]


def plain(stage: Stage, **values: int) -> RunIndex:
    """An index that is searched by parts of words; also changes one."""
    return start(stage, **{"search": Search.PLAIN, **values})


def write_again(stage: Stage) -> None:
    """Workers write until no words are left."""
    for _turn in range(3):
        tasks.read_launches(stage.users.workspace.pk)
    assert not launch_words.due()


def texts() -> str:
    """All that is stored as plain text."""
    return "\n".join(RunText.objects.values_list("text", flat=True))


@pytest.mark.left_out
def test_parts_of_words_find_runs_without_case_and_accents_and_wildcards_are_letters(stage: Stage) -> None:
    message = "Đơn hàng order-4711 of shop ab_cd was REFUSED by payments.example.com in 47 steps"
    found = fail(stage, 2, message, tags=["night-run"])
    plain(stage)
    read_all(stage)
    for text in ("471", "er-47", "FUSE", "đơn 4711", "ents.exam", "ght-r", "harge 4711", "b_c", "47 471"):
        assert listed(stage.browser, text) == set(found), text
    # Words of two letters are whole words, and signs between words separate them.
    for text in ("472", "71 was", "bxc", "b%c", "a%d", "%", "_", "__", "471 nothing", "off payments"):
        assert listed(stage.browser, text) == set(), text
    hits = stage.browser.get("/w/sales/search/", {"q": "ents.exam"}).content.decode()
    assert "Runs with these words" in hits
    assert all(run in hits for run in found)


@pytest.mark.left_out
def test_only_builders_find_parts_of_words(stage: Stage) -> None:
    fail(stage, 1, "Customer ORD-471182 is unknown")
    plain(stage)
    read_all(stage)
    assert listed(stage.browser, "rd-4711")
    browser = stage.as_role(Role.LAUNCHER)
    assert not listed(browser, "rd-4711")
    assert "Runs with these words" not in browser.get("/w/sales/search/", {"q": "rd-4711"}).content.decode()


@pytest.mark.left_out
def test_values_are_found_by_parts_of_their_words_until_they_are_deleted(stage: Stage) -> None:
    (run,) = ran(stage)
    plain(stage, kept=Kept.VALUES)
    settle(stage)
    for text in ("ord-4711", "an@exampl", "iao han", "9876", "555000"):
        assert run in listed(stage.browser, text), text
    assert listed(stage.browser, "555000") == {run}
    assert RunWord.objects.count() == 0
    plain(stage, kept=Kept.NAMES)
    tasks.trim(stage.users.workspace.pk)
    assert listed(stage.browser, "rd-4711") == set()
    assert "ord-471182" not in texts()


@pytest.mark.left_out
def test_words_of_messages_and_of_values_are_searched_together_and_written_apart(stage: Stage) -> None:
    (run,) = ran(stage)
    state = stage.practice.engine.state.runs[run]
    state |= {"status": "FAILED", "failedStep": {"name": "step_1", "displayName": "Charge", "message": "It was odd"}}
    plain(stage, kept=Kept.VALUES)
    settle(stage)
    assert listed(stage.browser, "harge rd-4711") == {run}
    # Retried with success: nothing of the error is left, and the values are read again.
    state |= {"status": "SUCCEEDED", "failedStep": None, "updated": timezone.now().isoformat()}
    RunIndex.objects.update(compared_at=timezone.now(), values_calls=10_000, values_minute=timezone.now())
    IndexedRun.objects.filter(run_id=run).update(check_at=timezone.now())
    turn(stage)
    assert listed(stage.browser, "harge") & {run} == set()
    assert listed(stage.browser, "rd-4711") == {run}
    RunIndex.objects.update(values_minute=None)
    settle(stage)
    assert listed(stage.browser, "rd-4711") == {run}


def hold_no_secrets(run: str) -> None:
    """Neither the plain text of this run nor any other has secrets."""
    of_run, stored = RunText.objects.get(run__run_id=run).text, texts()
    assert not [text for text in ("9173", "zebra", "4417") if text in of_run]
    assert not [text for text in ("giraffe", "panther", "hunter2") if text in stored]


@pytest.mark.left_out
def test_secrets_are_never_stored_as_plain_text(stage: Stage) -> None:
    said = "your pin 9173, pin-9173 and code zebra-4417 (code:zebra-4417x) were right"
    (run,) = ran(stage, output={"said": said, "receipt": 5550001})
    (failed,) = fail(stage, 1, "The code giraffe-5518 with password=panther-6619 is wrong")
    marks = [{"path": ["pin"]}, {"path": ["code"]}]
    launched(stage, run, json.dumps({"pin": "9173", "code": "zebra-4417"}), secret_marks=marks)
    (other,) = fail(stage, 2, "The key is wrong: api_key=panther-6619")[1:]
    stage.practice.engine.state.runs[failed]["failedStep"]["message"] = "The code giraffe-5518 is wrong"
    launched(stage, failed, '{"code": "giraffe-5518"}', secret_marks=[{"path": ["code"]}])
    plain(stage, kept=Kept.VALUES)
    settle(stage)
    read_all(stage)
    write_again(stage)
    hold_no_secrets(run)
    assert listed(stage.browser, "555000") == {run}
    assert {failed, other} <= listed(stage.browser, "harge")
    # Neither are they when the words are written again.
    start(stage, kept=Kept.VALUES)
    write_again(stage)
    plain(stage, kept=Kept.VALUES)
    write_again(stage)
    assert listed(stage.browser, "555000") == {run}
    hold_no_secrets(run)


@pytest.mark.left_out
def test_messages_of_launches_that_only_steps_name_are_not_rewritten(stage: Stage) -> None:
    odd, usual = fail(stage, 2, "The code giraffe-5518 is wrong")
    state = stage.practice.engine.state.runs
    state[usual]["failedStep"]["message"] = "Customer 471182 is unknown"
    launched(stage, "R" * 21, '{"code": "giraffe-5518"}', secret_marks=[{"path": ["code"]}])
    call = {"body": {}, "headers": {run_search.HEADER: Launch.objects.get().pk}}
    state[odd]["steps"] = {"trigger": {"type": "PIECE_TRIGGER", "status": "SUCCEEDED", "output": call}}
    start(stage, kept=Kept.NAMES)
    read_all(stage)
    settle(stage)
    assert not listed(stage.browser, "giraffe-5518")
    # While the names are kept, once they are not, and once the launch is gone.
    for setting in (Kept.NAMES, Kept.NOTHING, Kept.NOTHING):
        plain(stage, kept=setting)
        tasks.trim(stage.users.workspace.pk)
        write_again(stage)
        assert "giraffe" not in texts()
        assert listed(stage.browser, "7118") == {usual}
        assert {odd, usual} <= listed(stage.browser, "harge")
        start(stage, kept=setting)
        write_again(stage)
        assert not listed(stage.browser, "giraffe-5518")
        assert listed(stage.browser, "471182") == {usual}
        if setting == Kept.NOTHING:
            Launch.objects.all().delete()


@pytest.mark.slow
def test_counts_of_a_search_are_not_kept_beyond_a_change_of_it(stage: Stage) -> None:
    fail(stage, 1, "Customer 471182 is unknown")
    plain(stage)
    read_all(stage)
    start(stage)

    def count(number: int) -> list[int]:
        index = RunIndex.objects.get()
        return [indexes.remember(index, "found", lambda: number, past=past) for past in (False, True)]

    assert count(0) == count(1) == [0, 0]
    write_again(stage)
    assert count(2) == [2, 2]


@pytest.mark.left_out
def test_the_search_is_changed_in_the_background_without_the_engine(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rewriting, "BATCH", 20)
    (run,) = ran(stage)
    (failed,) = fail(stage, 1, "Customer ORD-471182 is unknown")
    start(stage, kept=Kept.VALUES)
    read_all(stage)
    settle(stage)
    stage.practice.server.stop()
    turn(stage)
    assert {run, failed} == listed(stage.browser, "ORD-471182")
    plain(stage, kept=Kept.VALUES)
    number = IndexedRun.objects.count()
    assert f"Parts of words, still to be prepared: {number} runs" in html_of(stage.browser)
    assert "words of older runs are still being prepared" in page(stage.browser, "?search=rd-4711")
    assert listed(stage.browser, "rd-4711") == set()
    write_again(stage)
    assert RunIndex.objects.get().words_left == 0
    assert {run, failed} == listed(stage.browser, "rd-4711")
    assert "being prepared" not in page(stage.browser, "?search=rd-4711")
    assert "still to be prepared" not in html_of(stage.browser)
    assert not RunWord.objects.exists()
    start(stage, kept=Kept.VALUES)
    write_again(stage)
    assert not RunText.objects.exists()
    assert {run, failed} == listed(stage.browser, "ORD-471182")
    assert listed(stage.browser, "rd-4711") == set()


@pytest.mark.left_out
@pytest.mark.parametrize("search", [Search.PLAIN, Search.KEYED])
def test_values_that_are_read_before_a_change_of_the_search_is_done_leave_the_words_of_messages(
    stage: Stage, search: Search
) -> None:
    (run,) = ran(stage)
    error = {"name": "step_1", "displayName": "Charge", "message": "Customer CUST-88 is unknown"}
    stage.practice.engine.state.runs[run] |= {"status": "FAILED", "failedStep": error}
    earlier = Search.KEYED if search == Search.PLAIN else Search.PLAIN
    start(stage, search=earlier)
    read_all(stage)
    assert listed(stage.browser, "CUST-88") == {run}
    start(stage, search=search, kept=Kept.VALUES)
    settle(stage)
    write_again(stage)
    assert run in listed(stage.browser, "ORD-471182")
    assert listed(stage.browser, "CUST-88") == {run}
    assert not (RunWord if search == Search.PLAIN else RunText).objects.exists()


@pytest.mark.left_out
def test_values_that_did_not_fit_are_read_again_after_a_change_of_the_search(stage: Stage) -> None:
    (run,) = ran(stage, output={"receipt": 5550001, "note": "x " * 900})
    start(stage, kept=Kept.VALUES, values_kb=1)
    settle(stage)
    plain(stage, kept=Kept.VALUES, values_kb=1)
    write_again(stage)
    assert listed(stage.browser, "555000") == set()
    settle(stage)
    assert listed(stage.browser, "555000") == {run}


@pytest.mark.slow
def test_a_reader_of_the_earlier_way_writes_nothing_after_a_change(stage: Stage) -> None:
    fail(stage, 1, "Customer ORD-471182 is unknown")
    start(stage)
    read_all(stage)
    plain(stage)
    now = timezone.now()
    claimed = RunIndex.words_lease.claim(RunIndex.objects.all(), stage.users.workspace.pk, launch_words.LEASE, now)
    assert claimed is not None
    start(stage)
    assert rewriting.write_some(claimed, claimed.open("word_key")) is False
    assert not RunText.objects.exists()
    assert RunIndex.objects.get().words_left > 0


@pytest.mark.slow
def test_an_erased_run_and_an_ended_index_leave_no_plain_text(stage: Stage) -> None:
    run, other = fail(stage, 2, "Customer ORD-471182 is unknown")
    plain(stage)
    read_all(stage)
    assert indexes.erase(CONSOLE, stage.users.workspace, run)
    assert listed(stage.browser, "rd-4711") == {other}
    assert texts().count("ord-471182") == 1
    indexes.stop(CONSOLE, stage.users.workspace)
    tasks.purge()
    assert not RunText.objects.exists()
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM workflows_ui_runtext_parts WHERE workflows_ui_runtext_parts MATCH '\"ord-471182\"'"
            )
            assert cursor.fetchone() == (0,)


@pytest.mark.left_out
def test_of_very_many_runs_the_newest_are_listed_and_the_list_says_so(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    newest, *found = fail(stage, 4, "Customer ORD-471182 is unknown")
    fail(stage, 1, "Customer ORD-5 is unknown", created=ids.stamp())
    plain(stage)
    read_all(stage)
    more = "Not all runs with these words are listed"
    monkeypatch.setattr(parts, "NEWEST", 1)
    assert listed(stage.browser, "rd-4711") == set(found)
    # A word that the newest runs have, and one that they have not.
    assert listed(stage.browser, "customer rd-4711") == set(found)
    assert listed(stage.browser, "customer ord") == {newest, *found}
    assert more not in page(stage.browser, "?search=rd-4711")
    assert listed(stage.browser, "cust ORD-471182") == set(found)
    assert listed(stage.browser, "is rd-4711") == set(found)
    assert listed(stage.browser, "d_471182") == set()
    monkeypatch.setattr(parts, "FOUND", 1)
    assert 0 < len(listed(stage.browser, "rd-4711")) < 3
    assert more in page(stage.browser, "?search=rd-4711")
    assert more in stage.browser.get(f"{RUNS}plots/", {"search": "rd-4711"}).content.decode()
    assert says_that_it_is_cut(stage)
    monkeypatch.setattr(parts, "NEWEST", 500)
    monkeypatch.setattr(parts, "ENOUGH", 1)
    assert listed(stage.browser, "rd-4711") == set(found)
    assert more not in page(stage.browser, "?search=rd-4711")
    assert not says_that_it_is_cut(stage)


def says_that_it_is_cut(stage: Stage) -> bool:
    """Whether an export of the search says that there is more than the file has."""
    job = work(ask(stage.browser, f"{RUNS}export/csv/?search=rd-4711"))
    return "The list is longer" in stage.browser.get(f"/w/sales/jobs/{job.pk}/export/").content.decode()


@pytest.mark.left_out
def test_a_manager_chooses_the_search_knowingly_and_it_is_audited(shared: Stage) -> None:
    assert shared.browser.post(PAGE, form_values(shared, search="1")).status_code == 303
    assert RunIndex.objects.get().search == Search.PLAIN
    assert AuditEvent.objects.filter(action="run_index.start").latest("pk").detail["search"] == "plain"
    read_all(shared)
    text = html_of(shared.browser)
    assert "Search Parts of words" in text
    assert "A copy of the database then shows the words of errors, steps and tags" in text
    assert "Words of messages, steps and tags are kept as plain text, for the search." in text
    assert 'name="search" value="1"' in shared.browser.get(PAGE).content.decode()


def test_without_the_extension_parts_of_words_are_not_offered(shared: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    assert apps.check_parts(databases=["default"]) == []
    monkeypatch.setattr(parts, "available", lambda: False)
    [warning] = apps.check_parts(databases=["default"])
    assert "pg_trgm" in warning.msg
    assert "CREATE EXTENSION pg_trgm" in html_of(shared.browser)
    response = shared.browser.post(PAGE, form_values(shared, search="1"))
    assert response.status_code == 422
    assert not RunIndex.objects.exists()


def test_on_sqlite_parts_are_found_again_after_a_migration_has_made_the_table_again(stage: Stage) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("only SQLite's tables are made again, without their triggers")
    with connection.cursor() as cursor:
        for change in ("added", "deleted", "changed"):
            cursor.execute(f"DROP TRIGGER workflows_ui_runtext_{change}")
    assert not parts.available()
    (run,) = fail(stage, 1, "Customer 471182 is unknown")
    plain(stage)
    read_all(stage)
    assert not parts.texts_with(RunText, ["7118"]).exists()
    parts.prepare()
    assert parts.available()
    assert [row.run.run_id for row in parts.texts_with(RunText, ["7118"])] == [run]


@pytest.mark.postgres
def test_indexes_of_another_schema_are_not_those_of_the_console(stage: Stage) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA elsewhere")
        for table in ("workflows_ui_runtext", "workflows_ui_launchtext"):
            cursor.execute(f"DROP INDEX {table}_parts")
            cursor.execute(f"CREATE TABLE elsewhere.{table} (text text)")
            cursor.execute(f"CREATE INDEX {table}_parts ON elsewhere.{table} (text)")
    assert not parts.available()
    parts.prepare()
    assert parts.available()


@pytest.mark.postgres
def test_a_database_user_who_may_not_create_the_extension_can_migrate(stage: Stage) -> None:
    def run(*statements: str) -> None:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    run("DROP EXTENSION pg_trgm CASCADE", "CREATE ROLE console_limited", "SET LOCAL ROLE console_limited")
    parts.prepare()
    assert not parts.available()
    run("RESET ROLE", "DROP ROLE console_limited")
    parts.prepare()
    assert parts.available()


@pytest.mark.postgres
def test_postgresql_finds_parts_by_the_index(stage: Stage) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    for wanted in (["471"], [" 47 "], ["b_c", "payments"]):
        assert "workflows_ui_runtext_parts" in parts.texts_with(RunText, wanted).explain(), wanted
