"""Actions on flows (api.md 6.5): state, publishing, name, folder, tags, copies, imports, versions, deletion."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import EngineError, NotFound, flow_tree
from workflows_ui.launches.models import OPEN, Launch
from workflows_ui.resource_admin.resource import Action, Affected, Bulk, Row, Text, pick
from workflows_ui.resources import usage
from workflows_ui.resources.flows import copies, pages
from workflows_ui.resources.flows.copies import operate
from workflows_ui.resources.flows.forms import (
    FlowFile,
    FlowName,
    FlowTags,
    FolderChoice,
    NewFlow,
    NewFlowFile,
    VersionChoice,
)
from workflows_ui.resources.flows.reading import deleting, has_draft, name_of, tags_of, trigger_of
from workflows_ui.resources.pieces import missing_apps
from workflows_ui.resources.places import flow_url, list_url
from workflows_ui.web import formats
from workflows_ui.web.paths import dict_at, text_at

_LISTED = 20
_BELIEVED: Text = _(
    "The engine takes over from the file which steps are complete and checks none of them: a step that lacks something can be published "
    "and then never run."
)


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


def _quoted(text: str) -> dict[str, str]:
    return {"name": formats.cut(text)}


def _tag(session: EngineSession, id: str, data: dict[str, Any]) -> Any:
    """Keep all other metadata, which UPDATE_METADATA replaces (recording `flow_op_update_metadata`)."""
    known = dict_at(session.workflows.get_flow(id), "metadata") | {"tags": data["tags"]}
    metadata = {key: value for key, value in known.items() if key != "tags" or value}
    return operate(session, id, "UPDATE_METADATA", metadata=metadata or None)


def _delete(session: EngineSession, id: str, _data: dict[str, Any]) -> dict[str, bool]:
    """Return whether the flow is gone: 0.83 takes a moment if it was published (`flow_del_03_get_right_after`)."""
    session.workflows.delete_flow(id)
    pages.forget(session)
    usage.forget(session)
    try:
        session.workflows.get_flow(id)
    except EngineError as error:
        return {"gone": isinstance(error, NotFound) and bool(error.code)}
    return {"gone": False}


def _affected(session: EngineSession, flow: Row) -> Affected:
    """Unfinished launches, and the runs, which the engine deletes along with the flow."""
    number = Launch.objects.filter(OPEN, workspace=session.workspace, flow_id=text_at(flow, "id")).count()
    if not number:
        return Affected(gettext("No launch of it is running. Its runs are deleted along with it."))
    summary = ngettext(
        "%(count)d launch of it has not ended yet. Its runs are deleted along with it.",
        "%(count)d launches of it have not ended yet. Its runs are deleted along with it.",
        number,
    )
    return Affected(summary % {"count": number})


def _to_imported(slug: str, _row: Row, answer: Any) -> str:
    """The imported flow, or the list if there are several."""
    flows = answer["flows"]
    return flow_url(slug, flows[0].get("id")) if len(flows) == 1 else list_url(slug, "flows")


def _imported(_row: Row, answer: Any) -> Text:
    flows = answer["flows"]
    text = gettext("The flow “%(name)s” is imported. This is it.") % _quoted(name_of(flows[0]))
    if len(flows) > 1:
        names = ", ".join(f"“{formats.cut(name_of(flow))}”" for flow in flows[:_LISTED])
        text = gettext("%(count)d flows are imported: %(names)s.") % {"count": len(flows), "names": names}
    return _with_check(text, answer)


@dataclass(frozen=True)
class _Import(Action):
    """An import of steps, some of which may need a check."""

    def lasting(self, answer: Any) -> bool:
        return any(answer["check"])


def _with_check(message: str, answer: Any) -> str:
    """The result message, with the steps that need a check."""
    for flow, lines in zip(answer["flows"], answer["check"], strict=True):
        if not lines:
            continue
        count = len(lines)
        text = ngettext(
            "In “%(name)s”, check %(count)d step: %(steps)s", "In “%(name)s”, check %(count)d steps: %(steps)s", count
        )
        message += " " + text % {**_quoted(name_of(flow)), "count": count, "steps": " ".join(lines[:_LISTED])}
    return message


ACTIONS = (
    Action(
        "turn-on",
        _("Turn on"),
        "toggle-on",
        lambda session, key, _data: operate(session, key, "CHANGE_STATUS", status="ENABLED"),
        visible=_can_turn_on,
        done=_("“%(name)s” is on."),
        in_rows=True,
        bulk=Bulk(_("The flows are turned on: automatic ones start again, and the others can be launched.")),
    ),
    Action(
        "publish",
        _("Publish"),
        "upload",
        lambda session, key, _data: operate(session, key, "LOCK_AND_PUBLISH"),
        confirm=_publishing,
        impact=_lacking,
        button=_("Publish “%(name)s”"),
        visible=_can_publish,
        done=_("“%(name)s” is published and on."),
        in_rows=True,
        bulk=Bulk(
            _(
                "The drafts go live, and the flows are switched on. Launches run them from then on. Drafts with steps that are not "
                "complete are published too; such steps will probably fail."
            )
        ),
    ),
    Action(
        "rename",
        _("Rename"),
        "pen",
        lambda session, key, data: operate(session, key, "CHANGE_NAME", displayName=data["name"]),
        form=FlowName,
        initial=lambda row: {"name": name_of(row)},
        confirm=lambda row: (
            gettext("The new name belongs to the draft. Runs bear it once the draft is published.")
            if row.get("publishedVersionId")
            else ""
        ),
        visible=_stays,
        done=_("The flow is renamed."),
        in_rows=True,
    ),
    Action(
        "move",
        _("Move to a folder"),
        "folder-open",
        lambda session, key, data: operate(session, key, "CHANGE_FOLDER", folderId=data["folder"] or None),
        form=FolderChoice,
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
        form=FlowTags,
        initial=lambda row: {"tags": ", ".join(tags_of(row))},
        button=_("Save the tags"),
        visible=_stays,
        done=_("The tags are saved."),
    ),
    Action(
        "duplicate",
        _("Duplicate"),
        "copy",
        copies.duplicate,
        form=FlowName,
        initial=lambda row: {"name": gettext("Copy of %(name)s") % {"name": name_of(row)[:190]}},
        confirm=_("A new flow with the same steps is made. It is off, and not published."),
        button=_("Make the copy"),
        visible=_stays,
        done=lambda _row, flow: gettext("The copy “%(name)s” is made. This is it.") % _quoted(name_of(flow)),
        success_url=lambda slug, _row, flow: flow_url(slug, pick(flow, "id")),
        in_rows=True,
    ),
    _Import(
        "import-here",
        _("Import a file into it"),
        "file-import",
        copies.import_here,
        form=FlowFile,
        confirm=lambda row: (
            gettext(
                "All steps of the draft of “%(name)s” are replaced by those in the file. What is live stays as it is until you publish."
            )
            % _quoted(name_of(row))
            + f" {_BELIEVED}"
        ),
        button=_("Replace the draft"),
        visible=_stays,
        done=lambda _row, answer: _with_check(gettext("The draft is replaced by what is in the file."), answer),
    ),
    Action(
        "use-as-draft",
        _("Use a version as draft"),
        "clock-rotate-left",
        lambda session, key, data: operate(session, key, "USE_AS_DRAFT", versionId=data["version"]),
        form=VersionChoice,
        confirm=_("The draft is replaced by a copy of the version. What is live stays as it is until you publish."),
        button=_("Use it as the draft"),
        visible=_stays,
        done=_("The draft is now a copy of that version."),
    ),
    Action(
        "turn-off",
        _("Turn off"),
        "toggle-off",
        lambda session, key, _data: operate(session, key, "CHANGE_STATUS", status="DISABLED"),
        confirm=_("“%(name)s” is no longer started, neither by launches nor automatically, until it is turned on."),
        button=_("Turn off “%(name)s”"),
        visible=_can_turn_off,
        done=_("“%(name)s” is off."),
        in_rows=True,
        bulk=Bulk(
            _("The flows are no longer started, neither by launches nor automatically, until they are turned on.")
        ),
    ),
    Action(
        "delete",
        _("Delete"),
        "trash",
        _delete,
        danger=True,
        confirm=_("The flow “%(name)s” is deleted with all its versions. It cannot be brought back."),
        button=_("Delete the flow “%(name)s”"),
        impact=_affected,
        visible=_stays,
        done=lambda _row, answer: (
            gettext("The flow is deleted.")
            if answer["gone"]
            else gettext("The engine is deleting the flow. That takes a moment.")
        ),
        in_rows=True,
        bulk=Bulk(_("The flows are deleted with all their versions and their runs. They cannot be brought back.")),
    ),
    Action(
        "new",
        _("New flow"),
        "plus",
        copies.make,
        form=NewFlow,
        confirm=_(
            "A flow without steps is made, off and not published. Bring steps into it from a file, or in the engine's builder."
        ),
        button=_("Make the flow"),
        done=lambda _row, flow: gettext("The flow “%(name)s” is made. This is it.") % _quoted(name_of(flow)),
        success_url=lambda slug, _row, flow: flow_url(slug, pick(flow, "id")),
        collection=True,
    ),
    _Import(
        "import",
        _("Import from a file"),
        "file-import",
        copies.import_new,
        form=NewFlowFile,
        confirm=lambda _row: (
            gettext("A new flow is made from the file. It is off, and not published.") + f" {_BELIEVED}"
        ),
        button=_("Import"),
        done=_imported,
        success_url=_to_imported,
        collection=True,
    ),
)
