"""Takes the pictures in docs/, which the README shows: `.venv/bin/python -m tests.browser.pictures`

Starts a console in a folder of its own, as `make run` does, does there what the pictures show, and leaves nothing running. Chromium is
found as the tests find it.
"""

import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import expect, sync_playwright

from practice_engine.samples import sample_flows
from tests.browser.running_console import Desk, Window
from tests.prerequisites import chromium
from tests.project.console_process import ROOT, RUN_COMMAND, free_port, running_console

DOCS = ROOT / "docs"
SIZE = {"width": 1280, "height": 800}
_SLOW = 30_000
LAUNCHER, PASSWORD = "linh", "correct horse battery staple"
#: Somebody who only launches, forms for what they launch, and what they launched lately.
SCENE = f"""
from workflows_ui.form_schema.document import Choice, Column, Field, Form, FieldKind, Limits
from workflows_ui.members.models import Member, Role, Workspace
from workflows_ui.accounts.models import User
from workflows_ui.members.services import access
from workflows_ui.audit.services import audit_log as audit
from workflows_ui.launch_forms.services import launch_forms, saved_inputs
from workflows_ui.credentials.services import practice
from workflows_ui.home import services as visits
space = Workspace.objects.get(practice=True)
person = User.objects.create_user("{LAUNCHER}", "linh@example.com", "{PASSWORD}", first_name="Linh")
practice.equip(Member.objects.create(workspace=space, user=person, role=Role.LAUNCHER))
manager = access.access_for(Member.objects.filter(workspace=space, role=Role.MANAGER).first().user, space.slug)
mine = access.access_for(person, space.slug)
orders = Form(
    (
        Field("id", ("id",), label="Order number", required=True, example="DH-1042", searchable=True),
        Field("currency", ("currency",), label="Currency", kind=FieldKind.CHOICE, required=True, default="VND",
              choices=(Choice("Vietnamese dong", "VND"), Choice("US dollar", "USD"))),
        Field("items", ("items",), kind=FieldKind.TABLE, label="Items", required=True, columns=(
            Column("sku", "sku", "Article"), Column("qty", "qty", "Number", kind=FieldKind.INTEGER),
            Column("price", "price", "Price", kind=FieldKind.NUMBER))),
    ),
    note="Takes an order in and works out its **total**.",
    button="Take the order in",
)
greeting = Form(
    (Field("name", ("name",), label="Customer", required=True),),
    note="Greets a customer by name.",
    button="Greet",
)
welcome = Form(
    (Field("name", ("name",), label="Name", required=True), Field("email", ("email",), kind=FieldKind.EMAIL, required=True)),
    note="Sends the welcome mail, and tells the team.",
    button="Send the mail",
)
for flow, name, form in (
    ("{sample_flows()["orders"].id}", "{sample_flows()["orders"].name}", orders),
    ("{sample_flows()["quick"].id}", "{sample_flows()["quick"].name}", greeting),
    ("{sample_flows()["changed"].id}", "{sample_flows()["changed"].name}", welcome),
):
    row = launch_forms.save(audit.CONSOLE, manager, flow, name, form, lock=None)
    launch_forms.publish(audit.CONSOLE, manager, flow, lock=row.lock)
basket = {{"id": "DH-1042", "currency": "VND", "items": [{{"sku": "TRA-01", "qty": 2, "price": 95000}}]}}
saved_inputs.save(audit.CONSOLE, mine, "{sample_flows()["orders"].id}", "Every Monday", basket, shared=False)
visits.star(person, space, "{sample_flows()["orders"].id}", "{sample_flows()["orders"].name}")
"""


def flows(window: Window) -> None:
    """The list of flows."""
    window.page.goto(f"{window.space()}flows/")
    expect(window.page.locator("[data-late]")).to_have_count(0)


def launch(window: Window) -> None:
    """A launch that is done, with its answer."""
    page = window.page
    window.open_form("orders")
    page.get_by_role("link", name="Every Monday", exact=True).click()
    page.locator(".card-footer [data-launch]").click()
    window.ends("Succeeded")
    expect(page.locator("[data-late]")).to_have_count(0)


def launch_form(window: Window) -> None:
    """The form that launches a flow."""
    window.open_form("orders")
    window.page.get_by_role("link", name="Every Monday", exact=True).click()
    expect(window.page.locator("[data-late]")).to_have_count(0)


def home(window: Window) -> None:
    """What somebody who only launches finds first."""
    window.page.goto(window.space())
    expect(window.page.locator("[aria-busy]")).to_have_count(0)


def form(window: Window) -> None:
    """A launch form, as its builder sees it."""
    window.page.goto(f"{window.space()}flows/{sample_flows()['orders'].id}/form/")


def run(window: Window) -> None:
    """A run that failed, with the step and why."""
    window.launch("failing", wait=True)
    window.ends("Failed")
    window.page.locator("#more-steps > summary").click()
    window.page.locator("#run-open").click()
    expect(window.page.locator("#live")).to_contain_text("It failed at")


def job(window: Window) -> None:
    """Many flows turned off, one of which somebody was editing."""
    page = window.page
    page.goto(f"{window.space()}flows/?status=ENABLED&rows=20")
    expect(page.locator("[data-late]")).to_have_count(0)
    ticks = page.locator("input[data-tick]")
    for number in range(6):
        ticks.nth(number).check()
    with window.desk.practice.set(flow_in_use=[ticks.nth(1).input_value()]):
        page.locator("#bulk").get_by_role("button", name="Turn off").click()
        page.get_by_role("button", name=re.compile(r"^Turn off \(\d+\)$")).click()
        expect(page.locator("#job-badge")).to_contain_text("Finished", timeout=_SLOW)


def trigger(window: Window) -> None:
    """An app's triggers: what worked and what failed, day by day."""
    # 0.83 counts nothing (recording trigger_runs_status).
    with window.desk.practice.set(version="0.72.4"):
        window.page.goto(f"{window.space()}triggers/@activepieces/piece-webhook/")


PICTURES: tuple[Callable[[Window], None], ...] = (flows, form, run, trigger, job)
#: As the launcher sees it.
LAUNCHERS: tuple[Callable[[Window], None], ...] = (launch, launch_form, home)


def _take(window: Window, pictures: tuple[Callable[[Window], None], ...]) -> None:
    for take in pictures:
        take(window)
        window.page.evaluate("document.activeElement?.blur(); scrollTo(0, 0)")
        window.page.screenshot(path=DOCS / f"{take.__name__.replace('_', '-')}.png")


def main() -> None:
    """Takes all of them."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium(), args=["--no-sandbox", "--disable-gpu", "--disable-quic"]
        )
        with running_console(RUN_COMMAND, Path(folder), free_port(), PRACTICE_CLOCK_SCALE="1") as started:
            started.wait_for_output("The password is shown this once only")
            desk = Desk(started)
            desk.run(SCENE)
            look: dict[str, Any] = {"viewport": SIZE, "color_scheme": "light"}
            with desk.window(browser, **look) as window:
                _take(window, PICTURES)
            with desk.window(browser, signed_in=False, **look) as window:
                window.sign_in(LAUNCHER, PASSWORD)
                _take(window, LAUNCHERS)
            started.interrupt()
        browser.close()


if __name__ == "__main__":
    main()
