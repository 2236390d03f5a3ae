"""One connection takes the place of another in a flow, in the published version and in the draft. Neither changes otherwise.

The engine's own `POST app-connections/replace` turns flows on, publishes drafts that were only locked, and deletes the old connection
(recordings `conn_replace_off_console_*`, `conn_replace_other_*` of 0.83.0). So it is done by operations on the flow: lock the draft, use
the published version as draft, change its steps, publish it with the status that the flow had, use the locked draft again, and change that
too. Nothing is published but a version whose steps are those of the published one.

Each call follows from the flow as it is (`_Replacement.following`), so a worker continues where the last one was killed. Only the ids of
the versions at the beginning are kept (`plan`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from django import forms
from django.utils.translation import gettext as _, gettext_lazy

from workflows_ui.core import formats
from workflows_ui.core.paths import dict_at, pick, text_at
from workflows_ui.core.text import Text, filled
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import (
    CredentialRefused,
    EngineError,
    NotSent,
    RateLimited,
    Unavailable,
    Unknown,
    flow_tree,
    references,
)
from workflows_ui.engine.flow_shape import shape
from workflows_ui.engine_objects.flows import Flow, Step
from workflows_ui.flow_editing import services as flow_edits
from workflows_ui.flow_editing.imports import contents
from workflows_ui.flow_editing.operations import Json, Operation, update_step
from workflows_ui.flow_editing.prediction import MALFORMED
from workflows_ui.flows import notes, pages
from workflows_ui.flows.reading import trigger_of
from workflows_ui.jobs.services.turns import Progress
from workflows_ui.pieces import connections, missing_apps

#: The type of the stored edit (flow_edits), which is no operation of the engine.
EDIT = "REPLACE_CONNECTION"
#: More calls than any flow needs: a step each in both versions, a sample each, and the rest.
_MOST_CALLS = 2 * flow_tree.MOST_STEPS
_NAMED = 5
#: Errors after which the job goes on later, from where it stands.
_LATER = (NotSent, RateLimited, CredentialRefused)


class _Changed(Exception):
    """The flow is not what this procedure made of it: somebody else changed it."""


@dataclass(frozen=True)
class Change:
    """The external ids of the old and the new connection; `only` the steps of the live version and of the draft, by name."""

    old: str
    new: str
    only: Mapping[str, list[str]] | None = None

    def steps(self, version: Mapping[str, object], part: str) -> Iterator[flow_tree.Step]:
        """The steps of a version that are to be changed; `part` is "live" or "draft"."""
        for node in flow_tree.walk(version.get("trigger")):
            if self.only is not None and node.name not in self.only.get(part, ()):
                continue
            if self.old in references.connections_of(node.step):
                yield node.step

    def changed_step(self, step: flow_tree.Step) -> flow_tree.Step:
        """The step with the new connection, without the steps after and inside it."""
        matches = contents.Matches(connections={self.old: self.new})
        return contents.rewrite(flow_tree.without_steps(step), matches)

    def applied(self, version: Mapping[str, object], part: str) -> Json:
        """The version as it is with the new connection."""
        names = {flow_tree.step_name(step) for step in self.steps(version, part)}

        def change(step: flow_tree.Step) -> flow_tree.Step:
            if flow_tree.step_name(step) not in names:
                return step
            return step | {"settings": self.changed_step(step)["settings"]}

        return {**version, "trigger": contents.mapped(version.get("trigger"), change)}

    def is_same(self, one: Mapping[str, object], other: Mapping[str, object], part: str) -> bool:
        """Whether two versions differ at most by the connection."""
        try:
            return shape({"version": self.applied(one, part)}) == shape({"version": self.applied(other, part)})
        except (*MALFORMED, RecursionError):
            return False


def plan(session: EngineSession, flow: Mapping[str, object], change: Change) -> dict[str, object]:
    """What is kept of a flow before it is changed: its versions and state, and which parts use the old connection.

    Raises EngineError; ValidationError for what cannot be done.
    """
    newest = dict_at(flow, "version")
    published = text_at(flow, "publishedVersionId")
    live = newest if published == newest.get("id") else _version(session, flow, published) if published else {}
    apart = bool(published) and published != newest.get("id")
    found = {
        "published": published,
        "status": text_at(flow, "status"),
        "newest": text_at(newest, "id"),
        "locked": newest.get("state") == "LOCKED" and published != newest.get("id"),
        "live": any(change.steps(live, "live")) if published else False,
        "draft": any(change.steps(newest, "draft")) if apart or not published else False,
    }
    problems = list(_problems(session, flow, change, live if found["live"] else {}, newest if found["draft"] else {}))
    if problems:
        raise forms.ValidationError(problems)
    return found


def _version(session: EngineSession, flow: Mapping[str, object], version_id: str) -> Json:
    """A version of a flow. Raises EngineError; ValidationError if the engine does not give it."""
    version = dict_at(session.workflows.get_flow(text_at(flow, "id"), version_id), "version")
    if version.get("id") != version_id:
        raise forms.ValidationError(gettext_lazy("The engine does not show the version that is live."))
    return version


def _problems(session: EngineSession, flow: Mapping[str, object], change: Change, *versions: Json) -> Iterator[Text]:
    if Flow(flow).deleting:
        yield gettext_lazy("The engine is deleting it.")
    if not connections.reference(change.new):
        yield gettext_lazy("The name of the new connection in flows cannot be written into a step.")
    steps = [
        step for version in versions for step in change.steps(version, "live" if version is versions[0] else "draft")
    ]
    missing = missing_apps.of_trees(session, *map(flow_tree.without_steps, steps), versions=True) if steps else []
    if missing:
        text = gettext_lazy("The engine does not accept changes to a step whose app it does not have: %(apps)s")
        yield filled(text, apps=missing_apps.texts(missing))


def lost_samples(flow: Mapping[str, object], planned: Mapping[str, object]) -> list[str]:
    """The titles of the draft's steps whose samples an engine before 0.83 may lose, since it brings none back."""
    apart = planned["live"] and planned["newest"] != planned["published"]
    if not apart or notes.has_notes(flow):
        return []
    sampled = [node for node in flow_tree.walk(trigger_of(flow)) if Step(node.step).settings.has_sample]
    return [contents.title_of(node) for node in sampled]


def samples_text(titles: list[str]) -> str:
    names = ", ".join(f"“{title}”" for title in titles[:_NAMED])
    text = _("The samples of these steps of its draft may be lost, since this engine cannot bring them back: %(steps)s")
    return text % {"steps": names}


def replace_in_flow(
    session: EngineSession, flow_id: str, change: Change, progress: Progress, *, lossy: bool, missing: str = ""
) -> None:
    """Make the flow use the new connection, from where it stands. Does nothing if it does not use the old one.

    Args:
        progress: of this flow; the plan is in it once anything was sent.
        lossy: also if samples may be lost.
        missing: why there is no new connection, "" if there is one: without one, only drafts are restored.

    Raises EngineError, after which it can go on later, Unknown if a call may still take effect; ValidationError for what was refused, and
    is as it was before, or needs a look; Lost.
    """
    flow = session.workflows.get_flow(flow_id)
    if not progress.values:
        if progress.is_shared():
            text = _("Another replacement is at work in this flow. Try again once it has ended.")
            raise forms.ValidationError(text)
        earlier = progress.earlier()
        if earlier and not earlier.get("over"):
            _take_up(progress, earlier, change)
        elif missing:
            raise forms.ValidationError(missing)
        else:
            planned = plan(session, flow, change)
            titles = lost_samples(flow, planned)
            if titles and not lossy:
                raise forms.ValidationError(samples_text(titles))
            if not planned["live"] and not planned["draft"]:
                return
            progress.save(**planned, change=[change.old, change.new])
    replacement = _Replacement(session, flow_id, change, progress)
    if missing and not progress.values.get("back"):
        replacement.give_up(flow, missing)
    replacement.run(flow)


def _take_up(progress: Progress, earlier: Mapping[str, object], change: Change) -> None:
    """Go on with what an earlier job began. Raises ValidationError if it was about other connections."""
    if earlier.get("change") != [change.old, change.new]:
        text = _(
            "Another replacement in this flow stopped halfway. Let that continue first: its page is among the jobs."
        )
        raise forms.ValidationError(text)
    progress.save(**earlier)


class _Replacement:
    """The calls for one flow; `values` is what was written down."""

    def __init__(self, session: EngineSession, flow_id: str, change: Change, progress: Progress) -> None:
        self.session, self.flow_id, self.change, self.progress = session, flow_id, change, progress
        self.values = progress.values
        #: Whether it was published in this turn: otherwise a person may have turned it on or off since.
        self.published = False
        self._versions: dict[str, Json] = {}

    def run(self, flow: Json) -> None:
        last: Operation | None = None
        for _number in range(_MOST_CALLS):
            try:
                operation = self.following(flow)
            except _Changed as problem:
                self._end(flow, meanwhile=True)
                raise forms.ValidationError(str(problem)) from problem
            if operation is None:
                break
            if operation == last:
                self.give_up(flow, _("The engine does not do what was requested."))
                last = None
                continue
            last = operation
            flow = self._send(flow, operation)
        pages.forget(self.session)
        self._end(flow)
        if why := self.values.get("why"):
            raise forms.ValidationError(why)
        if self.values["live"] and flow.get("status") != self.values["status"]:
            raise forms.ValidationError(self._state_text(flow))

    def _send(self, flow: Json, operation: Operation) -> Json:
        """Send one operation; return the flow as it is then. Raises Unknown if it is still as before, EngineError, Lost."""
        if not self.values.get("edit"):
            self._begin(flow)
        self.progress.save()
        try:
            self.session.workflows.apply_flow_operation(self.flow_id, operation.body)
        except _LATER:
            raise
        except (Unknown, Unavailable) as problem:
            # Only a look says whether it was done.
            now = self.session.workflows.get_flow(self.flow_id)
            if self._is_still(operation, now):
                raise Unknown(problem.message, code=problem.code, status=problem.status) from problem
            self.published = self.published or operation.type == "LOCK_AND_PUBLISH"
            return now
        except EngineError as refusal:
            now = self.session.workflows.get_flow(self.flow_id)
            if self._is_still(operation, now):
                self.give_up(now, refusal.message)
            return now
        self.published = self.published or operation.type == "LOCK_AND_PUBLISH"
        return self.session.workflows.get_flow(self.flow_id)

    def _is_still(self, operation: Operation, now: Json) -> bool:
        try:
            return self.following(now) == operation
        except _Changed:
            return False

    def give_up(self, flow: Json, why: str) -> None:
        """From now on the draft is brought back, if nothing was published yet. Raises ValidationError if that is refused, too."""
        if self.values.get("back") or text_at(flow, "publishedVersionId") != self.values["published"]:
            raise forms.ValidationError(self._halfway_text(why))
        text = _("The engine refused it, so the flow is as it was before: %(why)s")
        self.progress.save(back=True, why=text % {"why": formats.cut(why, 300)})

    def following(self, flow: Json) -> Operation | None:
        """The next operation for the flow as it is; None if there is nothing left to do. Raises _Changed, EngineError."""
        newest, published = dict_at(flow, "version"), text_at(flow, "publishedVersionId")
        if self.values.get("back"):
            return self._bring_back(newest)
        if not self.values["live"]:
            return self._draft_only(newest, published)
        if published == self.values["published"]:
            return self._live(newest, text_at(flow, "status"))
        return self._after_publishing(flow, newest, published)

    def _draft_only(self, newest: Json, published: str) -> Operation | None:
        if published != self.values["published"]:
            raise _Changed(self._changed_text())
        if newest.get("id") != self.values["newest"] and not self._is_copy(newest, self.values["newest"], "draft"):
            raise _Changed(self._changed_text())
        return self._draft_steps(newest)

    def _live(self, newest: Json, status: str) -> Operation:
        """Nothing is published yet."""
        key, planned = newest.get("id"), self.values
        if key == planned["newest"] != planned["published"]:
            if newest.get("state") == "DRAFT":
                return Operation("LOCK_FLOW", {})
            return Operation("USE_AS_DRAFT", {"versionId": planned["published"]})
        if key != planned["published"] and not self._is_copy(newest, planned["published"], "live"):
            # The engine makes a draft of the newest version first, then writes over it.
            if planned["newest"] != planned["published"] and self._is_copy(newest, planned["newest"], "draft"):
                return Operation("USE_AS_DRAFT", {"versionId": planned["published"]})
            raise _Changed(self._changed_text())
        step = next(self.change.steps(newest, "live"), None)
        if step is not None:
            return self._update(newest, step, "live")
        if status and status != planned["status"]:
            # A person turned it on or off since the plan, and it stays so.
            self.progress.save(status=status)
        return Operation("LOCK_AND_PUBLISH", {"status": planned["status"]})

    def _after_publishing(self, flow: Json, newest: Json, published: str) -> Operation | None:
        planned = self.values
        live = self.version(published)
        if any(self.change.steps(live, "live")) or not self._is_copy(live, planned["published"], "live"):
            raise _Changed(_("Someone else published it at the same time. Check its versions."))
        if flow.get("status") != planned["status"] and self.published and not planned.get("switched"):
            # Once, and only right after it was published: later, it is what a person decided.
            self.progress.save(switched=True)
            return Operation("CHANGE_STATUS", {"status": planned["status"]})
        if planned["newest"] == planned["published"]:
            return None
        if newest.get("id") == published:
            return Operation("USE_AS_DRAFT", {"versionId": planned["newest"]})
        if self._is_copy(newest, planned["newest"], "draft"):
            return self._draft_steps(newest)
        if newest.get("state") == "DRAFT" and self._is_copy(newest, planned["published"], "live"):
            return Operation("USE_AS_DRAFT", {"versionId": planned["newest"]})
        raise _Changed(self._changed_text())

    def _draft_steps(self, newest: Json) -> Operation | None:
        """What is left in the draft: its steps, the samples that an import loses (`sample_import_13`), and its lock."""
        step = next(self.change.steps(newest, "draft"), None)
        if step is not None and self.values["draft"]:
            return self._update(newest, step, "draft")
        if newest.get("id") != self.values["newest"] and "notes" in newest:
            for name, sample in self._missing_samples(newest):
                self.progress.save(samples=[*self.values.get("samples", []), name])
                return Operation("UPDATE_SAMPLE_DATA_INFO", {"stepName": name, "sampleDataSettings": sample})
        if self.values["locked"] and newest.get("state") == "DRAFT":
            return Operation("LOCK_FLOW", {})
        return None

    def _missing_samples(self, newest: Json) -> Iterator[tuple[str, object]]:
        there = flow_tree.steps_by_name(newest.get("trigger"))
        for name, step in flow_tree.steps_by_name(self.version(self.values["newest"]).get("trigger")).items():
            lost = Step(step).settings.has_sample and name in there and not Step(there[name]).settings.has_sample
            if lost and name not in self.values.get("samples", []):
                yield name, pick(step, "settings.sampleData")

    def _bring_back(self, newest: Json) -> Operation | None:
        """The draft as it was before; what is live was not changed."""
        planned = self.values
        if newest.get("id") in (planned["newest"], planned["published"]):
            return None
        if shape({"version": newest}) == shape({"version": self.version(planned["newest"])}):
            return None
        if not self._is_copy(newest, planned["published"], "live") and not self._is_copy(
            newest, planned["newest"], "draft"
        ):
            return None
        return Operation("USE_AS_DRAFT", {"versionId": planned["newest"]})

    def _update(self, version: Json, step: flow_tree.Step, part: str) -> Operation:
        name = flow_tree.step_name(step)
        steps = {"live": [], "draft": []} | self.values.get("steps", {})
        if name not in steps[part]:
            self.progress.save(steps=steps | {part: [*steps[part], name]})
        is_trigger = name == flow_tree.step_name(version.get("trigger"))
        return update_step(self.change.changed_step(step), is_trigger=is_trigger)

    def version(self, version_id: str) -> Json:
        """A locked version, which does not change any more."""
        if version_id not in self._versions:
            self._versions[version_id] = _version(self.session, {"id": self.flow_id}, version_id)
        return self._versions[version_id]

    def _is_copy(self, version: Json, of: str, part: str) -> bool:
        return bool(of) and self.change.is_same(version, self.version(of), part)

    def _begin(self, flow: Json) -> None:
        """Store the edit for the flow's history: of the draft, else of the published version."""
        part = "draft" if self.values["newest"] != self.values["published"] else "live"
        expected = {**flow, "version": self.change.applied(dict_at(flow, "version"), part)}
        self.progress.save(edit=flow_edits.begin(self.session, self.flow_id, EDIT, flow, expected).pk)

    def _end(self, flow: Json, *, meanwhile: bool = False) -> None:
        """Store the newest version at the end. Nothing more is sent about the flow."""
        key = self.values.get("edit")
        edit = flow_edits.find_edit(self.session.workspace, self.flow_id, key) if key else None
        if edit is not None and self.values.get("back"):
            flow_edits.forget(edit)
        elif edit is not None:
            versions = flow_edits.open_versions(edit)
            after = dict_at(flow, "version")
            alike = versions is None or self.change.is_same(after, versions.expected, "draft")
            flow_edits.end(edit, after, as_expected=alike, meanwhile=meanwhile)
        self.progress.save(over=True)

    @cached_property
    def _has_draft(self) -> bool:
        return bool(self.values["live"] and self.values["newest"] != self.values["published"])

    def _changed_text(self) -> str:
        text = _("Someone else changed it at the same time, so the rest was not done. Check it before you try again.")
        return f"{text} {self._draft_text()}".strip()

    def _halfway_text(self, why: str) -> str:
        text = _("The engine refused the rest: %(why)s")
        return f"{text % {'why': formats.cut(why, 300)}} {self._draft_text()}".strip()

    def _draft_text(self) -> str:
        return _("The draft as it was before is among its versions.") if self._has_draft else ""

    def _state_text(self, flow: Json) -> str:
        if flow.get("status") == "ENABLED":
            return _(
                "It uses the new connection, but it is on now, and it was off before. Turn it off if it should be."
            )
        return _("It uses the new connection, but it is off now, and it was on before. Turn it on again.")
