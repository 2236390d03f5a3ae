"""Flows brought in from files, in a real browser: the file of each version, on each version, with what is asked before and said after."""

import json
from typing import Any

import pytest
from playwright.sync_api import FilePayload, Page, expect

from tests.browser.looks import sound_in_every_look
from tests.browser.windows import Window
from tests.flow_editing.test_flow_imports import code, exported_flow, new, newest, old, piece, webhook
from tests.stage import Stage, stage

__all__ = ["stage"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LIST = "/w/sales/flows/"


def file(stage: Stage, content: Any) -> FilePayload:
    """A file whose webhooks are of the version that the engine has."""
    text = json.dumps(content).replace('"0.1.24"', f'"{newest(stage, "webhook")}"')
    return {"name": "flow.json", "mimeType": "application/json", "buffer": text.encode()}


def choose(page: Page, stage: Stage, content: Any) -> None:
    page.goto(LIST)
    page.get_by_role("link", name="Import from a file").first.click()
    expect(page.get_by_text("After the import the engine checks each step")).to_be_visible()
    page.get_by_label("File").set_input_files(file(stage, content))
    page.get_by_role("button", name="Import", exact=True).click()


def bring(page: Page, stage: Stage, content: Any) -> None:
    choose(page, stage, content)
    expect(page.locator("#action").get_by_text("These are the contents of the file.")).to_be_visible()
    page.get_by_role("button", name="Import", exact=True).click()


@pytest.mark.parametrize("made_by", [pytest.param("0.72.4", marks=pytest.mark.slow), "0.83.0"])
def test_a_file_of_each_version_becomes_a_flow_on_each_version(stage: Stage, window: Window, made_by: str) -> None:
    tree = webhook(code(), dated=made_by == "0.83.0")
    page = window(stage.users.owner)
    bring(page, stage, old(tree, "Brought in") if made_by == "0.72.4" else new(exported_flow(tree, "Brought in")))
    expect(page.get_by_role("heading", name="Brought in", level=1)).to_be_visible()
    expect(page.get_by_text("The flow “Brought in” was imported.")).to_be_visible()
    with page.expect_download() as download:
        page.locator(".page-actions summary").click()
        page.locator(".page-actions").get_by_role("link", name="Export as a file").click()
    bring(page, stage, json.loads(download.value.path().read_text(encoding="utf-8")))
    expect(page.get_by_role("heading", name="Brought in", level=1)).to_be_visible()


@pytest.mark.parametrize("javascript", [True, pytest.param(False, marks=pytest.mark.slow)], ids=["javascript", "plain"])
@pytest.mark.parametrize("stage", ["activepieces"], indirect=True)
def test_a_flow_of_elsewhere_is_matched_with_this_workspace(stage: Stage, window: Window, *, javascript: bool) -> None:
    mail = {"auth": "{{connections['elsewhere']}}", "subject": "Order", "body_type": "plain_text", "body": "Thanks"}
    tree = webhook(
        piece("gmail", "send_email", mail | {"receiver": ["a@example.com"], "draft": False}, "0.0.1"),
        piece("oracle", "ask", step="step_2"),
    )
    content = new(exported_flow(tree, "Orders"), exported_flow(webhook(), "Nothing yet"))
    page = window(stage.users.owner, java_script_enabled=javascript)
    if javascript:
        choose(page, stage, content)
    else:
        page.goto(f"{LIST}do/import/")
        page.get_by_label("File").set_input_files(file(stage, content))
        page.get_by_role("button", name="Import", exact=True).click()
    expect(page.locator("#action").get_by_text("There are 2 flows in this file.")).to_be_visible()
    expect(page.get_by_text(f"{newest(stage, 'gmail')} instead of 0.0.1")).to_be_visible()
    expect(page.get_by_text("Not installed")).to_be_visible()
    if javascript:
        sound_in_every_look(page)
    page.get_by_label("Nothing yet (0 steps)").uncheck()
    page.get_by_label("Connection “elsewhere” of Gmail").select_option("gmail-sales")
    with page.expect_response("**/flows/do/import/"):
        page.get_by_role("button", name="Refresh the choices").click()
    expect(page.get_by_label("Connection “elsewhere” of Gmail")).to_have_value("gmail-sales")
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_role("heading", name="Orders", level=1)).to_be_visible()
    expect(page.get_by_text("1 step has to be completed")).to_be_visible()
    if javascript:
        sound_in_every_look(page)
    page.get_by_role("link", name="Do ask").first.click()
    expect(page.get_by_role("heading", name="Do ask")).to_be_visible()


@pytest.mark.parametrize("stage", ["activepieces"], indirect=True)
def test_a_bad_file_is_shown_at_the_field(stage: Stage, window: Window) -> None:
    page = window(stage.users.owner, expected=("status of 422",))
    choose(page, stage, old(webhook(code(), code()), "Twice"))
    expect(page.get_by_text("have the same name, “step_1”")).to_be_visible()
    sound_in_every_look(page)
    page.get_by_label("File").set_input_files(file(stage, old(webhook(code()), "Once")))
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.locator("#action").get_by_text("These are the contents of the file.")).to_be_visible()
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_role("heading", name="Once", level=1)).to_be_visible()
