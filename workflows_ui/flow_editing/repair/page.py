"""What the page of a repair shows: what failed, the form of the step, the test, publishing, and starting the failed runs again.

Every part says its present state, which follows from the flow, its versions and the rows of the console as they are now: a colleague, and
the same person in another tab, see the same.
"""

import secrets
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, partial

from django.forms import BoundField
from django.urls import reverse
from django.utils.translation import gettext as _, gettext_lazy, pgettext

from workflows_ui.core import redaction
from workflows_ui.core.paths import dict_at, text_at
from workflows_ui.core.readers import mapping_of
from workflows_ui.core.states import Badge
from workflows_ui.core.text import Message, Text
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import EngineError, flow_tree, run_tree
from workflows_ui.engine_objects.flows import Flow
from workflows_ui.engine_objects.runs import Run
from workflows_ui.failures import services as failures
from workflows_ui.flow_editing import actions as editing, saved_edits, services as flow_edits
from workflows_ui.flow_editing.operations import Json
from workflows_ui.flow_editing.page import main_action
from workflows_ui.flow_editing.prediction import step_named
from workflows_ui.flow_editing.repair import retries
from workflows_ui.flow_editing.repair.retries import Retries
from workflows_ui.flow_editing.testing import run_values
from workflows_ui.flow_editing.testing.actions import DRAFT_TEST, STEP_TEST, can_test_step
from workflows_ui.flow_editing.testing.run_values import RunValues
from workflows_ui.flows import difference, outline
from workflows_ui.flows.reading import moment_of, name_of, trigger_of
from workflows_ui.launches.failures.reasons import FailureReason
from workflows_ui.launches.services import runs
from workflows_ui.members.services.access import Access
from workflows_ui.resource_admin import action_forms
from workflows_ui.resource_admin.actions import Action
from workflows_ui.resource_admin.capabilities import lacking
from workflows_ui.resource_admin.places import flow_url, run_url, step_url
from workflows_ui.resource_admin.resource import RESOURCES, Row, id_at
from workflows_ui.run_index.models import RunIndex
from workflows_ui.run_index.services import indexes
from workflows_ui.runs import indexed, panels, reading
from workflows_ui.runs.steps import Reader, StepView, failed_position
from workflows_ui.web import messages
from workflows_ui.web.links import reachable, view_url

#: New runs whose states are shown.
_FOLLOWED = 100
_WAITS = Badge(gettext_lazy("Not yet"), "circle-dot", "secondary")
_DONE = partial(Badge, icon="circle-check", colour="green")
_TROUBLE = partial(Badge, icon="triangle-alert", colour="orange")


@dataclass(frozen=True)
class Part:
    """One part of the page: its key, number, heading and state; `is_next` is whether it is what the person does next."""

    key: str
    number: int
    title: Text
    badge: Badge
    is_next: bool = False


def action_of(name: str) -> Action:
    """An action of flows by its name."""
    return next(action for action in RESOURCES["flows"].actions if action.name == name)


def url_of(slug: str, run_id: str, query: Mapping[str, str] | None = None) -> str:
    """The page that repairs what a run failed at."""
    return reverse("run_repair", args=[slug, run_id], query=query or None)


class RepairPage:
    """Reads the run and the flow, each once. Raises EngineError if the run cannot be read; a flow that cannot is `trouble`."""

    def __init__(self, access: Access, session: EngineSession, run_id: str, query: Mapping[str, str]) -> None:
        self.access, self.session, self.run_id = access, session, run_id
        self.slug = access.workspace.slug
        #: What the address keeps: the run that tested the step, and when it began.
        self.query = {name: query[name] for name in ("test", "since") if query.get(name)}
        kind = RESOURCES["runs"]
        self.run: Row = kind.masked(session, [kind.get(session, run_id)])[0]
        self.sent = Run(self.run)
        self.trouble: Message | None = None
        self.flow: Row = {}
        if self.sent.flow_id:
            try:
                flows = RESOURCES["flows"]
                #: The newest version with its secrets: for comparisons, since two masked secrets are always alike.
                self._unmasked = flows.get(session, self.sent.flow_id)
                [self.flow] = flows.masked(session, [self._unmasked])
            except EngineError as error:
                self.trouble = messages.error_message(error)
        if self.flow and Flow(self.flow).deleting:
            self.flow = {}

    # --- What failed

    @property
    def url(self) -> str:
        return url_of(self.slug, self.run_id, self.query)

    @property
    def run_url(self) -> str:
        return run_url(self.slug, self.run_id)

    @property
    def flow_url(self) -> str:
        return flow_url(self.slug, self.sent.flow_id)

    @property
    def flow_name(self) -> str:
        return name_of(self.flow) if self.flow else reading.name_of(self.sent) or self.sent.flow_id

    @property
    def kept(self) -> str:
        return indexed.kept_note(self.run)

    @cached_property
    def reason(self) -> FailureReason | None:
        return panels.reason_of(self.run)

    @property
    def sentence(self) -> str:
        """What became of a run that does not fail now, such as one that was retried."""
        return reading.sentence(self.sent)

    @cached_property
    def step_name(self) -> str:
        return self.sent.failed_step.name if reading.failing(self.sent) else ""

    @property
    def title(self) -> str:
        return outline.title_of(self.step) if self.step else self.sent.failed_step.title

    @cached_property
    def failed_step(self) -> StepView | None:
        """What the step was given; None if it is not kept."""
        located = run_tree.step_at(self.run.get("steps"), self.position) if self.position else None
        if located is None:
            return None
        known = panels.cached_steps(self.session, self.run)
        return Reader(known, run=self.sent).read_step(located[1], located[0], self.position, 1, 1)

    @cached_property
    def position(self) -> str:
        """Of the failed step in the run (run_tree.RanStep); "" if the run's steps are not kept."""
        return failed_position(self.sent.chain, self.step_name) if self.step_name else ""

    @property
    def hides_values(self) -> bool:
        """Whether parts of what the step was given are not shown to this person."""
        located = run_tree.step_at(self.run.get("steps"), self.position) if self.position else None
        return located is not None and redaction.MASK in str(mapping_of(located[1]).get("input"))

    # --- The step now

    @property
    def step_url(self) -> str:
        return step_url(self.flow_url, self.step_name)

    @cached_property
    def step(self) -> Json:
        """The step in the newest version; {} if it is no longer there, or the flow cannot be read."""
        return step_named(trigger_of(self.flow), self.step_name) or {} if self.flow and self.step_name else {}

    @property
    def form_action(self) -> Action | None:
        """The action whose form edits the step; None for branches, each of which has its own."""
        return main_action(self.step) if self.step else None

    @cached_property
    def changed(self) -> difference.Difference | None:
        """What differs between the version that ran and the newest one; None if the former cannot be read."""
        if not self.flow or not self.sent.flow_version_id:
            return None
        if self.sent.flow_version_id == id_at(self.flow, "version.id") and Flow(self.flow).version.state != "DRAFT":
            return difference.Difference(None, [])
        with suppress(EngineError):
            ran = self.session.workflows.get_flow(self.sent.flow_id, self.sent.flow_version_id)
            return difference.of_versions(self.session, dict_at(ran, "version"), dict_at(self._unmasked, "version"))
        return None

    @property
    def is_changed(self) -> bool:
        """Whether the step is another one than the one that failed, as far as known."""
        return self.changed is not None and any(change.name == self.step_name for change in self.changed.steps)

    @property
    def other_changes(self) -> int:
        """How many other steps have changed since the run."""
        return sum(change.name != self.step_name for change in self.changed.steps) if self.changed else 0

    @property
    def shows_changes(self) -> bool:
        """Whether more has changed since the run than the last edit, which is shown above it."""
        shown = self.saved["difference"].steps if self.saved else []
        return self.changed is not None and not self.changed.identical and self.changed.steps != shown

    @cached_property
    def saved(self) -> saved_edits.SavedEdit | None:
        """The last edit of the flow since the run."""
        edit = flow_edits.latest(self.access.workspace, self.sent.flow_id) if self.flow else None
        if edit is None or (self.sent.created and edit.edited_at < self.sent.created):
            return None
        return saved_edits.of_edit(self.session, self._unmasked, edit)

    @property
    def undo_url(self) -> str:
        """Where the last edit is undone, "" if it cannot be by one press."""
        return self._url("run_repair_undo") if self.saved and self.saved["undo_url"] else ""

    def _url(self, view: str) -> str:
        return reverse(view, args=[self.slug, self.run_id], query=self.query or None)

    # --- The test

    @cached_property
    def ticket(self) -> str:
        return secrets.token_urlsafe(24)

    @cached_property
    def values(self) -> RunValues:
        """What the step reads of earlier steps, of the run."""
        # A masked step does not say what it reads.
        step = step_named(trigger_of(self._unmasked), self.step_name) or {}
        return run_values.of_run(self._unmasked, step, self.run)

    @property
    def replaced_samples(self) -> list[str]:
        """The titles of the steps that get another sample for the test."""
        steps = flow_tree.steps_by_name(trigger_of(self.flow))
        return [outline.title_of(steps[name]) for name in self.values.outputs if name in steps]

    @cached_property
    def _lacking(self) -> Mapping[str, str]:
        return lacking(RESOURCES["flows"], self.access.workspace)

    @property
    def no_test(self) -> Text:
        """Why the step cannot be tested with what it was given; "" if it can."""
        if not can_test_step(self.flow) or STEP_TEST.needs in self._lacking:
            return _("This engine cannot test single steps.")
        if self.step is trigger_of(self.flow):
            return _("A trigger is tested by what starts the flow.")
        if self.failed_step is None:
            return _("What the step was given is not kept any more.")
        if self.values.hidden:
            text = _("The console does not show you all values that the step was given: %(steps)s.")
            return text % {"steps": ", ".join(f"“{title}”" for title in self.values.hidden)}
        return ""

    @property
    def draft_test_url(self) -> str:
        """The form that tests the whole draft with what the run was given; "" if the engine cannot."""
        if not self.flow or not DRAFT_TEST.visible(self.flow) or DRAFT_TEST.needs in self._lacking:
            return ""
        return editing.url_of(DRAFT_TEST, self.slug, self.sent.flow_id, run=self.run_id)

    @property
    def test_url(self) -> str:
        return editing.url_of(STEP_TEST, self.slug, self.sent.flow_id)

    @cached_property
    def test(self) -> Run | None:
        """The run that tested this step; None without one."""
        if not self.query.get("test") or not self.step:
            return None
        with suppress(EngineError):
            run = self.session.workflows.get_run(self.query["test"])
            if run.get("flowId") == self.sent.flow_id and text_at(run, "stepNameToTest") == self.step_name:
                return Run(run)
        return None

    @property
    def test_page_url(self) -> str:
        """The page of the test, whose live part this page shows."""
        query = {"since": self.query["since"]} if self.query.get("since") else None
        return reverse("step_test", args=[self.slug, self.query["test"]], query=query) if self.query.get("test") else ""

    @property
    def seen(self) -> str:
        """The mark of the version that a test runs."""
        return moment_of(self.flow)

    # --- Publishing

    @property
    def publish(self) -> Action:
        return action_of("publish")

    @property
    def publish_url(self) -> str:
        return self._url("run_repair_publish")

    @cached_property
    def can_publish(self) -> bool:
        return bool(self.flow) and self.publish.visible(self.flow)

    @cached_property
    def publish_form(self) -> object:
        """The form that says what goes live."""
        return action_forms.unbound(self.publish, self.session, self.flow, {})

    @property
    def incomplete(self) -> object:
        """What is missing in the draft."""
        with suppress(EngineError):
            return self.publish.impact(self.session, self.flow) if self.publish.impact else None
        return None

    @property
    def is_live(self) -> bool:
        """Whether another version than the one that ran is live, with nothing left to publish."""
        live = Flow(self.flow).published_version_id
        return not self.can_publish and bool(live) and live != self.sent.flow_version_id

    # --- Starting the runs again

    @property
    def retry_url(self) -> str:
        return self._url("run_repair_retry")

    @cached_property
    def _index(self) -> RunIndex | None:
        return indexes.for_session(self.session)

    @cached_property
    def _fingerprint(self) -> int:
        return failures.fingerprint_of(self._index, self.run_id) if self._index else 0

    @property
    def failure_url(self) -> str:
        """The page of the failures of this cause; "" without one."""
        return reachable(view_url("failure", self.slug, self._fingerprint)) if self._fingerprint else ""

    @cached_property
    def retries(self) -> Retries:
        index = self._index
        ids = failures.runs_to_retry(index, self._fingerprint) if index and self._fingerprint else []
        if self.run_id not in ids and reading.failing(self.sent):
            ids = [self.run_id, *ids][: failures.RETRIED]
        return retries.find(self.access.workspace, ids, anew=self.is_live)

    @property
    def retry_reason(self) -> BoundField | None:
        """The field for the person's reason, in a workspace that asks for one."""
        form = action_forms.unbound(self.retries.action, self.session, {})
        return form[action_forms.REASON] if action_forms.REASON in form.fields else None

    @property
    def no_retry(self) -> Text:
        """Why the runs cannot be started again now; "" if they can."""
        kind = RESOURCES["runs"]
        reasons, action = lacking(kind, self.access.workspace), self.retries.action
        if action.needs in reasons:
            return reasons[action.needs]
        if not self.access.allows(action.role):
            return _("You don't have permission")
        if self.can_publish and self.is_changed:
            return _("Publish first: runs use what is published.")
        if indexed.is_gone(self.run):
            return _("The engine has deleted this run.")
        return ""

    @property
    def repeated_steps(self) -> list[str]:
        """The titles of the steps that ran before the failed one, and run again in a new run."""
        trigger = trigger_of(self.flow)
        before = run_values.outputs_before(self.sent.chain, self.position) if self.position else {}
        steps = {name: step for name, step in flow_tree.steps_by_name(trigger).items() if step is not trigger}
        return [outline.title_of(steps[name]) for name in before if name in steps]

    @cached_property
    def _new_runs(self) -> list[Run]:
        """The latest of the runs that were made of these; none if the engine does not give them."""
        ids = list(self.retries.new_runs.values())[-_FOLLOWED:]
        with suppress(EngineError):
            rows = self.session.workflows.list_runs(limit=len(ids), flow_run_ids=ids)["data"] if ids else []
            return [Run(row) for row in rows if id_at(row) in ids]
        return []

    @property
    def new_runs(self) -> list[tuple[Badge, int]]:
        """The states of these new runs, with their numbers."""
        counted = Counter(run.status for run in self._new_runs)
        return [(messages.run_state(status), number) for status, number in counted.most_common()]

    # --- The parts in order

    @cached_property
    def parts(self) -> dict[str, Part]:
        states = {
            "failed": (_("What failed"), messages.run_state(self.sent.status)),
            "change": (_("Change the step"), self._change_state()),
            "test": (pgettext("part of a repair", "Test"), self._test_state()),
            "publish": (_("Publish"), self._publish_state()),
            "retry": (_("Retry the failed runs"), self._retry_state()),
        }
        following = self._next()
        return {
            key: Part(key, number, title, badge, key == following)
            for number, (key, (title, badge)) in enumerate(states.items(), start=1)
        }

    def _next(self) -> str:
        if not self.step:
            return "change" if self.step_name else ""
        if self.can_publish and (self.is_changed or not Flow(self.flow).is_published):
            untested = not self.no_test and self.test is None
            return "test" if untested else "publish"
        if not self.is_live and not self.is_changed:
            return "change"
        return "retry" if self.retries.ids else ""

    def _change_state(self) -> Badge:
        if self.trouble:
            return _TROUBLE(self.trouble.title)
        if not self.step:
            return _TROUBLE(_("The step is gone"))
        if self.is_changed:
            return _DONE(_("Changed since the failure"))
        return Badge(_("Not changed since the failure"), "circle-dot", "secondary")

    def _test_state(self) -> Badge:
        if not self.step or (self.no_test and self.test is None):
            return Badge(_("Not possible"), "minus", "secondary")
        if self.test is None:
            return Badge(_("Not tested"), "circle-dot", "secondary")
        return messages.run_state(self.test.status)

    def _publish_state(self) -> Badge:
        if not self.flow:
            return _WAITS
        if self.can_publish:
            return Badge(_("Not published yet"), "circle-dot", "secondary")
        if self.is_live:
            return _DONE(_("Published since the failure"))
        return Badge(_("Nothing to publish"), "minus", "secondary")

    def _retry_state(self) -> Badge:
        found = self.retries
        if found.waiting:
            return Badge(_("Being started"), "loader-circle", "blue", moving=True)
        if not found.ids and found.new_runs:
            return _DONE(_("Started again"))
        return _WAITS

    @property
    def is_moving(self) -> bool:
        """Whether the last part changes by itself: runs are being started, or have not ended."""
        under_way = bool(self.retries.waiting) or not runs.ended(self.sent)
        return under_way or any(not runs.ended(run) for run in self._new_runs)
