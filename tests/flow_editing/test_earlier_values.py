"""Values of earlier steps for the expressions of a form: from runs and samples, masked, searched, limited, and resolved."""

import tracemalloc
from html import unescape
from typing import Any

import pytest
from django.test import Client

from tests import flows
from tests.practice_engine.fixtures import until
from tests.stage import Stage, stage
from tests.stub_engine import identity, text
from workflows_ui.core.redaction import MASK
from workflows_ui.members.models import Role

__all__ = ["stage"]
HTMX = {"HX-Request": "true", "HX-Target": "values"}
newer = pytest.mark.parametrize("stage", ["activepieces"], indirect=True)
BODY = {
    "total": 120,
    "customer": {"name": "Phạm Thị Linh", "password": "hunter2-hunter2"},
    "it's": {"a.b": True},
    "lines": [{"qty": 1}, {"qty": 2}],
}


@pytest.fixture
def flow(stage: Stage) -> str:
    """A webhook, a loop over the lines with a code step in it, and an answer."""
    client = stage.session.workflows
    key = flows.make(client, "Orders", flows.code("echo", sum="{{trigger['body']['total']}}"), publish=False)
    loop = {"name": "step_2", "displayName": "Each line", "type": "LOOP_ON_ITEMS", "valid": True}
    loop["settings"] = {"items": "{{trigger['body']['lines']}}"}
    inside = {"stepLocationRelativeToParent": "INSIDE_LOOP"}
    inner = flows.code("echo", line="{{step_2['item']}}") | {"name": "step_3", "displayName": "Inner"}
    for request in (
        {"parentStep": "step_1", "action": loop},
        {"parentStep": "step_2", "action": inner} | inside,
    ):
        client.apply_flow_operation(key, {"type": "ADD_ACTION", "request": request})
    client.apply_flow_operation(key, {"type": "LOCK_AND_PUBLISH", "request": {}})
    return key


def run(stage: Stage, key: str, body: Any = BODY) -> None:
    """Run the flow to its end."""
    number = len(stage.practice.runs(key))
    stage.practice.call("POST", f"/v1/webhooks/{key}", json=body)
    until(lambda: [row["status"] for row in stage.practice.runs(key)] == ["SUCCEEDED"] * (number + 1))


def url(key: str, more: str = "") -> str:
    return f"/w/sales/flows/{key}/values/{more}"


def read(stage: Stage, key: str, **query: str) -> str:
    page = stage.browser.get(url(key), query, headers=HTMX)
    assert page.status_code == 200
    return unescape(text(page.content))


def lines(stage: Stage, key: str, *texts: str, **query: str) -> list[str]:
    """The lines below fields with these texts."""
    fields = [f"id_{number}" for number in range(len(texts))]
    answer = stage.browser.post(url(key, "resolved/"), {"field": fields, "text": texts}, query_params=query)
    assert answer.status_code == 200
    return [found.text if found else "" for _field, found in answer.context["lines"]]


def test_without_a_run_and_a_sample_it_says_what_to_do(stage: Stage, flow: str) -> None:
    page = read(stage, flow, step="step_3")
    assert page.count("No run yet: run the flow or save a sample.") == 3
    assert "{{step_2['item']}}" in page
    assert lines(stage, flow, "{{step_1.total}}", step="step_3") == [
        "“Echo” has no values yet: run the flow or save a sample."
    ]


def test_the_latest_run_gives_the_values_by_name(stage: Stage, flow: str) -> None:
    run(stage, flow, BODY | {"total": 1})
    run(stage, flow)
    page = read(stage, flow, step="step_3")
    assert "{{trigger['body']['total']}}" in page
    assert r"{{trigger['body']['it\'s']['a.b']}}" in page
    assert "Phạm Thị Linh" in page
    assert "iterations" not in page
    assert lines(stage, flow, "{{trigger.body.total}}", step="step_1") == ["= 120"]


def test_secrets_stay_hidden(stage: Stage, flow: str) -> None:
    run(stage, flow)
    pages = read(stage, flow), read(stage, flow, q="hunter"), read(stage, flow, at="{{trigger['body']['customer']}}")
    assert not any("hunter2" in page for page in pages)
    assert MASK in pages[0]
    assert lines(stage, flow, "{{trigger.body.customer.password}}") == [f"= {MASK}"]


def test_a_step_inside_a_loop_sees_the_item_of_the_last_round(stage: Stage, flow: str) -> None:
    run(stage, flow)
    assert lines(
        stage, flow, "{{step_2['item']['qty']}} of {{trigger.body.lines.length}}", place="INSIDE_LOOP:step_2"
    ) == ["= 2 of 2"]
    assert "iterations" in read(stage, flow, place="AFTER:step_2")


def test_a_text_is_resolved_or_says_why_not(stage: Stage, flow: str) -> None:
    run(stage, flow)
    said = lines(
        stage,
        flow,
        "plain",
        "Order {{trigger.body.total}} for {{trigger['body']['customer']['name']}}",
        "{{trigger.body.total * 2}}",
        "{{step_3.line}}",
        "{{step_9}}",
        "{{trigger.body.nothing}}",
        "{{connections['slack']}}",
        "{{trigger['body']['lines'][1]}}",
        step="step_1",
    )
    assert said == [
        "",
        "= Order 120 for Phạm Thị Linh",
        "Shown after a test of the step.",
        "“Inner” does not run before this step.",
        "There is no step “step_9”.",
        "“Catch Webhook” did not give this value.",
        "",
        '= {"qty": 2}',
    ]


def test_a_large_value_that_is_named_a_thousand_times_is_not_repeated(stage: Stage, flow: str) -> None:
    run(stage, flow, BODY | {"long": "x" * 100_000})
    tracemalloc.start()
    try:
        [said] = lines(stage, flow, "{{trigger.body.long}}" * 900, step="step_1")
        _now, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert said.startswith("= xxx")
    assert most < 50_000_000


def test_the_number_of_a_branch_may_be_too_long_to_read(stage: Stage, flow: str) -> None:
    assert "Echo" in read(stage, flow, branch=f"step_2:{'9' * 5_000}")


@newer
def test_a_sample_stands_in_for_a_run(stage: Stage, flow: str) -> None:
    request = {"stepName": "step_1", "payload": {"total": 7}, "type": "OUTPUT", "dataType": "JSON"}
    stage.session.workflows.apply_flow_operation(flow, {"type": "SAVE_SAMPLE_DATA", "request": request})
    stage.session.workflows.save_trigger_event(flow, {"body": {"lines": [{"qty": 5}]}})
    assert lines(stage, flow, "{{step_1.total}}", "{{step_2.item.qty}}", step="step_3") == ["= 7", "= 5"]
    assert "from its sample" in read(stage, flow, step="step_3")


def test_values_are_found_without_accents(stage: Stage, flow: str) -> None:
    run(stage, flow)
    page = read(stage, flow, q="pham thi")
    assert "{{trigger['body']['customer']['name']}}" in page
    assert "{{trigger['body']['total']}}" not in page
    assert "No value contains this." in read(stage, flow, q="nowhere")


@pytest.mark.slow
def test_large_values_are_opened_on_demand(stage: Stage, flow: str) -> None:
    deep: Any = 1
    for _level in range(40):
        deep = {"in": deep}
    run(
        stage,
        flow,
        BODY | {"rows": [{"number": number} for number in range(5_000)], "deep": deep, "long": "x" * 10_000},
    )
    page = read(stage, flow, step="step_1")
    assert len(page) < 150_000
    assert "5000 items" in page
    rows = read(stage, flow, step="step_1", at="{{trigger['body']['rows']}}", **{"from": "4990"})
    assert "{{trigger['body']['rows'][4999]['number']}}" in rows
    below = "{{trigger['body']['deep']" + "['in']" * 39 + "}}"
    assert "['in']" * 40 in read(stage, flow, step="step_1", at=below)
    assert "All steps" not in read(stage, flow, step="step_1", at="{{trigger['gone']}}")
    assert "[4321]" in read(stage, flow, step="step_1", q="4321")


def test_the_page_shows_expressions_to_copy_without_javascript(stage: Stage, flow: str) -> None:
    run(stage, flow)
    form = stage.browser.get(f"/w/sales/flows/do/step-items/{flow}/").context["form"]
    assert form.values_url == f"/w/sales/flows/{flow}/values/?step=step_2"
    page = unescape(text(stage.browser.get(form.values_url).content))
    assert "<code>{{trigger['body']['total']}}</code>" in page
    assert "data-value-expression" not in page


def test_it_is_for_builders_of_the_workspace(stage: Stage, flow: str) -> None:
    for role in (Role.LAUNCHER, Role.VIEWER):
        colleague = stage.as_role(role)
        assert colleague.get(url(flow)).status_code == 403
        assert colleague.post(url(flow, "resolved/")).status_code == 403
    stranger = Client()
    stranger.force_login(stage.users.stranger)
    assert stranger.get(url(flow)).status_code == 404
    assert stage.browser.get(url(identity(77))).status_code == 404


def test_an_engine_that_is_down_is_a_message(stage: Stage, flow: str) -> None:
    stage.practice.server.stop()
    assert stage.browser.get(url(flow), headers=HTMX).status_code in (502, 503)
    assert stage.browser.post(url(flow, "resolved/"), headers=HTMX).status_code in (502, 503)
