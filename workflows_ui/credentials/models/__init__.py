"""Models of credentials and of the capabilities of engines."""

from workflows_ui.credentials.models.capability import Ability, Capability, Inspection
from workflows_ui.credentials.models.credential import (
    KEPT_IN_RUNS,
    SIGNED_IN_KINDS,
    Credential,
    CredentialReminder,
    CredentialSecret,
    CredentialShare,
    Health,
    Kind,
)

__all__ = [
    "KEPT_IN_RUNS",
    "SIGNED_IN_KINDS",
    "Ability",
    "Capability",
    "Credential",
    "CredentialReminder",
    "CredentialSecret",
    "CredentialShare",
    "Health",
    "Inspection",
    "Kind",
]
