"""Launchers and a flow's own form, in a real browser: by keyboard alone at phone width, in two languages, again with other inputs."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from practice_engine.samples import sample_flows
from tests.browser import shots
from tests.browser.looks import PHONE
from tests.browser.running_console import Desk
from tests.project.console_process import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("desk")]

FLOW = sample_flows()["quick"].id
PERSON, PASSWORD = "linh", "correct horse battery staple"
#: A launcher of the practice workspace, and a form for the flow that greets.
SCENE = f"""
from workflows_ui.form_schema.document import Choice, Column, Field, Form, FieldKind, ShowIf
from workflows_ui.members.models import Member, Role, Workspace
from workflows_ui.accounts.models import User
from workflows_ui.form_schema.document import TableChoices
from workflows_ui.members.services import access
from workflows_ui.audit.services import audit_log as audit
from workflows_ui.credentials.services import clients, practice
from workflows_ui.launch_forms.services import launch_forms
space = Workspace.objects.get(practice=True)
person = User.objects.create_user("{PERSON}", "linh@example.com", "{PASSWORD}", first_name="Linh")
practice.equip(Member.objects.create(workspace=space, user=person, role=Role.LAUNCHER))
manager = access.access_for(Member.objects.filter(workspace=space, role=Role.MANAGER).first().user, space.slug)
client = clients.client_for_person(manager.user, space)[0].workflows
table = next(one["id"] for one in client.list_tables()["data"] if one["name"] == "Products")
cells = client.list_records(table, limit=1)["data"][0]["cells"]
columns = {{cell["fieldName"]: key for key, cell in cells.items()}}
form = Form(
    (
        Field("name", ("name",), label="Customer", required=True, help="As on the invoice.", searchable=True),
        Field("formal", ("formal",), kind=FieldKind.YES_NO, label="Formal greeting"),
        Field("title", ("title",), label="Title", show_if=ShowIf("formal", value=True)),
        Field("tags", ("tags",), kind=FieldKind.LIST, label="Tags"),
        Field("rows", ("rows",), kind=FieldKind.TABLE, label="Items", columns=(Column("sku", "sku", "SKU"),)),
        Field("product", ("product",), kind=FieldKind.CHOICE, label="Product",
              choices_from=TableChoices(table, columns["Name"], columns["SKU"])),
        Field("photo", ("photo",), kind=FieldKind.FILE, label="Photo", accept=("png",)),
        Field("age", ("age",), kind=FieldKind.INTEGER, label="Age", folded=True),
    ),
    note="Greets a **customer**.",
    button="Greet",
)
row = launch_forms.save(audit.CONSOLE, manager, "{FLOW}", "Greet a customer", form, lock=None)
launch_forms.publish(audit.CONSOLE, manager, "{FLOW}", lock=row.lock)
"""
READY = """
from workflows_ui.members.models import Workspace
print("ready" if Workspace.objects.filter(practice=True).exists() else "not yet")
"""
#: Other tests of this console launch the flow by JSON.
END = f"""
from workflows_ui.launch_forms.models import LaunchForm
LaunchForm.objects.filter(flow_id="{FLOW}").update(published=None)
"""


@pytest.fixture(scope="module")
def formed(desk: Desk) -> Iterator[Desk]:
    """The console with the form and the launcher in it."""
    wait_for(lambda: "ready" in desk.run(READY), "the practice workspace")
    desk.run(SCENE)
    yield desk
    desk.run(END)


def _tab_to(page: Page, selector: str) -> None:
    """Presses Tab until the focus is there, as somebody without a mouse does."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("(one) => document.activeElement.matches(one)", selector):
            return
    raise AssertionError(f"Tab does not lead to {selector}")


def _sign_in(page: Page) -> None:
    page.goto("/")
    page.locator("[name=login]").fill(PERSON)
    page.locator("[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/w/practice/$"))


def _open(page: Page) -> None:
    page.goto(f"/w/practice/flows/{FLOW}/launch/")


@pytest.mark.parametrize(
    ("language", "heading", "state"),
    [("en-US", "Launch Greet a customer", "Succeeded"), ("vi-VN", "Khởi chạy Greet a customer", "Thành công")],
)
def test_a_launcher_at_phone_width_and_by_keyboard_alone_launches_and_reads_the_answer_in_four_actions(
    formed: Desk, browser: Browser, language: str, heading: str, state: str
) -> None:
    with formed.window(browser, signed_in=False, viewport=PHONE, locale=language) as window:
        page, name = window.page, f"Trần Thị Lan, {language}"
        _sign_in(page)
        expect(page.locator("#home-flows[aria-busy]")).to_have_count(0)
        window.sound()
        window.darken()
        # The first action: the flow.
        _tab_to(page, f"main a[href$='/flows/{FLOW}/launch/']")
        page.keyboard.press("Enter")
        expect(page.locator("h1")).to_have_text(heading)
        window.sound()
        shots.keep(page)
        # The second: the customer's name. The third: Enter.
        _tab_to(page, "[name=name]")
        page.keyboard.type(name)
        page.keyboard.press("Enter")
        # The fourth: reading. The answer appears without a reload, and is within the window.
        window.ends(state)
        expect(page.locator("#launch-live")).to_contain_text(name)
        expect(page.locator("#answer-title")).to_be_in_viewport()
        window.sound()
        shots.keep(page)


def test_fields_appear_as_they_are_needed_and_lines_are_added_in_place(formed: Desk, browser: Browser) -> None:
    with formed.window(browser, signed_in=False) as window:
        page = window.page
        _sign_in(page)
        _open(page)
        title = page.get_by_label("Title")
        expect(title).to_be_hidden()
        page.get_by_text("Yes", exact=True).click()
        expect(title).to_be_visible()
        page.get_by_label("Photo").set_input_files(
            {"name": "a.png", "mimeType": "image/png", "buffer": b"\x89PNG\r\n\x1a\n"}
        )
        page.locator("[name=tags]").first.fill("first")
        page.get_by_role("button", name="Add a line").click()
        expect(page.locator("[name=tags]")).to_have_count(2)
        expect(page.locator("[name=tags]").first).to_have_value("first")
        expect(page.locator("[name=tags]").last).to_be_focused()
        page.get_by_role("button", name="Add a row").click()
        expect(page.get_by_role("button", name="Remove row 2")).to_be_visible()
        page.get_by_role("button", name="Remove row 2").click()
        expect(page.get_by_role("button", name="Remove row 2")).to_have_count(0)
        assert page.get_by_label("Photo").input_value(), "a chosen file stays"
        page.get_by_label("Product").select_option(label="Cà phê Buôn Ma Thuột 500 g")
        page.get_by_label("Customer").fill("An")
        page.get_by_role("button", name="Preview the request").click()
        expect(page.locator("#look-text")).to_contain_text('"name": "An"')
        expect(page.locator("#look-text")).to_contain_text('"product": "CFE-12"')
        expect(page.locator("#look-link")).to_contain_text("?name=An&formal=true&tags=first&product=CFE-12")
        window.sound()
        shots.keep(page)
        # Refused for another field, the form has the file still.
        page.get_by_label("Customer").fill("")
        page.get_by_role("button", name="Greet").click()
        expect(page.locator("#form-problems")).to_be_focused()
        expect(page.locator("#form-problems")).to_contain_text("Customer")
        assert page.get_by_label("Photo").input_value(), "a chosen file stays"
        window.sound()
        page.get_by_label("Customer").fill("An")
        page.get_by_role("button", name="Greet").click()
        window.ends("Succeeded")
        expect(page.locator("#launch-payload")).to_contain_text("a.png")


def test_a_mistake_is_shown_at_its_field_and_a_launch_is_made_again_with_other_inputs(
    formed: Desk, browser: Browser
) -> None:
    with formed.window(browser, signed_in=False) as window:
        page = window.page
        _sign_in(page)
        page.goto(f"/w/practice/flows/{FLOW}/launch/?name=Minh&age=old")
        expect(page.get_by_label("Customer")).to_have_value("Minh")
        page.get_by_role("button", name="Greet").click()
        expect(page.locator("#form-problems")).to_contain_text("Some fields have to be corrected")
        page.get_by_role("link", name="Age").click()
        expect(page.get_by_label("Age", exact=True)).to_be_focused()
        window.sound()
        shots.keep(page)
        page.get_by_label("Age", exact=True).fill("1,200,000")
        page.keyboard.press("Tab")
        expect(page.locator("[data-field=age]")).to_contain_text("= 1\u00a0200\u00a0000")
        page.get_by_label("Age", exact=True).fill("41")
        # Nothing moves below the pressed button.
        checks: list[str] = []
        page.on("request", lambda request: checks.append(request.url) if request.method == "POST" else None)
        page.get_by_role("button", name="Greet").hover()
        page.mouse.down()
        expect(page.get_by_label("Age", exact=True)).not_to_be_focused()
        page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        assert checks == []
        page.mouse.move(1, 1)
        page.mouse.up()
        # A connection that is down loses nothing.
        window.expected += ["ERR_INTERNET_DISCONNECTED", "htmx:"]
        page.context.set_offline(True)
        page.get_by_role("button", name="Greet").click()
        expect(page.get_by_text("The console does not answer")).to_be_visible()
        page.context.set_offline(False)
        page.get_by_role("button", name="Greet").click()
        window.ends("Succeeded")
        expect(page.locator("#launch-live")).to_contain_text("Minh")
        _open(page)
        page.locator("#earlier a[href*='?from=']").first.click()
        expect(page.get_by_label("Customer")).to_have_value("Minh")
        page.get_by_label("Customer").fill("Ngọc")
        page.get_by_role("button", name="Greet").click()
        window.ends("Succeeded")
        expect(page.locator("#launch-live")).to_contain_text("Ngọc")
        page.goto("/w/practice/launches/?search=Ngọc")
        expect(page.locator("#results .list-table tbody tr")).to_have_count(1)


def test_inputs_are_saved_and_used_another_time(formed: Desk, browser: Browser) -> None:
    with formed.window(browser, signed_in=False, viewport=PHONE) as window:
        page = window.page
        _sign_in(page)
        _open(page)
        page.get_by_label("Customer").fill("Every Monday")
        page.get_by_text("Run options and saved inputs").click()
        page.get_by_label("Save these inputs for another time, as").fill("Monday")
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_role("link", name="Monday", exact=True)).to_be_visible()
        _open(page)
        page.get_by_role("link", name="Monday", exact=True).click()
        expect(page.get_by_label("Customer")).to_have_value("Every Monday")
        window.sound()
        shots.keep(page)
        page.get_by_role("link", name="Rename, share or delete “Monday”").click()
        expect(page.get_by_role("button", name="Delete these inputs")).to_be_visible()
        window.sound()
        page.get_by_role("button", name="Delete these inputs").click()
        expect(page.get_by_role("link", name="Monday", exact=True)).to_have_count(0)


def test_the_form_is_filled_in_without_javascript_and_in_vietnamese(formed: Desk, browser: Browser) -> None:
    with formed.window(browser, signed_in=False, java_script_enabled=False) as window:
        page = window.page
        _sign_in(page)
        page.locator("header.topbar details.menu").last.locator("summary").click()
        page.get_by_role("button", name="Tiếng Việt").click()
        _open(page)
        expect(page.locator("html")).to_have_attribute("lang", "vi")
        expect(page.locator("[name=title]")).to_be_visible()
        page.locator("[name=name]").fill("Hoa")
        page.locator("#field-3-add").click()
        expect(page.locator("[name=tags]")).to_have_count(2)
        expect(page.locator("[name=name]")).to_have_value("Hoa")
        page.locator(".card-footer .btn[data-launch]").click()
        expect(page.locator("#launch-live")).to_be_visible()
