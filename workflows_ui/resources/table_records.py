"""Records of tables: the resource that holds those of one table, made anew for each request because its columns are the table's own."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, cast
from urllib.parse import quote

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from workflows_ui.engine import NotFound, Refused
from workflows_ui.kit.actions import Bulk
from workflows_ui.kit.caller import Caller
from workflows_ui.kit.resource import (
    Action,
    Affected,
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
from workflows_ui.resources import table_reading as reading
from workflows_ui.resources import whole_lists
from workflows_ui.resources.record_forms import LABEL, Condition, RecordFilters, RecordForm
from workflows_ui.resources.table_parts import PartAction, export_url, record_url, records_url, table_url, tables_url

#: Characters of a cell that a list shows, and that a record's page shows.
SHORT, LONG = 120, 50_000
#: Columns that a phone shows.
_ON_PHONES = 3
#: From so many columns on, the moment has none of its own unless the window is wide.
_ACROSS = 4
#: From so many records on, the limit is told as something that comes near.
_NEARLY = 1400


def of(caller: Caller, table_id: str, *, fresh: bool = True) -> "Records":
    """The records of a table; its name and columns are at most a minute old where they need not be fresh. Raises EngineError.

    A quick caller who had to ask for the columns takes the name from the list of tables, or does without: the list takes two
    calls. Where there are no columns the table itself is asked for all the same, since the engine knows neither columns nor
    records of a table that is gone.
    """
    nothing: list[Row] = []
    known = caller.known(reading.columns_name(table_id), nothing)
    fields = reading.fields(caller, table_id, fresh=fresh)
    nameless: Row = {"name": reading.listed_name(caller, table_id)}
    spared = caller.quick and fields and not known
    table = (
        caller.known(reading.table_name(table_id), nameless) if spared else reading.table(caller, table_id, fresh=fresh)
    )
    called = reading.name_of(table) or _("Table")
    slug = caller.workspace.slug
    own: dict[str, Any] = {
        "table": table_id,
        "fields": fields,
        "label_plural": _("Records"),
        "above": ((_("Tables"), tables_url(slug)), (called, table_url(slug, table_id))),
        "list_display": _columns(table_id, fields),
        "filters": type("FiltersOfTable", (RecordFilters,), {"columns": fields}),
        "panels": _panels(fields),
        "actions": _actions(table_id, fields),
        "files": (
            (gettext_lazy("As CSV"), export_url(slug, table_id, "csv")),
            (gettext_lazy("As JSON"), export_url(slug, table_id, "json")),
        ),
        "ways": (Shortcut(_("The table"), "table", lambda slug, _row: table_url(slug, table_id)),),
    }
    return cast("Records", type("RecordsOfTable", (Records,), own)())


def count_in_words(number: int) -> Text:
    """How many records a table has, and how many it may have."""
    words = {"number": number, "most": reading.MOST_RECORDS}
    if number >= reading.MOST_RECORDS:
        return _("The table is full: it has %(number)d records, and the engine allows no more than %(most)d.") % words
    if number >= _NEARLY:
        return (
            _("The table is nearly full: %(number)d of the %(most)d records that the engine allows in a table.") % words
        )
    return _("%(number)d of the %(most)d records that the engine allows in a table.") % words


def short(record: Row, field: str) -> str:
    """A cell as lists show it."""
    text = reading.cell(record, field)
    return text if len(text) <= SHORT else f"{text[:SHORT]}…"


def title(record: Row, fields: Sequence[Row]) -> str:
    """The first value of a record that says something."""
    values = (short(record, reading.key_of(field)).strip() for field in fields)
    return next((value for value in values if value), "") or _("Record without values")


def _columns(table: str, fields: Sequence[Row]) -> tuple[Column, ...]:
    def link(slug: str, record: Row) -> str:
        return record_url(slug, table, reading.key_of(record))

    crowded = len(fields) >= _ACROSS
    made = Column("created", gettext_lazy("Added"), kind="when", phone=False, link=False, wide=crowded)
    if not fields:
        return (Column(lambda _row: _("Record without values"), gettext_lazy("Record"), link=link), made)
    columns = []
    for number, field in enumerate(fields):
        key = reading.key_of(field)
        label = reading.name_of(field)[:LABEL] or key
        kind = "count" if field.get("type") == reading.NUMBER and number else "text"
        if number == 0:
            columns.append(Column(lambda row, key=key: short(row, key) or _("(empty)"), label, link=link))  # type: ignore[misc]
        else:
            columns.append(Column(lambda row, key=key: short(row, key), label, kind, phone=number < _ON_PHONES))  # type: ignore[misc]
    return (*columns, made)


def _panels(fields: Sequence[Row]) -> tuple[Facts | Panel, ...]:
    facts = (
        Column("created", _("Added"), kind="when"),
        Column("updated", _("Changed"), kind="when"),
        Column("id", _("Id in the engine"), kind="code"),
    )
    title = _("The record as the engine has it (JSON)")
    return (
        Panel(_("Values"), "tables/values.html", lambda subject: _cells(subject, fields)),
        Facts(_("Facts"), facts),
        Panel("", "kit/panels/raw.html", lambda subject: {"value": subject.object, "id": "raw", "title": title}),
    )


def _cells(subject: Subject, fields: Sequence[Row]) -> dict[str, Any]:
    cells = []
    for field in fields:
        text = reading.cell(subject.object, reading.key_of(field))
        cells.append((reading.name_of(field) or reading.key_of(field), text[:LONG], max(0, len(text) - LONG)))
    return {"cells": cells}


def _actions(table: str, fields: list[Row]) -> tuple[Action, ...]:
    form = type("FormOfTable", (RecordForm,), {"columns": fields})
    names = {reading.key_of(field): reading.name_of(field) for field in fields}

    def add(caller: Caller, _id: str, data: dict[str, Any]) -> Any:
        try:
            return caller.workflows.create_records(table, [data])
        except Refused as refusal:
            if refusal.code != "VALIDATION":
                raise
            # The one limit that records meet (api.md section 13); the engine says it with this code and its own words.
            raise forms.ValidationError(
                _("The engine did not add the record. A table may hold %(most)d records; delete some first.")
                % {"most": reading.MOST_RECORDS}
            ) from None

    def edit(caller: Caller, id: str, data: dict[str, Any]) -> Any:
        return caller.workflows.update_record(id, table, data)

    def delete(caller: Caller, id: str, _data: dict[str, Any]) -> None:
        caller.workflows.delete_records([id])

    def room(caller: Caller, _row: Row) -> Affected:
        return Affected(count_in_words(len(reading.records(caller, table))))

    def lost(_caller: Caller, record: Row) -> Affected:
        values = [(key, short(record, key)) for key in names]
        return Affected(
            _("With it go its values:"), [(f"{names[key] or key}: {value}", "") for key, value in values if value]
        )

    return (
        PartAction(
            "new",
            gettext_lazy("Add a record"),
            "plus",
            add,
            form=form,
            affected=room,
            offered=lambda _row: bool(fields),
            done=gettext_lazy("The record is added."),
            then=lambda slug, _row, _answer: records_url(slug, table),
            collection=True,
            table=table,
        ),
        PartAction(
            "edit",
            gettext_lazy("Change"),
            "pen",
            edit,
            form=form,
            button=lambda _row: _("Save"),
            offered=lambda _row: bool(fields),
            done=gettext_lazy("The record is changed."),
            in_rows=True,
            table=table,
        ),
        PartAction(
            "delete",
            gettext_lazy("Delete"),
            "trash",
            delete,
            danger=True,
            confirm=lambda row: (
                _("The record “%(name)s” is deleted. This cannot be undone.") % {"name": title(row, fields)}
            ),
            button=lambda _row: _("Delete this record"),
            affected=lost,
            done=gettext_lazy("The record is deleted."),
            then=lambda slug, _row, _answer: records_url(slug, table),
            in_rows=True,
            bulk=Bulk(),
            table=table,
        ),
    )


class Records(Resource):
    """The records of one table. `table` and `fields` are set by `of`."""

    table: str
    fields: ClassVar[Sequence[Row]] = ()
    name = "records"
    exported = False
    label, label_plural = gettext_lazy("Record"), gettext_lazy("Records")
    icon, group = "table-list", "build"
    empty = gettext_lazy("There are no records in this table yet")
    empty_hint = gettext_lazy("Flows write records into tables, and so can you. A table needs a column first.")
    list_display: ClassVar[Sequence[Column]] = (Column("id", gettext_lazy("Record"), link=True),)

    def list(self, caller: Caller, query: Query) -> Page:
        """A page, newest first, of the records that fit. All are asked for at once, since the engine does not page them."""
        asked = conditions(query.filters)
        rows = reading.records(caller, self.table, asked)
        if not asked:
            told = count_in_words(len(rows))
            if len(rows) >= _NEARLY:
                return whole_lists.page(rows, query, warning=told)
            return whole_lists.page(rows, query, notice=told)
        fit = ngettext("%(count)d record fits.", "%(count)d records fit.", len(rows)) % {"count": len(rows)}
        return whole_lists.page(rows, query, notice=fit)

    def get(self, caller: Caller, id: str) -> Row:
        """The record, if it is one of this table."""
        found: Row = caller.workflows.get_record(id)
        if found.get("tableId") != self.table:
            raise NotFound("The record belongs to another table.", status=404)
        return found

    def title(self, row: Row) -> str:
        """Its first value."""
        return title(row, self.fields)

    def url(self, slug: str, id: str = "", **query: str) -> str:
        """The record's page below its table, or the list of the table's records."""
        return record_url(slug, self.table, id) if id else records_url(slug, self.table)

    def call(self, id: str) -> tuple[str, str, str]:
        """`GET /v1/records/{id}`; the vendor's SDK has no method for it."""
        return "GET", f"/v1/records/{quote(id, safe='')}", ""


def conditions(filters: Mapping[str, Any]) -> list[dict[str, str]]:
    """What the filters' cleaned values ask the engine for."""
    return [one.asked for one in filters.values() if isinstance(one, Condition)]
