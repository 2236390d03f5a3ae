"""Forms and chats that start a flow (engine-0.83.md section 10; recordings ``form_*``, ``chat_*``).

They are submitted to the flow's webhook: ``payloads.py`` makes the trigger's output.
"""

from practice_engine.core import Engine, route
from practice_engine.http import PUBLIC, V083, HttpError, Json, Request
from practice_engine.piece_steps import FORMS
from practice_engine.schema import Field

DRAFT = {"useDraft": Field("boolean")}
PLATFORM = {"platformLogoUrl": "https://practice.example/logo.svg", "platformName": "Practice"}


@route("GET", "/v1/human-input/form/{flowId:id}", query=DRAFT, auth=PUBLIC, since=V083)
def form(engine: Engine, request: Request) -> Json:
    page, version = _page(engine, request, "form_submission")
    return {**page, "version": version.lstrip("~^")}


@route("GET", "/v1/human-input/chat/{flowId:id}", query=DRAFT, auth=PUBLIC, since=V083)
def chat(engine: Engine, request: Request) -> Json:
    """How a chat with the flow looks."""
    page, _ = _page(engine, request, "chat_submission")
    return {**page, **PLATFORM}


def _page(engine: Engine, request: Request, trigger: str) -> tuple[Json, str]:
    """The page of the published version, or of the draft if the query says so, and the version of its piece.

    Raises a 404 unless the flow starts with ``trigger`` of the forms piece.
    """
    flow = engine.state.flows.get(request.params["flowId"], {})
    version = engine.state.versions.get(
        flow.get("versionId" if request.query.get("useDraft") else "publishedVersionId") or "", {}
    )
    settings = version["trigger"]["settings"] if version else {}
    if (settings.get("pieceName"), settings.get("triggerName")) != (FORMS, trigger):
        raise HttpError.not_found("flow_form", request.params["flowId"], message="the flow has no such page")
    page = {"id": flow["id"], "title": version["displayName"], "projectId": flow["projectId"]}
    return {**page, "props": settings["input"]}, settings["pieceVersion"]
