"""The one MCP server of a project on 0.83: its tools are switched on and off, and nobody makes, names or deletes it."""

import re
from typing import Any

import pytest
from django.test import Client

from tests.connection_scene import Scene, hidden
from tests.engine.servers import Reply
from tests.practice_engine.fixtures import Practice, practice
from tests.stub_engine import StubEngine, flow, identity, text
from workflows_ui.audit.models import AuditEvent
from workflows_ui.credentials.models import Capability
from workflows_ui.engine.generations import generations
from workflows_ui.members.models import Flavour, Role

__all__ = ["practice"]
LIST = "/w/sales/mcp-servers/"
ONE = f"{LIST}{identity(1)}/"
REASON = "Setting up the assistant on the sales laptop"
ON = {"ap_create_flow", "ap_test_flow", "ap_retry_run"}


@pytest.fixture
def scene(practice: Practice, db: None) -> Scene:
    """The owner at a browser, in a workspace on an Activepieces of today."""
    practice.engine.settings.version = "0.83.0"
    return Scene(practice, Flavour.ACTIVEPIECES)


def row(scene: Scene) -> dict[str, Any]:
    """The engine's own row."""
    found: dict[str, Any] = scene.practice.engine.state.mcp_own_servers[scene.practice.credentials.project_id]
    return found


def url(scene: Scene, action: str = "") -> str:
    key = row(scene)["id"]
    return f"{LIST}do/{action}/{key}/" if action else f"{LIST}{key}/"


def switches(page: str) -> dict[str, bool]:
    """The switches on a page by the names of their tools, and whether they are on."""
    found = re.findall(r'<input[^>]*name="tools" value="([^"]+)"([^>]*)>', page)
    return {name: "checked" in rest for name, rest in found}


def test_the_list_is_the_one_server_and_says_why_there_is_no_other(scene: Scene) -> None:
    page = scene.page(LIST)
    assert "MCP server of the project" in page
    assert "This engine has one MCP server per project." in page
    assert "This engine has no MCP servers beside the one of the project." in page
    assert f'href="{LIST}do/new/"' not in page
    assert "Trợ lý bán hàng" not in page, "of the routes that are gone"
    for action in ("rename", "delete"):
        assert f"/do/{action}/" not in page
    assert "many/delete" not in page
    assert "MCP server of the project" in scene.page(f"{LIST}?name=MCP")
    assert url(scene) not in scene.page(f"{LIST}?name=nothing")


def test_the_page_lists_the_tools_as_switches_in_words(scene: Scene) -> None:
    page = scene.page(url(scene))
    found = switches(page)
    assert {name for name, on in found.items() if on} == ON
    assert len(found) == 25
    for words in ("Publish a flow", "Delete records", "Run an action of an app", "Building flows"):
        assert words in page
    for action in ("rename", "delete", "add-flow", "remove-tool"):
        assert f'href="{url(scene, action)}' not in page
        assert scene.browser.get(url(scene, action)).status_code == 409
        assert scene.browser.post(url(scene, action), {"name": "x"}).status_code == 409
    assert f"{url(scene)}apps/" not in page


def test_tools_are_switched_once_and_written_down(scene: Scene) -> None:
    before = {"ap_create_flow", "ap_delete_records"}
    answer = scene.browser.post(url(scene, "switch-tools"), {"tools": sorted(before)})
    assert answer.headers["Location"] == url(scene)
    assert set(row(scene)["enabledTools"]) == before
    page = scene.page(url(scene))
    assert "The tools are saved." in page
    assert {name for name, on in switches(page).items() if on} == before
    begun, done = AuditEvent.objects.filter(action="mcp-servers.switch-tools").order_by("pk")
    assert (begun.outcome, done.outcome) == ("begun", "done")
    assert "ap_delete_records" in repr(begun.detail)
    assert row(scene)["token"] not in repr(list(AuditEvent.objects.values()))


def test_all_tools_can_be_off(scene: Scene) -> None:
    assert scene.browser.post(url(scene, "switch-tools"), {"sure": "yes"}).status_code == 303
    assert row(scene)["enabledTools"] == []
    page = scene.page(LIST)
    assert "No tools" in page


def test_a_tool_that_is_not_known_here_stays_on_unless_it_is_switched_off(scene: Scene) -> None:
    row(scene)["enabledTools"] = ["ap_list_flows", "brew_coffee"]
    page = scene.page(url(scene))
    assert "List flows" in page
    assert "Brew coffee" in page
    scene.browser.post(url(scene, "switch-tools"), {"tools": ["brew_coffee", "ap_test_flow"]})
    assert set(row(scene)["enabledTools"]) == {"brew_coffee", "ap_test_flow"}
    made_up = scene.browser.post(url(scene, "switch-tools"), {"tools": ["rm_everything"]})
    assert made_up.status_code == 422
    assert set(row(scene)["enabledTools"]) == {"brew_coffee", "ap_test_flow"}


def test_the_form_on_its_own_page_holds_what_is_on(scene: Scene) -> None:
    found = switches(scene.page(url(scene, "switch-tools")))
    assert {name for name, on in found.items() if on} == ON


@pytest.mark.parametrize("role", [Role.VIEWER, Role.LAUNCHER])
def test_who_builds_nothing_sees_the_switches_and_cannot_move_them(scene: Scene, role: Role) -> None:
    browser = scene.sign_in("colleague", role)
    page = text(browser.get(url(scene)).content)
    assert len(switches(page)) == 25
    assert page.count(" disabled>") == 25
    assert "Save the tools" not in page
    assert browser.post(url(scene, "switch-tools"), {"tools": ["ap_test_flow"]}).status_code == 403
    assert set(row(scene)["enabledTools"]) == ON


def test_the_address_is_the_engines_own_and_holds_no_token(scene: Scene) -> None:
    page = scene.page(f"{url(scene)}?tab=clients")
    assert f"{scene.practice.url}/mcp" in page
    assert "/v1/mcp/" not in page
    assert "YOUR_TOKEN" not in page
    assert row(scene)["token"] not in page


def test_replacing_the_token_says_who_stops_and_does_it_once(scene: Scene) -> None:
    old = row(scene)["token"]
    page = scene.page(url(scene, "rotate-token"))
    assert "current token of “MCP server of the project” stops working immediately" in page
    assert "Clients lose 3 tools:" in page
    assert scene.fill(url(scene, "rotate-token")).status_code == 303
    new = row(scene)["token"]
    assert new != old
    after = scene.page(url(scene))
    assert old not in after
    assert new not in after


def test_the_token_is_shown_where_tokens_are_shown_and_nowhere_else(scene: Scene) -> None:
    token, address = row(scene)["token"], f"{url(scene)}token/"
    for place in (LIST, url(scene), address):
        assert token not in scene.page(place)
    answer = text(scene.browser.post(address, {"reason": REASON}).content)
    assert f">{token}</pre>" in answer
    assert f"{scene.practice.url}/mcp" not in answer, "the token is no part of the address"
    assert AuditEvent.objects.filter(action="mcp.reveal", reason=REASON).exists()
    assert token not in repr(list(AuditEvent.objects.values()))


def test_the_server_of_another_project_is_not_there(scene: Scene) -> None:
    other = f"{LIST}{'o' * 21}/"
    assert scene.browser.get(other).status_code == 404
    assert scene.browser.post(f"{LIST}do/rotate-token/{'o' * 21}/").status_code == 404
    assert scene.browser.post(f"{LIST}do/switch-tools/{'o' * 21}/", {"tools": "ap_test_flow"}).status_code == 404
    assert set(row(scene)["enabledTools"]) == ON


def test_making_one_more_is_refused_in_words_and_remembered(scene: Scene) -> None:
    answer = scene.browser.post(f"{LIST}do/new/", {"name": "Mine"})
    assert answer.status_code == 422
    assert "Checking whether it was done" in text(answer.content)
    assert Capability.objects.filter(name="mcp-server-making").exists()
    again = scene.browser.get(f"{LIST}do/new/")
    assert again.status_code == 409
    assert "This engine has no MCP servers beside the one of the project." in text(again.content)


def test_an_action_of_an_app_is_no_tool_here_and_its_page_says_why(scene: Scene) -> None:
    page = scene.page("/w/sales/pieces/@activepieces/piece-gmail/")
    assert "takes no single actions as tools" in page
    form = scene.page("/w/sales/pieces/do/mcp-tool/@activepieces/piece-gmail/")
    assert "takes no single actions as tools" in form
    assert row(scene)["id"] not in form
    away = scene.browser.get(f"{url(scene)}apps/")
    assert away.headers["Location"] == url(scene)


def sole(**changes: Any) -> dict[str, Any]:
    """The server with the keys of recording `mcp_project_get`."""
    made = {"created": "2026-11-26T20:33:30.878Z", "updated": "2026-11-26T20:33:30.878Z"}
    whole = {"id": identity(1), **made, "platformId": None, "projectId": "P" * 21, "type": "PROJECT"}
    return whole | {"token": "x" * 72, "enabledTools": ["ap_build_flow"], "flows": []} | changes


def put(stub_engine: StubEngine, server: dict[str, Any]) -> None:
    stub_engine.faults["/mcp-server"] = Reply(200, server)
    generations.forget(f"{stub_engine.url}/api")


def test_its_flows_lead_to_their_pages_and_say_when_they_are_off(owner: Client, stub_engine: StubEngine) -> None:
    put(stub_engine, sole(flows=[flow(2, "Answer a customer"), flow(3, "Look up an order", status="DISABLED")]))
    page = text(owner.get(ONE).content)
    assert f'href="/w/sales/flows/{identity(2)}/"' in page
    assert "Answer a customer" in page
    assert page.count("The flow is off: the tool fails until it is turned on.") == 1


@pytest.mark.parametrize(
    "odd",
    [
        {"enabledTools": None},
        {"enabledTools": {}},
        {"enabledTools": [None, 7, "", " ", {}, "a" * 10_000, "<b>x</b>", "ap_", "ap_build_flow", "ap_build_flow"]},
        {"flows": None},
        {"flows": [None, 7, {}, {"id": 7, "version": None}, {"id": "../..", "version": {"displayName": "x" * 10_000}}]},
        {"token": None},
        {"token": {"a": 1}},
        {"created": "", "updated": None},
    ],
)
@pytest.mark.sampled(3)
def test_odd_answers_break_no_page(owner: Client, stub_engine: StubEngine, odd: dict[str, Any]) -> None:
    put(stub_engine, sole(**odd))
    for address in (LIST, ONE, f"{ONE}token/", f"{LIST}do/switch-tools/{identity(1)}/"):
        response = owner.get(address)
        assert response.status_code == 200, address
        assert "x" * 72 not in text(response.content)
        assert "<b>x</b>" not in text(response.content)
    assert hidden(owner.get(f"{LIST}do/rotate-token/{identity(1)}/"))


def test_a_token_that_stands_elsewhere_in_the_answer_is_masked_too(owner: Client, stub_engine: StubEngine) -> None:
    token = "x" * 72
    put(stub_engine, sole(note=f"use {token} here", flows=[flow(2, f"Flow {token}")]))
    assert token not in text(owner.get(ONE).content)
