"""The data of a launch's page and of its live fragment, from the launch's row alone, without a request to the engine."""

import hashlib
import json
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _, pgettext_lazy

from workflows_ui.audit.models import AuditEvent
from workflows_ui.core import heartbeat, json_text, redaction
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.core.prepared import Prepared
from workflows_ui.core.readable import Node
from workflows_ui.core.text import Message
from workflows_ui.credentials.services import capabilities
from workflows_ui.launches import answers as launch_answers, inputs as launch_inputs, messages as launch_messages
from workflows_ui.launches.answers import Answer
from workflows_ui.launches.failures import reading as failure_reading, reasons as failure_reasons
from workflows_ui.launches.models import UNSENT, Follow, Launch, Reason, RunRetry, State
from workflows_ui.launches.services import (
    launches,
    repairs,
    run_results,
    secrets as launch_secrets,
    usual_time,
    watching,
)
from workflows_ui.members.models import Role
from workflows_ui.members.services import members
from workflows_ui.members.services.access import Access
from workflows_ui.notifications.models import WatchKind
from workflows_ui.resource_admin.places import repair_url
from workflows_ui.web import messages
from workflows_ui.web.messages import NO_WORKER

#: Seconds between two polls of the browser, by the launch's age in seconds.
PACE = ((60, 2), (600, 5), (3600, 15))
SLOWEST = 60
#: Characters of a text that a page shows.
SHOWN = 300_000
#: Length in characters from which an answer can also be downloaded as a file.
_LONG = 4_000

#: States in which the engine is at work on the launch, or about to be.
#: States in which the engine cancels a run.
_CANCELLABLE = {State.ENQUEUED, State.PAUSED}
_DECISIONS = {Reason.WITHDRAWN, Reason.SETTLED_RAN, Reason.SETTLED_NOT_RUN}


@dataclass(frozen=True)
class Part:
    """A text of a launch as displayed. `kind` is json, text, empty, gone (retention) or unreadable (the key is gone)."""

    kind: str
    text: str = ""
    #: Characters that are not shown.
    cut: int = 0
    #: Whether anything in the whole text is masked.
    hides: bool = False
    #: The whole value, masked: decoded JSON or a text.
    value: object = None


_trouble = Prepared(lambda workspace: Follow.objects.filter(pk=workspace).values_list("trouble", flat=True), int)


class LaunchPage:
    """A launch, prepared for its templates. `access` is the viewer's access to its workspace."""

    def __init__(self, launch: Launch, access: Access) -> None:
        self.launch = launch
        self._access = access
        self.message: Message = launch_messages.launch_message(launch)

    @cached_property
    def _hider(self) -> launch_secrets.Hider:
        return launch_secrets.payload_hider(self.launch)

    @property
    def live(self) -> bool:
        """Whether the launch may still change without an action of the viewer."""
        return not self.launch.settled

    @cached_property
    def seconds(self) -> int:
        """The browser's polling interval, which grows with the launch's age."""
        age = (timezone.now() - (self.launch.sending_at or self.launch.asked_at)).total_seconds()
        return next((pause for limit, pause in PACE if age < limit), SLOWEST)

    @cached_property
    def elapsed(self) -> int | None:
        """Milliseconds since it was sent, while the engine is at work on it; None before and after."""
        return usual_time.elapsed(self.launch)

    @property
    def title_is_badge(self) -> bool:
        """Whether the state's message begins with the word that the heading already shows."""
        return str(self.message.title) == str(messages.launch_badge(self.launch).word)

    @property
    def run_says_more(self) -> bool:
        """Whether the run's state says more about the end than the launch's, as which limit stopped it."""
        row = self.launch
        ended = row.state in (State.FAILED, State.CANCELLED, State.OTHER) and bool(row.run_status)
        return ended and str(messages.run_state(row.run_status).word) != str(messages.launch_badge(row).word)

    @cached_property
    def trouble(self) -> Message | None:
        """Why there is no progress: no background worker is running, or the engine cannot be polled."""
        if self.live and heartbeat.silent():
            return NO_WORKER
        if not self.live or self.launch.poll_at is None:
            return None
        return launch_messages.poll_error_message(_trouble.first(self.launch.workspace_id) or "")

    @cached_property
    def version(self) -> str:
        """A digest of the fragment's content; the browser sends the one it has."""
        row = self.launch
        seen: list[object] = [row.state, row.reason, row.tries, row.run_id, row.run_status, row.ended_at, row.settled]
        seen += [row.answer_from, row.answer_status, row.failed_step, row.failure[-16:], row.credential_id]
        seen += [row.claim_until is None, row.poll_at is None, self.seconds, str(self.trouble and self.trouble.title)]
        seen.append(self.can_settle)
        return hashlib.sha256(json.dumps(seen, default=str).encode()).hexdigest()[:16]

    @property
    def tone(self) -> str:
        """The colour of the state's message. Not green for a success with a reservation."""
        success = self.launch.state == State.SUCCEEDED and self.launch.reason != Reason.RUN_NOT_FOUND
        if success and self.message != launch_messages.state_message(State.SUCCEEDED):
            return "orange"
        return messages.launch_badge(self.launch).colour

    # --- What the person may do -------------------------------------------------------------------

    @property
    def _mine_or_builder(self) -> bool:
        # A guest owns their launches as a launcher does; a viewer only those made by a launch right.
        by_right = self.launch.right_id is not None and bool(self._access.rights)
        mine = self.launch.user_id == self._access.user.pk and (self._access.allows(Role.LAUNCHER) or by_right)
        return mine or self._access.allows(Role.BUILDER)

    @property
    def can_withdraw(self) -> bool:
        """Whether nothing has been sent yet and the person may withdraw the launch."""
        return self.launch.state in UNSENT and self._mine_or_builder

    @property
    def can_settle(self) -> bool:
        """Whether the result is unclear, the console's search is over, and the person may settle the launch."""
        row = self.launch
        over = not row.searched_for or run_results.search_is_over(row, timezone.now())
        return row.state == State.UNKNOWN and row.claim_until is None and over and self._mine_or_builder

    @property
    def can_launch_again(self) -> bool:
        return self._access.may_launch(self.launch.flow_id)

    @cached_property
    def watched(self) -> bool:
        user, workspace = self._access.user, self._access.workspace
        return watching.is_watching(user, workspace, WatchKind.LAUNCH, self.launch.pk)

    @property
    def safe_again(self) -> bool:
        """Whether to suggest launching again: the launch has ended and its result is known."""
        return self.launch.ended and self.launch.state not in (State.UNKNOWN, State.OTHER)

    @property
    def shows_runs(self) -> bool:
        """Whether the person may open the page of the run: guests see none."""
        return not self._access.guest and self._access.sees("runs")

    @cached_property
    def retries(self) -> list[RunRetry]:
        """The retries of the launch's run through the console, oldest first."""
        known = bool(self.launch.run_id) and self.launch.ended and not self._access.guest
        return repairs.retries_of_launch(self.launch) if known else []

    @cached_property
    def repaired_by(self) -> RunRetry | None:
        """The retry that succeeded; None if the launch is not known to be repaired."""
        return repairs.successful_retry(self.launch, self.retries)

    @property
    def shows_flow(self) -> bool:
        """Whether the person may open the page of the flow: guests see none."""
        return not self._access.guest and self._access.sees("flows")

    @property
    def can_retry(self) -> bool:
        """Whether the run can continue at its failed step: for members who may launch, also where the page of runs is hidden from them."""
        row = self.launch
        failed = row.state == State.FAILED and bool(row.run_id) and bool(row.failed_step)
        return failed and self._can_act("run-retry")

    @property
    def can_cancel(self) -> bool:
        """Whether the engine can still be asked to cancel the run: it does so for runs that wait only (recording `runs_cancel_running`)."""
        row = self.launch
        return row.state in _CANCELLABLE and bool(row.run_id) and self._can_act("run-cancel")

    def _can_act(self, capability: str) -> bool:
        """Whether the person may act on runs, and the engine can."""
        return self._access.allows(Role.LAUNCHER) and capability not in capabilities.read_capabilities(
            self._access.workspace
        )

    @property
    def next_steps(self) -> list[str]:
        """What can be done about the failure, the likeliest to help first: retry, again and change (launches/next_steps.html)."""
        if self.reason is None or not self.can_launch_again:
            return []
        possible = {"retry": self.can_retry, "again": self.can_run_again, "change": not self.purged}
        by_running = self.reason.cure in ("wait", "connection")
        order = ("retry", "again", "change") if by_running else ("change", "retry", "again")
        return [name for name in order if possible[name]]

    @property
    def repair_url(self) -> str:
        """Where a builder repairs the step that failed; "" for others, and if it is not known that a step did."""
        failed = self.reason is not None and bool(self.reason.step)
        return repair_url(self._access, self.launch.run_id) if failed and not self._access.guest else ""

    @cached_property
    def caretakers(self) -> dict[str, object] | None:
        """Who can help with the failure; None for guests, who learn no names."""
        row = self.launch
        return None if self._access.guest else members.find_caretakers(row.workspace, row.flow_id)

    @cached_property
    def can_run_again(self) -> bool:
        """Whether the same inputs can be sent again with one click: the result is known and all inputs are still stored.

        Files are removed once sent, and values of secret fields are never filled in again.
        """
        has_inputs = not self.purged and not self.launch.secret_marks and not self.launch.files.exists()
        return self.can_launch_again and self.safe_again and has_inputs

    @property
    def can_keep(self) -> bool:
        """Whether the same inputs can be kept as a new launch: this one was not sent in time, and all inputs are still stored."""
        late = self.launch.state == State.NOT_SENT and self.launch.reason in (Reason.TOO_LATE, Reason.NOT_BACK)
        return late and self.can_run_again

    @cached_property
    def hides(self) -> bool:
        """Whether there are masked values that the person may reveal by giving a reason."""
        if not self._access.allows(Role.BUILDER):
            return False
        return any(part.hides for part in (self.payload, self.answer, self.failure) if part is not None)

    @property
    def has_story(self) -> bool:
        """Whether the page loads the story: the launch has a run, perhaps unfinished, or the flow may explain why it has none."""
        return bool(self.launch.run_id) or self.runless

    @property
    def runless(self) -> bool:
        """Whether the engine accepted the launch and no run appeared, and the person may open the flow, which may explain that."""
        return self.launch.reason == Reason.NO_RUN and self.shows_flow

    @cached_property
    def ticket(self) -> str:
        """The one-use ticket of the button that launches it again."""
        return launches.ticket()

    # --- Result -----------------------------------------------------------------------------------

    @cached_property
    def answer(self) -> Part | None:
        """The flow's answer or the last step's output, secrets masked; None before there is one."""
        row = self.launch
        if not row.answer_from:
            return None
        if not row.answer:
            return Part("gone") if self.purged else Part("empty")
        return _part(row, "answer", self._hider, as_json="json" in row.answer_type.lower() and not row.answer_cut)

    @property
    def answer_file(self) -> tuple[str, bytes] | None:
        """The whole stored answer as a download, secrets masked: json or txt, and the bytes; None without a text."""
        if self.answer is None or self.answer.kind not in {"json", "text"}:
            return None
        as_json, value = self.answer.kind == "json", self.answer.value
        return ("json", json_text.pretty(value).encode()) if as_json else ("txt", str(value).encode("utf-8", "replace"))

    @property
    def answer_long(self) -> bool:
        return self.answer is not None and len(self.answer.text) > _LONG

    @cached_property
    def _read_answer(self) -> Answer | None:
        readable = self.answer is not None and self.answer.kind in {"json", "text"}
        return launch_answers.read_answer(self.answer.value) if self.answer and readable else None

    @property
    def answered_nothing(self) -> bool:
        return self._read_answer.empty if self._read_answer else bool(self.answer and self.answer.kind == "empty")

    @property
    def readable(self) -> Answer | None:
        """The answer in readable form; None without an answer, for HTML, and if it has no readable content."""
        return None if self.answered_nothing or "html" in self.launch.answer_type.lower() else self._read_answer

    @property
    def answer_status_text(self) -> str | Promise:
        status = self.launch.answer_status if self.launch.answer_from == "flow" else None
        return launch_messages.answer_status_message(status)

    @property
    def points_to(self) -> str:
        """The redirect target of the flow's answer; "" unless it is a web address that a page may link to."""
        return launch_answers.web_address(self.location)

    @property
    def location(self) -> str:
        """The `Location` of the flow's answer, secrets masked."""
        return str(launch_secrets.masked(self.launch, self.launch.answer_location, hider=self._hider))

    @cached_property
    def failure(self) -> Part | None:
        """The failed step's error message, secrets masked, repeated error names before it reduced to one."""
        part = _part(self.launch, "failure", self._hider) if self.launch.failure else None
        return replace(part, text=failure_reading.collapsed(part.text)) if part else None

    @cached_property
    def reason(self) -> failure_reasons.FailureReason | None:
        """Why the launch failed; None if it did not."""
        row = self.launch
        if row.state != State.FAILED:
            return None
        text = self.failure.text if self.failure is not None and self.failure.kind == "text" else ""
        return failure_reasons.find_reason(row.failed_step, text, row.run_status)

    @cached_property
    def payload(self) -> Part:
        return Part("gone") if self.purged else _part(self.launch, "payload", self._hider, as_json=True)

    @cached_property
    def inputs(self) -> Node | None:
        return launch_inputs.readable_inputs(self.launch)

    @property
    def purged(self) -> bool:
        """Whether the retention rule has removed values and answer."""
        return not self.launch.payload

    @cached_property
    def decision(self) -> AuditEvent | None:
        """The audit event of the withdrawal or settlement, or of the run's cancellation through the console."""
        row = self.launch
        events = AuditEvent.objects.filter(workspace_id=row.workspace_id).select_related("user").order_by("-at")
        if row.state == State.CANCELLED and row.run_id:
            events = events.filter(object_type="runs", object_id=row.run_id, action="runs.cancel", outcome="done")
        elif row.reason in _DECISIONS:
            decisions = ("launch.withdraw", "launch.settle")
            events = events.filter(object_type="launch", object_id=row.pk, action__in=decisions)
        else:
            return None
        return events.first()

    @property
    def settle_reason(self) -> str:
        return (self.decision.reason or str(self.decision.detail.get("why", ""))) if self.decision else ""

    @property
    def history(self) -> list[tuple[str | Promise, datetime]]:
        """Labelled times of the launch. Those of the run are on the engine's clock."""
        row = self.launch
        moments = [
            (pgettext_lazy("history of a launch", "Requested"), row.asked_at),
            (pgettext_lazy("history of a launch", "Sent"), row.sending_at),
            (pgettext_lazy("history of a launch", "Run started"), row.run_started_at),
            (pgettext_lazy("history of a launch", "Answer received"), row.answered_at),
            (pgettext_lazy("history of a launch", "Run ended"), row.run_finished_at),
            (pgettext_lazy("history of a launch", "Ended"), row.ended_at if row.run_finished_at is None else None),
        ]
        return [(label, moment) for label, moment in moments if moment is not None]

    @property
    def technical(self) -> list[tuple[str | Promise, str]]:
        """Ids and engine values to quote to support, without the empty ones."""
        row = self.launch
        status = f"{row.answer_status or ''} {row.answer_type}".strip()
        lines: list[tuple[str | Promise, str]] = [
            (_("Reference number"), row.pk),
            (_("Flow"), row.flow_id),
            (_("Run"), row.run_id),
            (_("Status in the engine"), row.run_status),
            (_("Answer received"), status),
            (_("Reason code"), row.reason),
            (_("Connection attempts"), str(row.tries) if row.tries > 1 else ""),
            (_("Details"), str(launch_secrets.masked(row, row.technical, hider=self._hider))[:2000]),
        ]
        return [(label, text) for label, text in lines if text]


def _part(launch: Launch, field: str, hider: launch_secrets.Hider, *, as_json: bool = False) -> Part:
    """The text of a column, secrets masked, cut to SHOWN characters."""
    try:
        stored = launch_secrets.masked_field(launch, field)
    except CannotOpen:
        return Part("unreadable")
    value: object = stored
    kind = "text"
    if as_json:
        with suppress(json_text.BadPayload):
            value, kind = json_text.parse(stored), "json"
    value = launch_secrets.masked(launch, value, field, hider=hider)
    text = json_text.pretty(value) if kind == "json" else str(value)
    return Part(kind, text[:SHOWN], max(0, len(text) - SHOWN), redaction.MASK in text, value)
