"""Credentials of each kind added with real clicks, replaced and put back; the vault's pages in light, dark, on a phone, and plain."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser.looks import LOOKS
from tests.browser.test_accounts_and_credentials import PLAIN, Desk
from tests.practice_engine.fixtures import Practice
from tests.users import gather, person, workspace
from workflows_ui.credentials.models import Credential, CredentialKind, CredentialSecret
from workflows_ui.members.models import Flavour, Member, Role

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def desk(browser: Browser, live_server: LiveServer) -> Iterator[Desk]:
    """Ada's window, without JavaScript: the fields of each kind come and go all the same."""
    context = browser.new_context(locale="en-US", **PLAIN)
    person("ada")
    window = Desk(context, live_server.url)
    window.sign_in("ada", "/credentials/add/")
    yield window
    context.close()


def test_each_kind_shows_its_fields_only_and_one_with_a_code_is_added(desk: Desk, practice: Practice) -> None:
    known, page = practice.credentials, desk.page
    form = page.locator("form.credential-form")
    secret, email = form.get_by_label("Secret", exact=True), form.get_by_label("Email address at the engine")
    code, organization = form.get_by_label("Or a one-time code"), form.get_by_label("Organization", exact=True)
    # That each is added: tests/credentials/test_kinds.py. Here is what a person sees of its fields.
    for kind in ("api_key", "bearer_token", "access_token", "bearer_sign_in", "jwt", "sign_in"):
        plain, signs_in = kind.startswith("bearer"), kind.endswith("sign_in")
        form.locator('select[name="engine"]').select_option("activepieces" if plain else "gateway")
        form.locator(f'input[name="{"token_kind" if plain else "kind"}"][value="{kind}"]').check()
        assert secret.is_visible() is not signs_in, kind
        assert email.is_visible() is signs_in, kind
        assert code.is_visible() is (kind == "sign_in"), kind
        assert organization.is_visible() is (kind in {"access_token", "jwt"}), kind
    form.get_by_label("Address", exact=True).fill(practice.gateway)
    email.fill(known.email)
    form.get_by_role("button", name="Send me a code").click()
    expect(page.get_by_text("was asked to send a code")).to_be_visible()
    code.fill("PRACT1")
    form.get_by_role("button", name="Test and save").click()
    expect(page.locator("h1")).to_have_text("Choose an organization")
    page.get_by_label("Công ty Thương mại Sao Mai").check()
    page.get_by_role("button", name="Test and save").click()
    expect(page.get_by_text("Test result")).to_be_visible()
    assert Credential.objects.get().kind == "sign_in"


def test_a_secret_is_replaced_and_put_back_by_one_click(desk: Desk, practice: Practice) -> None:
    known, page = practice.credentials, desk.page
    space = workspace("sales", flavour=Flavour.IMBRACE, address=practice.gateway, project=known.project_id)
    ada = Member.objects.create(workspace=space, user=person("owner"), role=Role.MANAGER).user
    assert ada is not None
    row = Credential(workspace=space, owner=ada, name="Old key", kind=CredentialKind.API_KEY)
    row.secret = row.seal("secret", known.api_key)
    row.save()
    page.context.clear_cookies()
    desk.sign_in("owner", f"/w/sales/credentials/{row.pk}/replace/")
    page.locator('input[name="kind"][value="access_token"]').check()
    page.get_by_label("Secret", exact=True).fill(known.access_token)
    page.get_by_role("button", name="Test and replace").click()
    expect(page.get_by_text("The new secret works and is in use")).to_be_visible()
    page.get_by_role("button", name="Restore the old secret").click()
    expect(page.get_by_text("The previous secret is in use again, and works")).to_be_visible()
    row.refresh_from_db()
    assert row.open("secret") == known.api_key


@pytest.mark.slow
def test_the_vault_s_pages_are_sound(browser: Browser, live_server: LiveServer, practice: Practice) -> None:
    known = practice.credentials
    space = workspace("sales", flavour=Flavour.IMBRACE, address=practice.gateway, project=known.project_id)
    users = gather(space, known.access_token, kind=CredentialKind.ACCESS_TOKEN)
    team = Group.objects.create(name="Sales " + "x" * 100)
    Member.objects.create(workspace=space, team=team, role=Role.LAUNCHER)
    key = users.credential
    now = timezone.now()
    old = CredentialSecret(credential=key, kind=CredentialKind.API_KEY, replaced_at=now, replaced_by=users.owner)
    old.keep_until = now + timedelta(hours=72)
    old.secret = old.seal("secret", "an-older-secret")
    old.save()
    Credential.objects.filter(pk=key.pk).update(
        name="K" * 120, ends_at=now + timedelta(days=5), renew_problem="no_password", health="works"
    )
    run = practice.runs(practice.sample("quick").id)
    context = browser.new_context(locale="en-US", **LOOKS["desk"])
    desk = Desk(context, live_server.url)
    desk.sign_in("owner")
    at = f"/w/sales/credentials/{key.pk}"
    pages = ["/w/sales/credentials/", f"{at}/", f"{at}/replace/", f"{at}/share/"]
    pages += [f"/w/sales/runs/{run[0]['id']}/hidden/"] if run else []
    for place in pages:
        desk.open(place)
        desk.sound()
    context.close()
