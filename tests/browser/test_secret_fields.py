"""A secret field in a real browser: its builder, the form that asks for it, and the run in which it is masked, in both looks."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from practice_engine.samples import sample_flows
from tests.browser.looks import sound_in_every_look
from tests.browser.running_console import Desk
from tests.project.console_process import wait_for
from workflows_ui.core.secret_names import MASK

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("desk")]

FLOW = sample_flows()["quick"].id
TYPED = "open-sesame-Zk7q"
SCENE = f"""
from workflows_ui.form_schema.document import Field, Form, FieldKind
from workflows_ui.members.models import Member, Role, Workspace
from workflows_ui.members.services import access
from workflows_ui.audit.services import audit_log as audit
from workflows_ui.launch_forms.services import launch_forms
space = Workspace.objects.get(practice=True)
manager = access.access_for(Member.objects.filter(workspace=space, role=Role.MANAGER).first().user, space.slug)
form = Form((
    Field("name", ("name",), label="Customer", required=True),
    Field("door", ("door",), label="Word of the door", kind=FieldKind.SECRET, required=True, help="As it is on the customer's contract."),
))
row = launch_forms.find_form(space, "{FLOW}")
row = launch_forms.save(audit.CONSOLE, manager, "{FLOW}", "Greet a customer", form, lock=row.lock if row else None)
launch_forms.publish(audit.CONSOLE, manager, "{FLOW}", lock=row.lock)
"""
READY = """
from workflows_ui.members.models import Workspace
print("ready" if Workspace.objects.filter(practice=True).exists() else "not yet")
"""
END = f"""
from workflows_ui.launch_forms.models import LaunchForm
LaunchForm.objects.filter(flow_id="{FLOW}").update(published=None)
"""


@pytest.fixture
def formed(desk: Desk) -> Iterator[Desk]:
    wait_for(lambda: "ready" in desk.run(READY), "the practice workspace")
    desk.run(SCENE)
    yield desk
    desk.run(END)


REVIEWED = SCENE.replace("))\nrow =", "), effects='Greets {name}.', review=True)\nrow =")


def test_a_reviewed_launch_keeps_its_secret_and_can_be_changed_first(formed: Desk, browser: Browser) -> None:
    formed.run(REVIEWED)
    with formed.window(browser) as window:
        page = window.page
        page.goto(f"/w/practice/flows/{FLOW}/launch/")
        page.get_by_label("Customer").fill("An")
        expect(page.locator("#will-do [data-effect]")).to_have_text("An")
        page.get_by_label("Word of the door").fill(TYPED)
        page.get_by_role("button", name="Launch", exact=True).click()
        expect(page.locator("#review-title")).to_be_focused()
        expect(page.locator("#launch-review")).to_contain_text("Greets An.")
        expect(page.get_by_label("Customer")).to_be_hidden()
        assert TYPED not in page.content()
        sound_in_every_look(page)
        page.get_by_role("button", name="Change").click()
        expect(page.get_by_label("Customer")).to_be_focused()
        page.get_by_label("Customer").fill("Bo")
        page.get_by_role("button", name="Launch", exact=True).click()
        expect(page.locator("#review-values")).to_contain_text("Bo")
        page.get_by_role("button", name="Launch", exact=True).click()
        window.ends("Succeeded")
        expect(page.locator("#launch-payload")).to_contain_text(MASK)


def test_a_secret_is_typed_typed_again_after_a_mistake_and_masked_in_the_run(formed: Desk, browser: Browser) -> None:
    with formed.window(browser) as window:
        page = window.page
        page.goto(f"/w/practice/flows/{FLOW}/form/fields/door/")
        sound_in_every_look(page)
        page.goto(f"/w/practice/flows/{FLOW}/launch/")
        door = page.get_by_label("Word of the door")
        door.fill(TYPED)
        page.get_by_role("button", name="Launch", exact=True).click()
        # The customer is missing: nothing was launched, and the secret is not in the page any more.
        expect(page.locator("#form-problems")).to_be_visible()
        expect(door).to_have_value("")
        expect(page.get_by_text("Enter it again: a secret is not kept on the page.")).to_be_visible()
        assert TYPED not in page.content()
        sound_in_every_look(page)
        page.get_by_label("Customer").fill("Lan")
        door.fill(TYPED)
        page.get_by_role("button", name="Launch", exact=True).click()
        window.ends("Succeeded")
        expect(page.locator("#launch-payload")).to_contain_text(MASK)
        assert TYPED not in page.content()
        sound_in_every_look(page)
        # Going back shows the form without it.
        page.go_back()
        page.go_back()
        assert door.count() == 0 or door.input_value() == ""
        page.goto("/w/practice/runs/")
        page.locator("main table a").first.click()
        page.wait_for_url("**/runs/*/")
        page.locator("#step-0 summary").first.click()
        expect(page.locator("main")).to_contain_text(MASK)
        assert TYPED not in page.content()
        sound_in_every_look(page)


def test_back_restores_what_was_typed_but_no_secret_until_the_person_signs_out(formed: Desk, browser: Browser) -> None:
    # Signing out must not end the session that other windows share.
    with formed.window(browser, signed_in=False) as window:
        window.sign_in()
        page = window.page
        customer, door = page.get_by_label("Customer"), page.get_by_label("Word of the door")
        stored = "JSON.stringify({...sessionStorage, ...localStorage})"
        page.goto(f"/w/practice/flows/{FLOW}/launch/")
        customer.fill("Order 4711")
        door.fill(TYPED)
        page.get_by_role("complementary").get_by_role("link", name="Credentials", exact=True).click()
        expect(page.locator("h1")).to_have_text("Credentials")
        assert TYPED not in page.evaluate(stored)
        page.go_back()
        expect(customer).to_have_value("Order 4711")
        expect(door).to_have_value("")
        page.get_by_role("complementary").get_by_role("link", name="Flows", exact=True).click()
        expect(page.locator("h1")).to_have_text("Flows")
        page.goto(f"/w/practice/flows/{FLOW}/launch/")
        expect(customer).to_have_value("")
        customer.fill("Order 4711")
        page.locator("header.topbar details.menu").last.locator("summary").click()
        page.get_by_role("button", name="Sign out").click()
        expect(page.locator("h1")).to_have_text("Sign in")
        assert "4711" not in page.evaluate(stored)
