"""Flows as each version of the engine shows them. The state has what 0.83.0 shows; 0.72.4 shows less.

Flows of sample data, and those saved by an older practice engine, lack new fields: they are filled in here.
"""

from . import accounts, ids, tree, validity
from .http import V083, HttpError, Json, Version
from .state import State

#: Fields that 0.72.4 does not have.
NEW_FLOW_FIELDS = ("ownerId", "templateId", "timeSavedPerRun")
#: Fields that only the practice engine has.
HIDDEN = ("versionId", "sample")
HEADER = ("id", "created", "updated", "flowId", "displayName", "valid", "state", "updatedBy")


def flow_json(
    state: State, row: Json, version: Version, version_state: str = "DRAFT", version_id: str | None = None
) -> Json:
    """A flow with its latest version, the published one (``version_state`` LOCKED), or the one with ``version_id``."""
    chosen = version_id or row["publishedVersionId" if version_state == "LOCKED" else "versionId"]
    if chosen is None:
        # One flow that was never published makes the whole list fail (api.md 6.4).
        raise HttpError.domain("ENTITY_NOT_FOUND")
    flow = {key: value for key, value in row.items() if key not in (*HIDDEN, *NEW_FLOW_FIELDS)}
    if version >= V083:
        flow |= {"ownerId": owner_id(state, row), "templateId": None, "timeSavedPerRun": row.get("timeSavedPerRun")}
    return {**flow, "version": version_json(state.versions[chosen], version)}


def version_json(row: Json, version: Version) -> Json:
    shown = {key: value for key, value in row.items() if key != "notes"}
    shown |= {"trigger": tree.copied(row["trigger"]), "schemaVersion": schema_version(version)}
    for step in tree.walk(shown["trigger"]):
        changed = step.pop("lastUpdatedDate", row["updated"])
        if version >= V083:
            step["lastUpdatedDate"] = changed
            if "pieceVersion" in step["settings"]:
                step["settings"]["pieceVersion"] = validity.exact_version(step["settings"]["pieceVersion"])
    if version >= V083:
        shown["notes"] = row.get("notes", [])
    return shown


def version_header(state: State, row: Json, version: Version) -> Json:
    """A version as the list of versions shows it, with its last editor (recordings ``flow_versions_*``)."""
    user = state.users.get(row["updatedBy"] or "")
    user_json = accounts.full_user if version >= V083 else accounts.basic_user
    header = {**{name: row[name] for name in HEADER}, "schemaVersion": schema_version(version)}
    return {**header, "updatedByUser": user_json(user) if user else None}


def template(state: State, row: Json, flow_version: Json, version: Version) -> Json:
    """A flow as a template to share: 0.72.4 has it in ``template`` and times as numbers in texts, 0.83.0 in ``flows``."""
    shown = version_json(flow_version, version)
    name, used = shown["displayName"], tree.pieces(shown["trigger"])
    body = {key: shown[key] for key in ("displayName", "trigger", "valid", "schemaVersion")}
    if version < V083:
        moment = str(ids.epoch_ms(ids.stamp()))
        row = {"created": moment, "updated": moment, "name": name, "description": "", "tags": [], "pieces": used}
        return {**row, "template": body, "blogUrl": ""}
    shared = shared_template(state.users[owner_id(state, row)], name, used, {"externalId": row["externalId"]})
    return {**shared, "flows": [{**body, "notes": shown["notes"]}]}


def shared_template(author: Json, name: str, pieces: list[str], metadata: Json) -> Json:
    """A template of 0.83.0 without its content."""
    texts = dict.fromkeys(("summary", "description", "blogUrl"), "")
    lists: Json = {"tags": [], "categories": [], "pieces": pieces}
    author_name = f"{author['firstName']} {author['lastName']}"
    kind = {"type": "SHARED", "status": "PUBLISHED"}
    return {"name": name, **kind, **texts, **lists, "author": author_name, "metadata": metadata}


def owner_id(state: State, row: Json) -> str:
    """The id of the flow's owner, by default that of the project's."""
    return str(row.get("ownerId") or state.projects[row["projectId"]]["ownerId"])


def schema_version(version: Version) -> str:
    """The schema in which the engine stores trees; older ones are migrated to it."""
    return "20" if version >= V083 else "8"
