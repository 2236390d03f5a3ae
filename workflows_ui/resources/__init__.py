"""The remote kinds of things, in menu order. Addresses, menu, rights and checks follow from this list."""

from collections.abc import Mapping

from workflows_ui.kit.nav import Entry
from workflows_ui.kit.resource import Resource
from workflows_ui.resources.channel_automations import ChannelAutomations
from workflows_ui.resources.connections import Connections
from workflows_ui.resources.flows import Flows
from workflows_ui.resources.folders import Folders
from workflows_ui.resources.invitations import Invitations
from workflows_ui.resources.mcp_servers import McpServers
from workflows_ui.resources.pieces import Pieces
from workflows_ui.resources.runs import Runs
from workflows_ui.resources.tables import Tables
from workflows_ui.resources.triggers import Triggers

RESOURCES: tuple[Resource, ...] = (
    Runs(),
    Triggers(),
    Flows(),
    Folders(),
    Connections(),
    Pieces(),
    Tables(),
    McpServers(),
    ChannelAutomations(),
    Invitations(),
)
#: The same by their names.
BY_NAME: Mapping[str, Resource] = {found.name: found for found in RESOURCES}


def menu() -> list[Entry]:
    """The resources' lines of the menu."""
    return [
        Entry(found.group, found.label_plural, found.icon, "resource_list", resource=found.name, role=found.role)
        for found in RESOURCES
    ]
