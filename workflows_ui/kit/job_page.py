"""What the page of a bulk action shows, made from its rows; only its form may ask the engine. Page and live fragment are the same data."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cached_property

from django import forms
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from workflows_ui.kit import action_forms, job_words, words
from workflows_ui.kit.actions import Action
from workflows_ui.kit.caller import Caller
from workflows_ui.kit.resource import Resource
from workflows_ui.kit.words import StateWord, Text, Words
from workflows_ui.models import ItemState, Job, JobItem, JobKind, JobState
from workflows_ui.services import heartbeat, jobs
from workflows_ui.services.access import Access

#: Names in the question; and objects on a page of the outcomes.
NAMED, ROWS = 20, 50
#: Names of touched things that are told of one object.
_TOLD = 5
_POLL = {JobState.COLLECTING: 1, JobState.RUNNING: 2}
#: The outcomes in the order of the filter.
_ORDER = (
    ItemState.FAILED,
    ItemState.UNCLEAR,
    ItemState.SKIPPED,
    ItemState.DONE,
    ItemState.SENDING,
    ItemState.WAITING,
)


class Page:
    """A job with its declaration; `resource` and `action` are None where they are declared no more."""

    def __init__(self, job: Job, access: Access, resources: Mapping[str, Resource], show: str = "") -> None:
        self.job = job
        self.access = access
        self.resource = resources.get(job.resource)
        found = self.resource.actions if self.resource else ()
        self.action: Action | None = next((one for one in found if one.name == job.action and one.bulk), None)
        self.show = show if show in ItemState.values else ""

    @property
    def slug(self) -> str:
        """The workspace's short name."""
        return self.access.workspace.slug

    @property
    def title(self) -> str:
        """What is done to what: “Delete: Flows”."""
        if self.job.kind == JobKind.EXPORT:
            return _("Export: %(things)s") % {
                "things": self.resource.label_plural if self.resource else self.job.resource
            }
        label = self.action.label if self.action else self.job.action
        things = self.resource.label_plural if self.resource else self.job.resource
        return _("%(action)s: %(things)s") % {"action": label, "things": things}

    @property
    def url(self) -> str:
        """Its own page."""
        if self.job.kind == JobKind.EXPORT:
            return reverse("export", kwargs={"slug": self.slug, "job_id": self.job.pk})
        return reverse("job", args=[self.slug, self.job.pk])

    @property
    def size(self) -> int:
        """How many objects it is about, as far as is known."""
        return max(self.job.total, self.job.rows)

    @property
    def words(self) -> Words:
        """Its state in plain words, or that nobody works on it just now."""
        return words.NO_WORKER if self.waits_for_a_worker else job_words.of_job(self.job)

    @cached_property
    def waits_for_a_worker(self) -> bool:
        """Whether there is something to do, and nothing works in the background."""
        return bool(self.seconds) and heartbeat.silent()

    @property
    def badge(self) -> StateWord:
        """Its state in a word."""
        return job_words.badge(self.job)

    @property
    def mine(self) -> bool:
        """Whether the person asked for it: nobody else confirms it or tries it again."""
        return self.job.user_id == self.access.user.pk

    @property
    def may_act(self) -> bool:
        """Whether the person may (still) do the action."""
        return self.mine and self.action is not None and self.access.allows(self.action.role)

    @property
    def asking(self) -> bool:
        """Whether it waits for this person's yes."""
        return self.job.state == JobState.ASKING and self.may_act

    @property
    def can_stop(self) -> bool:
        """Whether there is something left to stop."""
        return self.job.state in (JobState.COLLECTING, JobState.RUNNING)

    @property
    def can_retry(self) -> bool:
        """Whether some failed and may be tried again."""
        return self.job.over and self.may_act and bool(self.counts.get(ItemState.FAILED))

    @property
    def seconds(self) -> int:
        """How often it is looked at; 0 for never."""
        return _POLL.get(JobState(self.job.state), 0)

    @property
    def list_url(self) -> str:
        """The list it came from, with its filters."""
        if self.resource is None:
            return ""
        url = self.resource.url(self.slug)
        return f"{url}?{self.job.filters}" if self.job.filters else url

    @cached_property
    def counts(self) -> dict[str, int]:
        """Objects by state."""
        return jobs.counts(self.job)

    @property
    def to_do(self) -> int:
        """Objects that it would be done to, or still is."""
        return self.counts.get(ItemState.WAITING, 0)

    @property
    def left_out(self) -> int:
        """Objects that were left out before the question."""
        return self.counts.get(ItemState.SKIPPED, 0)

    @property
    def dealt_with(self) -> int:
        """Objects that have their outcome."""
        open_ones = self.counts.get(ItemState.WAITING, 0) + self.counts.get(ItemState.SENDING, 0)
        return sum(self.counts.values()) - open_ones

    @property
    def summary(self) -> Sequence[tuple[str, StateWord, int, bool]]:
        """For each state that some are in: its name, its badge, how many, whether only these are shown."""
        return [
            (str(state), job_words.ITEMS[state], self.counts[state], state == self.show)
            for state in _ORDER
            if self.counts.get(state)
        ]

    @property
    def names(self) -> Sequence[tuple[str, str]]:
        """The first objects of the question: name and address."""
        found = self.job.items.filter(state=ItemState.WAITING).order_by("position")[:NAMED]
        return [(item.name or item.object_id, self._url(item)) for item in found]

    @property
    def more(self) -> int:
        """Objects beyond those."""
        return max(0, self.to_do - NAMED)

    @property
    def affected(self) -> Sequence[tuple[str, str, str]]:
        """What would be touched besides, object by object: name, sentence, names. Those of which the same is said stand together."""
        told: dict[tuple[str, str], list[str]] = {}
        for name, sentence, names in self.job.affected:
            shown = ", ".join(names[:_TOLD])
            if len(names) > _TOLD:
                shown = _("%(names)s and %(count)d more") % {"names": shown, "count": len(names) - _TOLD}
            told.setdefault((sentence, shown), []).append(name)
        found = []
        for (sentence, shown), named in told.items():
            text = ", ".join(named[:_TOLD])
            if len(named) > _TOLD:
                text = _("%(names)s and %(count)d more") % {"names": text, "count": len(named) - _TOLD}
            found.append((text, sentence, shown))
        return found

    @property
    def not_looked_at(self) -> str:
        """That not everything was looked at, where that is so."""
        if self.action is None or self.action.affected is None:
            return ""
        rest = self.to_do - self.job.looked_at
        if rest <= 0:
            return ""
        text = ngettext(
            "What else would be touched was not looked at for %(count)d other.",
            "What else would be touched was not looked at for the %(count)d others.",
            rest,
        )
        return text % {"count": rest}

    @property
    def missing(self) -> str:
        """That the engine counts more than its list gave, where that is so."""
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
    def confirm(self) -> Text:
        """What will happen."""
        return self.action.bulk.confirm if self.action and self.action.bulk else ""

    @property
    def button(self) -> str:
        """The button's words."""
        return _("%(action)s (%(count)d)") % {"action": self.action.label if self.action else "", "count": self.to_do}

    def form(self, caller: Caller) -> forms.Form:
        """The action's form, with the values of the job that is tried again. Raises EngineError, CannotOpen."""
        assert self.action is not None  # noqa: S101  (only where `asking`)
        stored = self.job.open("data")
        return action_forms.fresh(self.action, caller, {}, json.loads(stored) if stored else None)

    def rows(self, start: int) -> Sequence[tuple[JobItem, str, StateWord, Text]]:
        """A page of the outcomes from a position on: item, address, badge, reason."""
        found = self.job.items.filter(position__gte=start).order_by("position")
        if self.show:
            found = found.filter(state=self.show)
        return [
            (item, self._url(item), job_words.ITEMS[item.state], job_words.why(item.reason))
            for item in found[: ROWS + 1]
        ]

    @property
    def version(self) -> str:
        """Changes whenever the page does."""
        job = self.job
        seen = [job.state, job.reason, self.waits_for_a_worker, job.total, sorted(self.counts.items())]
        return hashlib.sha256(repr(seen).encode()).hexdigest()[:16]

    def _url(self, item: JobItem) -> str:
        removed = item.state == ItemState.DONE and self.action is not None and self.action.removes
        return "" if self.resource is None or removed else self.resource.url(self.slug, item.object_id)
