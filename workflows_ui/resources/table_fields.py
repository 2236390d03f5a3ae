"""Columns of tables ("fields" to the engine): the form of a new one, and what is done with one that is there."""

from collections.abc import Sequence
from typing import Any, cast

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from workflows_ui.engine import NotFound
from workflows_ui.kit import show
from workflows_ui.kit.caller import Caller
from workflows_ui.kit.resource import Action, Affected, Column, Resource, Row, Text
from workflows_ui.resources import table_reading as reading
from workflows_ui.resources.table_parts import PartAction, table_url, tables_url

#: How many choices a column may be given here; the engine names no limit (api.md section 13).
_MOST_OPTIONS = 200


class ColumnName(forms.Form):
    """What a column is called."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=200)


class NewColumn(ColumnName):
    """A new column; `options` becomes a list of texts, or None for kinds that have none."""

    type = forms.ChoiceField(
        label=gettext_lazy("What it holds"),
        choices=[*reading.KINDS.items()],
        help_text=gettext_lazy("This cannot be changed later."),
    )
    options = forms.CharField(
        label=gettext_lazy("Choices"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "dir": "auto"}),
        help_text=gettext_lazy("Only for a choice from a list: one choice a line. They cannot be changed later."),
    )

    def clean(self) -> dict[str, Any]:
        """A list of choices needs some."""
        found = super().clean() or self.cleaned_data
        lines = [line.strip() for line in str(found.get("options") or "").splitlines()]
        options = list(dict.fromkeys(line for line in lines if line))
        if found.get("type") != reading.DROPDOWN:
            found["options"] = None
        elif not options:
            self.add_error("options", _("Write at least one choice."))
        elif len(options) > _MOST_OPTIONS:
            self.add_error("options", _("These are too many choices: %(most)d at most.") % {"most": _MOST_OPTIONS})
        else:
            found["options"] = options
        return found


def add(caller: Caller, table: str, data: dict[str, Any]) -> Any:
    """Makes the column. ValidationError for a name that is taken, and where there are as many as the engine allows."""
    known = reading.fields(caller, table)
    if len(known) >= reading.MOST_FIELDS:
        raise forms.ValidationError(
            _("The table has %(most)d columns already, and the engine allows no more.") % {"most": reading.MOST_FIELDS}
        )
    _free(data["name"], known)
    try:
        return caller.workflows.create_field(table, data["name"], data["type"], options=data["options"])
    finally:
        reading.changed(caller, table)


def room(caller: Caller, table: Row) -> Affected:
    """How many columns there are, before another one is made."""
    number = len(reading.fields(caller, reading.key_of(table)))
    return Affected(
        _("The table has %(number)d of the %(most)d columns that the engine allows.")
        % {"number": number, "most": reading.MOST_FIELDS}
    )


def full(caller: Caller, table: Row) -> Text:
    """Why no column can be added; "" while there is room."""
    return full_of(reading.fields(caller, reading.key_of(table)))


def full_of(fields: Sequence[Row]) -> Text:
    """Why none can be added to these columns; "" while there is room."""
    if len(fields) < reading.MOST_FIELDS:
        return ""
    return _("The table has %(most)d columns already, and the engine allows no more.") % {"most": reading.MOST_FIELDS}


def of(caller: Caller, table_id: str) -> "Fields":
    """The columns of a table, as a resource for its actions. Raises EngineError."""
    table = reading.table(caller, table_id)
    own: dict[str, Any] = {
        "table": table_id,
        "label_plural": reading.name_of(table) or _("Table"),
        "above": ((_("Tables"), tables_url(caller.workspace.slug)),),
        "actions": _actions(table_id),
    }
    return cast("Fields", type("FieldsOfTable", (Fields,), own)())


def _actions(table: str) -> tuple[Action, ...]:
    def rename(caller: Caller, id: str, data: dict[str, Any]) -> Any:
        _free(data["name"], [field for field in reading.fields(caller, table) if field.get("id") != id])
        try:
            return caller.workflows.update_field(id, data["name"])
        finally:
            reading.changed(caller, table)

    def remove(caller: Caller, id: str, _data: dict[str, Any]) -> None:
        try:
            caller.workflows.delete_field(id)
        finally:
            reading.changed(caller, table)

    def lost(caller: Caller, field: Row) -> Affected:
        key = reading.key_of(field)
        number = sum(1 for record in reading.records(caller, table) if reading.cell(record, key))
        if not number:
            return Affected(_("No record has a value in it."))
        return Affected(
            ngettext(
                "%(count)d record has a value in it, which is deleted too.",
                "%(count)d records have values in it, which are deleted too.",
                number,
            )
            % {"count": number}
        )

    return (
        PartAction(
            "rename",
            gettext_lazy("Rename"),
            "pen",
            rename,
            form=ColumnName,
            initial=lambda row: {"name": reading.name_of(row)},
            done=gettext_lazy("The column has its new name."),
            then=lambda slug, _row, _answer: table_url(slug, table),
            table=table,
        ),
        PartAction(
            "delete",
            gettext_lazy("Remove"),
            "trash",
            remove,
            danger=True,
            confirm=lambda row: (
                _("The column “%(name)s” is removed. This cannot be undone.") % {"name": reading.name_of(row)}
            ),
            button=lambda row: _("Remove the column “%(name)s”") % {"name": show.cut(reading.name_of(row))},
            affected=lost,
            done=gettext_lazy("The column is removed."),
            then=lambda slug, _row, _answer: table_url(slug, table),
            table=table,
        ),
    )


def _free(name: str, others: list[Row]) -> None:
    """The engine takes a name twice, and its export then loses a column."""
    if any(reading.name_of(field).casefold() == name.casefold() for field in others):
        raise forms.ValidationError({"name": _("There is a column of this name already. Choose another name.")})


class Fields(Resource):
    """The columns of one table; they have no pages beside the table's, only actions."""

    table: str
    name = "fields"
    label, label_plural = gettext_lazy("Column"), gettext_lazy("Columns")
    icon, group = "table-columns", "build"
    empty = gettext_lazy("This table has no columns yet")
    list_display = (Column("name", gettext_lazy("Name"), link=True),)

    def get(self, caller: Caller, id: str) -> Row:
        """The column, if it is one of this table."""
        found: Row = caller.workflows.get_field(id)
        if found.get("tableId") != self.table:
            raise NotFound("The field belongs to another table.", status=404)
        return found

    def url(self, slug: str, id: str = "", **query: str) -> str:
        """The table's page."""
        return table_url(slug, self.table)


def rename_and_remove(slug: str, table: str, field: str) -> list[tuple[Text, str, str, bool]]:
    """What is done with a column, as (word, icon, address, harmful)."""
    return [(one.label, one.icon, one.url(slug, Fields.name, field), one.danger) for one in _actions(table)]
