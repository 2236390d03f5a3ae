"""A failed launch and an answer in a real browser: read, copied, mended and run again, in both themes, on a phone and on paper."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from tests import flows
from tests.browser import shots
from tests.browser.looks import LOOKS, sound_in_every_look
from tests.launches.browser_scene import sign_in, stage as stage
from tests.launches.launch_scene import Scene
from workflows_ui.launches.models import Launch, State
from workflows_ui.members.models import Role

pytestmark = pytest.mark.browser
ECHO = flows.code("echo", given="{{trigger.body}}")
TOKEN = '{"response":{"status":401,"body":{"error":{"message":"Error validating access token: Session has expired"}}}}'
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
ANSWER = (
    '{"message": "Đã nhận đơn DH-1042. Xem tại https://example.com/don/1042", "totalAmount": 370000, "paid": false,'
    '"lines": [{"sku": "TRA-01", "qty": 2, "price": 95000}, {"sku": "CFE-12", "qty": 1, "price": 180000}],'
    f'"qr": "data:image/png;base64,{PNG}", "invoice": "data:application/pdf;base64,JVBERi0xLjQ="}}'
)


def _sound(page: Page) -> None:
    """In every look, with everything unfolded. A picture is kept of the page as it came."""
    shots.keep(page)
    page.evaluate("for (const fold of document.querySelectorAll('main details')) fold.open = true")
    sound_in_every_look(page)


def _failed(scene: Scene) -> tuple[Launch, Launch]:
    """A good launch and a failed one after it, with other inputs and another version of the flow."""
    scene.member("builder.binh", Role.BUILDER)
    flow = flows.make(scene.workflows, "Gửi đơn hàng cho khách", ECHO, flows.code("echo"), flows.response({"ok": True}))
    good = scene.watch(scene.launch(flow, '{"customer": {"name": "Lan", "phone": "0901234567"}, "qty": 2}'))
    scene.workflows.apply_flow_operation(
        flow, {"type": "UPDATE_ACTION", "request": {"name": "step_2", **flows.code(f"fail {TOKEN}")}}
    )
    scene.workflows.apply_flow_operation(flow, {"type": "LOCK_AND_PUBLISH", "request": {}})
    bad = scene.watch(scene.launch(flow, '{"customer": {"name": "Lan", "phone": "09"}, "qty": "2", "urgent": true}'))
    return good, bad


def test_a_failed_launch_is_understood_and_run_again_by_keyboard(
    stage: Scene, live_server: LiveServer, page: Page
) -> None:
    said = sign_in(stage, page, live_server)
    _good, bad = _failed(stage)
    page.goto(f"{live_server.url}/w/sales/launches/{bad.pk}/")
    expect(page.locator("#failure-title")).to_be_visible()
    expect(page.get_by_text("The service does not accept the flow's sign-in.")).to_be_visible()
    expect(page.locator("#story-title")).to_be_visible()
    expect(page.locator("#comparison-title")).to_be_visible()
    expect(page.locator("#comparison-title").locator("xpath=../..")).to_contain_text("Customer › Phone")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator("#story-copy").click()
    copied = str(page.evaluate("navigator.clipboard.readText()"))
    assert copied.startswith("Launch of Gửi đơn hàng cho khách\n")
    assert "colleague requested the launch." in copied
    page.locator("#more-steps > summary").focus()
    page.keyboard.press("Enter")
    page.locator("#again-open").focus()
    page.keyboard.press("Enter")
    page.locator("#again-button").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: bad.pk not in url)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Launch of Gửi đơn hàng")
    assert Launch.objects.count() == 3
    assert said == []


@pytest.mark.slow
def test_the_pages_have_nothing_for_axe_to_complain_about(
    stage: Scene, live_server: LiveServer, browser: Browser
) -> None:
    good, bad = _failed(stage)
    now = timezone.now()
    done = stage.row(
        state=State.SUCCEEDED,
        ended_at=now,
        answer_from="flow",
        answer_status=200,
        answer_type="application/json",
        answer=ANSWER,
        flow_name="Tiếp nhận đơn hàng",
        run_started_at=now - timedelta(seconds=3),
        run_finished_at=now,
    )
    context = browser.new_context(**LOOKS["desk"])
    page = context.new_page()
    said = sign_in(stage, page, live_server)
    page.goto(f"{live_server.url}/w/sales/launches/{done.pk}/")
    expect(page.get_by_role("table").first).to_be_visible()
    _sound(page)
    page.goto(f"{live_server.url}/w/sales/launches/{bad.pk}/")
    expect(page.locator("#comparison-title")).to_be_visible()
    _sound(page)
    page.goto(f"{live_server.url}/w/sales/launches/{bad.pk}/story/")
    _sound(page)
    page.emulate_media(media="print")
    expect(page.locator("#story-print")).to_be_hidden()
    expect(page.locator("#story-title")).to_be_visible()
    shots.keep(page)
    page.emulate_media(media="screen")
    page.goto(live_server.url + stage.url(good.flow_id))
    expect(page.locator("#will-do:not([hx-get])")).to_contain_text("Answers the launcher")
    _sound(page)
    assert said == []
    context.close()
