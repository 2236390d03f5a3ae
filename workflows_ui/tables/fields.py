"""Columns of tables ("fields" in the engine): the form of a new one, and the actions on existing ones."""

from typing import TypedDict

from django import forms
from django.utils.translation import gettext_lazy as _, ngettext

from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import NotFound
from workflows_ui.resource_admin.actions import NameData, NameForm, button
from workflows_ui.resource_admin.places import list_url, table_url
from workflows_ui.resource_admin.resource import Action, Affected, Button, Resource, Row, Text
from workflows_ui.tables import limits, reading
from workflows_ui.tables.parts import PartAction

#: Maximum choices of a column; the engine documents no limit (api.md section 13).
_MOST_OPTIONS = 200


class ColumnData(TypedDict):
    """The cleaned data of a new column; `options` are None for kinds without choices."""

    name: str
    type: str
    options: list[str] | None


class NewColumn(NameForm):
    """A new column. Its cleaned data are ColumnData."""

    type = forms.ChoiceField(
        label=_("Type"), choices=[*reading.KINDS.items()], help_text=_("This cannot be changed later.")
    )
    options = forms.CharField(
        label=_("Choices"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "dir": "auto"}),
        help_text=_("Only for a choice from a list: one choice per line. They cannot be changed later."),
    )

    def clean(self) -> dict[str, object]:
        """A select column requires choices."""
        cleaned = super().clean() or self.cleaned_data
        lines = [line.strip() for line in str(cleaned.get("options") or "").splitlines()]
        options = list(dict.fromkeys(line for line in lines if line))
        if cleaned.get("type") != reading.DROPDOWN:
            cleaned["options"] = None
        elif not options:
            self.add_error("options", _("Write at least one choice."))
        elif len(options) > _MOST_OPTIONS:
            self.add_error("options", _("These are too many choices: %(most)d at most.") % {"most": _MOST_OPTIONS})
        else:
            cleaned["options"] = options
        return cleaned


def add(session: EngineSession, table: str, data: ColumnData) -> object:
    """Create the column. Raises ValidationError for a name that is taken, and if the table has the engine's maximum."""
    known = reading.fields(session, table)
    full = limits.full_of_fields(len(known), limits.load_limits(session))
    if full:
        raise forms.ValidationError(full)
    _free(data["name"], known)
    text = _("The engine did not add the column: the table has as many as the engine allows.")
    with reading.forgetting(session, table), limits.refused_if_full(text):
        return session.workflows.create_field(table, data["name"], data["type"], options=data["options"])


def remaining_room(session: EngineSession, table: Row) -> Affected:
    """The number of columns, before another one is created."""
    number = len(reading.fields(session, reading.key_of(table)))
    return Affected(limits.fields_in_words(number, limits.load_limits(session)))


def full_reason(session: EngineSession, table: Row) -> Text:
    """Why no column can be added; "" if there is room."""
    number = len(reading.fields(session, reading.key_of(table)))
    return limits.full_of_fields(number, limits.load_limits(session))


def load_fields(session: EngineSession, table_id: str) -> "Fields":
    """The columns of a table, as a resource for its actions. Raises EngineError."""
    return Fields.with_attributes(
        table=table_id,
        label_plural=reading.name_of(reading.table(session, table_id)) or _("Table"),
        parents=((_("Tables"), list_url(session.workspace.slug, "tables")),),
        actions=_actions(table_id),
    )


def _actions(table: str) -> tuple[Action, ...]:
    def rename(session: EngineSession, id: str, data: NameData) -> object:
        _free(data["name"], [field for field in reading.fields(session, table) if field.get("id") != id])
        with reading.forgetting(session, table):
            return session.workflows.update_field(id, data["name"])

    def remove(session: EngineSession, id: str, _data: dict[str, object]) -> None:
        with reading.forgetting(session, table):
            session.workflows.delete_field(id)

    def lost(session: EngineSession, field: Row) -> Affected:
        key = reading.key_of(field)
        found = reading.records(session, table)
        number = sum(1 for record in found.rows if reading.cell(record, key))
        if not found.whole:
            return Affected(_("The table is too large to count how many records have a value in it."))
        if not number:
            return Affected(_("No record has a value in it."))
        text = ngettext(
            "%(count)d record has a value in it, which is deleted too.",
            "%(count)d records have values in it, which are deleted too.",
            number,
        )
        return Affected(text % {"count": number})

    return (
        PartAction(
            "rename",
            _("Rename"),
            "pencil",
            rename,
            form=NameForm,
            initial=lambda row: {"name": reading.name_of(row)},
            done=_("The column is renamed."),
            table=table,
        ),
        PartAction(
            "delete",
            _("Remove"),
            "trash-2",
            remove,
            danger=True,
            confirm=_("The column “%(name)s” is removed. This cannot be undone."),
            button=_("Remove the column “%(name)s”"),
            impact=lost,
            done=_("The column is removed."),
            table=table,
        ),
    )


def _free(name: str, others: list[Row]) -> None:
    """Raise ValidationError for a name that is taken: the engine accepts it, and its export then loses a column."""
    if any(reading.name_of(field).casefold() == name.casefold() for field in others):
        raise forms.ValidationError({"name": _("There is a column of this name already. Choose another name.")})


class Fields(Resource):
    """The columns of one table; they have no pages of their own, only actions."""

    table: str
    name = "fields"
    label, label_plural = _("Column"), _("Columns")

    def get(self, session: EngineSession, id: str) -> Row:
        """The column, if it belongs to this table."""
        field: Row = session.workflows.get_field(id)
        if field.get("tableId") != self.table:
            raise NotFound("The field belongs to another table.", status=404)
        return field

    def url(self, slug: str, id: str = "", **query: str) -> str:
        return table_url(slug, self.table)


def buttons(slug: str, table: str, field: str) -> list[Button]:
    """The actions on a column."""
    return [button(action, slug, Fields.name, field) for action in _actions(table)]
