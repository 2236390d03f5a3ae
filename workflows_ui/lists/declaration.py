"""Declarations of lists: List, with its Column and Shortcut, and Query and Page, what a list is asked for and answers.

Lists of the engine's objects (resource_admin.resource.Resource) and of the console's own rows (local_lists.LocalList) are declared alike.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self, cast

from django import forms
from django.db.models import Expression, F, OrderBy
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from workflows_ui.core import formats
from workflows_ui.core.collation import sort_key
from workflows_ui.core.paths import id_at, pick, text_at
from workflows_ui.core.states import Badge
from workflows_ui.core.text import Message, Text
from workflows_ui.members.models import Role
from workflows_ui.members.services.access import Access
from workflows_ui.web.elements import Button

#: A row of the engine. Those of the console are objects.
Row = Mapping[str, object]
#: A row of either kind: each list knows its own.
AnyRow = Any
#: The values of a form's fields, as Django cleans them.
Cleaned = Mapping[str, Any]
#: A number in a cell of a record, which the engine stores as text.
_NUMBER = re.compile(r"-?\d{1,30}(\.\d{1,30})?", re.ASCII)


@dataclass(frozen=True)
class Column:
    """A value of a row: in the list, or as a fact on the object's page.

    Attributes:
        path: dotted path, or a callable that gets the row.
        label: the heading.
        kind: how it is shown: text, message (a text with more room than others), lines (a text in up to three lines), note (grey), code,
            id (code with a copy button, once on a page), when, exact, duration (ms), count, badge and state (the value is a Badge, which a
            state shows without its ground), list. Each has a function in lists/cells.py. An empty value is "–"; a duration's is an empty
            cell.
        link: True: to the object's own page; or a callable (slug, row) that returns a URL, or "" for none.
        below: a callable that gets the row and returns a small second line, or ""; in files it has its own column.
        mark: a callable that gets the row and returns a badge that stands below the value, with the address of its page, or None.
        phone: False leaves it out of the card on phones.
        wide: True if it has its own column in wide windows only; otherwise it is a second line of the column before it.
        widest: True for a wide column that only windows have room for which are wider still.
        template_name: a template of its own; its values are exported by their `__str__`.
        html: the same as a function that gets a value, if it is not empty, and returns its HTML: for lists.
        sort: whether a list whose rows are all known can be sorted by it. Not by what is only read for the rows of one page. For rows of
            the console's own database: the fields of the model to sort by, names by core.collation.by_name; if all rows are in memory, a
            callable that gets the row and returns a number or a text. The kind list needs one or the other.
        name: how addresses call it, by default its path or the name of its callable.
    """

    path: str | Callable[[AnyRow], object]
    label: Text
    kind: str = "text"
    link: bool | Callable[[str, AnyRow], str] = False
    below: Callable[[AnyRow], Text] | None = None
    mark: Callable[[AnyRow], tuple[Badge, str] | None] | None = None
    phone: bool = True
    wide: bool = False
    widest: bool = False
    template_name: str = ""
    html: Callable[[Any], SafeString] | None = None
    sort: bool | Sequence[str | Expression] | Callable[[AnyRow], object] = True
    name: str = ""

    @property
    def key(self) -> str:
        return self.name or (self.path if isinstance(self.path, str) else getattr(self.path, "__name__", ""))

    @property
    def sortable(self) -> bool:
        return bool(self.sort) and (self.kind != "list" or self.sort is not True)

    def sort_value(self, row: AnyRow) -> object:
        """What rows are sorted by: a number, a moment or a text; None for no value."""
        value = self.sort(row) if callable(self.sort) else self.value(row)
        if self.kind in {"when", "exact"}:
            return formats.moment(value)
        if self.kind == "count" and isinstance(value, str) and _NUMBER.fullmatch(value):
            return float(value)
        if isinstance(value, int | float):
            return value
        text = str(value.word if isinstance(value, Badge) else value or "")
        return sort_key(text) if text else None

    def value(self, row: AnyRow) -> object:
        """The row's value, unchanged; for the kind `list` always a list."""
        found = self.path(row) if callable(self.path) else pick(row, self.path)
        if self.kind == "list" and not isinstance(found, list):
            return [] if found is None else [found]
        return found


@dataclass(frozen=True)
class Shortcut:
    """A link from an object to a related page: a button on the object's page and in its row.

    `url` gets (slug, row) and returns a URL, or "" if it does not apply to this row. `without_engine`: the page works while the engine
    does not answer.
    """

    label: Text
    icon: str
    url: Callable[[str, Any], str]
    role: Role = Role.VIEWER
    primary: bool = False
    in_rows: bool = False
    without_engine: bool = False


@dataclass(frozen=True)
class Order:
    """The order of a list that a person chose: by a column's values, those without a value last."""

    column: Column
    descending: bool = False

    @property
    def parameter(self) -> str:
        return f"-{self.column.key}" if self.descending else self.column.key

    @property
    def fields(self) -> tuple[OrderBy, ...]:
        """What a queryset is ordered by."""
        fields = self.column.sort if isinstance(self.column.sort, Sequence) else ()
        expressions = (F(field) if isinstance(field, str) else field for field in fields)
        return tuple(OrderBy(expression, descending=self.descending) for expression in expressions)

    def sorted(self, rows: Sequence[Row]) -> list[Row]:
        values = [(self.column.sort_value(row), row) for row in rows]
        known = [pair for pair in values if pair[0] is not None]
        # Numbers before texts: the engine may send either.
        known.sort(key=lambda pair: (isinstance(pair[0], tuple), pair[0]), reverse=self.descending)
        return [row for _value, row in known] + [row for value, row in values if value is None]


@dataclass(frozen=True)
class Query:
    """The query of a list: the cleaned filters without empty ones, the number of rows, the start position, and the order, None for the
    list's own. `poll`: an open list asks once more, and may get what another one was answered a few seconds ago."""

    filters: Cleaned
    rows: int
    position: str = ""
    order: Order | None = None
    poll: bool = False


@dataclass(frozen=True)
class Page:
    """One page of a list.

    Attributes:
        older: the position of the next page, "" for none.
        note: shown below a list that has more pages.
        notice: always shown above the list.
        warning: shown above the list, must not be overlooked.
        refused: shown instead of rows that this engine or its plan does not give.
        total: how many objects match the filters on all pages, if the list knows it without another call.
        start: the index of the first row among them, if the list knows it. With it, a position may also be such an index, and the pages
            are numbered.
        sortable: whether the list can be sorted by its columns, since all its rows are known.
        partial: whether more objects match than all pages have, which `notice` says.
        newest: a mark of the newest row, with which the list is asked later how many rows were added (news.py); "" if it cannot be asked.
        added: the answer to that, without rows: how many were added; with `older`, at least so many. None if that was not asked.
        as_of: what an index is followed by in the positions of a local list (lists/numbering.py).
        lacking: capabilities (credentials.services.capabilities.NAMES) that the engine lacks according to this
            answer, with the reason: actions that need them are disabled.
        left_out: the keys of columns and filters that no object of this engine has a value for: they are not shown.
    """

    rows: Sequence[Row]
    older: str = ""
    note: Text = ""
    notice: Text = ""
    warning: Text = ""
    refused: Message | None = None
    total: int | None = None
    start: int | None = None
    sortable: bool = False
    partial: bool = False
    newest: str = ""
    added: int | None = None
    as_of: str = ""
    lacking: Mapping[str, str] = field(default_factory=dict)
    left_out: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Branch:
    """A value of a filter in the tree beside a list: its name, the value ("" for all rows, None for a name that only others stand below),
    the number of rows, if it is known, and how deep it stands."""

    label: Text
    value: str | None
    number: int | None = None
    depth: int = 0


@dataclass(frozen=True)
class Tree:
    """The values of a filter, the `field`, beside a list. Their numbers are those of all rows, whatever the filters: `note` says so."""

    field: str
    label: Text
    note: Text
    branches: Sequence[Branch]


class List:
    """A kind of rows. Subclass it and set the attributes.

    Attributes:
        name: its part of the URL: lower case letters and dashes.
        label, label_plural: singular and plural names.
        icon: a name in web/icons.txt.
        group: the menu's group, a key of navigation.GROUPS.
        list_display: columns of the list; the first one carries the link.
        filters: a Django form, bound to the query string; a field without a value filters nothing.
        shortcuts: links of a row, and of its object's page.
        title_path: dotted path of a row's name.
        parents: the breadcrumbs above it, as (name, URL), if it lies below something else.
        filter_help: what the filters cover and what they do not, shown below them.
        empty, empty_hint: the text of the empty list, and the next step.
        cached: the names under which an EngineSession keeps its rows; "Refresh" reads them again.
        rows: default number of rows per page; one of ROWS.
        poll_seconds: the time between two questions of a browser whether new rows came (news.py).
        live_seconds: instead, the time between two looks at the first page in the list's own order, whose new rows appear by themselves.
        preview_view: the name of the URL of a row in short, beside the list, for its workspace and key. Its fragment is `preview`.
        file_view: the name of the URL of the whole list as a file, for its workspace and a key of FORMATS; without one, a job
            exports the list.
    """

    ROWS: ClassVar[tuple[int, ...]] = (20, 50, 100)

    name: ClassVar[str]
    label: ClassVar[Text]
    label_plural: ClassVar[Text]
    icon: ClassVar[str]
    group: ClassVar[str]
    list_display: ClassVar[Sequence[Column]]
    filters: ClassVar[type[forms.Form]] = forms.Form
    shortcuts: ClassVar[Sequence[Shortcut]] = ()
    title_path: ClassVar[str] = "name"
    parents: ClassVar[Sequence[tuple[Text, str]]] = ()
    filter_help: ClassVar[Text] = ""
    empty: ClassVar[Text] = _("There is nothing here yet")
    empty_hint: ClassVar[Text] = ""
    cached: ClassVar[Sequence[str]] = ()
    rows: ClassVar[int] = 20
    poll_seconds: ClassVar[int] = 15
    live_seconds: ClassVar[int] = 0
    preview_view: ClassVar[str] = ""
    file_view: ClassVar[str] = ""

    @classmethod
    def with_attributes(cls, **attributes: object) -> Self:
        """A list with further attributes, such as the records of one table, whose columns are the table's own."""
        return cast("Self", type(cls.__name__, (cls,), attributes)())

    def masked(self, session: Any, rows: Sequence[AnyRow]) -> Sequence[AnyRow]:
        """What is shown of rows, without secrets. Rows are never shown otherwise."""
        raise NotImplementedError

    def key(self, row: AnyRow) -> str:
        """The row's id; empty if it has none that a URL can hold."""
        return id_at(row)

    def title(self, row: AnyRow) -> str:
        """The row's name; may be empty."""
        return text_at(row, self.title_path)

    def full_title(self, row: AnyRow) -> str:
        """The row's name among others of its kind: more than the title, if titles are not unique."""
        return self.title(row)

    def file_url(self, slug: str, key: str) -> str:
        """The URL of the whole list of a workspace as a file, to which the list's filters are added; "" if a job exports the list.

        `key` is one of file_formats.FORMATS.
        """
        return reverse(self.file_view, args=[slug, key] if slug else [key]) if self.file_view else ""

    def row_buttons(self, access: Access, row: AnyRow) -> Sequence[Button]:
        """The buttons in the menu of a row."""
        return ()

    def refresh_seconds(self, row: AnyRow) -> int:
        """How often a page with this unfinished row reloads; 0 for never."""
        return 0

    def url(self, slug: str, id: str = "", **query: str) -> str:
        """The URL of the list, filtered by `query`, or of one row's page."""
        raise NotImplementedError
