"""An MCP server, with the keys of recording `mcp_get`; its tools as api.md section 14 has them."""

from typing import Any

from tests.resources.samples import Sample
from tests.stub_engine import flow, identity

_MADE = "2026-11-24T22:41:44.967Z"
#: The token of every server in the stub engine.
TOKEN = "tDo7I6WbzElAJAe8e2bcG"


def server(name: str = "Ops MCP", number: int = 1, **changes: Any) -> dict[str, Any]:
    """A server without tools."""
    row = {"id": identity(number), "created": _MADE, "updated": _MADE, "name": name, "projectId": "P" * 21}
    return row | {"token": TOKEN, "externalId": identity(8), "tools": []} | changes


def flow_tool(number: int = 5, name: str = "Order intake", **changes: Any) -> dict[str, Any]:
    """A tool made from a flow."""
    row = {"type": "FLOW", "id": identity(number), "created": _MADE, "updated": _MADE, "externalId": identity(9)}
    row |= {"mcpId": identity(1), "toolName": f"order_intake_{identity(number)[:4]}", "flowId": identity(2)}
    return row | {"flow": flow(2, name)} | changes


def piece_tool(number: int = 6, **metadata: Any) -> dict[str, Any]:
    """A tool made from an action of an app."""
    row = {"type": "PIECE", "id": identity(number), "created": _MADE, "updated": _MADE, "externalId": identity(9)}
    row |= {"mcpId": identity(1), "toolName": f"send_email_{identity(number)[:4]}"}
    action = {"pieceName": "@activepieces/piece-gmail", "pieceVersion": "0.9.4", "actionName": "send_email"}
    return row | {"pieceMetadata": action | {"actionDisplayName": "Send Email", "logoUrl": ""} | metadata}


SAMPLE = Sample(
    "/mcp-servers",
    lambda name: server(name),
    ("/mcp-servers",),
    filter="name=nothing",
    huge={"note": "y" * 3_000_000},
    versions={
        **dict.fromkeys(("new", "rename", "delete", "add-flow", "remove-tool"), "0.72.4"),
        "switch-tools": "0.83.0",
    },
)
