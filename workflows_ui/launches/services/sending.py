"""Sends one launch: claim by one UPDATE, flow check, SENDING marked just before the first byte, one POST, recording of the answer.

Nothing is retried once the first byte may have left. What is cut off after that is settled by following.py, or by a person.
The steps between claim and answer are in one file, so that the state that a kill leaves at each of them can be read in order.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from threading import BoundedSemaphore
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet

from workflows_ui.core import clock, database
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.core.lease import backoff
from workflows_ui.core.secret_names import mask_text
from workflows_ui.credentials.models import Credential
from workflows_ui.credentials.services import clients, credential_tests
from workflows_ui.credentials.services.credential_tests import Code
from workflows_ui.engine import AddressRefused, Client, EncodedJson, NotSent, TriggerAnswer, Unknown, Upload
from workflows_ui.launches.models import UNSENT, Launch, Reason, State
from workflows_ui.launches.services import files as launch_files, flow_checks, launches, secrets as launch_secrets
from workflows_ui.launches.services.flow_checks import CannotLaunch
from workflows_ui.members.models import Role, Workspace
from workflows_ui.members.services import access, launch_rights

log = structlog.get_logger(__name__)

#: Lease of a claim until the first byte: longer than connecting may take, short enough to notice a dead worker soon.
CLAIM_LEASE = timedelta(seconds=30)


def call_lease() -> timedelta:
    """The lease of a claim from the first byte on. It outlives the longest call."""
    deadline: timedelta = settings.LAUNCH_DEADLINE
    return deadline + max(deadline / 2, timedelta(seconds=5))


#: How exact the time is at which a person last used a credential.
USE_NOTED = timedelta(minutes=1)
#: Bytes of an answer that are kept.
KEPT_ANSWER = 256 * 1024
#: A larger difference of clocks is an invalid `Date` header and is ignored.
LARGEST_OFFSET = timedelta(days=1)
#: First and longest pause between attempts that never reached the engine.
PAUSE, LONGEST_PAUSE = timedelta(seconds=2), timedelta(minutes=1)
#: Longest `Retry-After` in seconds that is honoured; a launch that is too late then ends as such.
_LONGEST_WAIT = 3600.0
#: Pauses between attempts to save the answer while the database is unavailable.
DATABASE_PAUSES = (0.5, 2.0, 5.0, 10.0)
#: Bytes of values and files beyond which a launch is large.
LARGE = 1024 * 1024
_large = BoundedSemaphore(1)
#: Concurrent calls in this process; the remaining threads of the worker are for following and sweeping.
_slots = BoundedSemaphore(settings.WORKER_SLOTS)


#: Why a launch is not sent if its credential cannot be opened.
_CREDENTIAL_REASONS = {
    Code.NOT_ENTERED: Reason.NOT_ENTERED,
    Code.PLACE_CHANGED: Reason.PLACE_CHANGED,
    Code.CHANGED: Reason.CREDENTIAL_CHANGED,
    Code.CANNOT_OPEN: Reason.CREDENTIAL_UNREADABLE,
}


class ClaimLost(Exception):
    """Before the first byte, the launch was withdrawn, its time was over, its workspace moved, or its claim expired: nothing is sent."""


@dataclass(frozen=True)
class Claimed:
    """A launch claimed by this worker, with everything needed to send it."""

    launch: Launch
    client: Client
    credential: Credential
    payload: EncodedJson
    files: tuple[Upload, ...]


def send(launch_id: str) -> int | None:
    """Send the launch if it is still unsent, and return when the call has ended. Safe to call any number of times, in any process.

    Return the id of the workspace to poll now; None if nothing was sent.
    """
    with database.turn():
        large = Launch.objects.filter(pk=launch_id, size__gt=LARGE).exists()
    return _send_large(launch_id) if large else _send(launch_id)


def _send_large(launch_id: str) -> int | None:
    """Send a large launch, one at a time in a process, since it needs several times its size in memory."""
    if not _large.acquire(blocking=False):
        return None  # enqueued again after the one that is being sent
    try:
        return _send(launch_id, large=True)
    finally:
        _large.release()
        with database.turn():
            Launch.objects.filter(state=State.QUEUED, size__gt=LARGE).update(enqueued_at=None)


def _send(launch_id: str, *, large: bool = False) -> int | None:
    if not _slots.acquire(blocking=False):
        return None  # all slots are busy: the row stays queued, and the sweeper enqueues it again
    try:
        with database.turn(large=large):
            claimed = claim(launch_id)
        return _deliver(claimed) if claimed is not None else None
    finally:
        _slots.release()


def _deliver(claimed: Claimed) -> int | None:
    launch = claimed.launch
    try:
        if launch.kept:
            flow_checks.check_kept(claimed.client, launch)
            _save(hold, launch)
        elif flow_checks.needed(claimed.credential, launch.flow_id):
            flow_checks.check(claimed.client, claimed.credential, launch.flow_id)
            _save(hold, launch)
        answer = claimed.client.workflows.send_trigger(
            launch.flow_id,
            claimed.payload,
            wait=launch.wait,
            marker=launch.pk,
            before_first_byte=partial(mark_sending, launch),
            deadline=settings.LAUNCH_DEADLINE.total_seconds(),
            files=claimed.files,
        )
    except ClaimLost:
        log.info("launch.claim_lost", launch=launch.pk)
    except CannotLaunch as problem:
        _save(give_up, launch, problem.reason, problem.technical)
    except flow_checks.NotReady as problem:
        away = launch.kept and problem.engine_away and not flow_checks.engine_answers(claimed.client)
        reason = Reason.NOT_REACHED if away else Reason.NOT_READY
        _save(release, launch, problem.technical, reason, problem.retry_after)
    except AddressRefused as problem:
        _save(give_up, launch, Reason.ADDRESS_REFUSED, problem.technical)
    except ValueError:
        # The values or the flow's id fit into no request. The exception's text quotes them and is not logged.
        log.error("launch.cannot_write", launch=launch.pk)
        _save(give_up, launch, Reason.UNWRITABLE)
    except NotSent as problem:
        _save(release, launch, problem.technical)
    except database.AWAY as problem:
        log.warning("launch.not_marked", launch=launch.pk, error=type(problem).__name__)
        _save(take_back, launch)
    except Unknown as problem:
        _save(lose, launch, Reason.CUT_OFF, problem.technical)
        return launch.workspace_id
    else:
        _save(record, launch, answer)
        return launch.workspace_id
    return None


def _save(write: Callable[..., None], *args: Any) -> None:
    """Save the result of a call, also across a short failure of the database: it is known nowhere else.

    Each of these writes is one conditional change, so repeating one that was committed without confirmation changes nothing.
    """
    for pause in (*DATABASE_PAUSES, None):
        try:
            with database.turn():
                write(*args)
        except database.AWAY:
            if pause is None:
                raise
            log.warning("launch.write_again", launch=args[0].pk, seconds=pause)
            time.sleep(pause)
        else:
            return


def claim(launch_id: str) -> Claimed | None:
    """Claim the launch by one conditional UPDATE. None if there is nothing (left) to send, or the person may no longer launch it."""
    now = clock.now()
    launch = Launch.lease.claim(
        launches.sendable_launches(now),
        launch_id,
        CLAIM_LEASE,
        now,
        ("workspace", "user", "right"),
        state=State.CLAIMED,
        tries=F("tries") + 1,
    )
    if launch is None:
        return None
    try:
        return _prepare(launch, now)
    except CannotLaunch as problem:
        give_up(launch, problem.reason, problem.technical)
        return None


def _prepare(launch: Launch, now: datetime) -> Claimed:
    """The claimed launch with its client, payload and files. Raises CannotLaunch."""
    if launch.credential_chosen and launch.credential_id is None:
        raise CannotLaunch(Reason.CHOSEN_CREDENTIAL)
    if not launch.genuine:
        log.error("launch.changed", launch=launch.pk)
        raise CannotLaunch(Reason.LAUNCH_CHANGED)
    if launch.moves != launch.workspace.moves:
        raise CannotLaunch(Reason.MOVED)
    if not _may_launch(launch):
        raise CannotLaunch(Reason.NO_ACCESS)
    try:
        client, credential = clients.client_for_person(
            launch.user,
            launch.workspace,
            timeouts=flow_checks.TIMEOUTS,
            chosen=launch.credential_id if launch.credential_chosen else None,
        )
    except CannotOpen as problem:
        log.error("credential.cannot_open", launch=launch.pk, error=type(problem).__name__)
        raise CannotLaunch(_CREDENTIAL_REASONS[credential_tests.problem_code(problem)]) from None
    except clients.NoCredential:
        raise CannotLaunch(Reason.CHOSEN_CREDENTIAL if launch.credential_chosen else Reason.NO_CREDENTIAL) from None
    except AddressRefused as problem:
        raise CannotLaunch(Reason.ADDRESS_REFUSED, problem.technical) from None
    except ValueError:
        # It can be opened, but its secret does not fit into a header.
        raise CannotLaunch(Reason.CREDENTIAL_UNREADABLE) from None
    try:
        payload = launches.encoded_payload(launch)
        files = launch_files.uploads(launch)
    except (CannotOpen, ValueError):
        log.error("launch.cannot_open", launch=launch.pk)
        raise CannotLaunch(Reason.CREDENTIAL_UNREADABLE) from None
    if launch.credential_id != credential.pk:
        Launch.objects.filter(Launch.lease.held(launch), pk=launch.pk).update(credential=credential)
    _note_use(credential, launch, now)
    return Claimed(launch, client, credential, payload, files)


def _note_use(credential: Credential, launch: Launch, now: datetime) -> None:
    """Note who used the credential last, at most once in USE_NOTED for one person: launches would wait for each other's writes."""
    used = credential.last_used_at
    if used is None or used <= now - USE_NOTED or credential.last_used_by_id != launch.user_id:
        Credential.objects.filter(pk=credential.pk).update(last_used_at=now, last_used_by=launch.user)


def _may_launch(launch: Launch) -> bool:
    """Whether the person may still launch the flow, by their current role or by the right that the launch was made with."""
    try:
        if access.access_for(launch.user, launch.workspace.slug).allows(Role.LAUNCHER):
            return True
    except access.NoAccess:
        return False
    return launch.right is not None and launch_rights.still_holds(launch.user, launch.right)


def hold(launch: Launch) -> None:
    """Renew the claim of a launch after its flow check. Raises ClaimLost."""
    claimed = Launch.objects.filter(state=State.CLAIMED)
    if not Launch.lease.renew(claimed, launch, CLAIM_LEASE, clock.now()):
        raise ClaimLost(launch.pk)


def mark_sending(launch: Launch) -> None:
    """Commit SENDING, once connected and before the first byte. Raises ClaimLost: then nothing may be sent."""
    with database.turn():
        now = clock.now()
        claimed = Launch.objects.filter(
            state=State.CLAIMED,
            send_by__gt=now,
            # The client was made for the workspace's address at the time of the claim.
            workspace_id__in=Workspace.objects.filter(moves=launch.moves).values("pk"),
        )
        marked = Launch.lease.renew(
            claimed,
            launch,
            call_lease(),
            now,
            state=State.SENDING,
            reason="",
            technical="",
            sending_at=now,
            poll_at=now + timedelta(seconds=1),
        )
    if not marked:
        raise ClaimLost(launch.pk)


def give_up(launch: Launch, reason: Reason, technical: str = "") -> None:
    """End a claimed launch as not sent, where a retry would not help."""
    launches.end(
        launch,
        State.NOT_SENT,
        reason,
        clock.now(),
        rows=_held_rows(launch, *UNSENT),
        technical=database.storable(technical),
        **Launch.lease.released_values,
    )


def release(launch: Launch, technical: str, reason: Reason = Reason.NOT_REACHED, wait: float = 0.0) -> None:
    """Requeue a launch whose call never reached the engine and is safe to repeat, after a pause of at least `wait` seconds."""
    now = clock.now()
    pause = max(backoff(PAUSE, launch.tries, LONGEST_PAUSE), timedelta(seconds=min(wait, _LONGEST_WAIT)))
    if not _held_rows(launch, State.CLAIMED).update(
        state=State.QUEUED,
        reason=reason,
        technical=database.storable(technical),
        enqueued_at=None,
        not_before=now + pause,
        **Launch.lease.released_values,
    ):
        # Never back from SENDING, whatever the client says.
        lose(launch, Reason.CUT_OFF, technical)


def take_back(launch: Launch) -> None:
    """Requeue a launch whose update to SENDING failed, or may have been committed without confirmation.

    Nothing was sent, which only the worker that holds the claim knows.
    """
    now = clock.now()
    _held_rows(launch, State.CLAIMED, State.SENDING).update(
        state=State.QUEUED,
        sending_at=None,
        poll_at=None,
        enqueued_at=None,
        not_before=now + PAUSE,
        **Launch.lease.released_values,
    )


def lose(launch: Launch, reason: Reason, technical: str) -> None:
    """Mark a launch as unclear whose request left without a complete answer. A run found meanwhile keeps its own state."""
    now = clock.now()
    with transaction.atomic():
        if _held_rows(launch).update(claim_until=None):
            _restart_search(launch, now)
            launches.doubt(
                launch,
                reason,
                now,
                rows=Launch.objects.filter(state=State.SENDING),
                technical=database.storable(technical),
            )


def record(launch: Launch, answer: TriggerAnswer) -> None:
    """Save the answer. A run that was found meanwhile keeps its own state; the answer is added to it."""
    now = clock.now()
    known: dict[str, Any] = {"answer_status": answer.status, "answered_at": now}
    if answer.engine_date is not None:
        offset = answer.engine_date - now
        known["clock_offset"] = offset.total_seconds() if abs(offset) <= LARGEST_OFFSET else 0.0
    if answer.outcome == "answered":
        text = answer.body[:KEPT_ANSWER].decode("utf-8", "replace").replace("\x00", "\ufffd")
        known |= {
            "answer": launch.seal("answer", text),
            "answer_type": database.storable(answer.headers.get("content-type", "")[:200]),
            "answer_location": _mask_secrets(launch, answer.headers.get("location", ""))[:2000],
            "answer_cut": answer.truncated or len(answer.body) > KEPT_ANSWER,
            "answer_from": "flow",
        }
    elif answer.outcome == "off_or_answered":
        # The flow's answer if a run turns up , else the engine's.
        known |= {"answer": launch.seal("answer", "{}"), "answer_type": "application/json"}
    elif answer.outcome == "unknown":
        known["technical"] = _mask_secrets(launch, f"{answer.status}: {answer.message()}")
    if answer.retry_after is not None:
        known["try_after"] = now + timedelta(seconds=answer.retry_after)
    unsettled = Launch.objects.filter(_UNSETTLED)
    with transaction.atomic():
        if not _held_rows(launch).update(**known, claim_until=None):
            return
        _restart_search(launch, now)
        if answer.outcome == "refused":
            reason = Reason.FLOW_GONE if answer.status == 410 else Reason.FLOW_OFF
            launches.end(launch, State.REFUSED, reason, now, rows=unsettled, poll_at=None)
        elif answer.outcome == "failed":
            launches.end(launch, State.FAILED, Reason.FLOW_FAILED, now, rows=unsettled, poll_at=now)
        elif answer.outcome == "unknown":
            launches.doubt(launch, Reason.ODD_ANSWER, now, rows=unsettled)
        elif answer.outcome == "off_or_answered":
            launches.doubt(launch, Reason.OFF_OR_ANSWERED, now, rows=unsettled)
            Launch.objects.filter(pk=launch.pk).exclude(run_id="").update(answer_from="flow")
        elif answer.outcome == "answered":
            unsettled.filter(pk=launch.pk).update(state=State.RUNNING, reason="", ended_at=None, poll_at=now)
        else:
            waited = Reason.WAITED_OUT if answer.outcome == "waited_out" else ""
            unsettled.filter(pk=launch.pk).update(state=State.ACCEPTED, reason=waited, ended_at=None, poll_at=now)


def _mask_secrets(launch: Launch, text: str) -> str:
    """Mask a text of the engine that may repeat launched values, for a column that is not sealed."""
    # Without a text a large payload need not be opened again.
    return database.storable(mask_text(launch_secrets.payload_hider(launch).text(text))) if text else ""


#: Rows whose state the answer decides, because their run was not found meanwhile.
_UNSETTLED = Q(state=State.SENDING) | Q(state=State.UNKNOWN, reason=Reason.WORKER_LOST)


def _restart_search(launch: Launch, now: datetime) -> None:
    """Discard conclusions from run lists that were read before the call ended.

    A worker that was stopped for longer than its lease may have sent the request after it resumed.
    """
    searched = Launch.objects.filter(run_id="", state=State.UNKNOWN)
    launches.doubt(launch, Reason.WORKER_LOST, now, rows=searched.filter(reason=Reason.NO_TRACE))
    searched.filter(pk=launch.pk).update(misses=0, poll_at=now)
    given_up = Launch.objects.filter(run_id="", state=State.NOT_SENT, reason=Reason.NO_RUN_MADE)
    if launches.doubt(launch, Reason.WORKER_LOST, now, rows=given_up):
        launch_rights.take_again(launch.right_id)


def _held_rows(launch: Launch, *states: State) -> QuerySet[Launch]:
    """The launch's row, if it is in one of these states (default: any) and no other worker has claimed it."""
    rows = Launch.objects.filter(Launch.lease.held(launch), pk=launch.pk)
    return rows.filter(state__in=states) if states else rows
