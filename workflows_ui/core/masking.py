"""The mask of a workspace's secrets for its engine's answers. In memory for a minute at most.

A change of a secret makes the mask outdated: `secrets_changed` increments the workspace's version, which every request and task reads
with the workspace, so that all processes notice it at once without another query.
"""

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from workflows_ui.engine import Mask

#: Seconds for which a mask, with the plain secrets, is kept in memory.
KEPT = 60.0


class HoldsSecrets(Protocol):
    """A workspace, which knows the secrets of its engine."""

    pk: int
    secrets_version: int

    def stored_secrets(self) -> frozenset[str]: ...

    def increment_secrets_version(self) -> None: ...


@dataclass(frozen=True, repr=False)
class _CachedMask:
    version: int
    secrets: frozenset[str]
    mask: Mask


_masks: dict[int, _CachedMask] = {}
_lock = threading.Lock()


def workspace_mask(workspace: HoldsSecrets, own: Iterable[str] = ()) -> Mask:
    """The mask for the answers of this workspace's engine. `own` are further secrets to mask, which the caller will send.

    It masks the secrets of all members of the workspace, stored passwords, and replaced secrets until they are destroyed; a destroyed
    secret is no longer known. Two queries, once a minute.
    """
    own = frozenset(own)
    cached = _masks.get(workspace.pk)
    if cached is not None and cached.version == workspace.secrets_version and own <= cached.secrets:
        return cached.mask
    secrets = own | workspace.stored_secrets()
    new = _CachedMask(workspace.secrets_version, secrets, Mask(secrets))
    with _lock:
        _masks[workspace.pk] = new
    timer = threading.Timer(KEPT, _forget, (workspace.pk, new))
    timer.daemon = True
    timer.start()
    return new.mask


def secrets_changed(workspace: HoldsSecrets) -> None:
    """Invalidate the mask after a secret of this workspace was added, deleted or changed. Called in the same transaction."""
    workspace.increment_secrets_version()
    _masks.pop(workspace.pk, None)


def clear() -> None:
    _masks.clear()


def _forget(workspace_id: int, mask: _CachedMask) -> None:
    with _lock:
        if _masks.get(workspace_id) is mask:
            del _masks[workspace_id]
