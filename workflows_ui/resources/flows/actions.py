"""Actions on flows: on and off, publish, rename, move, tag, create, copy, import, use a version as the draft, delete
(api.md 6.5).
"""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import EngineError, NotFound, flow_tree
from workflows_ui.launches.models import OPEN, Launch
from workflows_ui.resource_admin.resource import Action, Affected, Bulk, Row, Text, pick
from workflows_ui.resources import usage
from workflows_ui.resources.flows import copies, pages
from workflows_ui.resources.flows.action_forms import FlowName, FlowTags, FolderChoice, NewFlow, VersionChoice
from workflows_ui.resources.flows.copies import operate
from workflows_ui.resources.flows.import_forms import FlowFile, NewFlowFile
from workflows_ui.resources.flows.reading import deleting, has_draft, name_of, tags_of, trigger_of
from workflows_ui.resources.pieces import missing_apps
from workflows_ui.resources.places import flow_url, list_url
from workflows_ui.web import formats
from workflows_ui.web.paths import dict_at

_LISTED = 20
_BELIEVED: Text = gettext_lazy(
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
    sentences = [_("The draft goes live, and the flow is switched on. Launches run it from then on.")]
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
    known = dict_at(session.workflows.get_flow(id), "metadata")
    metadata = {key: value for key, value in known.items() if key != "tags"}
    metadata = metadata | ({"tags": data["tags"]} if data["tags"] else {})
    return operate(session, id, "UPDATE_METADATA", metadata=metadata or None)


def _delete(session: EngineSession, id: str, _data: dict[str, Any]) -> dict[str, bool]:
    """Return whether the flow is gone already: 0.83 deletes a flow that was never published at once (recording
    `flow_del_03_get_right_after`).
    """
    session.workflows.delete_flow(id)
    pages.forget(session)
    usage.forget(session)
    try:
        session.workflows.get_flow(id)
    except NotFound as missing:
        return {"gone": bool(missing.code)}
    except EngineError:
        return {"gone": False}
    return {"gone": False}


def _affected(session: EngineSession, flow: Row) -> Affected | None:
    """Unfinished launches, and the runs, which the engine deletes along with the flow."""
    key = flow.get("id")
    if not isinstance(key, str):
        return None
    waiting = Launch.objects.filter(OPEN, workspace=session.workspace, flow_id=key)
    number = waiting.count()
    if not number:
        return Affected(_("No launch of it is running. Its runs are deleted along with it."))
    summary = ngettext(
        "%(count)d launch of it has not ended yet. Its runs are deleted along with it.",
        "%(count)d launches of it have not ended yet. Its runs are deleted along with it.",
        number,
    )
    return Affected(summary % {"count": number})


def _to_flow(slug: str, _row: Row, flow: Any) -> str:
    return flow_url(slug, pick(flow, "id"))


def _to_imported(slug: str, _row: Row, answer: Any) -> str:
    """The imported flow, or the list if there are several."""
    flows = answer["flows"]
    return flow_url(slug, flows[0].get("id")) if len(flows) == 1 else list_url(slug, "flows")


def _imported(_row: Row, answer: Any) -> Text:
    flows = answer["flows"]
    if len(flows) == 1:
        text = _("The flow “%(name)s” is imported. This is it.") % _quoted(name_of(flows[0]))
    else:
        names = ", ".join(f"“{formats.cut(name_of(flow))}”" for flow in flows[:_LISTED])
        text = _("%(count)d flows are imported: %(names)s.") % {"count": len(flows), "names": names}
    return _with_check(text, answer)


@dataclass(frozen=True)
class _Import(Action):
    """An import of steps, some of which may need a check."""

    def lasting(self, answer: Any) -> bool:
        return any(answer["check"])


def _replaced(_row: Row, answer: Any) -> Text:
    return _with_check(_("The draft is replaced by what is in the file."), answer)


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


def _deleted(_row: Row, answer: Any) -> Text:
    if answer["gone"]:
        return _("The flow is deleted.")
    return _("The engine is deleting the flow. That takes a moment.")


ACTIONS = (
    Action(
        "turn-on",
        gettext_lazy("Turn on"),
        "toggle-on",
        lambda session, key, _data: operate(session, key, "CHANGE_STATUS", status="ENABLED"),
        visible=_can_turn_on,
        done=lambda row, _answer: _("“%(name)s” is on.") % _quoted(name_of(row)),
        in_rows=True,
        bulk=Bulk(gettext_lazy("The flows are turned on: automatic ones start again, and the others can be launched.")),
    ),
    Action(
        "publish",
        gettext_lazy("Publish"),
        "upload",
        lambda session, key, _data: operate(session, key, "LOCK_AND_PUBLISH"),
        confirm=_publishing,
        impact=_lacking,
        button=lambda row: _("Publish “%(name)s”") % _quoted(name_of(row)),
        visible=_can_publish,
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
        lambda session, key, data: operate(session, key, "CHANGE_NAME", displayName=data["name"]),
        form=FlowName,
        initial=lambda row: {"name": name_of(row)},
        confirm=lambda row: (
            _("The new name belongs to the draft. Runs bear it once the draft is published.")
            if row.get("publishedVersionId")
            else ""
        ),
        visible=_stays,
        done=gettext_lazy("The flow is renamed."),
        in_rows=True,
    ),
    Action(
        "move",
        gettext_lazy("Move to a folder"),
        "folder-open",
        lambda session, key, data: operate(session, key, "CHANGE_FOLDER", folderId=data["folder"] or None),
        form=FolderChoice,
        initial=lambda row: {"folder": row.get("folderId") or ""},
        button=lambda _row: _("Move"),
        visible=_stays,
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
        visible=_stays,
        done=gettext_lazy("The tags are saved."),
    ),
    Action(
        "duplicate",
        gettext_lazy("Duplicate"),
        "copy",
        copies.duplicate,
        form=FlowName,
        initial=lambda row: {"name": _("Copy of %(name)s") % {"name": name_of(row)[:190]}},
        confirm=lambda _row: _("A new flow with the same steps is made. It is off, and not published."),
        button=lambda _row: _("Make the copy"),
        visible=_stays,
        done=lambda _row, flow: _("The copy “%(name)s” is made. This is it.") % _quoted(name_of(flow)),
        success_url=_to_flow,
        in_rows=True,
    ),
    _Import(
        "import-here",
        gettext_lazy("Import a file into it"),
        "file-import",
        copies.import_here,
        form=FlowFile,
        confirm=lambda row: (
            _(
                "All steps of the draft of “%(name)s” are replaced by those in the file. What is live stays as it is until you publish."
            )
            % _quoted(name_of(row))
            + f" {_BELIEVED}"
        ),
        button=lambda _row: _("Replace the draft"),
        visible=_stays,
        done=_replaced,
    ),
    Action(
        "use-as-draft",
        gettext_lazy("Use a version as draft"),
        "clock-rotate-left",
        lambda session, key, data: operate(session, key, "USE_AS_DRAFT", versionId=data["version"]),
        form=VersionChoice,
        confirm=lambda _row: _(
            "The draft is replaced by a copy of the version. What is live stays as it is until you publish."
        ),
        button=lambda _row: _("Use it as the draft"),
        visible=_stays,
        done=gettext_lazy("The draft is now a copy of that version."),
    ),
    Action(
        "turn-off",
        gettext_lazy("Turn off"),
        "toggle-off",
        lambda session, key, _data: operate(session, key, "CHANGE_STATUS", status="DISABLED"),
        confirm=lambda row: (
            _("“%(name)s” is no longer started, neither by launches nor automatically, until it is turned on.")
            % _quoted(name_of(row))
        ),
        button=lambda row: _("Turn off “%(name)s”") % _quoted(name_of(row)),
        visible=_can_turn_off,
        done=lambda row, _answer: _("“%(name)s” is off.") % _quoted(name_of(row)),
        in_rows=True,
        bulk=Bulk(
            gettext_lazy(
                "The flows are no longer started, neither by launches nor automatically, until they are turned on."
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
        impact=_affected,
        visible=_stays,
        done=_deleted,
        in_rows=True,
        bulk=Bulk(
            gettext_lazy("The flows are deleted with all their versions and their runs. They cannot be brought back.")
        ),
    ),
    Action(
        "new",
        gettext_lazy("New flow"),
        "plus",
        copies.make,
        form=NewFlow,
        confirm=lambda _row: _(
            "A flow without steps is made, off and not published. Bring steps into it from a file, or in the engine's builder."
        ),
        button=lambda _row: _("Make the flow"),
        done=lambda _row, flow: _("The flow “%(name)s” is made. This is it.") % _quoted(name_of(flow)),
        success_url=_to_flow,
        collection=True,
    ),
    _Import(
        "import",
        gettext_lazy("Import from a file"),
        "file-import",
        copies.import_new,
        form=NewFlowFile,
        confirm=lambda _row: _("A new flow is made from the file. It is off, and not published.") + f" {_BELIEVED}",
        button=lambda _row: _("Import"),
        done=_imported,
        success_url=_to_imported,
        collection=True,
    ),
)
