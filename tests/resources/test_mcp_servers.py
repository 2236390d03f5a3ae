"""MCP servers: their tools by name, what clients paste, and the token, which is shown in one place only and never silently."""

import html
import json
import re
from typing import Any

import pytest
from django.test import Client

from tests.connection_scene import Scene, hidden, scene
from tests.engine.servers import Reply
from tests.practice_engine.fixtures import Practice, practice
from tests.resources.samples.mcp_servers import flow_tool, piece_tool, server
from tests.stub_engine import StubEngine, flow, identity, text
from workflows_ui.audit.models import AuditEvent
from workflows_ui.members.models import Flavour

__all__ = ["practice", "scene"]
LIST = "/w/sales/mcp-servers/"
ONE = f"{LIST}{identity(1)}/"
REASON = "Setting up the assistant on the sales laptop"


@pytest.fixture(autouse=True)
def _several_servers(practice: Practice) -> None:
    """These are about engines with several servers; the one of a project has its own tests."""
    practice.engine.settings.version = "0.72.4"


def row(scene: Scene, name: str = "Trợ lý bán hàng") -> dict[str, Any]:
    """The engine's own server of this name."""
    return next(one for one in scene.practice.engine.state.mcp_servers.values() if one["name"] == name)


def page_of(scene: Scene, action: str = "", name: str = "Trợ lý bán hàng") -> str:
    key = row(scene, name)["id"]
    return f"{LIST}do/{action}/{key}/" if action else f"{LIST}{key}/"


def token_of(scene: Scene, name: str = "Trợ lý bán hàng") -> str:
    return str(row(scene, name)["token"])


def test_the_list_names_the_tools_and_finds_by_name(scene: Scene) -> None:
    page = scene.page(LIST)
    assert all(name in page for name in ("Trợ lý bán hàng", "Send Email", "Reporting", "No tools"))
    assert "Điều vận" not in page, "of another project"
    assert "Reporting" not in scene.page(f"{LIST}?name=Tr%E1%BB%A3")


def test_the_page_says_what_each_tool_is_and_leads_to_it(scene: Scene) -> None:
    page = scene.page(f"{page_of(scene)}?late=1")
    flow_id = scene.practice.sample("quick").id
    assert f'href="/w/sales/flows/{flow_id}/"' in page
    assert 'href="/w/sales/pieces/@activepieces/piece-gmail/"' in page
    assert "Action of Gmail" in page
    connection = scene.connection_id("gmail-sales")
    assert f'<a href="/w/sales/connections/{connection}/">Gmail phòng kinh doanh</a>' in page


@pytest.mark.slow
def test_a_server_is_made_named_given_tools_and_deleted(scene: Scene) -> None:
    answer = scene.fill(f"{LIST}do/new/", name="Văn phòng")
    made = row(scene, "Văn phòng")
    assert answer["Location"] == f"{LIST}{made['id']}/"
    flow_id = scene.practice.sample("quick").id
    page = scene.page(page_of(scene, "add-flow", "Văn phòng"))
    assert f'<option value="{flow_id}">' in page
    assert scene.practice.sample("draft").id not in page, "never published"
    assert scene.fill(page_of(scene, "add-flow", "Văn phòng"), flow=flow_id).status_code == 303
    again = scene.browser.post(page_of(scene, "add-flow", "Văn phòng"), {"flow": flow_id})
    assert again.status_code == 422
    chooser = scene.page(f"{LIST}{made['id']}/apps/?search=slack")
    address = re.search(r'href="(/w/sales/pieces/do/mcp-tool/[^"]*slack[^"]*)"', chooser)
    assert address is not None
    where = html.unescape(address[1])
    form = scene.page(where)
    assert f'<option value="{made["id"]}" selected>' in form
    action = re.search(r'name="action".*?<option value="(\w+)">', form)
    assert action is not None
    typed = {"server": made["id"], "action": action[1], "connection": "slack-team"}
    assert scene.fill(where, **typed)["Location"] == f"{LIST}{made['id']}/"
    assert [tool["type"] for tool in made["tools"]] == ["FLOW", "PIECE"]
    assert made["tools"][1]["pieceMetadata"]["connectionExternalId"] == "slack-team"
    assert scene.fill(where, **typed).status_code == 422, "it is a tool already"
    gone = page_of(scene, "delete", "Văn phòng")
    asked = scene.page(gone)
    assert "Clients lose 2 tools:" in asked
    assert scene.practice.sample("quick").name in asked
    assert scene.fill(gone)["Location"] == LIST
    assert made["id"] not in scene.practice.engine.state.mcp_servers


@pytest.mark.slow
def test_names_of_tools_do_not_grow_when_others_come_and_go(scene: Scene) -> None:
    before = [tool["toolName"][:-5] for tool in row(scene)["tools"]]
    for _turn in range(3):
        flow_id = next(
            one["id"]
            for one in scene.practice.engine.state.flows.values()
            if one["publishedVersionId"]
            and one["projectId"] == row(scene)["projectId"]
            and one["id"] not in {tool.get("flowId") for tool in row(scene)["tools"]}
        )
        assert scene.fill(page_of(scene, "add-flow"), flow=flow_id).status_code == 303
        tool = next(tool for tool in row(scene)["tools"] if tool.get("flowId") == flow_id)
        address = f"{page_of(scene, 'remove-tool')}?tool={tool['id']}"
        assert f'<option value="{tool["id"]}" selected>' in scene.page(address)
        assert scene.fill(address, tool=tool["id"]).status_code == 303
    assert [tool["toolName"][:-5] for tool in row(scene)["tools"]] == before


def test_a_tool_that_is_gone_meanwhile_is_said_to_be(scene: Scene) -> None:
    address = page_of(scene, "remove-tool")
    fields = hidden(scene.browser.get(address))
    tool = row(scene)["tools"][0]["id"]
    row(scene)["tools"][0]["id"] = "Z" * 21
    answer = scene.browser.post(address, fields | {"tool": tool})
    assert answer.status_code == 422
    assert scene.called("POST", f"/v1/mcp-servers/{row(scene)['id']}") == 0


def test_replacing_the_token_says_who_stops_and_does_it_once(scene: Scene) -> None:
    old, address = token_of(scene), page_of(scene, "rotate-token")
    page = scene.page(address)
    assert "current token of “Trợ lý bán hàng” stops working immediately" in page
    assert "Clients lose 2 tools:" in page
    assert scene.fill(address).status_code == 303
    new = token_of(scene)
    assert new != old
    after = scene.page(page_of(scene))
    assert "The old token no longer works." in after
    assert old not in after
    assert new not in after


def test_what_is_pasted_fits_the_engine_and_holds_a_placeholder(scene: Scene) -> None:
    page = scene.page(f"{page_of(scene)}?tab=clients")
    gateway = scene.users.workspace.flavour == Flavour.IMBRACE
    base = f"{scene.practice.gateway}/activepieces" if gateway else scene.practice.activepieces
    assert f"{base}/v1/mcp/YOUR_TOKEN/sse" in page
    configured = re.search(r'<pre id="mcp-desktop-text"[^>]*>(.*?)</pre>', page)
    assert configured is not None
    (found,) = json.loads(configured[1])["mcpServers"].values()
    assert found["command"] == "npx"
    assert ("x-api-key:YOUR_API_KEY" in found["args"]) is gateway


def test_a_server_of_another_project_is_not_there_and_not_touched(scene: Scene) -> None:
    other = row(scene, "Điều vận")
    before = dict(other)
    for address in (page_of(scene, "", "Điều vận"), f"{page_of(scene, '', 'Điều vận')}token/"):
        assert scene.browser.get(address).status_code == 404
    for name in ("rename", "rotate-token", "delete"):
        address = page_of(scene, name, "Điều vận")
        assert scene.browser.post(address, {"name": "x"}).status_code == 404
    assert scene.browser.post(f"{page_of(scene, '', 'Điều vận')}token/", {"reason": REASON}).status_code == 404
    assert other == before
    assert not AuditEvent.objects.exists()


def test_an_engine_that_gives_others_servers_is_not_believed(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.faults[f"/mcp-servers/{identity(1)}"] = Reply(200, server(projectId="O" * 21))
    assert owner.get(ONE).status_code == 404
    assert owner.post(f"{LIST}do/rotate-token/{identity(1)}/").status_code == 404
    assert owner.post(f"{ONE}token/", {"reason": REASON}).status_code == 404
    assert {seen.method for seen in stub_engine.seen} == {"GET"}


ODD_TOOLS: list[Any] = [
    None,
    "x",
    5,
    {},
    [None, 5, "x", []],
    [{}, {"type": "FLOW"}, {"type": "PIECE"}, {"type": {}, "id": {}, "toolName": []}],
    [{"type": "FLOW", "flowId": 5, "flow": {"version": {"displayName": ""}}}],
    [{"type": "PIECE", "pieceMetadata": "x"}, {"type": "PIECE", "pieceMetadata": {"pieceName": 5}}],
    [{"type": "NEW_KIND", "id": identity(4), "toolName": "x" * 10_000}],
    [flow_tool(name="<script>alert(1)</script>"), piece_tool(actionDisplayName="<script>alert(1)</script>")],
    [flow_tool(number, f"Tool {number}") for number in range(10, 400)],
]


@pytest.mark.parametrize("tools", ODD_TOOLS, ids=range(len(ODD_TOOLS)))
@pytest.mark.sampled(4)
def test_odd_tools_break_nothing(owner: Client, stub_engine: StubEngine, tools: Any) -> None:
    stub_engine.rows["/mcp-servers"] = [server(tools=tools)]
    stub_engine.rows["/pieces"], stub_engine.rows["/app-connections"] = [], []
    stub_engine.arrays.add("/pieces")
    stub_engine.flows = [flow()]
    stub_engine.faults[f"/mcp-servers/{identity(1)}"] = Reply(200, server(tools=tools))
    for address in (LIST, ONE, *(f"{LIST}do/{name}/{identity(1)}/" for name in ("delete", "add-flow"))):
        answer = owner.get(address)
        assert answer.status_code == 200
        assert b"<script>alert" not in answer.content


def test_a_kind_of_tool_that_nobody_knows_is_sent_back_as_it_is(owner: Client, stub_engine: StubEngine) -> None:
    new = {"type": "NEW_KIND", "id": identity(4), "toolName": f"new_{identity(4)[:4]}", "agentId": "A", "mcpId": "M"}
    stub_engine.faults[f"/mcp-servers/{identity(1)}"] = Reply(200, server(tools=[new, flow_tool(), piece_tool()]))
    address = f"{LIST}do/remove-tool/{identity(1)}/"
    assert owner.post(address, hidden(owner.get(address)) | {"tool": identity(5)}).status_code == 303
    (sent,) = [json.loads(seen.body) for seen in stub_engine.seen if seen.method == "POST"]
    assert sent == {
        "tools": [
            {"type": "NEW_KIND", "toolName": "new", "agentId": "A"},
            {"type": "PIECE", "toolName": "send_email", "pieceMetadata": piece_tool()["pieceMetadata"]},
        ]
    }


def test_flows_made_to_be_tools_are_offered_first(owner: Client, stub_engine: StubEngine) -> None:
    mcp = flow(3, "Made for it")
    mcp["version"]["trigger"]["settings"]["pieceName"] = "@activepieces/piece-mcp"
    stub_engine.flows = [flow(2, "Another"), mcp, flow(4, "Unpublished", publishedVersionId=None)]
    stub_engine.faults[f"/mcp-servers/{identity(1)}"] = Reply(200, server())
    page = text(owner.get(f"{LIST}do/add-flow/{identity(1)}/").content)
    assert page.index("Made for it") < page.index("Other published flows") < page.index("Another")
    assert "Unpublished" not in page
