"""Connections and pieces in a real browser: an app is found, connected, looked at and deleted, and every page is sound in every look."""

import pytest
from playwright.sync_api import expect

from tests.browser.looks import sound_in_every_look
from tests.browser.windows import Window
from tests.connection_scene import TYPED, Scene
from tests.practice_engine.fixtures import Practice, practice

__all__ = ["practice"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LIST, PIECES = "/w/sales/connections/", "/w/sales/pieces/"
APP = "@activepieces/piece-{}/"


@pytest.mark.slow
def test_connections_and_apps_of_every_kind_are_sound_in_every_look(window: Window, practice: Practice) -> None:
    scene = Scene(practice, "activepieces")
    page = window(scene.users.owner)
    broken = scene.connection_id("slack-team")
    addresses = [LIST, f"{LIST}{broken}/", f"{LIST}new/", PIECES, f"{PIECES}{APP.format('gmail')}"]
    addresses += [f"{PIECES}do/connect/{APP.format(app)}" for app in ("openai", "twilio", "slack")]
    for address in addresses:
        page.goto(address)
        sound_in_every_look(page)
    page.goto(f"{PIECES}{APP.format('gmail')}")
    page.get_by_text("Send Email", exact=True).click()
    expect(page.get_by_text("Kind of text", exact=True)).to_be_visible()
    sound_in_every_look(page)


def test_an_app_is_found_connected_looked_at_and_deleted(window: Window, practice: Practice) -> None:
    scene = Scene(practice, "imbrace")
    page = window(scene.users.owner, expected=("status of 422",))
    page.goto(LIST)
    page.get_by_role("link", name="New connection").click()
    expect(page.locator("#apps")).to_be_visible()
    page.get_by_role("searchbox").press_sequentially("telegram")
    expect(page.locator("#apps a")).to_have_count(1)
    page.locator("#apps a").click()
    page.get_by_label("Name of the connection").fill("Telegram of the shop")
    secret = page.locator("input[name=secret_text]")
    secret.fill(f"wrong {TYPED}")
    page.get_by_role("button", name="Connect “Telegram Bot”").click()
    expect(page.get_by_text("The app does not accept what you entered")).to_be_visible()
    expect(secret).to_have_value("")
    secret.fill(TYPED)
    page.get_by_role("button", name="Connect “Telegram Bot”").click()
    expect(page.get_by_role("heading", name="Telegram of the shop")).to_be_visible()
    assert TYPED not in page.content()
    page.goto(f"{LIST}?name=shop")
    page.get_by_role("link", name="Telegram of the shop").click()
    page.locator("#page-actions summary").click()
    page.get_by_role("link", name="Rename").click()
    page.get_by_label("Name").fill("Telegram of the warehouse")
    page.get_by_role("button", name="Rename").click()
    expect(page.get_by_role("heading", name="Telegram of the warehouse")).to_be_visible()
    page.locator("#page-actions summary").click()
    page.get_by_role("link", name="Delete", exact=True).click()
    page.get_by_role("button", name="Delete the connection “Telegram of the warehouse”").click()
    expect(page.get_by_text("The connection is deleted.")).to_be_visible()
    assert "Telegram of the warehouse" not in {row["displayName"] for row in scene.rows().values()}
