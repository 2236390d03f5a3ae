"""A step with an app is added in the browser: the app, what it does, and choices of the app that depend on each other."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import unquote_plus

import pytest
from playwright.sync_api import Page, Route, expect

from tests import flows
from tests.browser.looks import sound_in_every_look
from tests.browser.windows import Window
from tests.flow_editing.posted_forms import asked
from tests.stage import Stage, stage

__all__ = ["stage"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.parametrize("stage", ["activepieces"], indirect=True),
]


def test_an_app_an_action_and_choices_that_depend_on_each_other(stage: Stage, window: Window) -> None:
    key = flows.make(stage.session.workflows, "Orders", flows.code("echo"), publish=False)
    page = window(stage.users.owner)
    page.goto(f"/w/sales/flows/{key}/choose/")
    page.get_by_role("searchbox", name="Search the apps").fill("sheet")
    expect(page.locator("#apps a")).to_have_count(1)
    sound_in_every_look(page)
    page.get_by_role("link", name="Google Sheets").click()
    page.get_by_role("link", name="Insert Row").click()
    # The only connection is chosen; its spreadsheets are there without being asked for.
    spreadsheet = page.get_by_label("Spreadsheet", exact=False).locator("visible=true").first
    expect(page.locator("[name=p-spreadsheet_id] option")).to_have_count(4)
    expect(page.locator("#prop-1")).to_contain_text("Choose “Spreadsheet” first.")
    search = page.get_by_role("searchbox", name="Search the choices: Spreadsheet")
    search.fill("khách")
    search.press("Enter")
    expect(page.locator("[name=p-spreadsheet_id] option")).to_have_count(2)
    expect(search).to_be_focused()
    spreadsheet.select_option(label="Khách hàng")
    expect(page.locator("[name=p-sheet_id] option")).to_have_count(3)
    page.locator("[name=p-sheet_id]").select_option(label="Tháng 11")
    page.locator("[name='p-values.value']").fill("Trà")
    sound_in_every_look(page)
    assert [one["propertyName"] for one in asked(stage)] == ["spreadsheet_id", "spreadsheet_id", "sheet_id", "values"]
    page.get_by_role("button", name="Add the step").click()
    expect(page.get_by_text("The step is added.")).to_be_visible()
    expect(page.locator(".diagram")).to_contain_text("Insert Row")
    step = stage.session.workflows.get_flow(key)["version"]["trigger"]["nextAction"]["nextAction"]
    assert step["settings"]["input"] == {
        "auth": "{{connections['sheets-shared']}}",
        "spreadsheet_id": "khách-hàng",
        "sheet_id": "tháng-11",
        "first_row_headers": True,
        "values": {"value": "Trà"},
    }


class Held:
    """The requests of a form to the app that have left; they are answered one by one."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._routes: dict[str, Route] = {}
        self._answered: set[str] = set()

    def hold(self, route: Route) -> None:
        asked = re.search("(?:^|&)redo=([^&]+)", unquote_plus(route.request.post_data or ""))
        if asked is None or asked[1] in self._answered:
            route.fallback()
        else:
            self._routes[asked[1]] = route

    @contextmanager
    def leaves(self, asked: str) -> Iterator[None]:
        """What is done meanwhile sends this request."""
        self._answered.discard(asked)
        with self._page.expect_request(lambda request: f"redo={asked}" in unquote_plus(request.post_data or "")):
            yield

    def answer(self, asked: str) -> None:
        with self._page.expect_event(
            "requestfinished", lambda request: f"redo={asked}" in unquote_plus(request.post_data or "")
        ):
            self._answered.add(asked)
            if asked in self._routes:
                self._routes.pop(asked).fallback()


@pytest.mark.parametrize("order", [("load", "refresh"), ("refresh", "load")], ids=["in order", "the older one last"])
def test_what_is_changed_while_the_app_is_being_asked_stays(
    stage: Stage, window: Window, order: tuple[str, str]
) -> None:
    key = flows.make(stage.session.workflows, "Orders", flows.code("echo"), publish=False)
    page = window(stage.users.owner, expected=("net::ERR_FAILED", "htmx:sendError"))
    held = Held(page)
    page.route("**/do/step-app/**", held.hold)
    page.goto(f"/w/sales/flows/{key}/choose/")
    page.locator("#apps a", has=page.get_by_text("Webhook", exact=True)).click()
    load, refresh = "load:p-fields", "refresh:p-responseType"
    with held.leaves(load):
        page.locator("#action a", has=page.get_by_text("Return Response", exact=True)).click()
    kind = page.get_by_role("combobox", name="Response type")
    with held.leaves(refresh):
        kind.select_option(label="Raw")
    for first_or_last in order:
        held.answer({"load": load, "refresh": refresh}[first_or_last])
    body = page.locator("[name='p-fields.body']")
    expect(page.locator("[name=schema-p-fields]")).to_have_value(re.compile("LONG_TEXT"))
    expect(kind).to_have_value('"raw"')

    with held.leaves(refresh):
        kind.select_option(label="Redirect")
    body.press_sequentially("https://a.example")
    held.answer(refresh)
    expect(page.locator("[name=schema-p-fields]")).to_have_value(re.compile("Address"))
    expect(body).to_have_value("https://a.example")
    expect(body).to_be_focused()
    page.keyboard.type("/done")
    expect(body).to_have_value("https://a.example/done")
    kind.select_option(label="Json")
    expect(page.get_by_role("textbox", name=re.compile("^Body, "))).to_be_visible()

    again = page.get_by_role("button", name="Load again Response")
    with page.expect_event("requestfinished"):
        again.press("Enter")
    expect(again).to_be_enabled()
    expect(again).to_be_focused()

    # What went wrong is said at the top of the page, and shown to somebody at the end of the form.
    page.unroute("**/do/step-app/**")
    page.route("**/do/step-app/**", lambda route: route.abort())
    page.get_by_role("button", name="Add the step").click()
    expect(page.locator("#alerts")).to_contain_text("The console does not answer")
    expect(page.locator("#alerts")).to_be_in_viewport(ratio=1)
