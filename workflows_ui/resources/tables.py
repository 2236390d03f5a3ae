"""Tables: where flows keep rows. Their list, their page with columns and newest records, and everything that is done with them."""

from typing import Any
from urllib.parse import quote

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from workflows_ui.engine import EngineError
from workflows_ui.kit import show, words
from workflows_ui.kit.actions import button
from workflows_ui.kit.caller import Caller
from workflows_ui.kit.resource import (
    Action,
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
)
from workflows_ui.models import Role
from workflows_ui.resources import table_fields, table_records, table_uses, whole_lists
from workflows_ui.resources import table_reading as reading
from workflows_ui.resources.table_parts import export_url, fits, record_url, records_url, table_url

#: Records that the table's page shows, and columns of them.
_SHOWN, _ACROSS = 5, 5


class TableName(forms.Form):
    """What a table is called."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=200)


class TableFilters(forms.Form):
    """What tables are looked for by."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"class": "form-control", "type": "search"}),
    )


def _create(caller: Caller, _id: str, data: dict[str, Any]) -> Any:
    return caller.workflows.create_table(data["name"])


def _rename(caller: Caller, id: str, data: dict[str, Any]) -> Any:
    try:
        return caller.workflows.update_table(id, data["name"])
    finally:
        reading.changed(caller, id)


def _clear(caller: Caller, id: str, _data: dict[str, Any]) -> None:
    caller.workflows.clear_table(id)


def _delete(caller: Caller, id: str, _data: dict[str, Any]) -> None:
    try:
        caller.workflows.delete_table(id)
    finally:
        reading.changed(caller, id)


def _columns(subject: Subject) -> dict[str, Any]:
    """The table's columns with what is done with them; the engine's fault is told in the panel, the rest of the page stands."""
    slug, table = subject.slug, subject.id
    try:
        # Asked for a moment ago, for the buttons of builders (`table_fields.full`).
        fields = reading.fields(subject.caller, table, fresh=not subject.access.allows(Role.BUILDER))
    except EngineError as error:
        return {"problem": words.of_error(error)}
    may = subject.access.allows(Role.BUILDER) and fits(table)
    lines = [
        {
            "name": reading.name_of(field) or reading.key_of(field),
            "kind": reading.kind_of(field),
            "options": reading.options_of(field),
            "buttons": table_fields.rename_and_remove(slug, table, reading.key_of(field)) if may else [],
        }
        for field in fields
    ]
    count = {"number": len(fields), "most": reading.MOST_FIELDS}
    adding = next(action for action in Tables.actions if action.name == "add-column")
    return {
        "lines": lines,
        "buttons": may,
        "add": button(adding, slug, Tables.name, table, table_fields.full_of(fields)) if may else None,
        "count": _("%(number)d of the %(most)d columns that the engine allows in a table.") % count,
    }


def _newest(subject: Subject) -> dict[str, Any]:
    """The newest records, at a glance, and how many there are."""
    slug, table = subject.slug, subject.id
    try:
        fields = reading.fields(subject.caller, table, fresh=False)
        rows = reading.records(subject.caller, table)
    except EngineError as error:
        return {"problem": words.of_error(error)}
    lines = []
    for row in rows[:_SHOWN]:
        cells = [table_records.short(row, reading.key_of(field)) for field in fields[:_ACROSS]]
        lines.append((record_url(slug, table, reading.key_of(row)), table_records.title(row, fields), cells[1:]))
    return {
        "count": table_records.count_in_words(len(rows)),
        "names": [reading.name_of(field) or reading.key_of(field) for field in fields[:_ACROSS]],
        "lines": lines,
        "more": max(0, len(fields) - _ACROSS),
        "url": records_url(slug, table),
    }


class Tables(Resource):
    """Rows and columns that flows read and write."""

    name = "tables"
    needs = "tables"
    label, label_plural = gettext_lazy("Table"), gettext_lazy("Tables")
    icon, group = "table", "build"
    stride = whole_lists.AT_ONCE
    empty = gettext_lazy("There are no tables in this workspace yet")
    empty_hint = gettext_lazy("Tables keep rows that flows read and write. Make one, then give it columns.")
    list_display = (
        Column("name", gettext_lazy("Name"), link=True),
        Column("updated", gettext_lazy("Changed"), kind="when"),
        Column("created", gettext_lazy("Made"), kind="when", phone=False),
    )
    filters = TableFilters
    spans = gettext_lazy("The engine looks at the names of all tables. Columns and records are not searched.")
    shortcuts = (
        Shortcut(
            gettext_lazy("Records"),
            "table-list",
            lambda slug, row: records_url(slug, reading.key_of(row)),
            primary=True,
            in_rows=True,
        ),
        Shortcut(
            gettext_lazy("Export as CSV"), "file-csv", lambda slug, row: export_url(slug, reading.key_of(row), "csv")
        ),
        Shortcut(
            gettext_lazy("Export as JSON"), "file-code", lambda slug, row: export_url(slug, reading.key_of(row), "json")
        ),
    )
    panels = (
        Facts(
            gettext_lazy("Facts"),
            (
                Column("updated", gettext_lazy("Changed"), kind="when"),
                Column("created", gettext_lazy("Made"), kind="when"),
                Column("id", gettext_lazy("Id in the engine"), kind="code"),
            ),
        ),
        Panel(gettext_lazy("Columns"), "tables/columns.html", _columns),
        Panel(gettext_lazy("Newest records"), "tables/records.html", _newest),
        Panel(gettext_lazy("Flows that use it"), "pieces/used_by.html", table_uses.used_by),
        Panel(
            "",
            "kit/panels/raw.html",
            lambda subject: {
                "value": subject.object,
                "id": "raw",
                "title": _("The table as the engine has it (JSON)"),
            },
        ),
    )
    actions = (
        Action(
            "new",
            gettext_lazy("New table"),
            "plus",
            _create,
            form=TableName,
            button=lambda _row: _("Make the table"),
            done=gettext_lazy("The table is made. Give it its columns now."),
            then=lambda slug, _row, made: table_url(slug, reading.key_of(made)),
            collection=True,
        ),
        Action(
            "add-column",
            gettext_lazy("Add a column"),
            "table-columns",
            table_fields.add,
            form=table_fields.NewColumn,
            affected=table_fields.room,
            hindered=table_fields.full,
            done=gettext_lazy("The column is added."),
        ),
        Action(
            "rename",
            gettext_lazy("Rename"),
            "pen",
            _rename,
            form=TableName,
            initial=lambda row: {"name": reading.name_of(row)},
            done=gettext_lazy("The table has its new name."),
            in_rows=True,
        ),
        Action(
            "clear",
            gettext_lazy("Delete all records"),
            "eraser",
            _clear,
            danger=True,
            confirm=lambda row: (
                _("The table “%(name)s” is emptied. Its columns stay. This cannot be undone.")
                % {"name": reading.name_of(row)}
            ),
            button=lambda row: _("Delete all records of “%(name)s”") % {"name": show.cut(reading.name_of(row))},
            affected=table_uses.emptied,
            done=gettext_lazy("All records of the table are deleted."),
        ),
        Action(
            "delete",
            gettext_lazy("Delete"),
            "trash",
            _delete,
            danger=True,
            confirm=lambda row: (
                _("The table “%(name)s” is deleted. Flows that read or write it will fail.")
                % {"name": reading.name_of(row)}
            ),
            button=lambda row: _("Delete the table “%(name)s”") % {"name": show.cut(reading.name_of(row))},
            affected=table_uses.gone,
            done=gettext_lazy("The table is deleted."),
            in_rows=True,
            bulk=Bulk(
                gettext_lazy("The tables are deleted with their records. Flows that read or write them will fail.")
            ),
        ),
    )

    def list(self, caller: Caller, query: Query) -> Page:
        """A page, newest first."""
        answer = caller.workflows.list_tables(
            limit=self.stride, cursor=whole_lists.cursor(query), name=query.filters.get("name")
        )
        page = whole_lists.page(whole_lists.rows_of(answer), query, beyond=whole_lists.following(answer))
        reading.listed(caller, page.rows)
        return page

    def get(self, caller: Caller, id: str) -> Row:
        """The table, as it is now; the list of its records has its name from here."""
        return reading.table(caller, id)

    def title(self, row: Row) -> str:
        """Its name."""
        return reading.name_of(row)

    def call(self, id: str) -> tuple[str, str, str]:
        """`GET /v1/tables/{id}`."""
        return "GET", f"/v1/tables/{quote(id, safe='')}", f"workflows.get_table({id!r})"
