"""Declarations of remote kinds of objects: Resource, with its Column, Facts, Panel, Tab, Switch, Shortcut and Action.

A declaration holds data and plain callables. It gets an EngineSession and plain values; it never sees a request
and never returns a response. What does not fit gets a plain view with its own path before the generic routes.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self, cast

from django import forms
from django.http import Http404
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from workflows_ui.core import redaction
from workflows_ui.core.collation import sort_key
from workflows_ui.core.states import Badge
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.members.models import Role, Workspace
from workflows_ui.members.services.access import Access
from workflows_ui.resource_admin.actions import Action as Action
from workflows_ui.resource_admin.actions import Affected as Affected
from workflows_ui.resource_admin.actions import Bulk as Bulk
from workflows_ui.resource_admin.actions import Button as Button
from workflows_ui.resource_admin.actions import Row as Row
from workflows_ui.resource_admin.actions import always
from workflows_ui.web import formats
from workflows_ui.web.links import object_url
from workflows_ui.web.messages import Message
from workflows_ui.web.messages import Text as Text
from workflows_ui.web.paths import id_at as id_at
from workflows_ui.web.paths import pick as pick
from workflows_ui.web.paths import text_at

#: A number as records hold it: as text.
_NUMBER = re.compile(r"-?\d{1,30}(\.\d{1,30})?", re.ASCII)


@dataclass(frozen=True)
class Subject:
    """A remote object on its page: the object as the engine sent it (secrets masked), and the person's access.

    `kept`: the object is from the run index, since the engine does not answer: panels make no call.
    """

    object: Row
    id: str
    access: Access
    session: EngineSession
    kept: bool = False

    @property
    def workspace(self) -> Workspace:
        return self.access.workspace

    @property
    def slug(self) -> str:
        return self.access.workspace.slug


@dataclass(frozen=True)
class Column:
    """A value of a row: in the list, or as a fact on the object's page.

    Attributes:
        path: dotted path, or a callable that gets the row.
        label: the heading.
        kind: how it is shown: text, lines (a text in up to three lines), note (grey), code, id (code with a copy button, once on a page),
            when, exact, duration (ms), count, badge (the value is a Badge), list. Each has a function in resource_admin/cells.py. An empty
            value is "–"; a duration's is an empty cell.
        link: True: to the object's own page; or a callable (slug, row) that returns a URL, or "" for none.
        below: a callable that gets the row and returns a small second line, or ""; in files it has its own column.
        phone: False leaves it out of the card on phones.
        wide: True if it has its own column in wide windows only; otherwise it is a second line of the column before it.
        template_name: a template of its own; its values are exported by their `__str__`.
        html: the same as a function that gets a value, if it is not empty, and returns its HTML: for lists.
        sort: whether a list whose rows are all known can be sorted by it. Not by what is only read for the rows of one page. For rows of
            the console's own database: the fields of the model to sort by; if all rows are in memory, a callable that gets the row and
            returns a number or a text.
        name: how addresses call it, by default its path or the name of its callable.
    """

    path: str | Callable[[Any], Any]
    label: Text
    kind: str = "text"
    link: bool | Callable[[str, Any], str] = False
    below: Callable[[Any], Text] | None = None
    phone: bool = True
    wide: bool = False
    template_name: str = ""
    html: Callable[[Any], SafeString] | None = None
    sort: bool | Sequence[str] | Callable[[Any], Any] = True
    name: str = ""

    @property
    def key(self) -> str:
        return self.name or (self.path if isinstance(self.path, str) else getattr(self.path, "__name__", ""))

    @property
    def sortable(self) -> bool:
        return bool(self.sort) and self.kind != "list"

    def sort_value(self, row: Row) -> Any:
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

    def value(self, row: Row) -> Any:
        """The row's value, unchanged; for the kind `list` always a list."""
        found = self.path(row) if callable(self.path) else pick(row, self.path)
        if self.kind == "list" and not isinstance(found, list):
            return [] if found is None else [found]
        return found


#: The template of a panel with JSON.
RAW = "resource_admin/panels/raw.html"
#: Valid values of Column.kind.
KINDS = frozenset(
    {"text", "lines", "note", "code", "id", "when", "exact", "duration", "count", "badge", "list", "plot"}
)


@dataclass(frozen=True)
class Facts:
    """A panel of names and values. Empty facts are left out."""

    label: Text
    columns: Sequence[Column]
    template: str = "resource_admin/panels/facts.html"

    def context(self, subject: Subject) -> dict[str, Any]:
        """`facts`: (column, value, URL) of every fact that has a value."""
        row = subject.object
        values = ((column, column.value(row)) for column in self.columns)
        return {
            "facts": [
                (column, value, column.link(subject.slug, row) if callable(column.link) else "")
                for column, value in values
                if value not in (None, "", [], {})
            ]
        }


@dataclass(frozen=True)
class Panel:
    """A panel with its own template; `context` returns what it needs, or None to leave the panel out.

    `without_engine`: it needs no call, so that it is also shown while the engine does not answer.
    """

    label: Text
    template: str
    context: Callable[[Subject], dict[str, Any] | None]
    without_engine: bool = False


@dataclass(frozen=True)
class Tab:
    """A tab of an object's page, beside the overview, with its own address (`?tab=name`).

    Only the panels of the tab that is shown are built. `visible` gets the object.
    """

    name: str
    label: Text
    panels: Sequence[Facts | Panel]
    role: Role = Role.VIEWER
    visible: Callable[[Row], bool] = always


@dataclass(frozen=True)
class Switch:
    """Two actions as one switch in the head of an object's page: the names of the action that turns it on, and of the one that turns it
    off. `state` returns whether it is on, None if it can be neither.
    """

    on: str
    off: str
    state: Callable[[Row], bool | None]

    @property
    def names(self) -> tuple[str, str]:
        return self.on, self.off


@dataclass(frozen=True)
class Shortcut:
    """A link from an object to a related page: a button on the object's page and in its row.

    `url` gets (slug, row) and returns a URL, or "" if it does not apply to this row. `without_engine`: the page works while the engine
    does not answer.
    """

    label: Text
    icon: str
    url: Callable[[str, Row], str]
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
    def fields(self) -> tuple[str, ...]:
        """What a queryset is ordered by."""
        fields = self.column.sort if isinstance(self.column.sort, Sequence) else ()
        return tuple(f"-{name}" for name in fields) if self.descending else tuple(fields)

    def sorted(self, rows: Sequence[Row]) -> list[Row]:
        values = [(self.column.sort_value(row), row) for row in rows]
        known = [pair for pair in values if pair[0] is not None]
        # Numbers before texts: the engine may send either.
        known.sort(key=lambda pair: (isinstance(pair[0], tuple), pair[0]), reverse=self.descending)
        return [row for _value, row in known] + [row for value, row in values if value is None]


@dataclass(frozen=True)
class Query:
    """The query of a list: the cleaned filters without empty ones, the number of rows, the start position, and the order, None for the
    list's own."""

    filters: Mapping[str, Any]
    rows: int
    position: str = ""
    order: Order | None = None


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
        newest: what asks later for rows that came since (news.py); "" if the list cannot be asked.
        added: the answer to that, without rows: how many came; with `older`, at least so many. None if that was not the question.
        as_of: what an index is followed by in the positions of a local list (web/numbering.py).
        lacking: capabilities (credentials.services.capabilities.NAMES) that the engine lacks according to this
            answer, with the reason: actions that need them are disabled.
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


class Resource:
    """One remote kind of object. Subclass it, set the attributes, implement `list` and `get`; workflows_ui.resources finds it.

    Attributes:
        name: its part of the URL: lower case letters and dashes.
        label, label_plural: singular and plural names.
        icon: a name in web/icons.txt.
        group: the menu's group, a key of navigation.GROUPS.
        menu_order: its position in the group, the smallest number first.
        role: the minimum role that sees it.
        needs: a capability (credentials.services.capabilities.NAMES) that the engine must have; without it, the pages say so.
        list_display: columns of the list; the first one carries the link.
        filters: a Django form, bound to the query string; a field without a value filters nothing.
        shortcuts: links of the object's page.
        panels: the work of the object's page (its overview), in this order; those without content are left out.
        details: the facts beside the panels; across the page if there are no panels.
        key_facts: two or three facts under the name, on every tab.
        tabs: further tabs; every object also has the history, and its data as JSON.
        head: a panel without a label beside the buttons, such as the person's own marks.
        switch: two actions that are one switch beside the name.
        editor_path: the path of the same object in the engine's own web pages, with `{project}` and `{id}`; "" if they have none.
        notes: whether people can write notes on an object.
        list_links: buttons of the list that lead to their own page; their `url` gets an empty row.
        actions: actions on an object and on the collection; the most used first.
        title_path: dotted path of the object's name.
        recipe: how to read an object without the console: path below the engine's base, and the Python call after `client.`, "" if the
            vendor's SDK has none; `{id}` and `{id!r}` stand for the id. Empty if there is no such call, or if it would reveal a secret.
        secrets: keys whose values are masked at any depth, in addition to names of secrets (workflows_ui/core/secret_names.py).
        plain: keys that look like secrets but hold none in this resource.
        search_field: the field of `filters` by which the search of all things finds objects by name; "" if it does not.
        search_by_id: whether that search also asks for the object with the typed id.
        hidden_url: the name of the URL of an object's masked values.
        parents: the breadcrumbs above it, as (name, URL), if it lies below something else.
        filter_help: what the filters cover and what they do not, shown below them.
        empty, empty_hint: the text of the empty list, and the next step.
        created: dotted path of the time of creation, if the engine lists new objects first and the list says how many came (news.py).
        rows: default number of rows per page; one of ROWS.
        batch_size: rows per call when walking the whole list: many if rows are small, since the engine's cursors lose some between two
            calls (api.md 4.1); not too many if huge rows reach the size limit of an answer.
        plot_template: a plot above the rows, shown if the page's total is known: then all of the list can be counted.
        index_filters: if the run index keeps the objects, from which lists and pages come while the engine does not answer: which filter is
            which column of IndexedObject, or one of index_fallback's names. None if it does not keep them.
        files: links to the whole list as a file, as (label, URL), instead of exports; the URLs take the list's filters.
    """

    ROWS: ClassVar[tuple[int, ...]] = (20, 50, 100)

    name: ClassVar[str]
    label: ClassVar[Text]
    label_plural: ClassVar[Text]
    icon: ClassVar[str]
    group: ClassVar[str]
    menu_order: ClassVar[int] = 100
    role: ClassVar[Role] = Role.VIEWER
    needs: ClassVar[str] = ""
    list_display: ClassVar[Sequence[Column]]
    filters: ClassVar[type[forms.Form]] = forms.Form
    shortcuts: ClassVar[Sequence[Shortcut]] = ()
    list_links: ClassVar[Sequence[Shortcut]] = ()
    panels: ClassVar[Sequence[Facts | Panel]] = ()
    details: ClassVar[Facts | None] = None
    key_facts: ClassVar[Sequence[Column]] = ()
    tabs: ClassVar[Sequence[Tab]] = ()
    head: ClassVar[Panel | None] = None
    switch: ClassVar[Switch | None] = None
    editor_path: ClassVar[str] = ""
    notes: ClassVar[bool] = False
    actions: ClassVar[Sequence[Action]] = ()
    title_path: ClassVar[str] = "name"
    recipe: ClassVar[tuple[str, str]] = ("", "")
    secrets: ClassVar[frozenset[str]] = frozenset()
    plain: ClassVar[frozenset[str]] = frozenset()
    search_field: ClassVar[str] = ""
    search_by_id: ClassVar[bool] = False
    hidden_url: ClassVar[str] = ""
    parents: ClassVar[Sequence[tuple[Text, str]]] = ()
    filter_help: ClassVar[Text] = ""
    empty: ClassVar[Text] = gettext_lazy("There is nothing here yet")
    empty_hint: ClassVar[Text] = ""
    created: ClassVar[str] = ""
    rows: ClassVar[int] = 20
    batch_size: ClassVar[int] = 100
    plot_template: ClassVar[str] = ""
    index_filters: ClassVar[Mapping[str, str] | None] = None
    files: ClassVar[Sequence[tuple[Text, str]]] = ()

    @classmethod
    def with_attributes(cls, **attributes: Any) -> Self:
        """A resource with further attributes, such as the records of one table, whose columns are the table's own."""
        return cast("Self", type(cls.__name__, (cls,), attributes)())

    def list(self, session: EngineSession, query: Query) -> Page:
        """One page of the list. Raises EngineError."""
        raise NotImplementedError

    def get(self, session: EngineSession, id: str) -> Row:
        """One object. Raises EngineError."""
        raise NotImplementedError

    def from_index(self, session: EngineSession, rows: Sequence[Row]) -> Sequence[Row]:
        """Rows that the run index has kept, with what lists and pages add to the engine's. Makes no call."""
        return rows

    def masked(self, session: EngineSession, rows: Sequence[Row]) -> Sequence[Row]:
        """Copies of rows with secrets masked for this person. Unmasked rows are never shown."""
        return [redaction.step(row, secrets=self.secrets, plain=self.plain) for row in rows]

    def masked_whole(self, session: EngineSession, row: Row) -> Row:
        """A copy with secrets masked, for pages that show all of an object. May call the engine. Raises EngineError."""
        return self.masked(session, [row])[0]

    def count(self, session: EngineSession, filters: Mapping[str, Any]) -> int | None:
        """How many objects match the filters, if the engine counts them in one call; else None. Raises EngineError."""
        return None

    def choices(self, session: EngineSession) -> Mapping[str, Sequence[tuple[str, Text]]]:
        """Choices of filter fields that only the engine knows, by field. Called after `list`, so its error is first."""
        return {}

    def search_hint(self, session: EngineSession) -> Text:
        """What this person finds with the field `search`, shown in it while it is empty; "" for what the form says. Called after `list`."""
        return ""

    def raw(self, subject: Subject) -> dict[str, Any]:
        """The panel with the object's JSON: `value`, at most `limit` characters; URLs of the whole as a `file`,
        and of its `hidden` values.
        """
        masked = self.hidden_url and redaction.masks(subject.object)
        return {
            "value": subject.object,
            "hidden": reverse(self.hidden_url, args=[subject.slug, subject.id]) if masked else "",
        }

    # The next methods also get rows of local lists, which are no mappings.
    def key(self, row: Any) -> str:
        """The object's id; empty if it has none that a URL can hold."""
        return id_at(row)

    def title(self, row: Any) -> str:
        """The object's name; may be empty."""
        return text_at(row, self.title_path)

    def full_title(self, row: Any) -> str:
        """The object's name among others of its kind: more than the title, if titles are not unique."""
        return self.title(row)

    def badge(self, row: Any) -> Badge | None:
        """The object's state, beside the title."""
        return None

    def row_buttons(self, access: Access, row: Any) -> Sequence[Button]:
        """Further buttons in the menu of a row, besides its actions."""
        return ()

    def refresh_seconds(self, row: Any) -> int:
        """How often the page of an unfinished object reloads; 0 for never."""
        return 0

    def url(self, slug: str, id: str = "", **query: str) -> str:
        """The URL of the list, filtered by `query`, or of one object."""
        if id:
            return object_url("resource_detail", id, slug=slug, resource=self.name)
        return reverse("resource_list", kwargs={"slug": slug, "resource": self.name}, query=query or None)


#: The declared resources by name, in menu order. Filled once, at start-up.
RESOURCES: dict[str, Resource] = {}


def find_resource(access: Access, name: str, resources: Mapping[str, Resource] = RESOURCES) -> Resource:
    """The resource of this name, unless it is hidden from the person. Raises Http404; NotAllowed if the person's role is insufficient."""
    if name not in resources or not access.sees(name):
        raise Http404
    access.require(resources[name].role)
    return resources[name]
