"""The kept part of a run's steps, in the format of the engine. Pure functions, without the database.

Each step has its title, type, state, duration and error, and by the index's setting the names of the members of its input and output, or
their values. Secrets are masked by the caller.
"""

import json
import re
from collections import deque
from collections.abc import Iterator, Mapping

from django.utils.translation import gettext_lazy as _

from workflows_ui.core import database
from workflows_ui.core.json_values import JsonType, json_type
from workflows_ui.core.readers import as_items, as_text, is_nested, mapping_of, objects_by_name
from workflows_ui.engine_objects.runs import Run, StepResult
from workflows_ui.launches.services import run_search
from workflows_ui.run_index.models import Kept

Json = Mapping[str, object]
Steps = dict[str, dict[str, object]]

#: The parts of a step whose keeping depends on the setting; its facts are always kept.
_VALUES = ("output", "input")
#: The titles of the steps inside a loop, by their names.
INNER = "innerTitles"
#: The parts of a step that did not fit.
_CUT = "cut"
#: The longest error and name, the most members of an object, the deepest nesting, the most iterations of a loop without its values.
_ERROR, _NAME, _MEMBERS, _DEEPEST, _ITERATIONS = 2000, 100, 100, 60, 100
#: The parts of a webhook's trigger that hold what was sent (recording `run_get_SUCCEEDED`); its headers say nothing about it.
_SENT = ("body", "queryParams", "rawBody")
_EMPTY: tuple[object, ...] = (None, "", [], {})
_NO_STEP = StepResult({})
NOT_KEPT, TOO_LARGE = _("(not kept)"), _("(not kept: it is larger than the limit of the run index)")
_NAME_PARTS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|_+")


def reduced(run: Json, titles: Mapping[str, str], setting: int, limit: int) -> str:
    """The JSON of what is kept of a run's masked steps: at most `limit` bytes. `setting` is a value of Kept, not NOTHING.

    The facts of the steps come first; then outputs and inputs, the trigger's and the failed step's first, as far as they fit.
    """
    found = Run(run)
    chain = found.steps
    steps = {name[:_NAME]: _facts(step) for name, step in chain.items()}
    for name, step in steps.items():
        if name in titles:
            step["displayName"] = titles[name]
        if inner := _inner_names(chain.get(name, _NO_STEP)) & titles.keys():
            step[INNER] = {key: titles[key] for key in sorted(inner)}
    _add_marker(steps, found.trigger.header(run_search.HEADER))
    room = limit - _size(steps)
    while room < 0 and steps:
        steps.popitem()
        room = limit - _size(steps)
    failed = found.failed_step.name
    first = sorted(steps, key=lambda name: (name != "trigger", name != failed))
    for name in first:
        for part in _VALUES:
            value = chain.get(name, _NO_STEP).raw.get(part)
            if value in _EMPTY:
                continue
            value = (
                value if setting == Kept.VALUES else _step_names(value, found.trigger if name == "trigger" else None)
            )
            needed = _size(value) + len(part) + 8
            if needed <= room:
                steps[name][part] = value
            else:
                needed = len(part) + 20
                steps[name][_CUT] = [*as_items(steps[name].get(_CUT)), part]
            room -= needed
    while _size(steps) > limit:
        steps.popitem()
    return _dump(steps)


def parsed(text: str) -> tuple[Steps, bool]:
    """The steps of a text of `reduced`, as far as they are kept, and whether they are complete. Raises ValueError."""
    steps = _steps(text)
    cut = [step.pop(_CUT, ()) for step in steps.values()]
    return steps, not any(cut)


def _steps(text: str) -> Steps:
    steps = json.loads(text)
    if not isinstance(steps, dict):
        raise ValueError("no steps")  # noqa: TRY004  # a text that `reduced` has not made
    return steps


def displayed(text: str, setting: int) -> Steps:
    """The steps of a text of `reduced`, with a text in place of each value that was not kept. Raises ValueError."""
    steps = _steps(text)
    for name, step in steps.items():
        for part in map(str, as_items(step.pop(_CUT, None))):
            marked = mapping_of(step.get(part))
            step[part] = {**marked, "body": str(TOO_LARGE)} if marked else str(TOO_LARGE)
        if setting == Kept.NAMES:
            steps[name] = {key: _marked(value) for key, value in step.items()}
    return steps


def texts(run: Json) -> Iterator[str]:
    """The values of a run's masked steps as texts, its trigger's first, then the outputs of its steps, then their inputs."""
    found = Run(run)
    sent = mapping_of(found.trigger.output)
    yield from values([sent.get(key) for key in _SENT] if sent.keys() & set(_SENT) else found.trigger.output)
    for part in _VALUES:
        for name, step in found.steps.items():
            if (name, part) != ("trigger", "output"):
                yield from values(step.raw.get(part))


def values(value: object) -> Iterator[str]:
    """The texts and numbers in a JSON value, the outer ones first, and the names of its members, split into words."""
    waiting = deque([value])
    while waiting:
        current = waiting.popleft()
        type_ = json_type(current)
        if type_ is JsonType.OBJECT:
            members = mapping_of(current)
            waiting += members.values()
            yield " ".join(_NAME_PARTS.sub(" ", str(key)[:_NAME]) for key in members)
        elif type_ is JsonType.LIST:
            waiting += as_items(current)
        elif current not in _EMPTY and current is not True and current is not False:
            yield str(current)


def _facts(step: StepResult) -> dict[str, object]:
    values = (("type", step.type[:_NAME]), ("status", step.status[:_NAME]), ("duration", step.duration))
    facts: dict[str, object] = {key: value for key, value in values if value not in _EMPTY}
    error = step.error_message
    if error not in _EMPTY:
        facts["errorMessage"] = (as_text(error) or _dump(error))[:_ERROR]
    return facts


def _inner_names(step: StepResult) -> set[str]:
    """The names of the steps in the first iterations of a loop, and in those of loops inside it."""
    found = set[str]()
    for turn in step.iterations[:_ITERATIONS]:
        inner = objects_by_name(turn, StepResult)
        found |= inner.keys()
        found |= set().union(*map(_inner_names, inner.values()))
    return found


def _add_marker(steps: Steps, marker: str) -> None:
    """The launch that started the run decides who may see its values: its id is kept in any case."""
    if marker and "trigger" in steps:
        steps["trigger"]["output"] = {"headers": {run_search.HEADER: marker[:_NAME]}}


def _step_names(value: object, trigger: StepResult | None) -> object:
    """The names in an input or output; of a loop's output also the facts of the steps in its iterations. `trigger`: whose value it is."""
    found = _names(value, 0)
    names = dict(mapping_of(found))
    if iterations := StepResult({"output": value}).iterations:
        chains = [objects_by_name(turn, StepResult) for turn in iterations[:_ITERATIONS]]
        names["iterations"] = [{name[:_NAME]: _facts(step) for name, step in chain.items()} for chain in chains]
    if trigger and names and (marker := trigger.header(run_search.HEADER)):
        names["headers"] = {run_search.HEADER: marker[:_NAME]}
    return names or found


def _names(value: object, depth: int) -> object:
    if depth > _DEEPEST:
        return None
    type_ = json_type(value)
    if type_ is JsonType.OBJECT:
        members = list(mapping_of(value).items())[:_MEMBERS]
        return {str(key)[:_NAME]: _names(inner, depth + 1) for key, inner in members}
    if type_ is JsonType.LIST:
        nested = next(filter(is_nested, as_items(value)), None)
        return [_names(nested, depth + 1)] if nested is not None else None
    return None


def _marked(value: object) -> object:
    """A copy with a text in place of each value that was left out."""
    if value is None:
        return str(NOT_KEPT)
    if items := as_items(value):
        return list(map(_marked, items))
    members = mapping_of(value)
    return {key: _marked(inner) for key, inner in members.items()} if members else value


def _dump(value: object) -> str:
    return database.storable(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def _size(value: object) -> int:
    return len(_dump(value).encode())
