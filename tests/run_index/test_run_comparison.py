"""What differs between a run and the last good one of its flow, and launching again with what a run was given."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.html import strip_tags

from practice_engine import ids
from tests.run_index.index_scene import launched, read_all, start
from tests.stage import Stage, stage
from workflows_ui.credentials.models import CredentialShare
from workflows_ui.credentials.services import sharing
from workflows_ui.launches.services import secrets
from workflows_ui.members.models import Role
from workflows_ui.run_index.models import IndexedRun
from workflows_ui.runs import comparison

__all__ = ["stage"]
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.parametrize("stage", ["activepieces"], indirect=True),
]
FRAGMENT = {"HX-Request": "true", "HX-Target": "run-compared"}


def step(milliseconds: int, status: str = "SUCCEEDED", output: Any = None) -> dict[str, Any]:
    return {"type": "CODE", "status": status, "input": {}, "output": output, "duration": milliseconds}


def called(body: Any) -> dict[str, Any]:
    """The trigger's step of a run that was started by a call."""
    output = {"headers": {"host": ids.new_id()}, "queryParams": {}, "body": body}
    return {"type": "PIECE_TRIGGER", "status": "SUCCEEDED", "input": {}, "output": output, "duration": 1}


def add_run(stage: Stage, body: Any, status: str, seconds: int, **values: Any) -> str:
    """A run of the webhook flow in the engine's store, so many seconds old; its id."""
    state, project = stage.practice.engine.state, stage.users.workspace.project_id
    moment = timezone.now() - timedelta(seconds=seconds)
    steps = values.pop("steps", {})
    with state.lock:
        model = next(row for row in state.runs.values() if (row["status"], row["projectId"]) == ("FAILED", project))
        row: dict[str, Any] = model | {"id": ids.new_id(), "status": status, "parentRunId": None, "archivedAt": None}
        row |= dict.fromkeys(("created", "updated", "startTime"), ids.stamp(moment))
        row["finishTime"] = ids.stamp(moment + timedelta(seconds=values.pop("took", 1)))
        failed = {"name": "step_9", "displayName": "Charge", "message": "refused"}
        row |= {"failedStep": failed if status == "FAILED" else None, "steps": {"trigger": called(body), **steps}}
        if version := values.get("flowVersionId"):
            state.versions[version] = state.versions[model["flowVersionId"]] | {"id": version}
        state.runs[row["id"]] = row | values
    return str(row["id"])


def text(browser: Client, path: str, headers: dict[str, str] | None = None) -> str:
    """A page as text, in one line."""
    response = browser.get(path, headers=headers)
    assert response.status_code == 200
    return re.sub(r"\s+", " ", strip_tags(response.content.decode()))


def compared(stage: Stage, run: str, browser: Client | None = None) -> str:
    return text(browser or stage.browser, f"/w/sales/runs/{run}/compared/", FRAGMENT)


def only(stage: Stage) -> None:
    """Without runs of the flow from before."""
    state = stage.practice.engine.state
    for row in [row for row in state.runs.values() if row["projectId"] == stage.users.workspace.project_id]:
        if row["status"] == "SUCCEEDED":
            del state.runs[row["id"]]


def indexed(stage: Stage) -> None:
    start(stage)
    read_all(stage)


@pytest.mark.slow
def test_a_failed_run_is_compared_with_the_last_good_one(stage: Stage) -> None:
    only(stage)
    good = {"order": {"id": 4711, "note": "<b>x</b>"}, "apiKey": "first"}
    for seconds in (900, 800, 700):
        add_run(stage, {}, "SUCCEEDED", seconds, took=2)
    then = {"step_1": step(100), "step_2": step(50), "step_9": step(10), "step_10": step(10)}
    add_run(stage, good, "SUCCEEDED", 600, took=2, steps=then)
    bad = {"order": {"id": "4711"}, "express": True, "apiKey": "second"}
    now = {"step_1": step(9000), "step_3": step(20), "step_9": step(5, "FAILED")}
    run = add_run(stage, bad, "FAILED", 60, took=30, steps=now, flowVersionId=ids.new_id())
    indexed(stage)
    before = len(stage.practice.journal.all())
    page = compared(stage, run)
    assert len(stage.practice.journal.all()) == before + 2
    assert "The flow was changed in between." in page
    assert "Order › Id 4711 “4711”" in page
    assert "Express not given Yes" in page
    assert "first" not in page
    assert "second" not in page
    # What comes behind the failed step did not run: that is no difference.
    assert "Steps that ran then, and not this time: step_2 It took" in page
    assert "step_1100 ms9.0 s" in page
    assert "step_3did not run20 ms" in page
    assert "s; 2.0 s is usual when it succeeds." in page
    assert "run-compared" in stage.browser.get(f"/w/sales/runs/{run}/").content.decode()


def test_the_difference_of_versions_is_linked_for_those_who_may_open_the_flow(stage: Stage) -> None:
    only(stage)
    add_run(stage, {}, "SUCCEEDED", 600)
    run = add_run(stage, {}, "FAILED", 60, flowVersionId=ids.new_id())
    indexed(stage)
    sharing.write(stage.users.credential, stage.users.colleague.groups.create(name="Reporting"), stage.users.owner)
    launcher, address = stage.as_role(Role.LAUNCHER), f"/w/sales/runs/{run}/compared/"
    link = f"/w/sales/flows/{IndexedRun.objects.get(run_id=run).flow_id}/difference/"
    assert link in launcher.get(address, headers=FRAGMENT).content.decode()
    stage.users.workspace.hidden_pages = ["flows"]
    stage.users.workspace.save()
    page = launcher.get(address, headers=FRAGMENT).content.decode()
    assert "The flow was changed in between." in page
    assert link not in page


@pytest.mark.slow
def test_without_a_good_run_the_comparison_says_so(stage: Stage) -> None:
    only(stage)
    run = add_run(stage, {}, "FAILED", 60)
    assert "This workspace has none" in compared(stage, run)
    assert "run-compared" not in stage.browser.get(f"/w/sales/runs/{run}/").content.decode()
    gone = add_run(stage, {}, "SUCCEEDED", 600)
    indexed(stage)
    del stage.practice.engine.state.runs[gone]
    assert "The engine no longer has the last successful run" in compared(stage, run)
    IndexedRun.objects.filter(run_id=gone).delete()
    assert "no run of this flow that succeeded before" in compared(stage, run)
    CredentialShare.objects.all().delete()
    viewer = stage.as_role(Role.VIEWER)
    assert "you may not use the credential" in compared(stage, run, viewer)


def test_inputs_of_a_launch_that_a_person_may_not_open_are_neither_compared_nor_launched_again(stage: Stage) -> None:
    only(stage)
    add_run(stage, {"code": "hunter2-0001"}, "SUCCEEDED", 600)
    run = add_run(stage, {"code": "hunter2-4711"}, "FAILED", 60)
    launched(stage, run, '{"code": "hunter2-4711"}')
    indexed(stage)
    sharing.write(stage.users.credential, stage.users.colleague.groups.create(name="Reporting"), stage.users.owner)
    assert "hunter2-4711" in compared(stage, run)
    launcher = stage.as_role(Role.LAUNCHER)
    assert "not shown to you" in compared(stage, run, launcher)
    assert "hunter2" not in compared(stage, run, launcher)
    flow = IndexedRun.objects.get(run_id=run).flow_id
    assert "Launch again with these inputs" not in text(launcher, f"/w/sales/runs/{run}/")
    form = launcher.get(f"/w/sales/flows/{flow}/launch/?_run={run}").content.decode()
    assert "hunter2" not in form
    assert "no longer kept, or not shown to you" in form


def test_a_run_that_was_started_elsewhere_is_launched_again_by_the_form(stage: Stage) -> None:
    run = add_run(stage, {"order": "A-4711", "apiKey": "hunter2-4711"}, "FAILED", 60)
    page = stage.browser.get(f"/w/sales/runs/{run}/").content.decode()
    (address,) = re.findall(r'href="(/w/sales/flows/[^"]+/launch/\?_run=[^"]+)"', page)
    form = stage.browser.get(address).content.decode()
    assert "A-4711" in form
    assert "hunter2" not in form
    assert "Filled in with the inputs of an earlier run." in form
    viewer = stage.as_role(Role.VIEWER)
    assert "?_run=" not in viewer.get(f"/w/sales/runs/{run}/").content.decode()
    other = re.sub(r"_run=.*", "_run=" + "x" * 21, address)
    assert "The run was not found" in stage.browser.get(other).content.decode()


def test_a_launch_with_secret_inputs_is_compared_without_them(stage: Stage) -> None:
    only(stage)
    add_run(stage, {"code": "x"}, "SUCCEEDED", 600)
    run = add_run(stage, {"code": "hunter2-4711"}, "FAILED", 60)
    launched(stage, run, '{"code": "hunter2-4711"}', secret_marks=secrets.marks([(("code",), "hunter2-4711")]))
    indexed(stage)
    assert "hunter2" not in compared(stage, run)


@pytest.mark.slow
def test_a_manager_erases_a_run_from_its_page(stage: Stage) -> None:
    run = add_run(stage, {}, "FAILED", 60)
    url = f"/w/sales/run-index/erase/?run={run}"
    assert url not in stage.browser.get(f"/w/sales/runs/{run}/").content.decode()
    indexed(stage)
    assert url in stage.browser.get(f"/w/sales/runs/{run}/").content.decode()
    assert url not in stage.as_role(Role.BUILDER).get(f"/w/sales/runs/{run}/").content.decode()
    stage.browser.post("/w/sales/run-index/erase/", {"run_id": run})
    assert url not in stage.browser.get(f"/w/sales/runs/{run}/").content.decode()


def test_odd_runs_are_compared_without_an_error(stage: Stage) -> None:
    access = stage.users.place(stage.users.owner)
    odd: list[Any] = [
        None,
        [],
        {"trigger": 5},
        {"trigger": {"output": [1, {"a": None}]}},
        {"x": {"duration": "long"}},
        {"trigger": called(5)},
    ]
    for now in odd:
        for then in odd:
            run = {
                "id": 7,
                "status": "FAILED",
                "steps": now,
                "failedStep": {"name": "x"},
                "flowId": ["f"],
                "finishTime": "never",
            }
            found = comparison.compare_runs(access, run, {"steps": then}, {}, None)
            assert not found["slow"]
    index = start(stage)
    for unknown in ({}, {"flowId": 5, "created": "yesterday"}, {"flowId": "x", "created": None}):
        assert comparison.last_good_run(index, unknown) is None
