"""Outputs of earlier steps of a flow: of its latest runs, otherwise the stored samples; secrets masked.

They are shown as a tree of names to choose from, or as a list of those that a search finds; both limited in size.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice, tee

from django.utils.translation import gettext as _, gettext_lazy, ngettext

from workflows_ui.core import collation, formats, redaction
from workflows_ui.core.paths import dicts_at, text_at
from workflows_ui.core.readers import as_items, mapping_of, objects_by_name
from workflows_ui.core.text import Text
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import Forbidden, NotFound, flow_tree
from workflows_ui.engine_objects.runs import FAILED, StepResult
from workflows_ui.flow_editing import places
from workflows_ui.flow_editing.expressions import (
    CONNECTIONS,
    MISSING,
    EarlierStep,
    Expression,
    Path,
    parse,
    reference,
    steps_before,
    steps_before_place,
    value_at,
)
from workflows_ui.flow_editing.operations import Json
from workflows_ui.flows import notes, reading, step_values
from workflows_ui.resource_admin.resource import Row, id_at, pick
from workflows_ui.runs import masking

#: Runs that are read for the steps of a flow, samples for one page, and the depth of loops inside loops.
_MOST_RUNS, _MOST_SAMPLES, _DEEPEST = 3, 20, 10
_LONGEST = 200
#: Members of one value on a page, values of one step, and levels; deeper ones are opened on demand.
_MOST_MEMBERS, _MOST_VALUES, _MOST_LEVELS = 50, 200, 4
#: Values that a search finds in one step, and looks through.
_MOST_FOUND, _MOST_SEARCHED = 50, 50_000
_LONGEST_NAME, _LONGEST_VALUE = 80, 80
_FROM_RUN, _FROM_SAMPLE = gettext_lazy("from the latest run that reached it"), gettext_lazy("from its sample")


@dataclass(frozen=True)
class StepValue:
    """The output of a step, and its source."""

    value: object
    source: Text


@dataclass(frozen=True)
class Resolved:
    """A text with its expressions resolved, or (`known` is false) why they cannot be."""

    text: str
    known: bool = False


def steps_at(flow: Row, asked: Mapping[str, str]) -> list[EarlierStep]:
    """The steps that may be referred to at the `step`, `branch` or `place` of a form; without one of these, all. No steps if it no
    longer exists."""
    trigger = reading.trigger_of(flow)
    if step := asked.get("step") or places.read_branch(asked.get("branch", ""))[0]:
        return steps_before(trigger, step) or []
    if asked.get("place", "").count(":") in (1, 2):
        location, parent, *_branch = asked["place"].split(":")
        return steps_before_place(trigger, location, parent) or []
    return [EarlierStep(step) for step in _steps(flow).values()]


class EarlierValues:
    """The outputs of a flow's steps, read when they are first needed. Raises EngineError."""

    def __init__(self, session: EngineSession, flow: Row, steps: Sequence[EarlierStep]) -> None:
        self.session, self.flow = session, flow
        self.steps = {step.name: step for step in steps}
        self._found: dict[str, StepValue | None] = {}
        self._runs = _latest_runs(session, id_at(flow))
        self._samples = 0

    def step_value(self, name: str) -> StepValue | None:
        """The output of the step with this name; None if no run reached it and no sample is stored."""
        if name not in self._found:
            self._found[name] = None
            self._found[name] = self._find(self.steps[name])
        return self._found[name]

    def resolve(self, text: str) -> Resolved | None:
        """A text with the values that its references by path had; None for a text without expressions."""
        parts = list(parse(text))
        expressions = [part for part in parts if isinstance(part, Expression)]
        if not expressions or any(expression.root == CONNECTIONS for expression in expressions):
            return None
        if not all(expression.root for expression in expressions):
            return Resolved(_("Shown after a test of the step."))
        shown = ""
        for part in parts:
            if isinstance(part, Expression) and (problem := self._problem(part)):
                return Resolved(problem)
            # A text may name a large value a thousand times.
            if len(shown) <= _LONGEST:
                shown += (part if isinstance(part, str) else self._text(part))[: _LONGEST + 1]
        return Resolved("= " + formats.cut(shown or _("empty"), _LONGEST), known=True)

    def _text(self, reference: Expression) -> str:
        given = self.step_value(reference.root)
        return step_values.plain(value_at(given.value if given else MISSING, reference.path))

    def _problem(self, reference: Expression) -> str:
        """Why the value of a reference is not known; "" if it is."""
        name = reference.root
        if name not in self.steps:
            step = _steps(self.flow).get(name)
            if step is None:
                return _("There is no step “%(step)s”.") % {"step": formats.cut(name)}
            return _("“%(step)s” does not run before this step.") % {"step": places.title(step)}
        title, given = places.title(self.steps[name].step), self.step_value(name)
        if given is None:
            return _("“%(step)s” has no values yet: run the flow or save a sample.") % {"step": title}
        if value_at(given.value, reference.path) is MISSING:
            return _("“%(step)s” did not give this value.") % {"step": title}
        return ""

    def _find(self, step: EarlierStep) -> StepValue | None:
        self._runs, runs = tee(self._runs)
        for run in runs:
            output = _output(pick(run, "steps"), step.name)
            if output is not MISSING:
                if step.around and (members := mapping_of(output)):
                    # What the steps inside a loop see of its output.
                    output = {key: members[key] for key in ("item", "index") if key in members}
                return StepValue(output, _FROM_RUN)
        sample = self._sample(step)
        return None if sample in (None, {}, "") else StepValue(redaction.step(sample), _FROM_SAMPLE)

    def _sample(self, step: EarlierStep) -> object:
        """The stored sample of a step's output; of a loop that is around, the first item of its list."""
        if step.around and (items := self._items(step)):
            return {"item": items[0], "index": 1}
        key, version = id_at(self.flow), id_at(self.flow, "version.id")
        is_trigger = step.step is reading.trigger_of(self.flow)
        stored = text_at(step.step, "settings.sampleData.sampleDataFileId")
        try:
            # Engines have it since 0.83, as they have notes.
            if stored and version and notes.has_notes(self.flow) and self._samples < _MOST_SAMPLES:
                self._samples += 1
                sample = self.session.workflows.get_sample_data(key, version, step.name)
                if sample != {}:
                    return sample
            rows = dicts_at(self.session.workflows.list_trigger_events(key, limit=1), "data") if is_trigger else []
        except (Forbidden, NotFound):
            return None
        return rows[0].get("payload") if rows else None

    def _items(self, loop: EarlierStep) -> list[object]:
        """The list of a loop, if its settings refer to one that is known."""
        match list(parse(text_at(loop.step, "settings.items"))):
            case [Expression(root=root, path=path)] if root in self.steps and (given := self.step_value(root)):
                return as_items(value_at(given.value, path))
        return []


def _steps(flow: Row) -> dict[str, Json]:
    return flow_tree.steps_by_name(reading.trigger_of(flow))


def _latest_runs(session: EngineSession, flow_id: str) -> Iterator[Row]:
    """The newest runs of a flow with their steps, one call each."""
    rows = dicts_at(session.workflows.list_runs(limit=_MOST_RUNS, flow_id=flow_id), "data")
    for run_id in filter(None, map(id_at, rows[:_MOST_RUNS])):
        try:
            run = session.workflows.get_run(run_id)
        except NotFound:
            continue
        yield masking.masked(session, [run])[0]


def _output(steps: object, name: str, depth: int = 0) -> object:
    """The output of a step in a run; inside a loop, in the last round that reached it. MISSING if none did."""
    if depth > _DEEPEST:
        return MISSING
    chain = objects_by_name(steps, StepResult)
    step = chain.get(name, StepResult({}))
    if "output" in step.raw and step.status != FAILED:
        return step.output
    for outer in reversed(list(chain.values())):
        for iteration in reversed(outer.iterations):
            found = _output(iteration, name, depth + 1)
            if found is not MISSING:
                return found
    return MISSING


@dataclass(frozen=True)
class ValueNode:
    """A value: its name, the expression for it, its beginning, and its members.

    `deeper`: its members are on a page of their own; `following`: the number of the first member that is left out, else 0.
    """

    name: str
    expression: str
    text: str
    members: tuple["ValueNode", ...] = ()
    deeper: bool = False
    following: int = 0


def value_node(name: str, value: object, root: str, path: Path = (), start: int = 0) -> ValueNode:
    """The tree of the value at `path` in the output of the step `root`. Of its own members, those from number `start` on."""
    return _node(name, value, root, path, _MOST_LEVELS, iter(range(_MOST_VALUES)[::-1]), start)


#: `room` gives how many values still fit.
def _node(
    name: str, value: object, root: str, path: Path, levels: int, room: Iterator[int], start: int = 0
) -> ValueNode:
    left = next(room, 0)
    node = ValueNode(formats.cut(name, _LONGEST_NAME), reference(root, path), _preview(value))
    members = _members(value)
    if not members:
        return node
    if not left or not levels:
        return replace(node, deeper=True)
    listed = members[start : start + _MOST_MEMBERS]
    inner = tuple(_node(str(key), item, root, (*path, key), levels - 1, room) for key, item in listed)
    following = start + _MOST_MEMBERS
    return replace(node, members=inner, following=following if following < len(members) else 0)


def found_values(value: object, root: str, search: str) -> list[ValueNode]:
    """The values of a step whose name or text contains the search, without regard to case and accents."""
    wanted = collation.plain(search)
    matching = (
        ValueNode(formats.cut(" › ".join(map(str, path)), _LONGEST_NAME), reference(root, path), _preview(item))
        for path, item in islice(_walk(value), _MOST_SEARCHED)
        if wanted in collation.plain(str(path[-1])[:1000])
        or (not _members(item) and wanted in collation.plain(step_values.plain(item)[:1000]))
    )
    return list(islice(matching, _MOST_FOUND))


def _walk(value: object) -> Iterator[tuple[Path, object]]:
    """Everything inside a value with its path, in reading order."""
    waiting: list[tuple[Path, object]] = [((key,), item) for key, item in reversed(_members(value))]
    while waiting:
        path, item = waiting.pop()
        yield path, item
        waiting += [((*path, key), inner) for key, inner in reversed(_members(item))]


def _members(value: object) -> list[tuple[str | int, object]]:
    return [*mapping_of(value).items(), *enumerate(as_items(value))]


def _preview(value: object) -> str:
    number = len(_members(value))
    if not number:
        return formats.cut(step_values.plain(value)[:1000], _LONGEST_VALUE) or _("empty")
    if mapping_of(value):
        return ngettext("%(n)d field", "%(n)d fields", number) % {"n": number}
    return ngettext("%(n)d item", "%(n)d items", number) % {"n": number}
