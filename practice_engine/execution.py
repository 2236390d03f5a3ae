"""The execution of a flow version's step tree: waiting, pausing, responding, failing.

An execution generates effects; ``runs.py`` applies them on the clock. Outputs have the shapes of the recordings ``run_get_*`` and
``run_odd_*``. It can start from the steps of an earlier one: what succeeded there is not done again, which is how a paused run
continues and how ``FROM_FAILED_STEP`` retries (api.md 8.2).
"""

import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from . import code_steps, expressions, piece_steps, tree
from .code_steps import Answer, Call, Outcome
from .http import V072, V083, Json, Response, Version
from .state import State

RESUME_HEADER = "x-activepieces-resume-webhook-url"
#: The key of the file's id in a step's settings, by kind of sample.
FILE_KEYS = {"OUTPUT": "sampleDataFileId", "INPUT": "sampleDataInputFileId"}
STACK = "\n    at code (step/index.js:1:27)\n    at Sandbox.run (practice-engine)"


@dataclass
class Sleep:
    """Nothing happens for these engine seconds."""

    seconds: float


@dataclass
class Pause:
    """The run pauses for ``seconds`` or, if None, until a request resumes it."""

    seconds: float | None


#: A response is for the client that waits, a call and an answer are for other runs.
Effect = Sleep | Response | Pause | Call | Answer


@dataclass(frozen=True)
class Context:
    """The engine and the run of an execution.

    ``log_limit``: the most bytes of a step's output since 0.83.0. ``resume_url``: the address that resumes a waiting run;
    ``approval_url``: the one that decides about it, since 0.83.0; ``resumed``: the request that resumed it. ``tested``: the only step to
    execute, with ``samples`` of the others.
    """

    version: Version = V072
    log_limit: float = float("inf")
    resume_url: str = ""
    approval_url: str = ""
    resumed: Json | None = None
    tested: str | None = None
    samples: Mapping[str, Any] = field(default_factory=dict)


class Ended(Exception):
    """The run ends before its last step: ``step`` failed, if given. ``lost``: its worker was killed, and with it the steps."""

    def __init__(self, status: str, step: Json | None = None, message: str = "", *, lost: bool = False) -> None:
        super().__init__(status)
        self.status, self.lost = status, lost
        self.failed_step = step and {"name": step["name"], "message": message, "displayName": step["displayName"]}


class Execution:
    """One execution of the steps below ``trigger``, by iterating over its ``effects``; after the last one it has a final status.

    ``steps`` is what the run shows. Without a ``payload`` the trigger has no output (``webhook_header_auth_wrong_run_get``).
    """

    def __init__(
        self, trigger: Json, payload: Any, earlier: Json | None = None, seed: str = "", context: Context = Context()
    ) -> None:
        self.steps: Json = {}
        self.status = "SUCCEEDED"
        self.failed_step: Json | None = None
        #: Engine seconds that the steps took.
        self.elapsed = 0.0
        self._context = context
        self._trigger = trigger
        #: Whether a step that paused was resumed: only the first one is.
        self._resumed = False
        self._known: Json = {"trigger": payload, "connections": {}}
        self._dice = random.Random(seed)  # noqa: S311  practice data, no secrets
        #: Milliseconds of the steps' durations that did not actually pass.
        self.invented = 0.0
        self.steps["trigger"] = {"type": trigger["type"], "status": "SUCCEEDED", "input": {}}
        if payload is not None:
            self.steps["trigger"]["output"] = payload
        self.effects = self._execute(earlier or {})

    def _execute(self, earlier: Json) -> Iterator[Effect]:
        try:
            if self._context.tested is None:
                yield from self._steps(self._trigger.get("nextAction"), self.steps, earlier)
            else:
                yield from self._test_step(self._context.tested)
        except Ended as end:
            self.status, self.failed_step = end.status, end.failed_step
            if end.lost:
                self.steps = {"trigger": self.steps["trigger"]}

    def _test_step(self, name: str) -> Iterator[Effect]:
        """Execute only the step ``name``, if it exists; every other one shows its sample (``sample_data_test_step_run_get``)."""
        for step in tree.walk(self._trigger.get("nextAction")):
            if step["name"] != name:
                self.steps[step["name"]] = entry = _sample(step, self._context.samples.get(step["name"], {}))
                self._known[step["name"]] = entry["output"]
        found = tree.find_step(self._trigger, name)
        if found is None:
            raise Ended("INTERNAL_ERROR", lost=True)
        yield from self._step(found, self.steps, {})

    def _steps(self, step: Json | None, out: Json, earlier: Json) -> Iterator[Effect]:
        while step:
            if not step.get("skip"):
                yield from self._step(step, out, earlier)
            step = step.get("nextAction")

    def _step(self, step: Json, out: Json, earlier: Json) -> Iterator[Effect]:
        name, kind = step["name"], step["type"]
        before = earlier.get(name)
        if kind == "LOOP_ON_ITEMS":
            yield from self._loop(step, out, before)
        elif kind in ("ROUTER", "MULTIPLE_CHOICE"):
            yield from self._router(step, out, earlier)
        elif before and before["status"] == "SUCCEEDED":
            out[name] = before
            self._known[name] = before.get("output")
        else:
            yield from self._action(step, out, before)

    def _action(self, step: Json, out: Json, before: Json | None) -> Iterator[Effect]:
        name, is_code = step["name"], step["type"] == "CODE"
        inputs = expressions.resolve(step["settings"].get("input") or {}, self._known)
        if not is_code and "auth" in inputs:
            inputs = {**inputs, "auth": "**REDACTED**"}
        entry: Json = {"type": "CODE" if is_code else "PIECE", "status": "RUNNING", "input": inputs}
        out[name] = entry
        outcome = self._run_code(step, inputs) if is_code else self._run_piece(step, inputs, before)
        if outcome.seconds:
            yield Sleep(outcome.seconds)
        if outcome.crash:
            raise Ended(outcome.crash, lost=True)
        if outcome.to_others:
            yield outcome.to_others
            if isinstance(outcome.to_others, Call) and outcome.to_others.answered is not None:
                outcome = piece_steps.answered_call(outcome.to_others.answered)
        if outcome.error:
            self._failed(step, entry, outcome.error + ("" if outcome.as_it_is else STACK), outcome.seconds)
            return
        if is_code and self._context.version >= V083 and len(json.dumps(outcome.output)) > self._context.log_limit:
            # Recording run_odd_LOG_SIZE_EXCEEDED_Huge_answer_log_too_large.
            entry |= {"status": "FAILED", "errorMessage": "The data of this run is larger than the log may be"}
            raise Ended("LOG_SIZE_EXCEEDED", step, "The log of this run is too large")
        if outcome.response:
            yield outcome.response
        if not outcome.nothing:
            entry["output"] = self._known[name] = outcome.output
        entry |= {"status": "PAUSED" if outcome.waits else "SUCCEEDED", "duration": self._duration(outcome.seconds)}
        if outcome.waits:
            yield Pause(outcome.pause)
        if outcome.stop:
            raise Ended("SUCCEEDED")

    def _run_code(self, step: Json, inputs: Any) -> Outcome:
        source = step["settings"].get("sourceCode", {}).get("code", "")
        return code_steps.run(source, inputs, own_process=self._context.version >= V083)

    def _run_piece(self, step: Json, inputs: Json, before: Json | None) -> Outcome:
        if before and before["status"] == "PAUSED" and not self._resumed:
            self._resumed = True
            if "approved" in (before.get("output") or {}) and self._context.resumed is None:
                # A retry (recording ``approval_36_run_after_retry``).
                return Outcome(error="TypeError: Cannot read properties of null (reading 'queryParams')")
            if (step["settings"].get("pieceName"), step["settings"].get("actionName")) == piece_steps.CALL:
                return piece_steps.answered_call(self._context.resumed or {})
            return Outcome(self._resumed_output(before, inputs))
        settings, resume_url = step["settings"], self._context.resume_url
        approval_url = self._context.approval_url
        if approval_url and settings.get("actionName") == "create_approval_links":
            links = {"approvalLink": "approve", "disapprovalLink": "disapprove"}
            return Outcome({name: f"{approval_url}?action={action}" for name, action in links.items()})
        outcome = piece_steps.run(settings.get("pieceName", ""), settings.get("actionName") or "", inputs)
        if outcome.waits and outcome.response and resume_url:
            outcome.response.headers[RESUME_HEADER] = resume_url
            outcome.output = {"nextWebhookUrl": resume_url}
        # Only the trigger's own piece can respond to the waiting client (api.md 7.2).
        if settings.get("pieceName") != self._trigger.get("settings", {}).get("pieceName"):
            outcome.response = None
        return outcome

    def _resumed_output(self, before: Json, inputs: Json) -> Json:
        """The output of a step that paused: the request that resumed it, or how long it waited."""
        output = before.get("output") or {}
        if self._context.resumed is not None and "nextWebhookUrl" in output:
            return self._context.resumed
        if "approved" in output:
            query = (self._context.resumed or {}).get("queryParams", {})
            return {"approved": query.get("action") == "approve"}
        delayed = piece_steps.delay_seconds(inputs)
        return {**output, **({} if delayed is None else {"delayForInMs": int(delayed * 1000)}), "success": True}

    def _loop(self, step: Json, out: Json, before: Json | None) -> Iterator[Effect]:
        items = expressions.resolve(step["settings"].get("items"), self._known)
        entry: Json = {"type": step["type"], "status": "SUCCEEDED", "input": {"items": items}}
        out[step["name"]] = entry
        if not isinstance(items, list):
            self._failed(step, entry, "The items of a loop must be a list.", 0)
            return
        iterations: list[Json] = []
        # A loop over an empty list has the index 0 and no item.
        entry["output"] = output = {"index": 0, "iterations": iterations}
        self._known[step["name"]] = output
        done = ((before or {}).get("output") or {}).get("iterations", [])
        for number, item in enumerate(items):
            inner: Json = {}
            iterations.append(inner)
            output = {"item": item, "index": number + 1, "iterations": iterations}
            entry["output"] = self._known[step["name"]] = output
            yield from self._steps(step.get("firstLoopAction"), inner, done[number] if number < len(done) else {})
        entry["duration"] = self._duration(0)

    def _router(self, step: Json, out: Json, earlier: Json) -> Iterator[Effect]:
        settings = expressions.resolve(step["settings"], self._known)
        branches = settings.get("branches") or []
        fallbacks = [number for number, branch in enumerate(branches) if branch.get("branchType") == "FALLBACK"]
        chosen = [
            number
            for number, branch in enumerate(branches)
            if number not in fallbacks and expressions.holds(branch.get("conditions") or [])
        ]
        if settings.get("executionType") == "EXECUTE_FIRST_MATCH":
            chosen = chosen[:1]
        chosen = chosen or fallbacks
        evaluations = [
            {"branchName": branch.get("branchName", ""), "branchIndex": number + 1, "evaluation": number in chosen}
            for number, branch in enumerate(branches)
        ]
        self._known[step["name"]] = output = {"branches": evaluations}
        entry: Json = {"type": step["type"], "status": "SUCCEEDED", "input": settings, "output": output}
        out[step["name"]] = {**entry, "duration": self._duration(0)}
        for number, child in enumerate(step.get("children") or []):
            if number in chosen:
                yield from self._steps(child, out, earlier)

    def _failed(self, step: Json, entry: Json, message: str, seconds: float) -> None:
        entry |= {"status": "FAILED", "duration": self._duration(seconds), "errorMessage": message}
        options = step["settings"].get("errorHandlingOptions") or {}
        if not (options.get("continueOnFailure") or {}).get("value"):
            raise Ended("FAILED", step, message)

    def _duration(self, seconds: float) -> float:
        invented = self._dice.uniform(0.1, 2)
        self.invented += invented
        return seconds * 1000 + invented


def _sample(step: Json, output: Any) -> Json:
    """A step that is not executed in the test of another one: its settings unresolved, and its sample."""
    entry: Json = {"type": step["type"], "status": "SUCCEEDED", "input": {}, "output": output}
    if step["type"] == "LOOP_ON_ITEMS":
        entry |= {"input": {"items": step["settings"].get("items")}, "output": {"index": 1, "iterations": []}}
    elif step["type"] in tree.ROUTERS:
        setting_names = ("branches", "executionType")
        entry["input"] = {name: step["settings"].get(name) for name in setting_names}
    return entry


def step_sample(state: State, step: Json, kind: str) -> Any:
    """The sample of a step's INPUT or OUTPUT; ``{}`` if none was saved (recording ``sample_data_get_none_saved``)."""
    return state.files.get(sample_file(step, kind), {}).get("payload", {})


def sample_file(step: Json, kind: str) -> str:
    """The id of the file with a step's INPUT or OUTPUT, "" if none was saved."""
    return str((step["settings"].get("sampleData") or {}).get(FILE_KEYS[kind], ""))


def output_samples(state: State, trigger: Json) -> dict[str, Any]:
    return {step["name"]: step_sample(state, step, "OUTPUT") for step in tree.walk(trigger)}
