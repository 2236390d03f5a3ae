"""Client configurations for an MCP server: its URL, and texts to paste. The token is a placeholder."""

import json
from dataclasses import dataclass

from django.utils.text import slugify
from django.utils.translation import gettext as _

from workflows_ui.members.models import Flavour, Workspace
from workflows_ui.resource_admin import recipes
from workflows_ui.resource_admin.resource import Row
from workflows_ui.resources.mcp_servers import reading

#: Placeholders for the server's token, and the gateway's own key.
TOKEN, KEY = "YOUR_TOKEN", "YOUR_API_KEY"
_LONGEST_NAME = 60


@dataclass(frozen=True)
class Pasted:
    """A text to copy: its id in the page, its label, and the text."""

    id: str
    label: str
    text: str


def texts(workspace: Workspace, server: Row, token: str = TOKEN) -> list[Pasted]:
    """The URL, the configuration of Claude Desktop, and the one for clients that take a URL directly.

    The URL of 0.72 contains the token and answers server-sent events on GET and streamable HTTP on POST (api.md section
    14). That of 0.83 is the engine's own, beside its API, and the same for every server (recording
    `mcp_http_initialize`). An Imbrace gateway requires its own key in a header. Clients accept only ASCII letters in
    the name.
    """
    gateway = workspace.flavour == Flavour.IMBRACE
    base = recipes.base(workspace)
    if reading.sole(server):
        address, called = f"{base.removesuffix('/api')}/mcp", slugify(workspace.slug)
    else:
        address, called = f"{base}/v1/mcp/{token}/sse", slugify(reading.name_of(server))
    called = called[:_LONGEST_NAME] or "workflows"
    started = {"command": "npx", "args": ["-y", "mcp-remote", address]}
    direct: dict[str, object] = {"url": address}
    if gateway:
        started["args"] = ["-y", "mcp-remote", address, "--header", f"x-api-key:{KEY}"]
        direct["headers"] = {"x-api-key": KEY}
    return [
        Pasted("mcp-address", _("Address of the server"), address),
        Pasted("mcp-desktop", _("Claude Desktop (claude_desktop_config.json)"), _json({called: started})),
        Pasted("mcp-other", _("Clients that take an address (mcp.json)"), _json({called: direct})),
    ]


def needs_key(workspace: Workspace) -> bool:
    """Whether the gateway requires a key beside the token."""
    return bool(workspace.flavour == Flavour.IMBRACE)


def _json(servers: dict[str, object]) -> str:
    return json.dumps({"mcpServers": servers}, indent=2, ensure_ascii=False)
