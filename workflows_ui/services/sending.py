"""Sends one launch: claimed by one UPDATE, marked SENDING just before the first byte, one POST, and what came back.

Nothing here is ever tried again once SENDING is committed. What is cut off after that is settled by following.py, or by a person.
"""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from threading import BoundedSemaphore
from typing import Any

import structlog
from django.conf import settings
from django.db import OperationalError, transaction
from django.db.models import F, Q

from workflows_ui.crypto import CannotOpen
from workflows_ui.engine import AddressRefused, Client, NotSent, TriggerAnswer, Unknown, Upload
from workflows_ui.models import UNSENT, Credential, Launch, Role, State, Workspace
from workflows_ui.services import access, clients, clock, database, launch_files, launch_rights, launches
from workflows_ui.services.launches import Reason

log = structlog.get_logger(__name__)

#: How long a claim holds until the first byte: longer than connecting may take, short enough that a dead worker is soon noticed.
CLAIM_LEASE = timedelta(seconds=30)


def call_lease() -> timedelta:
    """How long a claim holds from the first byte on: it outlives the longest call."""
    deadline: timedelta = settings.LAUNCH_DEADLINE
    return deadline + max(deadline / 2, timedelta(seconds=5))


#: Bytes of an answer that are kept.
KEPT_ANSWER = 256 * 1024
#: A clock that differs from ours by more than this is not the engine's but an odd `Date`.
LARGEST_OFFSET = timedelta(days=1)
#: Pauses between tries that never reached the engine; the last one repeats.
PAUSES = (2, 5, 10, 20, 40, 60)
#: Pauses between tries to write down what came back, while the database is away.
DATABASE_PAUSES = (0.5, 2.0, 5.0, 10.0)
#: The engine's statuses for a trigger that it (or the gateway) refused: api.md 7.1 and 2.2, recordings `webhook_*`.
REFUSALS = {
    400: Reason.BAD_REQUEST,
    401: Reason.CREDENTIAL_REFUSED,
    402: Reason.NOT_IN_PLAN,
    403: Reason.FORBIDDEN,
    404: Reason.FLOW_OFF,
    410: Reason.FLOW_GONE,
    413: Reason.TOO_LARGE,
    429: Reason.TOO_MANY,
}
#: Calls that wait at once in this process; the rest of the worker's threads is left to following and sweeping.
_slots = BoundedSemaphore(settings.WORKER_SLOTS)


class ClaimLost(Exception):
    """The launch was withdrawn, or its claim ran out, before the first byte: nothing is sent."""


@dataclass(frozen=True)
class Claimed:
    """A launch in this worker's hands, and all that sending it needs."""

    launch: Launch
    client: Client
    payload: Any
    files: tuple[Upload, ...] = ()


def send(launch_id: str) -> int | None:
    """Sends the launch if it is still to be sent; returns when its call has ended. Safe to call any number of times, anywhere.

    Returns the id of the workspace whose runs are worth a look now; None where nothing was sent.
    """
    if not _slots.acquire(blocking=False):
        return None  # full: the row stays queued, and the sweeper rings for it again
    try:
        with database.turn():
            claimed = claim(launch_id)
        return _carry(claimed) if claimed is not None else None
    finally:
        _slots.release()


def _carry(claimed: Claimed) -> int | None:
    launch = claimed.launch
    try:
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
    except AddressRefused as problem:
        _write_down(give_up, launch, Reason.ADDRESS_REFUSED, problem.technical)
    except ValueError:
        # The values or the flow's id fit into no request. Said without the exception's text, which quotes them.
        log.error("launch.cannot_write", launch=launch.pk)
        _write_down(give_up, launch, Reason.UNWRITABLE)
    except NotSent as problem:
        _write_down(release, launch, problem.technical)
    except Unknown as problem:
        _write_down(lose, launch, Reason.CUT_OFF, problem.technical)
        return launch.workspace_id
    else:
        _write_down(record, launch, answer)
        return launch.workspace_id
    return None


def _write_down(write: Callable[..., None], *what: Any) -> None:
    """Writes down what came of a call, also across a short failure of the database: nobody else knows it.

    Each of these writes is one conditional change, so a second try after one that was done, but not confirmed, changes nothing.
    """
    for pause in (*DATABASE_PAUSES, None):
        try:
            with database.turn():
                write(*what)
        except OperationalError:
            if pause is None:
                raise
            log.warning("launch.write_again", launch=what[0].pk, seconds=pause)
            time.sleep(pause)
        else:
            return


def claim(launch_id: str) -> Claimed | None:
    """Takes the launch by one conditional UPDATE; None where there is nothing (more) to send, or not by this person any more."""
    now = clock.now()
    token = secrets.token_hex(16)
    # The workspace is a subquery that does not read this table: the conditions on the row stay in the UPDATE's own WHERE,
    # where PostgreSQL checks them again after waiting for a rival's UPDATE.
    taken = Launch.objects.filter(
        Q(state=State.QUEUED) | Q(state=State.CLAIMED, claim_until__lt=now),
        pk=launch_id,
        not_before__lte=now,
        send_by__gt=now,
        workspace_id__in=Workspace.objects.filter(launching_paused=False).values("pk"),
    ).update(
        state=State.CLAIMED,
        claim=token,
        claim_until=now + CLAIM_LEASE,
        tries=F("tries") + 1,
    )
    if not taken:
        return None
    launch = Launch.objects.select_related("workspace", "user", "right").get(pk=launch_id)
    launch.claim = token
    if not _may_still(launch):
        give_up(launch, Reason.NO_ACCESS)
        return None
    try:
        client, credential = clients.of_person(launch.user, launch.workspace)
        payload = launches.payload_of(launch)
        files = launch_files.opened(launch)
    except clients.NoCredential:
        give_up(launch, Reason.NO_CREDENTIAL)
        return None
    except AddressRefused as problem:
        give_up(launch, Reason.ADDRESS_REFUSED, problem.technical)
        return None
    except (CannotOpen, ValueError):
        # ValueError: it opens, but no header can carry what is in it.
        log.error("credential.cannot_open", launch=launch.pk)
        give_up(launch, Reason.CREDENTIAL_UNREADABLE)
        return None
    Launch.objects.filter(pk=launch.pk, claim=token).update(credential=credential)
    Credential.objects.filter(pk=credential.pk).update(last_used_at=now, last_used_by=launch.user)
    return Claimed(launch, client, payload, files)


def _may_still(launch: Launch) -> bool:
    """Whether the person may launch the flow now, as the role or the right that it was asked for by stands."""
    try:
        if access.find(launch.user, launch.workspace.slug).allows(Role.LAUNCHER):
            return True
    except access.NoAccess:
        return False
    return launch.right is not None and launch_rights.still_holds(launch.user, launch.right)


def mark_sending(launch: Launch) -> None:
    """Commits SENDING, called when the connection stands and before the first byte. Raises ClaimLost: then nothing may be sent."""
    with database.turn():
        now = clock.now()
        marked = Launch.objects.filter(
            pk=launch.pk, state=State.CLAIMED, claim=launch.claim, claim_until__gt=now
        ).update(
            state=State.SENDING,
            reason="",
            technical="",
            sending_at=now,
            claim_until=now + call_lease(),
            look_at=now + timedelta(seconds=1),
        )
    if not marked:
        raise ClaimLost(launch.pk)


def give_up(launch: Launch, reason: Reason, technical: str = "") -> None:
    """Ends a claimed launch as not sent: trying again would not help."""
    launches.end(
        launch,
        State.NOT_SENT,
        reason,
        clock.now(),
        only=_held(launch, *UNSENT),
        technical=database.storable(technical),
        claim="",
        claim_until=None,
    )


def release(launch: Launch, technical: str) -> None:
    """Puts back a launch whose call never reached the engine: it is safe to send again, a little later."""
    now = clock.now()
    row = Launch.objects.filter(_held(launch, State.CLAIMED), pk=launch.pk)
    pause = PAUSES[min(launch.tries, len(PAUSES)) - 1]
    if not row.update(
        state=State.QUEUED,
        reason=Reason.NOT_REACHED,
        technical=database.storable(technical),
        claim="",
        claim_until=None,
        rung_at=None,
        not_before=now + timedelta(seconds=pause),
    ):
        # Never back from SENDING, whatever the client says.
        lose(launch, Reason.CUT_OFF, technical)


def lose(launch: Launch, reason: Reason, technical: str) -> None:
    """The request left and no whole answer came: unclear until its run is found. A run found meanwhile keeps its own state."""
    now = clock.now()
    with transaction.atomic():
        if Launch.objects.filter(_held(launch), pk=launch.pk).update(claim_until=None):
            launches.end(
                launch,
                State.UNKNOWN,
                reason,
                now,
                only=Q(state=State.SENDING),
                technical=database.storable(technical),
                look_at=now,
            )


def record(launch: Launch, answer: TriggerAnswer) -> None:
    """Writes down what came back. A run that was found meanwhile keeps its own state; the answer is added to it."""
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
            "answer_location": database.storable(answer.headers.get("location", "")[:2000]),
            "answer_cut": answer.truncated or len(answer.body) > KEPT_ANSWER,
            "answer_from": "flow",
        }
    with transaction.atomic():
        if not Launch.objects.filter(_held(launch), pk=launch.pk).update(**known, claim_until=None):
            return
        if answer.outcome == "refused":
            reason = REFUSALS.get(answer.status, Reason.BAD_REQUEST)
            launches.end(launch, State.REFUSED, reason, now, only=_UNSETTLED, look_at=None)
        elif answer.outcome == "failed":
            launches.end(launch, State.FAILED, Reason.FLOW_FAILED, now, only=_UNSETTLED, look_at=now)
        elif answer.outcome == "unknown":
            launches.end(launch, State.UNKNOWN, Reason.ODD_ANSWER, now, only=_UNSETTLED, look_at=now)
        elif answer.outcome == "answered":
            Launch.objects.filter(_UNSETTLED, pk=launch.pk).update(
                state=State.RUNNING, reason="", ended_at=None, look_at=now
            )
        else:
            waited = Reason.WAITED_OUT if answer.outcome == "waited_out" else ""
            Launch.objects.filter(_UNSETTLED, pk=launch.pk).update(
                state=State.ACCEPTED, reason=waited, ended_at=None, look_at=now
            )


#: Where the answer decides the state: the run was not found meanwhile.
_UNSETTLED = Q(state=State.SENDING) | Q(state=State.UNKNOWN, reason=Reason.WORKER_LOST)


def _held(launch: Launch, *states: State) -> Q:
    condition = Q(claim=launch.claim) & ~Q(claim="")
    return condition & Q(state__in=states) if states else condition
