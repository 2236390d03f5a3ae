"""Walks the step tree of a flow version and tells what happens: waiting, pausing, answering, failing.

The walk is a generator of effects; ``runs.py`` plays them on the clock. Outputs have the shapes of the recordings
``run_get_*`` and ``run_odd_*``. A walk can start from the steps of an earlier one: what succeeded there is not done again,
which is how a paused run goes on and how ``FROM_FAILED_STEP`` retries (api.md 8.2).
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from . import code_steps, conditions, piece_steps, templates
from .http import Json
from .piece_steps import FlowResponse

STACK = "\n    at code (step/index.js:1:27)\n    at Sandbox.run (practice-engine)"


@dataclass
class Sleep:
    """Nothing happens for so many engine seconds."""

    seconds: float


@dataclass
class Respond:
    """Whoever waits gets this answer."""

    response: FlowResponse


@dataclass
class Pause:
    """The run pauses; for ``seconds``, or (None) until it is resumed from outside."""

    seconds: float | None


Effect = Sleep | Respond | Pause


class StepFailed(Exception):
    """The run ends as FAILED at this step."""

    def __init__(self, step: Json) -> None:
        super().__init__(step["name"])
        self.step = {"name": step["name"], "displayName": step["displayName"]}


class Crash(Exception):
    """The run ends with this status and leaves no steps behind."""

    def __init__(self, status: str) -> None:
        super().__init__(status)
        self.status = status


class Stopped(Exception):
    """A response step ended the run; it counts as succeeded."""


class Walk:
    """One walk. ``steps`` is what the run shows of it; ``effects`` does the walking."""

    def __init__(self, trigger: Json, payload: Any, earlier: Json | None = None, seed: str = "") -> None:
        self.steps: Json = {}
        self._trigger = trigger
        self._earlier = earlier or {}
        self._resumed = any(step.get("status") == "PAUSED" for step in _flat(self._earlier))
        self._known: Json = {"trigger": payload, "connections": {}}
        self._dice = random.Random(seed)  # noqa: S311  practice data, no secrets
        self._trigger_settings = trigger.get("settings", {})
        self.steps["trigger"] = {"type": trigger["type"], "status": "SUCCEEDED", "input": {}, "output": payload}

    def effects(self) -> Iterator[Effect]:
        """The effects, in order. Raises ``StepFailed``, ``Crash`` or ``Stopped``; ends when the last step is done."""
        yield from self._chain(self._trigger.get("nextAction"), self.steps, self._earlier)

    def _chain(self, step: Json | None, out: Json, earlier: Json) -> Iterator[Effect]:
        while step:
            if not step.get("skip"):
                yield from self._one(step, out, earlier)
            step = step.get("nextAction")

    def _one(self, step: Json, out: Json, earlier: Json) -> Iterator[Effect]:
        name, kind = step["name"], step["type"]
        before = earlier.get(name)
        if kind == "LOOP_ON_ITEMS":
            yield from self._loop(step, out, before)
        elif kind in ("ROUTER", "MULTIPLE_CHOICE"):
            yield from self._router(step, out, earlier)
        elif before and before["status"] == "SUCCEEDED":
            out[name] = before
            self._known[name] = before.get("output")
        elif kind == "CODE":
            yield from self._code(step, out)
        else:
            yield from self._piece(step, out, before)

    def _code(self, step: Json, out: Json) -> Iterator[Effect]:
        settings = step["settings"]
        inputs = templates.resolve(settings.get("input") or {}, self._known)
        entry: Json = {"type": "CODE", "status": "RUNNING", "input": inputs}
        out[step["name"]] = entry
        outcome = code_steps.run(settings.get("sourceCode", {}).get("code", ""), inputs)
        if outcome.seconds:
            yield Sleep(outcome.seconds)
        if outcome.crash:
            raise Crash(outcome.crash)
        if outcome.error:
            self._failed(step, entry, outcome.error + STACK, outcome.seconds)
            return
        entry["status"] = "SUCCEEDED"
        if not outcome.nothing:
            entry["output"] = self._known[step["name"]] = outcome.output
        entry["duration"] = self._duration(outcome.seconds)

    def _piece(self, step: Json, out: Json, before: Json | None) -> Iterator[Effect]:
        settings = step["settings"]
        inputs = templates.resolve(settings.get("input") or {}, self._known)
        if "auth" in inputs:
            inputs = {**inputs, "auth": "**REDACTED**"}
        entry: Json = {"type": "PIECE", "status": "RUNNING", "input": inputs}
        out[step["name"]] = entry
        if before and before["status"] == "PAUSED" and self._resumed:
            self._resumed = False
            entry |= {"status": "SUCCEEDED", "output": {**(before.get("output") or {}), "success": True}}
            entry["duration"] = self._duration(0)
            self._known[step["name"]] = entry["output"]
            return
        done = piece_steps.run(settings.get("pieceName", ""), settings.get("actionName") or "", inputs)
        if done.error:
            self._failed(step, entry, done.error + STACK, 0)
            return
        # Only the trigger's own piece can answer the one who waits (api.md 7.2).
        if done.response and settings.get("pieceName") == self._trigger_settings.get("pieceName"):
            yield Respond(done.response)
        entry |= {
            "status": "PAUSED" if done.waits else "SUCCEEDED",
            "output": done.output,
            "duration": self._duration(0),
        }
        self._known[step["name"]] = done.output
        if done.waits:
            yield Pause(done.pause)
        if done.stop:
            raise Stopped

    def _loop(self, step: Json, out: Json, before: Json | None) -> Iterator[Effect]:
        items = templates.resolve(step["settings"].get("items"), self._known)
        entry: Json = {"type": step["type"], "status": "SUCCEEDED", "input": {"items": items}}
        out[step["name"]] = entry
        if not isinstance(items, list):
            self._failed(step, entry, "The items of a loop must be a list.", 0)
            return
        iterations: list[Json] = []
        # A loop over nothing has the index 0 and no item.
        entry["output"] = output = {"index": 0, "iterations": iterations}
        self._known[step["name"]] = output
        done = ((before or {}).get("output") or {}).get("iterations", [])
        for number, item in enumerate(items):
            inner: Json = {}
            iterations.append(inner)
            output = {"item": item, "index": number + 1, "iterations": iterations}
            entry["output"] = self._known[step["name"]] = output
            yield from self._chain(step.get("firstLoopAction"), inner, done[number] if number < len(done) else {})
        entry["duration"] = self._duration(0)

    def _router(self, step: Json, out: Json, earlier: Json) -> Iterator[Effect]:
        settings = templates.resolve(step["settings"], self._known)
        branches = settings.get("branches") or []
        found = [
            branch.get("branchType") != "FALLBACK" and conditions.holds(branch.get("conditions") or [])
            for branch in branches
        ]
        if settings.get("executionType") == "EXECUTE_FIRST_MATCH":
            first = found.index(True) if True in found else -1
            chosen = [number == first for number in range(len(found))]
        else:
            chosen = list(found)
        if True not in found:
            chosen = [branch.get("branchType") == "FALLBACK" for branch in branches]
        told = [
            {"branchName": branch.get("branchName", ""), "branchIndex": number + 1, "evaluation": chosen[number]}
            for number, branch in enumerate(branches)
        ]
        entry: Json = {"type": step["type"], "status": "SUCCEEDED", "input": settings, "output": {"branches": told}}
        entry["duration"] = self._duration(0)
        out[step["name"]] = entry
        self._known[step["name"]] = entry["output"]
        for number, child in enumerate(step.get("children") or []):
            if number < len(chosen) and chosen[number]:
                yield from self._chain(child, out, earlier)

    def _failed(self, step: Json, entry: Json, message: str, seconds: float) -> None:
        entry |= {"status": "FAILED", "duration": self._duration(seconds), "errorMessage": message}
        options = step["settings"].get("errorHandlingOptions") or {}
        if not (options.get("continueOnFailure") or {}).get("value"):
            raise StepFailed(step)

    def _duration(self, seconds: float) -> float:
        return seconds * 1000 + self._dice.uniform(0.4, 30)


def _flat(steps: Json) -> Iterator[Json]:
    for step in steps.values():
        yield step
        output = step.get("output")
        if step.get("type") == "LOOP_ON_ITEMS" and isinstance(output, dict):
            for iteration in output.get("iterations", []):
                yield from _flat(iteration)
