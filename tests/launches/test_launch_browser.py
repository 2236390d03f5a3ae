"""The launch pages in a real browser: sent once, live to the end without disturbing the person, clean for axe in every look."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from tests import flows
from tests.browser.looks import LOOKS, sound_in_every_look
from tests.launch_forms.filled import publish
from tests.launches.browser_scene import sign_in, stage as stage
from tests.launches.launch_scene import Scene
from workflows_ui.form_schema.document import Field, FieldKind, Form
from workflows_ui.launches.models import Launch, Reason, State
from workflows_ui.launches.services import sending
from workflows_ui.members.models import Member, Role

pytestmark = pytest.mark.browser
ECHO = flows.code("echo", given="{{trigger.body}}")


def test_clicking_twice_sends_one_launch_which_is_watched_to_its_end(
    stage: Scene, live_server: LiveServer, page: Page
) -> None:
    said = sign_in(stage, page, live_server)
    flow = flows.make(stage.workflows, "Quick", ECHO)
    page.goto(live_server.url + stage.url(flow) + "?_as=json")
    page.fill("[name=payload]", '{"name": "Nguyễn Văn An"}')
    page.get_by_role("button", name="Launch", exact=True).dblclick()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Launch of Quick")
    launch = Launch.objects.get()
    expect(page.locator("#launch-badge")).to_contain_text("Waiting to be sent")

    page.locator("#launch-technical summary").click()
    page.locator("#launch-history summary").focus()
    sending.send(launch.pk)
    stage.watch(launch)
    expect(page.locator("#launch-badge")).to_contain_text("Succeeded")
    expect(page.locator("#state-title")).to_have_text("Succeeded")
    expect(page.locator("#answer-text")).to_contain_text("Nguyễn Văn An")
    expect(page.locator("#launch-technical")).to_have_attribute("open", "")
    expect(page.locator("#announcer")).to_have_text("Succeeded")
    expect(page.locator("#launch-live")).not_to_have_attribute("hx-get", "")
    assert page.locator("#launch-live").get_attribute("hx-trigger") is None
    assert Launch.objects.count() == 1
    assert said == []


def test_a_connection_that_is_down_loses_nothing_and_the_back_button_leads_to_the_launch_that_exists(
    stage: Scene, live_server: LiveServer, page: Page
) -> None:
    sign_in(stage, page, live_server)
    flow = flows.make(stage.workflows, "Quick", ECHO)
    page.goto(live_server.url + stage.url(flow) + "?_as=json")
    page.fill("[name=payload]", '{"a": 1}')
    page.context.set_offline(True)
    page.get_by_role("button", name="Launch", exact=True).click()
    expect(page.get_by_text("The console does not answer")).to_be_visible()
    page.context.set_offline(False)
    expect(page.locator("[name=payload]")).to_have_value('{"a": 1}')
    page.get_by_role("button", name="Launch", exact=True).click()
    page.wait_for_url("**/launches/**")
    page.go_back()
    page.fill("[name=payload]", '{"a": 1}')
    page.get_by_role("button", name="Launch", exact=True).click()
    # Either the very form again (its ticket leads to its launch) or a new one with the same values (asked first).
    expect(page.get_by_text("Launch of Quick").or_(page.get_by_text("You launched the same values"))).to_have_count(1)
    assert Launch.objects.count() == 1


def test_what_was_typed_is_there_after_a_reload_and_in_another_language_and_gone_after_leaving(
    stage: Scene, live_server: LiveServer, page: Page
) -> None:
    said = sign_in(stage, page, live_server)
    flow = flows.make(stage.workflows, "Quick", ECHO)
    address = live_server.url + stage.url(flow) + "?_as=json"
    page.goto(address)
    page.fill("[name=payload]", '{"a": "typed"}')
    page.reload()
    expect(page.locator("[name=payload]")).to_have_value('{"a": "typed"}')
    page.locator("header.topbar details.menu").last.locator("summary").click()
    page.get_by_role("button", name="Tiếng Việt").click()
    expect(page.locator("html")).to_have_attribute("lang", "vi")
    expect(page.locator("[name=payload]")).to_have_value('{"a": "typed"}')
    page.goto(f"{live_server.url}/w/sales/launches/")
    page.goto(address)
    expect(page.locator("[name=payload]")).not_to_have_value('{"a": "typed"}')
    assert said == []


@pytest.mark.slow
def test_what_was_typed_is_not_put_into_a_form_that_has_changed_meanwhile(
    stage: Scene, live_server: LiveServer, page: Page
) -> None:
    said = sign_in(stage, page, live_server)
    debit, credit = (Field(name, (name,), label=name) for name in ("debit", "credit"))
    flow = publish(stage, Form((debit, credit)))
    page.goto(live_server.url + stage.url(flow))
    page.get_by_label("debit").fill("of debit")
    page.reload()
    expect(page.get_by_label("debit")).to_have_value("of debit")
    publish(stage, Form((credit, debit)), flow=flow)
    page.get_by_label("credit").fill("of credit")
    page.reload()
    expect(page.get_by_label("debit")).to_have_value("")
    expect(page.get_by_label("credit")).to_have_value("")
    assert said == []


@pytest.mark.slow
def test_json_with_a_secret_is_not_stored_by_the_browser(stage: Scene, live_server: LiveServer, page: Page) -> None:
    sign_in(stage, page, live_server)
    Member.objects.filter(user=stage.users.colleague).update(role=Role.BUILDER)
    flow = publish(stage, Form((Field("pin", ("pin",), label="PIN", kind=FieldKind.SECRET),)))
    page.goto(live_server.url + stage.url(flow) + "?_as=json")
    page.fill("[name=payload]", '{"pin": "zebra-4417"}')
    page.goto(f"{live_server.url}/w/sales/launches/")
    assert "zebra" not in page.evaluate("JSON.stringify(sessionStorage)")


@pytest.mark.slow
def test_what_is_typed_about_an_unclear_launch_outlives_the_polls(
    stage: Scene, live_server: LiveServer, page: Page
) -> None:
    said = sign_in(stage, page, live_server)
    # The time for finding out is over, and the engine cannot be asked.
    then = timezone.now() - timedelta(minutes=6)
    launch = stage.row(state=State.UNKNOWN, reason=Reason.CUT_OFF, poll_at=then, ended_at=then, asked_at=then)
    page.goto(f"{live_server.url}/w/sales/launches/{launch.pk}/")
    page.locator("#settle-open").click()
    page.fill("#id_why", "The order is there")
    Launch.objects.update(poll_at=None, reason=Reason.NO_TRACE)
    expect(page.locator("#state-title")).to_have_text("No trace so far")
    expect(page.locator("#id_why")).to_have_value("The order is there")
    expect(page.locator("#id_why")).to_be_focused()
    page.get_by_role("button", name="Mark as run").click()
    expect(page.locator("#state-title")).to_have_text("Succeeded, as a person decided")
    assert said == []


def test_a_launch_is_withdrawn_by_keyboard_alone(stage: Scene, live_server: LiveServer, page: Page) -> None:
    sign_in(stage, page, live_server)
    launch = stage.row()
    page.goto(f"{live_server.url}/w/sales/launches/{launch.pk}/")
    page.locator("#withdraw-open").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#state-title")).to_have_text("Cancelled")


def test_without_javascript_a_launch_is_asked_for_and_seen(
    stage: Scene, live_server: LiveServer, browser: Browser
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(stage, page, live_server)
    flow = flows.make(stage.workflows, "Quick", ECHO)
    page.goto(live_server.url + stage.url(flow) + "?_as=json")
    page.fill("[name=payload]", '{"a": }')
    page.get_by_role("button", name="Launch", exact=True).click()
    expect(page.locator("#field-0-error")).to_contain_text("Line 1, column 7: A value is missing here.")
    page.fill("[name=payload]", '{"a": 1}')
    page.get_by_role("button", name="Launch", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Launch of Quick")
    assert Launch.objects.count() == 1
    context.close()


@pytest.mark.slow
def test_the_pages_have_nothing_for_axe_to_complain_about(
    stage: Scene, live_server: LiveServer, browser: Browser
) -> None:
    flow = flows.make(stage.workflows, "Quick", ECHO)
    off = flows.make(stage.workflows, "Draft", ECHO, publish=False)
    failed = stage.row(state=State.FAILED, ended_at=timezone.now(), failed_step="Total", failure="no price")
    unclear = stage.row(state=State.UNKNOWN, reason=Reason.CUT_OFF, ended_at=timezone.now())
    done = stage.row(
        state=State.SUCCEEDED, ended_at=timezone.now(), answer_from="flow", answer_status=422, answer='{"a":1}'
    )
    for state in State:
        stage.row(state=state)
    context = browser.new_context(**LOOKS["desk"])
    page = context.new_page()
    sign_in(stage, page, live_server)
    addresses = [
        stage.url(flow),
        stage.url(off),
        "/w/sales/launches/",
        "/w/sales/launches/?state=failed",
        *(f"/w/sales/launches/{launch.pk}/" for launch in (failed, unclear, done)),
    ]
    for address in addresses:
        page.goto(live_server.url + address)
        page.evaluate("for (const fold of document.querySelectorAll('main details')) fold.open = true")
        sound_in_every_look(page)
    page.goto(live_server.url + stage.url(flow) + "?_as=json")
    stage.launch(flow, '{"twin": 1}', send=False)
    page.fill("[name=payload]", '{"twin": 1}')
    page.get_by_role("button", name="Launch", exact=True).click()
    expect(page.get_by_role("link", name="See that launch")).to_be_focused()
    sound_in_every_look(page)
    context.close()
