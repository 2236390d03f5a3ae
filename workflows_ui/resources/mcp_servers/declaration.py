"""MCP servers: what AI assistants may do here, through flows and apps. Their token is their only protection, and is on
none of these pages.
"""

from dataclasses import replace
from functools import partial
from types import MappingProxyType

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _, ngettext_lazy

from workflows_ui.core.text import Text, filled
from workflows_ui.credentials.models import Ability
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.lists.declaration import Column, Page, Query, Row, Shortcut
from workflows_ui.members.models import Role
from workflows_ui.resource_admin import capabilities as missing_capabilities, whole_lists
from workflows_ui.resource_admin.actions import (
    Action,
    Affected,
    Bulk,
    always,
    create_action,
    delete_action,
    rename_action,
)
from workflows_ui.resource_admin.places import subpage_url
from workflows_ui.resource_admin.resource import Panel, Resource, Subject, Tab
from workflows_ui.resources.mcp_servers import clients, reading, switches, tools
from workflows_ui.resources.mcp_servers.reading import name_of

#: Tools named in the list.
_NAMED = 5
#: The capability to have more than the one server of the project.
_MAKING = "mcp-server-making"
SOLE: Text = _(
    "This engine has one MCP server per project. It exists from the start and cannot be created, renamed or deleted."
)


class ServerFilters(forms.Form):
    """The search by name; the engine applies it."""

    name = forms.CharField(label=_("Name contains"), required=False, max_length=200)


def _several(row: Row) -> bool:
    """Whether the server is one of several that people create, name and delete."""
    return not reading.sole(row)


def _named_tools(row: Row) -> list[Text]:
    titles = reading.titles(row)
    if not titles:
        return [_("No tools")]
    more = len(titles) - _NAMED
    return [*titles[:_NAMED], *([_("and %(n)d more") % {"n": more}] if more > 0 else [])]


def _apps_url(slug: str, row: Row) -> str:
    return subpage_url("mcp_apps", slug, row) if _several(row) else ""


_token_url = partial(subpage_url, "mcp_token")


def _tools(subject: Subject) -> dict[str, object] | None:
    if reading.sole(subject.object):
        return None
    may = subject.access.allows(Role.BUILDER) and not subject.kept
    return {
        "tools": reading.in_words(subject.session, subject.object, calls=not subject.kept),
        "remove_url": _action_url(subject, "remove-tool"),
        "add_flow_url": _action_url(subject, "add-flow"),
        "add_action_url": _apps_url(subject.slug, subject.object) if may else "",
    }


def _action_url(subject: Subject, name: str) -> str:
    """The URL of an action for those who may run it, else ""."""
    action = next(item for item in McpServers.actions if item.name == name)
    may = subject.access.allows(action.role) and not subject.kept
    return action.url(subject.slug, McpServers.name, subject.id) if may else ""


def _switches(subject: Subject) -> dict[str, object] | None:
    """The tools of a project's only server, as switches for those who may change them."""
    if not reading.sole(subject.object):
        return None
    return {"groups": switches.groups(subject.object), "url": _action_url(subject, "switch-tools")}


def _flows(subject: Subject) -> dict[str, object] | None:
    server = subject.object
    return {"tools": reading.flows_in_words(subject.slug, server)} if reading.sole(server) else None


def _clients(subject: Subject) -> dict[str, object]:
    return {
        "texts": clients.texts(subject.workspace, subject.object),
        "sole": reading.sole(subject.object),
        "token": clients.TOKEN,
        "key": clients.key(subject.workspace),
        "practice": subject.workspace.practice,
        "token_url": _token_url(subject.slug, subject.object) if subject.access.allows(Role.BUILDER) else "",
    }


def _create(session: EngineSession, _id: str, data: dict[str, object]) -> dict[str, object]:
    return {"id": session.workflows.create_mcp_server({"name": data["name"]}).get("id")}


def _rename(session: EngineSession, id: str, data: dict[str, object]) -> None:
    session.workflows.update_mcp_server(str(reading.fetch_server(session, id)["id"]), {"name": data["name"]})


def _rotate(session: EngineSession, id: str, _data: dict[str, object]) -> None:
    session.workflows.rotate_mcp_token(str(reading.fetch_server(session, id)["id"]))


def _stops(session: EngineSession, row: Row) -> Affected:
    """The impact on clients."""
    tool_lines = reading.lines(session.workspace.slug, row)
    if not tool_lines:
        return Affected(_("It has no tools."))
    number = len(tool_lines)
    text = ngettext_lazy("Clients lose %(n)d tool:", "Clients lose %(n)d tools:", number)
    return Affected(filled(text, n=number), tool_lines)


class McpServers(Resource):
    name = "mcp-servers"
    batch_size = whole_lists.AT_ONCE
    needs = "mcp-servers"
    label, label_plural = _("MCP server"), _("MCP servers")
    unnamed = _("MCP server without a name")
    icon, group, menu_order = "bot", "build", 60
    empty = _("There are no MCP servers in this workspace yet")
    empty_hint = _(
        "An MCP server gives AI assistants tools: flows, and actions of apps. Create one, then choose its tools."
    )
    secrets = frozenset({"token"})
    filters = ServerFilters
    search_field = "name"
    index_filters = MappingProxyType({"name": "name"})
    list_display = (
        Column(name_of, _("Name"), link=True),
        Column(_named_tools, _("Tools"), kind="list"),
        Column("updated", _("Updated"), kind="when"),
        Column("created", _("Created"), kind="when", phone=False),
    )
    shortcuts = (
        Shortcut(_("Add an action of an app"), "puzzle", _apps_url, role=Role.BUILDER),
        Shortcut(_("Show the token"), "eye", _token_url, role=Role.BUILDER),
    )
    details = (
        Column("created", _("Created"), kind="when"),
        Column("updated", _("Updated"), kind="when"),
        Column("id", _("Engine ID"), kind="id"),
    )
    panels = (
        Panel(_("Tools"), "resources/mcp_servers/tools.html", _tools, without_engine=True),
        Panel(_("Tools"), "resources/mcp_servers/switches.html", _switches, without_engine=True),
        Panel(_("Flows that are tools"), "resources/mcp_servers/flows.html", _flows, without_engine=True),
    )
    tabs = (Tab("clients", _("Connect a client"), (Panel("", "resources/mcp_servers/clients.html", _clients),)),)
    actions = (
        create_action(
            _("New MCP server"),
            run=_create,
            button=_("Create the server"),
            done=_("The server was created. Choose its tools now."),
            needs=_MAKING,
        ),
        Action(
            "add-flow",
            _("Add a flow"),
            "workflow",
            tools.add_flow,
            form=tools.FlowTool,
            confirm=format_lazy(
                "{} {}", _("Clients of the server can then run this flow without asking."), tools.CHANGES
            ),
            button=_("Add the tool"),
            visible=_several,
            primary=always,
            done=_("The server has the tool now. Clients see it once they connect again."),
        ),
        Action(
            "switch-tools",
            _("Turn tools on and off"),
            "toggle-right",
            switches.switch,
            form=switches.ToolSwitches,
            initial=lambda row: {"tools": switches.enabled(row)},
            button=_("Save the tools"),
            visible=reading.sole,
            primary=always,
            done=_("The tools are saved. Clients see the change once they connect again."),
        ),
        rename_action(
            _rename, initial=lambda row: {"name": name_of(row)}, visible=_several, done=_("The server is renamed.")
        ),
        Action(
            "remove-tool",
            _("Remove a tool"),
            "circle-minus",
            tools.remove,
            form=tools.RemovedTool,
            stops=True,
            confirm=format_lazy(
                "{} {}",
                _("Clients of “%(name)s” can no longer use the tool. The flow or app behind it stays."),
                tools.CHANGES,
            ),
            button=_("Remove the tool"),
            visible=lambda row: bool(reading.tools_of(row)),
            done=_("The tool is removed."),
        ),
        Action(
            "rotate-token",
            _("Replace the token"),
            "refresh-cw",
            _rotate,
            danger=True,
            confirm=_(
                "The current token of “%(name)s” stops working immediately. Update every client with the new "
                "token. You can't restore the old one."
            ),
            impact=_stops,
            button=_("Replace the token of “%(name)s”"),
            done=_("The old token no longer works. Copy the new one into your clients."),
            in_rows=True,
        ),
        delete_action(
            lambda session, key, _data: session.workflows.delete_mcp_server(key),
            confirm=_(
                "Every client of “%(name)s” stops working at once, and its token is gone. Flows, apps and connections behind its "
                "tools stay."
            ),
            impact=_stops,
            button=_("Delete the MCP server “%(name)s”"),
            visible=_several,
            needs=_MAKING,
            done=_("The MCP server is deleted."),
            bulk=Bulk(
                _(
                    "Every client of these servers stops working at once, and their tokens are gone. Flows, apps and connections stay."
                )
            ),
        ),
    )

    def list(self, session: EngineSession, query: Query) -> Page:
        """A page, newest first, without the tokens. If the project has only one server, its page is the whole list."""
        answer = session.workflows.list_mcp_servers(
            limit=self.batch_size, cursor=whole_lists.cursor(query), name=query.filters.get("name")
        )
        rows = [reading.without_token(row) for row in whole_lists.rows_of(answer)]
        if not any(map(reading.sole, rows)):
            return whole_lists.page(rows, query, beyond=whole_lists.following(answer))
        search = str(query.filters.get("name") or "").casefold()
        matches = [row for row in rows if search in name_of(row).casefold()]
        lacking = {_MAKING: missing_capabilities.reason(_MAKING, Ability.NO)}
        return replace(whole_lists.page(matches, query), notice=SOLE, lacking=lacking)

    def get(self, session: EngineSession, id: str) -> Row:
        """The server without its token. Raises EngineError, NotFound also for a server of another project."""
        return reading.without_token(reading.fetch_server(session, id))

    def title(self, row: Row) -> str:
        return name_of(row)
