"""What is done with flows: on and off, publish, rename, move, tag, make, copy, import, use a version as the draft, delete (api.md 6.5)."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from workflows_ui.engine import flow_tree
from workflows_ui.kit import show
from workflows_ui.kit.caller import Caller
from workflows_ui.kit.resource import Action, Affected, Bulk, Row, Text, pick
from workflows_ui.models import UNDER_WAY, Launch
from workflows_ui.resources import flow_copies, flow_pages
from workflows_ui.resources.flow_copies import operate
from workflows_ui.resources.flow_forms import (
    FlowFile,
    FlowName,
    FlowTags,
    FolderChoice,
    NewFlow,
    NewFlowFile,
    VersionChoice,
)
from workflows_ui.resources.flow_reading import deleting, has_draft, name_of, tags_of, trigger_of
from workflows_ui.resources.places import flow_url

_LISTED = 20


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
        show.cut(str(node.step.get("displayName") or node.step.get("name") or ""))
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
    return {"name": show.cut(text)}


def _tag(caller: Caller, id: str, data: dict[str, Any]) -> Any:
    """UPDATE_METADATA replaces all of it: whatever else somebody keeps there stays (recording `flow_op_update_metadata`)."""
    known = caller.workflows.get_flow(id).get("metadata")
    kept = {key: value for key, value in known.items() if key != "tags"} if isinstance(known, dict) else {}
    metadata = kept | ({"tags": data["tags"]} if data["tags"] else {})
    return operate(caller, id, "UPDATE_METADATA", metadata=metadata or None)


def _delete(caller: Caller, id: str, _data: dict[str, Any]) -> None:
    caller.workflows.delete_flow(id)
    flow_pages.forget(caller)


def _affected(caller: Caller, flow: Row) -> Affected | None:
    """Launches that have not ended yet, and the runs, which the engine deletes along."""
    key = flow.get("id")
    if not isinstance(key, str):
        return None
    waiting = Launch.objects.filter(workspace=caller.workspace, flow_id=key, state__in=UNDER_WAY)
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
        lambda caller, key, _data: operate(caller, key, "CHANGE_STATUS", status="ENABLED"),
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
        lambda caller, key, _data: operate(caller, key, "LOCK_AND_PUBLISH"),
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
        lambda caller, key, data: operate(caller, key, "CHANGE_NAME", displayName=data["name"]),
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
        lambda caller, key, data: operate(caller, key, "CHANGE_FOLDER", folderId=data["folder"] or None),
        form=FolderChoice,
        initial=lambda row: {"folder": row.get("folderId") or ""},
        button=lambda _row: _("Move"),
        offered=_stays,
        done=gettext_lazy("The flow is moved."),
        in_rows=True,
        bulk=Bulk(gettext_lazy("The flows are moved to the folder that you choose. Nothing else about them changes.")),
    ),
    Action(
        "tag",
        gettext_lazy("Change the tags"),
        "tags",
        _tag,
        form=FlowTags,
        initial=lambda row: {"tags": ", ".join(tags_of(row))},
        button=lambda _row: _("Save the tags"),
        offered=_stays,
        done=gettext_lazy("The tags are saved."),
    ),
    Action(
        "duplicate",
        gettext_lazy("Duplicate"),
        "copy",
        flow_copies.duplicate,
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
        flow_copies.import_here,
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
        lambda caller, key, data: operate(caller, key, "USE_AS_DRAFT", versionId=data["version"]),
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
        lambda caller, key, _data: operate(caller, key, "CHANGE_STATUS", status="DISABLED"),
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
        "new",
        gettext_lazy("New flow"),
        "plus",
        flow_copies.make,
        form=NewFlow,
        confirm=lambda _row: _(
            "A flow without steps is made, off and not published. Bring steps into it from a file, or in the engine's builder."
        ),
        button=lambda _row: _("Make the flow"),
        done=lambda _row, flow: _("The flow “%(name)s” is made. This is it.") % _quoted(name_of(flow)),
        then=_to_flow,
        collection=True,
    ),
    Action(
        "import",
        gettext_lazy("Import from a file"),
        "file-import",
        flow_copies.import_new,
        form=NewFlowFile,
        confirm=lambda _row: _("A new flow is made from the file. It is off, and not published."),
        button=lambda _row: _("Import"),
        done=lambda _row, flow: _("The flow “%(name)s” is imported. This is it.") % _quoted(name_of(flow)),
        then=_to_flow,
        collection=True,
    ),
)
