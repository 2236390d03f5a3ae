"""The story of a launch, and beside a failed one what differs from the last good one and who can help."""

import json
import re
from datetime import timedelta
from typing import Any, cast

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests import flows
from tests.launches.launch_scene import Scene, text_of, unescape
from workflows_ui.audit.models import AuditEvent
from workflows_ui.launches.models import Launch, State
from workflows_ui.launches.services import sending
from workflows_ui.members.models import Role
from workflows_ui.members.services import access
from workflows_ui.resource_admin.resource import Row
from workflows_ui.runs import comparison, story as run_story

ECHO = flows.code("echo", given="{{trigger.body}}")


def _url(launch: Launch) -> str:
    return reverse("launch_story", args=["sales", launch.pk])


def _story(scene: Scene, launch: Launch, browser: Client | None = None) -> str:
    response = (browser or scene.browser).get(_url(launch))
    assert response.status_code == 200
    return unescape(text_of(response))


def _copied(page: str) -> list[str]:
    return page.partition('id="story-text" hidden>')[2].partition("</pre>")[0].splitlines()


def test_the_story_of_a_launch_goes_from_the_click_to_the_end(scene: Scene) -> None:
    flow = flows.make(scene.workflows, "Slow", ECHO, flows.delay(60), flows.response({"ok": True}))
    launch = scene.watch(scene.launch(flow))
    shown = [line.split("  ", 1)[-1] for line in _copied(_story(scene, launch))]
    assert shown[:4] == [
        "Launch of Slow",
        "colleague requested the launch.",
        "The console sent it to the engine.",
        "The flow started.",
    ]
    assert shown[4].startswith("“Echo” finished in ")
    assert shown[5].startswith("“delayFor” waited for ")
    assert shown[6].startswith("“return_response” finished")
    assert shown[-1].startswith("It finished")


def test_a_failed_launch_shows_the_step_what_it_said_and_who_can_help(scene: Scene) -> None:
    scene.member("builder.binh", Role.BUILDER)
    flow = flows.make(scene.workflows, "Broken", ECHO, flows.code("fail <b>no such</b> price"))
    AuditEvent.objects.create(
        action="flows.publish", object_type="flows", object_id=flow, outcome="done", workspace=scene.users.workspace, user=scene.users.owner
    )  # fmt: skip
    launch = scene.watch(scene.launch(flow))
    response = scene.browser.get(_url(launch))
    assert "<b>no such" not in text_of(response)
    page = unescape(text_of(response))
    assert "“Fail” failed: <b>no such</b> price" in page
    assert "It failed at “Fail”" in page
    assert "builder.binh" in page.partition("Who can help")[2]
    assert "owner last changed this flow from the console" in page


def test_a_step_that_failed_while_the_flow_went_on_is_shown_on_the_page_and_in_the_story(scene: Scene) -> None:
    soft = flows.code("fail no such price")
    soft["settings"]["errorHandlingOptions"] = {"continueOnFailure": {"value": True}}
    flow = flows.make(scene.workflows, "Carries on", soft, flows.response({"ok": True}))
    launch = scene.watch(scene.launch(flow, wait=True))
    assert launch.state == State.SUCCEEDED
    page = unescape(scene.page(launch))
    assert "Succeeded, but a step failed" in page
    assert "card-status-start bg-orange" in page
    story = _story(scene, launch)
    assert "“Fail” failed, and the flow continued: no such price" in story
    assert "although “Fail” failed" in _copied(story)[-1]


def test_a_launch_that_waits_shows_what_happened_so_far_and_what_it_waits_for(scene: Scene) -> None:
    approval = flows.delay(1)
    approval["displayName"] = "Ask the boss"
    approval["settings"] |= {
        "pieceName": "@activepieces/piece-approval",
        "actionName": "wait_for_approval",
        "input": {},
    }
    flow = flows.make(scene.workflows, "Waits", ECHO, flows.delay(100_000))
    other = flows.make(scene.workflows, "Asks", ECHO, approval)
    launch = scene.watch(scene.launch(flow), State.PAUSED)
    assert 'id="launch-story"' in scene.page(launch)
    shown = _copied(_story(scene, launch))
    assert shown[-2].partition("  ")[2].startswith("“Echo” finished in ")
    assert re.fullmatch(r"It waits at “delayFor” until .*\d\d:\d\d.*\.", shown[-1])
    asked = scene.watch(scene.launch(other), State.PAUSED)
    assert "It waits at “Ask the boss” until someone approves or declines" in _copied(_story(scene, asked))[-1]


def test_the_story_of_a_running_launch_is_asked_for_again_and_is_not_sent_twice(scene: Scene) -> None:
    launch = scene.row(state=State.RUNNING, poll_at=timezone.now(), run_id="gone")
    headers = {"HX-Request": "true", "HX-Target": "launch-story"}
    page = unescape(text_of(scene.browser.get(_url(launch), headers=headers)))
    found = re.search(r'data-live hx-get="([^"]*)"', page)
    assert found
    assert scene.browser.get(found[1], headers=headers).status_code == 204
    Launch.objects.update(state=State.PAUSED)
    assert "Paused" in text_of(scene.browser.get(found[1], headers=headers))


def test_who_changed_the_flow_in_the_engine_is_named_where_the_engine_shows(scene: Scene) -> None:
    flow = flows.make(scene.workflows, "Broken", flows.code("fail soft"))
    launch = scene.watch(scene.launch(flow))
    me = scene.workflows.get_current_user()
    shown = _story(scene, launch).partition("The flow was last changed in the engine:")[2]
    assert f"{me['firstName']} {me['lastName']}" in shown


def test_the_launch_page_asks_for_the_story_once_it_has_ended_and_never_waits_for_it(scene: Scene) -> None:
    flow = flows.make(scene.workflows, "Quick", ECHO)
    launch = scene.launch(flow, send=False)
    assert "launch-story" not in scene.page(launch)
    launch = Launch.objects.get(pk=launch.pk)
    sending.send(launch.pk)
    launch = scene.watch(launch)
    before = scene.engine.journal.count()
    page = scene.page(launch)
    assert f'<div id="launch-story" hx-get="{_url(launch)}"' in page
    assert f'href="{_url(launch)}"' in page
    assert scene.engine.journal.count() == before
    part = text_of(scene.browser.get(_url(launch), headers={"HX-Request": "true", "HX-Target": "launch-story"}))
    assert part.strip().startswith('<div id="launch-story">')
    assert "<html" not in part
    assert scene.engine.journal.count() - before <= 2


def test_without_the_engine_the_story_has_what_the_console_knows(scene: Scene) -> None:
    flow = flows.make(scene.workflows, "Quick", ECHO)
    launch = scene.watch(scene.launch(flow))
    scene.server.stop()
    page = _story(scene, launch)
    assert "colleague requested the launch." in page
    assert "It finished" in page
    assert "The run's steps cannot be shown at the moment." in page


@pytest.mark.parametrize("state", list(State))
def test_every_state_has_a_story(scene: Scene, state: State) -> None:
    assert "colleague requested the launch." in _story(scene, scene.row(state=state))


def test_the_story_of_somebody_elses_launch_is_not_found(scene: Scene) -> None:
    launch = scene.row(user=scene.users.owner)
    assert scene.browser.get(_url(launch)).status_code == 404
    assert scene.browser.post(_url(scene.row())).status_code == 405


# --- Beside a failed one: what differs ---------------------------------------------------------------


def _pair(scene: Scene, good: Any, bad: Any, **fields: Any) -> tuple[Launch, Launch]:
    now = timezone.now()
    first = scene.row(state=State.SUCCEEDED, payload=json.dumps(good), asked_at=now - timedelta(hours=1), ended_at=now)
    second = scene.row(state=State.FAILED, payload=json.dumps(bad), ended_at=now, failure="Error: soft", **fields)
    return first, second


def test_inputs_that_differ_are_shown_field_by_field(scene: Scene) -> None:
    good = {"customer": {"phone": "0900", "name": "Lan"}, "qty": 1, "note": "x", "same": [1, 2]}
    bad = {"customer": {"phone": "09", "name": "Lan"}, "qty": "1", "urgent": True, "same": [1, 2]}
    first, second = _pair(scene, good, bad)
    place = access.access_for(scene.users.colleague, "sales")
    found = comparison.compare_launches(place, second, first, None, None, {})
    assert [
        (one.label, one.kind, one.before, one.after) for one in cast("list[comparison.Change]", found["changes"])
    ] == [
        ("Customer › Phone", "changed", "“0900”", "“09”"),
        ("Qty", "changed", "1", "“1”"),
        ("Urgent", "added", "", "Yes"),
        ("Note", "removed", "x", ""),
    ]
    page = _story(scene, second)
    assert "What differs from the last successful launch" in page
    assert "Customer › Phone" in page
    assert reverse("launch", args=["sales", first.pk]) in page


def test_the_same_inputs_are_said_to_be_the_same_and_lost_ones_to_be_lost(scene: Scene) -> None:
    first, second = _pair(scene, {"a": 1}, {"a": 1})
    assert "The inputs are the same." in _story(scene, second)
    Launch.objects.filter(pk=first.pk).update(payload="")
    assert "no longer kept" in _story(scene, second)


def test_a_launcher_is_compared_with_their_own_good_launch_only(scene: Scene) -> None:
    now = timezone.now()
    scene.row(
        user=scene.users.owner,
        state=State.SUCCEEDED,
        payload='{"word": "of another"}',
        asked_at=now - timedelta(hours=1),
    )
    bad = scene.row(state=State.FAILED, failure="Error: soft", ended_at=now)
    page = _story(scene, bad)
    assert "What differs" not in page
    assert "of another" not in page
    assert "of another" in _story(scene, bad, scene.sign_in(scene.users.owner))


def test_another_version_and_slower_steps_are_shown(scene: Scene) -> None:
    flow = flows.make(scene.workflows, "Changing", flows.code("sleep 1"), ECHO)
    good = scene.watch(scene.launch(flow))
    step = {"name": "step_2", **flows.code("fail soft")}
    scene.workflows.apply_flow_operation(flow, {"type": "UPDATE_ACTION", "request": step})
    scene.workflows.apply_flow_operation(flow, {"type": "LOCK_AND_PUBLISH", "request": {}})
    bad = scene.watch(scene.launch(flow))
    assert (good.state, bad.state) == (State.SUCCEEDED, State.FAILED)
    page = _story(scene, bad)
    assert "The flow was changed in between." in page
    assert reverse("flow_difference", args=["sales", flow]) in page
    assert "The inputs are the same." in page


def test_steps_that_took_another_time_are_shown_and_the_others_are_not() -> None:
    def run(**took: Any) -> Row:
        return {"steps": {name: {"type": "CODE", "status": "SUCCEEDED", "duration": ms} for name, ms in took.items()}}

    times = comparison._times(run(trigger=1, a=9000, b=100, c=400, e=10), run(trigger=1, a=1000, b=10, c=390, d=5), {})
    assert times == [("a", "1.0 s", "9.0 s"), ("e", "", "10 ms")]


@pytest.mark.parametrize(
    "steps",
    [None, [], {"a": 1}, {"a": {}}, {"a": {"output": {"iterations": [1, None, {"b": {"status": "FAILED"}}]}}},
     {"a": {"type": "ROUTER", "output": {"branches": [None, {"branchName": 5, "evaluation": True}]}}},
     {"a": {"status": "FAILED", "errorMessage": {"x": ["y"]}}}, {"a": {"status": "RUNNING"}}, {"a": {"status": "PAUSED"}},
     {str(number): {"duration": 1e300, "status": "X" * 500} for number in range(300)}],
)  # fmt: skip
def test_odd_runs_are_shown_too(scene: Scene, steps: Any) -> None:
    launch = scene.row(state=State.FAILED, ended_at=timezone.now(), flow_name="n" * 10_000)
    lines = run_story.build_story(
        launch, {"steps": steps, "startTime": "2026-01-01T00:00:00Z", "finishTime": 7}, {"a": None}
    )
    assert lines[0].text == "colleague requested the launch."
    assert all(len(line.text) < 2000 for line in lines)
    assert run_story.text("x", lines)


def test_a_different_secret_is_reported_and_neither_is_shown(scene: Scene) -> None:
    now = timezone.now()
    earlier = now - timedelta(hours=1)
    scene.row(payload='{"password": "first-word", "a": 1}', state=State.SUCCEEDED, asked_at=earlier)
    bad = scene.row(
        state=State.FAILED, failure="Error: soft", ended_at=now, payload='{"password": "other-word", "a": 1}'
    )
    page = _story(scene, bad)
    assert "A secret" in page
    assert "first-word" not in page
    assert "other-word" not in page
