"""What an MCP server's tools are made from: flows, and actions of apps. The engine takes all of them at once (api.md section 14)."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from workflows_ui.kit import show
from workflows_ui.kit.caller import Caller
from workflows_ui.kit.resource import Action, Row, Text, id_at
from workflows_ui.resources import apps, connection_list, usage
from workflows_ui.resources.mcp_reading import asked, name_of, title_of, tools_of
from workflows_ui.resources.places import mcp_url

#: Servers that a form offers.
_SERVERS = 100
#: The engine cuts names of tools at 47 characters, of which its ending takes five.
_LONGEST = 42
#: The piece whose trigger is started by an MCP client.
MCP_PIECE = "@activepieces/piece-mcp"
#: What the engine makes of a tool by itself.
_OWN = frozenset({"id", "created", "updated", "externalId", "mcpId", "flow"})
CHANGES: Text = gettext_lazy(
    "The engine may give the server's tools new endings to their names; clients see them once they connect again."
)


class FlowTool(forms.Form):
    """Which flow becomes a tool: published ones that are none of this server's yet."""

    def __init__(self, *args: Any, caller: Caller, row: Row, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        taken = {tool.get("flowId") for tool in tools_of(row)}
        found = [flow for flow in usage.fresh(caller).flows if flow.published and flow.id not in taken]
        found.sort(key=lambda flow: (flow.name or flow.id).casefold())
        made_for_it = [(flow.id, _named(flow)) for flow in found if flow.starts_with == MCP_PIECE]
        others = [(flow.id, _named(flow)) for flow in found if flow.starts_with != MCP_PIECE]
        groups: list[tuple[str, Any]] = [("", "–")]
        groups += [(_("Made to be a tool: they start with the MCP trigger"), made_for_it)] if made_for_it else []
        groups += [(_("Other published flows: they may take no values from a client"), others)] if others else []
        self.fields["flow"] = forms.ChoiceField(
            label=_("Flow"),
            choices=groups,
            help_text=_("Only published flows are offered: the engine hides the others from clients.")
            if found
            else _("Every published flow is a tool of this server already, or none is published yet."),
        )


class RemovedTool(forms.Form):
    """Which tool goes."""

    def __init__(self, *args: Any, row: Row, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        listed = [(id_at(tool), f"{title_of(tool)[:100]} ({str(tool.get('toolName'))[:60]})") for tool in tools_of(row)]
        self.fields["tool"] = forms.ChoiceField(label=_("Tool"), choices=[line for line in listed if line[0]])


class AppTool(forms.Form):
    """Which action of an app becomes a tool, of which server, and as whom it acts. The row is the whole piece."""

    def __init__(self, *args: Any, caller: Caller, row: Row, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        servers = [(id_at(one), name_of(one)[:100] or id_at(one)) for one in _servers(caller)]
        self.fields["server"] = forms.ChoiceField(
            label=_("MCP server"),
            choices=[("", "–"), *(line for line in servers if line[0])],
            help_text="" if servers else _("There is no MCP server in this workspace yet. Make one first."),
        )
        self.fields["action"] = forms.ChoiceField(
            label=_("What the tool does"), choices=[("", "–"), *_action_choices(row)]
        )
        if apps.auths(row.get("auth")):
            found = connection_list.of_app(caller, str(row.get("name")))
            listed = [(str(one.get("externalId")), _connection_line(one)) for one in found if one.get("externalId")]
            self.fields["connection"] = forms.ChoiceField(
                label=_("Connection it acts with"),
                required=False,
                choices=[("", _("None")), *listed],
                initial=listed[0][0] if len(listed) == 1 else "",
                help_text=_("Whoever has the server's token acts in the app with this connection.")
                if listed
                else _("This app has no connection yet. Without one, the tool fails."),
            )


def _named(flow: usage.Use) -> str:
    return (flow.name or flow.id)[:120]


def _servers(caller: Caller) -> list[dict[str, Any]]:
    page = caller.workflows.list_mcp_servers(limit=_SERVERS)
    return [row for row in page.get("data") or [] if isinstance(row, dict)]


def _action_choices(piece: Row) -> list[tuple[str, str]]:
    found = piece.get("actions")
    listed = found.items() if isinstance(found, Mapping) else ()
    return [(str(key), _action_title(str(key), one)[:120]) for key, one in listed if isinstance(one, Mapping)]


def _action_title(key: str, action: Row) -> str:
    found = action.get("displayName")
    return found if isinstance(found, str) and found.strip() else key


def _connection_line(row: Row) -> str:
    name = row.get("displayName")
    shown = name[:100] if isinstance(name, str) and name else str(row.get("externalId"))
    return f"{shown} ({connection_list.state(row).word})"


def add_flow(caller: Caller, id: str, data: dict[str, Any]) -> dict[str, Any]:
    """Makes the flow `data["flow"]` a tool of the server. Raises EngineError, ValidationError where it is one already."""
    server, flow = asked(caller, id), data["flow"]
    if any(tool.get("flowId") == flow for tool in tools_of(server)):
        raise forms.ValidationError({"flow": _("This flow is a tool of the server already.")})
    name = next((one.name for one in usage.remembered(caller).flows if one.id == flow), "")
    _write(caller, server, [*_kept(server), {"type": "FLOW", "toolName": _tool_name(name, "flow"), "flowId": flow}])
    return {"id": id}


def add_action(caller: Caller, id: str, data: dict[str, Any]) -> dict[str, Any]:
    """Makes an action of the piece `id` a tool of the server `data["server"]`. Raises EngineError, ValidationError."""
    piece, action = apps.piece(caller, id), data["action"]
    server = asked(caller, data["server"])
    actions = piece.get("actions")
    found = actions.get(action) if isinstance(actions, Mapping) else None
    title = _action_title(action, found if isinstance(found, Mapping) else {})
    made = {
        "pieceName": id,
        "pieceVersion": str(piece.get("version") or ""),
        "actionName": action,
        "actionDisplayName": title,
        "logoUrl": str(piece.get("logoUrl") or ""),
    }
    if data.get("connection"):
        made["connectionExternalId"] = data["connection"]
    if any(_same(tool.get("pieceMetadata"), made) for tool in tools_of(server)):
        raise forms.ValidationError({"action": _("This is a tool of the server already.")})
    tool = {"type": "PIECE", "toolName": _tool_name(action, "action"), "pieceMetadata": made}
    _write(caller, server, [*_kept(server), tool])
    return {"id": data["server"], "name": name_of(server)}


def remove(caller: Caller, id: str, data: dict[str, Any]) -> dict[str, Any]:
    """Takes one tool from the server. Raises EngineError, ValidationError where it is not there any more."""
    server = asked(caller, id)
    left = [tool for tool in tools_of(server) if tool.get("id") != data["tool"]]
    if len(left) == len(tools_of(server)):
        raise forms.ValidationError({"tool": _("The server does not have this tool any more.")})
    _write(caller, server, [_request(tool) for tool in left])
    return {"id": id}


def _write(caller: Caller, server: Row, tools: Sequence[dict[str, Any]]) -> None:
    caller.workflows.update_mcp_server(str(server["id"]), {"tools": list(tools)})


def _kept(server: Row) -> list[dict[str, Any]]:
    return [_request(tool) for tool in tools_of(server)]


def _request(tool: Row) -> dict[str, Any]:
    """A tool as it is sent back: without what the engine makes itself, its name without the ending that the engine adds anew."""
    name, key = tool.get("toolName"), tool.get("id")
    base = name.removesuffix(f"_{key[:4]}") if isinstance(name, str) and isinstance(key, str) else ""
    kept = {key: value for key, value in tool.items() if key not in _OWN and value is not None}
    return kept | {"toolName": base or "tool"}


def _same(tool: object, made: Row) -> bool:
    """Whether a tool does the same with the same connection."""
    if not isinstance(tool, Mapping):
        return False
    keys = ("pieceName", "actionName", "connectionExternalId")
    return all((tool.get(key) or None) == (made.get(key) or None) for key in keys)


def _tool_name(text: str, otherwise: str) -> str:
    return slugify(text).replace("-", "_")[:_LONGEST] or otherwise


#: Stands on the app's page, and behind "Add an action of an app" of a server.
ADD_APP_TOOL = Action(
    name="mcp-tool",
    label=gettext_lazy("Make an action a tool for MCP"),
    icon="robot",
    form=AppTool,
    run=add_action,
    confirm=lambda _row: (
        _("Clients of the MCP server, such as an AI assistant, can do this by themselves from then on.") + f" {CHANGES}"
    ),
    button=lambda row: _("Add the tool"),
    offered=lambda row: bool(row.get("actions")),
    done=lambda _row, answer: (
        _("“%(name)s” has the tool now. Clients see it once they connect again.") % {"name": show.cut(answer["name"])}
    ),
    then=lambda slug, _row, answer: mcp_url(slug, answer["id"]),
)
