"""MCP servers in a real browser: one is made, gets tools, its token is shown and replaced, it is found and deleted; sound in every look."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.looks import sound_in_every_look
from tests.browser.windows import Window
from tests.connection_scene import Scene
from tests.engine.servers import Reply
from tests.practice_engine.fixtures import Practice, practice
from tests.resources.samples.mcp_servers import flow_tool, piece_tool, server as ugly
from tests.stub_engine import StubEngine, flow, identity
from tests.users import Users
from workflows_ui.audit.models import AuditEvent

__all__ = ["practice"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LIST = "/w/sales/mcp-servers/"


@pytest.fixture
def newer(practice: Practice) -> Practice:
    """The practice engine as an Activepieces of today, which has one server for each project."""
    practice.engine.settings.version = "0.83.0"
    return practice


def server(scene: Scene, name: str) -> dict[str, str]:
    return next(one for one in scene.practice.engine.state.mcp_servers.values() if one["name"] == name)


def more(page: Page, name: str) -> None:
    """Opens the fold of the page's buttons and follows one."""
    page.locator(".page-actions summary").click()
    page.locator(".page-actions").get_by_role("link", name=name).click()
    expect(page.locator("h1")).to_contain_text(name)


@pytest.mark.slow
def test_servers_with_and_without_tools_are_sound_in_every_look(window: Window, practice: Practice) -> None:
    scene = Scene(practice, "imbrace")
    page = window(scene.users.owner)
    key = server(scene, "Trợ lý bán hàng")["id"]
    bare = server(scene, "Reporting")["id"]
    for address in (LIST, f"{LIST}?name=nothing", f"{LIST}{key}/", f"{LIST}{bare}/", f"{LIST}{key}/apps/"):
        page.goto(address)
        sound_in_every_look(page)
    page.goto(f"{LIST}{key}/token/")
    page.get_by_label("What do you need the token for?").fill("Setting up the sales laptop")
    page.get_by_role("button", name="Show the token").click()
    expect(page.locator("#mcp-token-text")).to_be_visible()
    sound_in_every_look(page)


@pytest.mark.slow
def test_ugly_data_is_sound_too(window: Window, users: Users, stub_engine: StubEngine) -> None:
    long, right_to_left = "<b>" + "x" * 10_000, "خادم الأدوات للمبيعات والدعم الفني"
    tools = [flow_tool(5, long, toolName=long), piece_tool(6, actionDisplayName=long, connectionExternalId=long)]
    tools += [{"type": "<new kind>" * 40, "id": identity(7), "toolName": right_to_left}, flow_tool(8, right_to_left)]
    rows = [ugly(long, tools=tools), ugly(right_to_left, 2, tools=[]), {}, {"id": 7, "name": 5, "tools": "x"}]
    stub_engine.rows["/mcp-servers"] = rows
    stub_engine.rows["/pieces"], stub_engine.rows["/app-connections"], stub_engine.flows = [], [], [flow()]
    stub_engine.arrays.add("/pieces")
    for row in rows[:2]:
        stub_engine.faults[f"/mcp-servers/{row['id']}"] = Reply(200, row)
    page = window(users.owner)
    one = identity(1)
    addresses = [LIST, f"{LIST}{one}/", f"{LIST}{identity(2)}/", f"{LIST}{one}/token/", f"{LIST}{one}/apps/"]
    addresses += [f"{LIST}do/{name}/{one}/" for name in ("remove-tool", "rotate-token", "delete", "add-flow")]
    for address in addresses:
        page.goto(address)
        sound_in_every_look(page)


def test_a_server_is_made_gets_tools_and_is_deleted(window: Window, practice: Practice) -> None:
    practice.engine.settings.version = "0.72.4"
    scene = Scene(practice, "activepieces")
    page = window(scene.users.owner)
    page.goto(LIST)
    page.get_by_role("link", name="New MCP server").first.click()
    expect(page.locator("h1")).to_contain_text("New MCP server")
    page.get_by_label("Name").fill("Office assistant")
    page.get_by_role("button", name="Create the server").click()
    expect(page.get_by_text("Choose its tools now.")).to_be_visible()
    tools = page.get_by_role("region", name="Tools")
    tools.get_by_role("link", name="Add a flow").click()
    page.get_by_label("Flow", exact=False).select_option(practice.sample("quick").id)
    page.get_by_role("button", name="Add the tool").click()
    expect(tools.get_by_role("link", name=practice.sample("quick").name, exact=True)).to_be_visible()
    tools.get_by_role("link", name="Add an action of an app").click()
    expect(page.locator("#apps")).to_be_visible()
    page.get_by_role("searchbox").press_sequentially("gmail")
    expect(page.locator("#apps a")).to_have_count(1)
    page.locator("#apps a").click()
    page.get_by_label("What the tool does").select_option("send_email")
    page.get_by_label("Connection it acts with").select_option("gmail-sales")
    page.get_by_role("button", name="Add the tool").click()
    expect(page.get_by_role("heading", name="Office assistant", level=1)).to_be_visible()
    expect(tools.get_by_role("link", name="Gmail phòng kinh doanh")).to_be_visible()
    tools.get_by_role("link", name="Remove: Send Email").click()
    expect(page.get_by_role("link", name="Leave it as it is")).to_be_focused()
    page.get_by_role("button", name="Remove the tool").click()
    expect(tools.get_by_text("Send Email")).to_have_count(0)
    more(page, "Rename")
    page.get_by_label("Name").fill("Assistant of the office")
    page.get_by_role("button", name="Rename").click()
    expect(page.get_by_text("The server is renamed.")).to_be_visible()
    page.goto(f"{LIST}?name=of+the+office")
    page.get_by_role("link", name="Assistant of the office").click()
    expect(page.locator("h1")).to_have_text("Assistant of the office")
    more(page, "Delete")
    page.get_by_role("button", name="Delete the MCP server “Assistant of the office”").click()
    expect(page.get_by_text("The MCP server is deleted.")).to_be_visible()
    names = {one["name"] for one in practice.engine.state.mcp_servers.values()}
    assert "Assistant of the office" not in names


def test_the_token_is_shown_for_a_reason_copied_replaced_and_gone_from_the_browser(
    window: Window, practice: Practice
) -> None:
    practice.engine.settings.version = "0.72.4"
    scene = Scene(practice, "activepieces")
    page = window(scene.users.owner, expected=("status of 422",), permissions=["clipboard-read", "clipboard-write"])
    old = server(scene, "Reporting")["token"]
    page.goto(f"{LIST}{server(scene, 'Reporting')['id']}/")
    page.get_by_role("link", name="Connect a client").click()
    page.locator("main p").get_by_role("link", name="Show the token").click()
    page.get_by_role("button", name="Show the token").click()
    expect(page.get_by_text("This field is required.")).to_be_visible()
    page.get_by_label("What do you need the token for?").fill("Setting up the sales laptop")
    page.get_by_role("button", name="Show the token").click()
    expect(page.locator("#mcp-token-text")).to_have_text(old)
    page.locator("#mcp-token-copy").click()
    expect(page.locator("#announcer")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == old
    page.get_by_role("link", name="I have copied it").click()
    expect(page.locator("h1")).to_have_text("Reporting")
    storage = page.evaluate("JSON.stringify([Object.entries(localStorage), Object.entries(sessionStorage)])")
    assert old not in storage
    page.go_back()
    expect(page.get_by_label("What do you need the token for?")).to_be_visible()
    assert old not in page.content()
    assert [event.reason for event in AuditEvent.objects.filter(action="mcp.reveal", begun=None)] == [
        "Setting up the sales laptop"
    ]
    page.goto(f"{LIST}{server(scene, 'Reporting')['id']}/")
    assert old not in page.content()
    more(page, "Replace the token")
    page.get_by_role("button", name="Replace the token of “Reporting”").click()
    expect(page.get_by_text("The old token no longer works.")).to_be_visible()
    assert server(scene, "Reporting")["token"] != old


def test_without_javascript_a_tool_is_added_all_the_same(window: Window, practice: Practice) -> None:
    practice.engine.settings.version = "0.72.4"
    scene = Scene(practice, "activepieces")
    page = window(scene.users.owner, java_script_enabled=False)
    page.goto(f"{LIST}{server(scene, 'Reporting')['id']}/apps/")
    page.get_by_role("searchbox").fill("slack")
    page.get_by_role("button", name="Show").click()
    page.locator("#apps a").first.click()
    page.get_by_label("What the tool does").select_option(index=1)
    page.get_by_role("button", name="Add the tool").click()
    expect(page.get_by_role("region", name="Tools").get_by_text("Action of Slack")).to_be_visible()


@pytest.mark.slow
def test_the_one_server_of_a_project_is_sound_in_every_look(window: Window, newer: Practice) -> None:
    scene = Scene(newer, "activepieces")
    key = newer.engine.state.mcp_own_servers[newer.credentials.project_id]["id"]
    page = window(scene.users.owner)
    addresses = [LIST, f"{LIST}{key}/", f"{LIST}{key}/token/"]
    addresses += [f"{LIST}do/{name}/{key}/" for name in ("switch-tools", "rotate-token")]
    addresses.append("/w/sales/pieces/do/mcp-tool/@activepieces/piece-gmail/")
    for address in addresses:
        page.goto(address)
        sound_in_every_look(page)


@pytest.mark.parametrize("javascript", [True, False], ids=["javascript", "plain"])
def test_tools_of_the_one_server_are_switched_and_its_token_replaced(
    window: Window, newer: Practice, *, javascript: bool
) -> None:
    scene = Scene(newer, "activepieces")
    row = newer.engine.state.mcp_own_servers[newer.credentials.project_id]
    old = row["token"]
    page = window(scene.users.owner, java_script_enabled=javascript)
    page.goto(LIST)
    page.get_by_role("link", name="MCP server of the project").click()
    tools = page.get_by_role("region", name="Tools", exact=True)
    expect(tools.get_by_label("Create a flow")).to_be_checked()
    tools.get_by_label("Create a flow").uncheck()
    tools.get_by_label("Publish a flow").check()
    tools.get_by_role("button", name="Save the tools").click()
    expect(page.get_by_text("The tools are saved.")).to_be_visible()
    expect(tools.get_by_label("Create a flow")).not_to_be_checked()
    assert set(row["enabledTools"]) == {"ap_lock_and_publish", "ap_test_flow", "ap_retry_run"}
    page.goto(f"{LIST}do/rotate-token/{row['id']}/")
    expect(page.get_by_text("Clients lose 3 tools:")).to_be_visible()
    page.get_by_role("button", name="Replace the token of “MCP server of the project”").click()
    expect(page.get_by_text("The old token no longer works.")).to_be_visible()
    assert row["token"] != old
