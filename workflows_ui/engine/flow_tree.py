"""Traversal of a flow's step tree (api.md 6.3). Pure functions over the engine's dictionaries, whose content is not trusted.

The tree is a chain of `nextAction`, with a chain inside each loop (`firstLoopAction`) and one for each branch of a router or a
multiple choice (`children`, `null` for an empty branch; the names are in `settings.branches`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Step = dict[str, Any]

# Far beyond any real flow: the walk must end for malformed trees too.
MOST_STEPS = 10_000


@dataclass(frozen=True)
class Node:
    """One step and its position in the tree.

    Attributes:
        step: the engine's dictionary, not a copy.
        depth: 0 for the trigger and the steps of the main chain, one more inside each loop or branch.
        parent: the name of the step before it in its chain, or of the loop or router for its first step; None for the trigger.
        branch: the name of its branch, None outside of branches and for a branch without a name.
        branch_index: the branch's number from 0, None outside of branches.
        in_loop: whether it is inside any loop.
    """

    step: Step
    depth: int
    parent: str | None
    branch: str | None
    branch_index: int | None
    in_loop: bool

    @property
    def name(self) -> str:
        """The step's name (`step_1`), "" without one."""
        return step_name(self.step)


def walk(trigger: Any) -> Iterator[Node]:
    """Every step from the trigger on, in reading order: a loop's or branch's steps directly after the loop or router.

    Never raises for malformed data: values that are not dictionaries are skipped, inner steps of unknown types are visited under the
    known keys, a repeated step is visited once, and the walk ends after 10,000 steps.
    """
    seen: set[int] = set()
    waiting = [Node(trigger, 0, None, None, None, in_loop=False)] if isinstance(trigger, dict) else []
    while waiting and len(seen) < MOST_STEPS:
        node = waiting.pop()
        if id(node.step) in seen:
            continue
        seen.add(id(node.step))
        yield node
        # Last in, first out: inner steps come before the step's successor.
        after = node.step.get("nextAction")
        if isinstance(after, dict):
            waiting.append(Node(after, node.depth, node.name, node.branch, node.branch_index, node.in_loop))
        waiting.extend(reversed(list(_inner_nodes(node))))


def steps_by_name(trigger: Any) -> dict[str, Step]:
    """The steps by name, in reading order, without unnamed ones. Of several steps with one name, the first is kept."""
    steps: dict[str, Step] = {}
    for node in walk(trigger):
        if node.name:
            steps.setdefault(node.name, node.step)
    return steps


def step_name(step: Any) -> str:
    """A step's name, "" without one."""
    name = step.get("name") if isinstance(step, dict) else None
    return name if isinstance(name, str) else ""


def branch_names(step: Any) -> list[str | None]:
    """The names of a router's branches, in order; None for a branch without a name."""
    settings = step.get("settings") if isinstance(step, dict) else None
    branches = settings.get("branches") if isinstance(settings, dict) else None
    names = [branch.get("branchName") if isinstance(branch, dict) else None for branch in _as_list(branches)]
    return [name if isinstance(name, str) else None for name in names]


def _inner_nodes(node: Node) -> Iterator[Node]:
    first = node.step.get("firstLoopAction")
    if isinstance(first, dict):
        yield Node(first, node.depth + 1, node.name, node.branch, node.branch_index, in_loop=True)
    names = branch_names(node.step)
    for index, child in enumerate(_as_list(node.step.get("children"))):
        if isinstance(child, dict):
            name = names[index] if index < len(names) else None
            yield Node(child, node.depth + 1, node.name, name, index, node.in_loop)


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
