"""The board of triggers and the test of one, in a real browser: sound in every look, and live while somebody waits."""

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.looks import LOOKS, sound, sound_in_every_look
from tests.browser.windows import Window
from tests.connection_scene import Scene
from tests.engine.servers import Reply
from tests.practice_engine.fixtures import Practice, practice
from tests.stub_engine import StubEngine, flow, identity
from tests.users import Users

__all__ = ["practice"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LIST = "/w/sales/triggers/"


@pytest.mark.slow
def test_triggers_that_failed_and_wait_are_sound_in_every_look(window: Window, practice: Practice) -> None:
    practice.engine.settings.version = "0.72.4"  # 0.83 counts nothing (recording trigger_runs_status)
    scene = Scene(practice, "activepieces")
    page = window(scene.users.owner)
    key = practice.sample("orders").id
    for address in (f"{LIST}?failures=yes", f"/w/sales/flows/{key}/trigger/?waiting=9999999999&seen="):
        page.goto(address)
        sound_in_every_look(page)
    page.goto(f"/w/sales/flows/{key}/trigger/")
    for summary in page.locator("#trigger-live details:not([open]) > summary").all():
        if summary.is_visible():
            summary.click()
    sound_in_every_look(page)


@pytest.mark.slow
def test_ugly_data_is_sound_too(window: Window, users: Users, stub_engine: StubEngine) -> None:
    long = "<b>" + "x" * 3_000
    pieces: dict[str, Any] = {
        long: {"dailyStats": {long: {}, "2026-11-24": {"success": 10**15, "failure": 10**12}}, "totalRuns": long}
    }
    pieces |= {"": {}, "خادم الأدوات للمبيعات": {"dailyStats": {}, "totalRuns": None}, "@x/piece-y": {"dailyStats": 5}}
    stub_engine.faults["/trigger-runs/status"] = Reply(200, {"pieces": pieces})
    stub_engine.rows["/pieces"] = [{"name": "@x/piece-y", "displayName": long}]
    stub_engine.arrays.add("/pieces")
    payload = {"body": {long: long, "deep": [[[[[["x"]]]]]], "rows": [{"a": long, "b": "خادم"}] * 9}, "headers": {}}
    sample = {"id": identity(3), "created": "x", "sourceName": long, "payload": payload}
    stub_engine.flows, stub_engine.rows["/trigger-events"] = [flow(name=long)], [sample, {}]
    page = window(users.owner)
    for address in (LIST, f"{LIST}@x/piece-y/", f"/w/sales/flows/{identity(1)}/trigger/"):
        page.goto(address)
        closed = page.locator("main details:not([open], .menu) > summary").locator("visible=true")
        while closed.count():
            closed.first.click()
        sound_in_every_look(page)


def test_the_board_is_read_and_leads_to_the_flows_behind_it(window: Window, practice: Practice) -> None:
    practice.engine.settings.version = "0.72.4"  # 0.83 counts nothing (recording trigger_runs_status)
    scene = Scene(practice, "activepieces")
    page = window(scene.users.owner)
    page.goto("/w/sales/runs/")
    page.get_by_role("link", name="Triggers", exact=True).click()
    expect(page.locator("h1")).to_have_text("Triggers")
    page.locator("#filters").get_by_label("Search").fill("webhook")
    expect(page.locator(".chips")).to_contain_text("webhook")
    row = page.get_by_role("row").filter(has_text="piece-webhook")
    expect(row.locator(".chart-spark .visually-hidden")).to_have_text(_counted())
    row.get_by_role("link").first.click()
    expect(page.get_by_role("group", name="Day by day")).to_be_visible()
    page.get_by_text("Show as a table").click()
    # The engine keeps fourteen times 24 hours, which touch fifteen days.
    assert page.get_by_role("table", name="Day by day").locator("tbody tr").count() in (14, 15)
    page.get_by_role("link", name=practice.sample("quick").name, exact=True).click()
    expect(page).to_have_url(f"{page.url.split('/w/')[0]}/w/sales/flows/{practice.sample('quick').id}/")


def _counted() -> re.Pattern[str]:
    return re.compile(r"\d+ worked, \d+ failed$")


def test_a_trigger_is_tested_by_waiting_for_an_event(window: Window, practice: Practice) -> None:
    scene = Scene(practice, "activepieces")
    page = window(scene.users.owner, **LOOKS["phone"])
    key = practice.sample("quick").id
    page.goto(f"/w/sales/flows/{key}/")
    # The second look at the flow replaces its menu.
    expect(page.locator("[data-late]")).to_have_count(0)
    page.locator(".page-actions summary").click()
    page.locator(".page-actions").get_by_role("link", name="Test the trigger").click()
    page.get_by_role("radio", name="Wait for a real event.", exact=False).check()
    page.get_by_role("button", name="Test the trigger of").click()
    live = page.locator("#trigger-live")
    expect(live.get_by_text("The engine is waiting for the next event.")).to_be_visible()
    sound(page)
    practice.call("POST", f"/v1/webhooks/{key}", json={"order": "Bestellung 4711"})
    expect(live.get_by_text("An event arrived")).to_be_visible()
    expect(live.get_by_text("Bestellung 4711").locator("visible=true").first).to_be_visible()
    expect(page.locator("#announcer")).to_contain_text("An event arrived")
    sound(page)


def test_a_trigger_is_asked_and_a_waiting_one_is_cancelled(window: Window, practice: Practice) -> None:
    scene = Scene(practice, "activepieces")
    page = window(scene.users.owner)
    key = practice.sample("quick").id
    page.goto(f"/w/sales/flows/{key}/trigger/")
    page.get_by_role("link", name="Test the trigger").click()
    page.get_by_role("radio", name="Ask now.", exact=False).check()
    page.get_by_role("button", name="Test the trigger of").click()
    expect(page.get_by_text("The app gave 1 sample.")).to_be_visible()
    expect(page.locator("#sample-1").get_by_text("New", exact=True)).to_be_visible()
    page.get_by_role("link", name="Test the trigger").click()
    page.get_by_role("radio", name="Wait for a real event.", exact=False).check()
    page.get_by_role("button", name="Test the trigger of").click()
    page.get_by_role("button", name="Stop waiting").click()
    expect(page.get_by_text("The engine no longer waits for events.")).to_be_visible()
    assert not practice.engine.listening
