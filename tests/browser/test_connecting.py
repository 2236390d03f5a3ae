"""Connecting to an engine with real clicks: an address that is not quite right, one project among several, both versions, an upgrade."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_accounts_and_credentials import Desk, desks
from tests.engine_wire import PASSWORD, PROJECT, Engine
from tests.practice_engine.fixtures import Practice
from tests.users import person
from workflows_ui.accounts.models import User
from workflows_ui.credentials.models import Credential
from workflows_ui.members.models import Workspace

__all__ = ["desks"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
OTHERS = [{"id": "Q" * 21, "displayName": "Kho hàng miền Nam"}, {"id": "R" * 21, "displayName": "A" * 300}]


def fill(page: Page, address: str, **values: str) -> None:
    """Fills the form of a new credential for an Activepieces: `secret`, or `email` and `password`."""
    page.locator("#id_engine").select_option("activepieces")
    page.locator("#id_address").fill(address)
    page.locator(
        f'input[name="token_kind"][value="{"bearer_token" if "secret" in values else "bearer_sign_in"}"]'
    ).check()
    for name, value in values.items():
        page.locator(f"#id_{name}").fill(value)


def send(page: Page) -> None:
    page.locator('form.card button[type="submit"].btn-primary').click()


def test_a_wrong_address_is_put_right_and_a_project_chosen_without_javascript(desks: dict[str, Desk]) -> None:
    person("ada")
    desk = desks["plain"]
    desk.sign_in("ada", "/credentials/add/")
    page = desk.page
    with Engine(version="0.83.0", base="/api/", others=OTHERS) as engine:
        for values in ({"secret": "sk-some-secret"}, {"email": "ada@example.com", "password": PASSWORD}):
            fill(page, engine.url, name="Mine", **values)
            send(page)
            expect(page.locator("main")).to_contain_text(
                f"A workflow engine answers at {engine.url}/api: enter that address."
            )
            expect(page.locator("#id_name")).to_have_value("Mine")
            # Secrets are not sent back. The page that was sent has them, so this waits for the next one, too.
            expect(page.locator("#id_secret")).to_have_value("")
            expect(page.locator("#id_password")).to_have_value("")
        fill(page, f"{engine.url}/api", email="ada@example.com", password=PASSWORD, name="Mine")
        send(page)
        expect(page.locator("h1")).to_have_text("Choose a project")
        assert PASSWORD not in page.content()
        # What the sign-in leads to is chosen already; here it is another one.
        assert page.locator(f'input[value="{PROJECT}"]').is_checked()
        page.get_by_label("Kho hàng miền Nam").check()
        send(page)
        expect(page.locator("h1")).to_have_text("Mine")
        expect(page.locator("main")).to_contain_text("Activepieces 0.83.0")
    assert Credential.objects.get().workspace.name == "Kho hàng miền Nam"


@pytest.mark.slow
def test_the_choice_of_a_project_is_sound_in_every_look_and_in_vietnamese(desks: dict[str, Desk]) -> None:
    person("ada")
    desk = desks["desk"]
    desk.sign_in("ada", "/credentials/add/")
    page = desk.page
    with Engine(version="0.83.0", base="/api/", others=OTHERS) as engine:
        fill(page, engine.url, email="ada@example.com", password=PASSWORD)
        send(page)
        expect(page.get_by_text("enter that address.")).to_be_visible()
        desk.sound()
        fill(page, f"{engine.url}/api", email="ada@example.com", password=PASSWORD)
        send(page)
        expect(page.locator("h1")).to_have_text("Choose a project")
        desk.sound()
        User.objects.update(language="vi")
        page.reload()
        expect(page.locator("h1")).to_have_text("Chọn dự án")
        desk.sound()


@pytest.mark.parametrize("version", [pytest.param("0.72.4", marks=pytest.mark.slow), "0.83.0"])
@pytest.mark.parametrize("way", ["token", "sign-in"])
def test_either_version_connects_by_token_and_by_sign_in(
    desks: dict[str, Desk],
    practice: Practice,
    version: str,
    way: str,
) -> None:
    practice.engine.settings.version = version
    person("ada")
    desk, known = desks["desk"], practice.credentials
    desk.sign_in("ada", "/credentials/add/")
    page = desk.page
    signing = {"email": known.email, "password": known.password}
    fill(page, practice.activepieces, name="Mine", **({"secret": known.bearer_token} if way == "token" else signing))
    send(page)
    if version == "0.83.0":
        expect(page.locator("h1")).to_have_text("Choose a project")
        page.locator(f'input[value="{known.project_id}"]').check()
        send(page)
    expect(page.locator("h1")).to_have_text("Mine")
    expect(page.locator("main")).to_contain_text(f"Activepieces {version}")
    desk.sound()
    slug = Workspace.objects.get().slug
    for path, words in (
        ("flows", practice.sample("orders").name),
        ("runs", "Runs"),
        ("settings", f"Activepieces {version}"),
    ):
        desk.open(f"/w/{slug}/{path}/")
        expect(page.locator("main")).to_contain_text(words)
    assert desk.said == []


def test_an_engine_is_upgraded_under_a_workspace_and_everything_goes_on(
    desks: dict[str, Desk],
    practice: Practice,
) -> None:
    practice.engine.settings.version = "0.72.4"
    person("ada")
    desk, known = desks["desk"], practice.credentials
    desk.sign_in("ada", "/credentials/add/")
    page = desk.page
    fill(page, practice.activepieces, secret=known.bearer_token, name="Mine")
    send(page)
    expect(page.locator("h1")).to_have_text("Mine")
    slug = Workspace.objects.get().slug
    places = ("flows", "runs", "folders", "connections", "tables", "pieces", "mcp-servers", "credentials", "abilities")
    flow, run = practice.sample("orders").id, practice.runs()[0]["id"]
    objects = (f"flows/{flow}", f"flows/{flow}/launch", f"runs/{run}")
    for version in ("0.72.4", "0.83.0"):
        practice.engine.settings.version = version
        for path in (*places, *objects):
            desk.open(f"/w/{slug}/{path}/")
            assert "alert-danger" not in page.content(), path
            assert desk.heading() not in ("This engine does not offer this", "Deleted"), path
    desk.open(f"/w/{slug}/abilities/")
    page.get_by_role("button", name="Check again").click()
    expect(page.locator("main")).to_contain_text("Activepieces 0.83.0")
    expect(page.locator("main")).to_contain_text("at most 10,000")
    desk.sound()
    desk.open(f"/w/{slug}/credentials/{Credential.objects.get().pk}/")
    page.get_by_role("button", name="Test now").click()
    expect(page.locator("main")).to_contain_text("Activepieces 0.83.0")
    expect(page.locator("main")).to_contain_text("Works")
    practice.engine.settings.version = "0.91.2"
    page.get_by_role("button", name="Test now").click()
    expect(page.locator("main")).to_contain_text("Activepieces 0.91.2, not tested with this console")
    desk.sound()
