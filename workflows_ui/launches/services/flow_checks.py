"""Check of a flow just before its launch, with the credential that will be used, so that obstacles are found before anything is sent.

Without it, an expired credential would leave a launch of which it is unclear whether it ran.
"""

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass

from workflows_ui.credentials.models import Credential
from workflows_ui.engine import (
    AddressRefused,
    Client,
    CredentialRefused,
    EngineError,
    NotInPlan,
    NotSent,
    Refused,
    Timeouts,
    TooLarge,
)
from workflows_ui.launches.models import Reason

#: Timeouts of the check, well within the lease of a claim (sending.CLAIM_LEASE); seconds for which a passed check is valid.
TIMEOUTS = Timeouts(connect=5.0, read=8.0, total=10.0, pause=2.0)
HOLDS = 30.0
#: Cached checks; the oldest are dropped first.
_MOST = 5000
#: Reasons by the engine's status.
CREDENTIAL_REASONS = {401: Reason.CREDENTIAL_REFUSED, 402: Reason.NOT_IN_PLAN, 403: Reason.FORBIDDEN}
_REASONS = {**CREDENTIAL_REASONS, 404: Reason.FLOW_GONE, 410: Reason.FLOW_GONE}

_passed: OrderedDict[tuple[str, int, str], float] = OrderedDict()
_lock = threading.Lock()


@dataclass(eq=False)
class CannotLaunch(Exception):
    """The launch cannot be sent, for `reason`; `technical` is the engine's message."""

    reason: Reason
    technical: str = ""


@dataclass(eq=False)
class NotReady(Exception):
    """The engine was reached but gave no usable answer. `retry_after`: seconds that it asks to wait, 0 if unspecified."""

    technical: str
    retry_after: float


def needed(credential: Credential, flow_id: str) -> bool:
    """Whether this process has no valid check of the flow with the credential's current secret."""
    with _lock:
        return time.monotonic() - _passed.get(_key(credential, flow_id), -HOLDS) >= HOLDS


def check(client: Client, credential: Credential, flow_id: str) -> None:
    """Read the flow from the engine, without using the database.

    Raises:
        CannotLaunch: the engine, or something in front of it, refuses the request, or the flow is off.
        NotReady: the engine was reached but gave no usable answer.
        NotSent: the engine could not be reached.
        ValueError: `flow_id` is not a valid id.
    """
    try:
        flow = client.workflows.get_flow(flow_id)
    except (AddressRefused, ValueError):
        raise
    except TooLarge:
        return  # it exists and may be read
    except EngineError as problem:
        technical = f"{problem.technical}: {problem.message}"
        reason = _reason(problem)
        if reason is not None:
            raise CannotLaunch(reason, technical) from None
        if isinstance(problem, NotSent):
            raise
        raise NotReady(technical, problem.retry_after or 0.0) from None
    if flow.get("status") == "DISABLED":
        raise CannotLaunch(Reason.FLOW_OFF)
    with _lock:
        _passed[_key(credential, flow_id)] = time.monotonic()
        _passed.move_to_end(_key(credential, flow_id))
        while len(_passed) > _MOST:
            _passed.popitem(last=False)


def _reason(problem: EngineError) -> Reason | None:
    if isinstance(problem, CredentialRefused):
        return Reason.CREDENTIAL_REFUSED
    if isinstance(problem, NotInPlan):
        return Reason.NOT_IN_PLAN
    return _REASONS.get(problem.status or 0, Reason.BAD_REQUEST if isinstance(problem, Refused) else None)


def _key(credential: Credential, flow_id: str) -> tuple[str, int, str]:
    return str(credential.pk), hash(credential.secret), flow_id
