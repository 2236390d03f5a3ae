"""What the tree of an exported flow refers to, and copies of it that refer to something else.

Apps are named by piece and version, connections by external id in an expression, tables and sub-flows by id or external id in an
input of their pieces (api.md 6.3; recordings `conn_flow_get_after_replace`, `piece_install`).

Steps of the tables' app name columns: the input `values` has a record, or a list of them, as objects by the columns' external ids; the
schema of these objects, which the engine's builder stores with the step, has the names. The input `filters` has objects with id, type and
name of a column.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar, cast

from workflows_ui.core import formats
from workflows_ui.core.json_values import JsonType, changed_at, changed_object, changed_texts, json_type
from workflows_ui.core.paths import dict_at, dicts_at, text_at
from workflows_ui.core.readers import mapping_of
from workflows_ui.engine import braces, flow_tree, references
from workflows_ui.engine.flow_tree import Step
from workflows_ui.engine.references import SUBFLOWS, TABLES
from workflows_ui.engine_objects import flows as engine_objects
from workflows_ui.flows import step_values
from workflows_ui.pieces import connections as connection_list
from workflows_ui.pieces.missing_apps import exact
from workflows_ui.resource_admin.resource import Row

App = tuple[str, str]
#: The columns of a table by name.
Columns = Mapping[str, Row]
#: A tree of steps, or what stands in its place.
Tree = TypeVar("Tree")
#: In trees of starters: to be chosen, instead of an id in another workspace.
CHOOSE = "choose"
_SCHEMA = "propertySettings.values.schema"


@dataclass
class Use:
    """A connection, table or flow that trees refer to: the pieces that do ("" in other steps), and the titles of the steps."""

    pieces: list[str] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)

    def add(self, piece: str, step: str) -> None:
        for listed, item in ((self.pieces, piece), (self.steps, step)):
            if item not in listed:
                listed.append(item)


@dataclass(frozen=True)
class Contents:
    """What trees refer to, in reading order: `apps` by piece and exact version, the others by what the steps name."""

    apps: dict[App, Use] = field(default_factory=dict)
    connections: dict[str, Use] = field(default_factory=dict)
    tables: dict[str, Use] = field(default_factory=dict)
    flows: dict[str, Use] = field(default_factory=dict)


@dataclass(frozen=True)
class Matches:
    """What takes the place of each version, connection, table and flow; "" for nothing. What is not named stays. The columns are those of
    tables that take the place of others, by these tables.
    """

    versions: Mapping[App, str] = field(default_factory=dict)
    connections: Mapping[str, str] = field(default_factory=dict)
    tables: Mapping[str, str] = field(default_factory=dict)
    flows: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, Columns] = field(default_factory=dict)


def read(triggers: Iterable[object]) -> Contents:
    """What the trees refer to; values of unexpected types are skipped."""
    found = Contents()
    for node in (node for trigger in triggers for node in flow_tree.walk(trigger)):
        settings, title = engine_objects.Step(node.step).settings, title_of(node)
        piece = settings.piece_name
        if piece:
            app = piece, exact(settings.piece_version)
            found.apps.setdefault(app, Use()).add(piece, title)
        for external in references.connections_of(node.step):
            found.connections.setdefault(external, Use()).add(piece, title)
        for ending, named in ((TABLES, found.tables), (SUBFLOWS, found.flows)):
            for _key, value in references.named_by(node.step, ending):
                named.setdefault(value, Use()).add(piece, title)
    return found


def title_of(node: flow_tree.Node) -> str:
    """A step's visible title, else its name."""
    title = engine_objects.Step(node.step).display_name
    return formats.cut(title, 60) if formats.visible(title) else node.name[:60]


def rewrite(trigger: Tree, matches: Matches) -> Tree:
    """A copy that refers to what was chosen; everything else is the same, also inside of the changed values."""
    return mapped(trigger, partial(_rewritten, matches=matches))


def mapped(trigger: Tree, change: Callable[[Step], Step]) -> Tree:
    """A copy of a tree with each step changed; `change` gets a step and returns a new one with the same inner steps.

    Follows the tree without recursion, since it is as deep as the flow is long.
    """
    copies = {id(node.step): dict(change(node.step)) for node in flow_tree.walk(trigger)}
    for copy in copies.values():
        for key in ("nextAction", "firstLoopAction"):
            if id(copy.get(key)) in copies:
                copy[key] = copies[id(copy[key])]
        if "children" in copy:
            copy["children"] = changed_at(copy["children"], "*", lambda child: copies.get(id(child), child))
    return cast("Tree", copies.get(id(trigger), trigger))


def _rewritten(step: Step, matches: Matches) -> Step:
    if not (settings := dict_at(step, "settings")):
        return step
    new, piece = dict(settings), text_at(settings, "pieceName")
    if version := matches.versions.get((piece, exact(text_at(settings, "pieceVersion")))):
        new["pieceVersion"] = version
    if values := dict_at(settings, "input"):
        new["input"] = _rewritten_input(step, values, matches)
    if found := matches.columns.get(replacing_table(step, matches)):
        new = _with_columns(new, found)
    for key in references.RESOLVED:
        if key in new:
            # Files with deeper values than the interpreter's stack are refused (files.parse).
            new[key] = changed_texts(new[key], partial(_with_connections, connections=matches.connections))
    return step | {"settings": new}


def _rewritten_input(step: Row, values: Mapping[str, object], matches: Matches) -> dict[str, object]:
    new = dict(values)
    if matches.connections.get(step_values.external_id(values.get("auth"))) == "":
        del new["auth"]
    for ending, chosen in ((TABLES, matches.tables), (SUBFLOWS, matches.flows)):
        for key, value in references.named_by(step, ending):
            if chosen.get(value) == "":
                del new[key]
            elif value in chosen:
                new[key] = chosen[value]
    return new


def replacing_table(step: Row, matches: Matches) -> str:
    """The table that takes the place of another one in a step; "" for none."""
    named = (table for _key, table in references.named_by(step, TABLES))
    return next((new for table in named if (new := matches.tables.get(table, "")) != table), "")


def _with_connections(text: str, connections: Mapping[str, str]) -> str:
    def chosen(match: re.Match[str]) -> str:
        new = connections.get(references.external_id(match))
        return connection_list.reference(new) or match[0] if new and new != references.external_id(match) else match[0]

    return braces.replaced(text, lambda expression: references.CONNECTION.sub(chosen, expression))


def used_columns(settings: Row) -> list[str]:
    """The names of the columns that a step has values or filters for; ids where the step does not have the names."""
    names, values = _names(settings), dict_at(settings, "input.values")
    records = dicts_at(values, "values") if json_type(values.get("values")) is JsonType.LIST else [values]
    keys = (names.get(key, key) for record in records for key in record)
    return list(dict.fromkeys([*keys, *(text_at(column, "name") for column in _filtered(settings))]))


def _with_columns(settings: Row, columns: Columns) -> dict[str, object]:
    """A copy of a step's settings with these columns in the places of those of the same names; others stay."""
    keys = {key: text_at(columns[name], "externalId") for key, name in _names(settings).items() if name in columns}
    inputs = dict(dict_at(settings, "input"))
    new = {**settings, "input": inputs}
    if values := dict_at(inputs, "values"):
        inputs["values"] = _with_keys(values, keys)
    if schema := dict_at(settings, _SCHEMA):
        stored = dict_at(settings, "propertySettings")
        new["propertySettings"] = stored | {"values": stored["values"] | {"schema": _with_keys(schema, keys)}}
    if any(True for _column in _filtered(settings)):
        filters = inputs["filters"]
        inputs["filters"] = filters | {"filters": [_filter(item, columns) for item in filters["filters"]]}
    return new


def _filtered(settings: Row) -> Iterator[Row]:
    """The columns that the filters name."""
    columns = (dict_at(item, "field") for item in dicts_at(settings, "input.filters.filters"))
    return (column for column in columns if text_at(column, "name"))


def _names(settings: Row) -> dict[str, str]:
    """The names of columns by the keys of their values."""
    schema = dict_at(settings, _SCHEMA)
    properties = dict_at(schema, "values.properties") or schema
    return {key: name for key, prop in properties.items() if (name := text_at(prop, "displayName"))}


def _with_keys(value: Mapping[str, object], keys: Mapping[str, str]) -> dict[str, object]:
    """A record, several of them, or the schema of either with other keys."""
    inner = value.get("values")
    if json_type(inner) is JsonType.LIST:
        change = partial(_with_keys, keys=keys)
        return {**value, "values": changed_at(inner, "*", lambda record: changed_object(record, change))}
    if properties := dict_at(inner, "properties"):
        return {**value, "values": {**mapping_of(inner), "properties": _with_keys(properties, keys)}}
    return {keys.get(key) or key: item for key, item in value.items()}


def _filter(item: Mapping[str, object], columns: Columns) -> Mapping[str, object]:
    column = columns.get(text_at(item, "field.name"))
    return item if column is None else {**item, "field": {key: column.get(key) for key in ("id", "type", "name")}}
