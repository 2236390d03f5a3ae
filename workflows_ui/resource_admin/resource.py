"""Declarations of remote kinds of objects: Resource, with its Panel, Tab, Switch and Action, and the parts of its list.

A declaration holds data and plain callables. It gets an EngineSession and plain values; it never sees a request
and never returns a response. What does not fit gets a plain view with its own path before the generic routes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from django.http import Http404
from django.urls import reverse

from workflows_ui.core import redaction
from workflows_ui.core.paths import id_at as id_at, pick as pick
from workflows_ui.core.states import Badge
from workflows_ui.core.text import Text as Text
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.lists.declaration import (
    Cleaned,
    Column as Column,
    List,
    Page as Page,
    Query as Query,
    Row as Row,
    Shortcut as Shortcut,
    Tree,
)
from workflows_ui.members.models import Role, Workspace
from workflows_ui.members.services.access import Access
from workflows_ui.resource_admin.actions import Action as Action, Affected as Affected, Bulk as Bulk, always
from workflows_ui.web.elements import Button as Button
from workflows_ui.web.links import object_url


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


#: The template of a panel with JSON.
RAW = "resource_admin/panels/raw.html"


@dataclass(frozen=True)
class Panel:
    """A panel with its own template; `context` returns what it needs, or None to leave the panel out.

    `without_engine`: it needs no call, so that it is also shown while the engine does not answer.
    """

    label: Text
    template: str
    context: Callable[[Subject], Mapping[str, object] | None]
    without_engine: bool = False


@dataclass(frozen=True)
class Tab:
    """A tab of an object's page, beside the overview, with its own address (`?tab=name`).

    Only the panels of the tab that is shown are built. `visible` gets the object.
    """

    name: str
    label: Text
    panels: Sequence[Panel]
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


class Resource(List):
    """One remote kind of object. Subclass it, set the attributes, implement `list` and `get`; workflows_ui.resources finds it.

    Attributes:
        unnamed: what sentences call an object without a name.
        menu_order: its position in the group of the menu, the smallest number first.
        role: the minimum role that sees it.
        needs: a capability (credentials.services.capabilities.NAMES) that the engine must have; without it, the pages say so.
        panels: the work of the object's page (its overview), in this order; those without content are left out.
        details: the facts beside the panels; across the page if there are no panels. Those without a value are left out.
        key_facts: two or three facts under the name, on every tab.
        tabs: further tabs; every object also has the history, and its data as JSON.
        head: a panel without a label beside the buttons, such as the person's own marks.
        switch: two actions that are one switch beside the name.
        editor_path: the path of the same object in the engine's own web pages, with `{project}` and `{id}`; "" if they have none.
        notes: whether people can write notes on an object.
        list_links: buttons of the list that lead to their own page; their `url` gets an empty row.
        actions: actions on an object and on the collection; the most used first.
        job_actions: actions with a `procedure`, which only jobs run.
        recipe: how to read an object without the console: path below the engine's base, and the Python call after `client.`, "" if the
            vendor's SDK has none; `{id}` and `{id!r}` stand for the id. Empty if there is no such call, or if it would reveal a secret.
        secrets: keys whose values are masked at any depth, in addition to names of secrets (workflows_ui/core/secret_names.py).
        plain: keys that look like secrets but hold none in this resource.
        search_field: the field of `filters` by which the search of all things finds objects by name; "" if it does not.
        search_by_id: whether that search also asks for the object with the typed id.
        hidden_url: the name of the URL of an object's masked values.
        created: dotted path of the time of creation, if the engine lists new objects first and the list says how many came (news.py).
        batch_size: rows per call when walking the whole list: many if rows are small, since the engine's cursors lose some between two
            calls (api.md 4.1); not too many if huge rows reach the size limit of an answer.
        style_sheet: the file of static/ with the rules that only pages of its objects and actions use; "" if there are none.
        plot_template: a plot above the rows, shown if the page's total is known: then all of the list can be counted.
        index_filters: if the run index keeps the objects, from which lists and pages come while the engine does not answer: which filter is
            which column of IndexedObject, or one of index_fallback's names. None if it does not keep them.
    """

    unnamed: ClassVar[Text] = ""
    menu_order: ClassVar[int] = 100
    role: ClassVar[Role] = Role.VIEWER
    needs: ClassVar[str] = ""
    list_links: ClassVar[Sequence[Shortcut]] = ()
    panels: ClassVar[Sequence[Panel]] = ()
    details: ClassVar[Sequence[Column]] = ()
    key_facts: ClassVar[Sequence[Column]] = ()
    tabs: ClassVar[Sequence[Tab]] = ()
    head: ClassVar[Panel | None] = None
    switch: ClassVar[Switch | None] = None
    editor_path: ClassVar[str] = ""
    notes: ClassVar[bool] = False
    actions: ClassVar[Sequence[Action]] = ()
    job_actions: ClassVar[Sequence[Action]] = ()
    recipe: ClassVar[tuple[str, str]] = ("", "")
    secrets: ClassVar[frozenset[str]] = frozenset()
    plain: ClassVar[frozenset[str]] = frozenset()
    search_field: ClassVar[str] = ""
    search_by_id: ClassVar[bool] = False
    hidden_url: ClassVar[str] = ""
    created: ClassVar[str] = ""
    batch_size: ClassVar[int] = 100
    style_sheet: ClassVar[str] = ""
    plot_template: ClassVar[str] = ""
    index_filters: ClassVar[Mapping[str, str] | None] = None
    poll_seconds = 30

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

    def count(self, session: EngineSession, filters: Cleaned) -> int | None:
        """How many objects match the filters, if the engine counts them in one call; else None. Raises EngineError."""
        return None

    def choices(self, session: EngineSession) -> Mapping[str, Sequence[tuple[str, Text]]]:
        """Choices of filter fields that only the engine knows, by field. Called after `list`, so its error is first."""
        return {}

    def tree(self, session: EngineSession, filters: Cleaned, page: Page) -> Tree | None:
        """The values of one filter, which stand beside the rows of `page`; None for none. Called after `list`."""
        return None

    def search_hint(self, session: EngineSession) -> Text:
        """What this person finds with the field `search`, shown in it while it is empty; "" for what the form says. Called after `list`."""
        return ""

    def raw(self, subject: Subject) -> dict[str, object]:
        """The panel with the object's JSON: `value`, at most `limit` characters; URLs of the whole as a `file`,
        and of its `hidden` values.
        """
        masked = self.hidden_url and redaction.masks(subject.object)
        return {
            "value": subject.object,
            "hidden": reverse(self.hidden_url, args=[subject.slug, subject.id]) if masked else "",
        }

    def job_action(self, name: str) -> Action | None:
        """The action of this name that jobs run."""
        return next((item for item in (*self.actions, *self.job_actions) if item.name == name and item.bulk), None)

    def badge(self, row: Row) -> Badge | None:
        """The object's state, beside the title: by default the first badge of its list."""
        column = next((column for column in self.list_display if column.kind == "badge"), None)
        value = column.value(row) if column else None
        return value if isinstance(value, Badge) else None

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
