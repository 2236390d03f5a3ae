"""Folders of flows (api.md section 9)."""

from __future__ import annotations

from workflows_ui.engine.calls import Calls, Json, given, segment


class Folders(Calls):
    """All raise EngineError; ids that are empty or dots raise ValueError before anything is sent."""

    def list_folders(self, limit: int = 10, cursor: str | None = None) -> Json:
        """`GET /v1/folders`: a page of folders, oldest first. `numberOfFlows` may be a number in a text."""
        query = {"limit": limit, "cursor": cursor, "projectId": self._needed_project()}
        return self._page("/v1/folders", query)

    def get_folder(self, folder_id: str) -> Json:
        """`GET /v1/folders/{id}`."""
        return self._own(f"/v1/folders/{segment(folder_id)}")

    def create_folder(self, display_name: str, project_id: str | None = None) -> Json:
        """`POST /v1/folders`: the new folder, or the one that has this name already, in any case."""
        body = {"displayName": display_name, "projectId": self._needed_project(project_id)}
        return self._made("/v1/folders", given(body))

    def update_folder(self, folder_id: str, display_name: str) -> Json:
        """`POST /v1/folders/{id}`: renames. Refused for a name that is taken."""
        return self._made(f"/v1/folders/{segment(folder_id)}", {"displayName": display_name})

    def delete_folder(self, folder_id: str) -> None:
        """`DELETE /v1/folders/{id}`: its flows end up in no folder."""
        self._delete(f"/v1/folders/{segment(folder_id)}")
