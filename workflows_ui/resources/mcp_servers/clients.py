"""Client configurations for an MCP server: its URL, and texts to paste. The token is a placeholder."""

import json

from django.utils.text import slugify
from django.utils.translation import gettext as _

from workflows_ui.members.models import Flavour, Workspace
from workflows_ui.resource_admin import recipes
from workflows_ui.resource_admin.resource import Row
from workflows_ui.resources.mcp_servers import reading

#: Placeholders for the server's token, and the gateway's own key.
TOKEN, KEY = "YOUR_TOKEN", "YOUR_API_KEY"
_LONGEST_NAME = 60


def texts(workspace: Workspace, server: Row, token: str = TOKEN) -> list[tuple[str, str, str]]:
    """The URL, the configuration of Claude Desktop, and the one for clients that take a URL directly: the id in the
    page, the label and the text of each.

    The URL of 0.72 contains the token and answers server-sent events on GET and streamable HTTP on POST (api.md section
    14). That of 0.83 is the engine's own, beside its API, and the same for every server (recording
    `mcp_http_initialize`). An Imbrace gateway requires its own key in a header. Clients accept only ASCII letters in
    the name.
    """
    base = recipes.base(workspace)
    if reading.sole(server):
        address, called = f"{base.removesuffix('/api')}/mcp", slugify(workspace.slug)
    else:
        address, called = f"{base}/v1/mcp/{token}/sse", slugify(reading.name_of(server))
    called = called[:_LONGEST_NAME] or "workflows"
    started = {"command": "npx", "args": ["-y", "mcp-remote", address]}
    direct: dict[str, object] = {"url": address}
    if key(workspace):
        started["args"] = ["-y", "mcp-remote", address, "--header", f"x-api-key:{KEY}"]
        direct["headers"] = {"x-api-key": KEY}
    return [
        ("mcp-address", _("Address of the server"), address),
        ("mcp-desktop", _("Claude Desktop (claude_desktop_config.json)"), _json({called: started})),
        ("mcp-other", _("Clients that take an address (mcp.json)"), _json({called: direct})),
    ]


def key(workspace: Workspace) -> str:
    """The placeholder of the key that the gateway requires beside the token; "" without a gateway."""
    return KEY if workspace.flavour == Flavour.IMBRACE else ""


def _json(servers: dict[str, object]) -> str:
    return json.dumps({"mcpServers": servers}, indent=2, ensure_ascii=False)
