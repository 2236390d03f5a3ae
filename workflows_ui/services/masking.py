"""The secrets of a workspace as one mask, for everything that comes from its engine. In memory for a minute at most.

The mask is out of date as soon as a secret changes: `changed` counts the workspace's version up, which every request and task reads with
the workspace itself, so that all processes notice at once and without asking.
"""

import threading
from collections.abc import Iterable
from dataclasses import dataclass

import structlog
from django.db.models import F

from workflows_ui.crypto import CannotOpen
from workflows_ui.engine import Mask
from workflows_ui.models import Credential, CredentialSecret, Workspace

log = structlog.get_logger(__name__)

#: Seconds that a mask, and with it the secrets in clear, is kept in memory.
KEPT = 60.0


@dataclass(frozen=True, repr=False)
class _Kept:
    version: int
    secrets: frozenset[str]
    mask: Mask


_kept: dict[int, _Kept] = {}
_lock = threading.Lock()


def of(workspace: Workspace, own: Iterable[str] = ()) -> Mask:
    """The mask for what comes from this workspace's engine. `own` is in it in any case: what the caller is about to send.

    Masked are all members' secrets of the workspace, kept passwords, and replaced secrets until they are destroyed. A secret that is
    destroyed is not known any more, so it is not masked either. Two queries, once a minute.
    """
    own = frozenset(own)
    found = _kept.get(workspace.pk)
    if found is not None and found.version == workspace.secrets_version and own <= found.secrets:
        return found.mask
    secrets = own | _all(workspace)
    made = _Kept(workspace.secrets_version, secrets, Mask(secrets))
    with _lock:
        _kept[workspace.pk] = made
    timer = threading.Timer(KEPT, _forget, (workspace.pk, made))
    timer.daemon = True
    timer.start()
    return made.mask


def at(address: str, own: Iterable[str] = ()) -> Mask:
    """The mask for what the engine at this address says to whoever brings a credential, before it is known to which workspace.

    Masked is what the console keeps for any workspace there, and `own`. Not kept in memory: a test of a credential is a rare thing.
    """
    return Mask(frozenset(own).union(*map(_all, Workspace.objects.filter(address=address))))


def changed(workspace: Workspace) -> None:
    """Says that a secret of this workspace came, went or changed. Called within the transaction that does it."""
    Workspace.objects.filter(pk=workspace.pk).update(secrets_version=F("secrets_version") + 1)
    _kept.pop(workspace.pk, None)


def forget() -> None:
    """Forgets every mask; the next one is made anew."""
    _kept.clear()


def _forget(workspace_id: int, made: _Kept) -> None:
    with _lock:
        if _kept.get(workspace_id) is made:
            del _kept[workspace_id]


def _all(workspace: Workspace) -> frozenset[str]:
    found = set()
    rows: list[Credential | CredentialSecret] = [
        *Credential.objects.filter(workspace=workspace).only(*_COLUMNS),
        *CredentialSecret.objects.filter(credential__workspace=workspace, destroyed_at__isnull=True).only(*_COLUMNS),
    ]
    for row in rows:
        for field in row.sealed_fields:
            try:
                found.add(row.open(field))
            except CannotOpen:
                log.warning("masking.cannot_open", row=str(row.pk), field=field)
    return frozenset(found - {""})


_COLUMNS = ("pk", "secret", "password")
