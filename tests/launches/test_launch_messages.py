"""Every state, reason and answer of a launch has words, and they tell the person what to do."""

from datetime import timedelta

import pytest
from django.utils import timezone

from workflows_ui import engine
from workflows_ui.launches import messages as launch_messages
from workflows_ui.launches.models import Launch, Reason, State
from workflows_ui.members.models import Workspace


def _launch(state: State, reason: str = "", **fields: object) -> Launch:
    return Launch(**{"state": state, "reason": reason, "asked_at": timezone.now(), "workspace": Workspace()} | fields)


@pytest.mark.parametrize("state", list(State))
def test_every_state_has_a_title_and_a_text(state: State) -> None:
    found = launch_messages.launch_message(_launch(state))
    assert str(found.title)
    assert str(found.text)


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_words_of_its_own(reason: Reason) -> None:
    found = launch_messages.state_message(reason)
    assert str(found.title)
    assert str(found.text)


@pytest.mark.parametrize("text", [text for reason in Reason for text in (reason.label, reason.text)])
def test_no_words_shout_or_use_the_codes_own_names(text: object) -> None:
    assert "!" not in str(text)
    assert "_" not in str(text)


def test_reasons_do_not_share_their_words() -> None:
    texts = [str(reason.text) for reason in Reason]
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize(
    "reason",
    [Reason.CUT_OFF, Reason.ODD_ANSWER, Reason.WORKER_LOST, Reason.NO_RUN, Reason.OFF_OR_ANSWERED, Reason.RUN_GONE],
)
def test_an_unclear_launch_says_whether_the_console_is_still_looking(reason: Reason) -> None:
    looking = launch_messages.launch_message(_launch(State.UNKNOWN, reason, poll_at=timezone.now()))
    over = launch_messages.launch_message(_launch(State.UNKNOWN, reason))
    late = launch_messages.launch_message(
        _launch(State.UNKNOWN, reason, poll_at=timezone.now(), asked_at=timezone.now() - timedelta(hours=1))
    )
    assert "still looking for its run, for up to 5 minutes" in str(looking.next_step)
    assert "longer than usual" in str(late.next_step)
    assert "say below whether it ran" in str(over.next_step)


@pytest.mark.parametrize(
    "status", ["TIMEOUT", "MEMORY_LIMIT_EXCEEDED", "QUOTA_EXCEEDED", "INTERNAL_ERROR", "LOG_SIZE_EXCEEDED"]
)
def test_a_run_that_was_stopped_says_why(status: str) -> None:
    stopped = launch_messages.launch_message(_launch(State.FAILED, run_status=status))
    assert str(stopped.text) != str(launch_messages.launch_message(_launch(State.FAILED, run_status="FAILED")).text)


@pytest.mark.parametrize(
    ("state", "title"),
    [
        (State.ACCEPTED, "Sent, waiting for the run"),
        (State.ENQUEUED, "Queued in the engine"),
        (State.RUNNING, "Still running"),
        (State.PAUSED, "Paused"),
    ],
)
def test_a_run_that_goes_on_after_the_wait_is_shown_as_it_is(state: State, title: str) -> None:
    assert str(launch_messages.launch_message(_launch(state, Reason.WAITED_OUT)).title) == title


@pytest.mark.parametrize("status", [None, 200, 201, 204, 299])
def test_a_good_answer_needs_no_explanation(status: int | None) -> None:
    assert launch_messages.answer_status_message(status) == ""


@pytest.mark.parametrize("status", [301, 307, 400, 401, 403, 404, 409, 418, 422, 429, 500, 503, 599])
def test_an_answer_with_another_status_is_shown_as_the_flows_own(status: int) -> None:
    assert str(launch_messages.answer_status_message(status)).startswith("The flow ")


def test_trouble_with_asking_is_distinguished_by_what_helps() -> None:
    credential = launch_messages.poll_error_message("CredentialRefused")
    engine_down = launch_messages.poll_error_message("Unreachable")
    assert credential is not None
    assert engine_down is not None
    assert "credential" in str(credential.next_step)
    assert "cannot be reached" in str(engine_down.title)
    assert launch_messages.poll_error_message("") is None


def test_each_error_that_a_poll_may_leave_behind_has_words() -> None:
    names = [
        name for name, kind in vars(engine).items() if isinstance(kind, type) and issubclass(kind, engine.EngineError)
    ]
    assert len(names) > 5
    for name in [*names, "NoCredential"]:
        assert launch_messages.poll_error_message(name) is not None
