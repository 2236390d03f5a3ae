"""Folders: where flows are kept. Their list with counts, their page with the flows inside, and everything that is done with them."""

from typing import Any
from urllib.parse import quote

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from workflows_ui.kit import show
from workflows_ui.kit.caller import Caller
from workflows_ui.kit.resource import (
    Action,
    Affected,
    Bulk,
    Column,
    Facts,
    Page,
    Panel,
    Query,
    Resource,
    Row,
    Shortcut,
    Subject,
    Text,
)
from workflows_ui.resources import whole_lists
from workflows_ui.resources.flow_reading import FOLDERS
from workflows_ui.resources.flow_reading import name_of as flow_name
from workflows_ui.resources.places import flow_url, flows_url, folder_url

#: Folders are looked through in one page to find a name, flows to name them (api.md 4.1: no upper bound of a page is known).
_MOST, _NAMED = 500, 100


class FolderName(forms.Form):
    """What a folder is called."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=200)


def count(folder: Row) -> int | None:
    """How many flows it holds; the list sends the number as text (recording `folders_list`). None where it does not say."""
    found = folder.get("numberOfFlows")
    if isinstance(found, bool) or not isinstance(found, int | str):
        return None
    return int(found) if str(found).isdecimal() else None


def _title(folder: Row) -> str:
    found = folder.get("displayName")
    return found if isinstance(found, str) else ""


def _key(folder: Row) -> str:
    found = folder.get("id")
    return found if isinstance(found, str) else ""


def _flows_in(caller: Caller, folder: Row) -> list[Row]:
    key = _key(folder)
    if not key:
        return []
    rows = caller.workflows.list_flows(limit=_NAMED, folder_id=key).get("data") or []
    return list({str(row.get("id")): row for row in rows}.values())


def _create(caller: Caller, _id: str, data: dict[str, Any]) -> dict[str, Any]:
    """The engine gives the folder that has the name already (recording `folders_create_2`): whether it is new is told by looking first."""
    known = {_key(row) for row in caller.workflows.list_folders(limit=_MOST).get("data") or []}
    made = caller.workflows.create_folder(data["name"])
    caller.forget(FOLDERS)
    return made | {"existed": _key(made) in known}


def _created(_row: Row, made: Any) -> Text:
    words = {"name": _title(made)}
    if made["existed"]:
        return _("There is a folder “%(name)s” already, so no other was made. This is it.") % words
    return _("The folder “%(name)s” is made.") % words


def _rename(caller: Caller, id: str, data: dict[str, Any]) -> Any:
    try:
        return caller.workflows.update_folder(id, data["name"])
    finally:
        caller.forget(FOLDERS)


def _delete(caller: Caller, id: str, _data: dict[str, Any]) -> None:
    try:
        caller.workflows.delete_folder(id)
    finally:
        caller.forget(FOLDERS)


def _uncategorised(caller: Caller, folder: Row) -> Affected:
    inside = _flows_in(caller, folder)
    number = max(count(folder) or 0, len(inside))
    if not number:
        return Affected(_("No flow is in it."))
    summary = ngettext(
        "%(count)d flow is in it. It stays, and is in no folder afterwards:",
        "%(count)d flows are in it. They stay, and are in no folder afterwards:",
        number,
    ) % {"count": number}
    lines = [(flow_name(row) or str(row.get("id")), flow_url(caller.workspace.slug, row.get("id"))) for row in inside]
    if number > len(lines):
        lines.append((_("and %(count)d more") % {"count": number - len(lines)}, ""))
    return Affected(summary, lines)


def _inside(subject: Subject) -> dict[str, Any]:
    rows = _flows_in(subject.caller, subject.object)
    flows = [(flow_name(row) or str(row.get("id")), flow_url(subject.slug, row.get("id")), row) for row in rows]
    return {"flows": flows, "all_url": flows_url(subject.slug, subject.id) if len(rows) == _NAMED else ""}


class Folders(Resource):
    """Where flows are kept."""

    name = "folders"
    needs = "folders"
    label, label_plural = gettext_lazy("Folder"), gettext_lazy("Folders")
    icon, group = "folder", "build"
    stride = whole_lists.AT_ONCE
    empty = gettext_lazy("There are no folders in this workspace yet")
    empty_hint = gettext_lazy("Folders keep flows together. A flow is in one folder, or in none.")
    list_display = (
        Column("displayName", gettext_lazy("Name"), link=True),
        Column(count, gettext_lazy("Flows"), kind="count", link=lambda slug, row: flows_url(slug, _key(row))),
        Column("updated", gettext_lazy("Changed"), kind="when", phone=False),
    )
    shortcuts = (
        Shortcut(gettext_lazy("Flows in it"), "diagram-project", lambda slug, row: flows_url(slug, _key(row))),
    )
    panels = (
        Facts(
            gettext_lazy("Facts"),
            (
                Column(count, gettext_lazy("Flows"), kind="count"),
                Column("updated", gettext_lazy("Changed"), kind="when"),
                Column("created", gettext_lazy("Made"), kind="when"),
                Column("id", gettext_lazy("Id in the engine"), kind="code"),
            ),
        ),
        Panel(gettext_lazy("Flows in it"), "folders/flows.html", _inside),
        Panel(
            "",
            "kit/panels/raw.html",
            lambda subject: {
                "value": subject.object,
                "id": "raw",
                "title": _("The folder as the engine has it (JSON)"),
            },
        ),
    )
    actions = (
        Action(
            "new",
            gettext_lazy("New folder"),
            "plus",
            _create,
            form=FolderName,
            button=lambda _row: _("Make the folder"),
            done=_created,
            then=lambda slug, _row, made: folder_url(slug, _key(made)),
            collection=True,
        ),
        Action(
            "rename",
            gettext_lazy("Rename"),
            "pen",
            _rename,
            form=FolderName,
            initial=lambda row: {"name": _title(row)},
            done=gettext_lazy("The folder has its new name."),
            in_rows=True,
        ),
        Action(
            "delete",
            gettext_lazy("Delete"),
            "trash",
            _delete,
            danger=True,
            confirm=lambda row: _("The folder “%(name)s” is deleted. Its flows are not.") % {"name": _title(row)},
            button=lambda row: _("Delete the folder “%(name)s”") % {"name": show.cut(_title(row))},
            affected=_uncategorised,
            done=gettext_lazy("The folder is deleted."),
            in_rows=True,
            bulk=Bulk(
                gettext_lazy("The folders are deleted. The flows in them are not: they are in no folder afterwards.")
            ),
        ),
    )

    def list(self, caller: Caller, query: Query) -> Page:
        """A page, oldest first."""
        answer = caller.workflows.list_folders(limit=self.stride, cursor=whole_lists.cursor(query))
        return whole_lists.page(whole_lists.rows_of(answer), query, beyond=whole_lists.following(answer))

    def get(self, caller: Caller, id: str) -> Row:
        """The folder."""
        return caller.workflows.get_folder(id)

    def title(self, row: Row) -> str:
        """Its name."""
        return _title(row)

    def call(self, id: str) -> tuple[str, str, str]:
        """`GET /v1/folders/{id}`."""
        return "GET", f"/v1/folders/{quote(id, safe='')}", f"workflows.get_folder({id!r})"
