"""Runs (api.md 8.1, engine-0.83.md section 8) and the results of their steps."""

import json
from collections import deque
from collections.abc import Iterator, Mapping

from workflows_ui.core.readers import (
    EngineObject,
    as_text,
    flag,
    items,
    items_or_none,
    mapping,
    moment,
    number,
    objects_by_name,
    part,
    parts,
    parts_by_name,
    text,
    texts,
    tree,
    usable_id,
)

#: The status of a step that failed.
FAILED = "FAILED"
_NOTHING: tuple[object, ...] = (None, "", {})


class RanBranch(EngineObject):
    """A branch in the result of a router."""

    __slots__ = ()

    #: A text.
    name = tree("branchName")
    #: Whether its condition held, so that its steps ran.
    taken = flag("evaluation")


class StepResult(EngineObject):
    """What a run stored of one step (recording `run_get_SUCCEEDED`)."""

    __slots__ = ()

    type = text("type")
    status = text("status")
    #: Milliseconds, with fractions.
    duration = number("duration")
    input = tree("input")
    #: As `input`, as an object; empty for anything else.
    fields = mapping("input")
    output = tree("output")
    #: A text or an object (api.md 8.1).
    error_message = tree("errorMessage")
    #: The chains of a loop's rounds, which have the only results of the steps inside it (recording
    #: `run_odd_SUCCEEDED_Imported_route_and_loop`).
    iterations = items("output.iterations")
    branches = parts("output.branches", RanBranch)
    _listed_iterations = items_or_none("output.iterations")
    _listed_branches = items_or_none("output.branches")
    #: The headers of a request, in the result of a webhook's trigger.
    headers = mapping("output.headers")

    @property
    def is_loop(self) -> bool:
        """Whether it has a list of iterations, which may be empty."""
        return self._listed_iterations is not None

    @property
    def is_router(self) -> bool:
        """Whether it says which of its branches were taken."""
        return self.type == "ROUTER" and self._listed_branches is not None

    @property
    def any_failed(self) -> bool:
        """Whether it failed, or a step inside it."""
        return any_failed({"": self.raw})

    def header(self, name: str) -> str:
        """One of the headers; "" if it is missing."""
        return as_text(self.headers.get(name))


Chain = dict[str, StepResult]


def chains(steps: object) -> Iterator[Chain]:
    """A chain of steps, which are by name as in a run or a loop's iteration, then those of the iterations of its loops."""
    waiting = deque([steps])
    while waiting:
        chain = objects_by_name(waiting.popleft(), StepResult)
        yield chain
        for step in chain.values():
            waiting += step.iterations


def any_failed(steps: object) -> bool:
    """Whether a step of this chain failed, including steps inside loops."""
    return any(step.status == FAILED for chain in chains(steps) for step in chain.values())


class FailedStep(EngineObject):
    """Where a run failed. {} or null if it did not; a retried run that has not ended has that of the try before."""

    __slots__ = ()

    name = text("name")
    display_name = text("displayName")
    #: Since 0.83, also in lists (recording `run_get_FAILED`).
    message = text("message")

    @property
    def title(self) -> str:
        """The display name, else the name; "" without one."""
        return self.display_name or self.name


class FlowVersionName(EngineObject):
    """The flow version of a run. 0.83 sends all of it, but the client leaves only the name (engine/run_rows.py)."""

    __slots__ = ()

    display_name = text("displayName")


class Run(EngineObject):
    """A run as the engine lists it or, with `steps`, as it answers for one.

    While it is queued or running, `start_time`, `finish_time` and `failed_step` may be those of an earlier try: 0.83 sets `startTime` to
    the retry's moment and clears `finishTime`, 0.72.4 leaves both; both leave `failedStep` (recordings `run_retry_from_failed_step`,
    `run_retry_succeeded_from_failed_step`).
    """

    __slots__ = ()

    id = text("id")
    #: The id if it fits into a URL, else "".
    url_id = usable_id("id")
    #: One of `launches.services.runs.STATES`, or one that the console does not know.
    status = text("status")
    flow_id = text("flowId")
    flow_version_id = text("flowVersionId")
    flow_version = part("flowVersion", FlowVersionName)
    created = moment("created")
    updated = moment("updated")
    #: Often before `created`: the engine stores a run after it has begun (recording `runs_list`). It may be missing even in a run that has
    #: ended (recording `run_odd_INTERNAL_ERROR_Engine_killed`).
    start_time = moment("startTime")
    #: "" or null until the end, and for a cancelled run.
    finish_time = moment("finishTime")
    archived_at = moment("archivedAt")
    failed_step = part("failedStep", FailedStep)
    tags = texts("tags")
    #: The run, or the header of the launch, that started this one.
    parent_run_id = text("parentRunId")
    #: Since 0.83: the person who started it in the engine.
    triggered_by = text("triggeredBy")
    #: The results by the step's name, in the order in which they ran; none while it runs, and none in lists.
    steps = parts_by_name("steps", StepResult)
    #: As `steps`, including malformed results.
    chain = mapping("steps")
    #: Since 0.83.
    steps_count = number("stepsCount")
    #: Added by the console: its last retry of the run (runs/reading.py).
    retried_at = moment("retriedAt")

    @property
    def trigger(self) -> StepResult:
        """What the trigger stored: the request that started the run."""
        return self.steps.get("trigger", StepResult({}))

    @property
    def result(self) -> object:
        """The output of the last step that ran at the top level; None if only the trigger ran."""
        outputs = [step.output for name, step in self.steps.items() if name != "trigger"]
        return outputs[-1] if outputs else None

    @property
    def answers(self) -> bool:
        """Whether a step that ran returns the answer of a waiting call, by its inputs (recording `run_get_SUCCEEDED`)."""
        found = (step.input for chain in chains(self.raw.get("steps")) for step in chain.values())
        return any(isinstance(given, Mapping) and "responseType" in given for given in found)

    @property
    def any_failed(self) -> bool:
        """Whether a step failed, including steps inside loops."""
        return any_failed(self.raw.get("steps"))

    @property
    def failure(self) -> str:
        """The failed step's error message; "" if the engine stored none. A listed run has no steps, but the message since 0.83."""
        name = self.failed_step.name
        every = chains(self.raw.get("steps"))
        failed = (chain[name] for chain in every if name in chain and chain[name].status == FAILED)
        step = next(failed, None) or self.steps.get(name)
        message = step.error_message if step else None
        if message in _NOTHING:
            message = self.failed_step.raw.get("message")
        if message in _NOTHING:
            return ""
        return message if isinstance(message, str) else json.dumps(message, ensure_ascii=True)
