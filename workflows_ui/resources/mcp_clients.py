"""How a client is told of an MCP server: its address, and configurations to paste (api.md section 14). The token is a placeholder."""

import json
from dataclasses import dataclass

from django.utils.text import slugify
from django.utils.translation import gettext as _

from workflows_ui.kit import recipe
from workflows_ui.models import Flavour, Workspace

#: What stands where the server's token, and the gateway's own key, belong.
TOKEN, KEY = "YOUR_TOKEN", "YOUR_API_KEY"
_LONGEST_NAME = 60


@dataclass(frozen=True)
class Pasted:
    """One text to copy: its id in the page, what it is, and itself."""

    id: str
    label: str
    text: str


def texts(workspace: Workspace, name: str, token: str = TOKEN) -> list[Pasted]:
    """The address, the configuration of Claude Desktop, and the one of clients that take an address themselves.

    The address answers server-sent events on GET and streamable HTTP on POST. An Imbrace gateway wants a key of its own in a header.
    Clients take only plain letters for the name.
    """
    gateway = workspace.flavour == Flavour.IMBRACE
    address = f"{recipe.base(workspace)}/v1/mcp/{token}/sse"
    called = slugify(name)[:_LONGEST_NAME] or "workflows"
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
    """Whether the gateway wants a key beside the token."""
    return bool(workspace.flavour == Flavour.IMBRACE)


def _json(servers: dict[str, object]) -> str:
    return json.dumps({"mcpServers": servers}, indent=2, ensure_ascii=False)
