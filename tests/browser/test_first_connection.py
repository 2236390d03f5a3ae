"""The first connection to an engine with real clicks, with and without JavaScript: from nothing to the first flow's launch form."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_accounts_and_credentials import Desk, desks
from tests.practice_engine.fixtures import Practice, practice
from tests.users import person
from workflows_ui.accounts.models import User
from workflows_ui.credentials.models import Credential

__all__ = ["desks", "practice"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def go_on(page: Page) -> None:
    page.locator('main form button[type="submit"].btn-primary').click()


def look_at(desk: Desk, look: str) -> None:
    """Axe needs JavaScript."""
    if look != "plain":
        desk.sound()


@pytest.mark.parametrize(("flavour", "look"), [("activepieces", "plain"), ("imbrace", "desk")])
def test_a_person_connects_their_engine_and_launches_the_first_flow(
    desks: dict[str, Desk], practice: Practice, flavour: str, look: str
) -> None:
    User.objects.filter(pk=person("ada").pk).update(is_superuser=True)
    given = practice.credentials
    desk = desks[look]
    desk.sign_in("ada")
    page = desk.page
    page.get_by_role("link", name="Connect your engine").click()
    page.locator("#id_engine").select_option("activepieces" if flavour == "activepieces" else "gateway")
    page.locator("#id_address").fill(practice.activepieces if flavour == "activepieces" else practice.gateway)
    look_at(desk, look)
    go_on(page)
    expect(page.get_by_text("How do you sign in to it?")).to_be_visible()
    look_at(desk, look)
    page.get_by_role("link", name="Activepieces token" if flavour == "activepieces" else "API key").click()
    page.locator("#id_name").fill("Mine")
    page.locator("#id_secret").fill("api_wrong")
    go_on(page)
    expect(page.locator("main .alert-danger")).to_contain_text("Enter the secret again")
    expect(page.locator("#id_secret")).to_have_value("")
    expect(page.locator("#id_name")).to_have_value("Mine")
    look_at(desk, look)
    page.locator("#id_secret").fill(given.bearer_token if flavour == "activepieces" else given.api_key)
    go_on(page)
    if flavour == "activepieces":
        expect(page.locator("h1")).to_have_text("Choose a project")
        page.locator(f'input[value="{given.project_id}"]').check()
        go_on(page)
    expect(page.locator("h1")).to_have_text("What this credential may do")
    expect(page.get_by_role("row", name="Flows Works")).to_be_visible()
    expect(page.get_by_role("button", name="Share and keep the list")).to_be_visible()
    look_at(desk, look)
    page.locator('main a[href$="/launch/"]').first.click()
    expect(page.locator("h1")).to_contain_text("Launch")
    assert Credential.objects.get().name == "Mine"
    page.go_back()
    page.get_by_role("button", name="Share and keep the list").click()
    expect(page.locator("h1")).to_have_text("Run index")
    look_at(desk, look)
