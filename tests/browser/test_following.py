"""What a person follows in a browser: from a notification muted for a week, by hand for everyone, and the page behind a mail's link."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from tests.browser.looks import sound_in_every_look
from tests.browser.test_counted_journeys import Journey
from tests.browser.windows import Window
from tests.launches.launch_scene import Scene
from workflows_ui.launches.models import State
from workflows_ui.launches.services import watching
from workflows_ui.notification_mails import unsubscribe
from workflows_ui.notifications import services as notifications
from workflows_ui.notifications.models import Mute, NoticeKind, Topic, WatchKind
from workflows_ui.notifications.mutes import Scope

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(300),
]
FLOW = "F" * 21


@pytest.fixture
def scene(transactional_db: None) -> object:
    made = Scene()
    owner, space = made.users.owner, made.users.workspace
    watching.start_watching(owner, space, WatchKind.FLOW, FLOW, "Báo giá hằng ngày cho khách hàng miền Trung")
    watching.start_watching(owner, space, WatchKind.FLOW, "G" * 21, "Order intake")
    watching.start_watching(owner, space, WatchKind.ALARMS, "", space.name)
    running = made.row(state=State.RUNNING, flow_name="Month-end closing")
    watching.start_watching(owner, space, WatchKind.LAUNCH, running.pk, "Month-end closing")
    for number in range(3):
        ended = timezone.now() + timedelta(seconds=number + 1)
        made.row(state=State.FAILED, flow_id="G" * 21, flow_name="Order intake", ended_at=ended)
    watching.find_news()
    notifications.notify(owner, NoticeKind.JOB_ENDED, "job:1", url="/w/sales/jobs/", workspace=space, failed=2)
    yield made
    made.close()


def test_a_notification_is_muted_for_a_week_in_three_actions_and_then_for_everyone(
    scene: Scene, window: Window
) -> None:
    page = window(scene.users.owner)
    page.goto("/w/sales/")
    journey = Journey(page, "from the bell to what it came by, muted for a week")
    journey.click(page.locator("#bell"))
    sound_in_every_look(page)
    journey.click(
        page.get_by_role("row", name="Order intake failed 3 times").get_by_role("link", name="Flow", exact=True)
    )
    line = page.locator(".border-primary tbody tr")
    expect(line).to_contain_text("Order intake")
    sound_in_every_look(page)
    journey.click(line.get_by_role("button", name="Mute for a week"))
    expect(page.locator(".border-primary tbody tr")).to_contain_text("Muted until")
    journey.end(at_most=3)
    line = page.locator("tr", has_text="Báo giá")
    line.locator("summary").click()
    line.get_by_role("link", name="Choose how long and for whom").click()
    sound_in_every_look(page)
    page.get_by_label("One day").check()
    page.get_by_label("For everyone in “Sales”").check()
    page.get_by_role("button", name="Mute", exact=True).click()
    expect(page.locator(".border-primary tbody tr")).to_contain_text("Muted for everyone until")
    page.get_by_role("link", name="Mute all flows").click()
    page.get_by_label("Until I unmute it").check()
    page.get_by_role("button", name="Mute", exact=True).click()
    expect(page.get_by_text("Failures and alarms of all flows: Muted until you unmute it").first).to_be_visible()
    sound_in_every_look(page)
    page.goto("/notices/")
    sound_in_every_look(page)
    assert Mute.objects.count() == 3


def test_the_link_of_a_mail_is_a_page_with_one_button_and_an_undo(scene: Scene, window: Window) -> None:
    scope = Scope(Topic.FLOWS, scene.users.workspace.pk, "G" * 21)
    page = window()
    page.goto("/unsubscribe/" + unsubscribe.url(scene.users.owner, scope).split("/unsubscribe/")[1])
    sound_in_every_look(page)
    page.get_by_role("button").click()
    expect(page.get_by_role("heading", name="You get no more emails about this")).to_be_visible()
    sound_in_every_look(page)
    page.get_by_role("button", name="Turn emails on again").click()
    expect(page.get_by_role("heading", name="Turn off these emails?")).to_be_visible()
