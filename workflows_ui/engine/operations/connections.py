"""Connections of pieces to external services, and pieces (api.md sections 10 and 11)."""

from collections.abc import Mapping
from typing import Any

from workflows_ui.engine import looks
from workflows_ui.engine.calls import Calls, Json, Texts, as_object, segments, without_none
from workflows_ui.engine.writes import INVALID_BODY, Refusal, write

#: The app refused what was typed (recordings `conn_upsert_custom_auth`, `conn_upsert_oauth2_bad_code`, `conn_upsert_cloud_oauth2`).
_REFUSED_BY_APP = (
    Refusal(400, "INVALID_APP_CONNECTION", frozenset({"code", "params", "params.error"})),
    Refusal(
        400,
        "INVALID_CLAIM",
        frozenset({"code", "params", "params.clientId", "params.tokenUrl", "params.redirectUrl"}),
    ),
    Refusal(400, "INVALID_CLOUD_CLAIM", frozenset({"code", "params", "params.pieceName"})),
)


class Connections(Calls):
    def list_connections(
        self,
        limit: int = 10,
        cursor: str | None = None,
        project_id: str | None = None,
        piece_name: str | None = None,
        *,
        display_name: str | None = None,
        status: Texts = None,
        scope: str | None = None,
    ) -> Json:
        """`GET /v1/app-connections`: a page of connections, oldest first, without their secrets."""
        return self._page(
            "/v1/app-connections",
            {
                "limit": limit,
                "cursor": cursor,
                "projectId": self._required_project_id(project_id),
                "pieceName": piece_name,
                "displayName": display_name,
                "status": status,
                "scope": scope,
            },
        )

    def get_connection(self, connection_id: str) -> Json:
        """`GET /v1/app-connections/{id}`: Imbrace returns **the decrypted secret** in `value`; never show, log or keep it.

        NotFound on Activepieces, which has no such route (recording `conn_get_by_id_route`).
        """
        return self._get_owned("app-connections", connection_id)

    @write(looks.CONNECTION_STORED, refusals=(INVALID_BODY, *_REFUSED_BY_APP))
    def upsert_connection(self, body: Mapping[str, Any]) -> Json:
        """`POST /v1/app-connections`: creates or replaces the connection with this `externalId`. `body`: api.md 10.3."""
        return self._post_object(
            "/v1/app-connections",
            without_none({"projectId": self._required_project_id(body.get("projectId"))}) | dict(body),
        )

    @write(looks.CONNECTION_RENAMED, refusals=(INVALID_BODY,))
    def rename_connection(
        self, connection_id: str, display_name: str, metadata: Mapping[str, Any] | None = None
    ) -> Json:
        """`POST /v1/app-connections/{id}`: changes the display name."""
        body = without_none({"displayName": display_name, "metadata": metadata})
        return self._change_owned("app-connections", connection_id, body)

    @write(looks.CONNECTION_GONE, refusals=(INVALID_BODY,))
    def delete_connection(self, connection_id: str) -> None:
        """`DELETE /v1/app-connections/{id}`. A connection of the platform is silently kept."""
        self._delete_owned("app-connections", connection_id)

    def list_pieces(
        self, limit: int = 10, *, search: str | None = None, suggestion_type: str | None = None
    ) -> list[Json]:
        """`GET /v1/pieces`: all pieces in a list; the engine ignores `limit` (recording `pieces_limit_param_ignored`)."""
        return self._array("/v1/pieces", {"limit": limit, "searchQuery": search, "suggestionType": suggestion_type})

    def get_piece(self, name: str, version: str | None = None) -> Json:
        """`GET /v1/pieces/{name}`: actions, triggers and their properties. `name` is the full name, `@activepieces/piece-x`."""
        return self._object(f"/v1/pieces/{segments(name)}", {"version": version})

    def piece_options(
        self,
        *,
        piece_name: str,
        piece_version: str,
        action_or_trigger_name: str,
        property_name: str,
        flow_id: str,
        flow_version_id: str,
        input: Mapping[str, Any] | None = None,
        search_value: str | None = None,
        seconds: float | None = None,
    ) -> Json:
        """`POST /v1/pieces/options`: `{type, options}` of a dropdown or dynamic property (api.md 11.5), within `seconds` if they are less
        than the client's time limit.

        Changes nothing, so it is retried as a read. Takes seconds, since a worker of the engine runs the piece's code.
        """
        self._check_ids("flows", flow_id)
        body = {
            "projectId": self._required_project_id(),
            "pieceName": piece_name,
            "pieceVersion": piece_version,
            "actionOrTriggerName": action_or_trigger_name,
            "propertyName": property_name,
            "flowId": flow_id,
            "flowVersionId": flow_version_id,
            "input": dict(input or {}),
            "searchValue": search_value,
        }
        path = "/v1/pieces/options"
        answer = self._transport.read(self._url(path), method="POST", body=without_none(body), seconds=seconds)
        return as_object(answer, path)
