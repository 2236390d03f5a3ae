"""Actions that make flows, empty or from a starter, and import files. They lead to the steps, with what is left to do.

An import is IMPORT_FLOW as each version of the engine takes it, then an update of each step, by which the engine checks it: IMPORT_FLOW
takes over from the file which steps are complete (recordings `op_import_flow_known_piece_wrong_input_valid_true`,
`op_import_flow_unknown_piece`); an update of the same step as it is makes the engine decide (engine-0.83.md section 6).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from django import forms
from django.utils.translation import gettext, gettext_lazy as _, ngettext

from workflows_ui.core import formats
from workflows_ui.core.form_arguments import Cleaned
from workflows_ui.core.json_values import JsonType, json_type
from workflows_ui.core.paths import dict_at, text_at
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import EngineError, NotFound, Refused, Unknown, flow_tree
from workflows_ui.engine_objects.flows import Flow, Step
from workflows_ui.flow_editing import services as flow_edits, validity
from workflows_ui.flow_editing.actions import MEANWHILE, alike, is_changed, read
from workflows_ui.flow_editing.imports import contents, forms as import_forms
from workflows_ui.flow_editing.imports.files import shown_name
from workflows_ui.flow_editing.models import FlowEdit
from workflows_ui.flow_editing.operations import Json, Operation, update_step
from workflows_ui.flow_editing.prediction import Impossible, predict
from workflows_ui.flow_editing.starters.forms import NewFlow
from workflows_ui.flows import pages
from workflows_ui.flows.reading import name_of, trigger_of
from workflows_ui.pieces import apps, missing_apps
from workflows_ui.pieces.missing_apps import exact
from workflows_ui.resource_admin.actions import LastingText, always
from workflows_ui.resource_admin.places import flow_url, list_url
from workflows_ui.resource_admin.resource import Action, Row, Text, pick
from workflows_ui.usage import usage
from workflows_ui.web.messages import error_message

#: Types of steps that an update can send (api.md 6.3).
_TYPES = frozenset({"PIECE_TRIGGER", "PIECE", "CODE", "LOOP_ON_ITEMS", "ROUTER"})
_SUSPECTS = 5
#: The version of an app that neither the file nor the engine knows.
_NO_VERSION = "0.0.0"
_LISTED = 20
_CHECKED: Text = _("After the import the engine checks each step, and the console says what has to be completed.")


@dataclass
class ImportedFlow:
    """A flow with its imported steps, after the check.

    Attributes:
        problems: what has to be completed in its steps.
        dropped: a sentence for each step whose app did not take all inputs of the file.
        unchecked: how many steps the engine did not check, because it stopped answering.
    """

    flow: Row
    problems: list[validity.Finding] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    unchecked: int = 0

    @property
    def incomplete(self) -> int:
        """How many steps have to be completed."""
        return len({problem.step for problem in self.problems})


def create(session: EngineSession, name: str, request: Mapping[str, object], folder: str = "") -> Json:
    """Create a flow with these steps, in two calls, and return it. If it does not get the steps, it is deleted again.

    Raises EngineError (after Unknown, more had to follow); ValidationError, which says what is left, if the second call fails.
    """
    try:
        flow = session.workflows.create_flow(name, folder_id=folder or None)
    except Unknown as unclear:
        unclear.about["partial"] = True
        raise
    forget(session)
    operation = import_operation(session, flow, request, name)
    try:
        return import_into(session, flow["id"], flow, operation)
    except (EngineError, forms.ValidationError) as error:
        now = read(session, flow["id"])
        if alike(_predicted(flow, operation), now):
            # Only the answer was lost.
            return now
        text = gettext("The flow “%(name)s” was not created: %(why)s Nothing was left behind.")
        if not _is_deleted(session, flow["id"]):
            text = gettext(
                "A flow “%(name)s” was created, but its steps could not be imported: %(why)s It could not be "
                "deleted again. Check it: delete it, or import into it."
            )
        raise forms.ValidationError(text % {"name": name, "why": why(error)}) from error


def _is_deleted(session: EngineSession, id: str) -> bool:
    """Delete a flow that was just created, and return whether it is gone: even if the engine still gets the import, it finds no flow."""
    try:
        session.workflows.delete_flow(id)
    except NotFound:
        return True
    except EngineError:
        return False
    finally:
        forget(session)
    return True


def forget(session: EngineSession) -> None:
    """Clear what is cached of the list of flows."""
    pages.forget(session)
    usage.forget(session)


def why(error: EngineError | forms.ValidationError) -> str:
    if isinstance(error, forms.ValidationError):
        return " ".join(error.messages)
    return str(error_message(error).text)


def import_into(session: EngineSession, id: str, flow: Row, operation: Operation) -> Json:
    """Replace the steps of a flow's draft (import_operation). Raises EngineError, ValidationError if the engine refuses the tree."""
    try:
        return session.workflows.apply_flow_operation(
            id, operation.body, known=flow, expected=_predicted(flow, operation)
        )
    except Refused as refusal:
        if refusal.code != "FST_ERR_VALIDATION":
            raise
        # The engine only says that the input is invalid (recording `op_import_flow_bad_trigger`).
        text = gettext(
            "The engine does not accept this flow: something in it is not as expected. It does not say what."
        )
        raise forms.ValidationError({"file": " ".join([text, *_suspects(operation.request["trigger"])])}) from refusal


def import_operation(session: EngineSession, flow: Row, request: Mapping[str, object], name: str) -> Operation:
    """The import into this flow. An older engine knows neither the notes and dates of a newer file, nor its tree version
    (engine-0.83.md 11, row 7). The flow's own version shows which engine it is.

    Calls the engine for apps that are not cached; catches its errors.
    """
    trigger, version = _with_versions(session, request.get("trigger")), dict_at(flow, "version")
    schema, known = text_at(request, "schemaVersion"), text_at(version, "schemaVersion")
    later = schema.isdecimal() and known.isdecimal() and int(schema) > int(known)
    tree = {
        "displayName": name,
        "trigger": trigger,
        "schemaVersion": None if later else request.get("schemaVersion"),
    }
    if "notes" in version:
        return Operation("IMPORT_FLOW", tree | {"notes": request.get("notes") or []})
    return Operation("IMPORT_FLOW", tree | {"trigger": contents.mapped(trigger, _undated)})


def _with_versions(session: EngineSession, trigger: object) -> object:
    """A copy of a tree in which each step of an app has a version, and is not complete if the engine lacks that app.

    The engine answers 500 to an import without a version, also of apps that it has, and takes any text as one. It believes that the steps
    are complete (engine-0.83.md section 13.5, recordings `op_import_flow_installed_no_version`, `op_import_flow_not_installed_*`).
    """
    here = {row["name"]: text_at(row, "version") for row in apps.catalogue_or_none(session)}
    lacking = {(app.name, app.version) for app in missing_apps.of_trees(session, trigger, versions=True)}

    def with_version(step: Row) -> dict[str, object]:
        settings = dict_at(step, "settings")
        piece, version = text_at(settings, "pieceName"), text_at(settings, "pieceVersion")
        if not piece:
            return dict(step)
        new = {**step, "settings": {**settings, "pieceVersion": version or here.get(piece) or _NO_VERSION}}
        return new | {"valid": False} if (piece, exact(version)) in lacking else new

    return contents.mapped(trigger, with_version)


def _undated(step: Row) -> dict[str, object]:
    return {key: value for key, value in step.items() if key != "lastUpdatedDate"}


def _suspects(trigger: object) -> Iterator[str]:
    """What is probably wrong in a tree that the engine refuses."""
    listed = [node for node in flow_tree.walk(trigger) if node.step.get("type") not in (*_TYPES, "EMPTY")]
    for node in listed[:_SUSPECTS]:
        text = gettext("Perhaps it does not know the type %(type)s of the step “%(step)s”.")
        yield text % {"type": formats.cut(str(node.step.get("type")), 40), "step": contents.title_of(node)}
    lacking = [(node, parts) for node in flow_tree.walk(trigger) if (parts := _lacking(node.step))]
    for node, parts in lacking[:_SUSPECTS]:
        text = gettext("In the step “%(step)s” this is missing or not valid: %(parts)s.")
        yield text % {"step": contents.title_of(node), "parts": ", ".join(parts)}


def _lacking(step: Row) -> list[str]:
    """The parts that every step has (api.md 6.3), and this one lacks."""
    types = {"displayName": JsonType.TEXT, "settings": JsonType.OBJECT}
    parts = [key for key, type_ in types.items() if json_type(step.get(key)) is not type_]
    return parts if flow_tree.NAME.fullmatch(flow_tree.step_name(step)) else ["name", *parts]


def check(session: EngineSession, flow: Row) -> ImportedFlow:
    """Update each step with what it holds, so that the engine decides whether it is complete, and report what it says.

    One call for each step of an app, and for each other one that is not complete; none for apps that the engine lacks. A step that it
    refuses stays as imported.
    """
    key, imported = Flow(flow).id, trigger_of(flow)
    known = set(apps.names(session))
    refused: list[validity.Finding] = []
    waiting = [node for node in flow_tree.walk(imported) if _to_check(node.step, known)]
    while waiting:
        node = waiting.pop(0)
        try:
            update = _update(node.step, is_trigger=node.step is imported)
            flow = session.workflows.apply_flow_operation(key, update, known=flow)
        except EngineError as error:
            # The update changes nothing, so that it does no harm where its answer proves nothing.
            kind = error.cause if isinstance(error, Unknown) and error.cause else type(error)
            if not issubclass(kind, Refused | NotFound):
                waiting.insert(0, node)
                break
            reason = gettext("The engine refuses it: %(why)s") % {"why": error_message(error).text}
            refused.append(validity.Finding(node.name, contents.title_of(node), reason))
    forget(session)
    problems = validity.check_steps(session, trigger_of(flow)).findings
    named = {problem.step for problem in problems}
    return ImportedFlow(
        flow,
        [*problems, *(problem for problem in refused if problem.step not in named)],
        list(_dropped(imported, trigger_of(flow))),
        len(waiting),
    )


def _to_check(row: Row, known: set[str]) -> bool:
    step = Step(row)
    piece = step.settings.piece_name
    return step.type in _TYPES and (piece in known if piece else not step.valid)


def _update(step: Row, *, is_trigger: bool) -> dict[str, object]:
    settings = dict_at(step, "settings")
    version = exact(text_at(settings, "pieceVersion"))
    # An exact version is what both engines take (engine-0.83.md 11, row 8).
    changed = {"settings": settings | {"pieceVersion": version}} if version else {}
    return update_step(step, is_trigger=is_trigger, **changed).body


def _dropped(before: object, after: object) -> Iterator[str]:
    """Inputs that the app of a step does not know: the engine leaves them out (recording `op_add_action_piece_extra_input`)."""
    now = flow_tree.steps_by_name(after)
    for node in flow_tree.walk(before):
        new_input = dict_at(now.get(node.name, {}), "settings.input")
        lost = [key for key in dict_at(node.step, "settings.input") if key not in new_input]
        if lost and node.name in now and Step(node.step).settings.piece_name:
            text = gettext("The app of “%(step)s” does not know %(inputs)s of the file; the engine left it out.")
            inputs = ", ".join(f"“{formats.cut(key)}”" for key in lost[:_SUSPECTS])
            yield text % {"step": contents.title_of(node), "inputs": inputs}


def _make(session: EngineSession, _id: str, data: Cleaned) -> Mapping[str, object]:
    """Create the flow; `imported` of the answer if it is from a starter. Raises EngineError, ValidationError."""
    if data["request"]:
        imported = check(session, create(session, data["name"], data["request"], data["folder"]))
        return {**imported.flow, "imported": imported}
    flow = session.workflows.create_flow(data["name"], folder_id=data["folder"] or None)
    forget(session)
    return dict(flow)


def _import_new(session: EngineSession, _id: str, data: Cleaned) -> list[ImportedFlow]:
    """Create a flow from each request of the chosen file.

    Raises EngineError, ValidationError; if some flows were already created, the error says which.
    """
    created: list[ImportedFlow] = []
    for request in data["file"]:
        name = data["name"] or shown_name(request) or gettext("Imported flow")
        try:
            created.append(check(session, create(session, name[:200], request)))
        except Unknown as unclear:
            if created:
                unclear.about.setdefault("created", text_at(created[0].flow, "id"))
            unclear.about["partial"] = unclear.about.get("partial", False) or len(created) + 1 < len(data["file"])
            raise
        except (EngineError, forms.ValidationError) as error:
            if not created:
                raise
            text = gettext(
                "Created so far: %(made)s. Then: %(why)s Clear the flows that were created before you continue."
            )
            names = ", ".join(f"“{formats.cut(name_of(imported.flow))}”" for imported in created)
            raise forms.ValidationError(text % {"made": names, "why": why(error)}) from error
    return created


def _import_here(session: EngineSession, id: str, data: Cleaned) -> tuple[ImportedFlow, FlowEdit]:
    """Replace the draft by the content of the file, as an edit that can be undone; the flow keeps its name.

    A change by somebody else in between is recorded, as with any edit. Raises EngineError, ValidationError; after Unknown the edit stays,
    as unclear.
    """
    (request,) = data["file"]
    flow = session.workflows.get_flow(id)
    name = name_of(flow) or shown_name(request) or id
    operation = import_operation(session, flow, request, name)
    predicted = _predicted(flow, operation)
    edit = flow_edits.begin(session, id, "IMPORT_FLOW", flow, predicted)
    try:
        after = import_into(session, id, flow, operation)
    except Unknown as unclear:
        unclear.about["edit"] = edit.pk
        raise
    except (EngineError, forms.ValidationError):
        flow_edits.forget(edit)
        raise
    meanwhile = is_changed(after, read(session, id))
    imported = check(session, after)
    checked = dict(imported.flow)
    flow_edits.end(edit, dict_at(checked, "version"), as_expected=alike(predicted, checked), meanwhile=meanwhile)
    return imported, edit


def _brought(_row: Row, answer: tuple[ImportedFlow, FlowEdit]) -> Text:
    imported, edit = answer
    if edit.meanwhile:
        return LastingText(MEANWHILE)
    return _with_rest(gettext("The draft is replaced with the contents of the file."), [imported])


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


def _made(_row: Row, answer: Json) -> Text:
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
        values: dict[str, object] = {"name": formats.cut(name_of(imported.flow)), "count": imported.incomplete}
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
    visible=lambda flow: not Flow(flow).deleting,
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
