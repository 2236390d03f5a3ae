"""Every declared action, answered falsely before or after the engine acts: what the console says is compared with the engine.

The suite finds the actions by their declarations. What each operation of the client finds out is in tests/engine/test_looks.py.
"""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings

from tests.resources.test_every_action import ACTIONS, UNCHANGED, name_of
from tests.stage import HTMX, TYPED_SECRET, Stage, outcomes, turns
from tests.stub_engine import text
from tests.unclear_writes.false_answers import ANSWERS
from workflows_ui.core import clock
from workflows_ui.resource_admin.actions import Action
from workflows_ui.resource_admin.resource import Resource
from workflows_ui.unclear_writes.messages import form_url
from workflows_ui.unclear_writes.models import UnclearWrite, WriteState
from workflows_ui.write_looks import worker

#: Nothing that they do can be read, so that nobody can say whether it was done.
UNREADABLE = {"flows.test-trigger", "flows.draft-test", "flows.step-test"}
#: A new run cannot be told from those that others start, an older engine does not give samples, and none gives secrets.
CHANGE_ALONE = {"runs.retry-latest", "flows.step-sample", "connections.replace-secret"}
#: The first creates a job, which calls the engine later (tests/jobs); the second only reads.
NOT_WRITING = {"connections.replace", "connections.test"}

each_action_before_and_after = pytest.mark.parametrize(
    ("resource", "action", "stage", "acted", "answer"),
    [
        pytest.param(
            a,
            b,
            flavour,
            acted,
            answer,
            id=f"{name_of(a, b)}-{flavour}-{'after' if acted else 'before'}-{answer}",
            marks=marks if acted is bool(number % 2) else pytest.mark.slow,
        )
        for number, (a, b) in enumerate(ACTIONS)
        if name_of(a, b) not in NOT_WRITING
        for flavour, marks in turns(a, b, number)
        for acted in (False, True)
        for answer in (list(ANSWERS)[(number * 5 + acted) % len(ANSWERS)],)
    ],
    indirect=["stage"],
)


@pytest.mark.sampled(3)
@each_action_before_and_after
def test_what_is_said_is_so_and_a_second_press_is_asked_about(
    stage: Stage, resource: Resource, action: Action, acted: bool, answer: str
) -> None:
    what_is_said_is_so(stage, resource, action, acted=acted, answer=answer)


def what_is_said_is_so(stage: Stage, resource: Resource, action: Action, *, acted: bool, answer: str) -> None:
    """Do the action once under a false answer and compare; press again; look at the end of the search."""
    url, name = stage.url(resource, action), name_of(resource, action)
    fields = stage.fields(resource, action, url)
    before = len(stage.writes())
    ANSWERS[answer](stage.practice.engine.faults, acted)
    answered = stage.browser.post(url, fields)
    stage.practice.engine.faults.clear()
    if answered.status_code == 303:
        assert acted or name in UNCHANGED
        assert outcomes()[-1] == (name, "done")
        return
    # Behind it are texts for the browser's own errors.
    page = text(answered.content).partition("<template")[0]
    assert answered.status_code == 422, page[-2000:]
    assert len(stage.writes()) == before + 1
    assert outcomes()[-2:] == [(name, "begun"), (name, "unclear")]
    for claim in ("Nothing is lost", "Nothing was changed", "Try again", "Deleted", "refuses"):
        assert claim not in page
    write = UnclearWrite.objects.get()
    assert "Checking whether it was done" in page
    _a_second_press_asks(stage, url, fields, before)
    _it_ends_truly(stage, write, name, acted)


def _a_second_press_asks(stage: Stage, url: str, fields: dict[str, Any], before: int) -> None:
    again = {key: value for key, value in fields.items() if key != "action-ticket" and not hasattr(value, "read")}
    again["sure"] = "yes"
    answer = stage.browser.post(url, again, headers=HTMX)
    # A form whose file is missing, or of an object that has changed, asks for that first.
    assert (
        "may already have been done" in text(answer.content)
        or answer.status_code in (404, 409, 422)
        or (answer.context["form"].questions)
    )
    assert len(stage.writes()) == before + 1


def _it_ends_truly(stage: Stage, write: UnclearWrite, name: str, acted: bool) -> None:
    UnclearWrite.objects.update(not_before=None, asked_at=clock.now() - settings.LAUNCH_SEARCH - timedelta(seconds=1))
    worker.look(write.pk)
    write.refresh_from_db()
    possible = {WriteState.UNCLEAR} if name in UNREADABLE else {WriteState.DONE if acted else WriteState.NOT_DONE}
    if acted and name in CHANGE_ALONE:
        possible.add(WriteState.UNCLEAR)
    assert write.state in possible
    assert outcomes()[-1] == (name, write.state)
    page = text(stage.browser.get(f"/w/sales/checks/{write.pk}/").content)
    assert str(WriteState(write.state).label) in page
    if write.state == WriteState.NOT_DONE:
        _the_form_opens_again_without_secrets(stage, write)


def _the_form_opens_again_without_secrets(stage: Stage, write: UnclearWrite) -> None:
    assert TYPED_SECRET not in (write.open("content") if write.content else "")
    again = stage.browser.get(form_url(write))
    assert again.status_code in (200, 404, 409), again.content
    assert TYPED_SECRET not in again.content.decode()
