"""The current user and account, invitations, and the gateway's channel automations (api.md sections 15 to 17)."""

from typing import Literal

from workflows_ui.engine import looks
from workflows_ui.engine.calls import Calls, Json, as_object, as_page, pairs, segment
from workflows_ui.engine.errors import NoRoute, NotFound, Refused
from workflows_ui.engine.writes import write


class People(Calls):
    def list_invitations(
        self,
        type: Literal["PLATFORM", "PROJECT"],
        limit: int = 10,
        cursor: str | None = None,
        project_id: str | None = None,
        *,
        status: str | None = None,
    ) -> Json:
        """`GET /v1/user-invitations`: a page. PLATFORM ones belong to **all** organizations on the engine: not for a workspace's page."""
        project = self._required_project_id(project_id) if type == "PROJECT" else project_id
        query = {"type": type, "limit": limit, "cursor": cursor, "projectId": project, "status": status}
        return self._page("/v1/user-invitations", query)

    @write(looks.INVITATION_GONE)
    def delete_invitation(self, invitation_id: str) -> None:
        """`DELETE /v1/user-invitations/{id}`. NotInPlan or Forbidden on most plans (api.md section 15)."""
        self._delete_owned("user-invitations", invitation_id)

    def get_current_user(self) -> Json:
        """The engine's user of the credential: `GET /v1/users/{id}`, the id from the token's claims (recording `user_get_by_id`), or
        `GET /v1/users/me` on engines of the older generation (recording `users_me` of 0.72.4).

        Raises NotFound with the code `NO_USER` for a key without a user on an engine that finds users by id only.
        """
        return self._by_generation("user", current=self._token_user, legacy=self._user_me)

    def _token_user(self) -> Json:
        user_id = getattr(self._transport.auth, "user_id", "")
        if not user_id:
            raise NoRoute("The token names no user.", code="NO_USER", sent=False)
        return self.get_user(user_id)

    def _user_me(self) -> Json:
        try:
            return self._object("/v1/users/me")
        except Refused as refused:
            if refused.code != "FST_ERR_VALIDATION":
                raise
            # 0.83 reads "me" as an id (recording `users_me`).
            raise NoRoute(refused.message, status=refused.status, code=refused.code, sent=True) from refused

    def get_user(self, user_id: str) -> Json:
        """`GET /v1/users/{id}`: any user of the platform, the address included (recording `no_membership_user_other`).

        NotFound on engines of the older generation.
        """
        return self._object(f"/v1/users/{segment(user_id)}")

    def list_users(self, limit: int = 100, cursor: str | None = None) -> Json:
        """`GET /v1/users`: a page of all users of the platform, of all its projects (recordings `users_list_two`, `users_list_three`).

        Forbidden without an administrator's credential (recording `member_users_list`), Refused on engines of the older generation.
        """
        return self._page("/v1/users", {"limit": limit, "cursor": cursor})

    def get_account(self) -> Json:
        """`GET {gateway}/platform/v1/account`: the Imbrace account of the credential, with `organization_id`. NotFound on Activepieces."""
        url = f"{self._gateway('platform account')}/platform/v1/account"
        return as_object(self._transport.read(url), url)

    def get_flags(self) -> Json:
        """`GET /v1/flags`: the engine's description of itself, with its version in `CURRENT_VERSION` if present (not confirmed)."""
        return self._object("/v1/flags")

    def list_channel_automation(self, channel_type: str | None = None) -> Json:
        """`{"data": [{id, name, ...}]}` from the channel service, or from its older route if that does not exist.

        `GET {gateway}/channel-service/v1/workflows/channel_automation`, on 404 `GET {gateway}/v2/backend/workflows/channel_automation`.
        NotFound on Activepieces, which has no channels.
        """
        gateway = self._gateway("channel automation")
        query = pairs({"channelType": channel_type or None})
        path = "/workflows/channel_automation"
        try:
            answer = self._transport.read(f"{gateway}/channel-service/v1{path}", query)
        except NotFound:
            answer = self._transport.read(f"{gateway}/v2/backend{path}", query)
        return as_page(answer, path)
