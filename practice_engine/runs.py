"""The life of a run: QUEUED, RUNNING, maybe PAUSED, ended (api.md section 8; recordings ``run_*`` and ``runs_*``).

All work is done in the clock's thread, under the state's lock. A run exists at once but is shown only a moment later, as in
the real engine, whose rows are written by its workers. What a version shows of a run is in ``run_rows.py``.
"""

import concurrent.futures
import copy
import time
import urllib.parse
from collections.abc import Callable
from concurrent.futures import Future
from datetime import timedelta
from typing import Any

from . import ids, run_rows, subflows
from .clock import Clock
from .code_steps import Answer, Call
from .execution import Context, Execution, Pause, Sleep, output_samples
from .http import V083, Json, Request, Response, Version
from .run_rows import visible
from .state import Settings, State

MEGABYTE = 1024 * 1024
#: What 0.72.4 responds at once to a client that waits for a run that ended so. On 0.83.0 it keeps waiting
#: (``webhook_sync_flow_fails_500``).
FAILURES = {
    "FAILED": (500, "The flow has failed and there is no response returned"),
    "MEMORY_LIMIT_EXCEEDED": (500, "The flow has failed and there is no response returned"),
    "INTERNAL_ERROR": (500, "An internal error has occurred"),
    "TIMEOUT": (504, "The request took too long to reply"),
}


#: The response of a run, for a client that waits for it.
Waiter = Future[Response]


class Runs:
    """Starts, continues and ends runs."""

    def __init__(self, state: State, clock: Clock, settings: Settings) -> None:
        self._state, self._clock, self._settings = state, clock, settings
        self._waiters: dict[str, Waiter] = {}
        self._live: dict[str, Execution] = {}

    def add(self, flow: Json, flow_version: Json, payload: Any, *, version: Version, **columns: Any) -> Json:
        """Add the row of a run by an engine of ``version``, which is shown a moment later, without queueing it.

        ``columns`` are the row's values besides those of a plain run. The caller holds the lock.
        """
        delay = self._clock.real_seconds(self._settings.appear_after)
        moment = ids.now()
        created = ids.stamp(moment + timedelta(seconds=delay))
        run_rows.remove_oldest(self._state.runs)
        row: Json = {
            "created": created,
            # Rows of 0.72.4 are written by its workers, later than the times in them (recording runs_list there).
            "updated": created if version >= V083 else ids.stamp(moment),
            "projectId": flow["projectId"],
            "flowId": flow["id"],
            "flowVersionId": flow_version["id"],
            "flowName": flow_version["displayName"],
            "status": "QUEUED",
            "environment": "PRODUCTION",
            "failParentOnFailure": False,
            "tags": [],
            "steps": {},
            "payload": payload,
            "visibleAt": time.time() + delay,
            "speaks": list(version),
            # The engine's address, for addresses that are called later.
            "base": "",
            # Whether a running run has stored its start and its steps already.
            "reported": False,
            **dict.fromkeys(("logsFileId", "startTime", "finishTime", "failedStep", "archivedAt", "parentRunId")),
            # The only step to run, in a test, and the user who tests it.
            **dict.fromkeys(("stepNameToTest", "triggeredBy", "resumeAt", "requestId", "resumed")),
        }
        return self._state.add_row("runs", **(row | columns))

    def start(
        self, request: Request, flow: Json, version: Json, payload: Any, *, waiter: Waiter | None = None, **columns: Any
    ) -> Json:
        """Queue a run of ``version`` with the trigger output ``payload`` and return its row (``add``). The caller holds the lock."""
        row = self.add(flow, version, payload, version=request.version, base=request.base, **columns)
        request.runs.append(row["id"])
        if waiter is not None:
            self._waiters[row["id"]] = waiter
        # Since 0.83.0 the row is written before anything is done with the run.
        self._queue(row["id"], self._settings.appear_after if request.version >= V083 else 0.0)
        return row

    def begin(self, flow: Json, flow_version: Json, payload: Any, *, version: Version, **columns: Any) -> Json:
        """Queue a run that no request has started, and return its row (``add``). The caller holds the lock."""
        row = self.add(flow, flow_version, payload, version=version, **columns)
        self._queue(row["id"], self._settings.appear_after)
        self._state.dirty()
        return row

    def retry(self, request: Request, row: Json) -> None:
        """Queue the same run again, from its failed step."""
        moment = ids.stamp()
        self._live.pop(row["id"], None)
        row |= {"status": "QUEUED", "updated": moment, "speaks": list(request.version)}
        if request.version >= V083:
            row |= {"startTime": moment, "finishTime": None, "reported": True}
        request.runs.append(row["id"])
        self._queue(row["id"])

    def resume(self, row: Json, call: Json | None = None, waiter: Waiter | None = None) -> None:
        """Continue a paused run; ``call`` is the request that resumed it."""
        row |= {"status": "RUNNING", "updated": ids.stamp(), "resumeAt": None, "resumed": call}
        if waiter is not None:
            self._waiters[row["id"]] = waiter
        self._clock.call_later(0, lambda: self._begin(row["id"]))

    def restore(self) -> None:
        """Continue what was queued, running or paused before a restart."""
        for row in list(self._state.runs.values()):
            if row["status"] in ("QUEUED", "RUNNING"):
                self._queue(row["id"])
            elif row["status"] == "PAUSED" and row["resumeAt"]:
                left = (ids.parse(row["resumeAt"]) - ids.now()).total_seconds()
                self._resume_after(row["id"], max(0.0, left / self._clock.scale))

    def run_at_once(self, row: Json, call: Callable[[Call, float], float]) -> float:
        """Execute a run to its end or pause without waiting, for sample data.

        Return the engine seconds it would have taken. The times in the row are not set. ``call`` makes the run of a called flow, after so
        many seconds, and returns how many it took.
        """
        execution = self._execute(row)
        row["steps"] = execution.steps
        for effect in execution.effects:
            if isinstance(effect, Sleep):
                execution.elapsed += effect.seconds
            elif isinstance(effect, Call):
                execution.elapsed += call(effect, execution.elapsed)
            elif isinstance(effect, Pause):
                row["status"] = "PAUSED"
                return execution.elapsed
            if execution.elapsed > self._settings.flow_limit:
                row["status"] = "TIMEOUT"
                return self._settings.flow_limit
        row |= {"status": execution.status, "steps": execution.steps, "failedStep": execution.failed_step}
        return execution.elapsed

    def wait(self, waiter: Waiter, run: str, webhook: str = "", *, on_gateway: bool = False) -> Response:
        """Wait for the run's response, at most the wait limit; then 204 (recording ``webhook_sync_no_response_step``).

        The gateway may have a shorter limit of its own; then it responds itself, and drops the engine's response.
        """
        settings, clock = self._settings, self._clock
        cut = settings.gateway_limit if on_gateway and 0 < settings.gateway_limit < settings.wait_limit else 0.0
        concurrent.futures.wait([waiter], clock.real_seconds(cut or settings.wait_limit))
        with self._state.lock:
            self._waiters.pop(run, None)
        if cut and not waiter.done():
            return Response(504, b"Error occurred while trying to proxy", {"content-type": "text/plain"})
        response = waiter.result() if waiter.done() else Response(204)
        if webhook:
            response.headers["x-webhook-id"] = webhook
        return response

    def _queue(self, run: str, delay: float = 0.0) -> None:
        self._clock.call_later(delay + self._settings.queue_time, lambda: self._begin(run))

    def _execute(self, row: Json) -> Execution:
        trigger = self._state.versions[row["flowVersionId"]]["trigger"]
        row["requestId"] = ids.new_id()
        context = Context(
            run_rows.run_version(row),
            self._settings.log_limit_mb * MEGABYTE,
            _resume_url(row) if row.get("base") else "",
            _approval_url(row) if row.get("base") and run_rows.run_version(row) >= V083 else "",
            row.get("resumed"),
            row["stepNameToTest"],
            {} if row["stepNameToTest"] is None else output_samples(self._state, trigger),
        )
        return Execution(trigger, row["payload"], copy.deepcopy(row["steps"]), row["id"], context)

    def _begin(self, run: str) -> None:
        state = self._state
        with state.lock:
            row = state.runs.get(run)
            flow = state.flows.get(row["flowId"]) if row else None
            if row is None or flow is None or row["status"] not in ("QUEUED", "RUNNING"):
                return
            if row["status"] == "QUEUED" and flow["status"] == "DISABLED" and row["environment"] == "PRODUCTION":
                return  # it stays QUEUED for ever (api.md 8.1)
            self._live[run] = live = self._execute(row)
            row |= {"status": "RUNNING", "startTime": row["startTime"] or ids.stamp(), "steps": live.steps}
            row["logsFileId"] = row["logsFileId"] or ids.new_id()
            if visible(row):
                row["updated"] = ids.stamp()
            if run_rows.run_version(row) >= V083:
                self._call_later(self._settings.report_after, run, live, self._report)
            state.dirty()
            self._advance(row, live)

    def _call_later(self, seconds: float, run: str, live: Execution, call: Callable[[Json, Execution], None]) -> None:
        """Call ``call`` with the lock, unless this execution of the run has ended by then."""

        def call_if_live() -> None:
            with self._state.lock:
                row = self._state.runs.get(run)
                if row is not None and self._live.get(run) is live:
                    call(row, live)

        self._clock.call_later(seconds, call_if_live)

    def _report(self, row: Json, live: Execution) -> None:
        """Store the progress of a run that still runs."""
        row |= {"reported": True, "updated": ids.stamp()}

    def _advance(self, row: Json, live: Execution) -> None:
        """Apply effects until the run waits for the clock, pauses or ends."""
        run, clock = row["id"], self._clock
        self._state.dirty()
        for effect in live.effects:
            if isinstance(effect, Response):
                self._respond(run, effect)
            elif isinstance(effect, Call):
                self._call(row, effect)
            elif isinstance(effect, Answer):
                if parent := subflows.waiting_parent(self._state, row):
                    self.resume(parent, subflows.success(effect.data))
            elif isinstance(effect, Sleep):
                left = self._settings.flow_limit - live.elapsed
                if effect.seconds >= left:
                    self._call_later(left, run, live, lambda row, _: self._end(row, "TIMEOUT"))
                else:
                    live.elapsed += effect.seconds
                    self._call_later(effect.seconds, run, live, self._advance)
                return
            else:
                row |= {"status": "PAUSED", "updated": ids.stamp()}
                self._live.pop(run, None)
                if effect.seconds is not None:
                    row["resumeAt"] = ids.stamp(ids.now() + timedelta(seconds=clock.real_seconds(effect.seconds)))
                    self._resume_after(run, effect.seconds)
                return
        row["steps"] = live.steps
        self._end(row, live.status, live.failed_step)

    def _call(self, row: Json, call: Call) -> None:
        """Queue a run of the flow that a run calls."""
        flow, version = subflows.called_flow(self._state, row, call), run_rows.run_version(row)
        if flow is not None:
            payload = subflows.trigger_output(call, _approval_url(row) if row["base"] else "")
            published = self._state.versions[flow["publishedVersionId"]]
            self.begin(flow, published, payload, version=version, **subflows.columns(row, call))

    def _resume_after(self, run: str, seconds: float) -> None:
        def resume() -> None:
            with self._state.lock:
                row = self._state.runs.get(run)
                if row and row["status"] == "PAUSED":
                    self.resume(row)

        self._clock.call_later(seconds, resume)

    def _end(self, row: Json, status: str, failed: Json | None = None) -> None:
        live = self._live.pop(row["id"], None)
        # A run lasts at least as long as its steps together (recording `run_get_SUCCEEDED`).
        moment = ids.stamp(ids.now() + timedelta(milliseconds=live.invented if live else 0.0))
        if row["finishTime"]:
            moment = max(moment, ids.stamp(ids.parse(row["finishTime"]) + timedelta(milliseconds=1)))
        row |= {"status": status, "finishTime": moment, "failedStep": failed, "requestId": None, "resumed": None}
        # A quick run is over before its row is written: then `updated` stays earlier than `created` (recording runs_list).
        if visible(row):
            row["updated"] = moment
        self._state.dirty()
        if subflows.has_failed(row) and (parent := subflows.waiting_parent(self._state, row)):
            self.resume(parent, subflows.failure(row))
        if run_rows.run_version(row) < V083 and (failure := FAILURES.get(status)):
            self._respond(row["id"], Response.from_json({"message": failure[1]}, failure[0]))

    def _respond(self, run: str, response: Response) -> None:
        waiter = self._waiters.pop(run, None)
        if waiter is not None:
            waiter.set_result(response)


def _approval_url(row: Json) -> str:
    return f"{row['base']}/v1/flow-runs/{row['id']}/waitpoints/{row['requestId']}"


def _resume_url(row: Json) -> str:
    query = urllib.parse.urlencode({"created": row["created"], "runId": row["id"]})
    return f"{row['base']}/v1/flow-runs/{row['id']}/requests/{row['requestId']}/sync?{query}"
