"""A failing loop on either version of the practice engine: its page before and after a retry, and the launch's page."""

import pytest
from django.urls import reverse

from tests import flows
from tests.launches.launch_scene import Scene, text_of, unescape
from workflows_ui.engine import Workflows
from workflows_ui.launches.models import Launch, State
from workflows_ui.members.models import Member, Role


def looping(workflows: Workflows) -> str:
    """A published flow whose loop fails at its second item."""
    flow = flows.make(workflows, "Row by row")
    loop = {
        "name": "each", "type": "LOOP_ON_ITEMS", "valid": True, "displayName": "Each row",
        "settings": {"items": "{{trigger['body']['rows']}}"},
    }  # fmt: skip
    inner = {**flows.code("fail no such row"), "name": "row"}
    place = {"parentStep": "trigger", "stepLocationRelativeToParent": "AFTER"}
    workflows.apply_flow_operation(flow, {"type": "ADD_ACTION", "request": {**place, "action": loop}})
    inside = {"parentStep": "each", "stepLocationRelativeToParent": "INSIDE_LOOP"}
    workflows.apply_flow_operation(flow, {"type": "ADD_ACTION", "request": {**inside, "action": inner}})
    workflows.apply_flow_operation(flow, {"type": "LOCK_AND_PUBLISH", "request": {}})
    return flow


def run_page(scene: Scene, launch: Launch) -> str:
    address = reverse("resource_detail", args=["sales", "runs", launch.run_id])
    return unescape(text_of(scene.browser.get(address))).partition("<main")[2].partition('id="raw"')[0]


@pytest.mark.slow
@pytest.mark.parametrize("version", ["0.72.4", "0.83.0"])
def test_a_failing_loop_is_opened_at_its_round_and_a_retry_counts_from_then(scene: Scene, version: str) -> None:
    scene.engine.settings.version = version
    Member.objects.filter(user=scene.users.colleague).update(role=Role.BUILDER)
    launch = scene.watch(scene.launch(looping(scene.workflows), '{"rows": [1, 2, 3]}'))
    assert launch.state == State.FAILED
    page = run_page(scene, launch)
    assert "It failed at “Fail” after " in page
    assert 'href="#step-1-1-0" id="to-failed-step">' in page
    assert '<details class="run-round" id="step-1-1" open>' in page
    assert '<details class="run-step" id="step-1-1-0" open>' in page
    assert "no such row" in page
    assert "Error: Error" not in page
    scene.browser.post(
        reverse(
            "resource_action", kwargs={"slug": "sales", "resource": "runs", "action": "retry", "id": launch.run_id}
        ),
        {"sure": "yes"},
    )
    again = scene.watch(Launch.objects.get(pk=launch.pk))
    assert again.state == State.FAILED
    page = run_page(scene, again)
    assert "It was retried and failed at “Fail” after " in page
    assert "Its times count from then." in page
    story = reverse("launch_story", args=["sales", launch.pk])
    assert "The run was retried" in text_of(scene.browser.get(story))
