"""Flows: list, read, change, and their versions, templates and sample events (api.md section 6)."""

from collections.abc import Mapping
from typing import Any

from workflows_ui.engine import looks
from workflows_ui.engine.calls import Calls, Json, Texts, not_in_project, shape_error, without_none
from workflows_ui.engine.writes import INVALID_BODY, only_unclear, validation, write

#: Recordings `op_add_action_loop_parent_no_location`, `op_add_action_router_parent_no_location`.
_IMPOSSIBLE = (validation(r"(Loop|Router) step parent .* not found$", status=400, code="FLOW_OPERATION_INVALID"),)


class Flows(Calls):
    def list_flows(
        self,
        limit: int = 10,
        cursor: str | None = None,
        project_id: str | None = None,
        folder_id: str | None = None,
        status: Texts = None,
        *,
        name: str | None = None,
        version_state: str | None = None,
        connection_external_ids: Texts = None,
        tags: Texts = None,
    ) -> Json:
        """`GET /v1/flows`: a page of flows, last changed first.

        Args:
            limit: rows of a page. Pages by cursor can lose rows (api.md 4.1): request many at once.
            folder_id: an id, or `"NULL"` for flows in no folder.
            status: ENABLED, DISABLED, or a list of them.
            name: part of the name, any case.
            version_state: DRAFT (the latest version, the default) or LOCKED (the published one; the whole list is then
                NotFound if one flow was never published).
            tags: flows without any tag match too.
        """
        self._check_ids("folders", None if folder_id == "NULL" else folder_id)
        return self._page(
            "/v1/flows",
            {
                "limit": limit,
                "cursor": cursor,
                "projectId": self._required_project_id(project_id),
                "folderId": folder_id,
                "status": status,
                "name": name,
                "versionState": version_state,
                "connectionExternalIds": connection_external_ids,
                "tags": tags,
            },
        )

    def count_flows(self, folder_id: str | None = None, status: Texts = None) -> int:
        """`GET /v1/flows/count`: the number of flows (recording `flows_count`: a bare number)."""
        self._check_ids("folders", None if folder_id == "NULL" else folder_id)
        count = self._get(
            "/v1/flows/count", {"folderId": folder_id, "status": status, "projectId": self._required_project_id()}
        )
        if isinstance(count, bool) or not isinstance(count, int):
            raise shape_error("/v1/flows/count", "a number", write=False)
        return count

    def get_flow(self, flow_id: str, version_id: str | None = None) -> Json:
        """`GET /v1/flows/{id}`: a flow with its latest version, or the given one. NotFound if it does not exist."""
        return self._get_owned("flows", flow_id, {"versionId": version_id})

    @write(looks.FLOW_CREATED, refusals=(INVALID_BODY,))
    def create_flow(
        self,
        display_name: str,
        project_id: str | None = None,
        *,
        folder_id: str | None = None,
        folder_name: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Json:
        """`POST /v1/flows`: the new flow, disabled and with an empty trigger. Two calls create two flows."""
        self._check_ids("folders", folder_id)
        body = {
            "displayName": display_name,
            "projectId": self._required_project_id(project_id),
            "folderId": folder_id,
            "folderName": folder_name,
            "metadata": metadata,
        }
        return self._post_object("/v1/flows", without_none(body))

    @write(looks.FLOW_GONE)
    def delete_flow(self, flow_id: str) -> None:
        """`DELETE /v1/flows/{id}`. Takes effect later: a second call before that is Refused (recording `flow_del_04_delete_again`)."""
        self._delete_owned("flows", flow_id)

    @write(looks.FLOW_OPERATION, refusals=(INVALID_BODY, *_IMPOSSIBLE))
    def apply_flow_operation(
        self,
        flow_id: str,
        body: Mapping[str, Any],
        *,
        known: Mapping[str, Any] | None = None,
        expected: Mapping[str, Any] | None = None,
    ) -> Json:
        """`POST /v1/flows/{id}` with `{"type", "request"}` (api.md 6.5): the whole flow after the change.

        A look compares the flow with `known`, as it was before (read if not given), and with `expected`, the flow as it is predicted;
        without a prediction, a flow that was changed is unclear.

        Unknown with `FLOW_IN_USE` while another user edits it: no recording shows the form of that answer. `ADD_ACTION` to an unknown
        parent changes nothing and succeeds. NotFound if the request names the folder of another project, or a version that is not the
        flow's.
        """
        self._check_ids("flows", flow_id)
        request = body.get("request")
        folder, version = (
            request.get(key) if isinstance(request, Mapping) else None for key in ("folderId", "versionId")
        )
        if folder and isinstance(folder, str):
            self._check_ids("folders", folder)
        if version and isinstance(version, str):
            self._check_version(flow_id, version)
        return self._change_owned("flows", flow_id, body)

    def _check_version(self, flow_id: str, version_id: str) -> None:
        """As `_check_ids`, for a version of a flow, which no list of the project has. Raises NotFound."""
        if self._owned is None:
            return
        found = self._get_owned("flows", flow_id, {"versionId": version_id}).get("version")
        if not isinstance(found, dict) or found.get("id") != version_id:
            raise not_in_project()

    def list_flow_versions(self, flow_id: str, limit: int = 10, cursor: str | None = None) -> Json:
        """`GET /v1/flows/{id}/versions`: a page of version heads. Not confirmed for Imbrace (api.md 6.4): may be NotFound."""
        return self._page(f"{self._owned_path('flows', flow_id)}/versions", {"limit": limit, "cursor": cursor})

    def get_flow_template(self, flow_id: str, version_id: str | None = None) -> Json:
        """`GET /v1/flows/{id}/template`: the flow for an import elsewhere (recording `flow_template`)."""
        return self._object(f"{self._owned_path('flows', flow_id)}/template", {"versionId": version_id})

    def list_trigger_events(self, flow_id: str, limit: int = 10, cursor: str | None = None) -> Json:
        """`GET /v1/trigger-events`: a page of stored sample events of the flow's trigger (recording `trigger_events_list`)."""
        self._check_ids("flows", flow_id)
        query = {"flowId": flow_id, "limit": limit, "cursor": cursor, "projectId": self._required_project_id()}
        return self._page("/v1/trigger-events", query)

    @write(looks.SAMPLE_EVENT)
    def save_trigger_event(self, flow_id: str, mock_data: Any) -> Json:
        """`POST /v1/trigger-events`: stores `mock_data` as a sample event (api.md section 12)."""
        self._check_ids("flows", flow_id)
        body = {"flowId": flow_id, "mockData": mock_data, "projectId": self._required_project_id()}
        return self._post_object("/v1/trigger-events", without_none(body))

    @write(only_unclear(), refusals=(INVALID_BODY,))
    def test_trigger(self, body: Mapping[str, Any]) -> Any:
        """`POST /v1/test-trigger` with `{flowId, flowVersionId, testStrategy}`: a page of events for TEST_FUNCTION, None for SIMULATION."""
        return self._post("/v1/test-trigger", self._with_project(body))

    @write(only_unclear(), refusals=(INVALID_BODY,))
    def cancel_test_trigger(self, body: Mapping[str, Any]) -> None:
        """`DELETE /v1/test-trigger`: ends a simulation. Same body as `test_trigger` (recording `test_trigger_cancel`)."""
        self._delete("/v1/test-trigger", self._with_project(body))

    def get_sample_data(self, flow_id: str, version_id: str, step_name: str, type: str = "OUTPUT") -> Any:
        """`GET /v1/sample-data`: the stored OUTPUT or INPUT of a step, `{}` without one (recordings `sample_data_get_*`).

        NotFound for an unknown step, and on engines that do not offer it.
        """
        self._check_ids("flows", flow_id)
        query = {"flowId": flow_id, "flowVersionId": version_id, "stepName": step_name, "type": type}
        return self._get("/v1/sample-data", query | {"projectId": self._required_project_id()}, text=True)

    @write(only_unclear())
    def test_step(self, flow_id: str, version_id: str, step_name: str) -> Json:
        """`POST /v1/sample-data/test-step`: a queued TESTING run of one step, which the list of runs does not show.

        The samples of the other steps are their outputs. An unknown step is accepted (recordings `sample_data_test_step*` of 0.83). NoRoute
        on engines that do not offer it. Two calls run the step twice.
        """
        self._check_ids("flows", flow_id)
        body = {"projectId": self._required_project_id(), "flowVersionId": version_id, "stepName": step_name}
        path = "/v1/sample-data/test-step"
        run = self._post_object(path, without_none(body))
        if not isinstance(run.get("id"), str) or not run["id"]:
            raise shape_error(path, "a run with an id", write=True)
        return run

    def get_trigger_run_status(self) -> Json:
        """`GET /v1/trigger-runs/status`: figures of 14 days for each piece. For the whole platform, not for one organization."""
        return self._object("/v1/trigger-runs/status")

    def _with_project(self, body: Mapping[str, Any]) -> Json:
        self._check_ids("flows", body.get("flowId"))
        return without_none({"projectId": self._required_project_id()}) | dict(body)
