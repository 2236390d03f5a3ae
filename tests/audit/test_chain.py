"""The audit log's chain: sealed by one at a time, late rows too, proved whole, and every tampering named."""

import re
import threading
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.models import F
from pytest_django import Settings

from tests import audit_guard
from tests.logs import lines
from workflows_ui import tasks
from workflows_ui.audit.models import AuditChain, AuditCheckpoint, AuditEvent
from workflows_ui.audit.services import audit_log, hash_chain, verification as audit_verification
from workflows_ui.audit.services.audit_log import CONSOLE
from workflows_ui.audit.services.hash_chain import Head
from workflows_ui.core import clock

pytestmark = pytest.mark.both_databases

EVENTS = "workflows_ui_auditevent"
OLD, NEW = "old-key-" * 5, "new-key-" * 5


def _sql(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def _rows(count: int, *, sealed: bool = True) -> list[int]:
    made = [audit_log.record(CONSOLE, "odd.row", object_id=str(one), place=one).pk for one in range(count)]
    if sealed:
        assert hash_chain.seal() == count
    return made


def _aged(days: int, *, only: int) -> None:
    """Rows 1 to `only` as if written so many days ago, before they are sealed."""
    for row in AuditEvent.objects.order_by("pk")[:only]:
        row.at -= timedelta(days=days)
        with audit_guard.away():
            _sql(f"UPDATE {EVENTS} SET at = %s, canonical = %s WHERE id = %s", row.at, row.compute_canonical(), row.pk)


def _problem() -> str:
    return audit_verification.verify().problem


def test_an_empty_log_holds(db: None) -> None:
    proof = audit_verification.verify()
    assert (proof.problem, proof.rows, str(proof.head)) == ("", 0, "0:")
    assert hash_chain.seal() == 0


def test_rows_are_chained_in_order_and_hold(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hash_chain, "BATCH", 3)
    made = _rows(8)
    assert list(AuditEvent.objects.order_by("number").values_list("pk", "number")) == list(
        zip(made, range(1, 9), strict=True)
    )
    proof = audit_verification.verify()
    assert (proof.problem, proof.rows, proof.head) == ("", 8, hash_chain.head())
    assert hash_chain.seal() == 0


def test_a_row_that_commits_late_is_sealed_in_the_next_batch(db: None) -> None:
    first, late, third = _rows(3, sealed=False)
    with audit_guard.away():
        # As a transaction that began before and commits after: its row is not seen by the first batch.
        _sql(f"UPDATE {EVENTS} SET number = -1 WHERE id = %s", late)
    hash_chain.seal()
    with audit_guard.away():
        _sql(f"UPDATE {EVENTS} SET number = NULL WHERE id = %s", late)
    assert hash_chain.seal() == 1
    assert list(AuditEvent.objects.order_by("number").values_list("pk", flat=True)) == [first, third, late]
    assert _problem() == ""


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_transaction_that_commits_after_younger_rows_were_sealed_is_sealed_next() -> None:
    written, go_on = threading.Event(), threading.Event()

    def late() -> None:
        with transaction.atomic():
            audit_log.record(CONSOLE, "odd.row", object_id="late")
            written.set()
            go_on.wait(20)
        connection.close()

    thread = threading.Thread(target=late)
    thread.start()
    assert written.wait(20)
    _rows(3)
    go_on.set()
    thread.join()
    assert hash_chain.seal() == 1
    last = AuditEvent.objects.order_by("-number")[0]
    assert (last.object_id, last.number) == ("late", 4)
    assert last.pk < AuditEvent.objects.get(number=3).pk
    assert _problem() == ""


def test_while_one_seals_another_stays_away_and_a_killed_one_is_followed_after_its_lease(db: None) -> None:
    _rows(2, sealed=False)
    AuditChain.objects.create(pk=1, holder="another", lease_until=clock.now() + timedelta(seconds=5))
    assert hash_chain.seal() == 0
    AuditChain.objects.update(lease_until=clock.now() - timedelta(seconds=1))
    assert hash_chain.seal() == 2
    assert _problem() == ""


def test_a_sealer_that_dies_in_the_middle_leaves_nothing_half_done(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    _rows(5, sealed=False)
    written = hash_chain._write

    def dies(marks: list[tuple[int, str, str, int]]) -> None:
        written(marks[:3])
        raise KeyboardInterrupt

    monkeypatch.setattr(hash_chain, "_write", dies)
    with pytest.raises(KeyboardInterrupt), transaction.atomic():
        hash_chain.seal()
    assert AuditEvent.objects.filter(number=None).count() == 5
    monkeypatch.setattr(hash_chain, "_write", written)
    AuditChain.objects.update(lease_until=None)
    assert hash_chain.seal() == 5
    assert _problem() == ""


@pytest.mark.django_db(transaction=True)
def test_writers_and_several_sealers_at_once_make_one_whole_chain() -> None:
    wrong: list[BaseException] = []

    def run(act: Callable[[], object], times: int) -> None:
        try:
            for _ in range(times):
                act()
        except BaseException as problem:  # noqa: BLE001  (shown below)
            wrong.append(problem)
        finally:
            connection.close()

    writers = [threading.Thread(target=run, args=(lambda: audit_log.record(CONSOLE, "odd.row"), 25)) for _ in range(4)]
    sealers = [threading.Thread(target=run, args=(hash_chain.seal, 20)) for _ in range(3)]
    for thread in (*writers, *sealers):
        thread.start()
    for thread in (*writers, *sealers):
        thread.join()
    assert not wrong
    hash_chain.seal()
    proof = audit_verification.verify()
    assert (proof.problem, proof.rows, proof.unsealed) == ("", 100, 0)


def test_the_clock_seals_and_the_head_is_logged_once_a_day(db: None, caplog: pytest.LogCaptureFixture) -> None:
    _rows(2, sealed=False)
    tasks.seal()
    assert hash_chain.log_head()
    assert not hash_chain.log_head()
    AuditChain.objects.update(told_at=clock.now() - timedelta(hours=25))
    assert hash_chain.log_head()
    assert [line["head"] for line in lines(caplog) if line["event"] == "audit.head"] == [str(hash_chain.head())] * 2


def _swap(one: int, other: int) -> None:
    _sql(f"UPDATE {EVENTS} SET number = 900 WHERE number = %s", one)
    _sql(f"UPDATE {EVENTS} SET number = %s WHERE number = %s", one, other)
    _sql(f"UPDATE {EVENTS} SET number = %s WHERE number = 900", other)


def _insert_between() -> None:
    _sql(f"UPDATE {EVENTS} SET number = number + 100 WHERE number > 4")
    _sql(f"UPDATE {EVENTS} SET number = number - 99 WHERE number > 100")
    made = audit_log.record(CONSOLE, "odd.row", object_id="put in")
    _sql(
        f"UPDATE {EVENTS} SET number = 5, mark = %s, key = %s WHERE id = %s",
        "0" * 64,
        hash_chain.current_key_id(),
        made.pk,
    )


def _renumber_after_removal() -> None:
    _sql(f"DELETE FROM {EVENTS} WHERE number = 5")
    _sql(f"UPDATE {EVENTS} SET number = number + 100 WHERE number > 5")
    _sql(f"UPDATE {EVENTS} SET number = number - 101 WHERE number > 100")


def _rewrite_text() -> None:
    """Changes the columns and the canonical text to match."""
    row = AuditEvent.objects.get(number=5)
    row.outcome = "refused"
    _sql(f"UPDATE {EVENTS} SET outcome = 'refused', canonical = %s WHERE number = 5", row.compute_canonical())


TAMPERINGS: dict[str, tuple[Callable[[], None], str]] = {
    "outcome": (
        lambda: _sql(f"UPDATE {EVENTS} SET outcome = 'x' WHERE number = 5"),
        r"number 5,.* was changed: outcome",
    ),
    "detail": (
        lambda: _sql(f"UPDATE {EVENTS} SET detail = %s WHERE number = 5", '{"place": true}'),
        r"number 5,.* was changed: detail",
    ),
    "time": (
        lambda: _sql(f"UPDATE {EVENTS} SET at = %s WHERE number = 5", clock.now() - timedelta(days=1)),
        r"number 5,.* was changed: at",
    ),
    "second object": (
        lambda: _sql(f"UPDATE {EVENTS} SET subject_type = 'flows', subject_id = 'another' WHERE number = 5"),
        r"number 5,.* was changed: subject_id, subject_type",
    ),
    "canonical": (lambda: _sql(f"UPDATE {EVENTS} SET canonical = '[]' WHERE number = 5"), r"number 5,.* was changed"),
    "canonical text rewritten": (_rewrite_text, r"number 5\) does not follow"),
    "mark": (lambda: _sql(f"UPDATE {EVENTS} SET mark = %s WHERE number = 5", "0" * 64), r"number 5\) does not follow"),
    "id": (lambda: _sql(f"UPDATE {EVENTS} SET id = 99999 WHERE number = 5"), r"number 5\) does not follow"),
    "removed": (lambda: _sql(f"DELETE FROM {EVENTS} WHERE number = 5"), r"number 5 is missing before row \d+"),
    "several removed": (lambda: _sql(f"DELETE FROM {EVENTS} WHERE number IN (1, 2)"), r"numbers 1 to 2 are missing"),
    "unsealed": (lambda: _sql(f"UPDATE {EVENTS} SET number = NULL WHERE number = 5"), r"number 5 is missing"),
    "removed and renumbered": (_renumber_after_removal, r"number 5\) does not follow"),
    "inserted": (_insert_between, r"number 5\) does not follow"),
    "swapped": (lambda: _swap(5, 6), r"number 5\) does not follow"),
    "end cut off": (
        lambda: _sql(f"DELETE FROM {EVENTS} WHERE number > 7"),
        r"ends at number 7, but its signed head is at 9",
    ),
    "all gone": (lambda: _sql(f"DELETE FROM {EVENTS}"), r"ends at number 0, but its signed head is at 9"),
    "head moved back": (
        lambda: _sql("UPDATE workflows_ui_auditchain SET number = 7"),
        r"signed head of the chain is forged",
    ),
    "head gone": (lambda: _sql("DELETE FROM workflows_ui_auditchain"), r"signed head of the chain was removed"),
}


@pytest.mark.parametrize("how", TAMPERINGS)
def test_a_tampering_is_named(db: None, how: str) -> None:
    _rows(9)
    assert _problem() == ""
    act, words = TAMPERINGS[how]
    with audit_guard.away():
        act()
    assert re.search(words, _problem())
    with pytest.raises(CommandError, match="does not hold"):
        call_command("verify_audit", stdout=StringIO(), stderr=StringIO())


def test_what_goes_on_after_a_tampering_does_not_hide_it(db: None) -> None:
    _rows(9)
    with audit_guard.away():
        _sql(f"DELETE FROM {EVENTS} WHERE number > 7")
    _rows(3)
    assert "the numbers 8 to 9 are missing" in _problem()


def test_a_head_that_was_written_down_shows_an_end_cut_off_with_its_head_put_back(db: None) -> None:
    _rows(5)
    before = AuditChain.objects.get()
    _rows(4)
    known_head = hash_chain.head()
    with audit_guard.away():
        _sql(f"DELETE FROM {EVENTS} WHERE number > 5")
    before.save()
    assert _problem() == "", "nothing in the database tells of it"
    assert "the end was cut off" in audit_verification.verify(known_head).problem
    _rows(4)
    assert f"The head {known_head} is not in this chain" in audit_verification.verify(known_head).problem


def test_a_head_that_was_written_down_is_found_again(db: None) -> None:
    _rows(3)
    known_head = hash_chain.head()
    _rows(2)
    out = StringIO()
    call_command("verify_audit", head=str(known_head), stdout=out)
    assert "holds: 5 rows in the chain" in out.getvalue()
    assert f"head {hash_chain.head()}" in out.getvalue()
    assert "--head" not in out.getvalue()


@pytest.mark.parametrize("head", ["5", "x:y", f"-1:{'a' * 64}", ":", "5:short"])
def test_a_head_that_does_not_exist_is_shown(db: None, head: str) -> None:
    with pytest.raises(CommandError, match="NUMBER:MARK"):
        call_command("verify_audit", head=head)


def test_rows_that_wait_for_their_mark_for_long_are_shown(db: None) -> None:
    _rows(2, sealed=False)
    assert audit_verification.verify().warnings == []
    _aged(1, only=2)
    (warning,) = audit_verification.verify().warnings
    assert warning.startswith("2 rows wait")


def test_old_rows_are_pruned_behind_a_signed_checkpoint_and_the_rest_holds(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hash_chain, "PART", 3)
    _rows(10, sealed=False)
    _aged(4000, only=7)
    hash_chain.seal()
    assert hash_chain.prune() == 7
    assert list(AuditCheckpoint.objects.order_by("number").values_list("number", "removed")) == [(3, 3), (6, 3), (7, 1)]
    remaining = AuditEvent.objects.exclude(action="audit.prune")
    assert sorted(remaining.values_list("detail__place", flat=True)) == [7, 8, 9]
    assert AuditEvent.objects.filter(action="audit.prune").count() == 3
    hash_chain.seal()
    proof = audit_verification.verify()
    assert (proof.problem, proof.rows, proof.removed) == ("", 6, 7)
    assert hash_chain.prune() == 0


def test_a_row_that_is_not_old_keeps_everything_behind_it(db: None) -> None:
    _rows(5, sealed=False)
    _aged(4000, only=5)
    with audit_guard.away():
        young = AuditEvent.objects.order_by("pk")[2]
        young.at = clock.now()
        _sql(
            f"UPDATE {EVENTS} SET at = %s, canonical = %s WHERE id = %s", young.at, young.compute_canonical(), young.pk
        )
    hash_chain.seal()
    assert hash_chain.prune() == 2
    assert _problem() == ""


def test_what_is_not_sealed_is_not_pruned(db: None) -> None:
    _rows(3, sealed=False)
    _aged(4000, only=3)
    AuditChain.objects.create(pk=1)
    assert hash_chain.prune() == 0


CHECKPOINTS: dict[str, tuple[str, str]] = {
    "moved": (
        "UPDATE workflows_ui_auditcheckpoint SET until = '2020-01-01 00:00:00+00:00'",
        "checkpoint at number 3 is forged",
    ),
    "count": ("UPDATE workflows_ui_auditcheckpoint SET removed = removed + 1", "checkpoint at number 3 is forged"),
    "first gone": (
        "DELETE FROM workflows_ui_auditcheckpoint WHERE number = 3",
        "checkpoint at number 6 is forged, or one before",
    ),
    "last gone": ("DELETE FROM workflows_ui_auditcheckpoint WHERE number = 7", "number 7 is missing before"),
    "all gone": ("DELETE FROM workflows_ui_auditcheckpoint", "numbers 1 to 7 are missing"),
    "more gone": (f"DELETE FROM {EVENTS} WHERE number = 8", "number 8 is missing"),
}


@pytest.mark.parametrize("how", CHECKPOINTS)
def test_a_forged_checkpoint_is_named(db: None, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    monkeypatch.setattr(hash_chain, "PART", 3)
    _rows(10, sealed=False)
    _aged(4000, only=7)
    hash_chain.seal()
    hash_chain.prune()
    hash_chain.seal()
    statement, words = CHECKPOINTS[how]
    with audit_guard.away():
        _sql(statement)
    assert words in _problem()


def test_a_head_from_before_the_pruning_is_said_to_be_pruned(db: None) -> None:
    _rows(5, sealed=False)
    _aged(4000, only=5)
    hash_chain.seal()
    known_head = Head(3, AuditEvent.objects.get(number=3).mark)
    hash_chain.prune()
    proof = audit_verification.verify(known_head)
    assert proof.problem == ""
    assert "was pruned" in proof.warnings[0]


def test_a_new_key_goes_on_and_the_old_marks_still_hold(db: None, settings: Settings) -> None:
    settings.AUDIT_KEY = [OLD]
    _rows(3)
    settings.AUDIT_KEY = [NEW, OLD]
    _rows(3)
    assert AuditEvent.objects.filter(key=hash_chain.key_id(NEW)).count() == 3
    assert _problem() == ""
    settings.AUDIT_KEY = [NEW]
    assert f"The key {hash_chain.key_id(OLD)} that made a mark is not in AUDIT_KEY" in _problem()
    settings.AUDIT_KEY = ["another-" * 5]
    assert "is not in AUDIT_KEY" in _problem()


def test_a_mark_of_one_key_cannot_be_passed_off_as_that_of_another(db: None, settings: Settings) -> None:
    settings.AUDIT_KEY = [NEW, OLD]
    _rows(3)
    with audit_guard.away():
        _sql(f"UPDATE {EVENTS} SET key = %s WHERE number = 2", hash_chain.key_id(OLD))
    assert "number 2) does not follow" in _problem()


def test_parts_of_a_mark_cannot_run_into_one_another(settings: Settings) -> None:
    key = hash_chain.current_key_id()
    assert hash_chain.row_digest(key, Head(0, "ab"), 1, "c") != hash_chain.row_digest(key, Head(0, "a"), 1, "bc")
    assert hash_chain.row_digest(key, Head(1, ""), 1, "c") != hash_chain.row_digest(key, Head(0, ""), 11, "c")


def test_numbers_have_no_holes_after_many_batches(db: None) -> None:
    for _ in range(4):
        _rows(3)
    assert not AuditEvent.objects.exclude(number__lte=12).exists()
    assert AuditEvent.objects.filter(number=F("number")).count() == 12
