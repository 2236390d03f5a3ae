"""Reading MCP servers as the engine sends them: the token removed at once, the tools as text.

Servers of 0.72 have a name and tools of their own (api.md section 14); a project's only server on 0.83 has neither, but
tools that are on and flows that start with the MCP trigger (recording `mcp_project_get`).
"""

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from workflows_ui.core import redaction
from workflows_ui.core.paths import dicts_at, text_at
from workflows_ui.core.readers import EngineObject, part, text, usable_id
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import Mask
from workflows_ui.engine_objects.flows import ENABLED, Flow
from workflows_ui.flows.reading import connection_names
from workflows_ui.pieces import apps
from workflows_ui.resource_admin.places import connection_url, flow_url, piece_url
from workflows_ui.resource_admin.resource import Row, Text
from workflows_ui.resources.mcp_servers import switches
from workflows_ui.run_index.services import uses

_TOOLS = 200
_OFF: Text = _("The flow is off: the tool fails until it is turned on.")


class Tool(EngineObject):
    """A tool of a server: a flow, or an action of an app (api.md section 14)."""

    __slots__ = ()

    id = text("id")
    #: The id if it fits into a URL, else "".
    url_id = usable_id("id")
    #: `FLOW` or `PIECE`.
    type = text("type")
    #: With a suffix that the engine adds.
    name = text("toolName")
    flow_id = text("flowId")
    flow = part("flow", Flow)
    piece_name = text("pieceMetadata.pieceName")
    action_name = text("pieceMetadata.actionName")
    action_display_name = text("pieceMetadata.actionDisplayName")
    #: "" if it acts with no connection.
    connection_id = text("pieceMetadata.connectionExternalId")

    @property
    def title(self) -> str:
        """What it does: the flow's name, or the action's."""
        titles = (self.flow.version.display_name, self.action_display_name, self.action_name, self.name)
        return next((item for item in titles if item.strip()), "") or str(_("Tool without a name"))


def fetch_server(session: EngineSession, id: str) -> dict[str, object]:
    """The current server, **with its token**: for changing it and for showing the token, never for a template.

    Call it before each change: the engine changes a server of another project before it refuses (api.md section 14).
    """
    return session.workflows.get_mcp_server(id)


def without_token(row: Row) -> dict[str, object]:
    """A copy of a server without any occurrence of its token."""
    return dict(Mask((text_at(row, "token"),), shortest=1, hidden=redaction.MASK).value(redaction.step(row)))


def sole(row: Row) -> bool:
    """Whether it is its project's only server, which nobody created and nobody can delete."""
    return "enabledTools" in row


def name_of(row: Row) -> str:
    """The server's name; may be empty."""
    if sole(row):
        return str(_("MCP server of the project"))
    return text_at(row, "name")


def tools_of(row: Row) -> list[Tool]:
    """The tools as the engine has them. Tools of flows that were never published are not among them (api.md section 14)."""
    return [Tool(tool) for tool in dicts_at(row, "tools")]


def titles(row: Row) -> list[str]:
    """What the tools do, in a few words each."""
    if sole(row):
        return [str(switches.label(name)) for name in switches.enabled(row)]
    return [tool.title for tool in tools_of(row)]


def flows_in_words(slug: str, row: Row) -> list[dict[str, object]]:
    """The flows that a project's only server offers, with their URLs."""
    return [_flow(slug, flow) for flow in _flows(row)]


def _flows(row: Row) -> list[Flow]:
    return [Flow(flow) for flow in dicts_at(row, "flows")[:_TOOLS]]


def in_words(session: EngineSession, row: Row, *, calls: bool = True) -> list[dict[str, object]]:
    """The tools with their URLs. Names of apps and connections are requested if a tool needs them, and cached; without `calls`, those of
    connections are from the run index."""
    tools = tools_of(row)[:_TOOLS]
    names = apps.names(session) if calls and any(tool.piece_name for tool in tools) else {}
    connected = any(tool.connection_id for tool in tools)
    connections = (connection_names(session) if calls else uses.names(session, "connections")) if connected else {}
    return [_tool(session.workspace.slug, tool, names, connections) for tool in tools]


def lines(slug: str, row: Row) -> list[tuple[str, str]]:
    """(title, URL) of every tool, for the impact of an action that stops them."""
    if sole(row):
        return [
            *((item, "") for item in titles(row)),
            *((_flow_title(flow), flow_url(slug, flow.url_id)) for flow in _flows(row)),
        ]
    return [(tool.title, _url(slug, tool)) for tool in tools_of(row)]


def _tool(
    slug: str, tool: Tool, names: Mapping[str, str], connections: Mapping[str, tuple[str, str]]
) -> dict[str, object]:
    """One tool for its template. `id` is "" if the engine gives none; `trouble` is why it may not work."""
    piece, external = tool.piece_name, tool.connection_id
    key, connection, trouble = "", "", _OFF if tool.flow.status == "DISABLED" else ""
    if external:
        key, connection = connections.get(external, ("", external))
        if connections and external not in connections:
            trouble = _("The connection is gone: the tool fails.")
    kind: Text = _("Flow")
    if tool.type == "PIECE" or piece:
        app = names.get(piece) or apps.short(piece)
        kind = _("Action of %(app)s") % {"app": app[:60]} if app else _("Action of an app")
    elif tool.type != "FLOW":
        kind = str(tool.type or _("Not known"))[:60]
    return {
        "id": tool.url_id,
        "name": tool.name[:100],
        "title": tool.title,
        "kind": kind,
        "icon": {"FLOW": "workflow", "PIECE": "puzzle"}.get(tool.type, "wrench"),
        "url": _url(slug, tool),
        "connection": connection,
        "connection_url": connection_url(slug, key),
        "trouble": trouble,
    }


def _flow_title(flow: Flow) -> str:
    name = flow.version.display_name
    return name if name.strip() else str(_("Flow without a name"))


def _flow(slug: str, flow: Flow) -> dict[str, object]:
    return {
        "id": flow.url_id,
        "title": _flow_title(flow),
        "kind": _("Flow"),
        "icon": "workflow",
        "url": flow_url(slug, flow.url_id),
        "trouble": "" if flow.status == ENABLED else _OFF,
    }


def _url(slug: str, tool: Tool) -> str:
    if tool.type == "FLOW":
        return flow_url(slug, tool.flow_id)
    return piece_url(slug, tool.piece_name)
