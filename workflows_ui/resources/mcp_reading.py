"""Reading MCP servers as the engine sends them: the token hidden at the door, the tools in words (api.md section 14)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from workflows_ui.kit import redact
from workflows_ui.kit.caller import Caller
from workflows_ui.kit.resource import Row, Text, id_at, pick
from workflows_ui.resources import apps
from workflows_ui.resources.flow_reading import connection_names
from workflows_ui.resources.places import connection_url, flow_url, piece_url

_DEEPEST, _TOOLS = 60, 200


@dataclass(frozen=True)
class Tool:
    """One tool of a server, in words. `id` is "" where the engine gives none; `trouble` says why it may not work."""

    id: str
    name: str
    title: str
    kind: Text
    icon: str
    url: str
    connection: str = ""
    connection_url: str = ""
    trouble: Text = ""


def asked(caller: Caller, id: str) -> dict[str, Any]:
    """One server as it is now, **with its token**: for changing it and for showing the token, never for a template.

    Asked before each change: the engine changes a server of another project before it refuses (api.md section 14).
    """
    return caller.workflows.get_mcp_server(id)


def hidden(row: Row) -> dict[str, Any]:
    """A copy of a server without its token, wherever in it the token stands."""
    found = _without(dict(row), token_of(row), 0)
    if token_of(row):
        found["token"] = redact.MASK
    return dict(found)


def token_of(row: Row) -> str:
    """The server's token, empty where there is none."""
    found = row.get("token")
    return found if isinstance(found, str) else ""


def name_of(row: Row) -> str:
    """What the server is called; may be empty."""
    found = row.get("name")
    return found if isinstance(found, str) else ""


def tools_of(row: Row) -> list[dict[str, Any]]:
    """Its tools as the engine has them. Tools of flows that were never published are not among them (api.md section 14)."""
    found = row.get("tools")
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def titles(row: Row) -> list[str]:
    """What its tools do, in a few words each."""
    return [title_of(tool) for tool in tools_of(row)]


def title_of(tool: Row) -> str:
    """What a tool does: the flow's name, or the action's."""
    paths = ("flow.version.displayName", "pieceMetadata.actionDisplayName", "pieceMetadata.actionName", "toolName")
    found = (pick(tool, path) for path in paths)
    return next((one for one in found if isinstance(one, str) and one.strip()), "") or _("Tool without a name")


def in_words(caller: Caller, row: Row) -> Sequence[Tool]:
    """The tools with their addresses. Names of apps and connections are asked for where a tool needs them, and remembered."""
    found = tools_of(row)[:_TOOLS]
    of_pieces = any(isinstance(pick(tool, "pieceMetadata.pieceName"), str) for tool in found)
    names = apps.names(caller) if of_pieces else {}
    connected = any(isinstance(pick(tool, "pieceMetadata.connectionExternalId"), str) for tool in found)
    connections = connection_names(caller) if connected else {}
    return [_tool(caller.workspace.slug, tool, names, connections) for tool in found]


def lines(slug: str, row: Row) -> list[tuple[str, str]]:
    """(title, address) of every tool, for what is said before something stops them."""
    return [(title_of(tool), _url(slug, tool)) for tool in tools_of(row)]


def _tool(slug: str, tool: Row, names: Mapping[str, str], connections: Mapping[str, tuple[str, str]]) -> Tool:
    name, piece = tool.get("toolName"), pick(tool, "pieceMetadata.pieceName")
    external = pick(tool, "pieceMetadata.connectionExternalId")
    key, connection, trouble = "", "", _flow_trouble(tool)
    if isinstance(external, str) and external:
        key, connection = connections.get(external, ("", external))
        if connections and external not in connections:
            trouble = _("The connection is gone: the tool fails.")
    kind: Text = _("Flow")
    if tool.get("type") == "PIECE" or isinstance(piece, str):
        app = names.get(str(piece)) or apps.short(piece)
        kind = _("Action of %(app)s") % {"app": app[:60]} if app else _("Action of an app")
    elif tool.get("type") != "FLOW":
        kind = str(tool.get("type") or _("Not known"))[:60]
    return Tool(
        id=id_at(tool),
        name=name[:100] if isinstance(name, str) else "",
        title=title_of(tool),
        kind=kind,
        icon={"FLOW": "diagram-project", "PIECE": "puzzle-piece"}.get(str(tool.get("type")), "wrench"),
        url=_url(slug, tool),
        connection=connection,
        connection_url=connection_url(slug, key),
        trouble=trouble,
    )


def _flow_trouble(tool: Row) -> str:
    if tool.get("type") != "FLOW" or pick(tool, "flow.status") != "DISABLED":
        return ""
    return _("The flow is off: the tool fails until it is turned on.")


def _url(slug: str, tool: Row) -> str:
    if tool.get("type") == "FLOW":
        return flow_url(slug, tool.get("flowId"))
    return piece_url(slug, pick(tool, "pieceMetadata.pieceName"))


def _without(value: Any, secret: str, depth: int) -> Any:
    if depth > _DEEPEST:
        return "…"
    if isinstance(value, dict):
        return {key: _without(inner, secret, depth + 1) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without(inner, secret, depth + 1) for inner in value]
    return value.replace(secret, redact.MASK) if secret and isinstance(value, str) else value
