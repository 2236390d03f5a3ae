"""Asking for launches, and what their people may do with them. Sending is in sending.py, following in following.py.

A launch is a row. Everything that changes one is a conditional UPDATE, so that any number of workers, sweepers and clicks may race.
"""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from workflows_ui.engine import HIDDEN
from workflows_ui.models import UNSENT, Launch, LaunchFormVersion, Role, State, User, Workspace
from workflows_ui.services import access, audit, clock, database, launch_files, launch_rights, masking, payloads
from workflows_ui.services.launch_files import Attached

#: The same person, flow and values within this time are asked about before they are launched again.
TWIN_WINDOW = timedelta(minutes=5)
_TICKET = re.compile(r"[0-9A-Za-z_-]{20,64}")


class Reason(StrEnum):
    """Why a launch is in its state. The words for people are in kit/launch_words.py."""

    NOT_REACHED = "not_reached"
    TOO_LATE = "too_late"
    WITHDRAWN = "withdrawn"
    NO_CREDENTIAL = "no_credential"
    CREDENTIAL_UNREADABLE = "credential_unreadable"
    NO_ACCESS = "no_access"
    ADDRESS_REFUSED = "address_refused"
    UNWRITABLE = "unwritable"

    FLOW_OFF = "flow_off"
    FLOW_GONE = "flow_gone"
    BAD_REQUEST = "bad_request"
    CREDENTIAL_REFUSED = "credential_refused"
    NOT_IN_PLAN = "not_in_plan"
    FORBIDDEN = "forbidden"
    TOO_LARGE = "too_large"
    TOO_MANY = "too_many"

    WAITED_OUT = "waited_out"
    FLOW_FAILED = "flow_failed"
    STEP_FAILED = "step_failed"
    RUN_NOT_FOUND = "run_not_found"
    RUN_GONE = "run_gone"

    CUT_OFF = "cut_off"
    ODD_ANSWER = "odd_answer"
    WORKER_LOST = "worker_lost"
    NO_RUN = "no_run"
    NO_TRACE = "no_trace"
    SETTLED_RAN = "settled_ran"
    SETTLED_NOT_RUN = "settled_not_run"


class Outcome(StrEnum):
    """What asking led to."""

    #: A new launch was made: ring for it.
    CREATED = "created"
    #: This very form was sent before: here is its launch.
    EXISTING = "existing"
    #: This form was sent before with other values; nothing was launched.
    SPENT = "spent"
    #: The same values were launched moments ago from another form; nothing was launched yet.
    TWIN = "twin"
    #: A manager has paused launching; nothing was launched.
    PAUSED = "paused"
    #: A value says that it is hidden: it was filled in from where a key of the workspace stood. Nothing was launched.
    HIDDEN = "hidden"


@dataclass(frozen=True)
class Order:
    """What a person asks for. `payload` is a decoded JSON value; `confirmed` says that a twin was seen and is wanted.

    `files` go beside the values. `form_version` is the launch form that was filled in, and `searchable` what of it is also kept in
    plain text: name of the field, label, text.
    """

    flow_id: str
    flow_name: str
    payload: Any
    wait: bool
    ticket: str
    confirmed: bool = False
    files: tuple[Attached, ...] = ()
    form_version: LaunchFormVersion | None = None
    searchable: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True)
class Asked:
    """`launch` is the new one, the existing one, or the earlier one that stands in the way (None if that is not for this person)."""

    outcome: Outcome
    launch: Launch | None


def ticket() -> str:
    """A new one-use ticket for a form."""
    return secrets.token_urlsafe(24)


def ask(actor: audit.Actor, place: access.Access, order: Order) -> Asked:
    """Writes the launch QUEUED, unique on the order's ticket, with its audit row, in one transaction.

    Whoever is no launcher needs a right on this flow, of which one launch is used up. Raises access.NotAllowed without either, and
    ValueError for a ticket that no form of ours carried.
    The caller rings the bell afterwards (tasks.ring).
    """
    if not place.had_right(order.flow_id):
        place.require(Role.LAUNCHER)
    if not _TICKET.fullmatch(order.ticket):
        raise ValueError("malformed ticket")
    digest = payloads.digest(order.flow_id, launch_files.with_marks(order.payload, order.files))
    with database.one_at_a_time(place.user):
        earlier = Launch.objects.filter(ticket=order.ticket).first()
        if earlier is not None:
            mine = (earlier.user_id, earlier.workspace_id) == (place.user.pk, place.workspace.pk)
            same = mine and earlier.payload_digest == digest and earlier.wait == order.wait
            return Asked(Outcome.EXISTING if same else Outcome.SPENT, earlier if mine else None)
        if Workspace.objects.filter(pk=place.workspace.pk, launching_paused=True).exists():
            return Asked(Outcome.PAUSED, None)
        text = payloads.dump(order.payload)
        if HIDDEN in text:
            return Asked(Outcome.HIDDEN, None)
        now = clock.now()
        if not order.confirmed:
            twin = (
                Launch.objects.filter(
                    user=place.user, workspace=place.workspace, payload_digest=digest, asked_at__gte=now - TWIN_WINDOW
                )
                .order_by("-asked_at")
                .first()
            )
            if twin is not None:
                return Asked(Outcome.TWIN, twin)
        by_role = place.allows(Role.LAUNCHER)
        launch = Launch(
            workspace=place.workspace,
            user=place.user,
            credential=access.credential(place.user, place.workspace),
            right=None if by_role else launch_rights.take(place, order.flow_id, now),
            ticket=order.ticket,
            flow_id=order.flow_id,
            # PostgreSQL takes no NUL, which an engine's name may hold.
            flow_name=order.flow_name.replace("\0", ""),
            wait=order.wait,
            form_version=order.form_version,
            payload_digest=digest,
            asked_at=now,
            not_before=now,
            send_by=now + settings.LAUNCH_TOO_LATE,
        )
        launch.payload = launch.seal("payload", text)
        launch.save(force_insert=True)
        launch_files.keep(launch, order.files)
        launch_files.keep_searchable(launch, order.searchable)
        more: dict[str, Any] = {"files": [file.name for file in order.files]} if order.files else {}
        audit.record(
            actor,
            "launch.ask",
            workspace=place.workspace,
            object_type="launch",
            object_id=launch.pk,
            object_name=launch.flow_name,
            flow=order.flow_id,
            wait=order.wait,
            **more,
        )
    return Asked(Outcome.CREATED, launch)


def payload_of(launch: Launch) -> Any:
    """The decoded payload of a launch, to be sent; None once it was removed by the retention rule. Raises crypto.CannotOpen."""
    text = launch.open("payload")
    return payloads.parse(text) if text else None


def shown(launch: Launch, field: str) -> str:
    """What is in a sealed column, for a page: the workspace's keys are masked, whoever typed them. Raises crypto.CannotOpen."""
    return masking.of(launch.workspace).text(launch.open(field))


def shown_payload(launch: Launch) -> Any:
    """The decoded payload as pages show it; None once it was removed. Raises crypto.CannotOpen."""
    text = shown(launch, "payload")
    return payloads.parse(text) if text else None


def last_payload(user: User, workspace: Workspace, flow_id: str) -> Any | None:
    """The values this person last launched the flow with, as pages show them, or None. Raises crypto.CannotOpen."""
    launch = (
        Launch.objects.filter(user=user, workspace=workspace, flow_id=flow_id)
        .exclude(payload="")
        .order_by("-asked_at")
        .first()
    )
    return shown_payload(launch) if launch else None


def of_workspace(place: access.Access) -> QuerySet[Launch]:
    """The launches a member may see, newest first: builders and managers see all, others their own."""
    rows = (
        Launch.objects.filter(workspace=place.workspace)
        .select_related("user", "credential")
        .order_by("-asked_at", "-pk")
    )
    return rows if place.allows(Role.BUILDER) else rows.filter(user=place.user)


def withdraw(actor: audit.Actor, launch: Launch) -> bool:
    """Takes back a launch that has not left yet; says whether that was still possible."""
    now = clock.now()
    with transaction.atomic():
        done = Launch.objects.filter(pk=launch.pk, state__in=UNSENT).update(
            state=State.NOT_SENT, reason=Reason.WITHDRAWN, ended_at=now, claim="", claim_until=None
        )
        if done:
            launch_rights.give_back(launch.right_id)
            _log(actor, launch, "launch.withdraw")
    return bool(done)


def settle(actor: audit.Actor, launch: Launch, *, ran: bool, why: str) -> bool:
    """A person decides what became of a launch of unclear fate, with a reason; says whether it was (still) unclear."""
    now = clock.now()
    with transaction.atomic():
        done = Launch.objects.filter(pk=launch.pk, state=State.UNKNOWN, claim_until=None).update(
            state=State.SUCCEEDED if ran else State.NOT_SENT,
            reason=Reason.SETTLED_RAN if ran else Reason.SETTLED_NOT_RUN,
            ended_at=now,
            look_at=None,
        )
        if done:
            _log(actor, launch, "launch.settle", ran=ran, reason=why)
    return bool(done)


def end(launch: Launch, state: State, reason: str, now: datetime, *, only: Q, **fields: Any) -> bool:
    """Ends a launch where `only` still holds, with its audit row; says whether it did. Part of the sending and following services."""
    with transaction.atomic():
        done = Launch.objects.filter(only, pk=launch.pk).update(state=state, reason=reason, ended_at=now, **fields)
        if done:
            if state == State.NOT_SENT:
                launch_rights.give_back(launch.right_id)
            outcome = _OUTCOMES[state]
            _log(audit.CONSOLE, launch, "launch.end", outcome=outcome, state=str(state), cause=str(reason))
    return bool(done)


#: What the end of a launch is in the audit log: the row tells how the launch came out, not that the console noticed it.
_OUTCOMES = {
    State.SUCCEEDED: "done",
    State.FAILED: "failed",
    State.REFUSED: "refused",
    State.NOT_SENT: "not_sent",
    State.UNKNOWN: "unclear",
}


def _log(actor: audit.Actor, launch: Launch, action: str, *, outcome: str = "done", **detail: Any) -> None:
    audit.record(
        actor,
        action,
        workspace=launch.workspace,
        object_type="launch",
        object_id=launch.pk,
        object_name=launch.flow_name,
        outcome=outcome,
        flow=launch.flow_id,
        **detail,
    )
