"""MCP servers. `token` in answers is a secret.

0.72 has any number of named servers, each with its tools (api.md section 14). 0.83 has one unnamed server for each project, whose tools
are switched on and off (recordings `mcp_project_get`, `mcp_project_update_tools`); the first request creates it. The engine's routes
show which of the two it has.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from workflows_ui.engine import looks
from workflows_ui.engine.calls import Calls, Json, segment, shape_error
from workflows_ui.engine.errors import NotFound
from workflows_ui.engine.writes import INVALID_BODY, write

_ROUTE = "mcp"


class McpServers(Calls):
    def list_mcp_servers(
        self,
        project_id: str | None = None,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        name: str | None = None,
    ) -> Json:
        """A page of servers, with their tokens. The project is required, and resolved if not given.

        `GET /v1/projects/{id}/mcp-server` as the only row, or `GET /v1/mcp-servers`. A server without a name matches any `name`.
        """
        project = project_id or self.resolve_project_id()
        query = {"projectId": project, "limit": limit, "cursor": cursor, "name": name}
        return self._by_generation(
            _ROUTE,
            current=lambda: {"data": [self._project_server(project)], "next": None, "previous": None},
            legacy=lambda: self._page("/v1/mcp-servers", query),
        )

    def get_mcp_server(self, mcp_server_id: str) -> Json:
        """`GET /v1/projects/{id}/mcp-server`, NotFound if it has another id; or `GET /v1/mcp-servers/{id}`."""
        return self._by_generation(
            _ROUTE,
            current=lambda: self._checked_server(mcp_server_id),
            legacy=lambda: self._get_owned("mcp-servers", mcp_server_id),
        )

    @write(looks.MCP_TOOLS, refusals=(INVALID_BODY,))
    def enable_mcp_tools(self, tools: Iterable[str]) -> Json:
        """`POST /v1/projects/{id}/mcp-server` (engine-0.83.md section 10): switches these tools of the project's server on, all others off.

        NoRoute on engines with several servers. The engine does not check the names.
        """
        return self._post_object(self._server_path(), {"enabledTools": list(tools)})

    @write(looks.MCP_CREATED, refusals=(INVALID_BODY,))
    def create_mcp_server(self, body: Mapping[str, Any]) -> Json:
        """`POST /v1/mcp-servers` with `{name, projectId?}`; the project is resolved if not given. NoRoute on 0.83."""
        return self._post_object(
            "/v1/mcp-servers", {**body, "projectId": body.get("projectId") or self.resolve_project_id()}
        )

    @write(looks.MCP_CHANGED)
    def update_mcp_server(self, mcp_server_id: str, body: Mapping[str, Any]) -> Json:
        """`POST /v1/mcp-servers/{id}` with `{name?, tools?}`; `tools` replaces all of them. NoRoute on 0.83.

        Only for ids from a list: the engine changes another project's server before it answers 403. Unknown ids get a 500.
        """
        return self._change_owned("mcp-servers", mcp_server_id, body)

    @write(looks.MCP_GONE)
    def delete_mcp_server(self, mcp_server_id: str) -> None:
        """`DELETE /v1/mcp-servers/{id}`. NoRoute on 0.83."""
        self._delete_owned("mcp-servers", mcp_server_id)

    @write(looks.MCP_TOKEN)
    def rotate_mcp_token(self, mcp_server_id: str) -> Json:
        """The server with its new token; the old one is revoked at once. Only for ids from a list.

        `POST /v1/projects/{id}/mcp-server/rotate` or `POST /v1/mcp-servers/{id}/rotate`.
        """
        path = self._owned_path("mcp-servers", mcp_server_id)
        # As the list showed: the answer to a write proves nothing about the engine's routes.
        if self._generation(_ROUTE) == "current":
            path = self._server_path()
        return self._post_object(f"{path}/rotate")

    def _server_path(self, project: str | None = None) -> str:
        return f"/v1/projects/{segment(project or self.resolve_project_id())}/mcp-server"

    def _project_server(self, project: str | None = None) -> Json:
        path = self._server_path(project)
        server = self._object(path)
        if not isinstance(server.get("id"), str):
            raise shape_error(path, "an MCP server", write=False)
        self._remember_ids("mcp-servers", server["id"])
        return server

    def _checked_server(self, mcp_server_id: str) -> Json:
        server = self._project_server()
        if server.get("id") != mcp_server_id:
            raise NotFound("The project has another MCP server.", code="ENTITY_NOT_FOUND", status=404, sent=True)
        return server
