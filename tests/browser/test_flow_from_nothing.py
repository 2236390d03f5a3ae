"""A flow is built in a real browser by links and forms alone, from no trigger to its answer; then tested, published and launched."""

import json
import re

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.running_console import Desk

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.xdist_group("desk"),
    pytest.mark.parametrize("version", ["0.72.4", "0.83.0"]),
]
#: The console keeps what it read of apps for ten minutes; other tests here have read it from an engine of another version.
FORGET_APPS = "from django.core.cache import caches; caches['answers'].clear()"
TOTAL = (
    "export const code = async (inputs) => "
    "({ total: inputs.items.reduce((sum, item) => sum + item.qty * item.price, 0), currency: inputs.currency });"
)
LINE = "export const code = async (inputs) => ({ line: inputs.item.qty * inputs.item.price });"
LINES = ((3, 50), (1, 210))
ANSWER = "360 VND in 2 lines"


class Builder:
    """What somebody does beside the diagram of a flow's steps."""

    def __init__(self, page: Page) -> None:
        self.page = page

    @property
    def panel(self) -> Locator:
        return self.page.locator("#action")

    def follow(self, link: str) -> None:
        """Follow a link of the panel, one in its menu too."""
        found = self.panel.locator("a", has_text=re.compile(rf"^\s*{re.escape(link)}\s*$")).first
        expect(found).to_be_attached()
        if not found.is_visible():
            found.locator("xpath=ancestor::details[1]/summary").click()
        found.click()

    def confirm(self, button: str) -> None:
        """Submits the form."""
        self.panel.get_by_role("button", name=button, exact=True).click()

    def on(self, step: str) -> None:
        """The page of this step is open."""
        expect(self.page.locator("#panel-heading")).to_have_text(step)

    def choose(self, app: str, operation: str) -> None:
        for text in (app, operation):
            self.panel.locator("a", has=self.page.get_by_text(text, exact=True)).first.click()

    def add(self, kind: str, name: str) -> None:
        """Adds a step without an app where a link has led to."""
        self.panel.get_by_role("navigation", name="Steps without an app").get_by_role("link", name=kind).click()
        self.panel.get_by_label("Name").fill(name)
        self.confirm("Add a step")
        self.on(name)

    def write(self, code: str, **inputs: str) -> None:
        """Fills in a code step."""
        self.page.locator(".code-editor textarea[aria-label^=Code]").focus()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(code)
        for number, (name, value) in enumerate(inputs.items(), start=1):
            if number > 1:
                self.panel.get_by_role("button", name="Add an input").click()
            self.page.locator(f"#id_name{number}").fill(name)
            self.page.locator(f"#id_value{number}").fill(value)
        self.confirm("Save")
        expect(self.page.get_by_text("The code is saved.")).to_be_visible()


def test_a_flow_is_built_from_nothing_by_form_tested_published_launched_and_answered(
    desk: Desk, browser: Browser, version: str
) -> None:
    with desk.window(browser) as window, desk.practice.set(version=version):
        desk.run(FORGET_APPS)
        page, builder, name = window.page, Builder(window.page), f"Orders on {version}"
        page.goto(f"{window.space()}flows/")
        page.get_by_role("link", name="New flow").first.click()
        builder.panel.get_by_label("Name").fill(name)
        page.get_by_role("button", name="Create the flow").click()
        expect(page.get_by_text(f"The flow “{name}” was created.")).to_be_visible()
        steps = page.url

        builder.follow("Choose the trigger")
        builder.choose("Webhook", "Catch Webhook")
        expect(page.get_by_text("This choice has no further fields.")).to_be_visible()
        builder.confirm("Save")
        builder.on("Catch Webhook")

        builder.follow("Add a step after it")
        builder.add("Code", "Total")
        builder.write(TOTAL, items="{{trigger['body']['items']}}", currency="{{trigger['body']['currency']}}")

        builder.follow("Add a step after it")
        builder.add("Branches", "How large")
        branch = builder.panel.get_by_role("region", name="Branch “Branch 1”")
        branch.get_by_role("link", name="Change the conditions").click()
        page.locator("#id_first1").fill("{{step_1['total']}}")
        for operator, second, case in (("EXISTS", False, False), ("TEXT_CONTAINS", True, True)):
            page.locator("#id_operator1").select_option(operator)
            expect(page.locator("#id_second1")).to_be_visible(visible=second)
            expect(page.locator("#id_case1")).to_be_visible(visible=case)
        page.locator("#id_operator1").select_option("NUMBER_IS_GREATER_THAN")
        expect(page.locator("#id_case1")).to_be_hidden()
        page.locator("#id_second1").fill("100")
        builder.confirm("Save")
        expect(page.get_by_text("The conditions are saved.")).to_be_visible()

        branch.locator("summary").click()
        branch.get_by_role("link", name="Add a step to the branch").click()
        builder.add("For each item", "Lines")
        page.get_by_role("textbox", name="List of items").fill("{{trigger['body']['items']}}")
        builder.confirm("Save")
        expect(page.get_by_text("The list is saved.")).to_be_visible()
        builder.follow("Add a step to the loop")
        builder.add("Code", "Line")
        builder.write(LINE, item="{{step_3['item']}}")

        page.locator(".diagram a[data-step=step_3]").click()
        builder.on("Lines")
        builder.follow("Add a step after it")
        builder.choose("Webhook", "Return Response")
        page.get_by_role("combobox", name="Response type").select_option(label="Raw")
        expect(page.locator("[name=schema-p-fields]")).to_have_value(re.compile("LONG_TEXT"))
        page.get_by_role("textbox", name="Body").fill(
            "{{step_1['total']}} {{step_1['currency']}} in {{step_3['index']}} lines"
        )
        builder.confirm("Add the step")
        builder.on("Return Response")

        page.locator(".breadcrumb").get_by_role("link", name="Steps").click()
        expect(page).to_have_url(steps)
        expect(page.get_by_role("heading", name="What is missing")).to_have_count(0)
        builder.follow("Test the draft")
        order = {"items": [{"qty": qty, "price": price} for qty, price in LINES], "currency": "VND"}
        started_with = page.get_by_label("Inputs (JSON)")
        # What the steps read is there, to be filled in.
        expect(started_with).to_have_value(re.compile(r'"items".*"price".*"currency"', re.DOTALL))
        started_with.fill(json.dumps(order))
        page.get_by_role("button", name="Run the draft once").click()
        expect(page.get_by_text("The draft answered.")).to_be_visible()
        expect(page.locator("main")).to_contain_text(ANSWER)

        page.get_by_role("link", name="Back to the steps").click()
        builder.follow("Publish")
        page.get_by_role("button", name=f"Publish “{name}”").click()
        expect(page.get_by_text(f"“{name}” is published and on.")).to_be_visible()

        page.locator("#page-actions").get_by_role("link", name="Launch", exact=True).click()
        for number, (qty, price) in enumerate(LINES):
            if number:
                page.get_by_role("button", name="Add a row").click()
            expect(page.get_by_label("Quantity")).to_have_count(number + 1)
            page.get_by_label("Quantity").last.fill(str(qty))
            page.get_by_label("Price").last.fill(str(price))
        page.get_by_label("Currency").fill("VND")
        expect(page.locator("#how-wait")).to_be_checked()
        page.get_by_role("button", name="Launch", exact=True).click()
        window.ends("Succeeded")
        expect(page.locator("#launch-live")).to_contain_text(ANSWER)
