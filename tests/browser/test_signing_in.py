"""Signing in with a second step and with passkeys, in a real browser with a virtual authenticator; the pages of one's own account."""

from collections.abc import Iterator
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.accounts.provider import CLIENT, SECRET, Provider
from tests.accounts.sign_in import PASSWORD, STEP, code
from tests.browser import passkeys
from tests.browser.looks import LOOKS, sound_in_every_look
from workflows_ui.accounts.models import User
from workflows_ui.accounts.services import people

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


class Window:
    """A browser window on the console; what its console says is kept."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.context, self._address = context, address
        self.page: Page = context.new_page()
        self.said: list[str] = []
        self.page.on("console", self._listen)
        self.page.on("pageerror", lambda error: self.said.append(str(error)))

    def _listen(self, message: ConsoleMessage) -> None:
        if "status of 422" not in message.text:
            self.said.append(message.text)

    def open(self, path: str) -> None:
        """Goes to an address of the console."""
        self.page.goto(self._address + path)

    def password(self) -> None:
        """Signs in with the password."""
        self.open("/accounts/login/")
        self.page.get_by_label("Username or email address").fill("ada")
        self.page.get_by_label("Password").first.fill(PASSWORD)
        self.press("Sign in")

    def press(self, name: str) -> None:
        """Presses the button with this name."""
        self.page.get_by_role("button", name=name, exact=True).click()

    def confirm(self) -> None:
        """Says once more who one is."""
        expect(self.page.locator("h1")).to_have_text("Confirm it's you")
        self.page.get_by_label("Password").first.fill(PASSWORD)
        self.press("Continue")

    def sign_out(self) -> None:
        """Leaves."""
        self.open("/accounts/logout/")
        self.press("Sign out")
        expect(self.page.locator("h1")).to_have_text("Sign in")

    def sound(self) -> None:
        """Nothing was said to the console, and the page is sound in every look."""
        assert self.said == []
        sound_in_every_look(self.page)


@pytest.fixture(autouse=True)
def _ada(transactional_db: None, live_server: LiveServer, settings: Any, monkeypatch: pytest.MonkeyPatch) -> User:
    """Somebody with a known password, and a console that is reached at a host name."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    settings.BASE_URL, settings.PASSKEYS = live_server.url, True
    made, _ = people.create("ada", email="ada@example.com", full_name="Ada Nguyen")
    made.set_password(PASSWORD)
    made.save()
    return made


@pytest.fixture
def window(browser: Browser, live_server: LiveServer) -> Iterator[Window]:
    """A window of a desk's size."""
    context = browser.new_context(locale="en-US", **LOOKS["desk"])
    yield Window(context, live_server.url)
    context.close()


def test_an_app_is_set_up_and_asked_for(window: Window) -> None:
    window.password()
    window.open(STEP)
    window.page.get_by_role("link", name="Set up an app").click()
    window.confirm()
    expect(window.page.locator("h1")).to_have_text("Set up an authenticator app")
    expect(window.page.locator("img.qr")).to_be_visible()
    secret = window.page.locator("code.user-select-all").inner_text()
    window.page.get_by_label("The code that the app shows now").fill("000000")
    window.press("Set it up")
    expect(window.page.locator("main")).to_contain_text("This code is not correct.")
    assert window.page.locator("code.user-select-all").inner_text() == secret
    window.page.get_by_label("The code that the app shows now").fill(code(secret))
    window.press("Set it up")
    expect(window.page.locator("h1")).to_have_text("Recovery codes")
    recovery = window.page.locator("#recovery-codes").inner_text().split()
    window.sign_out()

    window.password()
    expect(window.page.locator("h1")).to_have_text("Two-factor authentication")
    window.sound()
    window.page.get_by_label("Code").fill(code(secret, steps=1))
    window.press("Sign in")
    expect(window.page.locator("h1")).to_have_text("Home")
    window.sign_out()

    window.password()
    window.page.get_by_label("Code").fill(recovery[0])
    window.press("Sign in")
    expect(window.page.locator("h1")).to_have_text("Home")
    assert window.said == []


def test_a_passkey_is_added_and_signs_in_alone(window: Window) -> None:
    talk, device = passkeys.device(window.page)
    window.password()
    window.open("/accounts/passkeys/")
    window.page.get_by_role("link", name="Add a passkey").first.click()
    window.confirm()
    window.page.get_by_label("Name").fill("Work laptop")
    window.press("Add")
    expect(window.page.locator("h1")).to_have_text("Recovery codes")
    window.open("/accounts/passkeys/")
    expect(window.page.locator("table")).to_contain_text("Work laptop")
    expect(window.page.locator("table")).to_contain_text("signing in alone")
    window.sound()
    window.sign_out()

    window.press("Sign in with a passkey")
    expect(window.page.locator("h1")).to_have_text("Home")
    window.sign_out()

    window.password()
    expect(window.page.locator("h1")).to_have_text("Two-factor authentication")
    window.press("Use a passkey")
    expect(window.page.locator("h1")).to_have_text("Home")
    window.sign_out()
    assert window.said == []

    talk.send("WebAuthn.setUserVerified", {"authenticatorId": device, "isUserVerified": False})
    window.press("Sign in with a passkey")
    expect(window.page.locator("#alerts")).to_contain_text("The passkey was not used")
    expect(window.page.locator("h1")).to_have_text("Sign in")


def test_a_copy_of_a_passkey_is_refused_with_advice_and_a_recovery_code_leads_in(window: Window) -> None:
    talk, device = passkeys.device(window.page)
    window.password()
    window.open("/accounts/passkeys/add/")
    window.confirm()
    window.press("Add")
    expect(window.page.locator("h1")).to_have_text("Recovery codes")
    recovery_code = window.page.locator("main").inner_text()
    recovery_code = next(word for word in recovery_code.split() if word.isdigit() and len(word) >= 8)
    window.sign_out()
    [copy] = talk.send("WebAuthn.getCredentials", {"authenticatorId": device})["credentials"]
    window.press("Sign in with a passkey")
    expect(window.page.locator("h1")).to_have_text("Home")
    window.sign_out()
    talk.send("WebAuthn.removeCredential", {"authenticatorId": device, "credentialId": copy["credentialId"]})
    talk.send("WebAuthn.addCredential", {"authenticatorId": device, "credential": copy})

    window.press("Sign in with a passkey")
    expect(window.page.get_by_role("status", name="Messages")).to_contain_text("This passkey may have been copied")
    window.password()
    talk.send("WebAuthn.removeCredential", {"authenticatorId": device, "credentialId": copy["credentialId"]})
    talk.send("WebAuthn.addCredential", {"authenticatorId": device, "credential": copy})
    window.press("Use a passkey")
    expect(window.page.locator("main")).to_contain_text("This passkey may have been copied")
    window.page.get_by_label("Code").fill(recovery_code)
    window.press("Sign in")
    expect(window.page.locator("h1")).to_have_text("Home")
    assert window.said == []


def test_a_passkey_is_renamed_and_removed(window: Window) -> None:
    passkeys.device(window.page)
    window.password()
    window.open("/accounts/passkeys/add/")
    window.confirm()
    window.press("Add")
    expect(window.page.locator("h1")).to_have_text("Recovery codes")
    window.open("/accounts/passkeys/")
    window.page.get_by_role("link", name="Rename").click()
    window.page.get_by_label("Name").fill("Điện thoại")
    window.press("Save")
    expect(window.page.locator("table")).to_contain_text("Điện thoại")
    window.page.get_by_role("link", name="Remove").click()
    expect(window.page.locator("main")).to_contain_text("It is your only second factor")
    window.press("Remove the passkey")
    expect(window.page.locator("main")).to_contain_text("No passkey yet")
    assert not Authenticator.objects.exists()
    assert window.said == []


@pytest.mark.slow
def test_the_pages_of_an_account_without_a_second_factor_are_sound(browser: Browser, live_server: LiveServer) -> None:
    context = browser.new_context(locale="en-US", **LOOKS["desk"])
    window = Window(context, live_server.url)
    window.open("/accounts/login/")
    window.password()
    for path in (STEP, "/accounts/passkeys/"):
        window.open(path)
        window.sound()
    window.open(f"{STEP}app/add/")
    window.sound()
    window.confirm()
    window.sound()
    for path in ("/accounts/address/", "/accounts/passkeys/add/"):
        window.open(path)
        window.sound()
    context.close()


def test_without_scripts_everything_but_passkeys_works(browser: Browser, live_server: LiveServer) -> None:
    context = browser.new_context(locale="en-US", java_script_enabled=False)
    window = Window(context, live_server.url)
    window.open("/accounts/login/")
    expect(window.page.get_by_role("button", name="Sign in with a passkey")).to_be_hidden()
    window.password()
    window.open(f"{STEP}app/add/")
    window.confirm()
    secret = window.page.locator("code.user-select-all").inner_text()
    window.page.get_by_label("The code that the app shows now").fill(code(secret))
    window.press("Set it up")
    expect(window.page.locator("h1")).to_have_text("Recovery codes")
    window.open("/accounts/sessions/")
    window.press("Sign out")
    expect(window.page.locator("h1")).to_have_text("Sign in")
    context.close()


def test_single_sign_on_leads_to_the_provider_and_back_to_where_one_was_going(window: Window, settings: Any) -> None:
    provider = Provider()
    settings.OIDC_ISSUER, settings.OIDC_NAME = provider.issuer, "Example ID"
    settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET = CLIENT, SECRET
    settings.OIDC_ALLOWED_DOMAINS = ["example.com"]
    window.open("/accounts/sessions/")
    window.page.get_by_role("link", name="Sign in with Example ID").click()
    expect(window.page.locator("h1")).to_have_text("Where you are signed in")
    window.open("/profile/")
    expect(window.page.locator("main")).to_contain_text("lan@example.com")
    window.sign_out()
    provider.claims["email_verified"] = False
    provider.claims["sub"] = "subject-2"
    window.page.get_by_role("link", name="Sign in with Example ID").click()
    expect(window.page.locator("h1")).to_have_text("Not signed in through Example ID")
    assert [line for line in window.said if "status of 403" not in line] == []
    provider.close()
