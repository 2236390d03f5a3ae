"""Actions that edit a flow's steps: each operation is predicted, stored, sent once, and compared with what came back."""

from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import EngineError, Unknown
from workflows_ui.flow_edits import services as flow_edits
from workflows_ui.flow_edits.models import EditState, FlowEdit
from workflows_ui.resource_admin.actions import LastingText
from workflows_ui.resource_admin.resource import Action, Row, Text, pick
from workflows_ui.resources.flows import notes, pages
from workflows_ui.resources.flows.editing import flow_forms, note_forms, places, router_forms
from workflows_ui.resources.flows.editing import forms as editing
from workflows_ui.resources.flows.editing.prediction import LOOP as LOOP_TYPE
from workflows_ui.resources.flows.editing.prediction import MALFORMED, ROUTERS, Json, Operation, shape
from workflows_ui.resources.flows.reading import deleting, trigger_of
from workflows_ui.resources.places import flow_url
from workflows_ui.web.paths import dict_at


def apply(session: EngineSession, id: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """Send a confirmed operation (forms.EditForm) and compare the answer with the prediction.

    Returns `edit`, the stored row. `version.updated` is read again afterwards: a change by somebody else in between is recorded, since
    the engine lets the last one win (engine-0.83.md section 5). Raises EngineError; after Unknown the row stays, as unclear.
    """
    operation: Operation = data["operation"]
    predicted: Json = data["predicted"]
    edit = flow_edits.begin(session, id, operation.type, dict_at(data["flow"], "version"), predicted["version"])
    try:
        after = session.workflows.apply_flow_operation(id, operation.body)
    except Unknown:
        raise
    except EngineError:
        flow_edits.forget(edit)
        raise
    pages.forget(session)
    now = _read(session, id)
    # An answer without steps says nothing about them.
    answer = after if "trigger" in dict_at(after, "version") else now
    version = dict_at(answer, "version")
    flow_edits.end(
        edit, version, as_expected=_alike(predicted, answer), meanwhile=bool(now) and _moment(now) != _moment(answer)
    )
    return {"edit": edit}


def _read(session: EngineSession, id: str) -> Json:
    """The flow as it is now; empty if the engine does not answer this."""
    try:
        return session.workflows.get_flow(id)
    except EngineError:
        return {}


def _moment(flow: Row) -> tuple[Any, Any]:
    """What changes with each change of a flow."""
    return pick(flow, "version.id"), pick(flow, "version.updated")


def _alike(predicted: Json, after: Json) -> bool:
    """Whether the engine's answer is as predicted; a malformed one is not."""
    try:
        return shape(predicted) == shape(after)
    except (*MALFORMED, RecursionError):
        return False


def _undo(session: EngineSession, id: str, data: Mapping[str, Any]) -> dict[str, Any]:
    done = apply(session, id, data)
    # Neither can be undone any more: the next undo goes one step further back.
    flow_edits.mark_undone(data["undone"], done["edit"])
    return done


def _done(text: Text, answer: Any) -> Text:
    edit: FlowEdit = answer["edit"]
    if edit.meanwhile:
        return LastingText(
            gettext("Somebody else changed the flow at the same time. Look at both versions on this page.")
        )
    if edit.state == EditState.DIFFERS:
        return LastingText(gettext("The engine did something else than predicted. Look at both versions on this page."))
    return text


def _after(tab: str, slug: str, row: Row, answer: Any) -> str:
    """The page of the edit if it needs attention, otherwise the tab the person came from."""
    edit: FlowEdit = answer["edit"]
    url = flow_url(slug, pick(row, "id"))
    return f"{url}edits/{edit.pk}/" if edit.meanwhile or edit.state == EditState.DIFFERS else f"{url}?tab={tab}"


def _editable(flow: Row) -> bool:
    return not deleting(flow)


def _has(number: int, *kinds: str) -> Callable[[Row], bool]:
    """Whether a flow has so many steps of these types, or of any."""

    def visible(flow: Row) -> bool:
        return _editable(flow) and len(places.step_choices(trigger_of(flow), kinds=kinds)) >= number

    return visible


def _has_branches(number: int, *, fallback: bool = False) -> Callable[[Row], bool]:
    """Whether some router of a flow has so many branches, those for everything else counted only with `fallback`."""

    def visible(flow: Row) -> bool:
        found = places.branch_choices(trigger_of(flow), fallback=fallback)
        counts = Counter(places.read_branch(value)[0] for value, _label in found)
        return _editable(flow) and max(counts.values(), default=0) >= number

    return visible


def _edit(
    name: str, label: Text, icon: str, form: type[forms.Form], done: Text, tab: str = "steps", **more: Any
) -> Action:
    """An action that is offered beside the steps."""
    return Action(
        name,
        label,
        icon,
        more.pop("run", apply),
        form=form,
        button=label,
        visible=more.pop("visible", _editable),
        done=lambda _row, answer: _done(done, answer),
        success_url=partial(_after, tab),
        tab=tab,
        **more,
    )


#: On any step, the trigger included; on steps; on a step of one type; on branches; on the whole flow.
ANY_STEP = (
    _edit("step-rename", _("Rename the step"), "pencil", editing.RenameStep, _("The step is renamed.")),
    _edit("step-sample", _("Save a sample"), "test-tube", flow_forms.SaveSample, _("The sample is saved.")),
    _edit(
        "step-sample-clear",
        _("Clear the sample"),
        "eraser",
        flow_forms.ClearSample,
        _("The sample is cleared."),
        # Engines before 0.83 cannot do it.
        visible=lambda flow: _editable(flow) and notes.has_notes(flow),
    ),
)
STEP = (
    _edit("step-move", _("Move the step"), "arrow-up-down", editing.MoveStep, _("The step is moved."), visible=_has(2)),
    _edit(
        "step-duplicate",
        _("Duplicate the step"),
        "copy",
        editing.DuplicateStep,
        _("The step is duplicated."),
        visible=_has(1),
    ),
    _edit("step-skip", _("Skip or run the step"), "skip-forward", editing.SkipStep, _("Saved."), visible=_has(1)),
    _edit(
        "step-delete",
        _("Delete the step"),
        "trash-2",
        editing.DeleteStep,
        _("The step is deleted."),
        danger=True,
        visible=_has(1),
    ),
)
CODE = (
    _edit("step-code", _("Edit the code"), "code", editing.EditCode, _("The code is saved."), visible=_has(1, "CODE")),
)
LOOP = (
    _edit(
        "step-items",
        _("Change the list of the loop"),
        "repeat",
        editing.EditLoop,
        _("The list is saved."),
        visible=_has(1, LOOP_TYPE),
    ),
)
ROUTER = (
    _edit(
        "branch-add",
        _("Add a branch"),
        "plus",
        router_forms.AddBranch,
        _("The branch is added."),
        visible=_has(1, *ROUTERS),
    ),
    _edit(
        "router-execution",
        _("Choose which branches run"),
        "split",
        router_forms.RouterExecution,
        _("Saved."),
        visible=_has(1, *ROUTERS),
    ),
)
BRANCH = (
    _edit(
        "branch-conditions",
        _("Change the conditions"),
        "list-checks",
        router_forms.BranchConditions,
        _("The conditions are saved."),
        visible=_has_branches(1),
    ),
    _edit(
        "branch-move",
        _("Move the branch"),
        "arrow-up-down",
        router_forms.MoveBranch,
        _("The branch is moved."),
        visible=_has_branches(2),
    ),
    _edit(
        "branch-duplicate",
        _("Duplicate the branch"),
        "copy",
        router_forms.DuplicateBranch,
        _("The branch is duplicated."),
        visible=_has_branches(1),
    ),
    _edit(
        "branch-delete",
        _("Delete the branch"),
        "trash-2",
        router_forms.DeleteBranch,
        _("The branch is deleted."),
        danger=True,
        visible=_has_branches(1),
    ),
)
#: On any branch, that for everything else included.
ANY_BRANCH = (
    _edit(
        "branch-rename",
        _("Rename the branch"),
        "pencil",
        router_forms.RenameBranch,
        _("The branch is renamed."),
        visible=_has_branches(1, fallback=True),
    ),
)
UNDO = _edit(
    "edit-undo", _("Undo the last edit"), "undo-2", editing.UndoEdit, _("The flow is as it was before."), run=_undo
)
ADD = _edit("step-add", _("Add a step"), "plus", editing.AddStep, _("The step is added."))
NOTES = (
    _edit(
        "note-change",
        _("Change the note"),
        "pencil",
        note_forms.ChangeNote,
        _("The note is saved."),
        visible=lambda flow: _editable(flow) and bool(notes.notes_of(flow)),
    ),
    _edit(
        "note-delete",
        _("Delete the note"),
        "trash-2",
        note_forms.DeleteNote,
        _("The note is deleted."),
        danger=True,
        visible=lambda flow: _editable(flow) and bool(notes.notes_of(flow)),
    ),
)
FLOW = (
    ADD,
    _edit(
        "note-add",
        _("Add a note"),
        "message-square",
        note_forms.AddNote,
        _("The note is added."),
        visible=lambda flow: _editable(flow) and notes.has_notes(flow),
    ),
    UNDO,
    _edit(
        "minutes-saved",
        _("Minutes saved"),
        "clock",
        editing.MinutesSaved,
        _("Saved."),
        # Engines before 0.83 do not know it.
        visible=lambda flow: _editable(flow) and "timeSavedPerRun" in flow,
    ),
    _edit(
        "owner",
        _("Change the owner"),
        "user",
        flow_forms.ChangeOwner,
        _("The owner is changed."),
        visible=lambda flow: _editable(flow) and "ownerId" in flow,
    ),
    _edit(
        "lock",
        _("Lock the draft"),
        "lock",
        flow_forms.LockFlow,
        _("The draft is locked."),
        confirm=_(
            "A locked version does not change any more; the next edit begins a new draft with the same steps. What is live stays live: "
            "locking does not publish. Use it to keep a state that you may want to return to."
        ),
        visible=lambda flow: _editable(flow) and pick(flow, "version.state") == "DRAFT",
    ),
    _edit("operation", _("Send an operation as JSON"), "braces", flow_forms.RawOperation, _("The operation is done.")),
)
ACTIONS = (*FLOW, *ANY_STEP, *STEP, *CODE, *LOOP, *ROUTER, *BRANCH, *ANY_BRANCH, *NOTES)
