"""A cache of the engine's ids that belong to a workspace, so that not every call needs a check."""

import hashlib
import time
from collections.abc import Collection

from workflows_ui.core.caching import answers
from workflows_ui.members.models import Workspace

#: Seconds for which an entry is valid, and the most ids of a kind: the newest are kept.
FOR, MOST = 600, 500


class OwnedIds:
    """The engine client's `Owned` for one workspace, in the cache of answers. A lost entry costs a call."""

    def __init__(self, workspace: Workspace) -> None:
        project = f"{workspace.flavour} {workspace.address} {workspace.project_id}"
        self._prefix = f"owned:{workspace.pk}:{hashlib.sha256(project.encode()).hexdigest()[:16]}"
        self._expiry: dict[str, dict[str, float]] = {}

    def knows(self, kind: str, id: str) -> bool:
        """Whether the id has a valid entry."""
        return self._load(kind).get(id, 0) > time.time()

    def learn(self, kind: str, ids: Collection[str]) -> None:
        """Add these ids. Recent entries are not written again."""
        now, entries = time.time(), self._load(kind)
        if all(entries.get(key, 0) > now + FOR / 2 for key in ids):
            return
        # Read again: other requests may have added ids.
        self._expiry.pop(kind, None)
        entries = {key: until for key, until in self._load(kind).items() if until > now and key not in ids}
        entries |= dict.fromkeys(ids, now + FOR)
        self._expiry[kind] = entries
        answers.set(self._key(kind), dict(list(entries.items())[-MOST:]), FOR)

    def _load(self, kind: str) -> dict[str, float]:
        if kind not in self._expiry:
            entries = answers.get(self._key(kind))
            self._expiry[kind] = entries if isinstance(entries, dict) else {}
        return self._expiry[kind]

    def _key(self, kind: str) -> str:
        return f"{self._prefix}:{kind}"
