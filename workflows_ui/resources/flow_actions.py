"""What is done with flows: on and off, publish, rename, move, duplicate, import, use a version as the draft, delete (api.md 6.5)."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from workflows_ui.engine import EngineError, flow_tree
from workflows_ui.kit import words
from workflows_ui.kit.caller import Caller
from workflows_ui.kit.resource import Action, Affected, Bulk, Row, Text, pick
from workflows_ui.models import ENDED, Launch
from workflows_ui.resources.flow_forms import FlowFile, FlowName, FolderChoice, NewFlowFile, VersionChoice
from workflows_ui.resources.flow_reading import deleting, has_draft, name_of, trigger_of
from workflows_ui.resources.places import flow_url

_LISTED = 20


def _operate(caller: Caller, id: str, operation: str, **request: Any) -> Any:
    return caller.workflows.apply_flow_operation(id, {"type": operation, "request": request})


def _can_turn_on(flow: Row) -> bool:
    # Before the first publish the engine answers 500 (api.md 6.5).
    return flow.get("status") == "DISABLED" and bool(flow.get("publishedVersionId")) and not deleting(flow)


def _can_turn_off(flow: Row) -> bool:
    return flow.get("status") == "ENABLED" and not deleting(flow)


def _can_publish(flow: Row) -> bool:
    started = pick(trigger_of(flow), "type") not in (None, "EMPTY")
    return started and not deleting(flow) and (not flow.get("publishedVersionId") or has_draft(flow))


def _stays(flow: Row) -> bool:
    return not deleting(flow)


def _publishing(flow: Row) -> Text:
    """The engine publishes drafts that are not complete as well (recording `flow_draft_publish_invalid`): this says so before."""
    said = [_("The draft goes live, and the flow is switched on. Launches run it from then on.")]
    broken = [
        str(node.step.get("displayName") or node.step.get("name") or "")[:80]
        for node in flow_tree.walk(trigger_of(flow))
        if node.step.get("valid") is False
    ]
    if broken:
        text = ngettext(
            "Careful: %(count)d step is not complete and will probably fail: %(steps)s.",
            "Careful: %(count)d steps are not complete and will probably fail: %(steps)s.",
            len(broken),
        )
        said.append(text % {"count": len(broken), "steps": ", ".join(broken[:_LISTED])})
    return " ".join(said)


def _quoted(text: str) -> dict[str, str]:
    return {"name": text[:60]}


def _import_into(caller: Caller, id: str, request: Mapping[str, Any], name: str) -> Any:
    return _operate(
        caller,
        id,
        "IMPORT_FLOW",
        displayName=name,
        trigger=request.get("trigger"),
        schemaVersion=request.get("schemaVersion"),
    )


def _made(caller: Caller, name: str, request: Mapping[str, Any], folder: str | None = None) -> Any:
    """A new flow with these steps: two calls, since the engine copies nothing. What the second one leaves behind is told."""
    flow = caller.workflows.create_flow(name, folder_id=folder or None)
    key = str(flow.get("id"))
    try:
        return _import_into(caller, key, request, name)
    except EngineError as error:
        told = words.of_error(error)
        text = _(
            "A flow “%(name)s” was made, but its steps could not be brought in: %(why)s It is empty; delete it, or import into it."
        )
        raise forms.ValidationError(text % {"name": name, "why": told.text}) from error


def _duplicate(caller: Caller, id: str, data: dict[str, Any]) -> Any:
    flow = caller.workflows.get_flow(id)
    version = flow.get("version")
    folder = flow.get("folderId")
    steps = version if isinstance(version, dict) else {}
    return _made(caller, data["name"], steps, folder if isinstance(folder, str) else None)


def _import_new(caller: Caller, _id: str, data: dict[str, Any]) -> Any:
    request = data["file"]
    return _made(caller, data["name"] or request["displayName"] or _("Imported flow"), request)


def _import_here(caller: Caller, id: str, data: dict[str, Any]) -> Any:
    request = data["file"]
    name = name_of(caller.workflows.get_flow(id))
    return _import_into(caller, id, request, name or request["displayName"] or id)


def _delete(caller: Caller, id: str, _data: dict[str, Any]) -> None:
    caller.workflows.delete_flow(id)


def _affected(caller: Caller, flow: Row) -> Affected | None:
    """Launches that have not ended yet, and the runs, which the engine deletes along."""
    key = flow.get("id")
    if not isinstance(key, str):
        return None
    waiting = Launch.objects.filter(workspace=caller.workspace, flow_id=key).exclude(state__in=ENDED)
    number = waiting.count()
    if not number:
        return Affected(_("No launch of it is under way. Its runs are deleted along with it."))
    summary = ngettext(
        "%(count)d launch of it has not ended yet. Its runs are deleted along with it.",
        "%(count)d launches of it have not ended yet. Its runs are deleted along with it.",
        number,
    )
    return Affected(summary % {"count": number})


def _to_flow(slug: str, _row: Row, flow: Any) -> str:
    return flow_url(slug, flow.get("id") if isinstance(flow, dict) else "")


def _to_itself(slug: str, flow: Row, _answer: Any) -> str:
    return flow_url(slug, flow.get("id"))


ACTIONS = (
    Action(
        "turn-on",
        gettext_lazy("Turn on"),
        "toggle-on",
        lambda caller, key, _data: _operate(caller, key, "CHANGE_STATUS", status="ENABLED"),
        offered=_can_turn_on,
        done=lambda row, _answer: _("“%(name)s” is on.") % _quoted(name_of(row)),
        in_rows=True,
        bulk=Bulk(
            gettext_lazy(
                "The flows are switched on: what starts by itself starts again, and the others can be launched."
            )
        ),
    ),
    Action(
        "publish",
        gettext_lazy("Publish"),
        "upload",
        lambda caller, key, _data: _operate(caller, key, "LOCK_AND_PUBLISH"),
        confirm=_publishing,
        button=lambda row: _("Publish “%(name)s”") % _quoted(name_of(row)),
        offered=_can_publish,
        done=lambda row, _answer: _("“%(name)s” is published and on.") % _quoted(name_of(row)),
        in_rows=True,
        bulk=Bulk(
            gettext_lazy(
                "The drafts go live, and the flows are switched on. Launches run them from then on. Drafts with steps that are not "
                "complete are published too; such steps will probably fail."
            )
        ),
    ),
    Action(
        "rename",
        gettext_lazy("Rename"),
        "pen",
        lambda caller, key, data: _operate(caller, key, "CHANGE_NAME", displayName=data["name"]),
        form=FlowName,
        initial=lambda row: {"name": name_of(row)},
        confirm=lambda row: (
            _("The new name belongs to the draft. Runs bear it once the draft is published.")
            if row.get("publishedVersionId")
            else ""
        ),
        offered=_stays,
        done=gettext_lazy("The flow has its new name."),
        in_rows=True,
    ),
    Action(
        "move",
        gettext_lazy("Move to a folder"),
        "folder-open",
        lambda caller, key, data: _operate(caller, key, "CHANGE_FOLDER", folderId=data["folder"] or None),
        form=FolderChoice,
        initial=lambda row: {"folder": row.get("folderId") or ""},
        button=lambda _row: _("Move"),
        offered=_stays,
        done=gettext_lazy("The flow is moved."),
        in_rows=True,
        bulk=Bulk(gettext_lazy("The flows are moved to the folder that you choose. Nothing else about them changes.")),
    ),
    Action(
        "duplicate",
        gettext_lazy("Duplicate"),
        "copy",
        _duplicate,
        form=FlowName,
        initial=lambda row: {"name": _("Copy of %(name)s") % {"name": name_of(row)[:190]}},
        confirm=lambda _row: _("A new flow with the same steps is made. It is off, and not published."),
        button=lambda _row: _("Make the copy"),
        offered=_stays,
        done=lambda _row, flow: _("The copy “%(name)s” is made. This is it.") % _quoted(name_of(flow)),
        then=_to_flow,
        in_rows=True,
    ),
    Action(
        "import-here",
        gettext_lazy("Import a file into it"),
        "file-import",
        _import_here,
        form=FlowFile,
        confirm=lambda row: (
            _(
                "All steps of the draft of “%(name)s” are replaced by those in the file. What is live stays as it is until you publish."
            )
            % _quoted(name_of(row))
        ),
        button=lambda _row: _("Replace the draft"),
        offered=_stays,
        done=gettext_lazy("The draft is replaced by what is in the file."),
    ),
    Action(
        "use-as-draft",
        gettext_lazy("Use a version as draft"),
        "clock-rotate-left",
        lambda caller, key, data: _operate(caller, key, "USE_AS_DRAFT", versionId=data["version"]),
        form=VersionChoice,
        confirm=lambda _row: _(
            "The draft is replaced by a copy of the version. What is live stays as it is until you publish."
        ),
        button=lambda _row: _("Use it as the draft"),
        offered=_stays,
        done=gettext_lazy("The draft is now a copy of that version."),
    ),
    Action(
        "turn-off",
        gettext_lazy("Turn off"),
        "toggle-off",
        lambda caller, key, _data: _operate(caller, key, "CHANGE_STATUS", status="DISABLED"),
        confirm=lambda row: (
            _("“%(name)s” is not started any more, neither by launches nor by itself, until it is turned on.")
            % _quoted(name_of(row))
        ),
        button=lambda row: _("Turn off “%(name)s”") % _quoted(name_of(row)),
        offered=_can_turn_off,
        done=lambda row, _answer: _("“%(name)s” is off.") % _quoted(name_of(row)),
        in_rows=True,
        bulk=Bulk(
            gettext_lazy(
                "The flows are not started any more, neither by launches nor by themselves, until they are turned on."
            )
        ),
    ),
    Action(
        "delete",
        gettext_lazy("Delete"),
        "trash",
        _delete,
        danger=True,
        confirm=lambda row: (
            _("The flow “%(name)s” is deleted with all its versions. It cannot be brought back.")
            % _quoted(name_of(row))
        ),
        button=lambda row: _("Delete the flow “%(name)s”") % _quoted(name_of(row)),
        affected=_affected,
        offered=_stays,
        done=gettext_lazy("The engine is deleting the flow. That takes a moment."),
        then=_to_itself,
        in_rows=True,
        bulk=Bulk(
            gettext_lazy("The flows are deleted with all their versions and their runs. They cannot be brought back.")
        ),
    ),
    Action(
        "import",
        gettext_lazy("Import from a file"),
        "file-import",
        _import_new,
        form=NewFlowFile,
        confirm=lambda _row: _("A new flow is made from the file. It is off, and not published."),
        button=lambda _row: _("Import"),
        done=lambda _row, flow: _("The flow “%(name)s” is imported. This is it.") % _quoted(name_of(flow)),
        then=_to_flow,
        collection=True,
    ),
)
