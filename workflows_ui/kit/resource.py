"""What a declaration of a remote kind consists of: Resource, Column, Panel."""

from typing import Any


class Resource:
    """One remote kind of thing."""

    name: str = ""
    label: Any = ""
