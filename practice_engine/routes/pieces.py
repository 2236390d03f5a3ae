"""Pieces, their options and, in 0.83, their installation (api.md section 11; recordings ``piece*``)."""

from typing import Any

from practice_engine import accounts, catalog, ids, piece_steps, subflows, validity
from practice_engine.core import Engine, constant, route
from practice_engine.http import OPTIONAL, V083, HttpError, Json, Request
from practice_engine.schema import PROJECT_083, Field, required
from practice_engine.state import read_data

LIST = {
    **dict.fromkeys(("searchQuery", "locale", "release"), Field()),
    "categories": Field(many=True),
    "sortBy": Field(choices=("NAME", "UPDATED", "CREATED", "POPULARITY")),
    "orderBy": Field(choices=("ASC", "DESC")),
    "suggestionType": Field(choices=("ACTION", "TRIGGER", "ACTION_AND_TRIGGER")),
    "projectId": Field("id"),
}
GET = {"version": Field(), "projectId": Field("id"), "locale": Field()}
INSTALL = {
    "packageType": required(choices=("REGISTRY", "ARCHIVE")),
    "scope": required(choices=("PLATFORM",)),
    **dict.fromkeys(("pieceName", "pieceVersion"), required()),
}
REGISTRY = {
    "release": required(since=V083),
    "edition": required(choices=("ce", "ee", "cloud"), since=V083),
}
OPTIONS = {
    **dict.fromkeys(("pieceName", "pieceVersion", "actionOrTriggerName", "propertyName"), required()),
    **dict.fromkeys(("flowId", "flowVersionId"), required("id")),
    "input": Field("object"),
    "searchValue": Field(),
    "projectId": PROJECT_083,
}


@route("GET", "/v1/pieces", query=LIST, auth=OPTIONAL)
def list_pieces(engine: Engine, request: Request) -> list[Json]:
    """List all pieces as a plain array; a limit is ignored (recording ``pieces_limit_param_ignored``).

    Without a credential the platform's own pieces are missing (recording ``pieces_list_anonymous``).
    """
    query = request.query
    if request.version >= V083 and "release" in query:
        raise HttpError.domain("PIECE_SYNC_NOT_SUPPORTED", message="ask without a release", release=query["release"])
    rows = [piece for piece in engine.pieces(request.version).values() if _matches(piece, query)]
    if request.principal_or_none is None:
        rows = [piece for piece in rows if piece["platformId"] is None]
    if query.get("sortBy") in ("UPDATED", "CREATED"):
        rows.sort(key=lambda piece: str(piece[query["sortBy"].lower()]))
    if query.get("orderBy") == "DESC":
        rows.reverse()
    return [_summary(catalog.full_piece(piece, request.version, query.get("locale", "")), query) for piece in rows]


@route("POST", "/v1/pieces", body=INSTALL, since=V083, status=201)
def install(engine: Engine, request: Request) -> Json:
    """Install a piece on the platform, from the registry or, of type multipart/form-data, from an archive; for administrators.

    The practice engine's registry holds the pieces of its catalogue: only those that a setting removed can be installed.
    """
    accounts.require_admin(request, engine.state)
    values = request.values
    piece = catalog.pieces(request.version).get(values["pieceName"])
    if piece is None or piece["version"] != values["pieceVersion"]:
        raise HttpError.domain("ENGINE_OPERATION_FAILURE", message="the registry does not have this piece")
    missing = engine.settings.missing_pieces
    if piece["name"] not in missing:
        raise HttpError.domain("VALIDATION", message="the piece is installed already")
    missing.remove(piece["name"])
    archive = {"packageType": "ARCHIVE", "archiveId": ids.new_id()} if values["packageType"] == "ARCHIVE" else {}
    return catalog.full_piece(piece, request.version) | archive


constant("/v1/pieces/categories", catalog.CATEGORIES, auth=OPTIONAL)


@route("GET", "/v1/pieces/registry", query=REGISTRY, auth=OPTIONAL)
def registry(engine: Engine, request: Request) -> list[Json]:
    return [{"name": piece["name"], "version": piece["version"]} for piece in engine.pieces(request.version).values()]


@route("GET", "/v1/pieces/versions", query={"name": Field()}, auth=OPTIONAL)
def versions(engine: Engine, request: Request) -> Json:
    piece = engine.pieces(request.version).get(request.query.get("name", ""))
    return {piece["version"]: {}} if piece else {}


@route("POST", "/v1/pieces/options", body=OPTIONS, status=200)
def options(engine: Engine, request: Request) -> Json | None:
    """The choices of a property. An unknown one: 200 without a body (recording ``piece_options_bad_prop``)."""
    values = request.values
    piece = validity.get_piece(request.principal.project, values["pieceName"], engine.pieces(request.version))
    operation = {**piece["actions"], **piece["triggers"]}.get(values["actionOrTriggerName"])
    prop = operation["props"].get(values["propertyName"]) if operation else None
    if prop is None:
        return None
    inputs = values.get("input") or {}
    if prop["type"] == "DYNAMIC":
        return {"type": "DYNAMIC", "options": _dynamic_properties(values["propertyName"], inputs)}
    if piece["auth"] and "auth" in prop.get("refreshers", []) and not inputs.get("auth"):
        choices: Json = {"options": [], "disabled": True, "placeholder": "Connect an account first"}
    elif _is_refused(engine, request, str(inputs.get("auth"))):
        choices = {"options": [], "disabled": True, "placeholder": "Throws an error, reconnect or refresh the page"}
    else:
        if values["pieceName"] == piece_steps.SUBFLOWS:
            # Without `disabled` (recording ``subflow_00_options``).
            return {"type": prop["type"], "options": {"options": _callable_flows(engine, request.principal.project)}}
        known, text = read_data("catalog/options.json")["choices"], values.get("searchValue", "").lower()
        labels = known.get(values["propertyName"], known["otherwise"])
        rows = [{"label": label, "value": label.lower().replace(" ", "-")} for label in labels if text in label.lower()]
        choices = {"options": rows, "disabled": False}
    return {"type": prop["type"], "options": choices}


def _is_refused(engine: Engine, request: Request, auth: str) -> bool:
    """Whether the app refuses the account of the connection that `auth` names: its loader throws."""
    named = [row for row in request.own_rows(engine.state.connections) if f"connections['{row['externalId']}']" in auth]
    return any(row["status"] == "ERROR" for row in named)


@route("GET", "/v1/pieces/{name:rest}", query=GET, auth=OPTIONAL)
def get(engine: Engine, request: Request) -> Json:
    """A piece with its actions and triggers, of one version if the query names it (recordings ``piece_get_*_version``)."""
    project = request.principal_or_none.project if request.principal_or_none else ""
    piece = validity.get_piece(project, request.params["name"], engine.pieces(request.version))
    version = str(request.query.get("version", piece["version"]))
    if validity.VERSION.fullmatch(version) is None:
        raise HttpError.invalid("querystring/version must be a version")
    if not _has_version(engine, request, piece, version):
        raise HttpError.domain("ENTITY_NOT_FOUND", message=f"no such version of {piece['name']}")
    full = catalog.full_piece(piece, request.version, request.query.get("locale", ""))
    return full if version[0] in "~^" else {**full, "version": version}


def _callable_flows(engine: Engine, project: str) -> list[Json]:
    rows = subflows.callable_flows(engine.state, project)
    return [
        {"value": row["externalId"], "label": engine.state.versions[row["versionId"]]["displayName"]} for row in rows
    ]


def _dynamic_properties(name: str, inputs: Json) -> Json:
    """The properties of a dynamic one, which depend on another input (recordings ``piece_options``, ``piece_options_trigger``)."""
    dynamic = read_data("catalog/options.json")["dynamic"]
    sets: Json = dynamic.get(name, dynamic["otherwise"])
    chosen = str(inputs.get(sets.get("depends_on", "")))
    properties: Json = sets[chosen if chosen in sets else "otherwise"]
    return properties


def _has_version(engine: Engine, request: Request, piece: Json, version: str) -> bool:
    """Whether the engine has this version or, for ``~`` and ``^``, a later compatible one."""
    if version == piece["version"]:
        return True
    if version[0] not in "~^":
        return engine.rules(request.version).has_version(piece, version)
    wanted, newest = ([int(part) for part in one.lstrip("~^").split(".")] for one in (version, piece["version"]))
    same = 2 if version[0] == "~" or wanted[0] == 0 else 1
    return wanted[:same] == newest[:same] and wanted <= newest


def _matches(piece: Json, query: Json) -> bool:
    words = " ".join([piece["name"], piece["displayName"], piece["description"]]).lower()
    fits = "categories" not in query or bool(set(query["categories"]) & set(piece["categories"] or []))
    return fits and query.get("searchQuery", "").lower() in words


def _summary(piece: Json, query: Json) -> Json:
    row: dict[str, Any] = {**piece, "actions": len(piece["actions"]), "triggers": len(piece["triggers"])}
    for name in ("i18n", "contextInfo"):
        row.pop(name, None)
    kind = query.get("suggestionType")
    if kind:
        row["suggestedActions"] = list(piece["actions"].values()) if "ACTION" in kind else []
        row["suggestedTriggers"] = list(piece["triggers"].values()) if "TRIGGER" in kind else []
    return row
