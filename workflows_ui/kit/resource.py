"""The language in which remote kinds of things are declared: Resource, and the Column, Facts, Panel, Shortcut and Action it consists of.

A declaration holds data and plain callables. It gets a Caller (the engine) and plain values; it never sees a request and never returns
a response. What does not fit gets a plain view of its own, with its own path before the generic routes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from django import forms
from django.urls import reverse

from workflows_ui.kit.actions import Action, Affected, Bulk, Button, Row
from workflows_ui.kit.caller import Caller
from workflows_ui.kit.picking import id_at, pick, sole_id, sole_id_at, usable_id
from workflows_ui.kit.words import StateWord, Text, Words
from workflows_ui.models import Role, Workspace
from workflows_ui.services.access import Access

__all__ = [
    "KINDS",
    "Action",
    "Affected",
    "Bulk",
    "Cell",
    "Column",
    "Facts",
    "Line",
    "Live",
    "Page",
    "Panel",
    "Query",
    "Resource",
    "Row",
    "Shortcut",
    "Subject",
    "Text",
    "id_at",
    "pick",
    "sole_id",
    "sole_id_at",
    "usable_id",
]


@dataclass(frozen=True)
class Subject:
    """One remote object on its page: the object as the engine sent it (secrets masked), and where the person stands."""

    object: Row
    id: str
    access: Access
    caller: Caller

    @property
    def workspace(self) -> Workspace:
        """The workspace it belongs to."""
        return self.access.workspace

    @property
    def slug(self) -> str:
        """The workspace's short name, for addresses."""
        return self.access.workspace.slug


@dataclass(frozen=True)
class Column:
    """A value of a row: in the list, or as a fact on the object's page.

    Attributes:
        path: dotted path, or a callable that gets the row.
        label: the heading.
        kind: how it is shown: text, code, when, exact, duration (ms), count, badge (the value is a StateWord), list. One template each
            in templates/kit/cells/. What a column with a template of its own shows, files hold by its `__str__`.
        link: True: to the object's own page; or a callable (slug, row) that gives an address, or "" for none.
        below: a callable that gets the row and gives a small second line, or ""; in files it has a column of its own.
        phone: False leaves it out of the card on phones.
        wide: True where it has a column of its own only if the window is wide; else it is a second line of the column before it.
    """

    path: str | Callable[[Row], Any]
    label: Text
    kind: str = "text"
    link: bool | Callable[[str, Row], str] = False
    below: Callable[[Row], Text] | None = None
    phone: bool = True
    wide: bool = False

    def value(self, row: Row) -> Any:
        """The row's value, as it is; of the kind `list` always a list."""
        found = self.path(row) if callable(self.path) else pick(row, self.path)
        if self.kind == "list" and not isinstance(found, list):
            return [] if found is None else [found]
        return found

    @property
    def template(self) -> str:
        """The template of its kind."""
        return f"kit/cells/{self.kind}.html"


#: Kinds a column may have.
KINDS = frozenset({"text", "code", "when", "exact", "duration", "count", "badge", "list"})


@dataclass(frozen=True)
class Facts:
    """A panel of names and values. Facts that are empty are left out."""

    label: Text
    columns: Sequence[Column]
    template: str = "kit/panels/facts.html"

    def context(self, subject: Subject) -> dict[str, Any]:
        """`facts`: (column, value, address) of every fact that has a value."""
        found = []
        for column in self.columns:
            value = column.value(subject.object)
            if value in (None, "", [], {}):
                continue
            link = column.link(subject.slug, subject.object) if callable(column.link) else ""
            found.append((column, value, link))
        return {"facts": found}


@dataclass(frozen=True)
class Panel:
    """A panel with a template of its own; `build` gives its context, or None to leave the panel out."""

    label: Text
    template: str
    build: Callable[[Subject], dict[str, Any] | None]

    def context(self, subject: Subject) -> dict[str, Any] | None:
        """The template's context."""
        return self.build(subject)


@dataclass(frozen=True)
class Shortcut:
    """A way from an object to something that is done with it: a button on its page and in its row.

    `url` gets (slug, row) and gives an address, or "" where it does not apply to this row.
    """

    label: Text
    icon: str
    url: Callable[[str, Row], str]
    role: Role = Role.VIEWER
    primary: bool = False
    in_rows: bool = False


@dataclass(frozen=True)
class Query:
    """What a list is asked for: the filters' cleaned values (empty ones left out), how many rows, and from which position on."""

    filters: Mapping[str, Any]
    rows: int
    position: str = ""


@dataclass(frozen=True)
class Page:
    """One page of a list. `older` is the position of the next page, "" for none; `note` is said below the list
    that goes on, `notice` always above it, as is `warning`, which must not be overlooked; `refused` stands in place of rows
    that this engine or its plan does not give; `total` is how many fit the filters on all pages, where the list knows it
    without another call."""

    rows: Sequence[Row]
    older: str = ""
    note: Text = ""
    notice: Text = ""
    warning: Text = ""
    refused: Words | None = None
    total: int | None = None


@dataclass(frozen=True)
class Live:
    """How a page that is not settled keeps itself up to date: ask again after so many seconds; 0 for never."""

    seconds: int = 0


class Resource:
    """One remote kind of thing. Subclass it, set the attributes, give `list` and `get`; put an instance into resources.RESOURCES.

    Attributes:
        name: its part of the address: lower case letters and dashes.
        label, label_plural: what one and many are called.
        icon: a name of Font Awesome's solid set.
        group: the menu's group, a key of nav.GROUPS.
        role: the least role that sees it.
        needs: a capability (services.inspecting.NAMES) without which the engine has none of it; its pages then say so.
        list_display: columns of the list; the first one carries the link.
        filters: a Django form, bound to the address's query; a field without a value filters nothing.
        shortcuts, panels: what the object's page offers and shows, in this order.
        ways: buttons of the list that lead to a page of its own; their `url` gets an empty row.
        actions: what can be done with an object, and with the collection; the most used first.
        secrets: keys whose values are masked wherever they stand, before any template sees the object.
        above: what stands before it in the breadcrumbs, as (name, address), where it lies below something else.
        spans: what the filters look at and what they do not, said below them.
        empty, empty_hint: what the empty list says, and the next step.
        rows: how many rows a page has, when nobody chose; one of ROWS.
        stride: rows of one call when the whole list is walked (kit/walking.py): many where rows are small, since the engine's
            cursors lose some between two calls (api.md 4.1); not too many where huge ones meet the size limit of an answer.
        exported: False where its list is had as a file in another way.
        files: that other way, as (label, address); the addresses take the filters of the list.
    """

    ROWS: ClassVar[tuple[int, ...]] = (20, 50, 100)

    name: ClassVar[str]
    label: ClassVar[Text]
    label_plural: ClassVar[Text]
    icon: ClassVar[str]
    group: ClassVar[str]
    role: ClassVar[Role] = Role.VIEWER
    needs: ClassVar[str] = ""
    list_display: ClassVar[Sequence[Column]]
    filters: ClassVar[type[forms.Form]] = forms.Form
    shortcuts: ClassVar[Sequence[Shortcut]] = ()
    ways: ClassVar[Sequence[Shortcut]] = ()
    panels: ClassVar[Sequence[Facts | Panel]] = ()
    actions: ClassVar[Sequence[Action]] = ()
    secrets: ClassVar[frozenset[str]] = frozenset()
    above: ClassVar[Sequence[tuple[Text, str]]] = ()
    spans: ClassVar[Text] = ""
    empty: ClassVar[Text]
    empty_hint: ClassVar[Text] = ""
    rows: ClassVar[int] = 20
    stride: ClassVar[int] = 100
    exported: ClassVar[bool] = True
    files: ClassVar[Sequence[tuple[Text, str]]] = ()

    def list(self, caller: Caller, query: Query) -> Page:
        """One page of the list. Raises EngineError."""
        raise NotImplementedError

    def get(self, caller: Caller, id: str) -> Row:
        """One object. Raises EngineError."""
        raise NotImplementedError

    def count(self, caller: Caller, filters: Mapping[str, Any]) -> int | None:
        """How many objects fit the filters, where the engine tells that by one call; None where it does not. Raises EngineError."""
        return None

    def choices(self, caller: Caller) -> Mapping[str, Sequence[tuple[str, Text]]]:
        """Choices of filter fields that only the engine knows, by field. Called after `list`, so that its failure decides first."""
        return {}

    def call(self, id: str) -> tuple[str, str, str] | None:
        """How to read an object without the console: method, path below the engine's base, and the Python call after
        `client.`, such as `workflows.get_flow("...")`, "" where the vendor's SDK has none. None where there is no such call, or
        where it would tell a secret."""
        return None

    def key(self, row: Row) -> str:
        """The object's id; empty where it has none that an address could hold."""
        return id_at(row)

    def title(self, row: Row) -> str:
        """What the object is called; may be empty."""
        found = pick(row, "name")
        return found if isinstance(found, str) else ""

    def told(self, row: Row) -> str:
        """What the object is called among others of its kind: more than the title, where many have the same."""
        return self.title(row)

    def badge(self, row: Row) -> StateWord | None:
        """Its state in words, beside the title."""
        return None

    def live(self, row: Row) -> Live:
        """Whether and how often its page is refreshed."""
        return Live()

    def url(self, slug: str, id: str = "", **query: str) -> str:
        """The address of the list, filtered by `query`, or of one object."""
        if id:
            return reverse("resource_detail", kwargs={"slug": slug, "resource": self.name, "id": id})
        return reverse("resource_list", kwargs={"slug": slug, "resource": self.name}, query=query or None)


@dataclass(frozen=True)
class Cell:
    """A column's value made ready for its row; `joined` are those of wide columns after it that are not empty."""

    column: Column
    value: Any
    url: str
    below: Text
    joined: Sequence["Cell"] = ()


@dataclass(frozen=True)
class Line:
    """A row made ready for the list."""

    id: str
    name: str
    cells: Sequence[Cell]
    shortcuts: Sequence[tuple[Shortcut, str]] = field(default_factory=tuple)
    actions: Sequence[Button] = field(default_factory=tuple)
