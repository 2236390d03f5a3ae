"""The state of a list, all of it in the address: filters, rows a page, and the trail of pages that led to this one.

A position is whatever the resource needs to find its next page. The trail holds the positions of the pages visited, the last being
this page's, so that "newer" leads back by the way one came: the engine itself pages in one direction only.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _

from workflows_ui.kit import show
from workflows_ui.kit.keyset import Window
from workflows_ui.kit.resource import Query, Resource, Text

POSITION, ROWS = "at", "rows"
#: The mark of the second look, which asks the engine for what merely decorates too. No other address of the list carries it.
LATE = "late"
_LONGEST_TRAIL = 40
_LONGEST_POSITION = 300


@dataclass(frozen=True)
class Chip:
    """One filter that is on: its field, its value in words, and the address without it."""

    label: Text
    value: str
    url: str


class Listing:
    """A list as the address asks for it. `form` is bound; `query` may be used only where `valid`."""

    def __init__(self, resource: Resource, path: str, asked: QueryDict) -> None:
        self._path = path
        self._asked = asked = _without_empty(asked)
        self.resource = resource
        self.form: forms.Form = resource.filters(asked)
        self.valid = self.form.is_valid()
        self.trail = [position for position in asked.getlist(POSITION) if 0 < len(position) <= _LONGEST_POSITION]
        self.late = LATE in asked
        rows = asked.get(ROWS, "")
        self.rows = int(rows) if rows.isdecimal() and int(rows) in resource.ROWS else resource.rows

    @property
    def query(self) -> Query:
        """What to ask the resource for."""
        values = {name: value for name, value in self.form.cleaned_data.items() if value not in (None, "", [])}
        return Query(values, self.rows, self.trail[-1] if self.trail else "")

    @property
    def filtered(self) -> bool:
        """Whether any filter is on."""
        return bool(self.query.filters) if self.valid else True

    @property
    def filters_query(self) -> str:
        """The filters alone, as a query string: what everything that matches is found by."""
        query = QueryDict(mutable=True)
        for name in self.form.fields:
            if self._asked.getlist(name):
                query.setlist(name, self._asked.getlist(name))
        return query.urlencode()

    @property
    def here(self) -> str:
        """The address of this very page, whatever else it was asked with."""
        return self._with_trail(self.trail)

    @property
    def late_url(self) -> str:
        """The address of the second look at this page."""
        return f"{self.here}{'&' if '?' in self.here else '?'}{LATE}=1"

    @property
    def page_query(self) -> str:
        """This very page as a query string: filters, rows a page, position."""
        return self._with_trail(self.trail[-1:]).removeprefix(self._path).removeprefix("?")

    def older_url(self, position: str) -> str:
        """The address of the next page; empty for no position."""
        if not position:
            return ""
        return self._with_trail([*self.trail, position][-_LONGEST_TRAIL:])

    @property
    def newer_url(self) -> str:
        """The address of the page before this one; empty on the first page."""
        return self._with_trail(self.trail[:-1]) if self.trail else ""

    @property
    def first_url(self) -> str:
        """The address of the first page, with the same filters."""
        return self._with_trail([])

    @property
    def bare_url(self) -> str:
        """The list without any filter."""
        return self._path

    def rows_urls(self) -> list[tuple[int, str, bool]]:
        """For each number of rows: the number, the address, whether it is the one in use. The first page is shown again."""
        return [
            (rows, self._address({ROWS: [str(rows)], POSITION: []}), rows == self.rows) for rows in self.resource.ROWS
        ]

    def chips(self) -> list[Chip]:
        """The filters that are on; a field with several values gives a chip for each."""
        found = []
        for name, field in self.form.fields.items():
            value = self.form.cleaned_data.get(name) if self.valid else None
            if value in (None, "", []):
                continue
            raw = self._asked.getlist(name)
            for one, text in _in_words(field, value, raw):
                rest = [other for other in raw if other != one] if isinstance(value, list) else []
                found.append(Chip(field.label or name, text, self._address({name: rest, POSITION: []})))
        return found

    def _with_trail(self, trail: Sequence[str]) -> str:
        return self._address({POSITION: list(trail)})

    def _address(self, changes: Mapping[str, list[str]]) -> str:
        known = [*self.form.fields, ROWS, POSITION]
        query = QueryDict(mutable=True)
        for name in known:
            values = changes[name] if name in changes else self._asked.getlist(name)
            if values:
                query.setlist(name, values)
        encoded = query.urlencode()
        return f"{self._path}?{encoded}" if encoded else self._path


def _without_empty(asked: QueryDict) -> QueryDict:
    """A form sends its empty fields too; they ask for nothing."""
    found = QueryDict(mutable=True)
    for name, values in asked.lists():
        kept = [value for value in values if value]
        if kept:
            found.setlist(name, kept)
    return found


def of_ours(form: forms.Form, path: str, asked: QueryDict, page: Window[Any]) -> dict[str, Any]:
    """What the page of one of our own lists shows beside its rows: the filters, and the ways to its other pages."""
    filters = {name: asked.get(name, "") for name in form.fields}
    return {
        "form": form,
        "valid": form.is_valid(),
        "filtered": any(filters.values()),
        "chips": chips(form, path, filters) if form.is_valid() else [],
        "newer_url": address(path, filters, after=page.newer) if page.newer else "",
        "older_url": address(path, filters, before=page.older) if page.older else "",
        "first_url": address(path, filters),
        "bare_url": path,
    }


def address(path: str, asked: Mapping[str, str], **place: str) -> str:
    """The address of one of our own lists, with filters and a place in it."""
    query = QueryDict(mutable=True)
    query.update({name: value for name, value in {**asked, **place}.items() if value})
    return f"{path}?{query.urlencode()}" if query else path


def chips(form: forms.Form, path: str, asked: Mapping[str, str]) -> list[Chip]:
    """The filters of one of our own lists that are on, in words, each with the address that removes it."""
    found = []
    for name, text in asked.items():
        if text:
            options = dict(_flat(getattr(form.fields[name].widget, "choices", ())))
            label = form.fields[name].label or name
            found.append(Chip(label, str(options.get(text, text)), address(path, {**asked, name: ""})))
    return found


def offer(form: forms.Form, choices: Mapping[str, Iterable[tuple[str, Text]]]) -> None:
    """Gives select fields the choices that only the engine knows. A value that is asked for but not among them stays choosable."""
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


def anew(form: forms.Form, names: Iterable[str]) -> list[str]:
    """The select fields among these, each to take the place of the one on the page, which lies outside of the fragment."""
    chosen = [form[name] for name in names if isinstance(form.fields[name].widget, forms.Select)]
    return [field.as_widget(attrs={"hx-swap-oob": "true"}) for field in chosen]


def _in_words(field: forms.Field, value: Any, raw: Sequence[str]) -> list[tuple[str, str]]:
    options = dict(_flat(getattr(field.widget, "choices", ())))
    if isinstance(value, list):
        return [(str(one), str(options.get(str(one), one))[:60]) for one in value]
    if hasattr(value, "isoformat"):
        return [(raw[0] if raw else "", show.date(value))]
    return [(str(value), str(options.get(str(value), value))[:60])]


def _flat(choices: Iterable[Any]) -> list[tuple[str, Text]]:
    return [(str(value), label) for value, label in choices if not isinstance(label, list | tuple)]
