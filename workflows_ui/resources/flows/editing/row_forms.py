"""Forms with rows of fields that belong together: one for each item of a list, and some empty ones."""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from django import forms
from django.forms import BoundField

from workflows_ui.resources.flows.editing.forms import EditForm
from workflows_ui.web.messages import Text

#: Empty rows after the filled ones, and the maximum number of rows of a submitted form.
_EMPTY_ROWS, MOST_ROWS = 3, 100


class RowsForm(EditForm):
    """A form with rows, shown by resource_admin/form_rows.html; flow_editing.js adds and removes some.

    Attributes:
        row_keys: the names of a row's fields, to which the number of the row is added.
        row_label, add_label, rows_help: the name of one row, the button for another one, and what the rows mean.
        fields_before, fields_after: the other visible fields.
    """

    row_keys: ClassVar[tuple[str, ...]] = ()
    row_label: ClassVar[Text] = ""
    add_label: ClassVar[Text] = ""
    rows_help: ClassVar[Text] = ""
    fields_before: ClassVar[tuple[str, ...]] = ()
    fields_after: ClassVar[tuple[str, ...]] = ()
    most_rows = MOST_ROWS

    def row_fields(self, values: Sequence[Any]) -> Sequence[forms.Field]:
        """The fields of a row with these initial values."""
        raise NotImplementedError

    def add_rows(self, filled: Sequence[Sequence[Any]], empty: Sequence[Any]) -> None:
        """Add rows with these initial values, empty ones, and as many as were submitted."""
        submitted = (
            number for number in range(MOST_ROWS, 0, -1) if any(f"{key}{number}" in self.asked for key in self.row_keys)
        )
        number = max(len(filled) + _EMPTY_ROWS, next(submitted, 0))
        self.row_names = [[f"{key}{row}" for key in self.row_keys] for row in range(1, number + 1)]
        self.discreet = self.discreet | {name for names in self.row_names for name in names}
        for place, names in enumerate(self.row_names):
            values = filled[place] if place < len(filled) else empty
            self.fields.update(zip(names, self.row_fields(values), strict=True))
            self.initial.update(zip(names, values, strict=True))

    @property
    def rows(self) -> Iterator[list[BoundField]]:
        return ([self[name] for name in names] for names in self.row_names)

    @property
    def bound_before(self) -> list[BoundField]:
        return [self[name] for name in self.fields_before]

    @property
    def bound_after(self) -> list[BoundField]:
        return [self[name] for name in self.fields_after]
