"""The looks of the operations: how the engine's own state shows whether a write was done (see writes.py). Those of tables are in
table_looks.py."""

import hashlib
import secrets
import string
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .calls import ids
from .errors import EngineError, Forbidden, NotFound
from .flow_shape import shape
from .flow_tree import walk
from .writes import MALFORMED, NOT_DONE, UNCLEAR, Json, Look, Outcome, Seen, done

#: Reads an object, given the operations and the arguments of the write.
Read = Callable[[Any, Json], Json]
Rows = Callable[[Any, Json], Iterable[Json]]
#: Rows of a list that is read whole.
MANY = 1000
_ALPHABET = string.ascii_letters + string.digits


def new_id() -> str:
    """An external id that no other object has: 21 letters and digits, as the engine makes them."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(21))


def attribute(read: Read, of: Callable[[Json], Any], wanted: Callable[[Json], Any]) -> Look:
    """For changes of an object's attribute: whether it is what was `wanted` (given the arguments), what it was before, or neither."""

    def see(workflows: Any, arguments: Json, before: Any) -> Seen:
        found = read(workflows, arguments)
        if of(found) == wanted(arguments):
            return done(found)
        return NOT_DONE if of(found) == before else UNCLEAR

    return Look(see, lambda workflows, arguments: of(read(workflows, arguments)))


def gone(read: Read) -> Look:
    """For deletions: whether the engine itself says that there is no such object."""

    def see(workflows: Any, arguments: Json, _before: Any) -> Seen:
        try:
            found = read(workflows, arguments)
        except NotFound as missing:
            if isinstance(missing.__cause__, Forbidden) or missing.code != "ENTITY_NOT_FOUND":
                # A refusal, or a page of something in between, says nothing about the object.
                raise
            return done()
        # A published flow is deleted a moment later (recording `flow_del_published_02_get_at_once`).
        return done() if found.get("operationStatus") == "DELETING" else NOT_DONE

    return Look(see)


def gone_from(rows: Rows, key: str) -> Look:
    """For deletions of what only a list shows. A list that is not complete shows no absence."""

    def see(workflows: Any, arguments: Json, _before: Any) -> Seen:
        listed = rows(workflows, arguments)
        if any(row.get("id") == arguments[key] for row in listed):
            return NOT_DONE
        return UNCLEAR if is_cut(listed) else done()

    return Look(see)


class Cut(list[Json]):
    """Rows of a list that goes on."""


def page_rows(page: Mapping[str, Any]) -> list[Json]:
    """The rows of a page; `Cut` if there are more."""
    return Cut(page["data"]) if page.get("next") else list(page["data"])


def is_cut(rows: Iterable[Json]) -> bool:
    return isinstance(rows, Cut)


def created(rows: Rows, fits: Callable[[Json, Json], bool]) -> Look:
    """For creations: the row with the external id that was sent, or the one that fits (row, arguments) and was not there before.

    A row of another external id than the one that was sent may be somebody else's.
    """

    def before(workflows: Any, arguments: Json) -> list[Any]:
        return [row.get("id") for row in rows(workflows, arguments)]

    def see(workflows: Any, arguments: Json, known: Any) -> Seen:
        listed = rows(workflows, arguments)
        sent = arguments.get("external_id")
        marked = [row for row in listed if sent and row.get("externalId") == sent and row.get("id") not in known]
        if len(marked) == 1:
            return done(marked[0])
        new = [row for row in listed if fits(row, arguments) and row.get("id") not in known]
        if len(new) == 1 and not (sent and new[0].get("externalId")):
            return done(new[0])
        return UNCLEAR if new or is_cut(listed) else NOT_DONE

    return Look(see, before)


def named(rows: Rows, key: str, wanted: Callable[[Json], str]) -> Look:
    """For what the engine creates once for each name, in any case."""

    def see(workflows: Any, arguments: Json, _before: Any) -> Seen:
        listed = rows(workflows, arguments)
        name = wanted(arguments).casefold()
        found = next((row for row in listed if str(row.get(key)).casefold() == name), None)
        if found is not None:
            return done(found)
        return UNCLEAR if is_cut(listed) else NOT_DONE

    return Look(see)


# Flows


def _flow(workflows: Any, arguments: Json) -> Json:
    found: Json = workflows.get_flow(arguments["flow_id"])
    return found


def _state(flow: Mapping[str, Any]) -> Json:
    """What a look compares: the parts that a prediction states, the state of the version, and when both were changed."""
    version = flow.get("version")
    version = version if isinstance(version, dict) else {}
    try:
        shaped = shape(flow)
    except MALFORMED:
        shaped = {}
    times = [flow.get("updated"), version.get("updated"), version.get("id")]
    return {"shape": shaped, "times": times, "version": version.get("id"), "state": version.get("state")}


def _before_operation(workflows: Any, arguments: Json) -> Json:
    known = arguments.get("known")
    state = _state(known if isinstance(known, Mapping) else _flow(workflows, arguments))
    expected = arguments.get("expected")
    if isinstance(expected, Mapping):
        state["expected"] = _state(expected)["shape"]
    return state


#: Operations that set something outside of the steps, perhaps to what it was.
_SETTINGS = frozenset(
    {"CHANGE_FOLDER", "CHANGE_NAME", "CHANGE_STATUS", "UPDATE_METADATA", "UPDATE_MINUTES_SAVED", "UPDATE_OWNER"}
)


def _see_operation(workflows: Any, arguments: Json, before: Any) -> Seen:
    """A flow that is as predicted was changed by the operation; one that is as before was not. If somebody else changed it too, nobody
    can say."""
    flow, body = _flow(workflows, arguments), arguments["body"]
    kind, request = body.get("type"), body.get("request")
    request = request if isinstance(request, dict) else {}
    now, expected = _state(flow), before.get("expected")
    unchanged = now["times"] == before["times"] and now["shape"] == before["shape"]
    if kind == "SAVE_SAMPLE_DATA":
        return _see_sample(workflows, arguments, flow, unchanged=unchanged)
    if kind in ("LOCK_FLOW", "LOCK_AND_PUBLISH"):
        locked = now["version"] == before["version"] and now["state"] == "LOCKED"
        published = kind == "LOCK_FLOW" or flow.get("publishedVersionId") == before["version"]
        if locked and published and before["state"] != "LOCKED":
            return done(flow)
        if kind == "LOCK_FLOW":
            return NOT_DONE if unchanged else UNCLEAR
    if unchanged:
        return NOT_DONE
    if expected == now["shape"] and (kind in _SETTINGS or expected != before["shape"]):
        return done(flow)
    if expected == before["shape"] == now["shape"] and _holds(flow, kind, request):
        return done(flow)
    return UNCLEAR


def _holds(flow: Json, kind: Any, request: Json) -> bool:
    """Whether a step has all that an update of it sent; for what a prediction does not state."""
    if kind not in ("UPDATE_ACTION", "UPDATE_TRIGGER", "UPDATE_SAMPLE_DATA_INFO"):
        return False
    version = flow.get("version")
    name = request.get("name", request.get("stepName"))
    found = next((node.step for node in walk((version or {}).get("trigger")) if node.name == name), None)
    if found is None:
        return False
    if kind == "UPDATE_SAMPLE_DATA_INFO":
        return bool(_contains((found.get("settings") or {}).get("sampleData"), request.get("sampleDataSettings")))
    sent = {key: value for key, value in request.items() if key not in ("valid", "nextAction", "children")}
    settings = sent.get("settings")
    if isinstance(settings, dict):
        sent["settings"] = {key: value for key, value in settings.items() if key not in ("sampleData", "pieceVersion")}
    return _contains(found, sent)


def _contains(whole: Any, part: Any) -> bool:
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(_contains(whole.get(key), value) for key, value in part.items())
    return bool(whole == part)


def _see_sample(workflows: Any, arguments: Json, flow: Json, *, unchanged: bool) -> Seen:
    request = arguments["body"]["request"]
    version = str((flow.get("version") or {}).get("id") or "")
    kind = request.get("type") or "OUTPUT"
    try:
        stored = workflows.get_sample_data(arguments["flow_id"], version, str(request.get("stepName")), kind)
    except NotFound:
        # Older engines do not give samples.
        return NOT_DONE if unchanged else UNCLEAR
    return done(flow) if stored == request.get("payload") else NOT_DONE


FLOW_OPERATION = Look(_see_operation, _before_operation, frozenset({"known", "expected"}))


def _see_created_flow(row: Json, arguments: Json) -> bool:
    version = row.get("version")
    trigger = version.get("trigger") if isinstance(version, dict) else None
    named_so = isinstance(version, dict) and version.get("displayName") == arguments["display_name"]
    empty = not isinstance(trigger, dict) or trigger.get("type") == "EMPTY"
    return named_so and empty and (not arguments["folder_id"] or row.get("folderId") == arguments["folder_id"])


FLOW_CREATED = created(
    lambda workflows, arguments: page_rows(workflows.list_flows(limit=100, name=arguments["display_name"])),
    _see_created_flow,
)
FLOW_GONE = gone(_flow)
SAMPLE_EVENT = created(
    lambda workflows, arguments: page_rows(workflows.list_trigger_events(arguments["flow_id"], limit=100)),
    lambda row, arguments: row.get("payload") == arguments["mock_data"],
)

# Runs


def _run_ids(arguments: Json) -> list[str]:
    return ids(arguments["run_ids"]) if "run_ids" in arguments else [arguments["run_id"]]


def _runs(workflows: Any, arguments: Json) -> dict[str, Json]:
    wanted = _run_ids(arguments)
    if len(wanted) == 1:
        return {wanted[0]: _run_state(workflows.get_run(wanted[0]))}
    rows = workflows.list_runs(limit=len(wanted), flow_run_ids=wanted)["data"]
    found = {str(row.get("id")): _run_state(row) for row in rows}
    return {run: found.get(run, {}) for run in wanted}


def _run_state(run: Json) -> Json:
    return {key: run.get(key) for key in ("id", "status", "finishTime", "archivedAt", "updated")}


def _by_runs(changed: Callable[[Json, Json], Outcome]) -> Look:
    def see(workflows: Any, arguments: Json, before: Any) -> Seen:
        now = _runs(workflows, arguments)
        found = {changed(before.get(key, {}), run) for key, run in now.items()}
        if found == {Outcome.DONE}:
            rows = list(now.values())
            return done(rows[0] if "run_id" in arguments else rows)
        return NOT_DONE if found == {Outcome.NOT_DONE} else UNCLEAR

    return Look(see, _runs)


def _retried(before: Json, now: Json) -> Outcome:
    same = all(before.get(key) == now.get(key) for key in ("status", "finishTime"))
    return Outcome.NOT_DONE if same else Outcome.DONE


def _cancelled(before: Json, now: Json) -> Outcome:
    if now.get("status") == "CANCELED":
        return Outcome.DONE
    return Outcome.NOT_DONE if now.get("status") == before.get("status") else Outcome.UNCLEAR


def _archived(_before: Json, now: Json) -> Outcome:
    return Outcome.DONE if now.get("archivedAt") else Outcome.NOT_DONE


RUNS_RETRIED, RUNS_CANCELLED, RUNS_ARCHIVED = _by_runs(_retried), _by_runs(_cancelled), _by_runs(_archived)


def _before_retry(workflows: Any, arguments: Json) -> Json:
    if arguments["strategy"] == "FROM_FAILED_STEP":
        return {"runs": _runs(workflows, arguments)}
    flows = {str(workflows.get_run(run).get("flowId")) for run in _run_ids(arguments)}
    return {"flows": sorted(flows), "ids": sorted(_newest(workflows, flows))}


def _newest(workflows: Any, flows: Iterable[str]) -> dict[str, Json]:
    rows = workflows.list_runs(limit=20, flow_id=list(flows))["data"]
    return {str(row.get("id")): row for row in rows}


def _see_retry(workflows: Any, arguments: Json, before: Any) -> Seen:
    """A retry of the same run shows in it. One on the latest version is a new run, which others of the flow cannot be told from."""
    if "runs" in before:
        return RUNS_RETRIED.see(workflows, arguments, before["runs"])
    return UNCLEAR if set(_newest(workflows, before["flows"])) - {*before["ids"]} else NOT_DONE


RETRY = Look(_see_retry, _before_retry)

# Folders


def _folder(workflows: Any, arguments: Json) -> Json:
    found: Json = workflows.get_folder(arguments["folder_id"])
    return found


FOLDER_CREATED = named(
    lambda workflows, _arguments: page_rows(workflows.list_folders(limit=MANY)),
    "displayName",
    lambda arguments: str(arguments["display_name"]),
)
FOLDER_RENAMED = attribute(
    _folder, lambda folder: folder.get("displayName"), lambda arguments: arguments["display_name"]
)
FOLDER_GONE = gone(_folder)

# Connections


def _connections(workflows: Any, _arguments: Json) -> list[Json]:
    return page_rows(workflows.list_connections(limit=MANY))


def _connection(workflows: Any, arguments: Json) -> Json:
    """From the list: Activepieces has no route for one."""
    listed = _connections(workflows, arguments)
    found = next((row for row in listed if row.get("id") == arguments["connection_id"]), None)
    if found is None and is_cut(listed):
        return {}
    if found is None:
        raise NotFound("The list of connections does not hold this id.", code="ENTITY_NOT_FOUND", sent=True)
    return found


def _same_connection(workflows: Any, arguments: Json) -> Json:
    wanted = arguments["body"].get("externalId")
    return next((row for row in _connections(workflows, arguments) if row.get("externalId") == wanted), {})


_CONNECTION = ("id", "updated", "displayName", "type", "pieceName")


def _before_connection(workflows: Any, arguments: Json) -> list[Any]:
    found = _same_connection(workflows, arguments)
    return [found.get(key) for key in _CONNECTION]


def _see_connection(workflows: Any, arguments: Json, before: Any) -> Seen:
    """Done if the connection is new, or has a sent value that it had not.

    Its secret cannot be read, and `updated` alone proves nothing: the engine changes it, too, when it renews a token of OAuth.
    """
    found, body = _same_connection(workflows, arguments), arguments["body"]
    was = dict(zip(_CONNECTION, before, strict=False))
    changed = {key for key, value in was.items() if found.get(key) != value}
    if not found or not changed:
        return NOT_DONE
    sent = any(key in body and found.get(key) == body[key] for key in changed)
    return done(found) if "id" in changed or sent else UNCLEAR


CONNECTION_STORED = Look(_see_connection, _before_connection)
CONNECTION_RENAMED = attribute(
    _connection, lambda row: row.get("displayName"), lambda arguments: arguments["display_name"]
)
CONNECTION_GONE = gone_from(_connections, "connection_id")

# MCP servers and invitations


def _servers(workflows: Any, _arguments: Json) -> list[Json]:
    return page_rows(workflows.list_mcp_servers(limit=100))


def _server(workflows: Any, arguments: Json) -> Json:
    found: Json = workflows.get_mcp_server(arguments["mcp_server_id"])
    return found


def _only_server(workflows: Any, _arguments: Json) -> Json:
    return next(iter(_servers(workflows, {})), {})


def _server_values(row: Json) -> Json:
    return {"name": row.get("name"), "tools": _tool_keys(row.get("tools"))}


def _tool_keys(tools: Any) -> list[str]:
    """What identifies each tool: the engine gives names new endings."""
    listed = tools if isinstance(tools, list) else []
    keys = []
    for tool in listed:
        if isinstance(tool, dict):
            piece = tool.get("pieceMetadata")
            piece = piece if isinstance(piece, dict) else {}
            keys.append(f"{tool.get('type')} {tool.get('flowId')} {piece.get('pieceName')} {piece.get('actionName')}")
    return sorted(keys)


def _see_server(workflows: Any, arguments: Json, before: Any) -> Seen:
    found, body = _server(workflows, arguments), arguments["body"]
    now = _server_values(found)
    wanted = {key: body[key] for key in ("name",) if key in body}
    if "tools" in body:
        wanted["tools"] = _tool_keys(body["tools"])
    if all(now[key] == value for key, value in wanted.items()):
        return done(found)
    return NOT_DONE if now == before else UNCLEAR


def _token(row: Json) -> str:
    return hashlib.sha256(str(row.get("token")).encode()).hexdigest()


def _see_token(workflows: Any, arguments: Json, before: Any) -> Seen:
    found = _server(workflows, arguments)
    return NOT_DONE if _token(found) == before else done(found)


MCP_TOOLS = attribute(
    _only_server,
    lambda row: sorted(map(str, row.get("enabledTools") or [])),
    lambda arguments: sorted(map(str, arguments["tools"])),
)
MCP_CREATED = created(_servers, lambda row, arguments: row.get("name") == arguments["body"].get("name"))
MCP_CHANGED = Look(_see_server, lambda workflows, arguments: _server_values(_server(workflows, arguments)))
MCP_GONE = gone(_server)
MCP_TOKEN = Look(_see_token, lambda workflows, arguments: _token(_server(workflows, arguments)))


def _see_invitation(workflows: Any, arguments: Json, before: Any) -> Seen:
    for kind in before:
        listed = page_rows(workflows.list_invitations(kind, limit=MANY))
        if any(row.get("id") == arguments["invitation_id"] for row in listed):
            return NOT_DONE
        if is_cut(listed):
            return UNCLEAR
    return done() if before else UNCLEAR


def _before_invitation(workflows: Any, arguments: Json) -> list[str]:
    """The lists that hold the invitation; some may be closed to the credential."""
    held = []
    for kind in ("PROJECT", "PLATFORM"):
        try:
            rows = workflows.list_invitations(kind, limit=MANY)["data"]
        except EngineError:
            continue
        if any(row.get("id") == arguments["invitation_id"] for row in rows):
            held.append(kind)
    return held


INVITATION_GONE = Look(_see_invitation, _before_invitation)
