"""Editing flows of an engine whose answers are malformed or untrue: no page fails, and what was not predicted is said."""

from typing import Any

import pytest
from django.test import Client

from tests.engine.servers import Reply
from tests.stub_engine import StubEngine, flow, owner, stub_engine, text, users
from workflows_ui.flow_editing.actions import ACTIONS
from workflows_ui.flow_editing.models import EditState, FlowEdit

__all__ = ["owner", "stub_engine", "users"]
CODE = {"name": "step_1", "type": "CODE", "displayName": "Code", "settings": {"input": {}, "sourceCode": {}}}
LONG = "<script>x</script>" + 10_000 * "a"


def with_version(**changes: Any) -> dict[str, Any]:
    whole = flow()
    trigger = {**whole["version"]["trigger"], "nextAction": CODE}
    return {**whole, "version": {**whole["version"], "trigger": trigger, **changes}}


def router(**settings: Any) -> dict[str, Any]:
    step = {"name": "step_1", "type": "ROUTER", "displayName": LONG, "settings": settings}
    trigger = {"name": "trigger", "type": "EMPTY", "displayName": LONG, "nextAction": step}
    return with_version(trigger=trigger)


def chain(steps: int) -> dict[str, Any]:
    step: dict[str, Any] = CODE
    for number in range(steps, 0, -1):
        step = {**CODE, "name": f"step_{number}", "nextAction": step}
    return with_version(trigger={"name": "trigger", "type": "EMPTY", "nextAction": step})


WRONG = {
    "no version": {key: value for key, value in flow().items() if key != "version"},
    "version is a text": {**flow(), "version": "x"},
    "no trigger": with_version(trigger=None),
    "trigger is a list": with_version(trigger=[1]),
    "notes are a text": with_version(notes="abc"),
    "notes are numbers": with_version(notes=[1, None]),
    "notes are a number": with_version(notes=7),
    "note ids are objects": with_version(notes=[{"id": {}, "position": 7}, {"id": []}]),
    "branches are a text": router(branches="abc"),
    "branches are numbers": router(branches=[1, None]),
    "branches without names": router(branches=[{}, {"branchName": {"a": 1}, "conditions": 7}]),
    "conditions are odd": router(
        branches=[{"branchName": LONG, "branchType": "CONDITION", "conditions": [7, [8, {}]]}]
    ),
    "settings are a list": with_version(trigger={"name": "trigger", "nextAction": {**CODE, "settings": []}}),
    "names are objects": with_version(trigger={"name": {}, "displayName": [], "nextAction": {"name": [], "type": {}}}),
    "very long": chain(2_000),
}
TYPED = {
    "step": "step_1",
    "name": "New",
    "place": "AFTER:trigger",
    "branch": "step_1:0",
    "position": "1",
    "skip": "yes",
    "kind": "CODE",
    "code": "1",
    "content": "x",
    "color": "red",
    "note": "n",
    "type": "LOCK_FLOW",
    "request": "{}",
    "execution": "EXECUTE_ALL_MATCH",
    "group1": "1",
    "first1": "a",
    "operator1": "TEXT_CONTAINS",
    "second1": "b",
}


@pytest.mark.sampled(24)
@pytest.mark.parametrize("wrong", WRONG)
def test_no_form_fails_on_a_malformed_flow(owner: Client, stub_engine: StubEngine, wrong: str) -> None:
    stub_engine.flows = [WRONG[wrong]]
    key = flow()["id"]
    for action in ACTIONS:
        address = f"/w/sales/flows/do/{action.name}/{key}/"
        asked = owner.get(address, {"step": "step_1", "branch": "step_1:0"})
        assert asked.status_code in (200, 404, 409), action.name
        if asked.status_code == 200:
            assert owner.post(address, TYPED).status_code in (200, 422), action.name
    assert owner.get(f"/w/sales/flows/{key}/steps/step_1/").status_code in (200, 404)
    for tab in ("steps", "raw", "versions"):
        page = owner.get(f"/w/sales/flows/{key}/?tab={tab}")
        assert page.status_code in (200, 404)
        assert b"<script>x" not in page.content
    assert not FlowEdit.objects.exists()


@pytest.mark.sampled(3)
@pytest.mark.parametrize("wrong", WRONG)
def test_a_malformed_answer_to_an_edit_is_not_as_predicted(owner: Client, stub_engine: StubEngine, wrong: str) -> None:
    stub_engine.flows = [with_version()]
    key = flow()["id"]
    url, typed = f"/w/sales/flows/do/step-rename/{key}/", {"step": "step_1", "name": "New"}
    typed["seen"] = owner.post(url, typed).context["form"].data["seen"]
    read = stub_engine.answer
    assert read is not None
    stub_engine.answer = lambda seen: Reply(200, WRONG[wrong]) if seen.method == "POST" else read(seen)
    done = owner.post(url, typed)
    assert done.status_code in (303, 422), text(done.content)[:500]
    row = FlowEdit.objects.get()
    assert row.state != EditState.DONE
    assert owner.get(f"/w/sales/flows/{key}/edits/{row.pk}/").status_code == 200
    assert owner.post(f"/w/sales/flows/do/edit-undo/{key}/", {"sure": "yes"}).status_code in (200, 422)


@pytest.mark.parametrize(
    ("action", "answered", "said"),
    [
        ("rename", with_version(), "it did not rename the flow"),
        ("publish", with_version(state="DRAFT", id="V2"), "it is not live"),
        ("publish", with_version(state="LOCKED") | {"status": "DISABLED"}, "it is not live"),
        ("publish", {"id": flow()["id"]}, "it is not live"),
    ],
)
def test_what_the_engine_takes_and_does_not_do_is_said(
    owner: Client, stub_engine: StubEngine, action: str, answered: dict[str, Any], said: str
) -> None:
    stub_engine.flows = [with_version(state="DRAFT", id="V2")]
    read = stub_engine.answer
    assert read is not None
    stub_engine.answer = lambda seen: Reply(200, answered) if seen.method == "POST" else read(seen)
    done = owner.post(f"/w/sales/flows/do/{action}/{flow()['id']}/", {"name": "New"})
    assert done.status_code == 303
    page = text(owner.get(done.headers["Location"]).content)
    assert said in page
    assert 'data-toast="warning"' in page


@pytest.mark.sampled(3)
@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("live", [True, False], ids=["live", "draft"])
def test_the_comparison_before_publishing_does_not_fail_on_a_malformed_version(
    owner: Client, stub_engine: StubEngine, wrong: str, live: bool
) -> None:
    draft = with_version(id="V2", state="DRAFT")
    odd = WRONG[wrong] | {"publishedVersionId": "V1"}
    if not live and isinstance(odd.get("version"), dict):
        draft = odd | {"version": odd["version"] | {"id": "V2", "state": "DRAFT"}}
    stub_engine.flows = [draft]
    read = stub_engine.answer
    assert read is not None
    stub_engine.answer = lambda seen: Reply(200, odd) if seen.query == "versionId=V1" else read(seen)
    url = f"/w/sales/flows/do/publish/{flow()['id']}/"
    assert owner.get(url).status_code in (200, 409)
    assert owner.post(url, {"seen": "another"}).status_code in (200, 409)


def test_the_titles_of_steps_without_samples_are_texts(owner: Client, stub_engine: StubEngine) -> None:
    second = {**CODE, "name": "step_2", "settings": {"input": {"a": "{{step_1.x}}"}, "sourceCode": {}}}
    trigger = flow()["version"]["trigger"] | {"nextAction": {**CODE, "displayName": LONG, "nextAction": second}}
    stub_engine.flows = [with_version(trigger=trigger, notes=[])]
    page = owner.get(f"/w/sales/flows/do/step-test/{flow()['id']}/", {"step": "step_2"}).content
    assert b"no sample yet" in page
    assert b"<script>x" not in page
