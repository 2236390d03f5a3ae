"""Retried runs: their times count from the retry, an earlier try's error is not shown as today's, and what cannot be known is not said.

The times are those of recordings: 0.83 sets `startTime` to the retry's moment, 0.72.4 leaves it and the old `finishTime`.
"""

import datetime
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.runs.test_run_starters import ONE
from tests.stub_engine import StubEngine, identity, run, text
from tests.users import Users
from workflows_ui.audit.models import AuditEvent
from workflows_ui.engine_objects.runs import Run
from workflows_ui.runs import reading as run_reading, times as run_times

FAILED_STEP = {"name": "step_1", "displayName": "Parse", "message": "Error: Error: row 7\n    at x.js:1"}
STEPS: dict[str, Any] = {
    "trigger": {"type": "PIECE_TRIGGER", "status": "SUCCEEDED"},
    "step_1": {"type": "CODE", "status": "FAILED", "duration": 4, "errorMessage": "Error: Error: row 7\n    at x.js:1"},
}
RETRY = datetime.datetime(2026, 11, 26, 21, 20, 14, tzinfo=datetime.UTC)
CREATED = "2026-11-26T21:17:37.778Z"
#: Queued again, as the two versions have it, and ended after the retry.
NEW: dict[str, Any] = {
    "created": CREATED,
    "startTime": "2026-11-26T21:20:14.086Z",
    "failedStep": FAILED_STEP,
    "steps": STEPS,
}
OLD: dict[str, Any] = {
    "created": CREATED,
    "startTime": "2026-11-26T21:17:37.786Z",
    "failedStep": {"name": "step_1", "displayName": "Parse"},
}
NEW_QUEUED = run(status="QUEUED", finishTime=None, **NEW)
OLD_QUEUED = run(
    status="QUEUED", finishTime="2026-11-26T21:17:37.823Z", updated="2026-11-26T21:20:14.380Z", steps={}, **OLD
)
NEW_ENDED = run(status="FAILED", finishTime="2026-11-26T21:20:14.347Z", **NEW)
OLD_ENDED = run(status="FAILED", finishTime="2026-11-26T21:20:14.443Z", steps=STEPS, **OLD)
BOTH = pytest.mark.parametrize("found", [NEW_ENDED, OLD_ENDED], ids=["0.83", "0.72"])
AGAIN = pytest.mark.parametrize("found", [NEW_QUEUED, OLD_QUEUED], ids=["0.83", "0.72"])


def retried_here(users: Users) -> None:
    """The audit rows of a retry, as the page of actions leaves them."""
    same = {
        "workspace": users.workspace,
        "user": users.owner,
        "action": "runs.retry",
        "object_type": "runs",
        "object_id": identity(1),
    }
    begun = AuditEvent.objects.create(**same, outcome="begun", at=RETRY)
    AuditEvent.objects.create(**same, outcome="done", begun=begun, at=RETRY + datetime.timedelta(seconds=1))


@BOTH
def test_a_retried_run_counts_from_its_retry(
    owner: Client, stub_engine: StubEngine, users: Users, found: dict[str, Any]
) -> None:
    retried_here(users)
    stub_engine.runs = [found]
    page = text(owner.get(ONE).content)
    assert "It was retried and failed at “Parse” after " in page
    assert " ms." in page.partition("It was retried and failed at “Parse” after ")[2][:12]
    for false in ("2 min", "3 min", "156 "):
        assert false not in page.partition("<main")[2]
    assert "Its times count from then." in page
    listed = text(owner.get("/w/sales/runs/").content)
    assert "2 min" not in listed.partition("<tbody")[2]


@AGAIN
def test_a_run_that_is_queued_again_waits_since_its_retry_and_shows_no_old_error(
    owner: Client, stub_engine: StubEngine, found: dict[str, Any]
) -> None:
    stub_engine.runs = [found]
    for address in (ONE, "/w/sales/runs/"):
        page = text(owner.get(address).content).partition("<main")[2]
        assert "row 7" not in page.partition('id="raw"')[0]
        assert "Parse" not in page.partition('id="raw"')[0]
    page = text(owner.get(ONE).content)
    assert "It was retried, and is queued in the engine." in page
    assert "Started</" not in page  # a blank fact is left out
    assert run_reading.waited(Run(found), RETRY + datetime.timedelta(seconds=61)) == pytest.approx(61_000, abs=500)
    assert run_reading.length(Run(found)) is None


def test_a_run_that_runs_again_shows_the_failed_step_as_one_of_an_earlier_try(
    owner: Client, stub_engine: StubEngine
) -> None:
    stub_engine.runs = [NEW_QUEUED | {"status": "RUNNING"}]
    page = text(owner.get(ONE).content).partition("<main")[2].partition('id="raw"')[0]
    assert "It was retried and is running." in page
    assert "Failed in an earlier try" in page
    assert "row 7" not in page
    assert "View failed step" not in page


def test_a_run_cancelled_while_it_waited_for_its_second_try_shows_no_error(
    owner: Client, stub_engine: StubEngine
) -> None:
    stub_engine.runs = [NEW_QUEUED | {"status": "CANCELED"}]
    page = text(owner.get(ONE).content).partition("<main")[2].partition('class="steps-list"')[0]
    assert "It was cancelled before it ended." in page
    assert "row 7" not in page


def test_steps_of_earlier_tries_do_not_add_up_to_the_latest_one(owner: Client, stub_engine: StubEngine) -> None:
    """As recording `run_retry_succeeded_from_failed_step` leads to: 72 ms from the retry on, beside steps that worked longer."""
    done = {"type": "CODE", "status": "SUCCEEDED", "duration": 52}
    found = run(
        startTime="2026-11-26T21:20:18.280Z", finishTime="2026-11-26T21:20:18.281Z", steps={"a": done, "b": done | {"duration": 0.4}}
    )  # fmt: skip
    times = run_times.Times(Run(found), {})
    assert times.mixed
    assert [(part.kind, part.duration) for part in times.parts()] == [("tries", "52 ms")]
    stub_engine.runs = [found]
    page = text(owner.get(ONE).content)
    table = page.partition('id="times"')[2].partition("</table>")[0]
    assert table.count("<td>52 ms</td>") == 1  # the step's own time, and not when the next one began
    assert "it was probably retried in the engine" in page
    assert "The run was retried." not in page
    assert "Engine overhead" not in page


def test_a_run_retried_elsewhere_on_an_old_engine_states_no_length_that_its_steps_do_not_explain(
    owner: Client, stub_engine: StubEngine
) -> None:
    stub_engine.runs = [OLD_ENDED]
    page = text(owner.get(ONE).content)
    assert "It failed at “Parse”." in page
    assert "Not explained by the steps" in page
    assert "Engine overhead" not in page


@pytest.mark.parametrize("status", ["INTERNAL_ERROR", "MEMORY_LIMIT_EXCEEDED"])
def test_an_ended_run_without_a_start_says_none(owner: Client, stub_engine: StubEngine, status: str) -> None:
    """As recording `run_odd_INTERNAL_ERROR_Engine_killed`: the trigger is there, the step that was at work is not."""
    steps = {"trigger": {"type": "PIECE_TRIGGER", "status": "SUCCEEDED", "output": {"body": {}}}}
    stub_engine.runs = [run(status=status, startTime=None, failedStep=None, steps=steps)]
    page = text(owner.get(ONE).content)
    assert "a step that was running then may be missing here" in page
    started = page.partition("Started</")[2].partition("Ended</")[0]
    assert "<time" not in started
    assert run_times.Times(Run(stub_engine.runs[0]), {}).total is None


@pytest.mark.parametrize(("status", "step"), [("TIMEOUT", "RUNNING"), ("CANCELED", "PAUSED")])
def test_a_step_is_not_at_work_in_a_run_that_has_ended(
    owner: Client, stub_engine: StubEngine, status: str, step: str
) -> None:
    """Recordings `run_odd_TIMEOUT_Endless_flow` and `run_get_after_cancel` leave the step as it was."""
    stub_engine.runs = [run(status=status, steps={"step_1": {"type": "CODE", "status": step}})]
    page = text(owner.get(ONE).content).partition('class="steps-list"')[2]
    assert "Did not finish" in page
    assert "status-dot-animated" not in page
    stub_engine.runs = [run(status=step, finishTime=None, steps={"step_1": {"type": "CODE", "status": step}})]
    assert "Did not finish" not in text(owner.get(ONE).content)


def loop(rounds: int, failed: int) -> dict[str, Any]:
    """A loop as the engines leave it, whose own state does not tell that a step in it failed."""
    good, bad = {"type": "CODE", "status": "SUCCEEDED", "duration": 1}, STEPS["step_1"]
    turns = [{"step_0": good, "step_1": bad if number == failed else good} for number in range(1, failed + 1)]
    return {"type": "LOOP_ON_ITEMS", "status": "SUCCEEDED", "output": {"index": failed, "iterations": turns[:rounds]}}


@pytest.mark.parametrize("failed", [1, 3, 900])
def test_a_failing_loop_shows_the_failed_round_opened_and_a_link_leads_to_its_step(
    owner: Client, stub_engine: StubEngine, failed: int
) -> None:
    steps = {"trigger": STEPS["trigger"], "loop": loop(1000, failed)}
    stub_engine.runs = [run(status="FAILED", steps=steps, failedStep=FAILED_STEP)]
    page = text(owner.get(ONE).content)
    place = f"step-1-{failed}-1"
    assert f'<a class="btn" href="#{place}" id="to-failed-step">' in page
    assert f'<details class="run-step" id="{place}" open>' in page
    assert f'<details class="run-round" id="step-1-{failed}" open>' in page
    assert '<details class="run-step" id="step-1" open>' in page
    assert "A step in it failed" in page


def test_a_failed_step_that_a_page_has_no_room_for_has_its_own_page(owner: Client, stub_engine: StubEngine) -> None:
    bad = {"step_1": STEPS["step_1"] | {"duration": 1}}
    turns = [{f"s{number}": {"status": "FAILED"} for number in range(30)} for _turn in range(30)]
    steps = {"loop": {"type": "LOOP_ON_ITEMS", "status": "SUCCEEDED", "output": {"iterations": [*turns, bad]}}}
    stub_engine.runs = [run(status="FAILED", steps=steps, failedStep=FAILED_STEP)]
    page = text(owner.get(ONE).content)
    assert f'<a class="btn" href="{ONE}steps/0-31-0/" id="to-failed-step">' in page
    assert "row 7" in text(owner.get(f"{ONE}steps/0-31-0/").content)


def test_the_message_is_printed_once_and_its_stack_is_folded(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.runs = [run(status="FAILED", steps=STEPS, failedStep=FAILED_STEP)]
    page = text(owner.get(ONE).content)
    assert "Error: Error" not in page.partition('id="raw"')[0]
    assert "Error: row 7" in page
    stack = page.partition('id="step-1-stack"')[2].partition("</details>")[0]
    assert "at x.js:1" in stack
    assert "at x.js:1" not in page.partition('id="step-1-stack"')[0]


def test_a_run_with_too_much_data_says_so_with_its_step_and_message(owner: Client, stub_engine: StubEngine) -> None:
    """As recording `run_odd_LOG_SIZE_EXCEEDED_Huge_answer_log_too_large` has it."""
    said = "Flow run data size exceeded the maximum allowed size of 2 MB"
    steps = {"trigger": STEPS["trigger"], "step_1": {"type": "CODE", "status": "FAILED", "errorMessage": said}}
    failed = {"name": "step_1", "displayName": "Make 5 MB", "message": "Flow run logs size exceeded"}
    stub_engine.runs = [run(status="LOG_SIZE_EXCEEDED", steps=steps, failedStep=failed)]
    page = text(owner.get(ONE).content).partition("<main")[2]
    for part in (
        "Stopped: too much data",
        "its steps held more data",
        said,
        "The run has too much data",
        "View failed step",
    ):
        assert part in page, part
    assert "retried" not in page.partition('class="steps-list"')[0]


def test_a_state_that_the_console_does_not_know_is_shown_with_what_the_run_says(
    owner: Client, stub_engine: StubEngine
) -> None:
    stub_engine.runs = [run(status="NEW_END", steps=STEPS, failedStep=FAILED_STEP)]
    page = text(owner.get(ONE).content).partition('id="raw"')[0]
    assert "The engine calls its state “NEW_END”" in page
    assert "Error: row 7" in page
    assert "retried" not in page.partition("<main")[2].partition("Steps")[0]


def test_a_list_shows_the_first_line_of_the_message_that_comes_with_a_run(
    owner: Client, stub_engine: StubEngine
) -> None:
    stub_engine.runs = [run(status="FAILED", failedStep=FAILED_STEP), run(2, failedStep=FAILED_STEP)]
    page = text(owner.get("/w/sales/runs/").content)
    assert "row 7" in page
    assert "at x.js" not in page
    assert "Error: Error" not in page
    assert page.count("row 7") <= 2


def test_a_failed_step_without_a_message_of_its_own_has_that_of_the_run(owner: Client, stub_engine: StubEngine) -> None:
    bare = {"step_1": {"type": "CODE", "status": "FAILED"}}
    stub_engine.runs = [run(status="FAILED", steps=bare, failedStep=FAILED_STEP)]
    page = text(owner.get(ONE).content).partition('class="steps-list"')[2]
    assert "Error: row 7" in page.partition('id="raw"')[0]


def test_a_retry_elsewhere_within_the_clocks_difference_breaks_nothing(
    owner: Client, stub_engine: StubEngine, users: Users
) -> None:
    AuditEvent.objects.create(
        workspace=users.workspace, action="runs.retry", object_type="runs", object_id=identity(1), outcome="done", at=timezone.now()
    )  # fmt: skip
    stub_engine.runs = [run()]
    assert owner.get(ONE).status_code == 200
