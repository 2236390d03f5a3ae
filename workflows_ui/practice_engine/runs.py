"""The life of a run: QUEUED, RUNNING, maybe PAUSED, ended (api.md section 8; recordings ``run_*`` and ``runs_*``).

All work is done in the clock's thread, under the state's lock. A run is there at once but seen only a moment later, as in
the real engine, whose rows are written by its workers.
"""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from . import ids
from .http import Json, Response, answer, empty
from .run_views import flow_response
from .walker import Crash, Effect, Pause, Respond, Sleep, StepFailed, Stopped, Walk

if TYPE_CHECKING:
    from .engine import PracticeEngine

ENDED = ("SUCCEEDED", "FAILED", "TIMEOUT", "MEMORY_LIMIT_EXCEEDED", "QUOTA_EXCEEDED", "INTERNAL_ERROR", "CANCELED")
STATUSES = ("QUEUED", "RUNNING", "PAUSED", *ENDED)
MOST_RUNS = 5000
TRACELESS = ("MEMORY_LIMIT_EXCEEDED", "INTERNAL_ERROR")


@dataclass
class Waiter:
    """Somebody who waits for a run's answer."""

    came: threading.Event = field(default_factory=threading.Event)
    response: Response | None = None

    def give(self, response: Response) -> None:
        """Answer, once."""
        if not self.came.is_set():
            self.response = response
            self.came.set()


@dataclass
class _Live:
    """A run being walked: its effects, and how many engine seconds it has taken."""

    walk: Walk
    effects: Iterator[Effect]
    elapsed: float = 0.0


class Runs:
    """Starts, continues and ends runs."""

    def __init__(self, engine: PracticeEngine) -> None:
        self._engine = engine
        self._waiters: dict[str, Waiter] = {}
        self._live: dict[str, _Live] = {}

    def start(
        self,
        flow: Json,
        version: Json,
        payload: Any,
        *,
        parent: str | None = None,
        fail_parent: bool = False,
        environment: str = "PRODUCTION",
        waiter: Waiter | None = None,
    ) -> Json:
        """Queue a run of ``version`` with the trigger output ``payload``; gives its row. The caller holds the lock."""
        row = self.row(flow, version, payload, parent=parent, fail_parent=fail_parent, environment=environment)
        if waiter is not None:
            self._waiters[row["id"]] = waiter
        self._queue(row["id"])
        return row

    def row(
        self,
        flow: Json,
        version: Json,
        payload: Any,
        *,
        parent: str | None = None,
        fail_parent: bool = False,
        environment: str = "PRODUCTION",
    ) -> Json:
        """Make the row of a run and keep it, without queueing it."""
        engine = self._engine
        moment = ids.now()
        delay = engine.clock.real(engine.settings.appear_after)
        row: Json = {
            "id": engine.ids.new(),
            "created": ids.stamp(moment + timedelta(seconds=delay)),
            "updated": ids.stamp(moment),
            "projectId": flow["projectId"],
            "flowId": flow["id"],
            "flowVersionId": version["id"],
            "flowName": version["displayName"],
            "status": "QUEUED",
            "environment": environment,
            "parentRunId": parent,
            "failParentOnFailure": fail_parent,
            "tags": [],
            "logsFileId": None,
            "startTime": None,
            "finishTime": None,
            "failedStep": None,
            "stepNameToTest": None,
            "archivedAt": None,
            "steps": {},
            "payload": payload,
            "visibleAt": time.time() + delay,
            "resumeAt": None,
            "requestId": None,
        }
        self._forget_old()
        engine.state.runs[row["id"]] = row
        return row

    def visible(self, row: Json) -> bool:
        """Whether the run can be seen already."""
        return float(row["visibleAt"]) <= time.time()

    def retry(self, row: Json) -> None:
        """Queue the same run again, from its failed step."""
        row |= {"status": "QUEUED", "updated": ids.stamp()}
        self._queue(row["id"])

    def resume(self, row: Json) -> None:
        """Let a paused run go on."""
        row |= {"status": "RUNNING", "updated": ids.stamp(), "resumeAt": None, "requestId": None}
        self._engine.clock.after(0, lambda: self._begin(row["id"]))

    def take_up(self) -> None:
        """After a restart: go on with what was queued, running or paused."""
        for row in list(self._engine.state.runs.values()):
            if row["status"] in ("QUEUED", "RUNNING"):
                self._queue(row["id"])
            elif row["status"] == "PAUSED" and row["resumeAt"]:
                left = (ids.parse(row["resumeAt"]) - ids.now()).total_seconds()
                self._wake(row["id"], max(0.0, left / self._engine.clock.scale))

    def play_out(self, row: Json) -> float:
        """Walk a run to its end (or its pause) at once, without waiting: how sample runs are made.

        Gives the engine seconds it would have taken; the times in the row are the caller's to set.
        """
        live = self._walk(row)
        try:
            for effect in live.effects:
                if isinstance(effect, Sleep):
                    live.elapsed += effect.seconds
                elif isinstance(effect, Pause):
                    row |= {"status": "PAUSED", "steps": live.walk.steps, "requestId": self._engine.ids.new()}
                    return live.elapsed
                if live.elapsed > self._engine.settings.flow_limit:
                    row |= {"status": "TIMEOUT", "steps": live.walk.steps}
                    return self._engine.settings.flow_limit
        except StepFailed as failed:
            row |= {"status": "FAILED", "failedStep": failed.step, "steps": live.walk.steps}
        except Crash as crash:
            row |= {"status": crash.status, "steps": {}}
        except Stopped:
            row |= {"status": "SUCCEEDED", "steps": live.walk.steps}
        else:
            row |= {"status": "SUCCEEDED", "steps": live.walk.steps}
        return live.elapsed

    def _forget_old(self) -> None:
        """Make room: the oldest ended run goes when there are too many."""
        runs = self._engine.state.runs
        if len(runs) >= MOST_RUNS:
            oldest = next((key for key, row in runs.items() if row["status"] in ENDED), None)
            if oldest is not None:
                del runs[oldest]

    def _queue(self, run: str) -> None:
        self._engine.clock.after(self._engine.settings.queue_time, lambda: self._begin(run))

    def _walk(self, row: Json) -> _Live:
        version = self._engine.state.versions[row["flowVersionId"]]
        walk = Walk(version["trigger"], row["payload"], copy.deepcopy(row["steps"]), row["id"])
        return _Live(walk, walk.effects())

    def _begin(self, run: str) -> None:
        state = self._engine.state
        with state.lock:
            row = state.runs.get(run)
            flow = state.flows.get(row["flowId"]) if row else None
            if row is None or flow is None or row["status"] not in ("QUEUED", "RUNNING"):
                return
            if row["status"] == "QUEUED" and flow["status"] == "DISABLED" and row["environment"] == "PRODUCTION":
                return  # it stays QUEUED for ever (api.md 8.1)
            row |= {"status": "RUNNING", "startTime": row["startTime"] or ids.stamp()}
            if self.visible(row):
                row["updated"] = ids.stamp()
            self._live[run] = self._walk(row)
            state.dirty()
        self._advance(run)

    def _advance(self, run: str) -> None:
        state = self._engine.state
        with state.lock:
            live, row = self._live.get(run), state.runs.get(run)
            if live is None or row is None or row["status"] != "RUNNING":
                self._live.pop(run, None)
                return
            state.dirty()
            try:
                for effect in live.effects:
                    if not self._play(row, live, effect):
                        return
            except StepFailed as failed:
                self._end(row, "FAILED", live.walk.steps, failed.step)
            except Crash as crash:
                self._end(row, crash.status, {})
            except Stopped:
                self._end(row, "SUCCEEDED", live.walk.steps)
            else:
                self._end(row, "SUCCEEDED", live.walk.steps)

    def _play(self, row: Json, live: _Live, effect: Effect) -> bool:
        """Play one effect. False: the run waits for the clock now."""
        clock, run = self._engine.clock, row["id"]
        if isinstance(effect, Respond):
            self._answer(run, flow_response(effect.response))
            return True
        if isinstance(effect, Sleep):
            left = self._engine.settings.flow_limit - live.elapsed
            if effect.seconds >= left:
                clock.after(left, lambda: self._timed_out(run))
            else:
                live.elapsed += effect.seconds
                clock.after(effect.seconds, lambda: self._advance(run))
            return False
        row |= {
            "status": "PAUSED",
            "steps": live.walk.steps,
            "updated": ids.stamp(),
            "requestId": self._engine.ids.new(),
        }
        row["logsFileId"] = row["logsFileId"] or self._engine.ids.new()
        self._live.pop(run, None)
        if effect.seconds is not None:
            row["resumeAt"] = ids.stamp(ids.now() + timedelta(seconds=clock.real(effect.seconds)))
            self._wake(run, effect.seconds)
        return False

    def _wake(self, run: str, seconds: float) -> None:
        def wake() -> None:
            with self._engine.state.lock:
                row = self._engine.state.runs.get(run)
                if row and row["status"] == "PAUSED":
                    self.resume(row)

        self._engine.clock.after(seconds, wake)

    def _timed_out(self, run: str) -> None:
        with self._engine.state.lock:
            live, row = self._live.get(run), self._engine.state.runs.get(run)
            if live and row and row["status"] == "RUNNING":
                self._end(row, "TIMEOUT", live.walk.steps)

    def _end(self, row: Json, status: str, steps: Json, failed: Json | None = None) -> None:
        moment = ids.stamp()
        row |= {"status": status, "steps": steps, "finishTime": moment, "failedStep": failed}
        # A quick run is over before its row is written: then `updated` stays earlier than `created` (recording runs_list).
        if self.visible(row):
            row["updated"] = moment
        row["logsFileId"] = None if status in TRACELESS else row["logsFileId"] or self._engine.ids.new()
        self._live.pop(row["id"], None)
        self._engine.state.dirty()
        if status in ("FAILED", "MEMORY_LIMIT_EXCEEDED"):
            self._answer(row["id"], answer({"message": "The flow has failed and there is no response returned"}, 500))
        elif status == "INTERNAL_ERROR":
            self._answer(row["id"], answer({"message": "An internal error has occurred"}, 500))
        elif status == "TIMEOUT":
            self._answer(row["id"], answer({"message": "The request took too long to reply"}, 504))

    def _answer(self, run: str, response: Response) -> None:
        waiter = self._waiters.pop(run, None)
        if waiter is not None:
            waiter.give(response)

    def wait(self, waiter: Waiter, run: str, webhook: str, *, on_gateway: bool = False) -> Response:
        """Wait for the run's answer, at most the wait limit; then 204 (recording ``webhook_sync_no_response_step``).

        The gateway may have a shorter limit of its own; then it answers itself, and nobody hears of the engine's answer.
        """
        settings, clock = self._engine.settings, self._engine.clock
        cut = settings.gateway_limit if on_gateway and 0 < settings.gateway_limit < settings.wait_limit else 0.0
        came = waiter.came.wait(clock.real(cut or settings.wait_limit))
        with self._engine.state.lock:
            self._waiters.pop(run, None)
        if cut and not came:
            return Response(504, b"Error occurred while trying to proxy", {"content-type": "text/plain"})
        response = waiter.response or empty(204)
        response.headers["x-webhook-id"] = webhook
        return response
