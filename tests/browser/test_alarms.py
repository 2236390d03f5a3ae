"""An alarm in a browser: from the bell to its page and muted, the question whether it was right, and the form of a channel."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.alarms.alarm_scene import quiet
from tests.browser.looks import sound_in_every_look
from tests.browser.test_counted_journeys import Journey
from tests.browser.windows import Window
from tests.stage import Stage, stage
from workflows_ui.alarms.models import Alarm, AlarmChannel, AlarmKind

__all__ = ["stage"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(300),
    pytest.mark.parametrize("stage", ["activepieces"], indirect=True),
]


def test_a_quiet_flow_is_seen_at_the_bell_and_muted_in_three_actions(stage: Stage, window: Window) -> None:
    alarm = quiet(stage)
    page = window(stage.users.owner)
    page.goto("/w/sales/")
    journey = Journey(page, "from the bell to a quiet flow's alarm, muted")
    bell = page.locator("#bell")
    expect(bell).to_contain_text("1 unread notification")
    journey.click(bell)
    journey.click(page.get_by_role("button", name=alarm.title).first)
    expect(page.get_by_role("heading", name=str(AlarmKind.QUIET.label))).to_be_visible()
    sound_in_every_look(page)
    journey.click(page.get_by_role("button", name="Mute for this flow"))
    expect(page.get_by_text("This type of alarm is muted for this flow.").first).to_be_visible()
    journey.end(at_most=3)
    sound_in_every_look(page)
    assert Alarm.objects.get().ended_at is not None
    page.goto("/w/sales/alarms/?state=ended")
    sound_in_every_look(page)
    page.get_by_role("link", name="1 is muted").click()
    sound_in_every_look(page)
    page.get_by_role("button", name="Unmute").click()
    expect(page.get_by_text("No muted alarms")).to_be_visible()


def test_a_channel_is_added_changed_and_removed(stage: Stage, window: Window, settings: Any) -> None:
    settings.WEBHOOK_PRIVATE_NETWORKS = ["127.0.0.1/32"]
    quiet(stage)
    page = window(stage.users.owner)
    page.goto("/w/sales/alarms/")
    sound_in_every_look(page)
    page.get_by_role("link", name="Channels").click()
    expect(page.get_by_text("There is no channel yet")).to_be_visible()
    sound_in_every_look(page)
    page.get_by_role("link", name="Add a channel").click()
    sound_in_every_look(page)
    page.get_by_role("textbox", name="Name").fill("Night watch")
    page.get_by_label("Kind of channel").select_option("generic")
    page.get_by_label("Webhook address").fill("http://127.0.0.1:9/hook")
    page.get_by_role("button", name="Add the channel").click()
    expect(page.get_by_text("Copy this key now")).to_be_visible()
    sound_in_every_look(page)
    page.get_by_role("link", name="View channel").click()
    page.get_by_label("Paused").check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("The channel is changed.")).to_be_visible()
    assert AlarmChannel.objects.get().paused
    sound_in_every_look(page)
    page.get_by_role("button", name="Remove the channel").click()
    expect(page.get_by_text("There is no channel yet")).to_be_visible()


def test_a_mail_about_an_alarm_leads_to_a_page_that_asks_and_one_click_answers(stage: Stage, window: Window) -> None:
    alarm = quiet(stage)
    page = window(stage.users.owner)
    page.goto("/w/sales/flows/?name=" + alarm.title)
    expect(page.get_by_role("link", name=str(AlarmKind.QUIET.label))).to_be_visible()
    sound_in_every_look(page)
    page.goto(f"/w/sales/alarms/{alarm.pk}/answer/")
    sound_in_every_look(page)
    page.get_by_role("button", name="No, nothing was wrong").click()
    expect(page.get_by_text("It was called a false alarm.")).to_be_visible()
    assert Alarm.objects.get().ended_at is not None
    sound_in_every_look(page)
