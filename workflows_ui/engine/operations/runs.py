"""Runs: list, read, retry, cancel, archive (api.md section 8)."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

from workflows_ui.engine import looks, run_rows
from workflows_ui.engine.calls import Calls, Json, Texts, ids, moment, without_none
from workflows_ui.engine.errors import NoRoute, NotFound, Refused, TooLarge
from workflows_ui.engine.generations import generations
from workflows_ui.engine.writes import INVALID_BODY, write

#: States of runs that 0.72 does not know.
_NEWER_STATES = frozenset({"LOG_SIZE_EXCEEDED"})
Strategy = Literal["FROM_FAILED_STEP", "ON_LATEST_VERSION"]
#: The most calls for one page.
_CALLS = 20
#: The key in `generations` for engines whose rows are large.
_FAT = "run rows"


class Runs(Calls):
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
        """`GET /v1/flow-runs`: a page of production runs, newest first, without their steps; of `flowVersion` only the name.

        Empty `finishTime`, `parentRunId` and `failedStep` mean "none" (recording `runs_list`). Cursor pages lose the rows of
        the boundary second: request many rows at once. Several calls are made for long filters, since the engine accepts a query
        parameter at most 20 times, if its rows are large, and if it does not filter by `archived`.

        Args:
            flow_id, status, tags, flow_run_ids: a value or a list; `flow_id` and `flow_run_ids` of any length without a cursor.
            created_after, created_before: inclusive; ISO 8601 text, or a datetime with a time zone (ValueError without).
            archived: True for archived runs, False for the others, None for all.

        Returns:
            A page. After several calls, `next` is not a cursor but the `created_before` of the next page.
        """
        self._check_ids("flows", *((flow_id,) if isinstance(flow_id, str) else flow_id or ()))
        query = {
            "status": status,
            "projectId": self._required_project_id(project_id),
            "tags": tags,
            "createdAfter": moment(created_after),
            "createdBefore": moment(created_before),
            "failedStepName": failed_step_name,
            # By default 0.72 lists archived runs too and 0.83 does not; each knows one of the two parameters (recordings
            # `runs_list_archived` and `runs_list_final` of 0.72.4, `runs_list_include_archived`).
            "archived": archived,
            "includeArchived": True if archived or (archived is None and self._bases.gateway is None) else None,
        }
        if cursor is not None:
            position = {"cursor": cursor, "flowId": flow_id, "flowRunIds": flow_run_ids}
            page, _requested = self._run_page(self._rows_per_call(limit), position | query)
            return page | {"data": run_rows.filter_archived(page["data"], archived)}
        pages = [
            self._runs(limit, {"flowId": flows, "flowRunIds": runs} | query, archived)
            for flows in run_rows.filter_batches(flow_id)
            for runs in run_rows.filter_batches(flow_run_ids)
        ]
        return pages[0] if len(pages) == 1 else run_rows.merge_pages(pages, limit)

    def _runs(self, limit: int, query: Json, archived: bool | None) -> Json:
        """One page without a cursor, by several calls if one did not return enough rows."""
        page, requested = self._run_page(self._rows_per_call(limit), query)
        selected = run_rows.filter_archived(page["data"], archived)
        if requested == limit and len(selected) == len(page["data"]):
            return page
        seen: set[str] = set()
        before: str | None = None
        for _ in range(_CALLS):
            rows = page["data"]
            ended = len(rows) < requested and not page.get("next")
            before = run_rows.next_created_before(rows[-1]) if rows and not ended else None
            if before is None or len(selected) >= limit:
                break
            fresh = any(str(row.get("id")) not in seen for row in rows)
            seen.update(str(row.get("id")) for row in rows)
            # The calls overlap: the row at the boundary is repeated, and with it others of its millisecond.
            page, requested = self._run_page(requested if fresh else 2 * requested, query | {"createdBefore": before})
            selected += run_rows.filter_archived(
                (row for row in page["data"] if str(row.get("id")) not in seen), archived
            )
        if len(selected) > limit:
            before = run_rows.next_created_before(selected[limit - 1])
        return {"data": selected[:limit], "next": before, "previous": None}

    def _rows_per_call(self, limit: int) -> int:
        return min(limit, run_rows.FAT_PAGE) if generations.known(self._transport.base, _FAT) else limit

    def _run_page(self, rows: int, query: Json) -> tuple[Json, int]:
        """The page of one call for `rows` rows, or for fewer if the answer is too large; and the number that was requested."""
        requested = rows
        while True:
            try:
                page = self._page("/v1/flow-runs", {"limit": requested} | query)
                break
            except Refused as problem:
                # An engine refuses the whole list for a state that it does not know (recording
                # `runs_list_bad_status`), and has no such run.
                older = _older_states(query.get("status"))
                if problem.code != "FST_ERR_VALIDATION" or older is None:
                    raise
                if not older:
                    return {"data": [], "next": None, "previous": None}, requested
                query = query | {"status": older}
            except TooLarge:
                if requested <= run_rows.SMALLEST_PAGE:
                    raise
                requested = max(requested // 4, run_rows.SMALLEST_PAGE)
        if any(map(run_rows.is_fat, page["data"])):
            generations.remember(self._transport.base, _FAT, "current")
        return page | {"data": [run_rows.slim(row) for row in page["data"]]}, requested

    def count_runs(
        self, *, created_after: str | datetime | None = None, created_before: str | datetime | None = None
    ) -> dict[str, int]:
        """`GET /v1/flow-runs/count-by-status`, since 0.83: the number of runs by state, without archived ones.

        States without runs are missing (recording `runs_count_by_status`). Raises NoRoute for older engines, which take the path for
        that of a run.
        """
        query = {
            "projectId": self._required_project_id(),
            "createdAfter": moment(created_after),
            "createdBefore": moment(created_before),
        }
        try:
            rows = self._object("/v1/flow-runs/count-by-status", query).get("data")
        except (NotFound, Refused) as problem:
            raise NoRoute(problem.message, status=problem.status, code=problem.code, sent=True) from problem
        counts = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
        return {str(row.get("status")): row["count"] for row in counts if isinstance(row.get("count"), int)}

    def get_run(self, run_id: str) -> Json:
        """`GET /v1/flow-runs/{id}`: a run with `steps`, `{}` while it runs and after some errors. NotFound also shortly after the start."""
        return run_rows.slim(self._get_owned("flow-runs", run_id))

    @write(looks.RETRY, refusals=(INVALID_BODY,))
    def retry_run(self, run_id: str, strategy: Strategy) -> Json:
        """`POST /v1/flow-runs/{id}/retry`.

        FROM_FAILED_STEP: the same run, queued again. ON_LATEST_VERSION: a new run, of which the answer contains only a part
        (recording `run_retry_on_latest`). Two calls retry twice.
        """
        path = f"{self._owned_path('flow-runs', run_id)}/retry"
        return self._post_object(path, without_none({"strategy": strategy, "projectId": self._required_project_id()}))

    @write(looks.RETRY)
    def retry_runs(self, run_ids: Iterable[str], strategy: Strategy) -> Any:
        """`POST /v1/flow-runs/retry` for these runs: a list of the started runs. ValueError for an empty list, which would mean all."""
        return self._post("/v1/flow-runs/retry", self._run_ids_body(run_ids) | {"strategy": strategy})

    @write(looks.RUNS_CANCELLED, refusals=(INVALID_BODY,))
    def cancel_runs(self, run_ids: Iterable[str]) -> Any:
        """`POST /v1/flow-runs/cancel`: ends queued and paused runs; running ones go on. ValueError for an empty list."""
        return self._post("/v1/flow-runs/cancel", self._run_ids_body(run_ids))

    @write(looks.RUNS_ARCHIVED)
    def archive_runs(self, run_ids: Iterable[str]) -> Any:
        """`POST /v1/flow-runs/archive`: hides the runs from the list. ValueError for an empty list."""
        return self._post("/v1/flow-runs/archive", self._run_ids_body(run_ids))

    def _run_ids_body(self, run_ids: Iterable[str]) -> Json:
        known = ids(run_ids)
        self._check_ids("flow-runs", *known)
        return without_none({"projectId": self._required_project_id(), "flowRunIds": known})


def _older_states(status: Texts) -> list[str] | None:
    """The states without those that an older engine does not know; None if there are no such states."""
    states = [status] if isinstance(status, str) else list(status or ())
    older = [state for state in states if state not in _NEWER_STATES]
    return older if len(older) < len(states) else None
