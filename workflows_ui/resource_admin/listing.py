"""The state of a list, all of it in the URL: filters, rows per page, and the trail of pages that led to this one.

A position is the value a resource needs to find its next page. The trail holds the positions of the visited pages, the last being the
current page's, so that "newer" goes back along the same path: the engine itself pages in one direction only.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _

from workflows_ui.resource_admin.resource import Query, Resource, Text
from workflows_ui.web import formats
from workflows_ui.web.keyset import Window
from workflows_ui.web.list_filters import FilterBar, filter_bar, style

POSITION, ROWS = "at", "rows"
#: Marks the second request, which also asks the engine for optional decoration. No other URL of the list has it.
LATE = "late"
_LONGEST_TRAIL = 40
_LONGEST_POSITION = 300


@dataclass(frozen=True)
class Chip:
    """An active filter: its field, its value as text, and the URL without it."""

    label: Text
    value: str
    url: str


class Listing:
    """The list requested by a URL. `form` is bound; use `query` only if `valid`."""

    def __init__(self, resource: Resource, path: str, asked: QueryDict) -> None:
        #: The URL of the list without filters.
        self.bare_url = path
        self._asked = asked = _without_empty(asked)
        self.resource = resource
        self.form: forms.Form = resource.filters(asked)
        style(self.form)
        self.valid = self.form.is_valid()
        self.trail = [position for position in asked.getlist(POSITION) if 0 < len(position) <= _LONGEST_POSITION]
        self.late = LATE in asked
        rows = asked.get(ROWS, "")
        self.rows = int(rows) if rows.isdecimal() and int(rows) in resource.ROWS else resource.rows

    @property
    def query(self) -> Query:
        values = {name: value for name, value in self.form.cleaned_data.items() if value not in (None, "", [])}
        return Query(values, self.rows, self.trail[-1] if self.trail else "")

    @property
    def bar(self) -> FilterBar:
        return filter_bar(self.form)

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
        return self._address({**dict.fromkeys(self.form.fields, []), POSITION: []})

    @property
    def kept(self) -> list[tuple[str, str]]:
        """What filters leave as it is: the other parameters of the list, as hidden fields."""
        return [(ROWS, str(self.rows))] if self.rows != self.resource.rows else []

    @property
    def here(self) -> str:
        """The URL of this page, without other parameters of the request."""
        return self._with_trail(self.trail)

    @property
    def late_url(self) -> str:
        """The URL of the second request for this page."""
        return f"{self.here}{'&' if '?' in self.here else '?'}{LATE}=1"

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
        return [
            (rows, self._address({ROWS: [str(rows)], POSITION: []}), rows == self.rows) for rows in self.resource.ROWS
        ]

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

    def _with_trail(self, trail: Sequence[str]) -> str:
        return self._address({POSITION: list(trail)})

    def _address(self, changes: Mapping[str, list[str]]) -> str:
        query = self._query([*self.form.fields, ROWS, POSITION], changes)
        return f"{self.bare_url}?{query}" if query else self.bare_url

    def _query(self, names: Iterable[str], changes: Mapping[str, list[str]]) -> str:
        query = QueryDict(mutable=True)
        for name in names:
            if values := changes.get(name, self._asked.getlist(name)):
                query.setlist(name, values)
        return query.urlencode()


def _without_empty(asked: QueryDict) -> QueryDict:
    """Without the empty fields, which forms submit too."""
    query = QueryDict(mutable=True)
    for name, values in asked.lists():
        if filled := [value for value in values if value]:
            query.setlist(name, filled)
    return query


def local_list_context(form: forms.Form, path: str, asked: QueryDict, page: Window[Any]) -> dict[str, Any]:
    """The context for the page of local rows: the filters, and the URLs of its other pages."""
    filters = {name: asked.get(name, "") for name in form.fields}

    def url(**changes: str) -> str:
        query = QueryDict(mutable=True)
        query.update({name: value for name, value in {**filters, **changes}.items() if value})
        return f"{path}?{query.urlencode()}" if query else path

    chips = []
    for name, text in filters.items():
        if text and form.is_valid():
            options = dict(_flat(getattr(form.fields[name].widget, "choices", ())))
            chips.append(Chip(form.fields[name].label or name, str(options.get(text, text)), url(**{name: ""})))
    return {
        "form": form,
        "bar": filter_bar(form),
        "valid": form.is_valid(),
        "filtered": any(filters.values()),
        "chips": chips,
        "newer_url": url(after=page.newer) if page.newer else "",
        "older_url": url(before=page.older) if page.older else "",
        "first_url": url(),
        "bare_url": path,
        "clear_url": path,
    }


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


def _value_labels(field: forms.Field, value: Any, raw: Sequence[str]) -> list[tuple[str, str]]:
    options = dict(_flat(getattr(field.widget, "choices", ())))
    if hasattr(value, "isoformat"):
        return [(raw[0] if raw else "", formats.date(value))]
    values = value if isinstance(value, list) else [value]
    return [(str(item), str(options.get(str(item), item))[:60]) for item in values]


def _flat(choices: Iterable[Any]) -> list[tuple[str, Text]]:
    return [(str(value), label) for value, label in choices if not isinstance(label, list | tuple)]
