"""Folders, in which flows are kept: their list with counts, their page with the flows inside, and their actions."""

from collections.abc import Sequence
from types import MappingProxyType

from django import forms
from django.utils.translation import gettext_lazy as _, ngettext_lazy

from workflows_ui.core.paths import id_at, text_at
from workflows_ui.core.readers import as_count
from workflows_ui.core.text import Text, filled
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.flows.reading import FOLDERS, name_of as flow_name
from workflows_ui.lists.declaration import Column, Page, Query, Row, Shortcut
from workflows_ui.resource_admin import whole_lists
from workflows_ui.resource_admin.actions import Affected, Bulk, NameData, create_action, delete_action, rename_action
from workflows_ui.resource_admin.places import flow_url, flows_url, folder_url
from workflows_ui.resource_admin.resource import Panel, Resource, Subject
from workflows_ui.run_index.services import uses

#: Folders read at once to find a name, and flows listed by name (api.md 4.1: no upper bound of a page is known).
_MOST, _NAMED = 500, 100


def count(folder: Row) -> int | None:
    """The number of flows in it; the list sends the number as text (recording `folders_list`). None if it does not say."""
    return as_count(folder.get("numberOfFlows"))


def _flows_in(session: EngineSession, folder: Row) -> list[Row]:
    key = id_at(folder)
    return [*whole_lists.rows_of(session.workflows.list_flows(limit=_NAMED, folder_id=key))] if key else []


def _line(slug: str, flow: Row) -> tuple[str, str]:
    return flow_name(flow) or str(flow.get("id")), flow_url(slug, flow.get("id"))


def _create(session: EngineSession, _id: str, data: NameData) -> dict[str, object]:
    """Create a folder. The engine returns an existing folder of the same name: a prior read shows whether it is new
    (recording `folders_create_2`).
    """
    known_ids = {id_at(row) for row in session.workflows.list_folders(limit=_MOST).get("data") or []}
    folder = session.workflows.create_folder(data["name"])
    session.forget(FOLDERS)
    return folder | {"existed": id_at(folder) in known_ids}


def _created(_row: Row, made: Row) -> Text:
    words = {"name": text_at(made, "displayName")}
    if made["existed"]:
        return _("There is already a folder “%(name)s”, shown here: no second one was created.") % words
    return _("The folder “%(name)s” was created.") % words


def _rename(session: EngineSession, id: str, data: NameData) -> object:
    # The engine refuses a name that is taken (api.md section 9), in a form that was never recorded and thus proves nothing.
    for folder in session.workflows.list_folders(limit=_MOST).get("data") or []:
        if id_at(folder) != id and text_at(folder, "displayName").casefold() == data["name"].casefold():
            raise forms.ValidationError({"name": _("There is a folder of this name already. Choose another name.")})
    try:
        return session.workflows.update_folder(id, data["name"])
    finally:
        session.forget(FOLDERS)


def _delete(session: EngineSession, id: str, _data: dict[str, object]) -> None:
    try:
        session.workflows.delete_folder(id)
    finally:
        session.forget(FOLDERS)


def _uncategorised(session: EngineSession, folder: Row) -> Affected:
    inside = _flows_in(session, folder)
    number = max(count(folder) or 0, len(inside))
    if not number:
        return Affected(_("No flow is in it."))
    text = ngettext_lazy(
        "%(count)d flow is in it. It stays, and is in no folder afterwards:",
        "%(count)d flows are in it. They stay, and are in no folder afterwards:",
        number,
    )
    lines: list[tuple[Text, str]] = [_line(session.workspace.slug, row) for row in inside]
    if number > len(lines):
        lines.append((filled(_("and %(count)d more"), count=number - len(lines)), ""))
    return Affected(filled(text, count=number), lines)


def _inside(subject: Subject) -> dict[str, object]:
    indexed_rows: Sequence[Row] | None = uses.in_folder(subject.session, subject.id, _NAMED) if subject.kept else None
    rows = _flows_in(subject.session, subject.object) if indexed_rows is None else indexed_rows
    flows = [(*_line(subject.slug, row), row) for row in rows]
    return {"flows": flows, "all_url": flows_url(subject.slug, subject.id) if len(rows) == _NAMED else ""}


class Folders(Resource):
    name = "folders"
    needs = "folders"
    label, label_plural = _("Folder"), _("Folders")
    icon, group, menu_order = "folder", "build", 20
    batch_size = whole_lists.AT_ONCE
    empty = _("There are no folders in this workspace yet")
    empty_hint = _("Folders keep flows together. A flow is in one folder, or in none.")
    title_path = "displayName"
    index_filters = MappingProxyType[str, str]({})
    recipe = ("/v1/folders/{id}", "workflows.get_folder({id!r})")
    list_display = (
        Column("displayName", _("Name"), link=True),
        Column(count, _("Flows"), kind="count", link=lambda slug, row: flows_url(slug, id_at(row))),
        Column("updated", _("Updated"), kind="when", phone=False),
    )
    shortcuts = (Shortcut(_("Flows"), "workflow", lambda slug, row: flows_url(slug, id_at(row)), without_engine=True),)
    details = (
        Column(count, _("Flows"), kind="count"),
        Column("created", _("Created"), kind="when"),
        Column("updated", _("Updated"), kind="when"),
        Column("id", _("Engine ID"), kind="id"),
    )
    panels = (Panel(_("Flows"), "resources/folders/flows.html", _inside, without_engine=True),)
    actions = (
        create_action(
            _("New folder"),
            run=_create,
            button=_("Create the folder"),
            done=_created,
            success_url=lambda slug, _row, made: folder_url(slug, id_at(made)),
        ),
        rename_action(
            _rename, initial=lambda row: {"name": text_at(row, "displayName")}, done=_("The folder is renamed.")
        ),
        delete_action(
            _delete,
            confirm=_("The folder “%(name)s” is deleted. Its flows are not."),
            button=_("Delete the folder “%(name)s”"),
            impact=_uncategorised,
            done=_("The folder is deleted."),
            bulk=Bulk(_("The folders are deleted. The flows in them are not: they are in no folder afterwards.")),
        ),
    )

    def list(self, session: EngineSession, query: Query) -> Page:
        """A page, oldest first."""
        answer = session.workflows.list_folders(limit=self.batch_size, cursor=whole_lists.cursor(query))
        return whole_lists.page_of(answer, query)

    def get(self, session: EngineSession, id: str) -> Row:
        return session.workflows.get_folder(id)
