"""References to steps that a flow has not, or that do not run before the step that reads them.

The engine resolves such a reference to nothing, without an error: a condition takes the wrong branch, and the run succeeds.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from workflows_ui.core import formats
from workflows_ui.core.paths import list_at, pick
from workflows_ui.engine import braces, flow_tree, references
from workflows_ui.flow_editing.expressions import QUOTED
from workflows_ui.flows import outline

_NAME = re.compile(r"(?<![\w$.])([A-Za-z_$][\w$]*)", re.ASCII)
_GENERATED = re.compile(r"step_\d{1,6}", re.ASCII)
_LONGEST = 60


@dataclass(frozen=True)
class UnmetReference:
    """What a step reads and will not find.

    Attributes:
        reader: the step that reads; `branch` is the number of the branch of a router whose conditions do.
        name: the step that is read, which the flow may not have.
        expression: as it stands in the step.
        reason: one of `GONE`, `LATER` and `ELSEWHERE`.
    """

    reader: flow_tree.Step
    branch: int | None
    name: str
    expression: str
    reason: str

    @property
    def key(self) -> tuple[str, str, str]:
        """The reading and the read step, and why it is not found, for comparing two trees."""
        return flow_tree.step_name(self.reader), self.name, self.reason

    @property
    def title(self) -> str:
        """The step that reads, with the branch whose conditions do."""
        title = outline.title_of(self.reader)
        if self.branch is None:
            return title
        name = flow_tree.branch_names(self.reader)[self.branch] or str(self.branch + 1)
        return _("%(step)s, branch “%(branch)s”") % {"step": title, "branch": formats.cut(name, _LONGEST)}

    def text(self, titles: Mapping[str, str]) -> str:
        """A sentence about the step; `titles` are those of steps by name."""
        values = {
            "expression": formats.cut(self.expression, _LONGEST),
            "step": formats.cut(titles.get(self.name, self.name), _LONGEST),
        }
        if self.reason == GONE:
            return _("It reads %(expression)s, but the flow has no step “%(step)s”, so it finds nothing.") % values
        if self.reason == LATER:
            return _("It reads %(expression)s, but “%(step)s” does not run before it, so it finds nothing.") % values
        text = _(
            "It reads %(expression)s, but “%(step)s” is inside a loop or branch that it is not in, so it may find nothing."
        )
        return text % values


GONE, LATER, ELSEWHERE = "gone", "later", "elsewhere"


def titles(trigger: object) -> dict[str, str]:
    """The titles of a tree's steps by name."""
    return {name: outline.title_of(step) for name, step in flow_tree.steps_by_name(trigger).items()}


def find_unmet(trigger: object, known: Mapping[str, str] | None = None) -> list[UnmetReference]:
    """The references of a tree that are not met, in the order of the steps that read, each step and name once.

    Args:
        known: names of steps that the tree had before; without them, only a name as the engine gives it (`step_1`) is one.
    """
    nodes: dict[str, flow_tree.Node] = {}
    for node in flow_tree.walk(trigger):
        nodes.setdefault(node.name, node)
    found: dict[object, UnmetReference] = {}
    for node in list(nodes.values()):
        read = [
            item
            for item in _read(node.step)
            if item[1] in nodes or item[1] in (known or ()) or _GENERATED.fullmatch(item[1])
        ]
        before = _names_before(nodes, node) if read else set()
        for branch, name, expression in read:
            if name in before:
                continue
            reason = GONE
            if name in nodes:
                reason = ELSEWHERE if before.intersection(_containers(nodes, name)) else LATER
            unmet = UnmetReference(node.step, branch, name, expression, reason)
            found.setdefault((*unmet.key, branch), unmet)
    return list(found.values())


def _names_before(nodes: Mapping[str, flow_tree.Node], node: flow_tree.Node) -> set[str]:
    """The steps whose values are known when a step begins: those before it and around it."""
    return {above.name for above in _above(nodes, node)}


def _containers(nodes: Mapping[str, flow_tree.Node], name: str) -> Iterator[str]:
    """The loops and routers around a step."""
    depth = nodes[name].depth
    for above in _above(nodes, nodes[name]):
        if above.depth < depth:
            depth = above.depth
            yield above.name


def _above(nodes: Mapping[str, flow_tree.Node], node: flow_tree.Node) -> Iterator[flow_tree.Node]:
    """The steps before and around a step, the nearest first."""
    seen = set[str]()
    while (parent := node.parent) is not None and parent in nodes and parent not in seen:
        seen.add(parent)
        node = nodes[parent]
        yield node


def _read(step: flow_tree.Step) -> Iterator[tuple[int | None, str, str]]:
    """The names in the expressions of a step that may be those of steps: the number of the branch, the name, the expression."""
    settings = step.get("settings")
    for key in ("input", "items"):
        yield from ((None, *found) for found in _names_in(pick(settings, key)))
    for number, branch in enumerate(list_at(settings, "branches")):
        yield from ((number, *found) for found in _names_in(pick(branch, "conditions")))


def _names_in(value: object) -> Iterator[tuple[str, str]]:
    for text in references.texts_in(value):
        for start, end in braces.spans(text):
            for name in _NAME.findall(QUOTED.sub("''", text[start + 2 : end - 2])):
                yield name, text[start:end]
