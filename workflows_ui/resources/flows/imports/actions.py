"""Actions that make flows, empty or from a starter, and import files. They lead to the steps, with what is left to do."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import EngineError, Unknown
from workflows_ui.flow_edits import services as flow_edits
from workflows_ui.flow_edits.models import FlowEdit
from workflows_ui.resource_admin.actions import LastingText, always
from workflows_ui.resource_admin.resource import Action, Row, Text, pick
from workflows_ui.resources.flows.editing.actions import MEANWHILE, alike, is_changed, read
from workflows_ui.resources.flows.editing.operations import Operation
from workflows_ui.resources.flows.editing.prediction import Impossible, Json, predict
from workflows_ui.resources.flows.imports import creation
from workflows_ui.resources.flows.imports import forms as import_forms
from workflows_ui.resources.flows.imports.creation import ImportedFlow
from workflows_ui.resources.flows.imports.files import shown_name
from workflows_ui.resources.flows.reading import deleting, name_of
from workflows_ui.resources.flows.starters.forms import NewFlow
from workflows_ui.resources.places import flow_url, list_url
from workflows_ui.web import formats
from workflows_ui.web.paths import dict_at

_LISTED = 20
_CHECKED: Text = _("After the import the engine checks each step, and the console says what has to be completed.")


def _make(session: EngineSession, _id: str, data: dict[str, Any]) -> Mapping[str, Any]:
    """Create the flow; `imported` of the answer if it is from a starter. Raises EngineError, ValidationError."""
    if data["request"]:
        imported = creation.check(session, creation.create(session, data["name"], data["request"], data["folder"]))
        return {**imported.flow, "imported": imported}
    flow = session.workflows.create_flow(data["name"], folder_id=data["folder"] or None)
    creation.forget(session)
    return dict(flow)


def _import_new(session: EngineSession, _id: str, data: dict[str, Any]) -> list[ImportedFlow]:
    """Create a flow from each request of the chosen file.

    Raises EngineError, ValidationError; if some flows were already created, the error says which.
    """
    created: list[ImportedFlow] = []
    for request in data["file"]:
        name = data["name"] or shown_name(request) or gettext("Imported flow")
        try:
            created.append(creation.check(session, creation.create(session, name[:200], request)))
        except (EngineError, forms.ValidationError) as error:
            if not created:
                raise
            text = gettext(
                "Created so far: %(made)s. Then: %(why)s Clear the flows that were created before you continue."
            )
            names = ", ".join(f"“{formats.cut(name_of(imported.flow))}”" for imported in created)
            raise forms.ValidationError(text % {"made": names, "why": creation.why(error)}) from error
    return created


def _import_here(session: EngineSession, id: str, data: dict[str, Any]) -> tuple[ImportedFlow, FlowEdit]:
    """Replace the draft by the content of the file, as an edit that can be undone; the flow keeps its name.

    A change by somebody else in between is recorded, as with any edit. Raises EngineError, ValidationError; after Unknown the edit stays,
    as unclear.
    """
    (request,) = data["file"]
    flow = session.workflows.get_flow(id)
    name = name_of(flow) or shown_name(request) or id
    predicted = _predicted(flow, creation.import_operation(flow, request, name))
    edit = flow_edits.begin(session, id, "IMPORT_FLOW", dict_at(flow, "version"), predicted["version"])
    try:
        after = creation.import_into(session, id, flow, request, name)
    except Unknown:
        raise
    except (EngineError, forms.ValidationError):
        flow_edits.forget(edit)
        raise
    meanwhile = is_changed(after, read(session, id))
    imported = creation.check(session, after)
    checked = dict(imported.flow)
    flow_edits.end(edit, dict_at(checked, "version"), as_expected=alike(predicted, checked), meanwhile=meanwhile)
    return imported, edit


def _brought(_row: Row, answer: tuple[ImportedFlow, FlowEdit]) -> Text:
    imported, edit = answer
    if edit.meanwhile:
        return LastingText(MEANWHILE)
    return _with_rest(gettext("The draft is replaced by what is in the file."), [imported])


def _to_brought(slug: str, row: Row, answer: tuple[ImportedFlow, FlowEdit]) -> str:
    """The steps; the page of the edit if somebody else made one, too."""
    edit = answer[1]
    return f"{flow_url(slug, edit.flow_id)}edits/{edit.pk}/" if edit.meanwhile else _steps_url(slug, row)


def _predicted(flow: Row, operation: Operation) -> Json:
    """The flow after the import; with the file as it is where no prediction is possible: the engine decides."""
    try:
        return predict(flow, operation)
    except (Impossible, RecursionError):
        return {**flow, "version": dict_at(flow, "version") | operation.request}


def _steps_url(slug: str, flow: Row) -> str:
    return f"{flow_url(slug, pick(flow, 'id'))}?tab=steps"


def _to_imported(slug: str, _row: Row, answer: list[ImportedFlow]) -> str:
    """The imported flow, or the list if there are several."""
    return _steps_url(slug, answer[0].flow) if len(answer) == 1 else list_url(slug, "flows")


def _made(_row: Row, answer: Mapping[str, Any]) -> Text:
    text = gettext("The flow “%(name)s” was created.") % {"name": formats.cut(name_of(answer))}
    return _with_rest(text, [answer["imported"]]) if "imported" in answer else text


def _imported(_row: Row, answer: list[ImportedFlow]) -> Text:
    text = gettext("The flow “%(name)s” was imported.") % {"name": formats.cut(name_of(answer[0].flow))}
    if len(answer) > 1:
        names = ", ".join(f"“{formats.cut(name_of(imported.flow))}”" for imported in answer[:_LISTED])
        text = gettext("%(count)d flows are imported: %(names)s.") % {"count": len(answer), "names": names}
    return _with_rest(text, answer)


def _with_rest(message: str, answer: list[ImportedFlow]) -> Text:
    """The message, with what is left to do: a single flow's page lists the steps itself."""
    for imported in answer:
        values: dict[str, Any] = {"name": formats.cut(name_of(imported.flow)), "count": imported.incomplete}
        sentences = []
        if imported.problems:
            text = ngettext(
                "In “%(name)s”, %(count)d step has to be completed.",
                "In “%(name)s”, %(count)d steps have to be completed.",
                imported.incomplete,
            )
            if len(answer) == 1:
                text = ngettext(
                    "%(count)d step has to be completed: see “What is missing”.",
                    "%(count)d steps have to be completed: see “What is missing”.",
                    imported.incomplete,
                )
            sentences.append(text % values)
        elif not imported.unchecked and len(answer) == 1:
            sentences.append(gettext("Every step is complete. The flow runs once you publish it."))
        sentences += imported.dropped[:_LISTED]
        if imported.unchecked:
            text = gettext(
                "The engine did not check %(count)d steps, because it stopped answering. Check them yourself."
            )
            sentences.append(text % {"count": imported.unchecked})
        message = " ".join([message, *sentences])
    rest = any(imported.problems or imported.dropped or imported.unchecked for imported in answer)
    return LastingText(message) if rest else message


IMPORT_HERE = Action(
    "import-here",
    _("Import a file"),
    "file-input",
    _import_here,
    form=import_forms.FlowFile,
    confirm=lambda row: (
        gettext(
            "All steps of the draft of “%(name)s” are replaced by those in the file. What is live stays as it is until you publish."
        )
        % {"name": formats.cut(name_of(row))}
        + f" {_CHECKED}"
    ),
    button=_("Replace the draft"),
    visible=lambda flow: not deleting(flow),
    done=_brought,
    success_url=_to_brought,
)
NEW = Action(
    "new",
    _("New flow"),
    "plus",
    _make,
    form=NewFlow,
    confirm=_("A new flow is off, and not published: nothing runs until you publish it."),
    button=_("Create the flow"),
    done=_made,
    success_url=lambda slug, _row, flow: _steps_url(slug, flow),
    primary=always,
    collection=True,
)
IMPORT_NEW = Action(
    "import",
    _("Import from a file"),
    "file-input",
    _import_new,
    form=import_forms.NewFlowFile,
    confirm=lambda _row: gettext("A new flow is created from the file. It is off, and not published.") + f" {_CHECKED}",
    button=_("Import"),
    done=_imported,
    success_url=_to_imported,
    collection=True,
)
