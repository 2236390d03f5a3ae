"""Every operation of the engine, each a method: decoded JSON in and out.

Names, arguments and answers are those of the vendor's Python SDK 1.3.1 where it has the operation; arguments beyond the SDK's are
keyword-only. A method's docstring names its route and what is peculiar about it.
"""

from __future__ import annotations

from .operations.connections import Connections
from .operations.flows import Flows
from .operations.folders import Folders
from .operations.mcp import McpServers
from .operations.people import People
from .operations.runs import Runs
from .operations.sign_in import SignIn
from .operations.tables import Tables
from .operations.triggers import Triggers


class Workflows(Flows, Triggers, Runs, Folders, Connections, Tables, McpServers, People, SignIn):
    """What `Client.workflows` is. May be shared by threads."""
