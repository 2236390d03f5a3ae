"""Rows of the index from the engine's flows, connections, tables, folders and MCP servers: the values that are kept, and their uses.

No value of a step, no secret and no token is kept: `ObjectKind.values` lists everything that is.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, cast

from workflows_ui.core import database
from workflows_ui.core.collation import plain
from workflows_ui.core.json_values import JsonType, json_type
from workflows_ui.core.paths import dicts_at, pick, text_of
from workflows_ui.core.readers import as_items, as_text, as_whole_number
from workflows_ui.engine import Workflows, flow_tree, references
from workflows_ui.engine_objects.flows import Flow, Step
from workflows_ui.run_index.models import IndexedObject

Json = Mapping[str, object]
#: The kinds of objects that are used, by the names of their resources; apps are not kept.
FLOWS, CONNECTIONS, TABLES, FOLDERS, SERVERS = "flows", "connections", "tables", "folders", "mcp-servers"
APPS = "pieces"
#: The longest text that is kept, the longest id, the longest name of a step, and the most uses of one object.
LONGEST, LONGEST_ID, LONGEST_STEP, MOST_USES = 200, 64, 100, 2000
#: Tools of an MCP server that are kept.
_TOOLS = 500
_TIMES = ("id", "created", "updated")


class Use(NamedTuple):
    """One use by a step or tool: the kind and key of an ObjectUse, and the step's own name and title."""

    kind: str
    key: str
    step: str = ""
    title: str = ""
    live: bool = False


@dataclass(frozen=True)
class ObjectKind:
    """How the objects of a kind are read, and which of their values are kept.

    Attributes:
        load: a page of the engine's list: (workflows, limit, cursor, folder). The folder is only for flows.
        size: objects in a page.
        values: dotted paths of the values that are kept.
        lists: of these lists of objects, the dotted paths that are kept.
        name, state, external, folder, piece: paths of the columns of IndexedObject.
        get: one object, to find out whether one that a list of several pages did not have is gone.
    """

    load: Callable[[Workflows, int, str | None, str | None], dict[str, object]]
    size: int
    values: Sequence[str]
    name: str
    lists: Mapping[str, Sequence[str]] | None = None
    state: str = ""
    external: str = ""
    folder: str = ""
    piece: str = ""
    get: Callable[[Workflows, str], dict[str, object]] | None = None


#: In the order in which they are read: the folders first, since flows are also read by folder.
KINDS: Mapping[str, ObjectKind] = {
    FOLDERS: ObjectKind(
        lambda workflows, limit, cursor, _folder: workflows.list_folders(limit, cursor),
        1000,
        (*_TIMES, "displayName", "numberOfFlows"),
        "displayName",
        get=Workflows.get_folder,
    ),
    FLOWS: ObjectKind(
        lambda workflows, limit, cursor, folder: workflows.list_flows(limit, cursor, folder_id=folder),
        100,
        (
            *(*_TIMES, "status", "folderId", "ownerId", "publishedVersionId", "operationStatus", "externalId"),
            *("version.id", "version.displayName", "version.state", "version.valid"),
            *(f"version.trigger.{key}" for key in ("name", "type", "displayName")),
            *(f"version.trigger.settings.{key}" for key in ("pieceName", "triggerName")),
        ),
        "version.displayName",
        state="status",
        external="externalId",
        folder="folderId",
        piece="version.trigger.settings.pieceName",
        get=Workflows.get_flow,
    ),
    CONNECTIONS: ObjectKind(
        lambda workflows, limit, cursor, _folder: workflows.list_connections(limit, cursor),
        1000,
        (*_TIMES, "displayName", "externalId", "pieceName", "type", "status", "scope"),
        "displayName",
        state="status",
        external="externalId",
        piece="pieceName",
    ),
    TABLES: ObjectKind(
        lambda workflows, limit, cursor, _folder: workflows.list_tables(limit, cursor),
        1000,
        (*_TIMES, "name", "externalId", "folderId"),
        "name",
        external="externalId",
        folder="folderId",
        get=Workflows.get_table,
    ),
    SERVERS: ObjectKind(
        lambda workflows, limit, cursor, _folder: workflows.list_mcp_servers(limit=limit, cursor=cursor),
        1000,
        (*_TIMES, "name", "enabledTools"),
        "name",
        lists={
            "tools": (
                *("id", "type", "toolName", "flowId", "flow.status", "flow.version.displayName"),
                *(
                    f"pieceMetadata.{key}"
                    for key in ("pieceName", "actionName", "actionDisplayName", "connectionExternalId")
                ),
            ),
            "flows": ("id", "status", "version.displayName"),
        },
        get=Workflows.get_mcp_server,
    ),
}


def from_engine(index_id: int, kind: str, row: Json, seen_at: datetime) -> IndexedObject | None:
    """The row of an object of the engine's list, not saved; None without an id."""
    object_id, declared = as_text(row.get("id")), KINDS[kind]
    if not object_id or len(object_id) > LONGEST_ID:
        return None
    name = text_at(row, declared.name)
    data = _reduced(row, declared.values)
    for key, paths in (declared.lists or {}).items():
        if row.get(key) is not None:
            data[key] = [_reduced(item, paths) for item in dicts_at(row, key)[:_TOOLS]]
    if kind == FLOWS:
        data["pieces"] = list(dict.fromkeys(use.key for use in uses_of_flow(row) if use.kind == APPS))
    return IndexedObject(
        index_id=index_id,
        kind=kind,
        object_id=object_id,
        name=name,
        plain_name=plain(name)[: 2 * LONGEST],
        state=text_at(row, declared.state)[:40],
        external_id=text_at(row, declared.external),
        folder_id=text_at(row, declared.folder)[:LONGEST_ID],
        piece=text_at(row, declared.piece),
        data=data,
        seen_at=seen_at,
    )


def uses_of(kind: str, row: Json) -> list[Use]:
    """The uses of an MCP server, or of the newest version of a flow; of other objects none."""
    if kind == FLOWS:
        flow = Flow(row)
        return uses_of_flow(row, live=flow.is_published and not flow.has_draft)
    return uses_of_server(row) if kind == SERVERS else []


def uses_of_flow(row: Json, *, live: bool = False) -> list[Use]:
    """The uses of the steps of a flow's version, each once, in reading order."""
    version = Flow(row).version
    found = dict.fromkeys(_uses_of_steps(version.trigger, live=live))
    known = {use.key for use in found if use.kind == CONNECTIONS}
    for external in version.connection_ids:
        if external and _cut(external) not in known:
            found[Use(CONNECTIONS, _cut(external), live=live)] = None
    return list(found)[:MOST_USES]


def _uses_of_steps(trigger: Step, *, live: bool) -> Iterator[Use]:
    for node in flow_tree.walk(trigger.raw):
        name, title = _cut(node.name)[:LONGEST_STEP], Step(node.step).display_name
        title = _cut(title) if title.strip() else name
        for kind, key in _references(node.step):
            yield Use(kind, _cut(key), name, title, live)


def _references(step: object) -> Iterator[tuple[str, str]]:
    if piece := references.piece_of(step):
        yield APPS, piece
    for external in references.connections_of(step):
        yield CONNECTIONS, external
    for ending, kind in ((references.TABLES, TABLES), (references.SUBFLOWS, FLOWS)):
        for _input, key in references.named_by(step, ending):
            yield kind, key


def uses_of_server(server: Json) -> list[Use]:
    """The uses of the tools of an MCP server: flows, or apps and their connections."""
    found: dict[Use, None] = {}
    for tool in dicts_at(server, "tools")[:_TOOLS]:
        step = text_at(tool, "id")[:LONGEST_STEP]
        paths = ("flow.version.displayName", "pieceMetadata.actionDisplayName", "toolName")
        title = next(filter(str.strip, (text_at(tool, path) for path in paths)), step)
        for kind, path in (
            (FLOWS, "flowId"),
            (APPS, "pieceMetadata.pieceName"),
            (CONNECTIONS, "pieceMetadata.connectionExternalId"),
        ):
            if key := text_at(tool, path):
                found[Use(kind, key, step, title, live=True)] = None
    for flow in dicts_at(server, "flows")[:_TOOLS]:
        if key := text_at(flow, "id"):
            found[Use(FLOWS, key, "", text_at(flow, "version.displayName"), live=True)] = None
    return list(found)[:MOST_USES]


def text_at(row: object, path: str) -> str:
    """The text at a dotted path, cut; "" for other values and for no path."""
    return as_text(pick(row, path))[:LONGEST] if path else ""


def _cut(text: str) -> str:
    return database.storable(text[:LONGEST])


def _reduced(row: Json, paths: Sequence[str]) -> dict[str, object]:
    """The values at these paths, in the same places; texts are cut; only texts, numbers and lists of texts are kept."""
    result: dict[str, object] = {}
    for path in paths:
        value = _kept(pick(row, path))
        if value is None:
            continue
        *outer, last = path.split(".")
        place = result
        for key in outer:
            place = cast("dict[str, object]", place.setdefault(key, {}))
        place[last] = value
    return result


def _kept(value: object) -> object:
    match json_type(value):
        case JsonType.TEXT:
            return _cut(text_of(value))
        case JsonType.LIST:
            return [_cut(text_of(item)) for item in as_items(value)[:_TOOLS] if json_type(item) is JsonType.TEXT]
        case JsonType.TRUTH:
            return value
    # Of numbers only those that JSON of every database holds.
    number = as_whole_number(value)
    return number if number is not None and abs(number) < 2**53 else None
