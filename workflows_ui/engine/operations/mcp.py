"""MCP servers (api.md section 14). `token` in their answers is a secret."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workflows_ui.engine.calls import Calls, Json, segment


class McpServers(Calls):
    """All raise EngineError; ids that are empty or dots raise ValueError before anything is sent."""

    def list_mcp_servers(
        self,
        project_id: str | None = None,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        name: str | None = None,
    ) -> Json:
        """`GET /v1/mcp-servers`: a page of servers, with their tokens. The project is needed, and resolved where not given."""
        query = {"projectId": project_id or self.resolve_project_id(), "limit": limit, "cursor": cursor, "name": name}
        return self._page("/v1/mcp-servers", query)

    def get_mcp_server(self, mcp_server_id: str) -> Json:
        """`GET /v1/mcp-servers/{id}`."""
        return self._own(f"/v1/mcp-servers/{segment(mcp_server_id)}")

    def create_mcp_server(self, body: Mapping[str, Any]) -> Json:
        """`POST /v1/mcp-servers` with `{name, projectId?}`; the project is resolved where not given."""
        return self._made("/v1/mcp-servers", {**body, "projectId": body.get("projectId") or self.resolve_project_id()})

    def update_mcp_server(self, mcp_server_id: str, body: Mapping[str, Any]) -> Json:
        """`POST /v1/mcp-servers/{id}` with `{name?, tools?}`; `tools` replaces all of them.

        Only for ids that were listed: the engine changes another project's server before it says 403. Unknown ids answer 500.
        """
        return self._made(f"/v1/mcp-servers/{segment(mcp_server_id)}", body)

    def delete_mcp_server(self, mcp_server_id: str) -> None:
        """`DELETE /v1/mcp-servers/{id}`."""
        self._delete(f"/v1/mcp-servers/{segment(mcp_server_id)}")

    def rotate_mcp_token(self, mcp_server_id: str) -> Json:
        """`POST /v1/mcp-servers/{id}/rotate`: the server with its new token; the old one is dead at once. Only for listed ids."""
        return self._made(f"/v1/mcp-servers/{segment(mcp_server_id)}/rotate")
