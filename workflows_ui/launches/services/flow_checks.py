"""Check of a flow just before its launch, with the credential that will be used, so that obstacles are found before anything is sent.

Without it, an expired credential would leave a launch of which it is unclear whether it ran.
"""

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import timedelta

from workflows_ui.credentials.models import Credential
from workflows_ui.engine import Client, EngineError, Timeouts, errors as engine
from workflows_ui.engine_objects.flows import Flow
from workflows_ui.launches.models import Launch, Reason

#: Timeouts of the check, well within the lease of a claim (sending.CLAIM_LEASE); seconds for which a passed check is valid.
TIMEOUTS = Timeouts(connect=5.0, read=8.0, total=10.0, pause=2.0)
HOLDS = 30.0
#: Tolerated difference between the engine's clock and the console's: what was published so shortly before counts as a change.
CLOCKS = timedelta(minutes=1)
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
    """The engine was reached but gave no usable answer. `retry_after`: seconds that it asks to wait, 0 if unspecified.

    `engine_away`: this may hold for other flows too, as when a gateway answers in place of the engine (`engine_answers` finds out).
    """

    technical: str
    retry_after: float
    engine_away: bool = False


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
    _read(client, flow_id)
    with _lock:
        _passed[_key(credential, flow_id)] = time.monotonic()
        _passed.move_to_end(_key(credential, flow_id))
        while len(_passed) > _MOST:
            _passed.popitem(last=False)


def check_kept(client: Client, launch: Launch) -> None:
    """As `check` for a kept launch, always from the engine: it must not have been published again since the launch was requested.

    The version that was published at the time of the request passes whatever its times, which an upgrade of the engine may change.
    Another one passes if its own time is before the request.
    """
    flow = _read(client, launch.flow_id)
    if not flow:
        raise NotReady("The flow is too large to be read before a kept launch is sent.", 0.0)
    published = flow.published_version_id
    if not published or published == launch.flow_version:
        return
    if flow.version.id != published:
        flow = _read(client, launch.flow_id, published)
    changed = flow.version.updated if flow else None
    if changed is None or changed > launch.asked_at - CLOCKS:
        raise CannotLaunch(Reason.FLOW_CHANGED)


def engine_answers(client: Client) -> bool:
    """Whether the engine answers when it is asked for flows, so that a gateway's answer to the check of one concerns that flow alone.

    A refusal is an answer, as is a list that is too large.
    """
    try:
        client.workflows.list_flows(limit=1)
    except (engine.NotSent, engine.Unavailable) as problem:
        return isinstance(problem, engine.TooLarge)
    except EngineError:
        return True
    return True


def _read(client: Client, flow_id: str, version_id: str | None = None) -> Flow | None:
    """The flow, if it is on; None if it is too large to read."""
    try:
        flow = Flow(client.workflows.get_flow(flow_id, version_id))
    except (engine.AddressRefused, ValueError):
        raise
    except engine.TooLarge:
        return None  # it exists and may be read
    except EngineError as problem:
        technical = f"{problem.technical}: {problem.message}"
        reason = _reason(problem)
        if reason is not None:
            raise CannotLaunch(reason, technical) from None
        if isinstance(problem, engine.NotSent):
            raise
        raise NotReady(technical, problem.retry_after or 0.0, engine_away=problem.status not in (429, 500)) from None
    if flow.status == "DISABLED":
        raise CannotLaunch(Reason.FLOW_OFF)
    return flow


def _reason(problem: EngineError) -> Reason | None:
    if isinstance(problem, engine.CredentialRefused):
        return Reason.CREDENTIAL_REFUSED
    if isinstance(problem, engine.NotInPlan):
        return Reason.NOT_IN_PLAN
    return _REASONS.get(problem.status or 0, Reason.BAD_REQUEST if isinstance(problem, engine.Refused) else None)


def _key(credential: Credential, flow_id: str) -> tuple[str, int, str]:
    return str(credential.pk), hash(credential.secret), flow_id
