"""Creating, listing, withdrawing and settling launches. Sending is in sending.py, following in following.py.

A launch is a row, changed only by conditional UPDATEs, so that any number of workers, sweepers and clicks may race.
"""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from workflows_ui.accounts.models import User
from workflows_ui.audit.services import audit_log
from workflows_ui.core import clock, database, json_text
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.core.prepared import Prepared
from workflows_ui.core.secret_names import masks
from workflows_ui.credentials.models import Credential
from workflows_ui.engine import HIDDEN, EncodedJson, Upload
from workflows_ui.launches.models import SEARCHED_FOR, UNSENT, WENT_WRONG, Launch, LaunchInput, Reason, State
from workflows_ui.launches.services import files as launch_files, secrets as launch_secrets
from workflows_ui.launches.signals import launch_failed
from workflows_ui.members.models import Role, Workspace
from workflows_ui.members.services import access as member_access, launch_rights

#: The same person, flow and values within this time need a confirmation.
TWIN_WINDOW = timedelta(minutes=5)
MINUTE = timedelta(minutes=1)
#: The longest that a launch is kept for an engine that does not answer.
LONGEST_KEPT = timedelta(hours=36)
_TICKET = re.compile(r"[0-9A-Za-z_-]{20,64}")


#: Reasons that are a person's decision and no problem.
_DECISIONS = (Reason.WITHDRAWN, Reason.SETTLED_NOT_RUN)
#: Launches that went wrong and have ended, as far as is known.
PROBLEM = Q(state__in=WENT_WRONG) & ~Q(reason__in=_DECISIONS) & ~SEARCHED_FOR


class Outcome(StrEnum):
    """What a launch request led to. Only CREATED is a new launch, which is to be enqueued."""

    CREATED = "created"
    EXISTING = "existing"  # The same form was sent before and has this launch.
    SPENT = "spent"  # This form was sent before with other values.
    TWIN = "twin"  # The same values were launched moments ago from another form.
    LARGE = "large"  # The values are larger than a launch may be.
    TOO_OFTEN = "too_often"  # The person has reached the limit of launches per minute.
    PAUSED = "paused"  # A manager has paused launching.
    HIDDEN = "hidden"  # A value contains a mask: it was copied from a page that hides a secret.


@dataclass(frozen=True)
class LaunchRequest:
    """The input of `create`. `payload` is a decoded JSON value; `confirmed` means that the person was warned of a twin and wants it.

    `files` are sent with the values. `form_version_id` is of the launch form that was filled in; `searchable` are the inputs also stored in
    plain text, as field name, label and text; `secrets` are the values of secret fields with their paths in the payload. `credential` is
    the one that the person chose (of access.credential_options), None for the one that acts for them. With `keep_until`, the launch is
    kept until this time while the engine does not answer, and is not sent if the flow was published again meanwhile: `flow_version` is
    the version that is published, as far as it is known. `logged` are further details for the audit log.
    """

    flow_id: str
    flow_name: str
    payload: Any
    wait: bool
    ticket: str
    confirmed: bool = False
    files: tuple[Upload, ...] = ()
    form_version_id: str | None = None
    searchable: tuple[tuple[str, str, str], ...] = ()
    secrets: tuple[tuple[tuple[str, ...], str], ...] = ()
    credential: Credential | None = None
    keep_until: datetime | None = None
    flow_version: str = ""
    logged: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class LaunchResult:
    """`launch` is the new, existing or conflicting earlier launch (None if the person may not see it)."""

    outcome: Outcome
    launch: Launch | None

    @property
    def launched(self) -> Launch | None:
        """The launch of this request, created now or earlier; None if nothing was launched."""
        return self.launch if self.outcome in (Outcome.CREATED, Outcome.EXISTING) else None


def ticket() -> str:
    return secrets.token_urlsafe(24)


_with_ticket = Prepared(lambda ticket: Launch.objects.filter(ticket=ticket), str)


@Prepared
def _twins(user: int, workspace: int, since: datetime, digest: str) -> QuerySet[Launch]:
    rows = Launch.objects.filter(user=user, workspace=workspace, asked_at__gte=since, payload_digest=digest)
    return rows.order_by("-asked_at")[:1]


def create(actor: audit_log.Actor, access: member_access.Access, request: LaunchRequest) -> LaunchResult:
    """Create the launch as QUEUED, unique on its ticket, with its audit row, in one transaction.

    A person without the launcher role needs a right on this flow, of which one launch is used up. Raises member_access.NotAllowed without
    either, and ValueError for a malformed ticket, or for a new launch that is to be kept for longer than LONGEST_KEPT. The caller
    enqueues the launch afterwards (tasks.enqueue); the row says so already, as a second write would hold up the worker that claims it.
    """
    if not access.had_right(request.flow_id):
        access.require(Role.LAUNCHER)
    if not _TICKET.fullmatch(request.ticket):
        raise ValueError("malformed ticket")
    digest = launch_files.digest(request.flow_id, request.payload, request.files)
    with database.one_at_a_time(access.user):
        earlier = _with_ticket.first(request.ticket)
        if earlier is not None:
            own = (earlier.user_id, earlier.workspace_id) == (access.user.pk, access.workspace.pk)
            same = own and earlier.payload_digest == digest and earlier.wait == request.wait
            same = same and (request.credential is None or earlier.credential_id == request.credential.pk)
            same = same and request.keep_until == (earlier.send_by if earlier.kept else None)
            return LaunchResult(Outcome.EXISTING if same else Outcome.SPENT, earlier if own else None)
        if Workspace.objects.filter(pk=access.workspace.pk, launching_paused=True).exists():
            return LaunchResult(Outcome.PAUSED, None)
        text = json_text.dump(request.payload)
        if HIDDEN in text or masks(request.payload):
            return LaunchResult(Outcome.HIDDEN, None)
        size = len(text.encode())
        if size > settings.LAUNCH_JSON_BYTES:
            return LaunchResult(Outcome.LARGE, None)
        now = clock.now()
        is_kept = request.keep_until is not None
        send_by = request.keep_until or now + settings.LAUNCH_TOO_LATE
        if not now < send_by <= now + max(LONGEST_KEPT, settings.LAUNCH_TOO_LATE):
            raise ValueError("kept for too long")
        most = settings.LAUNCHES_PER_MINUTE
        if most and Launch.objects.filter(user=access.user, asked_at__gt=now - MINUTE).count() >= most:
            return LaunchResult(Outcome.TOO_OFTEN, None)
        if not request.confirmed:
            twin = _twins.first(access.user.pk, access.workspace.pk, now - TWIN_WINDOW, digest)
            if twin is not None:
                return LaunchResult(Outcome.TWIN, twin)
        by_role = access.allows(Role.LAUNCHER)
        launch = Launch(
            workspace=access.workspace,
            user=access.user,
            credential=request.credential or member_access.credential(access.user, access.workspace),
            credential_chosen=request.credential is not None,
            right=None if by_role else launch_rights.take(access, request.flow_id, now),
            ticket=request.ticket,
            flow_id=request.flow_id,
            # PostgreSQL takes no NUL, which an engine's name may hold.
            flow_name=request.flow_name.replace("\0", ""),
            wait=request.wait,
            moves=access.workspace.moves,
            form_version_id=request.form_version_id,
            payload_digest=digest,
            size=size + sum(len(file.data) for file in request.files),
            secret_marks=launch_secrets.marks(request.secrets),
            asked_at=now,
            not_before=now,
            send_by=send_by,
            kept=is_kept,
            enqueued_at=None if is_kept else now,
            # The person saw that the engine does not answer.
            reason=Reason.NOT_REACHED if is_kept else "",
            flow_version=request.flow_version[:64] if is_kept else "",
        )
        launch.payload = launch.seal("payload", text)
        launch.save(force_insert=True)
        launch_files.save_files(launch, request.files)
        launch_files.save_searchable(launch, request.searchable)
        detail: dict[str, Any] = {"files": [file.filename for file in request.files]} if request.files else {}
        if is_kept:
            detail["kept_until"] = send_by.isoformat()
        _log(actor, launch, "launch.ask", wait=request.wait, **detail, **request.logged)
    return LaunchResult(Outcome.CREATED, launch)


def encoded_payload(launch: Launch) -> EncodedJson:
    """The payload of a launch as sent, not decoded. Raises crypto.CannotOpen, also if it was removed.

    The ciphertext is read into a separate row, so that a large one is not kept in memory as long as `launch`.
    """
    for row in Launch.objects.defer(None).only("payload").filter(pk=launch.pk):
        if data := row.open_encoded("payload"):
            return EncodedJson(data)
    raise CannotOpen


def open_payload(launch: Launch) -> Any:
    """The decoded payload of a launch; None once it was removed by the retention rule. Raises crypto.CannotOpen."""
    return json_text.parse(launch.open("payload") or "null")


def sendable_launches(now: datetime) -> QuerySet[Launch]:
    """The launches to send now, held or not.

    The workspace is a subquery that does not read this table: in an UPDATE, the conditions on the row stay in its own WHERE.
    """
    active = Workspace.objects.filter(launching_paused=False).values("pk")
    return Launch.objects.filter(state__in=UNSENT, not_before__lte=now, send_by__gt=now, workspace_id__in=active)


def latest_launch(user: User, workspace: Workspace, flow_id: str) -> Launch | None:
    """The person's latest launch of the flow with stored values."""
    return _latest.first(workspace.pk, user.pk, flow_id)


@Prepared
def _latest(workspace: int, user: int, flow: str) -> QuerySet[Launch]:
    rows = Launch.objects.filter(workspace=workspace, user=user, flow_id=flow)
    return rows.exclude(payload="").order_by("-asked_at")[:1]


def visible_launches(access: member_access.Access) -> QuerySet[Launch]:
    """The launches that a member may see, newest first: all for builders and managers, else their own."""
    rows = Launch.objects.filter(workspace=access.workspace).order_by("-asked_at", "-pk")
    rows = rows.select_related("user", "credential")
    return rows if access.allows(Role.BUILDER) else rows.filter(user=access.user)


def with_text(text: str) -> Q:
    """The condition that a text is in the name of a launch's flow or in one of its searchable inputs."""
    names, inputs = Q(), Q()
    for spelling in database.spellings(text):
        names |= Q(flow_name__icontains=spelling)
        inputs |= Q(text__icontains=spelling)
    return names | Q(pk__in=LaunchInput.objects.filter(inputs).values("launch"))


@Prepared
def _by_id(workspace: int, pk: str) -> QuerySet[Launch]:
    return Launch.objects.filter(workspace=workspace, pk=pk).select_related("user", "credential", "workspace")


def visible_launch(access: member_access.Access, pk: str) -> Launch | None:
    """The launch, with its person, credential and workspace, if it is one of `visible_launches`; else None."""
    return next((row for row in _by_id(access.workspace.pk, pk) if may_open(row, access.user.pk, access.role)), None)


@Prepared
def _polled(workspace: int, pk: str) -> QuerySet[Launch]:
    rows = Launch.objects.filter(workspace=workspace, pk=pk).select_related("credential")
    return rows.defer("payload", "answer", "technical")


def polled_launch(access: member_access.Access, pk: str) -> Launch | None:
    """The launch, if a member may see it, without the columns that may be many megabytes, or None."""
    return next((row for row in _polled(access.workspace.pk, pk) if may_open(row, access.user.pk, access.role)), None)


class Launched(Protocol):
    """A launch, or the part of it that a list reads."""

    @property
    def pk(self) -> str: ...
    @property
    def user_id(self) -> int: ...


def may_open(launch: Launched, user_id: int, role: Role | None) -> bool:
    """Whether a person with this role may open a launch: the rule of `visible_launches` for a single launch."""
    return launch.user_id == user_id or (role is not None and role.includes(Role.BUILDER))


def withdraw(actor: audit_log.Actor, launch: Launch) -> bool:
    """Withdraw a launch that has not been sent. Return whether that was still possible."""
    now = clock.now()
    with transaction.atomic():
        done = Launch.objects.filter(pk=launch.pk, state__in=UNSENT).update(
            state=State.NOT_SENT, reason=Reason.WITHDRAWN, ended_at=now, **Launch.lease.released_values
        )
        if done:
            launch_rights.give_back(launch.right_id)
            _log(actor, launch, "launch.withdraw")
    return bool(done)


def settle(actor: audit_log.Actor, launch: Launch, *, ran: bool, why: str) -> bool:
    """Save a person's decision whether an unclear launch ran, with the reason. Return whether it was (still) unclear."""
    now = clock.now()
    with transaction.atomic():
        done = Launch.objects.filter(pk=launch.pk, state=State.UNKNOWN, claim_until=None).update(
            state=State.SUCCEEDED if ran else State.NOT_SENT,
            reason=Reason.SETTLED_RAN if ran else Reason.SETTLED_NOT_RUN,
            ended_at=now,
            poll_at=None,
        )
        if done:
            _log(actor, launch, "launch.settle", ran=ran, reason=why)
    return bool(done)


def end(launch: Launch, state: State, reason: str, now: datetime, *, rows: QuerySet[Launch], **fields: Any) -> bool:
    """End a launch if it is still among `rows`, with its audit row. Return whether it was. For the sending and following services."""
    with transaction.atomic():
        changed = {"state": state, "reason": reason, "ended_at": now, "words_read": 0}
        done = rows.filter(pk=launch.pk).update(**changed, **fields)
        if done:
            if state == State.NOT_SENT:
                launch_rights.give_back(launch.right_id)
            elif launch.state == State.NOT_SENT:
                launch_rights.take_again(launch.right_id)
            # The outcome of the launch, not of the console's noticing it.
            outcome = {State.SUCCEEDED: "done", State.UNKNOWN: "unclear"}.get(state, str(state))
            _log(audit_log.CONSOLE, launch, "launch.end", outcome=outcome, state=str(state), cause=str(reason))
            if state == State.FAILED:
                launch_failed.send(Launch, launch_id=launch.pk)
    return bool(done)


def doubt(launch: Launch, reason: Reason, now: datetime, *, rows: QuerySet[Launch], **fields: object) -> bool:
    """Mark a sent launch as unclear and search for its run. That is not an end, so there is no audit row yet.

    `ended_at` is when nothing more was expected of the call: the search time counts from it.
    """
    known = {"state": State.UNKNOWN, "reason": reason, "ended_at": now, "misses": 0, "poll_at": now}
    return bool(rows.filter(pk=launch.pk).update(**known, **fields))


def _log(actor: audit_log.Actor, launch: Launch, action: str, *, outcome: str = "done", **detail: Any) -> None:
    audit_log.record(
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
