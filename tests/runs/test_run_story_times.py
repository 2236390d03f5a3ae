"""The times in a launch's story: each sentence about something done has the moment of its end, as far as that is known."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.stub_engine import run
from tests.users import Users
from workflows_ui.audit.models import AuditEvent
from workflows_ui.launches.models import Launch, State
from workflows_ui.runs import story as run_story

START = datetime.fromisoformat("2026-11-24T22:38:25.786Z")


def code(duration: float, **more: Any) -> dict[str, Any]:
    return {"type": "CODE", "status": "SUCCEEDED", "duration": duration} | more


def ended(seconds: float, steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    end = (START + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")
    return run(finishTime=end, steps=steps, **more)


def lines(users: Users, found: dict[str, Any], state: State = State.SUCCEEDED) -> dict[str, tuple[float | None, bool]]:
    """The story's sentences with the seconds after the run's start at which they stand, and whether only about then."""
    # Not saved: the story is made from the row's fields and the run.
    launch = Launch(workspace=users.workspace, user=users.owner, flow_id="f", state=state)
    launch.asked_at = launch.run_started_at = START
    launch.run_finished_at = START + timedelta(seconds=60)
    return {
        line.text: (round((line.at - START).total_seconds(), 1) if line.at else None, line.about)
        for line in run_story.build_story(launch, found)
    }


def test_what_was_done_stands_at_its_end(users: Users) -> None:
    shown = lines(users, ended(41.4, {"a": code(41_000), "b": code(300)}))
    assert shown["“a” finished in 41.0 s."] == (41.0, False)
    assert shown["“b” finished in less than a second."] == (41.3, False)


def test_a_wait_stands_at_its_end(users: Users) -> None:
    delay = code(73, type="PIECE", input={"unit": "seconds", "delayFor": 60})
    shown = lines(users, ended(60.1, {"a": delay, "b": code(20)}))
    assert shown["“a” waited for 1 min."] == (60.1, False)


def test_a_moment_that_may_be_seconds_off_is_only_about_then(users: Users) -> None:
    shown = lines(users, ended(5, {"a": code(1000), "b": code(1000)}))
    assert shown["“a” finished in 1.0 s."] == (1.0, True)


def test_a_moment_that_is_not_known_within_a_minute_is_not_shown(users: Users) -> None:
    shown = lines(users, ended(300, {"a": code(1000), "b": code(1000)}))
    assert shown["“a” finished in 1.0 s."] == (None, False)


def test_steps_of_several_tries_have_no_moments(users: Users) -> None:
    shown = lines(users, ended(0.001, {"a": code(52), "b": code(0.5)}))
    assert shown["“a” finished in less than a second."] == (None, False)


def test_what_runs_again_is_shown_without_the_failure_before(users: Users) -> None:
    bad = {"type": "CODE", "status": "FAILED", "errorMessage": "Error: row 7", "duration": 4}
    found = run(status="RUNNING", finishTime=None, failedStep={"name": "b"}, steps={"a": code(5), "b": bad})
    shown = lines(users, found, State.RUNNING)
    assert not any("row 7" in text or "“b”" in text for text in shown)
    assert "The run was retried. What follows covers all of its tries." in shown
    assert "The flow started." not in shown


@pytest.mark.parametrize("after", [17 * 60, 4])
def test_a_retried_launch_counts_from_the_retry_with_its_run_and_without(users: Users, after: int) -> None:
    """On 0.72.4 the run's start stays that of the first try (recordings `run_retry_from_failed_step`, `runs_list_final`)."""
    again = START + timedelta(seconds=after)
    found = ended(after + 3, {"a": code(4)}, status="FAILED")
    AuditEvent.objects.create(
        workspace=users.workspace, action="runs.retry", object_type="runs", object_id=found["id"], outcome="done", at=again
    )  # fmt: skip
    launch = Launch(workspace=users.workspace, user=users.owner, flow_id="f", state=State.FAILED, failed_step="A")
    launch.run_id, launch.run_status = found["id"], "FAILED"
    launch.asked_at = launch.run_started_at = START
    launch.run_finished_at = again + timedelta(seconds=3)
    for run_or_none in (found, None):
        *_before, last = run_story.build_story(launch, run_or_none)
        assert last.text == "It failed at “A” after 3.0 s."


@pytest.mark.parametrize("start", ["", None])
def test_without_a_start_no_step_has_a_moment(users: Users, start: str | None) -> None:
    shown = lines(users, run(startTime=start, steps={"a": code(5)}))
    assert shown["“a” finished in less than a second."] == (None, False)
