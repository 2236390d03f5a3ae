"""System checks for declarations (`manage.py check`), each with a number and what to fix."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from django.core.checks import CheckMessage, Error
from django.db.models import TextChoices
from django.template import TemplateDoesNotExist
from django.template.loader import get_template

from workflows_ui.audit.messages import OUTCOMES
from workflows_ui.core.states import Badge
from workflows_ui.credentials.services.capabilities import NAMES
from workflows_ui.lists.cells import KINDS
from workflows_ui.lists.declaration import List
from workflows_ui.resource_admin.actions import Action
from workflows_ui.resource_admin.index_fallback import COLUMNS
from workflows_ui.resource_admin.resource import Resource
from workflows_ui.run_index.services.object_rows import KINDS as KEPT
from workflows_ui.web import icons, navigation
from workflows_ui.web.messages import FLOW_STATES, RUN_STATES
from workflows_ui.web.navigation import GROUPS

_NEEDED = ("name", "label", "label_plural", "icon", "group", "list_display")
_NAME = re.compile(r"[a-z][a-z0-9-]*")
#: Tabs that every object has.
_OWN_TABS = ("history", "data")
_KEY = re.compile(r"[A-Za-z_][\w.]*")
T = TypeVar("T")


def check_resources(resources: Sequence[Resource]) -> list[CheckMessage]:
    """An error for each mistake in the declarations."""
    names = [getattr(resource, "name", "") for resource in resources]
    found: list[CheckMessage] = [
        Error(f"Two resources are called {name!r}.", id="console.E001")
        for name in {name for name in names if names.count(name) > 1}
    ]
    for resource in resources:
        found.extend(Error(text, obj=type(resource).__name__, id=number) for number, text in _resource_errors(resource))
        found.extend(check_icons(_list_icons(resource)))
    return found


def check_icons(declared: Iterable[tuple[str, str]]) -> list[CheckMessage]:
    """An error for each icon that the sprite lacks: a page that shows it would raise LookupError.

    `declared`: where each icon is declared, and its name.
    """
    return [
        Error(f"{place}: {icons.unknown(name)}", hint=icons.advice(name), id="console.E019")
        for place, name in declared
        if name not in icons.NAMES
    ]


def declared_icons() -> Iterator[tuple[str, str]]:
    """The icons of the menu, of the console's own lists, of its states and of the engine's, each with the place that declares it."""
    for entry in (*navigation.PLAIN, *navigation.BELOW):
        yield f"The menu's {entry.label}", entry.icon
    for declared in _subclasses(List):
        if not issubclass(declared, Resource):
            yield from _list_icons(declared)
    for choices in _subclasses(TextChoices):
        for member in choices:
            if hasattr(member, "icon"):
                yield f"{choices.__name__}.{member.name}", member.icon
    tables: tuple[Mapping[str, Badge], ...] = (RUN_STATES, FLOW_STATES, OUTCOMES)
    for table in tables:
        for name, badge in table.items():
            yield name, badge.icon


def _list_icons(declared: List | type[List]) -> Iterator[tuple[str, str]]:
    actions = [*declared.actions, *declared.job_actions] if isinstance(declared, Resource) else []
    for part in (declared, *declared.shortcuts, *actions):
        if hasattr(part, "icon"):
            yield f"{getattr(declared, 'label_plural', declared)}, {getattr(part, 'label', part)}", part.icon


def _subclasses(kind: type[T]) -> Iterator[type[T]]:
    for below in kind.__subclasses__():
        yield below
        yield from _subclasses(below)


def _resource_errors(resource: Resource) -> Iterable[tuple[str, str]]:
    missing = [name for name in _NEEDED if not hasattr(resource, name)]
    if missing:
        yield "console.E002", f"Missing: {', '.join(missing)}."
        return
    if not _NAME.fullmatch(resource.name):
        yield "console.E003", f"The name {resource.name!r} must be lower case letters, digits and dashes."
    if resource.group not in GROUPS:
        yield "console.E004", f"The group {resource.group!r} is not one of {', '.join(GROUPS)}."
    if resource.rows not in resource.ROWS:
        yield "console.E005", f"rows must be one of {resource.ROWS}."
    if not resource.list_display or resource.list_display[0].link is False:
        yield "console.E006", "The first column of list_display must be a link."
    yield from _display_errors(resource)
    yield from _key_errors(resource)
    yield from _tab_errors(resource)
    if type(resource).list is Resource.list or type(resource).get is Resource.get:
        yield "console.E009", "list and get must be given."
    yield from _action_errors(resource)
    yield from _capability_errors(resource)
    yield from _index_errors(resource)


def _display_errors(resource: Resource) -> Iterable[tuple[str, str]]:
    columns = [*resource.list_display, *resource.key_facts, *resource.details]
    panels = [*resource.panels, *(panel for tab in resource.tabs for panel in tab.panels)]
    panels += [resource.head] if resource.head else []
    for panel in panels:
        try:
            get_template(panel.template)
        except TemplateDoesNotExist:
            yield "console.E007", f"The panel {panel.label!s} has no template {panel.template!r}."
    for column in columns:
        if column.kind not in KINDS:
            yield "console.E008", f"The column {column.label!s} has the unknown kind {column.kind!r}."


def _index_errors(resource: Resource) -> Iterable[tuple[str, str]]:
    if resource.index_filters is not None and resource.name not in KEPT:
        yield "console.E031", f"The run index keeps no {resource.name!r}: index_filters must not be given."
    for name, column in (resource.index_filters or {}).items():
        if name not in resource.filters.base_fields or column not in COLUMNS:
            yield (
                "console.E032",
                f"index_filters: {name!r} must be a filter, and {column!r} one of {', '.join(COLUMNS)}.",
            )


def _tab_errors(resource: Resource) -> Iterable[tuple[str, str]]:
    names = [tab.name for tab in resource.tabs]
    for name in names:
        if not _NAME.fullmatch(name) or name in _OWN_TABS or names.count(name) > 1:
            yield "console.E016", f"The tab {name!r} needs a name of its own: lower case letters, digits and dashes."
    actions = {action.name for action in resource.actions if not action.collection}
    if resource.switch is not None and not actions.issuperset(resource.switch.names):
        yield "console.E017", f"The switch needs the actions {' and '.join(resource.switch.names)}."


def _key_errors(resource: Resource) -> Iterable[tuple[str, str]]:
    keys = [column.key for column in resource.list_display]
    for key in {key for key in keys if keys.count(key) > 1 or not _KEY.fullmatch(key)}:
        yield "console.E018", f"A column of the list is called {key!r}: give each a `name` of its own."


def _capability_errors(resource: Resource) -> Iterable[tuple[str, str]]:
    declarations: list[Resource | Action] = [resource, *resource.actions]
    for declared in declarations:
        if declared.needs and declared.needs not in NAMES:
            yield "console.E030", f"{declared.name!r} needs {declared.needs!r}, which is not one of {', '.join(NAMES)}."


def _action_errors(resource: Resource) -> Iterable[tuple[str, str]]:
    seen = set()
    for action in resource.actions:
        if not _NAME.fullmatch(action.name):
            yield "console.E010", f"The action {action.name!r} must be lower case letters, digits and dashes."
        if (action.name, action.collection) in seen:
            yield "console.E011", f"Two actions are called {action.name!r}."
        seen.add((action.name, action.collection))
        if action.removes and (action.collection or not action.danger):
            yield "console.E012", f"The action {action.name!r} removes an object: it needs danger=True."
        if action.form is None and action.initial is not None:
            yield "console.E013", f"The action {action.name!r} has initial values, but no form."
        if action.impact is not None and not action.needs_confirmation:
            yield "console.E014", f"The action {action.name!r} says what it affects, but no page asks before."
        if action.collection and action.in_rows:
            yield "console.E015", f"The action {action.name!r} belongs to the collection: it cannot stand in rows."
        if action.bulk and (action.collection or (action.bulk.together is None) is not (action.bulk.rows is None)):
            yield "console.E020", f"The action {action.name!r}: bulk is for objects, and `together` needs `rows`."
