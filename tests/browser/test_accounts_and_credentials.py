"""Signing in, adding a credential and letting somebody in, with real clicks: with and without JavaScript, in light, dark and on a phone."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page
from pytest_django.live_server_helper import LiveServer

from tests.browser.looks import LOOKS, sound_in_every_look
from tests.practice_engine.fixtures import Practice, practice
from tests.users import person
from workflows_ui.members.models import Workspace

__all__ = ["practice"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PASSWORD = "correct horse battery"
#: Without JavaScript.
PLAIN = {**LOOKS["desk"], "java_script_enabled": False}


class Desk:
    """One person's browser window; everything its console says is kept, except that a refused form was refused."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.page: Page = context.new_page()
        self.said: list[str] = []
        self.page.on("console", self._listen)
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self._address = address

    def _listen(self, message: ConsoleMessage) -> None:
        if "status of 422" not in message.text:
            self.said.append(message.text)

    def open(self, path: str) -> None:
        self.page.goto(self._address + path)

    def sign_in(self, name: str, then: str = "/") -> None:
        self.open(f"/accounts/login/?next={then}")
        self.page.get_by_label("Username or email address").fill(name)
        self.page.get_by_label("Password", exact=False).first.fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in", exact=True).click()

    def heading(self) -> str:
        return self.page.locator("h1").inner_text()

    def sound(self) -> None:
        """Nothing was said to the console, and the page is sound in every look."""
        assert self.said == []
        sound_in_every_look(self.page)


@pytest.fixture
def desks(browser: Browser, live_server: LiveServer) -> Iterator[dict[str, Desk]]:
    looks = {"plain": PLAIN, "desk": LOOKS["desk"]}
    contexts = {look: browser.new_context(locale="en-US", **options) for look, options in looks.items()}
    yield {look: Desk(context, live_server.url) for look, context in contexts.items()}
    for context in contexts.values():
        context.close()


def test_a_credential_is_added_and_a_colleague_let_in_without_javascript(
    desks: dict[str, Desk],
    practice: Practice,
) -> None:
    for name in ("ada", "ben"):
        person(name)
    ada, ben = desks["plain"], desks["desk"]
    ada.sign_in("ada", "/credentials/add/")
    form = ada.page
    form.locator("#id_engine").select_option("activepieces")
    form.get_by_label("Address", exact=True).fill("http://127.0.0.1:9/api")
    form.get_by_label("Secret").fill(practice.credentials.bearer_token)
    form.get_by_role("textbox", name="Name").fill("Ada's own")
    form.get_by_role("button", name="Test and save").click()
    assert "Nothing answers at this address." in form.inner_text("main")
    assert form.get_by_label("Secret").input_value() == ""
    assert form.get_by_role("textbox", name="Name").input_value() == "Ada's own"
    form.get_by_label("Address", exact=True).fill(practice.activepieces)
    form.get_by_label("Secret").fill(practice.credentials.bearer_token)
    form.get_by_role("button", name="Test and save").click()
    if ada.heading() == "Choose a project":  # 0.83: an administrator's token opens several
        form.locator(f'input[value="{practice.credentials.project_id}"]').check()
        form.get_by_role("button", name="Test and save").click()
    assert ada.heading() == "Ada's own"
    assert "Works" in form.inner_text("main")
    space = Workspace.objects.get()

    ben.sign_in("ben", "/credentials/add/")
    form = ben.page
    form.locator("#id_engine").select_option("activepieces")
    assert not form.locator('input[name="kind"][value="api_key"]').is_visible()
    form.get_by_label("Address", exact=True).fill(practice.activepieces)
    form.get_by_label("Secret").fill(practice.credentials.bearer_token_colleague)
    form.get_by_role("button", name="Test and save").click()
    assert ben.heading() == "Your access requests"
    assert "ada" in form.inner_text("main")
    assert ben.said == []

    ada.open(f"/w/{space.slug}/members/")
    ada.page.get_by_role("button", name="Approve").click()
    assert "ben now belongs to the workspace." in ada.page.inner_text("body")
    ben.open(f"/w/{space.slug}/credentials/")
    assert ben.heading() == "Credentials"


@pytest.mark.slow
def test_a_form_with_mistakes_is_sound_in_every_look(desks: dict[str, Desk]) -> None:
    person("ada")
    desk = desks["desk"]
    desk.sign_in("ada", "/credentials/add/")
    desk.page.get_by_role("button", name="Test and save").click()
    assert desk.page.get_by_label("Secret").get_attribute("aria-invalid") == "true"
    desk.sound()
