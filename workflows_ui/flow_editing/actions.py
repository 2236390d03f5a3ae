"""Actions that edit a flow's steps: each operation is predicted, stored, sent once, and compared with what came back."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import Required, TypedDict, Unpack

from django import forms
from django.utils.http import urlencode
from django.utils.translation import gettext, gettext_lazy as _

from workflows_ui.core import database
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.core.form_arguments import Cleaned
from workflows_ui.core.paths import dict_at, text_at, texts_at
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import EngineError, Unknown, flow_tree
from workflows_ui.engine.flow_shape import shape
from workflows_ui.engine_objects.flows import Flow
from workflows_ui.flow_editing import (
    code_forms,
    flow_forms,
    forms as editing,
    inverse,
    piece_forms,
    places,
    router_forms,
    saved_edits,
    schedule_forms,
    services as flow_edits,
)
from workflows_ui.flow_editing.models import EditState, FlowEdit
from workflows_ui.flow_editing.operations import Json, Operation
from workflows_ui.flow_editing.prediction import MALFORMED, step_named
from workflows_ui.flows import notes, pages
from workflows_ui.flows.reading import moment_of
from workflows_ui.pieces import missing_apps
from workflows_ui.resource_admin.actions import LastingText, LinkedText, always
from workflows_ui.resource_admin.places import flow_url, step_url
from workflows_ui.resource_admin.resource import Action, Row, Text, pick
from workflows_ui.unclear_writes.models import UnclearWrite

#: In a menu of operations: what the link says, the action, its address.
Link = tuple[Text, Action, str]
_MOST_NAMED = 12
MEANWHILE: Text = _("Someone else changed the flow at the same time. Compare both versions on this page.")


class Applied(TypedDict, total=False):
    """What an edit returns."""

    #: The stored row.
    edit: Required[FlowEdit]
    #: The name of the step that it was about: "" for the flow, and if the step is gone.
    step: Required[str]
    #: After an undo, the titles of the steps that have no sample any more.
    without_sample: list[str]


def apply(session: EngineSession, id: str, data: Cleaned) -> Applied:
    """Send a confirmed operation (forms.EditForm) and compare the answer with the prediction.

    `version.updated` is read again afterwards: a change by somebody else in between is recorded, since the engine lets the last one win
    (engine-0.83.md section 5). Raises EngineError, ValidationError; after Unknown the row stays, as unclear.
    """
    operation: Operation = data["operation"]
    predicted: Json = data["predicted"]
    _check_apps(session, operation)
    edit = flow_edits.begin(session, id, operation.type, data["flow"], predicted, undoes=data.get("undone"))
    try:
        after = session.workflows.apply_flow_operation(id, operation.body, known=data["flow"], expected=predicted)
    except Unknown as unclear:
        unclear.about["edit"] = edit.pk
        raise
    except EngineError:
        flow_edits.forget(edit)
        raise
    pages.forget(session)
    now = read(session, id)
    # An answer without steps says nothing about them.
    answer = after if "trigger" in dict_at(after, "version") else now
    version = dict_at(answer, "version")
    flow_edits.end(edit, version, as_expected=alike(predicted, answer), meanwhile=is_changed(answer, now))
    return {"edit": edit, "step": _step_of(operation, dict_at(version, "trigger"))}


def _check_apps(session: EngineSession, operation: Operation) -> None:
    """Raise ValidationError if the engine lacks the app of a step that would be sent: it only answers 404 (api.md 6.3), which proves
    nothing."""
    if operation.type not in ("ADD_ACTION", "UPDATE_ACTION", "UPDATE_TRIGGER"):
        return
    missing: list[missing_apps.MissingApp] = []
    with suppress(EngineError):
        sent = operation.request.get("action") or operation.request
        missing = missing_apps.of_trees(session, sent, versions=True)
    if missing:
        text = gettext("The engine does not accept changes to a step whose app it does not have: %(apps)s")
        raise forms.ValidationError(text % {"apps": missing_apps.texts(missing)})


def _step_of(operation: Operation, trigger: Json) -> str:
    """The step that an operation was about, if the flow has it."""
    request = operation.request
    named = [text_at(request, "name"), text_at(request, "stepName"), *texts_at(request, "names")]
    named.append(text_at(request, "action.name"))
    return next((name for name in named if step_named(trigger, name)), "")


def read(session: EngineSession, id: str) -> Json:
    """The flow as it is now; empty if the engine does not answer this."""
    try:
        return session.workflows.get_flow(id)
    except EngineError:
        return {}


def is_changed(flow: Json, now: Json) -> bool:
    """Whether the flow is another one now; not if the engine did not say what it is now."""
    # Two changes within a millisecond have the same time.
    return bool(now) and (moment_of(now) != moment_of(flow) or not alike(flow, now))


def alike(one: Json, other: Json) -> bool:
    """Whether two flows are the same as far as predictions go; malformed ones are not."""
    try:
        return shape(one) == shape(other)
    except (*MALFORMED, RecursionError):
        return False


def url_of(action: Action, slug: str, id: str, **query: str) -> str:
    """The page of an action on a flow."""
    url = action.url(slug, "flows", id)
    return f"{url}?{urlencode(query)}" if query else url


def links(flow: Row, slug: str, id: str, offered: Iterable[Action], **query: str) -> list[Link]:
    """Those of the actions that the flow allows, for templates/flow_editing/operations.html."""
    return [(action.label, action, url_of(action, slug, id, **query)) for action in offered if action.visible(flow)]


def _undo(session: EngineSession, id: str, data: Cleaned) -> Applied:
    done = apply(session, id, data)
    # Neither can be undone any more: the next undo goes one step further back.
    flow_edits.mark_undone(data["undone"], done["edit"])
    return {**done, "without_sample": _bring_back_samples(session, done["edit"])}


def _undone_later(session: EngineSession, write: UnclearWrite, _answer: object) -> None:
    with database.turn():
        edit = flow_edits.find_edit(session.workspace, write.object_id, write.edit_id)
    if edit is not None:
        _bring_back_samples(session, edit)


def _bring_back_samples(session: EngineSession, undo: FlowEdit) -> list[str]:
    """Name the files of samples (inverse.samples) in the steps that lost them by an undo, and return the titles of the steps that stay
    without one.

    A file that is gone is read as nothing (recording `sample_import_16_after_delete_action_get`): then the step has no sample.
    """
    flow_id, samples = undo.flow_id, _samples_before(session, undo)
    now = read(session, flow_id) if samples else {}
    steps, lost = flow_tree.steps_by_name(dict_at(now, "version.trigger")), []
    for name, (sample, is_there) in samples.items():
        step = steps.get(name, {})
        if not step or inverse.files(dict_at(step, "settings.sampleData")) == inverse.files(sample):
            continue
        try:
            flow = session.workflows.apply_flow_operation(flow_id, inverse.set_sample(name, sample).body)
            kind = "OUTPUT" if sample.get("sampleDataFileId") else "INPUT"
            if is_there or session.workflows.get_sample_data(flow_id, text_at(flow, "version.id"), name, kind) not in (
                "",
                None,
            ):
                continue
            session.workflows.apply_flow_operation(flow_id, inverse.set_sample(name, None).body)
        except EngineError:
            pass
        lost.append(places.title(step))
    pages.forget(session)
    return lost


def _samples_before(session: EngineSession, undo: FlowEdit) -> dict[str, tuple[Json, bool]]:
    """The samples that steps are to have after an undo; none if what was kept does not say."""
    with database.turn(), suppress(CannotOpen):
        versions = flow_edits.open_versions(undo)
        undone = flow_edits.find_edit(session.workspace, undo.flow_id, versions.undoes) if versions else None
        before = flow_edits.open_versions(undone) if undone else None
        if versions and before:
            return inverse.samples({"version": versions.before}, before.before, undo.operation)
    return {}


def _done(text: Text, undo: bool, answer: Applied) -> Text:
    edit = answer["edit"]
    if edit.meanwhile:
        return LastingText(MEANWHILE)
    if edit.state == EditState.DIFFERS:
        return LastingText(gettext("The result differs from what was predicted. Compare both versions on this page."))
    if lost := answer.get("without_sample"):
        text_lost = gettext("The flow is as it was before, but these steps have no sample any more: %(steps)s.")
        return LastingText(text_lost % {"steps": ", ".join(f"“{title}”" for title in lost[:_MOST_NAMED])})
    # The step's page shows what changed, with a button that undoes it.
    if undo and flow_edits.can_undo(edit) and not answer["step"]:
        return LinkedText(text, gettext("Undo"), url_of(UNDO, edit.workspace.slug, edit.flow_id))
    return text


def _after(slug: str, row: Row, answer: Applied) -> str:
    """The page of the edit if it needs attention, otherwise that of the step, or all steps."""
    edit = answer["edit"]
    url = flow_url(slug, pick(row, "id"))
    if edit.meanwhile or edit.state == EditState.DIFFERS:
        return f"{url}edits/{edit.pk}/"
    step = step_url(url, answer["step"])
    return f"{step}?{urlencode({saved_edits.SAVED: edit.pk})}" if step else f"{url}?tab=steps"


class _More(TypedDict, total=False):
    """Attributes of an Action that few edits have."""

    needs: str
    in_rows: bool
    stops: bool
    danger: bool
    confirm: Text
    follow_up_calls: Callable[[EngineSession, UnclearWrite, object], None]


def _edit(
    name: str,
    label: Text,
    icon: str,
    form: type[editing.EditForm],
    done: Text,
    *,
    run: Callable[[EngineSession, str, Cleaned], Applied] = apply,
    visible: Callable[[Row], bool] = always,
    button: Text = "",
    tab: str = "steps",
    **more: Unpack[_More],
) -> Action:
    """An action that is offered beside the steps of flows that have what its form edits."""
    return Action(
        name,
        label,
        icon,
        run,
        form=form,
        button=button or label,
        visible=lambda flow: not Flow(flow).deleting and form.is_for(flow) and visible(flow),
        done=lambda _row, answer: _done(done, run is apply, answer),
        success_url=_after,
        tab=tab,
        **more,
    )


_save = partial(_edit, button=_("Save"))
SAMPLE = _edit("step-sample", _("Save a sample"), "test-tubes", flow_forms.SaveSample, _("The sample is saved."))
#: On any step, the trigger included; on steps; on a step of one type; on branches; on the whole flow.
ANY_STEP = (
    _edit("step-rename", _("Rename the step"), "pencil", editing.RenameStep, _("The step is renamed.")),
    SAMPLE,
    _edit(
        "step-sample-clear",
        _("Clear the sample"),
        "eraser",
        flow_forms.ClearSample,
        _("The sample is cleared."),
        # Engines before 0.83 cannot do it.
        visible=notes.has_notes,
    ),
)
STEP = (
    _edit("step-move", _("Move the step"), "arrow-up-down", editing.MoveStep, _("The step is moved.")),
    _edit("step-duplicate", _("Duplicate the step"), "copy", editing.DuplicateStep, _("The step is duplicated.")),
    _save("step-skip", _("Skip or run the step"), "skip-forward", editing.SkipStep, _("Saved.")),
    _edit(
        "step-delete",
        _("Delete the step"),
        "trash-2",
        editing.DeleteStep,
        _("The step is deleted."),
        danger=True,
        confirm=_("The step and all steps inside it are removed from the draft."),
    ),
)
#: On a step that uses an app, and on a trigger.
SETTINGS = _save(
    "step-settings", _("Change the settings"), "settings", piece_forms.ChangePieceStep, _("The settings are saved.")
)
SCHEDULE = _edit(
    "trigger-schedule",
    _("Start at certain times"),
    "calendar-clock",
    schedule_forms.ChangeSchedule,
    _("The schedule is saved."),
    button=_("Save the schedule"),
)
TRIGGER = (
    SCHEDULE,
    _edit(
        "trigger-remove",
        _("Remove the trigger"),
        "trash-2",
        flow_forms.RemoveTrigger,
        _("The trigger is removed."),
        danger=True,
        confirm=_("Without a trigger the flow cannot start. Its steps stay."),
        visible=lambda flow: Flow(flow).version.trigger.type != "EMPTY",
    ),
)
CODE = (
    _save("step-code", _("Edit the code"), "code", code_forms.EditCode, _("The code is saved.")),
    # The settings of a step with an app include it.
    _save("step-failure", _("If the step fails"), "life-buoy", code_forms.FailureHandling, _("Saved.")),
)
LOOP = (_save("step-items", _("Change the list of the loop"), "repeat", editing.EditLoop, _("The list is saved.")),)
ROUTER = (
    _edit("branch-add", _("Add a branch"), "plus", router_forms.AddBranch, _("The branch is added.")),
    _save("router-execution", _("Choose which branches run"), "split", router_forms.RouterExecution, _("Saved.")),
)
#: On any branch, that for everything else included.
RENAME_BRANCH = _edit(
    "branch-rename", _("Rename the branch"), "pencil", router_forms.RenameBranch, _("The branch is renamed.")
)
BRANCH = (
    _save(
        "branch-conditions",
        _("Change the conditions"),
        "list-checks",
        router_forms.BranchConditions,
        _("The conditions are saved."),
    ),
    _edit("branch-move", _("Move the branch"), "arrow-up-down", router_forms.MoveBranch, _("The branch is moved.")),
    _edit(
        "branch-duplicate",
        _("Duplicate the branch"),
        "copy",
        router_forms.DuplicateBranch,
        _("The branch is duplicated."),
    ),
    _edit(
        "branch-delete",
        _("Delete the branch"),
        "trash-2",
        router_forms.DeleteBranch,
        _("The branch is deleted."),
        danger=True,
        confirm=_("The branch and all steps in it are removed from the draft."),
    ),
    RENAME_BRANCH,
)
UNDO = _edit(
    "edit-undo",
    _("Undo the last edit"),
    "undo-2",
    flow_forms.UndoEdit,
    _("The flow is as it was before."),
    run=_undo,
    follow_up_calls=_undone_later,
    confirm=_("The draft goes back to how it was before the last edit in this console."),
)
#: In the head of the flow's page.
USE_VERSION = _edit(
    "use-as-draft",
    _("Use a version as draft"),
    "history",
    flow_forms.UseVersion,
    _("The draft is now a copy of that version."),
    button=_("Use it as the draft"),
    confirm=_("The draft is replaced by a copy of the version. What is live stays as it is until you publish."),
    tab="",
)
ADD = _edit("step-add", _("Add a step"), "plus", editing.AddStep, _("The step is added."))
ADD_APP = _edit(
    "step-app",
    _("Add a step with an app"),
    "puzzle",
    piece_forms.AddPieceStep,
    _("The step is added."),
    button=_("Add the step"),
)
NOTES = (
    _save("note-change", _("Change the note"), "pencil", flow_forms.ChangeNote, _("The note is saved.")),
    _edit(
        "note-delete",
        _("Delete the note"),
        "trash-2",
        flow_forms.DeleteNote,
        _("The note is deleted."),
        danger=True,
        confirm=_("The note is removed from the draft."),
    ),
)
FLOW = (
    _edit(
        "note-add",
        _("Add a note"),
        "message-square",
        flow_forms.AddNote,
        _("The note is added."),
        visible=notes.has_notes,
    ),
    UNDO,
    _save(
        "minutes-saved",
        _("Minutes saved"),
        "clock",
        flow_forms.MinutesSaved,
        _("Saved."),
        # Engines before 0.83 do not know it.
        visible=lambda flow: "timeSavedPerRun" in flow,
    ),
    _edit(
        "owner",
        _("Change the owner"),
        "user",
        flow_forms.ChangeOwner,
        _("The owner is changed."),
        visible=lambda flow: "ownerId" in flow,
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
        visible=lambda flow: Flow(flow).version.state == "DRAFT",
    ),
    _edit("operation", _("Send an operation as JSON"), "braces", flow_forms.RawOperation, _("The operation is done.")),
)
ACTIONS = (ADD, ADD_APP, *FLOW, *ANY_STEP, SETTINGS, *TRIGGER, *STEP, *CODE, *LOOP, *ROUTER, *BRANCH, *NOTES)
