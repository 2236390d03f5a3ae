"""The audit log in a real browser: what a manager just did is found, read and taken as a file; a superuser looks at the rows behind it."""

import csv
import io
import re
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.looks import LOOKS, sound, sound_in_every_look
from tests.browser.running_console import Desk
from tests.browser.windows import Window
from tests.users import Users
from workflows_ui.audit.services import audit_log
from workflows_ui.audit.services.audit_log import Actor

pytestmark = pytest.mark.browser
_STILL: dict[str, Any] = {"reduced_motion": "reduce", "color_scheme": "light"}


def test_a_manager_finds_what_was_changed_and_reads_before_and_after(desk: Desk, browser: Browser) -> None:
    with desk.window(browser, **_STILL) as window:
        page = window.page
        space = window.space()
        page.goto(f"{space}settings/")
        name = "Practice 2026"
        page.locator("#id_name").fill(name)
        page.locator("main form [type=submit]").first.click()
        expect(page.locator("#history")).to_contain_text("Changed the settings of the workspace")
        sound_in_every_look(page)
        page.goto(f"{space}audit/")
        page.locator("#id_action").select_option("workspace.change")
        expect(page).to_have_url(re.compile("action=workspace.change"))
        expect(page.locator("#results .chips")).to_contain_text("Changed the settings of the workspace")
        sound_in_every_look(page)
        page.locator("#results tbody a").first.click()
        expect(page.locator(".audit-changes .audit-after").first).to_contain_text(name)
        expect(page.locator("main")).to_contain_text("Position in the audit chain")
        sound_in_every_look(page)
        page.go_back()
        page.locator("#export-menu > summary").click()
        with page.expect_download() as download:
            page.locator("#export-menu").get_by_role("link", name="CSV with commas").click()
        rows = list(csv.DictReader(io.StringIO(download.value.path().read_bytes().decode("utf-8-sig"))))
        assert {row["action"] for row in rows} == {"workspace.change"}


@pytest.mark.django_db(transaction=True)
def test_a_superuser_looks_at_rows_without_a_word_in_the_browsers_console(users: Users, window: Window) -> None:
    event = audit_log.record(
        Actor(users.owner), "member.add", workspace=users.workspace, object_name="x" * 2000, a=["y" * 900]
    )
    users.owner.is_superuser = True
    users.owner.save()
    page = window(users.owner, **LOOKS["phone"])
    page.goto("/")
    page.locator("header.topbar details.menu").last.locator("summary").click()
    page.get_by_role("link", name="Administration").click()
    page.locator("#stored-data > summary").click()
    for name in ("Audit events", f"{event.pk}"):
        page.locator("main").get_by_role("link", name=name, exact=True).first.click()
    expect(page.locator("main")).to_contain_text("member.add")
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    assert page.locator("main input:not([type=hidden]), main textarea, main [type=submit]").count() == 0
    for address in ("/audit/", f"/audit/{event.pk}/"):
        page.goto(address)
        expect(page.locator("main")).to_contain_text("Added a member")
        sound(page)
