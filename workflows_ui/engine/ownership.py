"""The interface for remembering the ids of a project, for callers whose ids come from a request."""

from collections.abc import Collection
from typing import Protocol


class Owned(Protocol):
    """Ids that belong to one project, by kind: the name of their route below /v1. A forgotten id costs one call."""

    def knows(self, kind: str, id: str) -> bool:
        """Whether an answer of the engine showed that this id belongs to the project."""
        ...

    def learn(self, kind: str, ids: Collection[str]) -> None:
        """Remember that these ids belong to the project, as the engine's answer shows."""
        ...
