"""The frame, flows and runs in a real browser: sound in every look, live without being in the way, whole without JavaScript."""

import datetime
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import expect

from tests import users as people
from tests.browser.looks import sound, sound_in_every_look
from tests.browser.windows import Window
from tests.engine.servers import Reply
from tests.practice_engine.fixtures import Practice
from tests.stub_engine import StubEngine, flow, identity, run

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

ONE = f"/w/sales/runs/{identity(1)}/"


def going(**changes: Any) -> dict[str, Any]:
    """A run that has just begun."""
    now = datetime.datetime.now(datetime.UTC).isoformat().replace("+00:00", "Z")
    return run(status="RUNNING", created=now, startTime=now, finishTime="", **changes)


@pytest.mark.slow
def test_flows_and_runs_of_every_kind_are_sound_in_every_look(window: Window, practice: Practice) -> None:
    space = people.workspace("sales", address=practice.activepieces, project=practice.credentials.project_id)
    owner = people.gather(space, practice.credentials.bearer_token).owner
    page = window(owner, expected=("status of 404",))
    failed = next(found for found in practice.runs() if found["status"] == "FAILED")
    addresses = [
        "/w/sales/flows/?name=nothing-is-called-so",
        *(f"/w/sales/flows/{practice.sample(slug).id}/" for slug in ("looping", "sorting", "draft")),
        "/w/sales/runs/?status=FAILED&status=SUCCEEDED&rows=50",
        "/w/sales/runs/?since=2026-02-30",
        f"/w/sales/runs/{failed['id']}/",
        f"/w/sales/runs/{identity(404)}/",
        "/w/no-such-place/flows/",
    ]
    for address in addresses:
        page.goto(address)
        sound_in_every_look(page)


@pytest.mark.slow
def test_ugly_data_is_sound_too(
    window: Window,
    users: people.Users,
    stub_engine: StubEngine,
) -> None:
    name = "<b>" + "x" * 10_000
    long = {"a": "y" * 5_000}
    steps = {
        "trigger": {"status": "SUCCEEDED", "input": long, "output": {"headers": {"authorization": "Bearer 123456789"}}},
        "loop": {"type": "LOOP_ON_ITEMS", "status": "FAILED", "output": {"iterations": [{"s": {"status": "FAILED"}}]}},
        name: {"status": "NEW", "errorMessage": long, "type": "x" * 300},
    }
    stub_engine.flows = [flow(name=name), {}]
    stub_engine.runs = [run(status="NEW_STATE", steps=steps, flowVersion={"displayName": name}, tags=[name, 5]), {}]
    page = window(users.owner)
    for address in ("/w/sales/flows/", f"/w/sales/flows/{identity(1)}/", "/w/sales/runs/", ONE):
        page.goto(address)
        # The filters' fold has no button on a wide screen; open, it is looked at on the phone.
        page.locator("main .filter-fold").evaluate_all("folds => folds.forEach(fold => fold.open = true)")
        closed = page.locator("main details:not([open], .menu) > summary")
        while closed.count():
            closed.first.click()
        sound_in_every_look(page)


def test_a_run_is_watched_to_its_end_without_losing_ones_place(
    window: Window,
    users: people.Users,
    stub_engine: StubEngine,
) -> None:
    stub_engine.runs, stub_engine.flows = [going()], [flow()]
    page = window(users.owner)
    page.goto(ONE)
    expect(page.locator("#live")).to_contain_text("It is running.")
    raw = page.locator("#times > summary")
    raw.focus()
    page.keyboard.press("Enter")
    stub_engine.runs = [run(flowVersion={"displayName": "Order intake"})]
    expect(page.locator("#live")).to_contain_text("It finished in 37 ms.")
    expect(page.locator("#announcer")).to_have_text("It finished in 37 ms.")
    expect(page.locator("#times")).to_have_attribute("open", "")
    expect(raw).to_be_focused()
    assert page.locator("main [hx-trigger]").count() == 0


def test_a_fault_on_the_way_is_shown_and_goes_away_automatically(
    window: Window,
    users: people.Users,
    stub_engine: StubEngine,
) -> None:
    stub_engine.runs, stub_engine.flows = [going()], [flow()]
    page = window(users.owner, expected=("status of 502",))
    page.goto(ONE)
    stub_engine.faults[identity(1)] = Reply(401, {"code": "INVALID_BEARER_TOKEN", "params": {}})
    expect(page.locator("#alerts")).to_contain_text("The engine refuses the credential")
    expect(page.locator("#live")).to_contain_text("It is running.")
    del stub_engine.faults[identity(1)]
    stub_engine.runs = [run()]
    expect(page.locator("#live")).to_contain_text("It finished")
    expect(page.locator("#alerts")).to_be_empty()


def test_a_session_that_ends_leaves_the_page_and_stops_asking(
    window: Window,
    users: people.Users,
    stub_engine: StubEngine,
) -> None:
    stub_engine.runs, stub_engine.flows = [going()], [flow()]
    page = window(users.owner)
    page.goto(ONE)
    page.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    expect(page.locator("#alerts")).to_contain_text("You are signed out")
    expect(page.locator("#live")).to_contain_text("It is running.")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(3000)
    assert asked == []


def test_filters_change_the_list_in_place_and_the_address_with_it(
    window: Window,
    users: people.Users,
    stub_engine: StubEngine,
) -> None:
    stub_engine.flows = [flow()]
    page = window(users.owner)
    page.goto("/w/sales/flows/")
    page.evaluate("window.same = true")
    page.locator("#filters").get_by_label("State").focus()
    page.locator("#filters").get_by_label("State").select_option("DISABLED")
    expect(page.locator("#results")).to_contain_text("State: Off")
    assert page.url.endswith("/w/sales/flows/?status=DISABLED")
    assert page.evaluate("window.same")
    expect(page.locator("#filters").get_by_label("State")).to_be_focused()
    expect(page.locator("#announcer")).to_have_text("1 row on this page")
    page.go_back()
    expect(page.locator("#results")).not_to_contain_text("State: Off")
    sound(page)


def test_menus_open_and_close_by_keyboard(window: Window, users: people.Users, stub_engine: StubEngine) -> None:
    stub_engine.flows = [flow()]
    page = window(users.owner)
    page.goto("/w/sales/flows/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#content")).to_be_focused()
    switcher = page.locator("header details summary").first
    switcher.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Add a credential")).to_be_visible()
    sound(page)
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Add a credential")).to_be_hidden()
    expect(switcher).to_be_focused()


def test_the_theme_changes_in_place_and_is_remembered(window: Window, users: people.Users) -> None:
    page = window(users.owner)
    page.goto("/?all=1")
    menu = page.locator("header.topbar details.menu").last.locator("summary")
    menu.click()
    page.get_by_role("button", name="Dark theme").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    menu.click()
    expect(page.get_by_role("button", name="Dark theme")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Same as browser").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "light")


def test_the_menu_stays_folded_and_narrow_fits_the_screen_and_is_opened_by_keyboard_on_a_phone(
    window: Window, users: people.Users
) -> None:
    page = window(users.owner, viewport={"width": 1366, "height": 768})
    page.goto("/w/sales/credentials/")
    sidebar = page.locator("#sidebar")
    assert sidebar.evaluate("(one) => one.scrollHeight <= window.innerHeight")
    sidebar.locator("summary", has_text="Build").click()
    expect(sidebar.get_by_role("link", name="Flows", exact=True)).to_be_hidden()
    page.get_by_role("button", name="Show icons only").click()
    page.goto("/profile/")
    expect(sidebar.get_by_role("link", name="Flows", exact=True)).to_be_hidden()
    assert sidebar.evaluate("(one) => one.offsetWidth") < 60
    page.set_viewport_size({"width": 390, "height": 844})
    expect(sidebar).to_be_hidden()
    page.get_by_role("button", name="Menu", exact=True).press("Enter")
    expect(sidebar.get_by_role("link", name="Workflow console")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Menu", exact=True)).to_be_focused()
    expect(sidebar).to_be_hidden()


def test_everything_works_without_javascript(window: Window, users: people.Users, stub_engine: StubEngine) -> None:
    stub_engine.flows, stub_engine.runs = [flow(number, f"Flow {number}") for number in range(1, 30)], [going()]
    page = window(users.owner, viewport={"width": 390, "height": 844}, java_script_enabled=False)
    page.goto("/?all=1")
    page.get_by_role("link", name="Sales").first.click()
    page.get_by_role("complementary").get_by_role("link", name="Flows").click()
    page.get_by_label("Name contains").fill("Flow")
    page.get_by_role("button", name="Apply").click()
    assert "name=Flow" in page.url
    page.get_by_role("link", name="Next page", exact=True).click()
    page.get_by_role("link", name="Flow 29", exact=True).click()
    expect(page.locator("h1")).to_have_text("Flow 29")
    page.get_by_role("navigation").get_by_role("link", name="Flows").click()
    page.get_by_role("complementary").get_by_role("link", name="Runs").click()
    page.get_by_role("link", name="Order intake", exact=True).click()
    expect(page.locator("#live")).to_contain_text("It is running.")
    page.get_by_role("link", name="JSON").click()
    page.locator("summary", has_text="As the engine has it").click()
    expect(page.locator("#raw-text")).to_be_visible()
    page.locator("header.topbar details.menu").last.locator("summary").click()
    page.get_by_role("button", name="Dark theme").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.locator("header.topbar details.menu").last.locator("summary").click()
    page.get_by_role("button", name="Tiếng Việt").click()
    expect(page.locator("html")).to_have_attribute("lang", "vi")
