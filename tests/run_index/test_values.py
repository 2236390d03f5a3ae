"""Inputs and outputs of runs in the index: what is kept by which setting, masked and sealed, found by words, and deleted again."""

import hashlib
import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from practice_engine import ids
from tests.run_index.index_scene import add_past, launched, start, turn
from tests.run_index.test_indexed_list import RUNS
from tests.run_index.test_indexed_search import listed
from tests.stage import Stage, stage
from workflows_ui.audit.models import AuditEvent
from workflows_ui.audit.services.audit_log import CONSOLE
from workflows_ui.core import paths
from workflows_ui.credentials.services import sharing
from workflows_ui.members.models import Role
from workflows_ui.run_index import tasks
from workflows_ui.run_index.models import LATER, IndexedRun, Kept, RunIndex, RunValues, RunWord
from workflows_ui.run_index.services import indexes, kept_steps, objects, values, words

__all__ = ["stage"]
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.parametrize("stage", ["activepieces"], indirect=True),
]
BODY = {
    "orderNo": "ORD-471182",
    "customer": {"email": "an@example.com", "password": "hunter2-hunter2"},
    "amount": 98765,
}


def steps(body: Any = None, **others: Any) -> dict[str, Any]:
    """The steps of a run that was sent this body."""
    call = {"body": BODY if body is None else body, "queryParams": {}, "headers": {"user-agent": "curl-77812"}}
    return {
        "trigger": {"type": "PIECE_TRIGGER", "status": "SUCCEEDED", "input": {}, "output": call},
        "step_1": {
            "type": "CODE",
            "status": "SUCCEEDED",
            "duration": 12,
            "input": {"note": "Giao hàng"},
            "output": {"receipt": 5550001},
        }
        | others,
    }


def ran(stage: Stage, number: int = 1, *, back: timedelta = timedelta(0), **step: Any) -> list[str]:
    """Ended runs with steps; their ids, the newest first."""
    found = add_past(stage, number, back=back)
    for run in found:
        stage.practice.engine.state.runs[run]["steps"] = steps(**step)
    return found


def keep(stage: Stage, setting: Kept = Kept.VALUES, **limits: int) -> RunIndex:
    """An index that keeps as much; also changes one."""
    return start(stage, kept=setting, **limits)


def get_calls(stage: Stage, *kinds: str) -> int:
    """How often a single run was requested; also other objects."""
    calls = [one.path.rpartition("/") for one in stage.practice.journal.all("GET")]
    return len([key for path, _slash, key in calls if path in ("/v1/flow-runs", *kinds) and len(key) == 21])


def settle(stage: Stage) -> None:
    """Turns until nothing is left to read, without comparisons."""
    RunIndex.objects.update(compared_at=timezone.now())
    index = turn(stage)
    while values.backlog(index):
        index = turn(stage)


@pytest.fixture(autouse=True)
def _in_one_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """The budget is large enough for all runs of the sample company."""
    for name, value in (("TURN", 500), ("MINUTE", 5000), ("BUDGET", 60)):
        monkeypatch.setattr(values, name, value)


@pytest.mark.slow
@pytest.mark.both_databases
def test_values_are_found_by_whole_words_numbers_and_ids(stage: Stage) -> None:
    (run,) = ran(stage)
    keep(stage)
    settle(stage)
    for text in ("ORD-471182", "471182", "an@example.com", "98765", "5550001", "giao hang", "order 98765", "order no"):
        assert run in listed(stage.browser, text), text
    for text in ("47118", "9876", "hunter2", "hunter2-hunter2", "77812"):
        assert run not in listed(stage.browser, text), text
    page = stage.browser.get("/w/sales/search/", {"q": "ORD-471182"}).content.decode()
    assert "Runs with these words" in page
    assert (
        f"Succeeded, today {timezone.localtime() - timedelta(minutes=1):%H:}" in page or "Succeeded, yesterday" in page
    )
    assert run in page


@pytest.mark.slow
def test_only_builders_find_values_and_other_launchers_see_none_of_a_launch_that_they_may_not_open(
    stage: Stage,
) -> None:
    (run,) = ran(stage)
    launched(stage, run, json.dumps(BODY))
    team = stage.users.colleague.groups.create(name="Reporting")
    sharing.write(stage.users.credential, team, stage.users.owner)
    keep(stage)
    settle(stage)
    browser = stage.as_role(Role.LAUNCHER)
    assert not listed(browser, "ORD-471182")
    assert run not in browser.get("/w/sales/search/", {"q": "ORD-471182"}).content.decode()
    stage.practice.server.stop()
    turn(stage)
    for url in (f"{RUNS}{run}/", f"{RUNS}{run}/steps/0/", f"{RUNS}{run}/file/"):
        found = browser.get(url).content.decode()
        assert "ORD-471182" not in found, url
        assert "an@example.com" not in found, url
    assert "ORD-471182" in stage.browser.get(f"{RUNS}{run}/").content.decode()


@pytest.mark.slow
def test_a_run_that_is_gone_is_shown_with_the_steps_that_are_kept_and_no_secrets(stage: Stage) -> None:
    run, other = ran(stage, 2)
    keep(stage)
    settle(stage)
    del stage.practice.engine.state.runs[run]
    page = stage.browser.get(f"{RUNS}{run}/").content.decode()
    assert "ORD-471182" in page
    assert "Giao hàng" in page
    assert "hunter2" not in page
    assert "without its steps" not in page
    version = stage.practice.engine.state.runs[other]["flowVersionId"]
    title = stage.practice.engine.state.versions[version]["trigger"]["nextAction"]["displayName"]
    assert f">{title}<" in page
    loop: dict[str, Any] = {"iterations": [{"step_2": {"output": {"inner": {"iterations": [{"step_3": {}}]}}}}]}
    text = kept_steps.reduced({"steps": {"step_1": {"output": loop}}}, {"step_2": "Each"}, Kept.VALUES, 5000)
    assert kept_steps.displayed(text, Kept.VALUES)["step_1"][kept_steps.INNER] == {"step_2": "Each"}
    assert "5550001" in stage.browser.get(f"{RUNS}{run}/steps/1/").content.decode()
    assert json.loads(stage.browser.get(f"{RUNS}{run}/file/").content)["steps"]["step_1"]["output"] == {
        "receipt": 5550001
    }
    stage.practice.server.stop()
    turn(stage)
    page = stage.browser.get(f"{RUNS}{other}/").content.decode()
    assert "ORD-471182" in page
    assert "This is what the run index knew at" in page


@pytest.mark.slow
def test_steps_that_the_engine_writes_late_are_read_when_they_are_there(stage: Stage) -> None:
    ended, late = ran(stage, 2)
    state = stage.practice.engine.state.runs
    state[ended]["finishTime"] = ids.stamp()
    written, state[late]["steps"] = state[late]["steps"], {}
    keep(stage)
    RunIndex.objects.update(compared_at=timezone.now())
    turn(stage)
    assert IndexedRun.objects.get(run_id=ended).values_read == 0
    assert IndexedRun.objects.get(run_id=late).values_read == LATER
    state[late]["steps"] = written
    turn(stage)
    assert listed(stage.browser, "ORD-471182") == {late}


@pytest.mark.slow
def test_names_are_kept_without_values_and_nothing_is_kept_at_first(stage: Stage) -> None:
    (run,) = ran(stage, errorMessage="It was odd")
    start(stage)
    settle(stage)
    assert not get_calls(stage)
    keep(stage, Kept.NAMES)
    settle(stage)
    row = IndexedRun.objects.get(run_id=run)
    steps = values.steps(row)
    assert steps["step_1"].pop("displayName")
    assert steps["step_1"] == {
        "type": "CODE",
        "status": "SUCCEEDED",
        "duration": 12,
        "errorMessage": "It was odd",
        "input": {"note": "(not kept)"},
        "output": {"receipt": "(not kept)"},
    }
    content = row.values.open("content")
    assert "orderNo" in content
    assert not any(value in content for value in ("ORD-471182", "an@example.com", "Giao hàng", "98765"))
    assert not RunWord.objects.filter(of_value=True).exists()
    assert not listed(stage.browser, "ORD-471182")


@pytest.mark.slow
def test_values_are_sealed_and_a_list_of_words_finds_nothing_in_a_copy_of_the_database(stage: Stage) -> None:
    (run,) = ran(stage)
    keep(stage)
    settle(stage)
    index = RunIndex.objects.get()
    row = IndexedRun.objects.get(run_id=run)
    stored = set(RunWord.objects.filter(run=row, of_value=True).values_list("word", flat=True))
    spoken = words.split("ORD-471182 an@example.com 5550001")
    assert set(words.hashes(index.open("word_key"), spoken)) <= stored
    guesses = {int.from_bytes(hashlib.sha256(word.encode()).digest()[:8]) >> 1 for word in spoken}
    guesses |= set(words.hashes("", spoken)) | set(words.hashes(words.new_key(), spoken))
    assert not guesses & stored
    dump = repr(list(RunValues.objects.values())) + repr(list(IndexedRun.objects.values()))
    assert "ORD-471182" not in dump
    assert "hunter2-hunter2" not in row.values.open("content")
    # A ciphertext that was moved to another run does not open.
    other = RunValues.objects.exclude(run=row)[0]
    RunValues.objects.filter(pk=other.pk).update(content=row.values.content)
    assert values.steps(other.run) == {}


@pytest.mark.slow
def test_secret_inputs_of_a_launch_are_neither_kept_nor_found(stage: Stage) -> None:
    (run,) = ran(stage, output={"said": "your pin 9173 and code zebra-4417 were right", "receipt": 5550001})
    payload = {"pin": "9173", "code": "zebra-4417"}
    marks = [{"path": ["pin"]}, {"path": ["code"]}]
    launched(stage, run, json.dumps(payload), secret_marks=marks)
    keep(stage)
    settle(stage)
    assert "zebra-4417" not in IndexedRun.objects.get(run_id=run).values.open("content")
    for text in ("zebra-4417", "9173", "zebra"):
        assert run not in listed(stage.browser, text), text
    assert run in listed(stage.browser, "5550001")


@pytest.mark.slow
def test_steps_are_read_newest_first_within_the_budget_of_a_turn_and_of_a_minute(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(values, "TURN", 3)
    monkeypatch.setattr(values, "MINUTE", 5)
    # The calls for names and uses have a budget of their own.
    monkeypatch.setattr(objects, "CALLS", 0)
    ran(stage, 8)
    keep(stage)
    RunIndex.objects.update(compared_at=timezone.now())
    turn(stage)
    # The titles of the steps, which all these runs share, take a call, too.
    assert get_calls(stage, "/v1/flows") == 3
    assert get_calls(stage) == 2
    read = IndexedRun.objects.filter(values__isnull=False).values_list("run_id", flat=True)
    assert set(read) <= {row.run_id for row in IndexedRun.objects.order_by("-created")[:3]}
    turn(stage)
    turn(stage)
    assert get_calls(stage, "/v1/flows") == 5
    RunIndex.objects.update(values_minute=timezone.now() - timedelta(minutes=1))
    turn(stage)
    assert get_calls(stage, "/v1/flows") == 8
    left = values.backlog(RunIndex.objects.get())
    assert left == IndexedRun.objects.filter(values__isnull=True, check_at=None).count() > 0
    page = " ".join(stage.browser.get("/w/sales/run-index/").content.decode().split())
    assert f"<dt>Inputs and outputs to read</dt><dd>{left} runs</dd>" in page
    assert "The newest come first, at most 5 a minute." in page
    assert "<dt>Size of inputs and outputs</dt><dd>about " in page


@pytest.mark.slow
@pytest.mark.both_databases
def test_a_run_that_was_retried_at_the_engine_is_read_again(stage: Stage) -> None:
    (run,) = ran(stage)
    keep(stage)
    settle(stage)
    state = stage.practice.engine.state.runs[run]
    state["steps"] = steps({"orderNo": "ORD-900000"})
    state["updated"] = ids.stamp()
    settle(stage)
    assert run in listed(stage.browser, "ORD-900000")
    assert run not in listed(stage.browser, "ORD-471182")


@pytest.mark.slow
@pytest.mark.both_databases
def test_erasing_a_run_and_keeping_less_delete_values_and_their_words(stage: Stage) -> None:
    run, other = ran(stage, 2)
    keep(stage)
    settle(stage)
    assert indexes.erase(CONSOLE, stage.users.workspace, run)
    row = IndexedRun.objects.get(run_id=run)
    assert not RunValues.objects.filter(run=row).exists()
    assert not RunWord.objects.filter(run=row).exists()
    stage.practice.engine.state.runs[run]["updated"] = ids.stamp()
    turn(stage)
    assert not RunValues.objects.filter(run=row).exists()
    keep(stage, Kept.NOTHING)
    tasks.trim(stage.users.workspace.pk)
    assert not RunValues.objects.exists()
    assert not RunWord.objects.filter(of_value=True).exists()
    assert IndexedRun.objects.filter(run_id=other, values_read=0).exists()
    details = [event.detail for event in AuditEvent.objects.filter(action="run_index.start").order_by("pk")]
    assert [one["kept"] for one in details] == ["values", "nothing"]


@pytest.mark.slow
def test_values_are_deleted_after_their_days_and_read_again_if_they_are_kept_for_longer(stage: Stage) -> None:
    (old,) = ran(stage, back=timedelta(days=9))
    keep(stage, values_days=12)
    settle(stage)
    assert old in listed(stage.browser, "ORD-471182")
    keep(stage, values_days=5)
    indexes.purge()
    assert old not in listed(stage.browser, "ORD-471182")
    assert IndexedRun.objects.filter(run_id=old, erased_at=None).exists()
    settle(stage)
    assert not RunValues.objects.filter(run__run_id=old).exists()
    keep(stage, values_days=12)
    settle(stage)
    assert RunValues.objects.filter(run__run_id=old).exists()


@pytest.mark.slow
def test_a_smaller_limit_deletes_larger_values_and_keeps_smaller_ones(stage: Stage) -> None:
    (run,) = ran(stage, output={"blob": "x" * 3000})
    keep(stage)
    settle(stage)
    row = IndexedRun.objects.get(run_id=run)
    assert row.values.size > 3000
    keep(stage, values_kb=1)
    tasks.trim(stage.users.workspace.pk)
    settle(stage)
    run_values = RunValues.objects.get(run=row)
    assert run_values.size <= 1024
    shown = values.steps(row)
    assert shown["step_1"]["output"] == str(kept_steps.TOO_LARGE)
    assert paths.pick(shown, "trigger.output.body.orderNo") == "ORD-471182"


@pytest.mark.slow
def test_a_run_that_the_engine_does_not_return_delays_no_other_and_is_read_once_more(stage: Stage) -> None:
    bad, good = ran(stage, 2)
    stage.practice.engine.state.runs[bad]["steps"] = {"huge": {"output": "x" * 60_000_000}}
    keep(stage)
    RunIndex.objects.update(compared_at=timezone.now())
    turn(stage)
    assert IndexedRun.objects.get(run_id=bad).values_read == LATER
    settle(stage)
    assert RunValues.objects.filter(run__run_id=good).exists()
    assert not RunValues.objects.filter(run__run_id=bad).exists()
    assert IndexedRun.objects.get(run_id=bad).values_read == Kept.VALUES
    assert RunIndex.objects.get().trouble == ""


@pytest.mark.slow
@pytest.mark.both_databases
def test_a_run_whose_steps_cannot_be_stored_is_put_off_and_the_others_are_read(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, bad = ran(stage, back=timedelta(minutes=5)) + ran(stage)
    keep(stage)
    real = values.save

    def broken(index: RunIndex, row: IndexedRun, *others: Any) -> bool:
        if row.run_id == bad:
            raise OverflowError("a value out of range")
        return real(index, row, *others)

    monkeypatch.setattr(values, "save", broken)
    turns = [turn(stage).trouble for _number in range(4)]
    assert turns[0] == "OverflowError"
    assert turns[-1] == ""
    assert RunValues.objects.filter(run__run_id=old).exists()


@pytest.mark.slow
def test_odd_steps_are_kept_as_far_as_they_can_be(stage: Stage) -> None:
    odd: list[Any] = [
        None,
        [],
        {"trigger": None, "step_1": 7},
        {"x" * 10_000: {"status": "<b>", "output": {"a\ud800": "\x00<script>"}, "errorMessage": {"a": [1]}}},
        {
            f"step_{n}": {"status": "FAILED", "output": {"iterations": [{"a": {"output": n}}, None, 3]}}
            for n in range(400)
        },
        {"deep": {"output": json.loads("[" * 90 + "]" * 90)}},
    ]
    for setting in (Kept.NAMES, Kept.VALUES):
        for value in odd:
            text = kept_steps.reduced({"steps": value}, {"step_1": "One"}, setting, 2048)
            assert len(text.encode()) <= 2048
            assert isinstance(kept_steps.displayed(text, setting), dict)
    # The practice engine counts steps, and cannot count the others.
    sent = odd[3:]
    runs = add_past(stage, len(sent))
    for run, value in zip(runs, sent, strict=True):
        stage.practice.engine.state.runs[run]["steps"] = value
    keep(stage)
    settle(stage)
    for run in runs:
        del stage.practice.engine.state.runs[run]
        assert stage.browser.get(f"{RUNS}{run}/").status_code == 200


@pytest.mark.slow
def test_a_search_finds_values_as_soon_as_they_are_read(stage: Stage) -> None:
    (run,) = ran(stage)
    keep(stage, Kept.NOTHING)
    settle(stage)
    keep(stage)
    # What a search counts is kept until runs change.
    assert run not in listed(stage.browser, "ORD-471182")
    settle(stage)
    assert run in listed(stage.browser, "ORD-471182")


@pytest.mark.slow
def test_addresses_of_decisions_and_outputs_of_waiting_steps_are_neither_kept_nor_found(stage: Stage) -> None:
    key = "W4itp0int" + "x" * 12
    address = f"https://e.example/api/v1/flow-runs/{'R' * 21}/waitpoints/{key}?action=approve"
    (run,) = ran(stage, output={"approvalLink": address, "text": f"Decide here: {address}"})
    chain = stage.practice.engine.state.runs[run]["steps"]
    chain["step_2"] = {"type": "PIECE", "status": "PAUSED", "input": {}, "output": {"approved": "prematurely"}}
    keep(stage)
    settle(stage)
    content = RunValues.objects.get(run__run_id=run).open("content")
    assert "Decide here" in content
    assert key not in content
    assert "prematurely" not in content
    assert run in listed(stage.browser, "decide")
    for text in (key, "waitpoints", "prematurely"):
        assert run not in listed(stage.browser, text), text
