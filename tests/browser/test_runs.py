"""A run read by a person in a real browser: bars, values, long loops, the runs it belongs together with."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests import users as people
from tests.browser.looks import sound_in_every_look
from tests.browser.test_flows_and_runs import ONE
from tests.browser.windows import Window
from tests.stub_engine import StubEngine, flow, identity, run

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WORD = "x" * 300


def code(status: str = "SUCCEEDED", **more: Any) -> dict[str, Any]:
    return {"type": "CODE", "status": status, "input": {}, "duration": 1.5} | more


def eventful() -> dict[str, Any]:
    """A run that waited in the queue and in a pause, with a long loop, wide and deep values, and a failure."""
    rows = [{f"column_{number}": WORD for number in range(8)} for _row in range(3)]
    turns = [{"inner": code(output={"line": number})} for number in range(100)]
    steps = {
        "trigger": code(output={"body": {"rows": rows, "deep": {"a": {"b": {"c": {"d": 1}}}}, "text": "word " * 400}}),
        "wait": code(type="PIECE", input={"unit": "seconds", "delayFor": 50}),
        "loop": {"type": "LOOP_ON_ITEMS", "status": "SUCCEEDED", "output": {"iterations": turns}},
        "last": code("FAILED", errorMessage="Error: no\n    at x.js"),
    }
    return run(
        2,
        status="FAILED",
        created="2026-11-24T22:38:20.786Z",
        finishTime="2026-11-24T22:39:25.786Z",
        failedStep={"name": "last", "displayName": "Last"},
        parentRunId=identity(1),
        tags=["big"],
        steps=steps,
    )


TWO = f"/w/sales/runs/{identity(2)}/"


@pytest.mark.slow
def test_an_eventful_run_is_sound_with_everything_opened(
    window: Window, users: people.Users, stub_engine: StubEngine
) -> None:
    stub_engine.flows, stub_engine.runs = [flow()], [run(1), eventful()]
    page = window(users.owner)
    page.goto(f"{TWO}?tab=related")
    expect(page.locator("#family")).to_contain_text("Runs that it started")
    expect(page.locator("#family").get_by_role("link", name="Order intake")).to_have_attribute("href", ONE)
    page.goto(TWO)
    closed = page.locator("#live details:not([open]) > summary:visible")
    while closed.count():
        closed.first.click()
    sound_in_every_look(page)
    page.goto(f"{TWO}steps/2/?from=31")
    sound_in_every_look(page)
    page.goto(f"{TWO}family/")
    sound_in_every_look(page)


def test_a_long_loop_is_followed_to_its_end_by_keyboard(
    window: Window, users: people.Users, stub_engine: StubEngine
) -> None:
    stub_engine.flows, stub_engine.runs = [flow()], [run(1), eventful()]
    page = window(users.owner)
    page.goto(TWO)
    page.locator("#step-2 > summary").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#step-2")).to_contain_text("Item 30")
    more = page.get_by_role("link", name="Show more items")
    more.focus()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("Items 31 to 60 of 100")
    for items in ("Items 61 to 90 of 100", "Items 91 to 100 of 100"):
        page.get_by_role("link", name="Items after").click()
        expect(page.locator("main")).to_contain_text(items)
    expect(page.get_by_role("link", name="Items after")).to_have_count(0)


def test_runs_that_failed_alike_are_found_by_a_click_and_several_flows_without_script(
    window: Window, users: people.Users, stub_engine: StubEngine
) -> None:
    stub_engine.flows, stub_engine.runs = [flow(1), flow(2, "Reminder")], [eventful()]
    page = window(users.owner)
    page.goto("/w/sales/runs/")
    page.get_by_role("link", name="Last").first.click()
    expect(page.locator(".chips")).to_contain_text("Failed step: last")
    expect(page.locator("#filters").get_by_label("Failed step")).to_have_value(f"last@{identity(1)}")
    plain = window(users.owner, java_script_enabled=False)
    plain.goto("/w/sales/runs/")
    filters = plain.locator("#filters")
    filters.locator("#filter-flow > summary").click()
    for name in ("Order intake", "Reminder"):
        filters.get_by_role("checkbox", name=name).check()
    filters.get_by_role("button", name="Apply").click()
    expect(plain.locator(".chips")).to_contain_text("Flow: Reminder")
    assert stub_engine.queries("/flow-runs")[-1]["flowId"] == [identity(1), identity(2)]
