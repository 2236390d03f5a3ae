"""The mask of a workspace's secrets for its engine's answers. In memory for a minute at most.

A change of a secret makes the mask outdated: `secrets_changed` increments the workspace's version, which every request and task reads
with the workspace, so that all processes notice it at once without another query.
"""

import threading
from collections.abc import Iterable
from dataclasses import dataclass

import structlog
from django.db.models import F

from workflows_ui.core.crypto import CannotOpen
from workflows_ui.credentials.models import Credential, CredentialSecret
from workflows_ui.engine import Mask
from workflows_ui.members.models import Workspace

log = structlog.get_logger(__name__)

#: Seconds for which a mask, with the plain secrets, is kept in memory.
KEPT = 60.0


@dataclass(frozen=True, repr=False)
class _CachedMask:
    version: int
    secrets: frozenset[str]
    mask: Mask


_masks: dict[int, _CachedMask] = {}
_lock = threading.Lock()


def workspace_mask(workspace: Workspace, own: Iterable[str] = ()) -> Mask:
    """The mask for the answers of this workspace's engine. `own` are further secrets to mask, which the caller will send.

    It masks the secrets of all members of the workspace, stored passwords, and replaced secrets until they are destroyed; a destroyed
    secret is no longer known. Two queries, once a minute.
    """
    own = frozenset(own)
    cached = _masks.get(workspace.pk)
    if cached is not None and cached.version == workspace.secrets_version and own <= cached.secrets:
        return cached.mask
    secrets = own | _stored_secrets(workspace)
    new = _CachedMask(workspace.secrets_version, secrets, Mask(secrets))
    with _lock:
        _masks[workspace.pk] = new
    timer = threading.Timer(KEPT, _forget, (workspace.pk, new))
    timer.daemon = True
    timer.start()
    return new.mask


def address_mask(address: str, own: Iterable[str] = ()) -> Mask:
    """The mask for the answers of the engine at this address to a new credential, whose workspace is not known yet.

    It masks the stored secrets of all workspaces at the address, and `own`. Not kept in memory, since tests of credentials are rare.
    """
    return Mask(frozenset(own).union(*map(_stored_secrets, Workspace.objects.filter(address=address))))


def secrets_changed(workspace: Workspace) -> None:
    """Invalidate the mask after a secret of this workspace was added, deleted or changed. Called in the same transaction."""
    Workspace.objects.filter(pk=workspace.pk).update(secrets_version=F("secrets_version") + 1)
    _masks.pop(workspace.pk, None)


def clear() -> None:
    _masks.clear()


def _forget(workspace_id: int, mask: _CachedMask) -> None:
    with _lock:
        if _masks.get(workspace_id) is mask:
            del _masks[workspace_id]


def _stored_secrets(workspace: Workspace) -> frozenset[str]:
    secrets = set()
    rows: list[Credential | CredentialSecret] = [
        *Credential.objects.filter(workspace=workspace).only(*_COLUMNS),
        *CredentialSecret.objects.filter(credential__workspace=workspace, destroyed_at__isnull=True).only(*_COLUMNS),
    ]
    for row in rows:
        for field in row.sealed_fields:
            try:
                secrets.add(row.open_to_mask(field))
            except CannotOpen:
                log.warning("masking.cannot_open", row=str(row.pk), field=field)
    return frozenset(secrets - {""})


_COLUMNS = ("pk", "secret", "password")
