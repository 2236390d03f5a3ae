"""The first turns of a bulk action: the state of a turn, the matching objects, and what the action affects."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import structlog
from django import forms

from workflows_ui.core import database
from workflows_ui.core.text import Text, in_each_language
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import EngineError, NotFound
from workflows_ui.jobs.models import ItemState, Job, JobItem
from workflows_ui.jobs.services import turns as job_turns
from workflows_ui.jobs.services.jobs import Found, Reason
from workflows_ui.lists.declaration import Row
from workflows_ui.resource_admin import action_forms, action_log, pagination
from workflows_ui.resource_admin.actions import Action, Affected, Bulk, Data, Procedure
from workflows_ui.resource_admin.resource import Resource

log = structlog.get_logger(__name__)

#: Seconds after which a turn ends, so that other jobs get theirs.
TURN = 20.0
#: Objects whose impact is read before the question.
LOOKED = 20
_LONGEST_ID = 300


@dataclass
class Work:
    """The state of a turn. `apart`: one call per object; `data`: the form's values; `called`: whether what may change the objects in hand
    was called.
    """

    job: Job
    resource: Resource
    action: Action
    session: EngineSession
    ends: float
    apart: bool
    data: Data
    called: bool = False

    @property
    def procedure(self) -> Procedure | None:
        return self.action.bulk.procedure if self.action.bulk else None

    @property
    def bulk(self) -> Bulk:
        """The settings of the action. Only actions with them are worked on (begin)."""
        assert self.action.bulk is not None  # noqa: S101  (for the type checker)
        return self.action.bulk

    @property
    def over(self) -> bool:
        """Whether the turn's time is up."""
        return time.monotonic() >= self.ends

    @cached_property
    def form(self) -> forms.Form:
        """The action's form, for the labels of its choices. Raises EngineError if it calls the engine."""
        return action_forms.unbound(self.action, self.session, {})

    def read(self, row: Row) -> Row:
        """A row with secrets masked, as pages show it."""
        return self.resource.masked(self.session, [row])[0]


def begin(job: Job, resources: Mapping[str, Resource]) -> Work:
    """Prepare a turn. Raises EndsEarly if the action is no longer declared; NoAccess, NotAllowed, NoCredential,
    CannotOpen, AddressRefused.
    """
    resource = resources.get(job.resource)
    action = resource.job_action(job.action) if resource else None
    if resource is None or action is None or action.bulk is None:
        raise job_turns.EndsEarly(Reason.NOT_DECLARED)
    needed = max(action.role, resource.role, key=lambda role: role.rank)
    session = job_turns.caller_of(job, needed)
    data = json.loads(job.open("data") or "{}")
    return Work(job, resource, action, session, time.monotonic() + TURN, apart=action.bulk.together is None, data=data)


def collect(work: Work) -> bool:
    """Freeze the matching objects, then ask for confirmation. Return whether another turn is needed. Raises
    EngineError, Lost, EndsEarly.
    """
    job = work.job
    if job.everything and job.position != job_turns.WALKED:
        filters = pagination.query_of(work.resource, job.filters).filters
        with database.turn():
            known = set(job.items.values_list("object_id", flat=True))
        quick = replace(work.session, quick=True)
        for batch in pagination.walk(work.resource, quick, filters, position=job.position, known=known):
            rows = [(key, work.read(row)) for row in batch.rows if len(key := work.resource.key(row)) <= _LONGEST_ID]
            usable = [_found(work, key, row) for key, row in rows]
            with database.turn():
                job_turns.add(job, usable, batch.position or job_turns.WALKED, cut=batch.cut)
            if work.over:
                return True
        _count(work, filters)
    elif work.procedure and job.position != job_turns.WALKED:
        _collect_by_procedure(work, work.procedure)
    lines, looked = _read_impact(work)
    with database.turn():
        job_turns.ask_now(job, lines, looked, set(work.bulk.choices.values()))
    return False


def _found(work: Work, key: str, row: Row) -> Found:
    reason = work.bulk.why_skipped(row, {})
    return Found(key, action_log.name_among(work.resource, row), not reason and work.action.visible(row), reason)


def _collect_by_procedure(work: Work, procedure: Procedure) -> None:
    """Freeze the objects that the action finds; those of a retry are known. Raises EngineError, Lost, EndsEarly."""
    found: list[Found] = []
    try:
        if not work.job.total:
            listed, complete = procedure.collect(work.session, dict(work.data), lambda: _hold(work))
            found = [Found(key, database.storable(name)) for key, name in listed]
            work.job.cut = not complete
    except NotFound as problem:
        raise job_turns.EndsEarly(Reason.GONE, job_turns.technical(problem)) from problem
    with database.turn():
        job_turns.add(work.job, found, job_turns.WALKED)


def _hold(work: Work) -> None:
    with database.turn():
        job_turns.hold(work.job)


def _count(work: Work, filters: Mapping[str, object]) -> None:
    """Store the engine's own count. If the engine does not answer, the list is trusted."""
    try:
        counted = work.resource.count(work.session, filters)
    except EngineError as problem:
        log.warning("job.not_counted", job=work.job.pk, problem=type(problem).__name__)
        return
    with database.turn():
        job_turns.count(work.job, counted)


def _read_impact(work: Work) -> tuple[list[object], int]:
    """The impact on the first objects, as [name, sentence, [name, ...], choice], and how many objects were read for it. Sentences and names
    are in each language.
    """
    lines: list[object] = []
    looked = 0
    procedure = work.procedure
    if not procedure and work.action.impact is None:
        return lines, looked
    with database.turn():
        waiting = work.job.items.filter(state=ItemState.WAITING).order_by("position")
        items = list(waiting if work.procedure else waiting[:LOOKED])
    for item in items:
        _hold(work)
        try:
            row = work.read(work.resource.get(work.session, item.object_id))
            if not work.action.visible(row):
                _leave_out(item, Reason.NOT_OFFERED)
                continue
            if procedure:
                impact: Affected | None = procedure.impact(work.session, row, work.data)
            else:
                impact = work.action.impact(work.session, row) if work.action.impact else None
        except NotFound:
            _leave_out(item, Reason.GONE)
            continue
        except EngineError as problem:
            if job_turns.ending(problem) is not None:
                raise
            log.warning("job.not_looked_at", job=work.job.pk, problem=type(problem).__name__)
            break
        looked += 1
        if impact is not None:
            names = [_stored(name, 200) for name, _url in impact.lines[:LOOKED]]
            name = action_log.name_among(work.resource, row) or item.object_id
            lines.append([name[:200], _stored(impact.summary, 1000), names, impact.choice])
    return lines, looked


def _stored(text: Text, most: int) -> dict[str, str]:
    return {code: database.storable(found)[:most] for code, found in in_each_language(text).items()}


def _leave_out(item: JobItem, reason: Reason) -> None:
    with database.turn():
        job_turns.skip(item, reason)
