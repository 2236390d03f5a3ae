"""The capabilities of a workspace's engine: probed once a day and on request, and learnt from use.

A probe is one harmless read. Activepieces lacks some of Imbrace's routes, old builds lack others, and plans refuse some with 402 (api.md 15
and 17). A refusal of the credential (403) or a failed connection says nothing about the engine: an inconclusive probe does not change a
known state.
"""

import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http import HTTPStatus

import structlog
from django.db.models import Q

from workflows_ui.core import clock, database
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.core.lease import backoff
from workflows_ui.core.prepared import Prepared
from workflows_ui.credentials.models import Ability, Capability, Credential, Health, Inspection
from workflows_ui.credentials.services import clients, credential_tests, engine_facts
from workflows_ui.credentials.services.engine_facts import Facts
from workflows_ui.engine import (
    AddressRefused,
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
    Unknown,
    Workflows,
)
from workflows_ui.members.models import Workspace

log = structlog.get_logger(__name__)

#: After this time another worker takes over an inspection.
LEASE = timedelta(minutes=2)
DAILY = timedelta(days=1)
#: The pause after a failed inspection, doubled with each failure, up to a day.
AGAIN = timedelta(minutes=5)
#: States learnt from use are reset after this time, so that they are tried again.
BELIEVED = timedelta(days=7)
#: The most credentials of one inspection; the most workspaces of one sweep.
CREDENTIALS, SWEPT = 3, 50

#: An id in the engine's shape without an object, which is enough to detect a route.
_NOTHING = "0" * 21
#: The capabilities that a read can detect. Lists are requested with one row; none of these calls changes anything.
PROBES: Mapping[str, Callable[[Workflows], object]] = {
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
LEARNT = (
    *("run-retry", "run-cancel", "run-archive", "step-test", "draft-test", "mcp-server-making"),
    "invitation-revoking",
)
NAMES = (*PROBES, *LEARNT)
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
    """The state of a capability by one answer, with the answer's `status` and `code`, and the credential that got it."""

    state: Ability
    status: int | None = None
    code: str = ""
    credential_id: uuid.UUID | None = None


@dataclass
class Survey:
    """The result of the probes: verdicts by name, and the error that stopped them, if any."""

    verdicts: dict[str, Verdict] = field(default_factory=dict)
    stopped: EngineError | None = None


def judge(name: str, error: EngineError) -> Verdict | None:
    """The verdict of a refusal; None if it says nothing about the engine."""
    status, code = error.status, error.code[:60]
    # The answer to a write proves nothing about the write, but is a hint about the engine.
    kind = error.cause if isinstance(error, Unknown) and error.cause else type(error)
    if issubclass(kind, NotInPlan):
        return None if code in _TEMPORARY else Verdict(Ability.NOT_IN_PLAN, status, code)
    no_route = issubclass(kind, NoRoute) or code == "NOT_ON_THIS_ENGINE"
    if no_route or (name in _GATEWAY_SERVICES and issubclass(kind, NotFound) and not code):
        return Verdict(Ability.NO, status, code)
    if name == "project-invitations" and issubclass(kind, Refused) and code == "VALIDATION":
        # A personal project has no invitations, for any caller (recording `invites_list_project`).
        return Verdict(Ability.NO, status, code)
    if issubclass(kind, Forbidden):
        return Verdict(Ability.UNKNOWN, status, code)
    return None


def look(candidates: Iterable[tuple[Credential, Client]], names: Iterable[str] = PROBES) -> Survey:
    """Probe the engine. A probe that one credential may not make is repeated with the next. Raises no EngineError, uses no database."""
    survey, ends = Survey(), time.monotonic() + BUDGET
    open_names = list(names)
    for credential, client in candidates:
        survey.stopped = None
        for name in list(open_names):
            if time.monotonic() > ends:
                return survey
            try:
                PROBES[name](client.workflows)
                result: Verdict | None = Verdict(Ability.YES, 200)
            except (CredentialRefused, NotSent, RateLimited) as error:
                # All other probes would get the same answer.
                survey.stopped = error
                break
            except EngineError as error:
                result = judge(name, error)
                if result is None and isinstance(error, NotFound | Refused) and error.code:
                    # The engine's handler answered about the object: the route exists.
                    result = Verdict(Ability.YES, error.status, error.code[:60])
            if result is not None:
                survey.verdicts[name] = replace(result, credential_id=credential.pk)
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
        result = survey.verdicts[name]
        # A refused probe was repeated with the next credential.
        if result.credential_id != credential_id or result.status == HTTPStatus.FORBIDDEN:
            may_not.append(name)
        elif result.state == Ability.YES:
            may.append(name)
    return {"may": may, "may_not": may_not}


_lacking = Prepared(
    lambda workspace: Capability.objects.filter(
        workspace=workspace, state__in=(Ability.NO, Ability.NOT_IN_PLAN)
    ).values_list("name", "state"),
    int,
)


def read_capabilities(workspace: Workspace) -> Mapping[str, Ability]:
    """The missing capabilities of the workspace's engine, by name, with the reason (NO or NOT_IN_PLAN). One query."""
    return {name: Ability(state) for name, state in _lacking(workspace.pk)}


def learn(workspace: Workspace, credential_id: str, name: str, error: EngineError | None = None) -> Ability | None:
    """Learn from the use of a capability, which worked (no error) or was refused; returns the reason if it is missing.

    Unknown names are ignored.
    """
    if name not in NAMES:
        return None
    verdict = Verdict(Ability.YES) if error is None else judge(name, error)
    if verdict is None or verdict.state is Ability.UNKNOWN:
        return None
    if not Capability.objects.filter(workspace=workspace, name=name, state=verdict.state).exists():
        known = Credential.objects.filter(pk=credential_id, workspace=workspace).values_list("pk", flat=True).first()
        verdict = replace(verdict, credential_id=known)
        _upsert([Capability(workspace=workspace, name=name, checked_at=clock.now(), **vars(verdict))])
        if verdict.state is not Ability.YES and name not in LEARNT:
            # One bad answer, for instance during an upgrade of the gateway, must not disable a capability for a whole day.
            soon = clock.now() + AGAIN
            Inspection.objects.filter(pk=workspace.pk, due_at__gt=soon).update(due_at=soon)
    return None if verdict.state is Ability.YES else verdict.state


def inspect_now(workspace: Workspace, credential: Credential) -> Survey:
    """Inspect the engine with one credential, at a person's request, and reset the states learnt from use. Raises CannotOpen."""
    client = clients.client_for_credential(credential, timeouts=credential_tests.TIMEOUTS)
    survey = look([(credential, client)])
    _store(workspace, survey, engine_facts.read(client) if survey.verdicts else None)
    if survey.verdicts:
        Inspection.objects.update_or_create(workspace=workspace, defaults=_outcome(reached=True))
    return survey


def request_inspection(credential: Credential) -> int:
    """Make an inspection due, first with this credential; returns the workspace's id, for the task."""
    Inspection.objects.update_or_create(
        workspace_id=credential.workspace_id, defaults={"due_at": clock.now(), "credential": credential}
    )
    return credential.workspace_id


def due() -> list[int]:
    """Ids of the workspaces whose inspection is due and not running. Those without a credential wait."""
    now = clock.now()
    waiting = Inspection.objects.filter(Inspection.lease.free(now), due_at__lte=now)
    rows = Workspace.objects.filter(Q(inspection=None) | Q(inspection__in=waiting))
    return list(rows.filter(pk__in=Credential.objects.values("workspace_id")).values_list("pk", flat=True)[:SWEPT])


def inspect(workspace_id: int) -> None:
    """Inspect the engine of a workspace, if that is due. Safe to call any number of times, from any number of workers."""
    with database.turn():
        inspection, usable = _claim(workspace_id)
    if inspection is None:
        return
    survey = look(usable)
    reached = bool(survey.verdicts)
    if not reached:
        log.info("inspect.failed", workspace=workspace_id, error=type(survey.stopped).__name__)
    facts = engine_facts.read(usable[0][1]) if reached else None
    with database.turn():
        _store(inspection.workspace, survey, facts, before=BELIEVED)
        if reached and usable[0][0].pk == inspection.credential_id:
            _add_access(usable[0][0], survey)
        Inspection.lease.finish(inspection, **_outcome(reached=reached, failures=inspection.failures))


def _claim(workspace_id: int) -> tuple[Inspection | None, list[tuple[Credential, Client]]]:
    """Claim the inspection, and build clients of the credentials to use: first of the one that caused it."""
    if not Workspace.objects.filter(pk=workspace_id).exists():
        return None, []
    now = clock.now()
    Inspection.objects.get_or_create(workspace_id=workspace_id, defaults={"due_at": now})
    due_now = Inspection.objects.filter(due_at__lte=now)
    inspection = Inspection.lease.claim(due_now, workspace_id, LEASE, now, ("workspace",))
    if inspection is None:
        return None, []
    rows = Credential.objects.filter(workspace=workspace_id).select_related("workspace").order_by("-created_at")
    first = [row for row in rows if row.pk == inspection.credential_id]
    others = [row for row in rows if row.pk != inspection.credential_id and row.health != Health.REFUSED]
    usable = []
    for credential in [*first, *others][:CREDENTIALS]:
        try:
            usable.append((credential, clients.client_for_credential(credential, timeouts=credential_tests.TIMEOUTS)))
        except (AddressRefused, CannotOpen, ValueError) as problem:
            log.warning("inspect.unusable", credential=str(credential.pk), error=type(problem).__name__)
    return inspection, usable


def _store(workspace: Workspace, survey: Survey, facts: Facts | None, before: timedelta = timedelta()) -> None:
    """Store the result of an inspection. UNKNOWN replaces no known state, except those learnt from use longer ago than `before`."""
    now = clock.now()
    rows = [
        Capability(workspace=workspace, name=name, checked_at=now, **vars(verdict))
        for name, verdict in survey.verdicts.items()
    ]
    _upsert([row for row in rows if row.state != Ability.UNKNOWN])
    Capability.objects.bulk_create([row for row in rows if row.state == Ability.UNKNOWN], ignore_conflicts=True)
    engine_facts.keep(workspace, facts)
    if survey.verdicts:
        # What no probe can find out may be tried again.
        learnt = Capability.objects.filter(workspace=workspace, name__in=LEARNT, checked_at__lte=now - before)
        learnt.exclude(state=Ability.YES).update(state=Ability.UNKNOWN)


def _add_access(credential: Credential, survey: Survey) -> None:
    """Add the access of a new secret to its findings, unless it was replaced or tested again meanwhile."""
    if all(verdict.credential_id != credential.pk for verdict in survey.verdicts.values()):
        return  # It was refused, and other credentials were used.
    rows = Credential.objects.filter(pk=credential.pk, secret=credential.secret, tested_at=credential.tested_at)
    rows.update(findings=credential.findings | allowed(survey, credential.pk))


def _outcome(*, reached: bool, failures: int = 0) -> dict[str, object]:
    """The values of the row after an inspection, with the time of the next one. `failures`: the number of earlier failures."""
    now = clock.now()
    if reached:
        return {"looked_at": now, "due_at": now + DAILY, "credential": None, "failures": 0}
    return {"due_at": now + backoff(AGAIN, failures + 1, DAILY), "credential": None, "failures": failures + 1}


def _upsert(rows: list[Capability]) -> None:
    Capability.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["workspace", "name"],
        update_fields=["state", "status", "code", "checked_at", "credential"],
    )
