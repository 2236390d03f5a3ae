"""Probes of an engine's capabilities: one harmless read for each, and the meaning of a refusal. Does not use the database.

Activepieces lacks some of Imbrace's routes, old builds lack others, and plans refuse some with 402 (api.md 15 and 17). A refusal of the
credential (403) or a failed connection says nothing about the engine.
"""

import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from workflows_ui.credentials.models import Ability, Credential
from workflows_ui.engine import (
    Client,
    CredentialRefused,
    EngineError,
    Forbidden,
    NoRoute,
    NotFound,
    NotInPlan,
    NotSent,
    RateLimited,
    Refused,
    Workflows,
)

#: An id in the engine's shape without an object, which is enough to detect a route.
_NOTHING = "0" * 21
#: The capabilities that a read can detect. Lists are requested with one row; none of these calls changes anything.
LOOKS: Mapping[str, Callable[[Workflows], object]] = {
    "flows": lambda workflows: workflows.list_flows(limit=1),
    "flow-versions": lambda workflows: workflows.list_flow_versions(_NOTHING, limit=1),
    "flow-templates": lambda workflows: workflows.get_flow_template(_NOTHING),
    "runs": lambda workflows: workflows.list_runs(limit=1),
    "sample-events": lambda workflows: workflows.list_trigger_events(_NOTHING, limit=1),
    "trigger-figures": lambda workflows: workflows.get_trigger_run_status(),
    "folders": lambda workflows: workflows.list_folders(limit=1),
    "connections": lambda workflows: workflows.list_connections(limit=1),
    "tables": lambda workflows: workflows.list_tables(limit=1),
    "table-records": lambda workflows: workflows.list_records(_NOTHING, limit=1),
    "mcp-servers": lambda workflows: workflows.list_mcp_servers(limit=1),
    "project-invitations": lambda workflows: workflows.list_invitations("PROJECT", limit=1),
    "platform-invitations": lambda workflows: workflows.list_invitations("PLATFORM", limit=1),
    "channel-automations": lambda workflows: workflows.list_channel_automation(),
}
#: Capabilities that only use can detect: they have no read, and a write is never made as a probe.
LEARNT = ("run-retry", "run-cancel", "run-archive", "mcp-server-making")
NAMES = (*LOOKS, *LEARNT)
#: Services of the gateway, whose 404 has another body if they do not exist (api.md 17).
_GATEWAY_SERVICES = frozenset({"channel-automations"})
#: The capabilities by which a test describes the access of a credential.
MAY = ("flows", "runs", "folders", "connections", "tables", "mcp-servers")
#: A used-up quota is temporary; only a disabled feature is a property of the plan.
_TEMPORARY = frozenset({"QUOTA_EXCEEDED", "AI_CREDIT_LIMIT_EXCEEDED"})
#: Seconds after which no further probe is made.
BUDGET = 30.0


@dataclass(frozen=True)
class Verdict:
    """The state of a capability by one answer, with the answer's `status` and `code`."""

    state: Ability
    status: int | None = None
    code: str = ""


@dataclass
class Survey:
    """The result of the probes: verdicts with the credential that was used, by name; and the error that stopped them, if any."""

    verdicts: dict[str, tuple[Verdict, Credential]] = field(default_factory=dict)
    stopped: EngineError | None = None


def verdict(name: str, error: EngineError) -> Verdict | None:
    """The verdict of a refusal; None if it says nothing about the engine."""
    status, code = error.status, error.code[:60]
    if isinstance(error, NotInPlan):
        return None if code in _TEMPORARY else Verdict(Ability.NOT_IN_PLAN, status, code)
    if absent(error) or (name in _GATEWAY_SERVICES and isinstance(error, NotFound) and not code):
        return Verdict(Ability.NO, status, code)
    if name == "project-invitations" and isinstance(error, Refused) and code == "VALIDATION":
        # A personal project has no invitations, for any caller (recording `invites_list_project`).
        return Verdict(Ability.NO, status, code)
    if isinstance(error, Forbidden):
        return Verdict(Ability.UNKNOWN, status, code)
    return None


def absent(error: EngineError) -> bool:
    """Whether the engine has no such route, rather than no such object."""
    return isinstance(error, NoRoute) or error.code == "NOT_ON_THIS_ENGINE"


def look(candidates: Iterable[tuple[Credential, Client]], names: Iterable[str] = LOOKS) -> Survey:
    """Probe the engine. A probe that one credential may not make is repeated with the next. Raises no EngineError, uses no database."""
    survey, ends = Survey(), time.monotonic() + BUDGET
    open_names = list(names)
    for credential, client in candidates:
        survey.stopped = None
        for name in list(open_names):
            if time.monotonic() > ends:
                return survey
            try:
                LOOKS[name](client.workflows)
                result: Verdict | None = Verdict(Ability.YES, 200)
            except (CredentialRefused, NotSent, RateLimited) as error:
                # All other probes would get the same answer.
                survey.stopped = error
                break
            except EngineError as error:
                result = verdict(name, error)
                if result is None and isinstance(error, NotFound | Refused) and error.code:
                    # The engine's handler answered about the object: the route exists.
                    result = Verdict(Ability.YES, error.status, error.code[:60])
            if result is not None:
                survey.verdicts[name] = (result, credential)
                if result.state is not Ability.UNKNOWN:
                    open_names.remove(name)
        if not open_names or isinstance(survey.stopped, NotSent | RateLimited):
            break
    return survey


def allowed(survey: Survey, credential_id: uuid.UUID) -> dict[str, list[str]]:
    """The access of the first credential, as names of `MAY`. Names without a verdict are in neither list."""
    may, may_not = [], []
    for name in MAY:
        if name not in survey.verdicts:
            continue
        result, prober = survey.verdicts[name]
        # A refused probe was repeated with the next credential.
        if prober.pk != credential_id or result.status == HTTPStatus.FORBIDDEN:
            may_not.append(name)
        elif result.state == Ability.YES:
            may.append(name)
    return {"may": may, "may_not": may_not}
