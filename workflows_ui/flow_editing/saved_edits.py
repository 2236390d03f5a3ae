"""What an edit changed, shown after it was saved, with the button that undoes it."""

from typing import Final, TypedDict

from workflows_ui.core.crypto import CannotOpen
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.flow_editing import changes, services as flow_edits
from workflows_ui.flow_editing.models import EditState, FlowEdit
from workflows_ui.flows.difference import Difference
from workflows_ui.resource_admin.places import flow_url
from workflows_ui.resource_admin.resource import Row, id_at
from workflows_ui.web import links

#: In the address of a step's page: the edit that was just made.
SAVED: Final = "saved"


class SavedEdit(TypedDict):
    """The context of templates/flow_editing/saved.html.

    `undo_url` gets a POST with the edit and `seen`, the mark of the version on the page; "" if it cannot be undone by one press, since
    it was undone, cannot be, or the flow was changed since.
    """

    edit: FlowEdit
    url: str
    sentences: list[str]
    difference: Difference
    undo_url: str
    seen: str


def context(session: EngineSession, flow: Row, key: str) -> SavedEdit | None:
    """An edit of the flow as it is now; None without such an edit, and if its versions were not kept."""
    edit = flow_edits.find_edit(session.workspace, id_at(flow), key) if key else None
    return of_edit(session, flow, edit) if edit else None


def of_edit(session: EngineSession, flow: Row, edit: FlowEdit) -> SavedEdit | None:
    """The same of an edit that was found; None if its versions were not kept."""
    try:
        versions = flow_edits.open_versions(edit)
    except CannotOpen:
        return None
    if versions is None or not versions.after:
        return None
    now = {name: flow.get(name) for name in versions.parts}
    before, after = {**versions.parts, "version": versions.before}, {**now, "version": versions.after}
    sentences, difference = changes.described(session, before, after)
    slug, newest = session.workspace.slug, flow_edits.latest(session.workspace, edit.flow_id)
    is_last = newest is not None and newest.pk == edit.pk and edit.state != EditState.UNDONE
    undo = links.object_url("resource_action", edit.flow_id, slug=slug, resource="flows", action="edit-undo")
    return {
        "edit": edit,
        "url": f"{flow_url(slug, edit.flow_id)}edits/{edit.pk}/",
        "sentences": sentences,
        "difference": difference,
        "undo_url": undo if is_last and flow_edits.is_newest(versions, flow) else "",
        "seen": flow_edits.version_mark(flow),
    }
