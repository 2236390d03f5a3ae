"""The state of a list, completely in the URL: filters, rows per page, and the trail of pages that led to this one.

A position is the value a list needs to find its next page. The trail holds the positions of the visited pages, the last being the
current page's, so that "newer" goes back along the same path: the engine itself pages in one direction only.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from django import forms
from django.http import QueryDict
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from workflows_ui.core import formats
from workflows_ui.core.text import Text
from workflows_ui.lists.declaration import Column, List, Order, Page, Query
from workflows_ui.lists.filters import style
from workflows_ui.lists.numbering import Pages, numbered, range_text
from workflows_ui.saved_views.models import SavedView
from workflows_ui.saved_views.services import ListViews, view_query

POSITION, ROWS, SORT, VIEW = "at", "rows", "sort", "view"
#: In place of a view: the list without one, also if the person has a default view.
PLAIN = "none"
#: Marks the second request, which also asks the engine for optional decoration. No other URL of the list has it.
LATE = "late"
#: Asks how many rows came since: the newest row that the browser shows (news.py).
SINCE = "newer"
#: The row whose preview stands beside the list.
SHOW = "show"
#: Asks for the rows of a list that are cached to be read again.
REFRESH = "refresh"
_LONGEST_TRAIL = 40
_LONGEST_POSITION = 300
_LONGEST_KEY = 64
#: Kinds of columns that a first click sorts from the latest or largest value.
_DOWNWARDS = frozenset({"when", "exact", "count", "duration"})


@dataclass(frozen=True)
class Chip:
    """An active filter: its field, its value as text, and the URL without it."""

    label: Text
    value: str
    url: str


@dataclass(frozen=True)
class Head:
    """The heading of a column: its key, the URL that sorts by it, if one does, and how the list is sorted by it: ascending, descending or
    ""."""

    column: Column
    key: str
    url: str = ""
    sorted: str = ""


class Listing:
    """The list requested by a URL. `form` is bound, by default the list's; use `query` only if `valid`.

    `saved` has the person's views and columns of the list, for its page.
    """

    def __init__(
        self,
        kind: List,
        path: str,
        asked: QueryDict,
        form: forms.Form | None = None,
        saved: ListViews | None = None,
    ) -> None:
        #: The URL of the list without filters.
        self.bare_url = path
        self._plain = not asked
        self._asked = asked = _without_empty(asked)
        self.kind = kind
        self.form: forms.Form = form or kind.filters(asked)
        style(self.form)
        self.valid = self.form.is_valid()
        self.trail = [position for position in asked.getlist(POSITION) if 0 < len(position) <= _LONGEST_POSITION]
        self.late = LATE in asked
        self.since = asked.get(SINCE, "")[:_LONGEST_POSITION]
        self.shown = asked.get(SHOW, "")[:_LONGEST_KEY] if kind.preview_view else ""
        rows = asked.get(ROWS, "")
        self.order = requested_order(kind, asked)
        self.rows = int(rows) if rows in map(str, kind.ROWS) else kind.rows
        self.saved = saved
        self.view = saved.find_view(asked.get(VIEW, "")) if saved else None
        self.hidden = frozenset(self.view.hidden) if self.view else saved.hidden if saved else frozenset[str]()
        self._left_out = frozenset[str]()

    @property
    def position(self) -> str:
        return self.trail[-1] if self.trail else ""

    @property
    def query(self) -> Query:
        values = {name: value for name, value in self.form.cleaned_data.items() if value not in (None, "", [])}
        return Query(values, self.rows, self.position, self.order)

    @property
    def columns(self) -> list[Column]:
        """The columns that the person chose; the first one always stays."""
        first, *others = self.all_columns
        return [first, *(column for column in others if column.key not in self.hidden)]

    @property
    def all_columns(self) -> list[Column]:
        """The columns that the list can have."""
        return [column for column in self.kind.list_display if column.key not in self._left_out]

    def leave_out(self, names: frozenset[str]) -> None:
        """Leave out columns, and filters without a value, that no row has a value for."""
        self._left_out = names
        for name in names.intersection(self.form.fields) - set(self._asked):
            del self.form.fields[name]

    @property
    def default_url(self) -> str:
        """The URL of the view that a list without any parameter opens with; "" for none."""
        default = self.saved.default if self.saved else None
        return self.view_url(default) if default and self._plain else ""

    def view_url(self, view: SavedView) -> str:
        """The URL of the list with a saved view."""
        return f"{self.bare_url}?{view_query(view)}"

    @property
    def filtered(self) -> bool:
        return bool(self.query.filters) if self.valid else True

    @property
    def filters_query(self) -> str:
        """The filters alone, as a query string that identifies everything that matches."""
        return self._query(self.form.fields, {})

    @property
    def clear_url(self) -> str:
        """The URL of the first page without filters."""
        return self._address({name: [] for name in (*self.form.fields, VIEW, POSITION)})

    @property
    def hidden_inputs(self) -> list[tuple[str, str]]:
        """What filters leave as it is: the other parameters of the list, as hidden fields."""
        rows = [(ROWS, str(self.rows))] if self.rows != self.kind.rows else []
        rows += [(VIEW, str(self.view.pk))] if self.view else []
        return [*rows, (SORT, self.order.parameter)] if self.order else rows

    @property
    def export_query(self) -> str:
        """The filters and the order, as a query string for a file of everything that matches."""
        return self._query([*self.form.fields, SORT], {})

    def heads(self, *, sortable: bool) -> list[Head]:
        """The headings of the columns, as links if the list is `sortable`. A first click sorts times and numbers downwards."""
        return [self._head(column, sortable=sortable) for column in self.columns]

    def _head(self, column: Column, *, sortable: bool) -> Head:
        if not (sortable and column.sortable):
            return Head(column, column.key)
        current = self.order if self.order and self.order.column is column else None
        descending = not current.descending if current else column.kind in _DOWNWARDS
        url = self._address({SORT: [Order(column, descending).parameter], POSITION: []})
        return Head(column, column.key, url, ("descending" if current.descending else "ascending") if current else "")

    def pages(self, page: Page, total: int | None) -> Pages:
        """The other pages, numbered if the list knows where it is; `total` is the number of rows on all of them, if known."""
        trail, older = self.newer_url, self.older_url(page.older)
        if page.start is not None and page.total is not None:
            suffix = f"@{page.as_of}" if page.as_of else ""
            found = numbered(
                page.start,
                len(page.rows),
                page.total,
                self.rows,
                lambda index: self._with_trail([f"{index}{suffix}"] if index else []),
            )
            # Along the trail nothing is lost or repeated when rows are created meanwhile.
            along = trail if len(self.trail) * self.rows == page.start else found.newer_url
            return replace(found, newer_url=along, older_url=older or found.older_url)
        # Every page before this one was full, as far as the trail goes back.
        known = page.rows and len(self.trail) < _LONGEST_TRAIL
        text = range_text(len(self.trail) * self.rows, len(page.rows), total) if known else ""
        return Pages(text, total, first_url=self.first_url, newer_url=trail, older_url=older)

    @property
    def here(self) -> str:
        """The URL of this page, without other parameters of the request."""
        return self._with_trail(self.trail)

    @property
    def late_url(self) -> str:
        """The URL of the second request for this page."""
        return self.here_with(**{LATE: "1"})

    @property
    def refresh_url(self) -> str:
        """The URL of this page that reads its rows again."""
        return self.here_with(**{REFRESH: "1"}) if self.kind.cached else self.here

    def filter_url(self, name: str, value: str) -> str:
        """The URL of the first page with this value of a filter; without one for ""."""
        return self._address({name: [value] if value else [], POSITION: []})

    def here_with(self, **parameters: str) -> str:
        """The URL of this page with further parameters of the request.

        Requests of parts of the list have them in their URL: `hx-vals` would be sent by the links inside of the part, too.
        """
        return f"{self.here}{'&' if '?' in self.here else '?'}{urlencode(parameters)}"

    @property
    def page_query(self) -> str:
        """This page as a query string: filters, rows per page, position."""
        return self._with_trail(self.trail[-1:]).removeprefix(self.bare_url).removeprefix("?")

    def older_url(self, position: str) -> str:
        """The URL of the next page; empty for no position."""
        if not position:
            return ""
        return self._with_trail([*self.trail, position][-_LONGEST_TRAIL:])

    @property
    def newer_url(self) -> str:
        """The URL of the page before this one; empty on the first page."""
        return self._with_trail(self.trail[:-1]) if self.trail else ""

    @property
    def first_url(self) -> str:
        """The URL of the first page, with the same filters."""
        return self._with_trail([])

    def rows_urls(self) -> list[tuple[int, str, bool]]:
        """For each number of rows: the number, the URL, and whether it is in use. The URL shows the first page."""
        return [(rows, self._address({ROWS: [str(rows)], POSITION: []}), rows == self.rows) for rows in self.kind.ROWS]

    def chips(self) -> list[Chip]:
        """The active filters; a field with several values gives one chip per value."""
        active = []
        for name, field in self.form.fields.items():
            value = self.form.cleaned_data.get(name) if self.valid else None
            if value in (None, "", []):
                continue
            raw = self._asked.getlist(name)
            for option, text in _value_labels(field, value, raw):
                others = [item for item in raw if item != option] if isinstance(value, list) else []
                active.append(Chip(field.label or name, text, self._address({name: others, POSITION: []})))
        return active

    @property
    def told(self) -> list[tuple[str, str]]:
        """The active filters as (name, value)."""
        return [(str(chip.label), str(chip.value)) for chip in self.chips()]

    def _with_trail(self, trail: Sequence[str]) -> str:
        return self._address({POSITION: list(trail)})

    def _address(self, changes: Mapping[str, list[str]]) -> str:
        view = [VIEW] if self.saved else []
        query = self._query([*self.form.fields, SORT, ROWS, *view, POSITION], changes)
        if not query and self.saved and self.saved.default:
            query = f"{VIEW}={PLAIN}"
        return f"{self.bare_url}?{query}" if query else self.bare_url

    def _query(self, names: Iterable[str], changes: Mapping[str, list[str]]) -> str:
        query = QueryDict(mutable=True)
        for name in names:
            if values := changes.get(name, self._asked.getlist(name)):
                query.setlist(name, values)
        return query.urlencode()


def requested_order(kind: List, query: QueryDict) -> Order | None:
    """The order that a query string asks for; None for the list's own."""
    parameter = query.get(SORT, "")
    if not parameter:
        return None
    key = parameter.removeprefix("-")
    column = next((column for column in kind.list_display if column.sortable and column.key == key), None)
    return Order(column, parameter.startswith("-")) if column else None


def _without_empty(asked: QueryDict) -> QueryDict:
    """Without the empty fields, which forms submit too."""
    query = QueryDict(mutable=True)
    for name, values in asked.lists():
        if filled := [value for value in values if value]:
            query.setlist(name, filled)
    return query


def offer(form: forms.Form, choices: Mapping[str, Iterable[tuple[str, Text]]]) -> None:
    """Give select fields the choices that only the engine knows. A submitted value stays selectable."""
    for name, options in choices.items():
        widget = form.fields[name].widget
        listed = list(options)
        known = {value for value, _ in listed}
        asked = form.data.getlist(name) if isinstance(form.data, QueryDict) else [form.data.get(name, "")]
        listed += [(value, value[:60]) for value in asked if value and value not in known]
        if isinstance(widget, forms.CheckboxSelectMultiple):
            widget.choices = listed
        elif isinstance(widget, forms.Select):
            none = next((label for value, label in _flat(widget.choices) if not value), _("Any"))
            widget.choices = [("", none), *listed]


def swapped_fields(form: forms.Form, names: Iterable[str]) -> list[str]:
    """The select fields among these, each replacing the one on the page, which lies outside of the fragment."""
    chosen = [form[name] for name in names if isinstance(form.fields[name].widget, forms.Select)]
    return [field.as_widget(attrs={"hx-swap-oob": "true"}) for field in chosen]


def _value_labels(field: forms.Field, value: object, raw: Sequence[str]) -> list[tuple[str, str]]:
    options = dict(_flat(getattr(field.widget, "choices", ())))
    if isinstance(value, date):
        return [(raw[0] if raw else "", formats.date(value))]
    values = value if isinstance(value, list) else [value]
    return [(str(item), str(options.get(str(item), item))[:60]) for item in values]


def _flat(choices: Iterable[tuple[object, object]]) -> list[tuple[str, str]]:
    return [(str(value), str(label)) for value, label in choices if not isinstance(label, list | tuple)]
