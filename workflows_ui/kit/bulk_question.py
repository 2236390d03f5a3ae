"""What comes before a bulk action's question: finding what matches, and looking at what else would be touched."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import structlog

from workflows_ui.engine import EngineError, NotFound
from workflows_ui.kit import action_log, job_troubles, walking
from workflows_ui.kit.bulk_hands import Work
from workflows_ui.kit.resource import Row
from workflows_ui.models import ItemState, JobItem
from workflows_ui.services import database, job_turns
from workflows_ui.services.jobs import Found, Reason

log = structlog.get_logger(__name__)

#: Objects that are looked at for what would be touched besides.
LOOKED = 20
_LONGEST_ID = 300


def collect(work: Work) -> bool:
    """Freezes what matches, then asks. Whether it needs another turn. Raises EngineError, Lost, BadFilters."""
    job = work.job
    if job.everything and job.position != job_turns.WALKED:
        filters = walking.filters_of(work.resource, job.filters)
        with database.turn():
            known = set(job.items.values_list("object_id", flat=True))
        quick = replace(work.asking, quick=True)
        for stretch in walking.walk(work.resource, quick, filters, position=job.position, known=known):
            stretched = [found(work, row) for row in stretch.rows]
            usable = [one for one in stretched if len(one.id) <= _LONGEST_ID]
            with database.turn():
                job_turns.add(job, usable, stretch.position or job_turns.WALKED, cut=stretch.cut)
            if work.over:
                return True
        _count(work, filters)
    lines, looked = _look(work)
    with database.turn():
        job_turns.ask_now(job, lines, looked)
    return False


def _count(work: Work, filters: Mapping[str, Any]) -> None:
    """Writes down how many the engine counts. Where it does not answer that, the list has to be believed."""
    try:
        counted = work.resource.count(work.asking, filters)
    except EngineError as problem:
        log.warning("job.not_counted", job=work.job.pk, problem=type(problem).__name__)
        return
    with database.turn():
        job_turns.count(work.job, counted)


def found(work: Work, row: Row) -> Found:
    """A row of the list as an object of the job."""
    shown = work.read(row)
    return Found(work.resource.key(row), action_log.name_among(work.resource, shown), work.action.offered(shown))


def _look(work: Work) -> tuple[list[Any], int]:
    """What the first objects' going would touch, as [name, sentence, [name, ...]], and how many were looked at."""
    lines: list[Any] = []
    looked = 0
    if work.action.affected is None:
        return lines, looked
    with database.turn():
        items = list(work.job.items.filter(state=ItemState.WAITING).order_by("position")[:LOOKED])
    for item in items:
        with database.turn():
            job_turns.hold(work.job)
        try:
            row = work.read(work.resource.get(work.asking, item.object_id))
            if not work.action.offered(row):
                _leave_out(item, Reason.NOT_OFFERED)
                continue
            told = work.action.affected(work.asking, row)
        except NotFound:
            _leave_out(item, Reason.GONE)
            continue
        except EngineError as problem:
            if job_troubles.ending(problem) is not None:
                raise
            log.warning("job.not_looked_at", job=work.job.pk, problem=type(problem).__name__)
            break
        looked += 1
        if told is not None:
            names = [database.storable(str(name))[:200] for name, _url in told.lines[:LOOKED]]
            named = action_log.name_among(work.resource, row) or item.object_id
            lines.append([named[:200], database.storable(str(told.summary))[:1000], names])
    return lines, looked


def _leave_out(item: JobItem, reason: Reason) -> None:
    with database.turn():
        job_turns.skip(item, reason)
