"""Invitations, channel automations, an app's choices and a sign-in at an app in a real browser."""

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Route, expect

from tests.browser.looks import sound, sound_in_every_look
from tests.browser.windows import Window
from tests.connection_scene import TYPED, Scene
from tests.practice_engine.fixtures import Practice, practice

__all__ = ["practice"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

INVITATIONS, CHANNELS = "/w/sales/invitations/", "/w/sales/channel-automations/"
SLACK, SHEETS = "@activepieces/piece-slack/", "@activepieces/piece-google-sheets/"


@pytest.mark.slow
def test_filtered_lists_choices_and_sign_ins_are_sound_in_every_look(window: Window, practice: Practice) -> None:
    scene = Scene(practice, "imbrace")
    page = window(scene.users.owner, expected=("status of 404", "status of 400"))
    addresses = [f"{INVITATIONS}?type=PLATFORM", f"{CHANNELS}?channel=web"]
    addresses += [f"/w/sales/connections/sign-in/{SLACK}", "/oauth/callback/", f"/w/sales/pieces/options/{SHEETS}"]
    for address in addresses:
        page.goto(address)
        sound_in_every_look(page)


def test_what_an_engine_lacks_is_shown_on_a_sound_page(window: Window, practice: Practice) -> None:
    page = window(Scene(practice, "activepieces").users.owner, expected=("status of 404", "status of 400"))
    page.goto(CHANNELS)
    sound_in_every_look(page)


def test_an_invitation_is_found_and_revoked(window: Window, practice: Practice) -> None:
    scene = Scene(practice, "imbrace")
    practice.engine.settings.invitations_in_plan = True
    page = window(scene.users.owner)
    page.goto(INVITATIONS)
    expect(page.get_by_role("link", name="gia.bao@sao-mai.example")).to_be_visible()
    page.locator("#filters").get_by_label("State").select_option(label="Waiting for an answer")
    expect(page.get_by_role("link", name="gia.bao@sao-mai.example")).to_have_count(0)
    page.get_by_role("link", name="ngoc.anh@sao-mai.example").click()
    expect(page.locator("h1")).to_contain_text("ngoc.anh@sao-mai.example")
    page.locator("#page-actions summary").click()
    page.locator("#page-actions").get_by_role("link", name="Revoke").click()
    expect(page.get_by_text("can no longer join with the invitation")).to_be_visible()
    page.get_by_role("button", name="Revoke the invitation of").click()
    expect(page.get_by_text("The invitation is revoked.")).to_be_visible()
    assert "ngoc.anh@sao-mai.example" not in {row["email"] for row in practice.engine.state.invitations.values()}


def test_a_channels_automation_leads_to_its_flow(window: Window, practice: Practice) -> None:
    scene = Scene(practice, "imbrace")
    page = window(scene.users.owner)
    page.goto(CHANNELS)
    page.locator("#filters").get_by_label("Channel").select_option(label="WhatsApp")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("link", name="WhatsApp order updates").click()
    expect(page.locator("h1")).to_contain_text("WhatsApp order updates")
    page.locator("main dl a").first.click()
    expect(page.locator("h1")).to_have_text(practice.sample("orders").name)
    expect(page).to_have_url(f"{page.url.split('/w/')[0]}/w/sales/flows/{practice.sample('orders').id}/")


def test_an_apps_choices_are_looked_at_one_after_the_other(window: Window, practice: Practice) -> None:
    scene = Scene(practice, "activepieces")
    page = window(scene.users.owner)
    page.goto(f"/w/sales/pieces/{SHEETS}")
    page.get_by_text("Insert Row", exact=True).click()
    page.get_by_role("link", name="Show the choices: Spreadsheet").first.click()
    page.get_by_label("Connection").select_option(label="Google Sheets (shared) (Connected)")
    page.get_by_role("button", name="Show the choices").click()
    expect(page.locator("#options")).to_contain_text("3 choices")
    sound(page)
    page.get_by_role("link", name="With this one: Sheet").nth(1).click()
    expect(page.get_by_role("textbox", name="Spreadsheet")).to_have_value("khách-hàng")
    page.get_by_role("button", name="Show the choices").click()
    expect(page.get_by_text("Tháng 10")).to_be_visible()


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_a_person_signs_in_at_an_app_and_the_connection_is_made(
    window: Window, practice: Practice, script: bool
) -> None:
    scene = Scene(practice, "imbrace")
    page = window(scene.users.owner, java_script_enabled=script)

    def let_in(route: Route) -> None:
        asked = parse_qs(urlsplit(route.request.url).query)
        answer = urlencode({"code": f"code-{TYPED}", "state": asked["state"][0]})
        route.fulfill(status=302, headers={"Location": f"{asked['redirect_uri'][0]}?{answer}"})

    page.route("https://slack.example/**", let_in)
    page.goto("/w/sales/connections/new/?search=slack")
    page.locator("#apps a").first.click()
    page.get_by_label("Client ID").fill("client-17")
    page.get_by_role("button", name="Next").click()
    page.get_by_role("link", name="Go to the app").click()
    expect(page.get_by_role("heading", name="Connect: Slack")).to_be_visible()
    assert TYPED not in page.url
    expect(page.get_by_label("Client ID")).to_have_value("client-17")
    page.get_by_label("Name of the connection").fill("Slack by sign-in")
    page.get_by_label("Client secret").fill(TYPED)
    page.get_by_role("button", name="Connect “Slack”").click()
    expect(page.get_by_role("heading", name="Slack by sign-in")).to_be_visible()
    (row,) = [row for row in scene.rows().values() if row["displayName"] == "Slack by sign-in"]
    assert row["value"]["code"] == f"code-{TYPED}"
