"""MCP servers: what AI assistants may do here, through flows and apps. Their token is the only key to them, and is on no page of these."""

from typing import Any

from django import forms
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from workflows_ui.kit import show
from workflows_ui.kit.caller import Caller
from workflows_ui.kit.resource import (
    Action,
    Affected,
    Bulk,
    Column,
    Facts,
    Page,
    Panel,
    Query,
    Resource,
    Row,
    Shortcut,
    Subject,
    Text,
    sole_id_at,
)
from workflows_ui.models import Role
from workflows_ui.resources import mcp_clients, mcp_reading, mcp_tools, whole_lists
from workflows_ui.resources.mcp_reading import name_of

#: Tools that the list names.
_NAMED = 5


class ServerName(forms.Form):
    """What a server is called."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=200)


class ServerFilters(forms.Form):
    """What servers are looked for by; the engine does it."""

    name = forms.CharField(
        label=gettext_lazy("Name contains"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"class": "form-control"}),
    )


def _quoted(row: Row) -> dict[str, str]:
    return {"name": show.cut(name_of(row)) or _("MCP server without a name")}


def _named_tools(row: Row) -> list[Text]:
    found = mcp_reading.titles(row)
    if not found:
        return [_("No tools")]
    more = len(found) - _NAMED
    return [*found[:_NAMED], *([_("and %(n)d more") % {"n": more}] if more > 0 else [])]


def _apps_url(slug: str, row: Row) -> str:
    return _below("mcp_apps", slug, row)


def _token_url(slug: str, row: Row) -> str:
    return _below("mcp_token", slug, row)


def _below(page: str, slug: str, row: Row) -> str:
    key = sole_id_at(row)
    return reverse(page, kwargs={"slug": slug, "id": key}) if key else ""


def _tools(subject: Subject) -> dict[str, Any]:
    may = subject.access.allows(Role.BUILDER)
    place = {"slug": subject.slug, "resource": McpServers.name, "id": subject.id}
    return {
        "tools": mcp_reading.in_words(subject.caller, subject.object),
        "remove_url": reverse("resource_action", kwargs={**place, "action": "remove-tool"}) if may else "",
        "add_flow_url": reverse("resource_action", kwargs={**place, "action": "add-flow"}) if may else "",
        "add_action_url": _apps_url(subject.slug, subject.object) if may else "",
    }


def _clients(subject: Subject) -> dict[str, Any]:
    return {
        "texts": mcp_clients.texts(subject.workspace, name_of(subject.object)),
        "token": mcp_clients.TOKEN,
        "key": mcp_clients.KEY if mcp_clients.needs_key(subject.workspace) else "",
        "practice": subject.workspace.practice,
        "token_url": _token_url(subject.slug, subject.object) if subject.access.allows(Role.BUILDER) else "",
    }


def _raw(subject: Subject) -> dict[str, Any]:
    return {"value": subject.object, "id": "raw", "title": _("The server as the engine has it (JSON)")}


def _create(caller: Caller, _id: str, data: dict[str, Any]) -> dict[str, Any]:
    return {"id": caller.workflows.create_mcp_server({"name": data["name"]}).get("id")}


def _rename(caller: Caller, id: str, data: dict[str, Any]) -> None:
    caller.workflows.update_mcp_server(str(mcp_reading.asked(caller, id)["id"]), {"name": data["name"]})


def _rotate(caller: Caller, id: str, _data: dict[str, Any]) -> None:
    caller.workflows.rotate_mcp_token(str(mcp_reading.asked(caller, id)["id"]))


def _delete(caller: Caller, id: str, _data: dict[str, Any]) -> None:
    caller.workflows.delete_mcp_server(id)


def _stops(caller: Caller, row: Row) -> Affected:
    """What clients lose."""
    found = mcp_reading.lines(caller.workspace.slug, row)
    if not found:
        return Affected(_("It has no tools."))
    text = ngettext("Clients lose %(n)d tool:", "Clients lose %(n)d tools:", len(found)) % {"n": len(found)}
    return Affected(text, found)


class McpServers(Resource):
    """A door through which AI assistants use flows and apps."""

    name = "mcp-servers"
    stride = whole_lists.AT_ONCE
    needs = "mcp-servers"
    label, label_plural = gettext_lazy("MCP server"), gettext_lazy("MCP servers")
    icon, group = "robot", "build"
    empty = gettext_lazy("There are no MCP servers in this workspace yet")
    empty_hint = gettext_lazy(
        "An MCP server gives AI assistants tools: flows, and actions of apps. Make one, then choose its tools."
    )
    secrets = frozenset({"token"})
    filters = ServerFilters
    list_display = (
        Column("name", gettext_lazy("Name"), link=True),
        Column(_named_tools, gettext_lazy("Tools"), kind="list"),
        Column("updated", gettext_lazy("Changed"), kind="when"),
        Column("created", gettext_lazy("Made"), kind="when", phone=False),
    )
    shortcuts = (
        Shortcut(gettext_lazy("Add an action of an app"), "puzzle-piece", _apps_url, role=Role.BUILDER),
        Shortcut(gettext_lazy("Show the token"), "eye", _token_url, role=Role.BUILDER),
    )
    panels = (
        Facts(
            gettext_lazy("Facts"),
            (
                Column("updated", gettext_lazy("Changed"), kind="when"),
                Column("created", gettext_lazy("Made"), kind="when"),
                Column("id", gettext_lazy("Id in the engine"), kind="code"),
            ),
        ),
        Panel(gettext_lazy("Tools"), "mcp/tools.html", _tools),
        Panel(gettext_lazy("Connect a client"), "mcp/clients.html", _clients),
        Panel("", "kit/panels/raw.html", _raw),
    )
    actions = (
        Action(
            "new",
            gettext_lazy("New MCP server"),
            "plus",
            _create,
            form=ServerName,
            button=lambda _row: _("Make the server"),
            done=gettext_lazy("The server is made. Give it its tools now."),
            collection=True,
        ),
        Action(
            "add-flow",
            gettext_lazy("Add a flow"),
            "diagram-project",
            mcp_tools.add_flow,
            form=mcp_tools.FlowTool,
            confirm=lambda _row: (
                _("Clients of the server can run this flow by themselves from then on.") + f" {mcp_tools.CHANGES}"
            ),
            button=lambda _row: _("Add the tool"),
            done=gettext_lazy("The server has the tool now. Clients see it once they connect again."),
        ),
        Action(
            "rename",
            gettext_lazy("Rename"),
            "pen",
            _rename,
            form=ServerName,
            initial=lambda row: {"name": name_of(row)},
            done=gettext_lazy("The server has its new name."),
            in_rows=True,
        ),
        Action(
            "remove-tool",
            gettext_lazy("Remove a tool"),
            "circle-minus",
            mcp_tools.remove,
            form=mcp_tools.RemovedTool,
            danger=True,
            confirm=lambda row: (
                _("Clients of “%(name)s” can no longer use the tool. The flow or app behind it stays.") % _quoted(row)
                + f" {mcp_tools.CHANGES}"
            ),
            button=lambda _row: _("Remove the tool"),
            offered=lambda row: bool(mcp_reading.tools_of(row)),
            done=gettext_lazy("The tool is removed."),
        ),
        Action(
            "rotate-token",
            gettext_lazy("Replace the token"),
            "arrows-rotate",
            _rotate,
            danger=True,
            confirm=lambda row: (
                _(
                    "The token that “%(name)s” has now dies at once: every client that is configured with it stops working, until it gets "
                    "the new one. There is no way back to the old token."
                )
                % _quoted(row)
            ),
            affected=_stops,
            button=lambda row: _("Replace the token of “%(name)s”") % _quoted(row),
            done=gettext_lazy("The old token is dead. Show the new one, and give it to the clients."),
            in_rows=True,
        ),
        Action(
            "delete",
            gettext_lazy("Delete"),
            "trash",
            _delete,
            danger=True,
            confirm=lambda row: (
                _(
                    "Every client of “%(name)s” stops working at once, and its token is gone. Flows, apps and connections behind its "
                    "tools stay."
                )
                % _quoted(row)
            ),
            affected=_stops,
            button=lambda row: _("Delete the MCP server “%(name)s”") % _quoted(row),
            done=gettext_lazy("The MCP server is deleted."),
            in_rows=True,
            bulk=Bulk(
                gettext_lazy(
                    "Every client of these servers stops working at once, and their tokens are gone. Flows, apps and connections stay."
                )
            ),
        ),
    )

    def list(self, caller: Caller, query: Query) -> Page:
        """A page, newest first; the tokens stay out of it."""
        answer = caller.workflows.list_mcp_servers(
            limit=self.stride, cursor=whole_lists.cursor(query), name=query.filters.get("name")
        )
        rows = [mcp_reading.hidden(row) for row in whole_lists.rows_of(answer)]
        return whole_lists.page(rows, query, beyond=whole_lists.following(answer))

    def get(self, caller: Caller, id: str) -> Row:
        """The server without its token. Raises EngineError, NotFound also for a server of another project."""
        return mcp_reading.hidden(mcp_reading.asked(caller, id))

    def title(self, row: Row) -> str:
        """Its name."""
        return name_of(row)
