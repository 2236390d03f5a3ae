"""Tables, in which flows store rows: their list, their page with columns and newest records, and their actions."""

from collections.abc import Sequence
from functools import partial
from types import MappingProxyType

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext, gettext_lazy as _, ngettext_lazy

from workflows_ui.core import formats
from workflows_ui.core.paths import sole_id, text_at
from workflows_ui.core.text import Text, deferred, filled
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.deleted_objects import copies, services as deleted_objects
from workflows_ui.engine import EngineError
from workflows_ui.flows.reading import folder_names
from workflows_ui.lists.declaration import Column, Page, Query, Row, Shortcut
from workflows_ui.members.models import Role
from workflows_ui.resource_admin import whole_lists
from workflows_ui.resource_admin.actions import Action, NameData, button, create_action, delete_action, rename_action
from workflows_ui.resource_admin.places import link_to, table_url
from workflows_ui.resource_admin.resource import Affected, Bulk, Panel, Resource, Subject
from workflows_ui.run_index.services import uses
from workflows_ui.tables import deletion, fields as resource_fields, limits as resource_limits, reading, records
from workflows_ui.tables.parts import export_url, record_url, records_url
from workflows_ui.usage import usage
from workflows_ui.web import messages

#: Records on the table's page, and columns of them.
_SHOWN, _ACROSS = 5, 5


class TableFilters(forms.Form):
    name = forms.CharField(label=_("Name"), required=False, max_length=200)


def _rename(session: EngineSession, id: str, data: NameData) -> object:
    with reading.forgetting(session, id):
        return session.workflows.update_table(id, data["name"])


def _delete(session: EngineSession, id: str, data: dict[str, object]) -> dict[str, object]:
    with (
        reading.forgetting(session, id),
        copies.copy_before_deletion(session, "tables", id, data, lambda: deletion.read_copy(session, id)),
    ):
        session.workflows.delete_table(id)
    return copies.answer(session, data)


def _columns(subject: Subject) -> dict[str, object]:
    """The table's columns with their actions; an error of the engine is shown in the panel only."""
    slug, table = subject.slug, subject.id
    try:
        # Requested a moment ago for the buttons of builders (`table_fields.full_reason`).
        fields = reading.fields(subject.session, table, fresh=not subject.access.allows(Role.BUILDER))
    except EngineError as error:
        return {"problem": messages.error_message(error)}
    may = subject.access.allows(Role.BUILDER) and bool(sole_id(table))
    lines = [
        {
            "name": reading.label_of(field),
            "kind": reading.kind_of(field),
            "options": reading.options_of(field),
            "buttons": resource_fields.buttons(slug, table, reading.key_of(field)) if may else [],
        }
        for field in fields
    ]
    limits = resource_limits.load_limits(subject.session)
    full = resource_limits.full_of_fields(len(fields), limits)
    return {
        "lines": lines,
        "buttons": may,
        "add": button(_ADD_COLUMN, slug, Tables.name, table, full) if may else None,
        "count": resource_limits.fields_in_words(len(fields), limits),
    }


def _newest(subject: Subject) -> dict[str, object]:
    """The newest records, and their total number."""
    slug, table = subject.slug, subject.id
    try:
        fields = reading.fields(subject.session, table, fresh=False)
        newest = reading.records(subject.session, table)
    except EngineError as error:
        return {"problem": messages.error_message(error)}
    lines = []
    for row in newest.rows[:_SHOWN]:
        cells = [records.cell_text(row, field) for field in fields[1:_ACROSS]]
        lines.append((record_url(slug, table, reading.key_of(row)), records.title(row, fields), cells))
    return {
        "count": newest.gap
        or resource_limits.records_in_words(len(newest.rows), resource_limits.load_limits(subject.session)),
        "names": [reading.label_of(field) for field in fields[:_ACROSS]],
        "lines": lines,
        "more": max(0, len(fields) - _ACROSS),
        "url": records_url(slug, table),
    }


def _delete_impact(session: EngineSession, table: Row) -> Affected:
    """The impact of deleting the table: the lost data, and the flows that fail then."""
    names = [reading.label_of(field) for field in reading.fields(session, reading.key_of(table))]
    said = [_records_going(session, table), deletion.limit_text(session, table)]
    if names:
        columns = ngettext_lazy("So is %(count)d column.", "So are %(count)d columns.", len(names))
        said.append(filled(columns, count=len(names)))
    lines = [(deferred(partial(_column_text, name)), "") for name in names]
    return _with_flows(session, table, deferred(lambda: " ".join(str(text) for text in said if text)), lines)


def _column_text(name: str) -> str:
    return gettext("Column: %s") % name


def _records_going(session: EngineSession, table: Row) -> Text:
    stored = reading.records(session, reading.key_of(table))
    number = len(stored.rows)
    if not stored.whole:
        return _("All its records are deleted: more than the console can count.")
    if not number:
        return _("It has no records.")
    text = ngettext_lazy("%(count)d record is deleted.", "%(count)d records are deleted.", number)
    return filled(text, count=number)


def _with_flows(session: EngineSession, table: Row, going: Text, more: Sequence[tuple[Text, str]] = ()) -> Affected:
    users = usage.affected(session, "tables", table, _("No flow uses it."), among_others=True)
    return Affected(format_lazy("{} {}", users.summary, going), [*users.lines, *more])


_ADD_COLUMN = Action(
    "add-column",
    _("Add a column"),
    "columns-3",
    resource_fields.add,
    form=resource_fields.NewColumn,
    impact=resource_fields.remaining_room,
    disabled_reason=resource_fields.full_reason,
    done=_("The column is added."),
)


class Tables(Resource):
    name = "tables"
    needs = "tables"
    label, label_plural = _("Table"), _("Tables")
    icon, group, menu_order = "table", "build", 50
    batch_size = whole_lists.AT_ONCE
    empty = _("There are no tables in this workspace yet")
    empty_hint = _("Tables keep rows that flows read and write. Create one, then give it columns.")
    recipe = ("/v1/tables/{id}", "workflows.get_table({id!r})")
    list_display = (
        Column("name", _("Name"), link=True),
        Column("updated", _("Updated"), kind="when"),
        Column("created", _("Created"), kind="when", phone=False),
    )
    filters = TableFilters
    search_field = "name"
    index_filters = MappingProxyType({"name": "name"})
    filter_help = _("The engine looks at the names of all tables. Columns and records are not searched.")
    shortcuts = (
        Shortcut(
            _("Records"), "rows-3", lambda slug, row: records_url(slug, reading.key_of(row)), primary=True, in_rows=True
        ),
        Shortcut(
            _("Export as XLSX"), "file-spreadsheet", lambda slug, row: export_url(slug, reading.key_of(row), "xlsx")
        ),
        Shortcut(
            _("Export as CSV"), "file-spreadsheet", lambda slug, row: export_url(slug, reading.key_of(row), "csv")
        ),
        Shortcut(_("Export as JSON"), "file-code", lambda slug, row: export_url(slug, reading.key_of(row), "json")),
    )
    details = (
        Column("folder", _("Folder"), link=link_to("folders", "folderId")),
        Column("created", _("Created"), kind="when"),
        Column("updated", _("Updated"), kind="when"),
        Column("id", _("Engine ID"), kind="id"),
    )
    panels = (
        Panel(_("Newest records"), "tables/records.html", _newest),
        Panel(_("Columns"), "tables/columns.html", _columns),
    )
    tabs = (usage.tab("tables", _("No flow reads or writes this table.")),)
    editor_path = "/projects/{project}/tables/{id}"
    actions = (
        create_action(
            _("New table"),
            run=lambda session, _id, data: session.workflows.create_table(data["name"]),
            button=_("Create the table"),
            done=_("The table was created. Add its columns now."),
            success_url=lambda slug, _row, made: table_url(slug, reading.key_of(made)),
        ),
        _ADD_COLUMN,
        rename_action(_rename, initial=lambda row: {"name": reading.name_of(row)}, done=_("The table is renamed.")),
        Action(
            "clear",
            _("Delete all records"),
            "eraser",
            lambda session, key, _data: session.workflows.clear_table(key),
            danger=True,
            confirm=_("The table “%(name)s” is emptied. Its columns stay. This cannot be undone."),
            button=_("Delete all records of “%(name)s”"),
            impact=lambda session, table: _with_flows(session, table, _records_going(session, table)),
            done=_("All records of the table are deleted."),
        ),
        delete_action(
            _delete,
            form=copies.DeleteForm,
            confirm=lambda table: (
                gettext(
                    "The table “%(name)s” is deleted. Flows that read or write it will fail. A copy is kept for "
                    "%(days)d days under “Recently deleted”. A restored table has a new ID, and its records are "
                    "new ones."
                )
                % {"name": formats.cut(reading.label_of(table)), "days": deleted_objects.days()}
            ),
            button=_("Delete the table “%(name)s”"),
            impact=_delete_impact,
            done=lambda _row, answer: copies.done(gettext("The table is deleted."), answer),
            bulk=Bulk(
                _(
                    "The tables are deleted with their records. Flows that read or write them will fail. A copy "
                    "of each is kept for some time under “Recently deleted”. A restored table has a new ID, and "
                    "its records are new ones."
                )
            ),
        ),
    )

    def list(self, session: EngineSession, query: Query) -> Page:
        """A page, newest first."""
        load = partial(session.workflows.list_tables, self.batch_size, whole_lists.cursor(query))
        answer = whole_lists.named(query, lambda name: load(name=name), lambda row: row.get("name"))
        page = whole_lists.page_of(answer, query)
        reading.remember_names(session, page.rows)
        return page

    def from_index(self, session: EngineSession, rows: Sequence[Row]) -> Sequence[Row]:
        """With the names of their folders."""
        folders = uses.names(session, "folders")
        return [{**row, "folder": folders.get(text_at(row, "folderId"), ("", None))[1]} for row in rows]

    def get(self, session: EngineSession, id: str) -> Row:
        """The current table with its folder's name as `folder` (0.83 has tables in folders); caches the name for the
        list of its records.
        """
        table = reading.table(session, id)
        folder = folder_names(session).get(str(table["folderId"])) if table.get("folderId") else None
        return {**table, "folder": folder} if folder else table
