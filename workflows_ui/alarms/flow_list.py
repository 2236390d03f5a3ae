"""Reading of the engine's list of flows, every FLOWS_EVERY, with the credential of the run index: which are on, their schedules and owners.

A turn reads some pages, and the next check continues there. The engine's cursors lose rows (engine-0.83.md section 4): a flow that is
missing in a list of several pages is read by its id; one for which the engine has no clear answer keeps its state.
"""

import time
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import F, Q, QuerySet

from workflows_ui.alarms.models import SCHEDULE, FlowRhythm, FlowState
from workflows_ui.alarms.work import Work, save, set_alarm_times
from workflows_ui.core import database
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.core.paths import text_at
from workflows_ui.credentials.services import clients, sharing
from workflows_ui.engine import (
    AddressRefused,
    CredentialRefused,
    EngineError,
    NotFound,
    NotSent,
    RateLimited,
    Timeouts,
    TooLarge,
    Workflows,
)
from workflows_ui.engine_objects.flows import Flow
from workflows_ui.flows import reading
from workflows_ui.launches import flow_facts
from workflows_ui.members.services import members
from workflows_ui.resource_admin import whole_lists

log = structlog.get_logger(__name__)

#: Time between two readings of the list; one that began longer ago is begun again.
FLOWS_EVERY, TIMEOUTS = timedelta(minutes=10), Timeouts(read=15, total=18)
LONGEST = timedelta(minutes=30)
#: Calls of one turn, flows of a call, fewer if these are too large for an answer, and flows asked for by their ids in one reading.
CALLS, SIZE, SMALL, CHECKED = 5, whole_lists.AT_ONCE, 100, 50
#: Seconds for which flows are asked for by their ids: with all other calls of a turn, less than the lease of a check.
BUDGET = 60.0
#: How long it is known which members own flows.
OWNERS_KNOWN = timedelta(days=1)
_STATE = ("name", "owner_id", "state", "cron", "zone", "since", "listed_at", "alarm_at")


def read(work: Work) -> None:
    """One turn of reading the list, if it is due, and the credential is still shared. Call it outside of a database turn."""
    watch = work.watch
    if work.index.credential is None or (watch.flows_due_at is not None and watch.flows_due_at > work.now):
        return
    started = watch.flows_started_at
    with database.turn():
        if not sharing.genuine(credential=work.index.credential_id):
            return
        if started is None or started < work.now - LONGEST:
            started = work.now
            work.note(flows_started_at=started, flows_cursor="")
        # After an error, the list is not requested again immediately.
        work.note(flows_due_at=work.now + FLOWS_EVERY)
    try:
        client = clients.client_for_credential(work.index.credential, timeouts=TIMEOUTS)
        _read_pages(work, client.workflows, started)
    except (EngineError, CannotOpen, AddressRefused, ValueError) as problem:
        log.info("alarms.no_flows", workspace=work.index.pk, error=type(problem).__name__)
        with database.turn():
            work.note(flows_started_at=None)


def _read_pages(work: Work, workflows: Workflows, started: datetime) -> None:
    """Read pages until the list, which was begun then, or the turn ends. Raises EngineError."""
    size = SIZE
    for _call in range(CALLS):
        cursor = work.watch.flows_cursor
        try:
            answer = workflows.list_flows(limit=size, cursor=cursor or None)
        except TooLarge:
            if size == SMALL:
                raise
            size = SMALL
            continue
        flows, following = whole_lists.rows_of(answer), whole_lists.following(answer)
        if following != database.storable(following):
            raise ValueError("The database cannot store the engine's cursor.")
        with database.turn():
            _write(work, flows, started)
        if not following or not flows or following == cursor:
            _finish(work, workflows, started)
            return
        with database.turn():
            work.note(flows_cursor=following)
    with database.turn():
        work.note(flows_due_at=None)


def _finish(work: Work, workflows: Workflows, started: datetime) -> None:
    """Turn off the flows that are missing in the list. Raises EngineError, unless it concerns a single flow."""
    if work.watch.flows_cursor:
        with database.turn():
            rows = _unlisted(work, started).order_by(F("listed_at").asc(nulls_first=True), "pk")
            ids = list(rows.values_list("flow_id", flat=True)[:CHECKED])
        gone, found, unclear = list[str](), list[dict[str, object]](), list[str]()
        ends = time.monotonic() + BUDGET
        for flow_id in ids:
            if time.monotonic() >= ends:
                break
            try:
                found.append(workflows.get_flow(flow_id))
            except NotFound:
                gone.append(flow_id)
            except (NotSent, RateLimited, CredentialRefused):
                raise
            except EngineError as problem:
                log.info("alarms.no_flow", workspace=work.index.pk, flow=flow_id, error=type(problem).__name__)
                unclear.append(flow_id)
        with database.turn():
            _write(work, found, started)
            _turn_off(_unlisted(work, started).filter(flow_id__in=gone))
            # The next time, others come before them.
            work.rhythms.filter(flow_id__in=unclear).update(listed_at=started)
    else:
        with database.turn():
            _turn_off(_unlisted(work, started))
    with database.turn():
        work.note(flows_at=started, flows_started_at=None, flows_cursor="")
    _read_owners(work, workflows)


def _read_owners(work: Work, workflows: Workflows) -> None:
    """Note which members own flows: the engine's users with a confirmed address of theirs. One call for each owner that is not known.

    Raises EngineError, unless it concerns a single user.
    """
    with database.turn():
        fresh = work.watch.owners_at is not None and work.watch.owners_at > work.now - OWNERS_KNOWN
        known = dict(work.watch.owners) if fresh else {}
        rows = work.rhythms.exclude(owner_id="").exclude(owner_id__in=known)
        unknown = list(rows.values_list("owner_id", flat=True).order_by("owner_id").distinct()[:CHECKED])
    if not unknown and fresh:
        return
    addresses = dict[str, str]()
    for owner_id in unknown:
        try:
            addresses[owner_id] = text_at(workflows.get_user(owner_id), "email")
        except (NotSent, RateLimited, CredentialRefused):
            raise
        except EngineError as problem:
            log.info("alarms.no_owner", workspace=work.index.pk, error=type(problem).__name__)
            addresses[owner_id] = ""
    with database.turn():
        for owner_id, address in addresses.items():
            person = members.find_by_email(work.index.workspace, address) if address else None
            known[owner_id] = person.pk if person is not None else None
        work.note(owners=known, owners_at=work.watch.owners_at if fresh else work.now)


def _unlisted(work: Work, started: datetime) -> QuerySet[FlowRhythm]:
    return work.rhythms.exclude(state=FlowState.OFF).filter(Q(listed_at=None) | Q(listed_at__lt=started))


def _turn_off(rows: QuerySet[FlowRhythm]) -> None:
    rows.update(state=FlowState.OFF, cron="", zone="", since=None, alarm_at=None)


def _write(work: Work, flows: Iterable[Mapping[str, object]], started: datetime) -> None:
    """Note which of these flows are on, since when, and with which schedule."""
    listed = {key: dict(flow) for flow in flows if (key := Flow(flow).id) and len(key) <= 64}
    known = {row.flow_id: row for row in work.rhythms.filter(flow_id__in=listed)}
    changed, same = list[FlowRhythm](), list[int]()
    for flow_id, flow in listed.items():
        row = known.get(flow_id) or FlowRhythm(index=work.index, flow_id=flow_id)
        before = (row.pk, row.state, row.cron, row.zone, row.name, row.owner_id)
        on = Flow(flow).is_on is True
        cron, zone = _schedule(flow) if on else ("", "")
        state = FlowState.ON if on else FlowState.OFF
        if (row.state, row.cron, row.zone) != (state, cron, zone):
            # A flow that is on when it is first seen was on before.
            first = row.state == FlowState.UNKNOWN and not cron
            row.since = None if first else work.now
        row.state, row.cron, row.zone = state, cron, zone
        row.name = database.storable(reading.name_of(flow))[:200] or row.name
        owner_id = database.storable(Flow(flow).owner_id)
        row.owner_id = owner_id if len(owner_id) <= 64 else ""
        row.listed_at = started
        if before != (row.pk, row.state, row.cron, row.zone, row.name, row.owner_id) or row.pk is None:
            changed.append(row)
        else:
            same.append(row.pk)
    with transaction.atomic():
        set_alarm_times(work, changed)
        save(changed, *_STATE)
        FlowRhythm.objects.filter(pk__in=same).update(listed_at=started)


def _schedule(flow: dict[str, object]) -> tuple[str, str]:
    """The cron expression and time zone that start a flow; "" if it has none, or it is not certain."""
    if flow_facts.start_of(reading.trigger_of(flow)) != "schedule" or not reading.next_times(flow):
        return "", ""
    cron, zone = reading.schedule_of(flow)
    return (cron, zone) if max(len(cron), len(zone)) <= SCHEDULE else ("", "")
