"""Records of tables: a resource for one table, created for each request because its columns are the table's own."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import ClassVar

from babel.numbers import format_decimal
from django.utils.html import escape
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext_lazy as _, ngettext

from workflows_ui.core.text import Text
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import NotFound
from workflows_ui.lists.declaration import Column, Page, Query, Row, Shortcut
from workflows_ui.resource_admin import whole_lists
from workflows_ui.resource_admin.actions import Action, Affected, Bulk, always
from workflows_ui.resource_admin.places import list_url, table_url
from workflows_ui.resource_admin.resource import Panel, Resource, Subject
from workflows_ui.tables import limits as resource_limits, reading
from workflows_ui.tables.parts import PartAction, export_url, record_url, records_url
from workflows_ui.tables.record_forms import Condition, RecordFilters, RecordForm, column_label

#: Maximum characters of a cell in a list, and on a record's page.
SHORT, LONG = 120, 50_000
#: Columns on a phone.
_ON_PHONES = 3
#: With at least this many columns, the time only has its own column in wide windows.
_ACROSS = 4
#: Numbers that are neither a year nor a short code.
_LARGE = re.compile(r"-?[1-9]\d{4,14}(\.\d{1,9})?")


_HINT: Text = _("Flows write records into tables, and so can you.")
_NO_COLUMN: Text = _("Flows write records into tables, and so can you. The table needs a column first.")


def load_records(session: EngineSession, table_id: str, *, fresh: bool = True) -> "Records":
    """The records of a table; its name and columns are at most a minute old unless `fresh`. Raises EngineError.

    A quick session takes the name from the list of tables, if it was shown within a minute: the list of records then
    takes two calls. Without columns the table itself is requested anyway, since the engine gives neither columns nor
    records for a deleted table.
    """
    listed = reading.listed_name(session, table_id) if session.quick else ""
    table: Row = {"name": listed} if listed else reading.table(session, table_id, fresh=fresh)
    fields = reading.fields(session, table_id, fresh=fresh)
    if listed and not fields:
        table = reading.table(session, table_id, fresh=fresh)
    called = reading.name_of(table) or _("Table")
    slug = session.workspace.slug
    return Records.with_attributes(
        table=table_id,
        fields=fields,
        parents=((_("Tables"), list_url(slug, "tables")), (called, table_url(slug, table_id))),
        empty_hint=_HINT if fields else _NO_COLUMN,
        list_display=_columns(table_id, fields),
        filters=type("FiltersOfTable", (RecordFilters,), {"columns": fields}),
        panels=_panels(fields),
        actions=_actions(table_id, fields),
        list_links=(Shortcut(_("Table"), "table", lambda slug, _row: table_url(slug, table_id)),),
    )


def short(record: Row, field: str) -> str:
    text = reading.cell(record, field)
    return text if len(text) <= SHORT else f"{text[:SHORT]}…"


def cell_text(record: Row, field: Row) -> str:
    """The text of a cell in a list: large numbers have separators."""
    text = short(record, reading.key_of(field))
    return _grouped(text) if field.get("type") == reading.NUMBER else text


def _grouped(text: str) -> str:
    if not _LARGE.fullmatch(text):
        return text
    return format_decimal(text, locale=get_language() or "en", decimal_quantization=False)


def _number(text: str) -> SafeString:
    return escape(_grouped(text))


def title(record: Row, fields: Sequence[Row]) -> str:
    """The first value of a record that has visible text."""
    values = (short(record, reading.key_of(field)).strip() for field in fields)
    return next((value for value in values if value), "") or str(_("Record without values"))


def _columns(table: str, fields: Sequence[Row]) -> tuple[Column, ...]:
    def link(slug: str, record: Row) -> str:
        return record_url(slug, table, reading.key_of(record))

    crowded = len(fields) >= _ACROSS
    created = Column("created", _("Added"), kind="when", phone=False, link=False, wide=crowded)
    if not fields:
        return (Column(lambda _row: _("Record without values"), _("Record"), link=link, name="record"), created)
    first, *others = fields
    columns = [
        Column(
            lambda row: short(row, reading.key_of(first)) or _("(empty)"),
            column_label(first),
            link=link,
            name=reading.key_of(first),
        )
    ]
    for number, field in enumerate(others, start=1):
        kind, html = ("count", _number) if field.get("type") == reading.NUMBER else ("text", None)
        path, key = partial(short, field=reading.key_of(field)), reading.key_of(field)
        columns.append(Column(path, column_label(field), kind, phone=number < _ON_PHONES, name=key, html=html))
    return (*columns, created)


def _panels(fields: Sequence[Row]) -> tuple[Panel, ...]:
    def cells(subject: Subject) -> dict[str, object]:
        named = [(reading.label_of(field), reading.cell(subject.object, reading.key_of(field))) for field in fields]
        return {"cells": [(name, text[:LONG], max(0, len(text) - LONG)) for name, text in named]}

    return (Panel(_("Values"), "tables/values.html", cells),)


def _actions(table: str, fields: list[Row]) -> tuple[Action, ...]:
    form = type("FormOfTable", (RecordForm,), {"columns": fields})
    names = {reading.key_of(field): reading.name_of(field) for field in fields}

    def add(session: EngineSession, _id: str, data: dict[str, object]) -> object:
        text = _("The engine did not add the record: the table is full. Delete some records first.")
        with resource_limits.refused_if_full(text):
            return session.workflows.create_records(table, [data])

    def delete(session: EngineSession, id: str, _data: dict[str, object]) -> None:
        # The record was found in this table before (`Records.get`); the engine does not compare the two.
        session.workflows.delete_records([id], table_id=table)

    def room(session: EngineSession, _row: Row) -> Affected:
        stored = reading.records(session, table)
        return Affected(
            stored.gap or resource_limits.records_in_words(len(stored.rows), resource_limits.load_limits(session))
        )

    def lost(_session: EngineSession, record: Row) -> Affected:
        values = [(key, short(record, key)) for key in names]
        return Affected(
            _("These values are deleted too:"),
            [(f"{names[key] or key}: {value}", "") for key, value in values if value],
        )

    return (
        PartAction(
            "new",
            _("Add a record"),
            "plus",
            add,
            form=form,
            impact=room,
            visible=lambda _row: bool(fields),
            done=_("The record is added."),
            success_url=lambda slug, _row, _answer: records_url(slug, table),
            primary=always,
            collection=True,
            table=table,
        ),
        PartAction(
            "edit",
            _("Change"),
            "pencil",
            lambda session, key, data: session.workflows.update_record(key, table, data),
            form=form,
            button=_("Save"),
            visible=lambda _row: bool(fields),
            done=_("The record is changed."),
            in_rows=True,
            table=table,
        ),
        PartAction(
            "delete",
            _("Delete"),
            "trash-2",
            delete,
            danger=True,
            confirm=_("The record “%(name)s” is deleted. This cannot be undone."),
            button=_("Delete this record"),
            impact=lost,
            done=_("The record is deleted."),
            success_url=lambda slug, _row, _answer: records_url(slug, table),
            in_rows=True,
            bulk=Bulk(),
            table=table,
        ),
    )


class Records(Resource):
    """The records of one table. `table` and `fields` are set by `load_records`."""

    table: str
    fields: ClassVar[Sequence[Row]] = ()
    name = "records"
    label, label_plural = _("Record"), _("Records")
    icon, group = "rows-3", "build"
    empty = _("There are no records in this table yet")
    empty_hint = _HINT
    list_display: ClassVar[Sequence[Column]] = (Column("id", _("Record"), link=True),)
    details = (
        Column("created", _("Added"), kind="when"),
        Column(reading.last_change, _("Updated"), kind="when"),
        Column("id", _("Engine ID"), kind="id"),
    )

    def file_url(self, slug: str, key: str) -> str:
        return export_url(slug, self.table, key)

    def list(self, session: EngineSession, query: Query) -> Page:
        """A page of the matching records, newest first. All are requested at once, since the engine does not page them."""
        wanted_conditions = conditions(query.filters)
        matching = reading.records(session, self.table, wanted_conditions)
        page, number = whole_lists.page(matching.rows, query), len(matching.rows)
        if not matching.whole:
            return replace(page, warning=matching.gap, total=None)
        if wanted_conditions:
            fit = ngettext("%(count)d record fits.", "%(count)d records fit.", number) % {"count": number}
            return replace(page, notice=fit)
        limits = resource_limits.load_limits(session)
        count_text = resource_limits.records_in_words(number, limits)
        near_limit = resource_limits.is_near_limit(number, limits.get("records"))
        return replace(page, warning=count_text) if near_limit else replace(page, notice=count_text)

    def get(self, session: EngineSession, id: str) -> Row:
        """The record, if it belongs to this table."""
        record: Row = session.workflows.get_record(id)
        if record.get("tableId") != self.table:
            raise NotFound("The record belongs to another table.", status=404)
        return record

    def title(self, row: Row) -> str:
        """The record's first value."""
        return title(row, self.fields)

    def url(self, slug: str, id: str = "", **query: str) -> str:
        """The record's page below its table, or the list of the table's records."""
        return record_url(slug, self.table, id) if id else records_url(slug, self.table)


def conditions(filters: Mapping[str, object]) -> list[dict[str, str]]:
    """The engine's conditions for the filters' cleaned values."""
    return [item.query for item in filters.values() if isinstance(item, Condition)]
