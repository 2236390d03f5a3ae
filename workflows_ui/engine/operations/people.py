"""Who calls, in which project; invitations; and the channel automations beside the engine (api.md sections 15 to 17)."""

from __future__ import annotations

from typing import Literal

from workflows_ui.engine.calls import Calls, Json, as_object, as_page, pairs, segment
from workflows_ui.engine.errors import NotFound


class People(Calls):
    """All raise EngineError; ids that are empty or dots raise ValueError before anything is sent."""

    def list_invitations(
        self,
        type: Literal["PLATFORM", "PROJECT"],
        limit: int = 10,
        cursor: str | None = None,
        project_id: str | None = None,
        *,
        status: str | None = None,
    ) -> Json:
        """`GET /v1/user-invitations`: a page. PLATFORM ones are of **all** organizations on the engine: not for a workspace's page."""
        project = self._known_project(project_id) if type == "PROJECT" else project_id
        query = {"type": type, "limit": limit, "cursor": cursor, "projectId": project, "status": status}
        return self._page("/v1/user-invitations", query)

    def delete_invitation(self, invitation_id: str) -> None:
        """`DELETE /v1/user-invitations/{id}`. NotInPlan or Forbidden on most plans (api.md section 15)."""
        self._delete(f"/v1/user-invitations/{segment(invitation_id)}")

    def get_current_project(self) -> Json:
        """`GET /v1/users/projects/current`: the project of the credential (recording `users_project_current`)."""
        return self._object("/v1/users/projects/current")

    def get_current_user(self) -> Json:
        """`GET /v1/users/me`: the engine's user of the credential (recording `users_me`)."""
        return self._object("/v1/users/me")

    def get_account(self) -> Json:
        """`GET {gateway}/platform/v1/account`: the Imbrace account of the credential, with `organization_id`. NotFound on Activepieces."""
        url = f"{self._gateway('platform account')}/platform/v1/account"
        return as_object(self._transport.read(url), url)

    def get_flags(self) -> Json:
        """`GET /v1/flags`: what the engine tells about itself; its version is in `CURRENT_VERSION` where it tells (not confirmed)."""
        return self._object("/v1/flags")

    def list_channel_automation(self, channel_type: str | None = None) -> Json:
        """`{"data": [{id, name, ...}]}` from the channel service, or from its older route where that one is not there.

        `GET {gateway}/channel-service/v1/workflows/channel_automation`, on 404 `GET {gateway}/v2/backend/workflows/channel_automation`.
        NotFound on Activepieces, which has no channels.
        """
        gateway = self._gateway("channel automation")
        query = pairs({"channelType": channel_type or None})
        path = "/workflows/channel_automation"
        try:
            found = self._transport.read(f"{gateway}/channel-service/v1{path}", query)
        except NotFound:
            found = self._transport.read(f"{gateway}/v2/backend{path}", query)
        return as_page(found, path)
