"""Runs: list, read, retry, cancel, archive (api.md section 8)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

from workflows_ui.engine.calls import Calls, Json, Texts, given, ids, moment, segment

Strategy = Literal["FROM_FAILED_STEP", "ON_LATEST_VERSION"]


class Runs(Calls):
    """All raise EngineError; ids that are empty or dots raise ValueError before anything is sent."""

    def list_runs(
        self,
        limit: int = 10,
        cursor: str | None = None,
        flow_id: Texts = None,
        status: Texts = None,
        project_id: str | None = None,
        *,
        tags: Texts = None,
        created_after: str | datetime | None = None,
        created_before: str | datetime | None = None,
        failed_step_name: str | None = None,
        flow_run_ids: Texts = None,
        archived: bool | None = None,
    ) -> Json:
        """`GET /v1/flow-runs`: a page of production runs, newest first, without their steps.

        Empty `finishTime`, `parentRunId` and `failedStep` mean "none" (recording `runs_list`). Cursor pages lose the rows of
        the boundary second: ask for many rows at once.

        Args:
            flow_id, status, tags, flow_run_ids: one or a list.
            created_after, created_before: inclusive; ISO 8601 text, or a datetime with a time zone (ValueError without).
            archived: True for archived runs; None for the others.
        """
        return self._page(
            "/v1/flow-runs",
            {
                "limit": limit,
                "cursor": cursor,
                "flowId": flow_id,
                "status": status,
                "projectId": self._needed_project(project_id),
                "tags": tags,
                "createdAfter": moment(created_after),
                "createdBefore": moment(created_before),
                "failedStepName": failed_step_name,
                "flowRunIds": flow_run_ids,
                "archived": archived,
            },
        )

    def get_run(self, run_id: str) -> Json:
        """`GET /v1/flow-runs/{id}`: a run with `steps`, `{}` while it runs and after some errors. NotFound also shortly after the start."""
        return self._own(f"/v1/flow-runs/{segment(run_id)}")

    def retry_run(self, run_id: str, strategy: Strategy) -> Json:
        """`POST /v1/flow-runs/{id}/retry`.

        FROM_FAILED_STEP: the same run, queued again. ON_LATEST_VERSION: a new run, of which the answer holds only a part
        (recording `run_retry_on_latest`). Two calls retry twice.
        """
        body = given({"strategy": strategy, "projectId": self._needed_project()})
        return self._made(f"/v1/flow-runs/{segment(run_id)}/retry", body)

    def retry_runs(self, run_ids: Iterable[str], strategy: Strategy) -> Any:
        """`POST /v1/flow-runs/retry` for these runs: a list of what was started. ValueError for an empty list, which would mean all."""
        return self._post("/v1/flow-runs/retry", self._these(run_ids) | {"strategy": strategy})

    def cancel_runs(self, run_ids: Iterable[str]) -> Any:
        """`POST /v1/flow-runs/cancel`: ends those that are queued or paused; running ones go on. ValueError for an empty list."""
        return self._post("/v1/flow-runs/cancel", self._these(run_ids))

    def archive_runs(self, run_ids: Iterable[str]) -> Any:
        """`POST /v1/flow-runs/archive`: hides them from the list. ValueError for an empty list."""
        return self._post("/v1/flow-runs/archive", self._these(run_ids))

    def _these(self, run_ids: Iterable[str]) -> Json:
        return given({"projectId": self._needed_project(), "flowRunIds": ids(run_ids)})
