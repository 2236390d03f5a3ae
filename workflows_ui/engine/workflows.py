"""Every operation of the engine, each a method that takes and returns decoded JSON.

Names, arguments and answers are those of the vendor's Python SDK 1.3.1 if it has the operation; arguments beyond the SDK's are
keyword-only. A method's docstring gives its route and its peculiarities.
"""

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
    """The class of `Client.workflows`. Thread-safe."""
