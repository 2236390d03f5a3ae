"""The runs of a flow that calls another one: each leads to the other (recordings ``subflow_*``)."""

import json
from collections.abc import Iterator

import pytest

from practice_engine.samples import sample_flows
from tests.launches.launch_scene import Scene
from tests.stub_engine import text
from workflows_ui.launches.models import State

RUNS = "/w/sales/runs/"


@pytest.fixture
def scene(db: None) -> Iterator[Scene]:
    made = Scene(samples=True)
    yield made
    made.close()


def test_a_run_leads_to_the_run_that_it_called_and_back(scene: Scene) -> None:
    caller, called = sample_flows()["quoting"], sample_flows()["pricing"]
    launch = scene.watch(scene.launch(caller.id, json.dumps(caller.payload)))
    assert launch.state == State.SUCCEEDED
    owner = scene.sign_in(scene.users.owner)
    below = text(owner.get(f"{RUNS}{launch.run_id}/family/").content)
    [child] = [row for row in scene.engine.state.runs.values() if row["parentRunId"] == launch.run_id]
    assert child["flowId"] == called.id
    assert f'href="{RUNS}{child["id"]}/"' in below
    assert called.name in below
    above = text(owner.get(f"{RUNS}{child['id']}/family/").content)
    assert f'href="{RUNS}{launch.run_id}/"' in above
    assert caller.name in above


def test_a_launch_whose_called_flow_failed_says_where_to_look(scene: Scene) -> None:
    caller = sample_flows()["quoting"]
    launch = scene.watch(scene.launch(caller.id, json.dumps(caller.payload | {"items": "none"})))
    assert launch.state == State.FAILED
    page = text(scene.sign_in(scene.users.owner).get(f"{RUNS}{launch.run_id}/?late=1").content)
    assert "The flow that it called failed" in page
    assert "Look at the child run of this run" in page
