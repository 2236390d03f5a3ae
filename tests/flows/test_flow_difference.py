"""What differs between two versions: step by step and field by field, on a page where both can be chosen."""

import copy
from functools import partial
from typing import Any

import pytest
from django.test import Client
from hypothesis import given, strategies as st

from tests import flows
from tests.engine.servers import Reply
from tests.stage import Stage
from tests.stub_engine import StubEngine, flow, identity, text
from workflows_ui.core import redaction
from workflows_ui.flows import difference as flow_difference, outline, reading
from workflows_ui.flows.difference import Difference, StepChange
from workflows_ui.members.models import Role


def step(name: str, kind: str = "CODE", **more: Any) -> dict[str, Any]:
    return {"name": name, "displayName": name.title(), "type": kind, "valid": True, "settings": {"input": {}}} | more


def version(*steps: dict[str, Any], name: str = "Orders", **more: Any) -> dict[str, Any]:
    """A version with these steps one after another."""
    chain: dict[str, Any] | None = None
    for one in reversed([step("trigger", "PIECE_TRIGGER", **more), *copy.deepcopy(steps)]):
        chain = one | ({"nextAction": chain} if chain else {})
    return {"displayName": name, "trigger": chain}


def between(old: Any, new: Any) -> Difference:
    names = outline.names_of(new.get("trigger"), {}, "sales", older=old.get("trigger"))
    return flow_difference.between(
        old, new, names=names, known={}, mask=partial(redaction.step, secrets=reading.SECRETS)
    )


def kinds_and_names(found: Difference) -> list[tuple[str, str]]:
    return [(one.kind + (" moved" if one.moved else ""), one.name) for one in found.steps]


def fields(change: StepChange) -> dict[str, tuple[str | None, str | None]]:
    return {
        one.label: (one.before.whole if one.before else None, one.after.whole if one.after else None)
        for one in change.changes
    }


def test_a_version_differs_in_nothing_from_itself() -> None:
    one = version(step("a"), step("b"))
    assert between(one, copy.deepcopy(one)).identical


def test_steps_that_come_and_go_are_shown_and_what_they_push_has_not_moved() -> None:
    found = between(version(step("a"), step("b"), step("c")), version(step("a"), step("new"), step("c")))
    assert kinds_and_names(found) == [("added", "new"), ("removed", "b")]


def test_a_step_in_another_place_has_moved() -> None:
    found = between(version(step("a"), step("b"), step("c")), version(step("b"), step("c"), step("a")))
    assert kinds_and_names(found) == [("changed moved", "a")]


def test_a_step_that_goes_into_a_loop_has_moved_and_so_has_one_in_another_branch() -> None:
    def loop(inside: dict[str, Any] | None) -> dict[str, Any]:
        return step("loop", "LOOP_ON_ITEMS", settings={"items": "{{trigger.x}}"}, firstLoopAction=inside)

    assert kinds_and_names(between(version(loop(None), step("a")), version(loop(step("a"))))) == [
        ("changed moved", "a")
    ]

    def route(left: Any, right: Any) -> dict[str, Any]:
        branches = [{"branchName": "Left"}, {"branchName": "Right"}]
        return step("route", "ROUTER", settings={"branches": branches}, children=[left, right])

    found = between(version(route(step("a"), None)), version(route(None, step("a"))))
    assert kinds_and_names(found) == [("changed moved", "a")]


def test_names_settings_and_marks_are_shown_field_by_field() -> None:
    old = step("a", settings={"input": {"to": "x@example.com", "gone": "1", "same": "s", "deep": {"a": [{"b": 1}]}}})
    new = step(
        "a",
        displayName="Mail",
        valid=False,
        skip=True,
        settings={"input": {"to": "y@example.com", "come": "{{trigger.body}}", "same": "s", "deep": {"a": [{"b": 2}]}}},
    )
    (change,) = between(version(old), version(new)).steps
    assert change.renamed == "A"
    assert change.title == "Mail"
    assert fields(change) == {
        "Complete": ("Yes", "No"),
        "Passed over": ("No", "Yes"),
        "To": ("x@example.com", "y@example.com"),
        "Come": (None, "{{trigger.body}}"),
        "Deep › a › 1 › b": ("1", "2"),
        "Gone": ("1", None),
    }


def test_another_trigger_is_shown_by_what_it_does() -> None:
    def settings(piece: str, action: str, number: str) -> dict[str, Any]:
        return {"pieceName": f"@activepieces/piece-{piece}", "triggerName": action, "pieceVersion": number}

    found = between(
        version(settings=settings("webhook", "catch", "~0.1.2")),
        version(settings=settings("schedule", "every_day", "0.1.13")),
    )
    assert fields(found.steps[0]) == {
        "What it does": ("webhook: catch", "schedule: every_day"),
        "Version of the app": ("0.1.2", "0.1.13"),
    }


def test_what_the_engine_changes_automatically_is_no_difference() -> None:
    old = version(
        settings={"pieceName": "x", "pieceVersion": "~0.1.2", "input": {}, "sampleData": {"lastTestDate": "1"}}
    )
    new = version(settings={"pieceName": "x", "pieceVersion": "0.1.2", "input": {}})
    assert between(old, new).identical


def test_a_changed_secret_is_reported_and_not_shown() -> None:
    old, new = (step("a", settings={"input": {"password": word}}) for word in ("first-secret", "second-secret"))
    found = between(version(old), version(new))
    (change,) = found.steps[0].changes
    assert change.hidden
    assert "first-secret" not in repr(found.steps)
    assert "second-secret" not in repr(found.steps)


@pytest.mark.parametrize(
    "name",
    [
        "token=first-secret",
        '{"headerValue": "first-secret"}',
        {"name": "password", "value": "first-secret"},
    ],
)
def test_a_secret_in_the_name_of_a_step_is_masked_wherever_the_name_is_shown(name: Any) -> None:
    named = step("a", displayName=name)
    old, new = (version(named, step("b", settings={"input": {"x": text}})) for text in ("1", "{{a.total}}"))
    found = between(old, new)
    assert fields(found.steps[0])["X"] == ("1", "{{a.total}}")
    assert "total from “" in repr(found.steps)
    assert "first-secret" not in repr([*found.steps, *between(version(), old).steps])


def test_long_texts_that_differ_far_down_differ_and_lines_are_compared() -> None:
    start = "x" * 5000
    old, new = (step("a", settings={"input": {"t": start + end}}) for end in ("1", "2"))
    assert not between(version(old), version(new)).identical
    old, new = (step("a", settings={"sourceCode": {"code": f"one\n{word}\nthree"}}) for word in ("two", "2"))
    (change,) = between(version(old), version(new)).steps[0].changes
    assert ("-", "two") in change.text
    assert ("+", "2") in change.text


def test_a_difference_that_no_line_shows_is_admitted() -> None:
    old, new = (step("a", settings={"branches": {"odd": n}}) for n in (1, 2))
    (change,) = between(version(old), version(new)).steps[0].changes
    assert change.label == "Something that only the raw data shows"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["name", "type", "settings", "input", "branches", "children", "nextAction", "firstLoopAction", "x"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=25,
)


@pytest.mark.slow
@given(_JSON, _JSON)
def test_whatever_the_engine_sends_is_compared(old: Any, new: Any) -> None:
    found = between({"trigger": old}, {"trigger": new})
    assert isinstance(found.identical, bool)
    assert between({"trigger": old}, {"trigger": copy.deepcopy(old)}).identical


def page_of(browser: Client, id: str, **query: str) -> str:
    answer = browser.get(f"/w/sales/flows/{id}/difference/", query)
    assert answer.status_code == 200
    return text(answer.content)


def test_a_published_flow_is_compared_with_its_draft(stage: Stage) -> None:
    workflows = stage.session.workflows
    key = flows.make(workflows, "First", flows.code("echo", a="1"), flows.response({"ok": True}))
    first = workflows.get_flow(key)["version"]["id"]
    assert "This flow has only one version" in page_of(stage.browser, key)
    action = {"name": "step_1", **flows.code("echo", a="{{trigger.body.amount}}")}
    workflows.apply_flow_operation(key, {"type": "UPDATE_ACTION", "request": action})
    workflows.apply_flow_operation(key, {"type": "DELETE_ACTION", "request": {"names": ["step_2"]}})
    workflows.apply_flow_operation(key, {"type": "CHANGE_NAME", "request": {"displayName": "Second <b>"}})
    listed = text(stage.browser.get(f"/w/sales/flows/{key}/?tab=versions").content)
    newest = workflows.get_flow(key)["version"]["id"]
    assert f'href="/w/sales/flows/{key}/difference/?old={first}&amp;new={newest}"' in listed
    page = page_of(stage.as_role(Role.VIEWER), key)
    assert "Second &lt;b&gt;" in page
    assert "body › amount from “Catch Webhook”" in page
    assert "Removed" in page
    assert f'<option value="{first}" selected>First · Live' in page
    swapped = page_of(stage.browser, key, old=newest, new=first)
    assert "Added" in swapped
    assert "Nothing differs" in page_of(stage.browser, key, old=first, new=first)


@pytest.mark.parametrize("query", [{"old": "x", "new": "y"}, {"old": "<b>"}, {"new": "../.."}])
def test_versions_that_there_are_not_are_passed_over(stage: Stage, query: dict[str, str]) -> None:
    key = flows.make(stage.session.workflows, "First", flows.code("echo"))
    stage.session.workflows.apply_flow_operation(key, {"type": "CHANGE_NAME", "request": {"displayName": "Second"}})
    assert "Name of the flow" in page_of(stage.browser, key, **query)


def test_an_engine_that_lists_no_versions_still_compares_what_is_live(stage: Stage) -> None:
    key = flows.make(stage.session.workflows, "First", flows.code("echo"))
    stage.session.workflows.apply_flow_operation(key, {"type": "CHANGE_NAME", "request": {"displayName": "Second"}})
    stage.practice.engine.faults.add("status", "GET", "/v1/flows/*/versions", status=404)
    assert "Name of the flow" in page_of(stage.browser, key)


@pytest.mark.parametrize("id", ["..", "%2e", "%20"])
def test_an_id_that_does_not_exist_is_not_found(owner: Client, id: str) -> None:
    assert owner.get(f"/w/sales/flows/{id}/difference/").status_code == 404


@pytest.mark.parametrize(
    "odd",
    [
        {"version": None},
        {"version": {"id": "V9"}},
        {"publishedVersionId": {}},
        {"publishedVersionId": "V0", "version": []},
    ],
)
def test_odd_flows_break_no_page(owner: Client, stub_engine: StubEngine, odd: dict[str, Any]) -> None:
    stub_engine.flows = [flow(**odd)]
    stub_engine.rows[f"/flows/{identity(1)}/versions"] = [{"id": "V0"}, {"id": None}, {}]
    assert owner.get(f"/w/sales/flows/{identity(1)}/difference/").status_code == 200


def test_an_engine_that_is_down_is_no_mistake_of_ours(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.faults[f"/{identity(1)}"] = Reply(502, b"<html>no</html>")
    assert owner.get(f"/w/sales/flows/{identity(1)}/difference/").status_code == 503
