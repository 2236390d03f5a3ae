"""Actions on flows (api.md 6.5): state, publishing, name, folder, tags, copies, imports, versions, deletion."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.deleted_objects import services as deleted_objects
from workflows_ui.engine import EngineError, NotFound, Refused, flow_tree
from workflows_ui.resource_admin.actions import LastingText, NameForm, always, delete_action, rename_action
from workflows_ui.resource_admin.resource import Action, Affected, Bulk, Row, Text, pick
from workflows_ui.resources import copies, usage
from workflows_ui.resources.flows import deletion, pages
from workflows_ui.resources.flows import forms as flow_forms
from workflows_ui.resources.flows.files import shown_name
from workflows_ui.resources.flows.import_findings import find_problems
from workflows_ui.resources.flows.reading import deleting, folder_names, has_draft, name_of, tags_of, trigger_of
from workflows_ui.resources.pieces import missing_apps
from workflows_ui.resources.places import flow_url, list_url
from workflows_ui.web import formats
from workflows_ui.web.messages import error_message
from workflows_ui.web.paths import dict_at, list_at, text_at

_LISTED = 20
_BELIEVED: Text = _(
    "The engine takes over from the file which steps are complete and checks none of them: a step that lacks something can be published "
    "and then never run."
)


def _operate(session: EngineSession, id: str, operation: str, **request: Any) -> Any:
    """Run one of the engine's operations on a flow (api.md 6.5) and return the whole flow. Raises EngineError."""
    return session.workflows.apply_flow_operation(id, {"type": operation, "request": request})


def _import_into(session: EngineSession, id: str, flow: Row, request: Mapping[str, Any], name: str) -> Any:
    """Replace the steps of a flow's draft. Raises EngineError, ValidationError if the engine refuses the tree."""
    tree_request = _fitting(request, flow)
    try:
        return _operate(session, id, "IMPORT_FLOW", displayName=name, **tree_request)
    except Refused as refusal:
        if refusal.code != "FST_ERR_VALIDATION":
            raise
        # The engine only says that the input is invalid (recording `op_import_flow_bad_trigger`).
        text = gettext(
            "The engine does not take this flow: something in it is not as it expects. It does not say what."
        )
        raise forms.ValidationError({"file": text}) from refusal


def _fitting(request: Mapping[str, Any], flow: Row) -> dict[str, Any]:
    """The tree for the engine of this flow: an older engine knows neither the notes and dates of a newer file, nor its
    tree version (engine-0.83.md 11, row 7). The flow's own version shows which it is.
    """
    trigger, version = request.get("trigger"), dict_at(flow, "version")
    schema, known = text_at(request, "schemaVersion"), text_at(version, "schemaVersion")
    later = schema.isdecimal() and known.isdecimal() and int(schema) > int(known)
    tree = {"trigger": trigger, "schemaVersion": None if later else request.get("schemaVersion")}
    if "notes" in version:
        return tree | {"notes": request.get("notes") or []}
    return tree | {"trigger": _undated(trigger)}


def _undated(step: Any) -> Any:
    """A copy of a tree without the dates of its steps; the steps' settings are not copied."""
    if not isinstance(step, dict):
        return step
    copies: dict[int, dict[str, Any]] = {}
    for node in flow_tree.walk(step):
        copies[id(node.step)] = {key: value for key, value in node.step.items() if key != "lastUpdatedDate"}
    for copy in copies.values():
        for key in ("nextAction", "firstLoopAction"):
            if id(copy.get(key)) in copies:
                copy[key] = copies[id(copy[key])]
        if isinstance(copy.get("children"), list):
            copy["children"] = [copies.get(id(child), child) for child in copy["children"]]
    return copies[id(step)]


def _create(session: EngineSession, name: str, request: Mapping[str, Any], folder: str = "") -> Any:
    """Create a flow with these steps, in two calls. If the second one fails, the error reports an incomplete flow."""
    flow = session.workflows.create_flow(name, folder_id=folder or None)
    pages.forget(session)
    usage.forget(session)
    try:
        return _import_into(session, flow["id"], flow, request, name)
    except (EngineError, forms.ValidationError) as error:
        text = gettext(
            "A flow “%(name)s” was made, but its steps could not be brought in: %(why)s It is empty; delete it, or import into it."
        )
        raise forms.ValidationError(text % {"name": name, "why": _why(error)}) from error


def _why(error: EngineError | forms.ValidationError) -> str:
    if isinstance(error, forms.ValidationError):
        return " ".join(error.messages)
    return str(error_message(error).text)


def _make(session: EngineSession, _id: str, data: dict[str, Any]) -> Any:
    flow = session.workflows.create_flow(data["name"], folder_id=data["folder"] or None)
    pages.forget(session)
    return flow


def _duplicate(session: EngineSession, id: str, data: dict[str, Any]) -> Any:
    """Create a flow of this name with the newest version's steps, in the same folder."""
    flow = session.workflows.get_flow(id)
    return _create(session, data["name"], dict_at(flow, "version"), text_at(flow, "folderId"))


def _import_new(session: EngineSession, _id: str, data: dict[str, Any]) -> dict[str, Any]:
    """Create a flow from each request of the chosen file. Return `flows`, and `check`: the steps of each that need a check.

    Raises EngineError, ValidationError; if some flows were already created, the error says which.
    """
    created: list[Row] = []
    for request in data["file"]:
        name = data["name"] or shown_name(request) or gettext("Imported flow")
        try:
            created.append(_create(session, name[:200], request))
        except (EngineError, forms.ValidationError) as error:
            if not created:
                raise
            text = gettext(
                "Created so far: %(made)s. Then: %(why)s Clear the flows that were created before you continue."
            )
            names = ", ".join(f"“{formats.cut(name_of(flow))}”" for flow in created)
            raise forms.ValidationError(text % {"made": names, "why": _why(error)}) from error
    return {"flows": created, "check": [find_problems(session, trigger_of(flow)) for flow in created]}


def _import_here(session: EngineSession, id: str, data: dict[str, Any]) -> dict[str, Any]:
    """Replace the draft by the content of the file; the flow keeps its name."""
    (request,) = data["file"]
    flow = session.workflows.get_flow(id)
    imported = _import_into(session, id, flow, request, name_of(flow) or shown_name(request) or id)
    usage.forget(session)
    return {"flows": [imported], "check": [find_problems(session, trigger_of(imported))]}


def _can_turn_on(flow: Row) -> bool:
    # Before the first publish the engine answers 500 (api.md 6.5).
    return flow.get("status") == "DISABLED" and bool(flow.get("publishedVersionId")) and not deleting(flow)


def _can_publish(flow: Row) -> bool:
    started = pick(trigger_of(flow), "type") not in (None, "EMPTY")
    return started and not deleting(flow) and (not flow.get("publishedVersionId") or has_draft(flow))


def _stays(flow: Row) -> bool:
    return not deleting(flow)


def _publishing(flow: Row) -> Text:
    """A warning, since the engine publishes incomplete drafts too (recording `flow_draft_publish_invalid`)."""
    sentences = [gettext("The draft goes live, and the flow is switched on. Launches run it from then on.")]
    broken = [
        formats.cut(str(node.step.get("displayName") or node.step.get("name") or ""))
        for node in flow_tree.walk(trigger_of(flow))
        if node.step.get("valid") is False
    ]
    if broken:
        text = ngettext(
            "Careful: %(count)d step is not complete and will probably fail: %(steps)s.",
            "Careful: %(count)d steps are not complete and will probably fail: %(steps)s.",
            len(broken),
        )
        sentences.append(text % {"count": len(broken), "steps": ", ".join(broken[:_LISTED])})
    return " ".join(sentences)


def _lacking(session: EngineSession, flow: Row) -> Affected | None:
    """The apps that the engine lacks: the published flow would accept calls and never run."""
    missing = missing_apps.of_tree(session, trigger_of(flow))
    if not missing:
        return None
    message = missing_apps.no_run_words(missing)
    return Affected(f"{message.title}.", [(item.text, "") for item in missing])


def _tag(session: EngineSession, id: str, data: dict[str, Any]) -> Any:
    """Keep all other metadata, which UPDATE_METADATA replaces (recording `flow_op_update_metadata`)."""
    known = dict_at(session.workflows.get_flow(id), "metadata") | {"tags": data["tags"]}
    metadata = {key: value for key, value in known.items() if key != "tags" or value}
    return _operate(session, id, "UPDATE_METADATA", metadata=metadata or None)


def _delete(session: EngineSession, id: str, data: dict[str, Any]) -> dict[str, Any]:
    """Return `copies.answer`, and whether the flow is gone: 0.83 takes a moment if it was published (`flow_del_03_get_right_after`)."""
    with copies.kept(session, "flows", id, data, lambda: deletion.read_copy(session, id)):
        session.workflows.delete_flow(id)
    pages.forget(session)
    usage.forget(session)
    try:
        session.workflows.get_flow(id)
    except EngineError as error:
        return copies.answer(session, data) | {"gone": isinstance(error, NotFound) and bool(error.code)}
    return copies.answer(session, data) | {"gone": False}


def create_from_copy(session: EngineSession, data: Mapping[str, Any]) -> str:
    """Create the flow of a copy (deletion.read_copy) without its steps, in the folder of that name if there is one. Return its id.

    Raises EngineError.
    """
    folders = {name: key for key, name in folder_names(session).items()}
    folder = folders.get(text_at(data, "folder"), "")
    return text_at(_make(session, "", {"name": _name_in_copy(data), "folder": folder}), "id")


def fill_from_copy(session: EngineSession, id: str, data: Mapping[str, Any]) -> None:
    """Give the flow the steps and tags of its copy; a second time does no harm. Raises EngineError, ValidationError."""
    tags = [str(tag) for tag in list_at(data, "tags")]
    _import_into(session, id, session.workflows.get_flow(id), dict_at(data, "version"), _name_in_copy(data))
    usage.forget(session)
    if tags:
        _tag(session, id, {"tags": tags})


def _name_in_copy(data: Mapping[str, Any]) -> str:
    return text_at(data, "version.displayName") or gettext("Imported flow")


def _to_imported(slug: str, _row: Row, answer: Any) -> str:
    """The imported flow, or the list if there are several."""
    flows = answer["flows"]
    return flow_url(slug, flows[0].get("id")) if len(flows) == 1 else list_url(slug, "flows")


def _imported(_row: Row, answer: Any) -> Text:
    flows = answer["flows"]
    text = gettext("The flow “%(name)s” is imported. This is it.") % {"name": formats.cut(name_of(flows[0]))}
    if len(flows) > 1:
        names = ", ".join(f"“{formats.cut(name_of(flow))}”" for flow in flows[:_LISTED])
        text = gettext("%(count)d flows are imported: %(names)s.") % {"count": len(flows), "names": names}
    return _with_check(text, answer)


def _with_check(message: str, answer: Any) -> Text:
    """The result message, with the steps that need a check."""
    for flow, lines in zip(answer["flows"], answer["check"], strict=True):
        if not lines:
            continue
        count = len(lines)
        text = ngettext(
            "In “%(name)s”, check %(count)d step: %(steps)s", "In “%(name)s”, check %(count)d steps: %(steps)s", count
        )
        message += " " + text % {"name": formats.cut(name_of(flow)), "count": count, "steps": " ".join(lines[:_LISTED])}
    return LastingText(message) if any(answer["check"]) else message


ACTIONS = (
    Action(
        "turn-on",
        _("Turn on"),
        "toggle-right",
        lambda session, key, _data: _operate(session, key, "CHANGE_STATUS", status="ENABLED"),
        visible=_can_turn_on,
        done=_("“%(name)s” is on."),
        in_rows=True,
        bulk=Bulk(_("The flows are turned on: automatic ones start again, and the others can be launched.")),
    ),
    Action(
        "publish",
        _("Publish"),
        "upload",
        lambda session, key, _data: _operate(session, key, "LOCK_AND_PUBLISH"),
        confirm=_publishing,
        impact=_lacking,
        button=_("Publish “%(name)s”"),
        visible=_can_publish,
        primary=always,
        done=_("“%(name)s” is published and on."),
        in_rows=True,
        bulk=Bulk(
            _(
                "The drafts go live, and the flows are switched on. Launches run them from then on. Drafts with steps that are not "
                "complete are published too; such steps will probably fail."
            )
        ),
    ),
    rename_action(
        lambda session, key, data: _operate(session, key, "CHANGE_NAME", displayName=data["name"]),
        initial=lambda row: {"name": name_of(row)},
        confirm=lambda row: (
            gettext("The new name belongs to the draft. Runs bear it once the draft is published.")
            if row.get("publishedVersionId")
            else ""
        ),
        visible=_stays,
        done=_("The flow is renamed."),
    ),
    Action(
        "move",
        _("Move to a folder"),
        "folder-open",
        lambda session, key, data: _operate(session, key, "CHANGE_FOLDER", folderId=data["folder"] or None),
        form=flow_forms.FolderChoice,
        initial=lambda row: {"folder": row.get("folderId") or ""},
        button=_("Move"),
        visible=_stays,
        done=_("The flow is moved."),
        in_rows=True,
        bulk=Bulk(_("The flows are moved to the folder that you choose. Nothing else about them changes.")),
    ),
    Action(
        "tag",
        _("Change the tags"),
        "tags",
        _tag,
        form=flow_forms.FlowTags,
        initial=lambda row: {"tags": ", ".join(tags_of(row))},
        button=_("Save the tags"),
        visible=_stays,
        done=_("The tags are saved."),
    ),
    Action(
        "duplicate",
        _("Duplicate"),
        "copy",
        _duplicate,
        creates="flows",
        form=NameForm,
        initial=lambda row: {"name": gettext("Copy of %(name)s") % {"name": name_of(row)[:190]}},
        confirm=_("A new flow with the same steps is made. It is off, and not published."),
        button=_("Make the copy"),
        visible=_stays,
        done=lambda _row, flow: (
            gettext("The copy “%(name)s” is made. This is it.") % {"name": formats.cut(name_of(flow))}
        ),
        success_url=lambda slug, _row, flow: flow_url(slug, pick(flow, "id")),
        in_rows=True,
    ),
    Action(
        "import-here",
        _("Import a file into it"),
        "file-input",
        _import_here,
        form=flow_forms.FlowFile,
        confirm=lambda row: (
            gettext(
                "All steps of the draft of “%(name)s” are replaced by those in the file. What is live stays as it is until you publish."
            )
            % {"name": formats.cut(name_of(row))}
            + f" {_BELIEVED}"
        ),
        button=_("Replace the draft"),
        visible=_stays,
        done=lambda _row, answer: _with_check(gettext("The draft is replaced by what is in the file."), answer),
    ),
    Action(
        "use-as-draft",
        _("Use a version as draft"),
        "history",
        lambda session, key, data: _operate(session, key, "USE_AS_DRAFT", versionId=data["version"]),
        form=flow_forms.VersionChoice,
        confirm=_("The draft is replaced by a copy of the version. What is live stays as it is until you publish."),
        button=_("Use it as the draft"),
        visible=_stays,
        done=_("The draft is now a copy of that version."),
    ),
    Action(
        "turn-off",
        _("Turn off"),
        "toggle-left",
        lambda session, key, _data: _operate(session, key, "CHANGE_STATUS", status="DISABLED"),
        stops=True,
        confirm=_("“%(name)s” is no longer started, neither by launches nor automatically, until it is turned on."),
        button=_("Turn off “%(name)s”"),
        visible=lambda flow: flow.get("status") == "ENABLED" and not deleting(flow),
        done=_("“%(name)s” is off."),
        in_rows=True,
        bulk=Bulk(
            _("The flows are no longer started, neither by launches nor automatically, until they are turned on.")
        ),
    ),
    delete_action(
        _delete,
        form=copies.DeleteForm,
        confirm=lambda flow: (
            gettext(
                "The flow “%(name)s” is deleted with all its versions. A copy of the newest one is kept for %(days)d days under "
                "“Recently deleted”. A restored flow is off and has a new id and webhook address; runs, launch rights and "
                "watches do not come back."
            )
            % {"name": formats.cut(name_of(flow)), "days": deleted_objects.days()}
        ),
        button=_("Delete the flow “%(name)s”"),
        impact=deletion.impact,
        visible=_stays,
        done=lambda _row, answer: copies.done(
            gettext("The flow is deleted.")
            if answer["gone"]
            else gettext("The engine is deleting the flow. That takes a moment."),
            answer,
        ),
        bulk=Bulk(
            _(
                "The flows are deleted with all their versions and their runs. A copy of each is kept for some time under “Recently "
                "deleted”. A restored flow is off and has a new id and webhook address; runs, launch rights and watches do not come back."
            )
        ),
    ),
    Action(
        "new",
        _("New flow"),
        "plus",
        _make,
        form=flow_forms.NewFlow,
        confirm=_(
            "A flow without steps is made, off and not published. Bring steps into it from a file, or in the engine's builder."
        ),
        button=_("Make the flow"),
        done=lambda _row, flow: (
            gettext("The flow “%(name)s” is made. This is it.") % {"name": formats.cut(name_of(flow))}
        ),
        success_url=lambda slug, _row, flow: flow_url(slug, pick(flow, "id")),
        primary=always,
        collection=True,
    ),
    Action(
        "import",
        _("Import from a file"),
        "file-input",
        _import_new,
        form=flow_forms.NewFlowFile,
        confirm=lambda _row: (
            gettext("A new flow is made from the file. It is off, and not published.") + f" {_BELIEVED}"
        ),
        button=_("Import"),
        done=_imported,
        success_url=_to_imported,
        collection=True,
    ),
)
