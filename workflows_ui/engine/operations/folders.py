"""Folders of flows (api.md section 9)."""

from workflows_ui.engine import looks
from workflows_ui.engine.calls import Calls, Json, without_none
from workflows_ui.engine.writes import INVALID_BODY, write


class Folders(Calls):
    def list_folders(self, limit: int = 10, cursor: str | None = None) -> Json:
        """`GET /v1/folders`: a page of folders, oldest first. `numberOfFlows` may be a text that holds a number."""
        query = {"limit": limit, "cursor": cursor, "projectId": self._required_project_id()}
        return self._page("/v1/folders", query)

    def get_folder(self, folder_id: str) -> Json:
        """`GET /v1/folders/{id}`."""
        return self._get_owned("folders", folder_id)

    @write(looks.FOLDER_CREATED, refusals=(INVALID_BODY,))
    def create_folder(self, display_name: str, project_id: str | None = None) -> Json:
        """`POST /v1/folders`: the new folder, or the existing one of this name, in any case."""
        body = {"displayName": display_name, "projectId": self._required_project_id(project_id)}
        return self._post_object("/v1/folders", without_none(body))

    @write(looks.FOLDER_RENAMED)
    def update_folder(self, folder_id: str, display_name: str) -> Json:
        """`POST /v1/folders/{id}`: renames. Refused for a name in use."""
        return self._change_owned("folders", folder_id, {"displayName": display_name})

    @write(looks.FOLDER_GONE)
    def delete_folder(self, folder_id: str) -> None:
        """`DELETE /v1/folders/{id}`: its flows are in no folder afterwards."""
        self._delete_owned("folders", folder_id)
