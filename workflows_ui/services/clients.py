"""Builds engine clients from credentials: the only place, beside testing a new one, where a secret is opened."""

import hmac
from functools import partial

from django.conf import settings

from workflows_ui.crypto import CannotOpen
from workflows_ui.engine import AccessToken, AddressSafety, ApiKey, BearerToken, Client, Mask, Nobody, Timeouts
from workflows_ui.models import KEPT_IN_RUNS, Credential, Flavour, Kind, User, Workspace
from workflows_ui.services import access, masking

Auth = ApiKey | AccessToken | BearerToken | Nobody


class NoCredential(Exception):
    """No credential of the person's own or of their teams opens this workspace."""


def build(
    flavour: str,
    address: str,
    kind: str,
    secret: str,
    *,
    organization_id: str = "",
    project_id: str | None = None,
    timeouts: Timeouts | None = None,
    mask: Mask | None = None,
) -> Client:
    """A client for an engine. `address` is the gateway (Imbrace) or the API's base (Activepieces). Makes no call.

    What comes back is cleared of the secrets in `mask`, by default of this one. Raises AddressRefused for an address that is never
    called, ValueError for a secret that no header could carry.
    """
    auth: Auth
    if kind == Kind.API_KEY:
        auth = ApiKey(secret)
    elif kind in KEPT_IN_RUNS:
        auth = AccessToken(secret, organization_id=organization_id or None)
    else:
        auth = BearerToken(secret)
    return with_auth(flavour, address, auth, project_id=project_id, timeouts=timeouts, mask=mask)


def with_auth(
    flavour: str,
    address: str,
    auth: Auth,
    *,
    project_id: str | None = None,
    timeouts: Timeouts | None = None,
    mask: Mask | None = None,
) -> Client:
    """A client for an engine with whatever proves who calls, or nothing that does. Raises AddressRefused."""
    build_client = partial(
        Client,
        auth=auth,
        project_id=project_id,
        mask=mask,
        safety=AddressSafety(allowed_networks=settings.ENGINE_PRIVATE_NETWORKS),
        timeouts=timeouts or Timeouts(),
        ca_bundle=settings.ENGINE_CA_BUNDLE or None,
        proxy=settings.ENGINE_PROXY or None,
    )
    return build_client(gateway=address) if flavour == Flavour.IMBRACE else build_client(engine_url=address)


def of_credential(credential: Credential, *, timeouts: Timeouts | None = None) -> Client:
    """A client that acts with this credential in its workspace. Raises crypto.CannotOpen."""
    workspace = credential.workspace
    secret = credential.open("secret")
    return build(
        workspace.flavour,
        workspace.address,
        credential.kind,
        secret,
        organization_id=credential.organization_id,
        project_id=workspace.project_id,
        timeouts=timeouts,
        mask=masking.of(workspace, (secret,)),
    )


def holds(credential: Credential, secret: str) -> bool:
    """Whether this is the credential's secret; False also where it cannot be opened."""
    try:
        return hmac.compare_digest(credential.open("secret").encode(), secret.encode())
    except CannotOpen:
        return False


def of_person(user: User, workspace: Workspace, *, timeouts: Timeouts | None = None) -> tuple[Client, Credential]:
    """The client that acts for a person in a workspace, and the credential it uses. Raises NoCredential, crypto.CannotOpen."""
    credential = access.credential(user, workspace)
    if credential is None:
        raise NoCredential
    return of_credential(credential, timeouts=timeouts), credential
