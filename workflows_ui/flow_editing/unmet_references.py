"""References to steps that a flow has not, or that do not run before the step that reads them.

The engine resolves such a reference to nothing, without an error: a condition takes the wrong branch, and the run succeeds.
"""

import re
from collections.abc import Container, Iterator, Mapping
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

    def text(self, nodes: Mapping[str, flow_tree.Node]) -> str:
        """A sentence about the step; `nodes` are the steps whose titles are known."""
        title = outline.title_of(nodes[self.name].step) if self.name in nodes else self.name
        values = {"expression": formats.cut(self.expression, _LONGEST), "step": formats.cut(title, _LONGEST)}
        if self.reason == GONE:
            return _("It reads %(expression)s, but the flow has no step “%(step)s”, so it finds nothing.") % values
        if self.reason == LATER:
            return _("It reads %(expression)s, but “%(step)s” does not run before it, so it finds nothing.") % values
        text = _(
            "It reads %(expression)s, but “%(step)s” is inside a loop or branch that it is not in, so it may find nothing."
        )
        return text % values


GONE, LATER, ELSEWHERE = "gone", "later", "elsewhere"


def find_unmet(nodes: Mapping[str, flow_tree.Node], known: Container[str] = ()) -> list[UnmetReference]:
    """The references of a tree that are not met, in the order of the steps that read, each step and name once.

    Args:
        nodes: the tree's (`flow_tree.nodes_by_name`).
        known: names of steps that the tree had before; without them, only a name as the engine gives it (`step_1`) is one.
    """
    after = _numbers_after(nodes)
    found: dict[object, UnmetReference] = {}
    for reader, node in nodes.items():
        number = after[reader].start - 1
        for branch, name, expression in _read(node.step):
            if name not in nodes:
                if name not in known and not _GENERATED.fullmatch(name):
                    continue
                reason = GONE
            elif number in after[name]:
                continue
            else:
                reason = ELSEWHERE if any(number in after[outer] for outer in _containers(nodes, name)) else LATER
            unmet = UnmetReference(node.step, branch, name, expression, reason)
            found.setdefault((*unmet.key, branch), unmet)
    return list(found.values())


def _numbers_after(nodes: Mapping[str, flow_tree.Node]) -> dict[str, range]:
    """For each step, the numbers of those that it runs before or is around, in a numbering where they follow its own number.

    So the time grows with the number of steps, and not with its square.
    """
    sizes = dict.fromkeys(nodes, 1)
    for name, node in reversed(list(nodes.items())):
        if node.parent is not None:
            sizes[node.parent] += sizes[name]
    ranges: dict[str, range] = {}
    free: dict[str | None, int] = {}
    for name, node in nodes.items():
        number = free.get(node.parent, 0)
        free[node.parent], free[name] = number + sizes[name], number + 1
        ranges[name] = range(number + 1, number + sizes[name])
    return ranges


def _containers(nodes: Mapping[str, flow_tree.Node], name: str) -> Iterator[str]:
    """The loops and routers around a step."""
    node = nodes[name]
    depth = node.depth
    while node.parent is not None:
        node = nodes[node.parent]
        if node.depth < depth:
            depth = node.depth
            yield node.name


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
