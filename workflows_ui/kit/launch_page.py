"""What the page of a launch shows, made from its row alone: no engine is asked. The page and its live fragment are the same data."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from workflows_ui.crypto import CannotOpen
from workflows_ui.kit import failure_words, launch_answer, launch_inputs, launch_words, redact, show
from workflows_ui.kit.failure_words import Failure
from workflows_ui.kit.launch_answer import Answer
from workflows_ui.kit.readable import Node
from workflows_ui.kit.words import NO_WORKER, StateWord, Words, launch_state
from workflows_ui.models import UNSENT, AuditEvent, Follow, Launch, Role, State, WatchKind
from workflows_ui.services import heartbeat, launches, payloads, watching
from workflows_ui.services.access import Access
from workflows_ui.services.launches import Reason

#: Seconds between two looks of the browser, by the launch's age in seconds.
PACE = ((60, 2), (600, 5), (3600, 15))
SLOWEST = 60
#: Characters of a text that a page shows.
SHOWN = 300_000
#: Characters beyond which an answer can also be saved as a file.
_LONG = 4_000

_DECIDED = {Reason.WITHDRAWN, Reason.SETTLED_RAN, Reason.SETTLED_NOT_RUN}


@dataclass(frozen=True)
class Part:
    """A text of a launch as the page shows it. `kind` is json, text, empty, gone (retention) or unreadable (its key is gone)."""

    kind: str
    text: str = ""
    #: Characters that are not shown.
    cut: int = 0


class Page:
    """A launch, ready for its templates. `access` is the looking person's place in its workspace."""

    def __init__(self, launch: Launch, access: Access) -> None:
        self.launch = launch
        self._access = access
        self.words: Words = launch_words.of(launch)

    @property
    def live(self) -> bool:
        """Whether something may still change by itself."""
        return not self.launch.settled

    @cached_property
    def seconds(self) -> int:
        """How soon the browser should look again: seldom for what takes long."""
        age = (timezone.now() - (self.launch.sending_at or self.launch.asked_at)).total_seconds()
        return next((pause for limit, pause in PACE if age < limit), SLOWEST)

    @cached_property
    def trouble(self) -> Words | None:
        """Why nothing happens just now: nobody works in the background, or the engine cannot be asked about the launch."""
        if self.live and heartbeat.silent():
            return NO_WORKER
        if not self.live or self.launch.look_at is None:
            return None
        name = Follow.objects.filter(pk=self.launch.workspace_id).values_list("trouble", flat=True).first()
        return launch_words.of_trouble(name or "")

    @cached_property
    def version(self) -> str:
        """Changes whenever the fragment would look different; the browser says which one it has."""
        row = self.launch
        seen = [
            row.state,
            row.reason,
            row.tries,
            row.run_id,
            row.run_status,
            row.failed_step,
            row.answer_from,
            row.answer_status,
            row.ended_at,
            row.settled,
            row.claim_until is None,
            row.look_at is None,
            row.failure[-16:],
            row.credential_id,
            self.seconds,
            str(self.trouble.title) if self.trouble else "",
        ]
        return hashlib.sha256(json.dumps(seen, default=str).encode()).hexdigest()[:16]

    @property
    def badge(self) -> StateWord:
        """The state's icon and colour."""
        return launch_state(self.launch.state)

    @property
    def tone(self) -> str:
        """The colour of what is told about the state: no green for a launch that ended, but not as it should have."""
        told = self.launch.state != State.SUCCEEDED or self.words is launch_words.STATES[State.SUCCEEDED]
        return self.badge.colour if told or self.launch.reason == Reason.RUN_NOT_FOUND else "orange"

    # --- What the person may do -------------------------------------------------------------------

    @property
    def _mine_or_builder(self) -> bool:
        # A guest's own launches are theirs like a launcher's; of a viewer none is theirs but by a right.
        by_right = self.launch.right_id is not None and bool(self._access.rights)
        mine = self.launch.user_id == self._access.user.pk and (self._access.allows(Role.LAUNCHER) or by_right)
        return mine or self._access.allows(Role.BUILDER)

    @property
    def can_withdraw(self) -> bool:
        """Nothing has left yet, and it is this person's to take back."""
        return self.launch.state in UNSENT and self._mine_or_builder

    @property
    def can_settle(self) -> bool:
        """What became of it is unclear, no call of it is in the air, and it is this person's to decide."""
        return self.launch.state == State.UNKNOWN and self.launch.claim_until is None and self._mine_or_builder

    @property
    def can_launch_again(self) -> bool:
        """Whether the person may launch this flow."""
        return self._access.may_launch(self.launch.flow_id)

    @property
    def insider(self) -> bool:
        """Whether the person may open the flow and its runs: a guest sees nothing but their own launches."""
        return not self._access.guest

    @cached_property
    def watched(self) -> bool:
        """Whether the person asked to be told when it ends."""
        user, workspace = self._access.user, self._access.workspace
        return watching.asked(user, workspace, WatchKind.LAUNCH, self.launch.pk)

    @property
    def safe_again(self) -> bool:
        """Whether launching again is a sensible next step: the launch has ended and its fate is clear."""
        return self.launch.ended and self.launch.state != State.UNKNOWN

    @property
    def can_retry(self) -> bool:
        """Whether the run may go on at the step that failed: it has one, and the person may ask for it."""
        row = self.launch
        there = row.state == State.FAILED and bool(row.run_id) and bool(row.failed_step)
        return there and self.insider and self._access.allows(Role.LAUNCHER)

    @cached_property
    def can_run_again(self) -> bool:
        """Whether the same inputs can be sent once more with a click: it is clear what became of this launch, and all of them are still
        there. Files are not: they are not kept once they were sent."""
        return self.can_launch_again and self.safe_again and not self.purged and not self.launch.files.exists()

    @property
    def tells_story(self) -> bool:
        """Whether there is something to tell step by step: it led to a run, which may still go on."""
        return bool(self.launch.run_id)

    @cached_property
    def ticket(self) -> str:
        """The one-use ticket of the button that runs it again."""
        return launches.ticket()

    # --- What came of it --------------------------------------------------------------------------

    @cached_property
    def answer(self) -> Part | None:
        """The flow's answer or the last step's output, secrets masked; None while there is none."""
        row = self.launch
        if not row.answer_from:
            return None
        if not row.answer:
            return Part("gone") if self.purged else Part("empty")
        return self._answer_part(SHOWN)

    def _answer_part(self, most: int | None) -> Part:
        as_json = "json" in self.launch.answer_type.lower() and not self.launch.answer_cut
        return _part(self.launch, "answer", as_json=as_json, most=most)

    @property
    def answer_file(self) -> tuple[str, bytes] | None:
        """All of the answer that is kept, secrets masked, to be saved: json or txt, and the bytes; None where there is nothing."""
        if self.answer is None or self.answer.kind not in {"json", "text"}:
            return None
        part = self._answer_part(None)
        return ("json" if part.kind == "json" else "txt"), part.text.encode("utf-8", "replace")

    @property
    def answer_long(self) -> bool:
        """Whether the page may show less of the answer than there is."""
        return self.answer is not None and len(self.answer.text) > _LONG

    @cached_property
    def answered_nothing(self) -> bool:
        """Whether the answer holds nothing at all."""
        part = self.answer
        if part is None or part.kind not in {"json", "text", "empty"}:
            return False
        return part.kind == "empty" or launch_answer.of(self._answer_value if part.kind == "json" else part.text).empty

    @cached_property
    def readable(self) -> Answer | None:
        """The answer for people; None where there is none, where it is a page of HTML, and where nothing in it can be read."""
        part = self.answer
        if part is None or part.kind not in {"json", "text"} or "html" in self.launch.answer_type.lower():
            return None
        value = self._answer_value if part.kind == "json" else part.text
        found = launch_answer.of(value)
        return None if found.empty else found

    @property
    def _answer_value(self) -> Any:
        return redact.step(payloads.parse(launches.shown(self.launch, "answer")))

    @property
    def answer_words(self) -> str | Promise:
        """What the status of the flow's own answer means."""
        return launch_words.of_answer(self.launch.answer_status) if self.launch.answer_from == "flow" else ""

    @property
    def points_to(self) -> str:
        """The web address that the flow's answer points to; "" where it is none that a page may lead to."""
        return launch_answer.web_address(self.launch.answer_location)

    @cached_property
    def failure(self) -> Part | None:
        """Why the run failed, in the failed step's words, secrets masked."""
        return _part(self.launch, "failure", as_json=False) if self.launch.failure else None

    @cached_property
    def diagnosis(self) -> Failure | None:
        """What the failure means and what helps; None where the run did not fail or nothing is known."""
        if self.launch.state != State.FAILED:
            return None
        text = self.failure.text if self.failure is not None and self.failure.kind == "text" else ""
        return failure_words.of(text, self.launch.run_status)

    @cached_property
    def payload(self) -> Part:
        """The values it was launched with."""
        return Part("gone") if self.purged else _part(self.launch, "payload", as_json=True, masked=False)

    @cached_property
    def inputs(self) -> Node | None:
        """The same to read; None where there is nothing to read."""
        return launch_inputs.of(self.launch)

    @property
    def purged(self) -> bool:
        """Whether values and answer were removed by the retention rule."""
        return not self.launch.payload

    @cached_property
    def decision(self) -> AuditEvent | None:
        """Who withdrew or settled it, and why."""
        if self.launch.reason not in _DECIDED:
            return None
        return (
            AuditEvent.objects.filter(
                workspace_id=self.launch.workspace_id,
                object_type="launch",
                object_id=self.launch.pk,
                action__in=["launch.withdraw", "launch.settle"],
            )
            .select_related("user")
            .order_by("-at")
            .first()
        )

    @property
    def why(self) -> str:
        """The reason that a person gave for settling it."""
        return (self.decision.reason or str(self.decision.detail.get("why", ""))) if self.decision else ""

    @property
    def history(self) -> list[tuple[str | Promise, datetime]]:
        """What happened when. The run's times are on the engine's clock."""
        row = self.launch
        moments = [
            (pgettext_lazy("history of a launch", "Asked for"), row.asked_at),
            (pgettext_lazy("history of a launch", "Sent"), row.sending_at),
            (pgettext_lazy("history of a launch", "Run started"), row.run_started_at),
            (pgettext_lazy("history of a launch", "Engine answered"), row.answered_at),
            (pgettext_lazy("history of a launch", "Run ended"), row.run_finished_at),
            (pgettext_lazy("history of a launch", "Ended"), row.ended_at if row.run_finished_at is None else None),
        ]
        return [(label, moment) for label, moment in moments if moment is not None]

    @property
    def milliseconds(self) -> float | None:
        """How long the run took."""
        return show.between(self.launch.run_started_at, self.launch.run_finished_at)

    @property
    def technical(self) -> list[tuple[str | Promise, str]]:
        """Ids and words to quote, those that are there."""
        row = self.launch
        status = f"{row.answer_status or ''} {row.answer_type}".strip()
        lines: list[tuple[str | Promise, str]] = [
            (_("Number to quote"), row.pk),
            (_("Flow"), row.flow_id),
            (_("Run"), row.run_id),
            (_("The run's state in the engine's word"), row.run_status),
            (_("Answer of the engine"), status),
            (_("Why, in one word"), row.reason),
            (_("Tries to connect"), str(row.tries) if row.tries > 1 else ""),
            (_("Details"), str(redact.step(row.technical))[:2000]),
        ]
        return [(label, text) for label, text in lines if text]


def _part(launch: Launch, field: str, *, as_json: bool, masked: bool = True, most: int | None = SHOWN) -> Part:
    """The text of a column; no more than `most` characters of it (None: all)."""
    try:
        text = launches.shown(launch, field)
    except CannotOpen:
        return Part("unreadable")
    kind = "text"
    if as_json:
        try:
            value = payloads.parse(text)
        except payloads.BadPayload:
            as_json = False
        else:
            text, kind = payloads.pretty(redact.step(value) if masked else value), "json"
    if not as_json and masked:
        text = str(redact.step(text))
    shown = text[:most]
    return Part(kind, shown, len(text) - len(shown))
