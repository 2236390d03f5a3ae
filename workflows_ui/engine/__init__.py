"""A client of the workflow engine over HTTP: an Imbrace gateway or a plain Activepieces. Knows neither Django nor Celery.

    client = Client(env="stable", auth=ApiKey("api_..."))
    client.workflows.list_flows(limit=100)["data"]

Raises `EngineError` and its subclasses, and ValueError for invalid arguments.
"""

from .auth import AccessToken, Anonymous, ApiKey, BearerToken, Credential, claims
from .calls import Flavour, NotHere, Owned
from .client import ENVIRONMENTS, Client, Workflows
from .errors import (
    AddressRefused,
    CredentialRefused,
    EngineError,
    FlowFailed,
    Forbidden,
    HiddenValue,
    InProgress,
    NoRoute,
    NotFound,
    NotInPlan,
    NotSent,
    RateLimited,
    Refused,
    ScopedKey,
    SessionEnded,
    TooLarge,
    Unavailable,
    Unknown,
    UnknownReference,
    Unreachable,
    UserInactive,
    WrongOrganization,
    WrongProject,
)
from .flow_tree import Node, steps_by_name, walk
from .masking import HIDDEN, Mask, alternatives, encoded_forms, escaped_forms
from .multipart import Upload
from .safety import AddressSafety
from .transport import LARGEST_ANSWER, USER_AGENT, Timeouts, close_pools
from .trigger import EncodedJson, Outcome, TriggerAnswer
