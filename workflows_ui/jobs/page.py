"""The content of a bulk action's page, built from its rows; only its form may call the engine. Page and live fragment
have the same data.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import cached_property

from django import forms
from django.urls import reverse
from django.utils.translation import gettext as _, ngettext

from workflows_ui.core import clock, heartbeat
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.core.states import Badge
from workflows_ui.core.text import Message, Text, in_own_language
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.jobs import messages as job_messages
from workflows_ui.jobs.models import JOB_OPEN, ItemState, Job, JobItem, JobKind, JobState
from workflows_ui.jobs.services import jobs
from workflows_ui.lists.file_formats import FORMATS
from workflows_ui.members.services.access import Access
from workflows_ui.resource_admin import action_forms
from workflows_ui.resource_admin.actions import Action, Procedure
from workflows_ui.resource_admin.resource import Resource
from workflows_ui.unclear_writes import services as unclear_writes
from workflows_ui.unclear_writes.models import WriteState
from workflows_ui.web import messages
from workflows_ui.web.links import reachable

#: Names in the confirmation; and objects per page of the outcomes.
NAMED, ROWS = 20, 50
#: Names of affected items listed per object.
_LISTED = 5
_POLL = {JobState.COLLECTING: 1, JobState.RUNNING: 2}
#: Seconds between polls while the console finds out about objects of a job that is over.
_CHECKED_EVERY = 3
#: Seconds between looks at what the action started, and how long after the job's end the page still looks.
_FOLLOWED_EVERY, _FOLLOWED_FOR = 5, timedelta(hours=1)
#: The order of the outcomes in the filter.
_ORDER = (ItemState.FAILED, ItemState.UNCLEAR, ItemState.SKIPPED, ItemState.DONE, ItemState.SENDING, ItemState.WAITING)


def job_url(slug: str, job: Job) -> str:
    """The page of a bulk action or an export."""
    return reverse("export" if job.kind == JobKind.EXPORT else "job", args=[slug, job.pk])


class JobPage:
    """A job with its declaration; `resource` and `action` are None if they are no longer declared."""

    def __init__(self, job: Job, access: Access, resources: Mapping[str, Resource], show: str = "") -> None:
        self.job = job
        self.access = access
        self.resource = resources.get(job.resource)
        self.action: Action | None = self.resource.job_action(job.action) if self.resource else None
        self.show = show if show in ItemState.values else ""
        self.slug = access.workspace.slug
        #: Whether the person requested it: nobody else can confirm or retry it.
        self.mine = job.user_id == access.user.pk
        self.can_stop = job.state in JOB_OPEN
        self.url = job_url(self.slug, job)
        self.badge: Badge = job_messages.badge(job)

    @property
    def file_format(self) -> Text:
        """The name of the format of an export's file."""
        known = FORMATS.get(self.job.format)
        return known.label if known else self.job.format

    @property
    def title(self) -> str:
        """What is done to what: “Delete: Flows”."""
        if self.job.kind == JobKind.EXPORT:
            return _("Export: %(things)s") % {"things": self.things}
        label = self.action.label if self.action else self.job.action
        return _("%(action)s: %(things)s") % {"action": label, "things": self.things}

    @cached_property
    def _procedure(self) -> tuple[Procedure, dict[str, object]] | None:
        """The procedure and its data; None if the job has none, or its data is gone or cannot be opened."""
        procedure = self.action.bulk.procedure if self.action and self.action.bulk else None
        try:
            data = json.loads(self.job.open("data") or "null") if procedure else None
        except CannotOpen:
            return None
        return (procedure, data) if procedure and data else None

    @property
    def subject(self) -> Text:
        """What a job with a procedure is about, besides its objects; else ""."""
        if self._procedure is None:
            return ""
        procedure, data = self._procedure
        return procedure.subject(data)

    @property
    def things(self) -> Text:
        return self.resource.label_plural if self.resource else self.job.resource

    @property
    def size(self) -> int:
        """The number of objects, as far as known."""
        return max(self.job.total, self.job.rows)

    @property
    def words(self) -> Message:
        """The message for its state, or that no worker is running."""
        return messages.NO_WORKER if self.waits_for_a_worker else job_messages.of_job(self.job)

    @cached_property
    def waits_for_a_worker(self) -> bool:
        """Whether there is work to do, and no worker is running."""
        return bool(self.seconds) and heartbeat.silent()

    @property
    def may_act(self) -> bool:
        """Whether the person may (still) run the action."""
        return self.mine and self.action is not None and self.access.allows(self.action.role)

    @property
    def awaits_confirmation(self) -> bool:
        """Whether it waits for this person's confirmation."""
        return self.job.state == JobState.ASKING and self.may_act

    @property
    def can_retry(self) -> bool:
        """Whether some objects failed and can be retried."""
        begun = self.job.begun_at is not None or not self.job.resumes
        return begun and self.job.over and self.may_act and any(map(self.counts.get, jobs.again(self.job)))

    @cached_property
    def can_undo(self) -> bool:
        """Whether objects succeeded, there is an action that undoes it, and no job has done so."""
        return self._undoable and not self.why_final and self.undone_by is None

    @cached_property
    def undone_by(self) -> Job | None:
        """The job that undoes this one (jobs.undone_by), once it is confirmed."""
        found = jobs.undone_by(self.job) if self._procedure is not None and self.job.over else None
        return found if found is not None and found.begun_at is not None else None

    @cached_property
    def why_final(self) -> Text:
        """Why what succeeded cannot be undone; "" if it can, or nobody would ask."""
        if self._procedure is None or not self._undoable or self.undone_by is not None:
            return ""
        procedure, data = self._procedure
        return procedure.final(self.access.workspace, data)

    @property
    def _undoable(self) -> bool:
        return bool(self._procedure) and self.job.over and self.may_act and bool(self.counts.get(ItemState.DONE))

    @property
    def seconds(self) -> int:
        """Seconds between polls; 0 for none."""
        return _POLL.get(JobState(self.job.state), 0) or (_CHECKED_EVERY if getattr(self.job, "checked", False) else 0)

    @property
    def list_url(self) -> str:
        """The list where the job was requested, with its filters."""
        if self.resource is None:
            return ""
        url = self.resource.url(self.slug)
        return reachable(f"{url}?{self.job.filters}" if self.job.filters else url)

    @cached_property
    def checked(self) -> set[str]:
        """The ids of the objects for which the console still finds out whether it was done."""
        return unclear_writes.checked_objects(self.access.workspace, self.url)

    @cached_property
    def counts(self) -> dict[str, int]:
        return jobs.counts(self.job)

    @property
    def to_do(self) -> int:
        """The number of objects still to do."""
        return self.counts.get(ItemState.WAITING, 0)

    @cached_property
    def to_choose(self) -> int:
        """The number of objects that are left out unless the person chooses otherwise in the form."""
        reasons = self.action.bulk.choices.values() if self.action and self.action.bulk else ()
        return self.job.items.filter(state=ItemState.SKIPPED, reason__in=reasons).count() if reasons else 0

    @property
    def impossible(self) -> int:
        """The number of selected objects whose state does not allow the action."""
        return self.counts.get(ItemState.SKIPPED, 0) - self.to_choose

    @property
    def processed(self) -> int:
        """The number of objects with an outcome."""
        return sum(self.counts.values()) - self.to_do - self.counts.get(ItemState.SENDING, 0)

    @property
    def summary(self) -> Sequence[tuple[str, Badge, int, bool]]:
        """For each state that occurs: its name, its badge, the count, and whether only these are shown."""
        return [
            (str(state), self._badge(state), self.counts[state], state == self.show)
            for state in _ORDER
            if self.counts.get(state)
        ]

    @property
    def names(self) -> Sequence[tuple[str, str]]:
        """The first objects of the confirmation: name and URL."""
        found = self.job.items.filter(state=ItemState.WAITING).order_by("position")[:NAMED]
        return [(item.name or item.object_id, self._url(item)) for item in found]

    @property
    def more(self) -> int:
        return max(0, self.to_do - NAMED)

    @property
    def affected(self) -> Sequence[tuple[str, str, str]]:
        """What else is affected, by object: name, sentence, names. Objects with the same impact are grouped."""
        groups: dict[tuple[str, str], list[str]] = {}
        for name, sentence, names, *_choice in self.job.affected:
            shown = in_own_language(sentence), _join_names([in_own_language(affected) for affected in names])
            groups.setdefault(shown, []).append(name)
        return [
            (_join_names(objects), sentence, affected_names) for (sentence, affected_names), objects in groups.items()
        ]

    @property
    def not_looked_at(self) -> str:
        """A note that the impact was not read for all objects; "" if it was."""
        rest = self.to_do - self.job.looked_at
        if self.action is None or self.action.impact is None or rest <= 0:
            return ""
        text = ngettext(
            "Other effects were not checked for %(count)d other item.",
            "Other effects were not checked for the %(count)d other items.",
            rest,
        )
        return text % {"count": rest}

    @property
    def missing(self) -> str:
        """A note that the engine counts more than its list gave; "" if it does not."""
        missing = (self.job.counted or 0) - self.job.total
        if missing <= 0 or self.job.cut:
            return ""
        text = ngettext(
            "The engine counts %(count)d more, which its list left out. It is not among these.",
            "The engine counts %(count)d more, which its list left out. They are not among these.",
            missing,
        )
        return text % {"count": missing}

    @property
    def button(self) -> str:
        label = str(self.action.label) if self.action else ""
        return _("%(action)s (%(count)d)") % {"action": label, "count": self.to_do} if self.to_do else label

    def form(self, session: EngineSession, submitted: Mapping[str, object] | None = None) -> forms.Form:
        """The action's form with what was submitted, else with the values of the job that is retried. Raises EngineError, CannotOpen."""
        assert self.action is not None  # noqa: S101  (only if `awaits_confirmation`)
        if submitted is None:
            stored = self.job.open("data")
            form = action_forms.unbound(self.action, session, {}, json.loads(stored) if stored else None)
        else:
            form = action_forms.bound(self.action, session, {}, submitted)
        procedure = self.action.bulk.procedure if self.action.bulk else None
        named = [choice for _name, _text, _names, *choice in self.job.affected]
        # Rows from before an upgrade name no choice.
        if procedure and self.job.looked_at >= self.to_do and all(named):
            for name in procedure.choices.difference(*named):
                del form.fields[name]
        return form

    def rows(self, start: int) -> Sequence[tuple[JobItem, str, Badge, Text]]:
        """A page of the outcomes from a position on: item, URL, badge, reason."""
        found = self.job.items.filter(position__gte=start).order_by("position")
        if self.show:
            found = found.filter(state=self.show)
        return [
            (
                item,
                self._url(item),
                self._badge(ItemState(item.state), item),
                job_messages.why(item, checked=self._is_checked(item)),
            )
            for item in found[: ROWS + 1]
        ]

    def _is_checked(self, item: JobItem) -> bool:
        return item.state == ItemState.UNCLEAR and item.object_id in self.checked

    def _badge(self, state: ItemState, item: JobItem | None = None) -> Badge:
        if item is not None and self._is_checked(item):
            return WriteState.CHECKING.badge
        done = self.action.bulk.done if self.action is not None and self.action.bulk is not None else ""
        if state != ItemState.DONE or not done:
            return state.badge
        # Not green: how it ends is not known yet.
        return replace(state.badge, word=done, icon="rotate-cw", colour="secondary")

    @property
    def follows(self) -> bool:
        """Whether the page shows the current states of what the action started."""
        return self.action is not None and self.action.bulk is not None and self.action.bulk.follow is not None

    def follow(self, session: EngineSession, items: Sequence[JobItem]) -> dict[int, tuple[Badge, str]]:
        """By position of the items on the page: the current state of what the action started, and its URL. Raises EngineError."""
        assert self.action is not None  # noqa: S101  (only if `follows`)
        assert self.action.bulk is not None  # noqa: S101
        assert self.action.bulk.follow is not None  # noqa: S101
        started = {item.position: item.result_id or item.object_id for item in items if item.state == ItemState.DONE}
        states = self.action.bulk.follow(session, sorted(set(started.values()))) if started else {}
        return {
            position: (states[key], reachable(self.resource.url(self.slug, key)) if self.resource else "")
            for position, key in started.items()
            if key in states
        }

    def follow_seconds(self, followed: Mapping[int, tuple[Badge, str]]) -> int:
        """Seconds until the next look; 0 once all have ended, or the job long ago."""
        ended = self.job.ended_at
        recent = ended is not None and clock.now() - ended < _FOLLOWED_FOR
        moving = any(state.colour == "blue" for state, _url in followed.values())
        return self.seconds or (_FOLLOWED_EVERY if recent and moving else 0)

    @property
    def version(self) -> str:
        """Changes whenever the page does."""
        job = self.job
        counts = [sorted(self.counts.items()), len(self.checked)]
        content = [job.state, job.reason, self.waits_for_a_worker, job.total, counts]
        return hashlib.sha256(repr(content).encode()).hexdigest()[:16]

    def _url(self, item: JobItem) -> str:
        removed = item.state == ItemState.DONE and self.action is not None and self.action.removes
        return "" if self.resource is None or removed else reachable(self.resource.url(self.slug, item.object_id))


def _join_names(names: Sequence[str]) -> str:
    text = ", ".join(names[:_LISTED])
    if len(names) <= _LISTED:
        return text
    return _("%(names)s and %(count)d more") % {"names": text, "count": len(names) - _LISTED}
