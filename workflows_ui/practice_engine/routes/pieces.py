"""Pieces and their options (api.md section 11; recordings ``piece*``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workflows_ui.practice_engine import catalog, validity
from workflows_ui.practice_engine.auth import OPTIONAL
from workflows_ui.practice_engine.http import Json, Request, Response, answer, empty
from workflows_ui.practice_engine.router import Routes
from workflows_ui.practice_engine.schema import Field, need

if TYPE_CHECKING:
    from workflows_ui.practice_engine.engine import PracticeEngine

routes = Routes()
LIST = {
    "searchQuery": Field(),
    "categories": Field(many=True),
    "sortBy": Field(choices=("NAME", "UPDATED", "CREATED", "POPULARITY")),
    "orderBy": Field(choices=("ASC", "DESC")),
    "suggestionType": Field(choices=("ACTION", "TRIGGER", "ACTION_AND_TRIGGER")),
    "projectId": Field("id"),
}
OPTIONS = {
    "pieceName": need(),
    "pieceVersion": need(),
    "actionOrTriggerName": need(),
    "propertyName": need(),
    "flowId": need("id"),
    "flowVersionId": need("id"),
    "input": Field("object"),
    "searchValue": Field(),
    "projectId": Field("id"),
}


@routes.route("GET", "/v1/pieces", query=LIST, auth=OPTIONAL)
def find(engine: PracticeEngine, request: Request) -> list[Json]:
    """All pieces as a plain array; a limit is not known here (recording ``pieces_limit_param_ignored``).

    Without a credential the platform's own pieces are missing (recording ``pieces_list_anonymous``).
    """
    query = request.query
    rows = [piece for piece in catalog.PIECES.values() if _matches(piece, query)]
    if request.principal_or_none is None:
        rows = [piece for piece in rows if piece["platformId"] is None]
    if query.get("sortBy") in ("UPDATED", "CREATED"):
        rows.sort(key=lambda piece: str(piece[query["sortBy"].lower()]))
    if query.get("orderBy") == "DESC":
        rows.reverse()
    return [_summary(piece, query) for piece in rows]


@routes.route("GET", "/v1/pieces/categories", auth=OPTIONAL)
def categories(engine: PracticeEngine, request: Request) -> list[str]:
    """The categories."""
    return catalog.CATEGORIES


@routes.route("GET", "/v1/pieces/registry", auth=OPTIONAL)
def registry(engine: PracticeEngine, request: Request) -> list[Json]:
    """Names and versions."""
    return [{"name": piece["name"], "version": piece["version"]} for piece in catalog.PIECES.values()]


@routes.route("GET", "/v1/pieces/versions", query={"name": Field()}, auth=OPTIONAL)
def versions(engine: PracticeEngine, request: Request) -> Json:
    """The versions of one piece."""
    piece = catalog.PIECES.get(request.query.get("name", ""))
    return {piece["version"]: {}} if piece else {}


@routes.route("POST", "/v1/pieces/options", body=OPTIONS)
def options(engine: PracticeEngine, request: Request) -> Response:
    """The choices of a property. One that is not there: 200 without a body (recording ``piece_options_bad_prop``)."""
    values = request.values
    piece = validity.piece(request.principal.project, values["pieceName"])
    operation = {**piece["actions"], **piece["triggers"]}.get(values["actionOrTriggerName"])
    prop = operation["props"].get(values["propertyName"]) if operation else None
    if prop is None:
        return empty(200)
    given = values.get("input") or {}
    if prop["type"] == "DYNAMIC":
        return answer({"type": "DYNAMIC", "options": _dynamic(values["propertyName"], given)})
    if piece["auth"] and "auth" in prop.get("refreshers", []) and not given.get("auth"):
        shown: Json = {"options": [], "disabled": True, "placeholder": "Connect an account first"}
    else:
        wanted = values.get("searchValue", "").lower()
        names = [name for name in CHOICES.get(values["propertyName"], DEFAULT_CHOICES) if wanted in name.lower()]
        shown = {
            "options": [{"label": name, "value": name.lower().replace(" ", "-")} for name in names],
            "disabled": False,
        }
    return answer({"type": prop["type"], "options": shown})


@routes.route("GET", "/v1/pieces/{name:rest}", query={"version": Field(), "projectId": Field("id")}, auth=OPTIONAL)
def get(engine: PracticeEngine, request: Request) -> Json:
    """One piece with its actions and triggers."""
    project = request.principal_or_none.project if request.principal_or_none else ""
    return validity.piece(project, request.params["name"])


CHOICES = {
    "channel": ["Bán hàng", "Kho vận", "Thông báo chung"],
    "model": ["Small model", "Large model"],
    "spreadsheet_id": ["Đơn hàng 2025", "Khách hàng", "Tồn kho"],
    "sheet_id": ["Tháng 10", "Tháng 11"],
    "calendar_id": ["Phòng họp A", "Lịch chung"],
}
DEFAULT_CHOICES = ["First choice", "Second choice", "Third choice"]


def _dynamic(name: str, given: Json) -> Json:
    """The properties of a dynamic one; those of a response as in the recording ``piece_options``."""
    if name == "fields":
        status: Json = {"displayName": "Status", "required": False, "defaultValue": 200, "type": "NUMBER"}
        headers: Json = {"displayName": "Headers", "required": False, "type": "OBJECT"}
        if given.get("responseType") == "redirect":
            return {"headers": headers, "body": {"displayName": "Address", "required": True, "type": "LONG_TEXT"}}
        kind = "LONG_TEXT" if given.get("responseType") == "raw" else "JSON"
        return {"status": status, "headers": headers, "body": {"displayName": "Body", "required": True, "type": kind}}
    return {"value": {"displayName": "Value", "required": False, "type": "SHORT_TEXT"}}


def _matches(piece: Json, query: Json) -> bool:
    words = " ".join([piece["name"], piece["displayName"], piece["description"]]).lower()
    fits = "categories" not in query or bool(set(query["categories"]) & set(piece["categories"] or []))
    return fits and query.get("searchQuery", "").lower() in words


def _summary(piece: Json, query: Json) -> Json:
    row: dict[str, Any] = {**piece, "actions": len(piece["actions"]), "triggers": len(piece["triggers"])}
    kind = query.get("suggestionType")
    if kind:
        row["suggestedActions"] = list(piece["actions"].values()) if "ACTION" in kind else []
        row["suggestedTriggers"] = list(piece["triggers"].values()) if "TRIGGER" in kind else []
    return row
