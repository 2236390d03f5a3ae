"""Asks an engine what it can do: one harmless read a capability, and what each refusal says. Touches no database.

Activepieces lacks some of Imbrace's routes, old builds lack others, and plans refuse some with 402 (api.md 15 and 17). What is the
credential's own fault (403) or the way's (an engine that is down) says nothing about the engine.
"""

import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from workflows_ui.engine import (
    Client,
    CredentialRefused,
    EngineError,
    Forbidden,
    NotFound,
    NotInPlan,
    NotSent,
    Refused,
    TooMany,
    Workflows,
)
from workflows_ui.models import Ability, Credential

#: An id in the engine's shape that belongs to nothing: enough to see whether a route is there.
_NOTHING = "0" * 21
#: Each capability that a read tells of. Lists are asked for one row; none of these calls changes anything.
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
#: What only using it tells: there is no read beside the write, and a write is never made to find out.
LEARNT = ("run-retry", "run-cancel", "run-archive")
NAMES = (*LOOKS, *LEARNT)
#: A service beside the engine says 404 in words of its own where it is not there (api.md 17).
_BESIDE = frozenset({"channel-automations"})
#: What a test looks at to say what a credential may do.
MAY = ("flows", "runs", "folders", "connections", "tables", "mcp-servers")
#: A used-up quota comes back by itself; only a feature that is switched off is a property of the plan.
_PASSING = frozenset({"QUOTA_EXCEEDED", "AI_CREDIT_LIMIT_EXCEEDED"})
#: A look asks no more after so many seconds.
BUDGET = 30.0


@dataclass(frozen=True)
class Verdict:
    """What one answer says about a capability; `status` and `code` are the answer's."""

    state: Ability
    status: int | None = None
    code: str = ""


@dataclass
class Survey:
    """What one look saw: verdicts with the credential that got them, by name; and what ended it early, if anything did."""

    verdicts: dict[str, tuple[Verdict, Credential]] = field(default_factory=dict)
    stopped: EngineError | None = None


def verdict(name: str, error: EngineError) -> Verdict | None:
    """What a refusal says about a capability; None where it says nothing about the engine."""
    status, code = error.status, error.code[:60]
    if isinstance(error, NotInPlan):
        return None if code in _PASSING else Verdict(Ability.NOT_IN_PLAN, status, code)
    if absent(error) or (name in _BESIDE and isinstance(error, NotFound) and not code):
        return Verdict(Ability.NO, status, code)
    if name == "project-invitations" and isinstance(error, Refused) and code == "VALIDATION":
        # A personal project has none, whoever asks (recording `invites_list_project`).
        return Verdict(Ability.NO, status, code)
    if isinstance(error, Forbidden):
        return Verdict(Ability.UNKNOWN, status, code)
    return None


def absent(error: EngineError) -> bool:
    """Whether the engine has no such route, rather than no such object (recording `err_route_not_found`; other builds name the route)."""
    if not isinstance(error, NotFound):
        return False
    said = error.message.lower()
    unknown = said.startswith("route ") and said.endswith("not found")
    return error.code == "NOT_ON_THIS_ENGINE" or (error.status == 404 and not error.code and unknown)


def look(candidates: Iterable[tuple[Credential, Client]], names: Iterable[str] = LOOKS) -> Survey:
    """Asks the engine. What one credential may not see is asked of the next one. Raises nothing of the engine's, touches no database."""
    survey, ends = Survey(), time.monotonic() + BUDGET
    open_names = list(names)
    for credential, client in candidates:
        survey.stopped = None
        for name in list(open_names):
            if time.monotonic() > ends:
                return survey
            try:
                LOOKS[name](client.workflows)
                seen: Verdict | None = Verdict(Ability.YES, 200)
            except (CredentialRefused, NotSent, TooMany) as error:
                # All the other questions would be answered in the same way.
                survey.stopped = error
                break
            except EngineError as error:
                seen = verdict(name, error)
                if seen is None and isinstance(error, NotFound | Refused) and error.code:
                    # The engine's own handler spoke of the object: the route is there.
                    seen = Verdict(Ability.YES, error.status, error.code[:60])
            if seen is not None:
                survey.verdicts[name] = (seen, credential)
                if seen.state is not Ability.UNKNOWN:
                    open_names.remove(name)
        if not open_names or isinstance(survey.stopped, NotSent | TooMany):
            break
    return survey


def allowed(survey: Survey, credential_id: uuid.UUID) -> dict[str, list[str]]:
    """What the credential that was asked first may look at, and what it may not: names of `MAY`. What cannot be told is in neither."""
    may, may_not = [], []
    for name in MAY:
        if name not in survey.verdicts:
            continue
        seen, by = survey.verdicts[name]
        # What it may not see was asked of the next one.
        if by.pk != credential_id or seen.status == HTTPStatus.FORBIDDEN:
            may_not.append(name)
        elif seen.state == Ability.YES:
            may.append(name)
    return {"may": may, "may_not": may_not}
