"""Every operation on a flow through its form in a real browser, on the engines of both generations; by keyboard, and on a phone."""

import json
import re
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, FilePayload, Page, expect

from tests import flows
from tests.browser.looks import PHONE
from tests.browser.running_console import Desk, Practice

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.xdist_group("desk"),
    pytest.mark.parametrize("version", ["0.72.4", "0.83.0"]),
]
FORM = re.compile(r"/do/")


class Editor:
    """A new flow in the practice engine with a webhook as trigger, and a person's window on its forms."""

    def __init__(self, page: Page, practice: Practice, space: str) -> None:
        self.page, self._space, self._practice = page, space, practice
        self.flow = self._call("POST", "/flows", {"displayName": "By form", "projectId": practice.project_id})["id"]
        installed = self._call("GET", "/pieces/@activepieces/piece-webhook")["version"]
        trigger: dict[str, Any] = json.loads(json.dumps(flows.WEBHOOK))
        trigger["settings"]["pieceVersion"] = installed
        self._call("POST", f"/flows/{self.flow}", {"type": "UPDATE_TRIGGER", "request": trigger})

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self._practice.token}"}
        url = f"{self._practice.engine}/v1{path}"
        answer = requests.request(method, url, json=body, headers=headers, timeout=10)
        assert answer.ok, answer.text
        return answer.json()

    @property
    def read(self) -> Any:
        """The flow as the engine has it."""
        return self._call("GET", f"/flows/{self.flow}")

    @property
    def version(self) -> Any:
        return self.read["version"]

    @property
    def exported(self) -> Any:
        """The engine's file of the flow."""
        return self._call("GET", f"/flows/{self.flow}/template")

    @property
    def folders(self) -> Any:
        return self._call("GET", f"/folders?projectId={self._practice.project_id}")["data"]

    @property
    def names(self) -> list[str]:
        """The steps in reading order."""
        return re.findall(r'"name": "(\w+)"', json.dumps(_ordered(self.version["trigger"])))

    def step(self, name: str) -> Any:
        return next(step for step in _steps(self.version["trigger"]) if step["name"] == name)

    def act(self, action: str, asked: str = "", **typed: str) -> None:
        """Opens the form of an action, types, and confirms what it asks."""
        page = self.page
        page.goto(f"{self._space}flows/do/{action}/{self.flow}/{asked}")
        for name, value in typed.items():
            field = page.locator(f"#action [name={name}]")
            if field.first.get_attribute("type") == "radio":
                page.locator(f"#action [name={name}][value={value}]").check()
            elif field.get_attribute("data-code"):
                page.locator("#action .code-editor textarea").first.focus()
                page.keyboard.press("Control+a")
                page.keyboard.insert_text(value)
            elif field.evaluate("field => field.tagName") == "SELECT":
                field.select_option(value)
            else:
                field.fill(value)
        page.locator("#action [type=submit]").last.click()
        # A question, if something would be lost, or the message that it is done.
        question = page.locator("#action form[data-unsaved] details.json")
        expect(question.or_(page.locator(".toast.show")).first).to_be_visible()
        if question.count():
            page.locator("#action [type=submit]").last.click()
        expect(page).not_to_have_url(FORM)

    def bring_in(self, exported: Any) -> None:
        """Replaces the draft by a file, once the form has shown what is in it."""
        page = self.page
        page.goto(f"{self._space}flows/do/import-here/{self.flow}/")
        file: FilePayload = {
            "name": "flow.json",
            "mimeType": "application/json",
            "buffer": json.dumps(exported).encode(),
        }
        page.get_by_label("File").set_input_files(file)
        page.get_by_role("button", name="Replace the draft").click()
        expect(page.locator("#action")).to_contain_text("has to be completed after the import")
        page.get_by_role("button", name="Replace the draft").click()
        expect(page).not_to_have_url(FORM)


def _steps(step: Any) -> list[Any]:
    inner = [step.get("firstLoopAction"), *(step.get("children") or []), step.get("nextAction")]
    return [step, *(found for one in inner if one for found in _steps(one))]


def _ordered(trigger: Any) -> list[dict[str, Any]]:
    return [{"name": step["name"]} for step in _steps(trigger)]


def test_every_operation_is_done_by_its_form(desk: Desk, browser: Browser, version: str) -> None:
    with desk.window(browser) as window, desk.practice.set(version=version):
        editor = Editor(window.page, desk.practice, window.space())
        act = editor.act
        act("step-rename", "?step=trigger", name="Start")
        assert editor.version["trigger"]["displayName"] == "Start"
        for number, (kind, place) in enumerate(
            [("CODE", "AFTER:trigger"), ("LOOP_ON_ITEMS", "AFTER:step_1"), ("ROUTER", "AFTER:step_2")], 1
        ):
            act("step-add", f"?place={place}", kind=kind, name=f"Step {number}")
        assert editor.names == ["trigger", "step_1", "step_2", "step_3"]
        act("step-items", "?step=step_2", items="{{trigger.body.lines}}")
        assert editor.step("step_2")["settings"]["items"] == "{{trigger.body.lines}}"
        act("step-duplicate", "?step=step_1")
        act("step-move", "?step=step_4", place="INSIDE_LOOP:step_2")
        assert editor.step("step_2")["firstLoopAction"]["displayName"] == "Step 1 Copy"
        act("step-skip", "?step=step_4", skip="yes")
        assert editor.step("step_4")["skip"] is True
        act("step-delete", "?step=step_4")
        assert editor.names == ["trigger", "step_1", "step_2", "step_3"]
        act("branch-add", "?step=step_3", name="Small")
        act("branch-duplicate", "?branch=step_3:1")
        act("branch-move", "?branch=step_3:1", position="1")
        act("branch-rename", "?branch=step_3:0", name="First")
        act("branch-delete", "?branch=step_3:2")
        names = [branch["branchName"] for branch in editor.step("step_3")["settings"]["branches"]]
        assert names == ["First", "Branch 1", "Otherwise"]
        assert len(editor.step("step_3")["children"]) == 3
        act("step-sample", "?step=step_1", payload='{"total": 5}')
        assert editor.step("step_1")["settings"]["sampleData"]["sampleDataFileId"]
        act("rename", name="Renamed")
        act("tag", tags="orders")
        assert (editor.version["displayName"], editor.read["metadata"]) == ("Renamed", {"tags": ["orders"]})
        folder = editor.folders[0]["id"]
        act("move", folder=folder)
        assert editor.read["folderId"] == folder
        act("move", folder="")
        assert editor.read["folderId"] is None
        exported = editor.exported
        act("step-delete", "?step=step_1")
        editor.bring_in(exported)
        assert editor.names == ["trigger", "step_1", "step_2", "step_3"]
        if version != "0.72.4":
            act("step-sample", "?step=step_1", payload='{"total": 5}')
            act("step-sample-clear", "?step=step_1")
            assert not editor.step("step_1")["settings"].get("sampleData")
            act("note-add", content="Ask first", color="blue")
            [note] = editor.version["notes"]
            act("note-change", f"?note={note['id']}", content="Ask later")
            assert editor.version["notes"][0]["content"] == "Ask later"
            act("note-delete", f"?note={note['id']}")
            act("minutes-saved", minutes="5")
            assert (editor.version["notes"], editor.read["timeSavedPerRun"]) == ([], 5)
            owner = editor.read["ownerId"]
            act("owner")
            assert editor.read["ownerId"] != owner
        act("lock")
        assert editor.version["state"] == "LOCKED"
        locked = editor.version["id"]
        act("step-delete", "?step=step_1")
        act("edit-undo")
        assert editor.names == ["trigger", "step_1", "step_2", "step_3"]
        act("step-delete", "?step=step_1")
        act("use-as-draft", version=locked)
        assert editor.names == ["trigger", "step_1", "step_2", "step_3"]
        act("publish")
        assert editor.read["status"] == "ENABLED"
        act("turn-off")
        assert editor.read["status"] == "DISABLED"


def test_a_step_is_renamed_by_keyboard_beside_the_diagram(desk: Desk, browser: Browser, version: str) -> None:
    with desk.window(browser) as window, desk.practice.set(version=version):
        page, editor = window.page, Editor(window.page, desk.practice, window.space())
        page.goto(f"{window.space()}flows/{editor.flow}/?tab=steps")
        page.locator(".diagram a").first.focus()
        page.keyboard.press("Enter")
        expect(page.locator("#panel-heading")).to_be_focused()
        expect(page).to_have_url(re.compile(r"/steps/trigger/$"))
        _rename_by_keyboard(page)
        page.keyboard.press("Escape")
        expect(page.locator("#panel-heading")).to_be_focused()
        page.keyboard.press("Escape")
        expect(page).to_have_url(re.compile(r"\?tab=steps$"))
        expect(page.locator(".diagram a[data-step=trigger]")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("#panel-heading")).to_be_focused()
        _rename_by_keyboard(page)
        field = page.get_by_label("New name")
        field.fill("By keyboard")
        field.press("Enter")
        expect(page.locator(".diagram a[aria-current]")).to_contain_text("By keyboard")
        assert editor.version["trigger"]["displayName"] == "By keyboard"


def _rename_by_keyboard(page: Page) -> None:
    """Open the form that renames the chosen step."""
    page.locator("#action .step-head summary").focus()
    page.keyboard.press("Enter")
    page.locator("#action").get_by_role("link", name="Rename the step").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#action form h2")).to_be_focused()


def test_a_step_is_renamed_on_a_phone_in_vietnamese(desk: Desk, browser: Browser, version: str) -> None:
    with desk.window(browser, viewport=PHONE, locale="vi-VN") as window, desk.practice.set(version=version):
        page, editor = window.page, Editor(window.page, desk.practice, window.space())
        page.goto(f"{window.space()}flows/{editor.flow}/?tab=steps")
        page.locator("#steps-list > summary").click()
        page.locator(".outline a[data-panel]").first.click()
        page.locator("#action .step-head summary").click()
        page.locator("#action").get_by_role("link", name="Đổi tên bước").click()
        page.get_by_label("Tên mới").fill("Khởi động")
        page.locator("#action [type=submit]").click()
        expect(page.locator("#panel-heading")).to_contain_text("Khởi động")
        window.sound()
        assert editor.version["trigger"]["displayName"] == "Khởi động"
