"""Creating an MCP server's tools: from flows, and from actions of apps. The engine takes all tools at once (api.md section 14)."""

from collections.abc import Mapping, Sequence
from typing import Required, TypedDict, Unpack

from django import forms
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from workflows_ui.core import formats
from workflows_ui.core.collation import sort_key
from workflows_ui.core.form_arguments import FormArguments
from workflows_ui.core.paths import text_at
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine_objects.pieces import Piece, PieceOperation
from workflows_ui.pieces import apps, connections as connection_list
from workflows_ui.resource_admin import whole_lists
from workflows_ui.resource_admin.places import mcp_url
from workflows_ui.resource_admin.resource import Action, Row, Text, id_at
from workflows_ui.resources.mcp_servers.reading import Tool, fetch_server, name_of, sole, tools_of
from workflows_ui.usage import usage

#: Servers offered by a form.
_SERVERS = 100
#: The engine truncates names of tools at 47 characters, of which its suffix takes five.
_LONGEST = 42
#: The piece with the trigger for MCP clients.
MCP_PIECE = "@activepieces/piece-mcp"
#: Keys of a tool that the engine generates.
_OWN = frozenset({"id", "created", "updated", "externalId", "mcpId", "flow"})
#: Seconds for which the kind of servers is cached.
_KNOWN_FOR = 600
NO_ACTIONS: Text = _(
    "The MCP server of this engine takes no single actions as tools. See its tool “Run an action of an app”."
)
CHANGES: Text = _(
    "The engine may give the server's tools new endings to their names; clients see them once they connect again."
)


class FlowToolData(TypedDict):
    """The cleaned data of a FlowTool: the id of the flow."""

    flow: str


class FlowTool(forms.Form):
    """The flow that becomes a tool: published ones that the server does not have yet."""

    def __init__(self, *, session: EngineSession, row: Row, **arguments: Unpack[FormArguments]) -> None:
        super().__init__(**arguments)
        used_ids = {tool.flow_id for tool in tools_of(row)}
        flows = [
            flow for flow in usage.cached_usage(session, now=True).flows if flow.published and flow.id not in used_ids
        ]
        flows.sort(key=lambda flow: sort_key(flow.name or flow.id))
        made_for_it = [(flow.id, _flow_label(flow)) for flow in flows if flow.starts_with == MCP_PIECE]
        others = [(flow.id, _flow_label(flow)) for flow in flows if flow.starts_with != MCP_PIECE]
        groups: list[tuple[Text, object]] = [("", "–")]
        groups += [(_("Made to be a tool: they start with the MCP trigger"), made_for_it)] if made_for_it else []
        groups += [(_("Other published flows: they may take no values from a client"), others)] if others else []
        self.fields["flow"] = forms.ChoiceField(
            label=_("Flow"),
            choices=groups,
            help_text=_("Only published flows are offered: the engine hides the others from clients.")
            if flows
            else _("Every published flow is a tool of this server already, or none is published yet."),
        )


class RemovedToolData(TypedDict):
    """The cleaned data of a RemovedTool: the id of the tool."""

    tool: str


class RemovedTool(forms.Form):
    def __init__(self, *, row: Row, **arguments: Unpack[FormArguments]) -> None:
        super().__init__(**arguments)
        listed = [(tool.url_id, f"{tool.title[:100]} ({tool.name[:60]})") for tool in tools_of(row)]
        self.fields["tool"] = forms.ChoiceField(label=_("Tool"), choices=[line for line in listed if line[0]])


class AppToolData(TypedDict, total=False):
    """The cleaned data of an AppTool: the id of the server, the name of the action, and the external id of a connection, "" for none."""

    server: Required[str]
    action: Required[str]
    connection: str


class AppTool(forms.Form):
    """The action of an app that becomes a tool, its server, and its connection. The row is the whole piece."""

    def __init__(self, *, session: EngineSession, row: Row, **arguments: Unpack[FormArguments]) -> None:
        super().__init__(**arguments)
        all_servers = _servers(session)
        servers = [(id_at(item), name_of(item)[:100] or id_at(item)) for item in all_servers if not sole(item)]
        none = str(NO_ACTIONS) if all_servers else _("There is no MCP server in this workspace yet. Create one first.")
        self.fields["server"] = forms.ChoiceField(
            label=_("MCP server"),
            choices=[("", "–"), *(line for line in servers if line[0])],
            help_text="" if servers else none,
        )
        piece = Piece(row)
        actions = [(key, _action_title(key, action)[:120]) for key, action in piece.actions.items()]
        self.fields["action"] = forms.ChoiceField(label=_("What the tool does"), choices=[("", "–"), *actions])
        if piece.auths:
            listed = connection_list.choices(connection_list.connections_of_app(session, piece.name))
            self.fields["connection"] = forms.ChoiceField(
                label=_("Connection it acts with"),
                required=False,
                choices=[("", _("None")), *listed],
                initial=listed[0][0] if len(listed) == 1 else "",
                help_text=_("Anyone with the server's token can use the app with this connection.")
                if listed
                else _("This app has no connection yet. Without one, the tool fails."),
            )


def _flow_label(flow: usage.Use) -> str:
    return (flow.name or flow.id)[:120]


def _servers(session: EngineSession) -> list[dict[str, object]]:
    return whole_lists.rows_of(session.workflows.list_mcp_servers(limit=_SERVERS))


def _action_title(key: str, action: PieceOperation | None) -> str:
    title = action.display_name if action else ""
    return title if title.strip() else key


def add_flow(session: EngineSession, id: str, data: FlowToolData) -> dict[str, object]:
    """Make the flow `data["flow"]` a tool of the server. Raises EngineError, ValidationError if it is one already."""
    server, flow = fetch_server(session, id), data["flow"]
    if any(tool.flow_id == flow for tool in tools_of(server)):
        raise forms.ValidationError({"flow": _("This flow is a tool of the server already.")})
    name = next((item.name for item in usage.cached_usage(session).flows if item.id == flow), "")
    _write(session, server, tools_of(server), {"type": "FLOW", "toolName": _tool_name(name, "flow"), "flowId": flow})
    return {"id": id}


def add_action(session: EngineSession, id: str, data: AppToolData) -> dict[str, object]:
    """Make an action of the piece `id` a tool of the server `data["server"]`. Raises EngineError, ValidationError."""
    piece, action = Piece(apps.piece(session, id)), data["action"]
    server = fetch_server(session, data["server"])
    title = _action_title(action, piece.actions.get(action))
    metadata = {
        "pieceName": id,
        "pieceVersion": piece.version,
        "actionName": action,
        "actionDisplayName": title,
        "logoUrl": piece.logo_url,
    }
    if connection := data.get("connection"):
        metadata["connectionExternalId"] = connection
    if any(_same(tool, metadata) for tool in tools_of(server)):
        raise forms.ValidationError({"action": _("This is a tool of the server already.")})
    tool: dict[str, object] = {"type": "PIECE", "toolName": _tool_name(action, "action"), "pieceMetadata": metadata}
    _write(session, server, tools_of(server), tool)
    return {"id": data["server"], "name": name_of(server)}


def remove(session: EngineSession, id: str, data: RemovedToolData) -> dict[str, object]:
    """Remove one tool from the server. Raises EngineError, ValidationError if it no longer exists."""
    server = fetch_server(session, id)
    left = [tool for tool in tools_of(server) if tool.id != data["tool"]]
    if len(left) == len(tools_of(server)):
        raise forms.ValidationError({"tool": _("The server does not have this tool any more.")})
    _write(session, server, left)
    return {"id": id}


def _write(session: EngineSession, server: Row, others: Sequence[Tool], *new: dict[str, object]) -> None:
    session.workflows.update_mcp_server(str(server["id"]), {"tools": [*map(_request, others), *new]})


def _request(tool: Tool) -> dict[str, object]:
    """A tool as it is sent back: without generated keys, and its name without the suffix that the engine adds again."""
    base = text_at(tool.raw, "toolName").removesuffix(f"_{tool.id[:4]}") if tool.id else ""
    request = {key: value for key, value in tool.raw.items() if key not in _OWN and value is not None}
    return request | {"toolName": base or "tool"}


def _same(tool: Tool, made: Mapping[str, str]) -> bool:
    """Whether a tool does the same with the same connection."""
    return (tool.piece_name, tool.action_name, tool.connection_id) == tuple(
        made.get(key, "") for key in ("pieceName", "actionName", "connectionExternalId")
    )


def _tool_name(text: str, otherwise: str) -> str:
    return slugify(text).replace("-", "_")[:_LONGEST] or otherwise


def _no_server_reason(session: EngineSession, _row: Row) -> Text:
    """Why no server takes an action of an app as a tool; "" if servers do."""
    one_server = session.remember(
        "one-mcp-server", _KNOWN_FOR, lambda: any(sole(server) for server in _servers(session))
    )
    return NO_ACTIONS if one_server else ""


#: Shown on the app's page, and used for "Add an action of an app" of a server.
ADD_APP_TOOL = Action(
    name="mcp-tool",
    label=_("Make an action a tool for MCP"),
    icon="bot",
    form=AppTool,
    run=add_action,
    confirm=lambda _row: (
        _("Clients of the MCP server, such as an AI assistant, can then do this without asking.") + f" {CHANGES}"
    ),
    button=_("Add the tool"),
    visible=lambda row: bool(row.get("actions")),
    disabled_reason=_no_server_reason,
    done=lambda _row, answer: (
        _("“%(name)s” has the tool now. Clients see it once they connect again.")
        % {"name": formats.cut(answer["name"])}
    ),
    success_url=lambda slug, _row, answer: mcp_url(slug, answer["id"]),
)
