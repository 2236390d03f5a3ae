"""Builds engine clients from credentials: apart from tests of new ones, only here a secret is opened.

A secret whose row was changed outside of the console does not open; each change is audited once.
"""

import hashlib
import hmac
import time
from collections.abc import Callable, Collection
from dataclasses import replace
from functools import cache, partial
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.crypto import salted_hmac

from workflows_ui.accounts.models import User
from workflows_ui.audit.services import audit_log
from workflows_ui.audit.services.audit_log import CONSOLE
from workflows_ui.core import masking
from workflows_ui.core.caching import answers
from workflows_ui.core.crypto import CannotOpen, Changed, NotEntered, PlaceChanged
from workflows_ui.credentials.models import KEPT_IN_RUNS, Credential, CredentialKind
from workflows_ui.credentials.services import engine_facts
from workflows_ui.engine import (
    LARGEST_ANSWER,
    AccessToken,
    AddressSafety,
    Anonymous,
    ApiKey,
    BearerToken,
    Client,
    Mask,
    Owned,
    Timeouts,
)
from workflows_ui.members.models import Flavour, Workspace, place
from workflows_ui.members.services import access
from workflows_ui.notifications import services as notifications
from workflows_ui.notifications.models import NoticeKind

#: Seconds for which an id is known to belong to a workspace, and the most ids of a kind: the newest are kept.
FOR, MOST = 600, 500
Auth = ApiKey | AccessToken | BearerToken | Anonymous


class NoCredential(Exception):
    """Neither the person nor their teams have a credential for this workspace."""


def auth_for(kind: str, secret: str, organization_id: str = "") -> Auth:
    """The client's credential for a secret of this kind. Raises ValueError if it is not valid in a header."""
    if kind == CredentialKind.API_KEY:
        return ApiKey(secret)
    if kind in KEPT_IN_RUNS:
        return AccessToken(secret, organization_id=organization_id or None)
    return BearerToken(secret)


class OwnedIds:
    """The engine client's `Owned`: a cache of the ids that belong to one workspace, so that not every call needs a check."""

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


@cache
def _safety(allowed: tuple[str, ...]) -> AddressSafety:
    return AddressSafety(allowed_networks=allowed)


def build(
    flavour: str,
    address: str,
    auth: Auth,
    *,
    project_id: str | None = None,
    owned: Owned | None = None,
    timeouts: Timeouts | None = None,
    mask: Mask | None = None,
    on_no_route: Callable[[], None] | None = None,
    largest_answer: int = LARGEST_ANSWER,
) -> Client:
    """A client for an engine. `address` is the gateway (Imbrace) or the API's base (Activepieces). Makes no call.

    The secrets in `mask`, by default that of `auth`, are masked in answers. Raises AddressRefused for a forbidden address.
    """
    imbrace = flavour == Flavour.IMBRACE
    return Client(
        gateway=address if imbrace else None,
        engine_url=None if imbrace else address,
        auth=auth,
        project_id=project_id,
        owned=owned,
        looks=True,
        mask=mask,
        on_no_route=on_no_route,
        largest_answer=largest_answer,
        safety=_safety(tuple(settings.ENGINE_PRIVATE_NETWORKS)),
        timeouts=replace(timeouts or Timeouts(), wait=settings.ENGINE_RETRY_SECONDS),
        ca_bundle=settings.ENGINE_CA_BUNDLE or None,
        proxy=settings.ENGINE_PROXY or None,
    )


def client_for_credential(
    credential: Credential,
    *,
    timeouts: Timeouts | None = None,
    largest_answer: int = LARGEST_ANSWER,
    checked: bool = False,
) -> Client:
    """A client that acts with this credential in its workspace. `largest_answer` is in bytes. Raises crypto.CannotOpen.

    `checked`: for ids from a request. The client checks that each belongs to the workspace before any other call uses it.
    """
    workspace = credential.workspace
    secret, _password = open_secrets(credential)
    return build(
        workspace.flavour,
        workspace.address,
        auth_for(credential.kind, secret, credential.organization_id),
        project_id=workspace.project_id,
        owned=OwnedIds(workspace) if checked else None,
        timeouts=timeouts,
        mask=masking.workspace_mask(workspace, (secret,)),
        on_no_route=partial(engine_facts.advance_inspection, workspace.pk),
        largest_answer=largest_answer,
    )


def open_secrets(credential: Credential) -> tuple[str, str]:
    """Secret and stored password. Raises crypto.CannotOpen; each change of a row is audited once."""
    try:
        return credential.open("secret"), credential.open("password")
    except CannotOpen as problem:
        if not isinstance(problem, NotEntered):
            _report_change(credential, problem)
        raise


def refusal(credential: Credential) -> CannotOpen | None:
    """The error that keeps a credential from opening; None if it opens."""
    try:
        open_secrets(credential)
    except CannotOpen as problem:
        return problem
    return None


def _report_change(credential: Credential, problem: CannotOpen) -> None:
    """Audit a change once, and notify the owner. One UPDATE decides which of several requests does it."""
    workspace_changed = isinstance(problem, PlaceChanged)
    row: Workspace | Credential = credential.workspace if workspace_changed else credential
    values = row.bound_values()
    sealed = [str(getattr(row, field)) for field in row.sealed_fields]
    text = "\x1f".join([type(problem).__name__, *map(str, values.values()), *sealed])
    digest = salted_hmac("workflows_ui.refused", text, algorithm="sha256").hexdigest()
    with transaction.atomic():
        rows: QuerySet[Workspace] | QuerySet[Credential] = Credential.objects.filter(pk=credential.pk)
        if workspace_changed:
            rows = Workspace.objects.filter(pk=credential.workspace_id)
        if not rows.exclude(refused=digest).update(refused=digest):
            return
        if workspace_changed:
            workspace = credential.workspace
            audit_log.record(CONSOLE, "workspace.refused", workspace, outcome="refused", detail=place(workspace))
            return
        cause = "changed" if isinstance(problem, Changed) else "damaged"
        audit_log.record(CONSOLE, "credential.refused", credential, outcome="refused", cause=cause)
        tell_to_enter(credential, f"refused:{digest[:16]}")


def tell_to_enter(credential: Credential, key: str) -> None:
    """Notify the owner that the secret must be entered again; `key` identifies the occasion."""
    notifications.notify(
        credential.owner,
        NoticeKind.CREDENTIAL_TO_ENTER,
        f"credential:{credential.pk}:{key}",
        url=reverse("credential", args=[credential.workspace.slug, credential.pk]),
        workspace=credential.workspace,
        name=credential.name,
        moved=key.startswith("moved"),
    )


def holds(credential: Credential, secret: str) -> bool:
    """Whether this is the credential's secret; False also if it cannot be opened."""
    try:
        return hmac.compare_digest(credential.open("secret").encode(), secret.encode())
    except CannotOpen:
        return False


def client_for_person(
    user: User,
    workspace: Workspace,
    *,
    timeouts: Timeouts | None = None,
    checked: bool = False,
    chosen: UUID | None = None,
) -> tuple[Client, Credential]:
    """The client that acts for a person in a workspace, and the credential it uses; `checked` as for `client_for_credential`.

    `chosen`: the primary key of the one that the person chose. Raises NoCredential, also if that one is no longer theirs to use, and
    crypto.CannotOpen.
    """
    if chosen is None:
        credential = access.credential(user, workspace)
    else:
        options = (option.credential for option in access.credential_options(user, workspace))
        credential = next((option for option in options if option.pk == chosen), None)
    if credential is None:
        raise NoCredential
    return client_for_credential(credential, timeouts=timeouts, checked=checked), credential
