"""A client of the workflow engine over HTTP: an Imbrace gateway or a plain Activepieces. Knows neither Django nor Celery.

    client = Client(env="stable", auth=ApiKey("api_..."))
    client.workflows.list_flows(limit=100)["data"]

Everything raises `EngineError` and its subclasses, and ValueError for arguments that cannot be meant.
"""

from .auth import AccessToken, ApiKey, BearerToken, Credential, Nobody
from .calls import Flavour
from .client import ENVIRONMENTS, Client
from .errors import (
    AddressRefused,
    CredentialRefused,
    EngineError,
    FlowFailed,
    Forbidden,
    HiddenValue,
    NotFound,
    NotInPlan,
    NotSent,
    Refused,
    ScopedKey,
    TooLarge,
    TooMany,
    Unavailable,
    Unknown,
    Unreachable,
    WrongOrganization,
)
from .flow_tree import Node, steps_by_name, walk
from .masking import HIDDEN, Mask
from .multipart import Upload
from .safety import AddressSafety
from .transport import Timeouts, close_pools
from .trigger import Outcome, TriggerAnswer
from .workflows import Workflows

__all__ = [
    "ENVIRONMENTS",
    "HIDDEN",
    "AccessToken",
    "AddressRefused",
    "AddressSafety",
    "ApiKey",
    "BearerToken",
    "Client",
    "Credential",
    "CredentialRefused",
    "EngineError",
    "Flavour",
    "FlowFailed",
    "Forbidden",
    "HiddenValue",
    "Mask",
    "Nobody",
    "Node",
    "NotFound",
    "NotInPlan",
    "NotSent",
    "Outcome",
    "Refused",
    "ScopedKey",
    "Timeouts",
    "TooLarge",
    "TooMany",
    "TriggerAnswer",
    "Unavailable",
    "Unknown",
    "Unreachable",
    "Upload",
    "Workflows",
    "WrongOrganization",
    "close_pools",
    "steps_by_name",
    "walk",
]
