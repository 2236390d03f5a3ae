"""App connections (api.md section 10; recordings ``conn_*``; for 0.83 engine-0.83.md section 9)."""

import json
import urllib.parse
from typing import Any

from practice_engine import accounts, catalog, ids, pages, tree, validity
from practice_engine.core import Engine, route
from practice_engine.http import V083, HttpError, Json, Request, Response
from practice_engine.schema import PAGE, PROJECT, Field, Schema, read, required

TEXT = required(min_length=1)
OAUTH: Schema = {
    "code": TEXT,
    "scope": required(),
    "code_challenge": Field(),
    "authorization_method": Field(choices=("HEADER", "BODY")),
    "props": Field("object"),
    "client_id": TEXT,
}
GRANT = Field(choices=("authorization_code", "client_credentials"))
#: What ``value`` must hold besides its ``type`` (api.md 10.3).
VALUES: dict[str, Schema] = {
    "SECRET_TEXT": {"secret_text": TEXT},
    "BASIC_AUTH": {"username": TEXT, "password": TEXT},
    "CUSTOM_AUTH": {"props": required("object")},
    "NO_AUTH": {},
    "OAUTH2": {**OAUTH, "client_secret": TEXT, "redirect_url": TEXT, "grant_type": GRANT},
    "PLATFORM_OAUTH2": {**OAUTH, "redirect_url": TEXT},
    "CLOUD_OAUTH2": OAUTH,
}
LIST = {
    **PAGE,
    **dict.fromkeys(("pieceName", "displayName", "imbraceUserId"), Field()),
    "projectId": PROJECT,
    "status": Field(choices=("ACTIVE", "MISSING", "ERROR"), many=True),
    "scope": Field(choices=("PROJECT", "PLATFORM")),
}
METADATA = Field("object", nullable=True)
UPSERT = {
    **dict.fromkeys(("externalId", "displayName", "pieceName"), required()),
    "type": required(choices=tuple(VALUES)),
    "value": required("object"),
    "metadata": METADATA,
    "pieceVersion": Field(),
    "projectId": PROJECT,
}
REPLACE = {
    **dict.fromkeys(("sourceAppConnectionId", "targetAppConnectionId"), required("id")),
    **dict.fromkeys(("applyToPublishedVersions", "deleteSourceConnection"), Field("boolean")),
    "projectId": PROJECT,
}
AUTHORIZE = {
    **dict.fromkeys(("pieceName", "clientId", "redirectUrl"), required()),
    "pieceVersion": Field(),
    "projectId": required("id"),
    "props": Field("object"),
}
#: What a code of the practice provider begins with; each can be used once, as with every provider.
PRACTICE_CODE = "code-"


@route("GET", "/v1/app-connections", query=LIST)
def list_connections(engine: Engine, request: Request) -> Json:
    """List the project's connections, oldest first, without their secrets."""
    rows = [row for row in request.own_rows(engine.state.connections) if _matches(row, request.query)]
    return pages.page(rows, request.query, lambda row: _with_owner(engine, request, row), oldest_first=True)


@route("GET", "/v1/app-connections/owners", query={"projectId": PROJECT})
def owners(engine: Engine, request: Request) -> Json:
    """List the people of the project, with and without connections (recording ``conn_owners``)."""
    project = request.principal.project
    users = [user for key, user in engine.state.users.items() if project in accounts.project_ids(engine.state, key)]
    return pages.single_page([{key: user[key] for key in ("firstName", "lastName", "email")} for user in users])


@route("GET", "/v1/app-connections/{id:id}", flavours=("imbrace",))
def get(engine: Engine, request: Request) -> Json:
    """A connection with its secret: Imbrace's fork only (recording ``conn_get_by_id_route``: 404 on Activepieces)."""
    row = _get_connection(engine, request)
    return {**_with_owner(engine, request, row), "value": row["value"]}


@route("POST", "/v1/app-connections", body=UPSERT, status=201)
def upsert(engine: Engine, request: Request) -> Json:
    """Create, or update the one with this external id; 201 either way."""
    values, kind = request.values, request.values["type"]
    if values["value"].get("type") != kind:
        raise HttpError.invalid("body/value/type must be the same as body/type")
    value = read(values["value"], VALUES[kind], "body/value", request)
    piece = _get_piece(engine, request)
    if kind != "NO_AUTH" and piece["auth"]:
        _test(engine, request, piece, kind, value)
    rows = request.own_rows(engine.state.connections)
    row = next((one for one in rows if one["externalId"] == values["externalId"]), None)
    row = row or engine.state.add_row(
        "connections",
        externalId=values["externalId"],
        projectIds=[request.principal.project],
        scope="PROJECT",
        platformId=accounts.PLATFORM,
        ownerId=request.principal.user,
        metadata=None,
    )
    row |= {"displayName": values["displayName"], "type": kind, "pieceName": values["pieceName"], "status": "ACTIVE"}
    row |= {"pieceVersion": values.get("pieceVersion", piece["version"]), "value": {"type": kind, **value}}
    row |= {"metadata": values.get("metadata", row["metadata"]), "updated": ids.stamp()}
    return _without_secret(request, row)


@route("POST", "/v1/app-connections/replace", body=REPLACE)
def replace(engine: Engine, request: Request) -> Response:
    """Make every flow that uses one connection use another, and delete that one, whatever else the request says.

    0.83 publishes the newest locked version with the other connection and turns the flow on (recordings ``conn_replace_off_*``); onto
    itself, too, the connection is deleted (``conn_replace_other_07_onto_itself``). 0.72.4 changes both versions where they are.
    """
    values = request.values
    source = _get_connection(engine, request, values["sourceAppConnectionId"])
    target = _get_connection(engine, request, values["targetAppConnectionId"])
    if source["pieceName"] != target["pieceName"]:
        raise HttpError.domain("VALIDATION", message="Connections must be from the same app")
    older = request.version < V083
    old, new = (f"connections['{one['externalId']}']" for one in (source, target))
    for flow in request.own_rows(engine.state.flows):
        versions = [engine.state.versions[key] for key in {flow["versionId"], flow["publishedVersionId"]} - {None}]
        if not any(old in json.dumps(row["trigger"]) for row in versions):
            continue
        if not older:
            versions = _publish_replaced(engine, flow)
        for row in versions:
            row["trigger"] = json.loads(json.dumps(row["trigger"]).replace(old, new))
            row["connectionIds"] = tree.connection_ids(row["trigger"])
            row["updated"] = ids.stamp()
    if source["scope"] == "PROJECT":
        del engine.state.connections[source["id"]]
    return Response(200 if older else 204)


def _publish_replaced(engine: Engine, flow: Json) -> list[Json]:
    """Make the newest locked version live under the draft's id, and a new draft of the draft; return the versions to change.

    Without a locked version only the draft is changed (``conn_replace_other_05_never_published_after``).
    """
    versions = engine.state.versions
    draft = versions[flow["versionId"]]
    own = [row for row in versions.values() if row["flowId"] == flow["id"] and row["state"] == "LOCKED"]
    if not own:
        return [draft]
    locked, moment = max(own, key=lambda row: str(row["created"])), ids.stamp()
    steps: Json = {key: tree.copied(locked[key]) for key in ("trigger", "displayName", "notes") if key in locked}
    changed = []
    if draft["state"] == "DRAFT":
        copy = {**tree.copied(draft), "id": ids.new_id(), "created": moment, "updated": moment}
        versions[copy["id"]] = copy
        live = draft
        flow["versionId"] = copy["id"]
        changed.append(copy)
    else:
        live = {**tree.copied(locked), "id": ids.new_id(), "created": moment, "updated": moment}
        versions[live["id"]] = live
        flow["versionId"] = live["id"]
    live |= {**steps, "state": "LOCKED"}
    flow |= {"publishedVersionId": live["id"], "status": "ENABLED", "updated": moment}
    flow["triggerSource"] = {"schedule": tree.schedule_for(live["trigger"])}
    return [*changed, live]


@route("POST", "/v1/app-connections/oauth2/authorization-url", body=AUTHORIZE, since=V083)
def authorization_url(engine: Engine, request: Request) -> Json:
    """Where a person signs in at the app, and the code verifier (recording ``conn_oauth2_authorization_url``)."""
    values = request.values
    auth = _get_piece(engine, request)["auth"]
    if not auth or auth["type"] != "OAUTH2":
        raise HttpError.invalid("body/pieceName must be of a piece with a sign-in of this kind")
    verifier = ids.new_id(43)
    query = {"response_type": "code", "client_id": values["clientId"], "redirect_uri": values["redirectUrl"]}
    query |= {"state": ids.new_id(), "scope": " ".join(auth["scope"])}
    query |= {"code_challenge_method": "plain", "code_challenge": verifier}
    return {"authorizationUrl": f"{auth['authUrl']}?{urllib.parse.urlencode(query)}", "codeVerifier": verifier}


@route("POST", "/v1/app-connections/{id:id}", body={"displayName": TEXT, "metadata": METADATA})
def rename(engine: Engine, request: Request) -> Json:
    row = _get_connection(engine, request)
    row |= {**request.values, "updated": ids.stamp()}
    return _without_secret(request, row)


@route("DELETE", "/v1/app-connections/{id:id}")
def delete(engine: Engine, request: Request) -> None:
    """Delete. A connection of the platform responds 204 and stays (api.md 10.2)."""
    row = _get_connection(engine, request)
    if row["scope"] == "PROJECT":
        del engine.state.connections[row["id"]]


def _get_connection(engine: Engine, request: Request, identity: str | None = None) -> Json:
    return request.own_row(engine.state.connections, identity, "AppConnection")


def _matches(row: Json, query: Json) -> bool:
    return (
        row["pieceName"] == query.get("pieceName", row["pieceName"])
        and query.get("displayName", "").lower() in row["displayName"].lower()
        and row["status"] in query.get("status", [row["status"]])
        and row["scope"] == query.get("scope", row["scope"])
        and ("imbraceUserId" not in query or (row["metadata"] or {}).get("imbraceUserId") == query["imbraceUserId"])
    )


def _get_piece(engine: Engine, request: Request) -> Json:
    return validity.get_piece(request.principal.project, request.values["pieceName"], engine.pieces(request.version))


def _test(engine: Engine, request: Request, piece: Json, kind: str, value: Json) -> None:
    """Refuse as the service would: secrets with "wrong" in them, the recorded ``sk-test``, and missing ones."""
    wrong = any("wrong" in text.lower() or text == "sk-test" for text in _texts(value))
    if kind.endswith("OAUTH2"):
        _exchange_code(engine, request, piece, kind, value, wrong)
        return
    if kind == "CUSTOM_AUTH" and piece["auth"]["type"] == "CUSTOM_AUTH":
        props = piece["auth"]["props"].items()
        secrets = [name for name, prop in props if prop["type"] == "SECRET_TEXT" and prop["required"]]
        wrong = wrong or not all(value["props"].get(name) for name in secrets)
    if wrong:
        raise HttpError.domain("INVALID_APP_CONNECTION", error="the service refused this secret")


def _exchange_code(engine: Engine, request: Request, piece: Json, kind: str, value: Json, wrong: bool) -> None:
    """Exchange a code for tokens (recordings ``conn_upsert_oauth2_bad_code``, ``..._cloud_oauth2``, ``..._platform_oauth2``)."""
    if kind == "PLATFORM_OAUTH2" and request.version >= V083:
        raise HttpError.plain(500, "this edition has no clients of the platform")
    used = engine.state.given.setdefault("used codes", {})
    if value.get("grant_type") != "client_credentials":
        code = value["code"]
        wrong = wrong or not code.startswith(PRACTICE_CODE) or code in used
        if not wrong:
            used[code] = True
    if wrong and kind == "CLOUD_OAUTH2":
        raise HttpError.domain("INVALID_CLOUD_CLAIM", pieceName=piece["name"])
    if wrong:
        params = {"tokenUrl": piece["auth"].get("tokenUrl", ""), "redirectUrl": value.get("redirect_url", "")}
        raise HttpError.domain("INVALID_CLAIM", clientId=value["client_id"], **params)


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for inner in value.values() for text in _texts(inner)]
    return [value] if isinstance(value, str) else []


def _without_secret(request: Request, row: Json) -> Json:
    public = {key: value for key, value in row.items() if key not in ("value", "pieceVersion")}
    if request.version < V083:
        return public
    version = row.get("pieceVersion") or catalog.pieces(request.version)[row["pieceName"]]["version"]
    return {**public, "pieceVersion": version, "preSelectForNewProjects": False, "usingSecretManager": False}


def _with_owner(engine: Engine, request: Request, row: Json) -> Json:
    """A connection without its secret, with its owner and the flows that use it."""
    flows = [
        flow["id"]
        for flow in engine.state.flows.values()
        if row["externalId"] in engine.state.versions[flow["versionId"]]["connectionIds"]
    ]
    owner = engine.state.users.get(row["ownerId"])
    return {**_without_secret(request, row), "owner": owner and accounts.basic_user(owner), "flowIds": flows}
