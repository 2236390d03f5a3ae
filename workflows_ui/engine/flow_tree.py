"""Walking a flow's step tree (api.md 6.3). Pure functions over the engine's dictionaries, which may hold anything.

The tree is a chain of `nextAction`, with a chain inside each loop (`firstLoopAction`) and one for each branch of a router or a
multiple choice (`children`, `null` for an empty branch; the names are in `settings.branches`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Step = dict[str, Any]

# Far beyond any real flow; a tree that goes on is not one, and the walk must end.
MOST_STEPS = 10_000


@dataclass(frozen=True)
class Node:
    """One step and where it stands.

    Attributes:
        step: the engine's own dictionary, not a copy.
        depth: 0 for the trigger and the steps of the main chain, one more inside each loop or branch.
        parent: the name of the step before it in its chain, or of the loop or router for the first inside; None for the trigger.
        branch: the name of the branch it is in, None outside of branches and for a branch without a name.
        branch_index: the branch's number from 0, None outside of branches.
        in_loop: whether any loop is around it.
    """

    step: Step
    depth: int
    parent: str | None
    branch: str | None
    branch_index: int | None
    in_loop: bool

    @property
    def name(self) -> str:
        """The step's own name (`step_1`), "" where it has none."""
        return name_of(self.step)


def walk(trigger: Any) -> Iterator[Node]:
    """Every step from the trigger on, in the order of a reader: a loop's or branch's steps right after the loop or router.

    Never raises for odd data: what is not a dictionary is passed over, unknown types are steps without inner ones (inner steps
    that they do have in the known places are walked), a step met a second time is not walked again, and after 10,000 steps it ends.
    """
    seen: set[int] = set()
    waiting = [Node(trigger, 0, None, None, None, in_loop=False)] if isinstance(trigger, dict) else []
    while waiting and len(seen) < MOST_STEPS:
        node = waiting.pop()
        if id(node.step) in seen:
            continue
        seen.add(id(node.step))
        yield node
        # Last in, first out: what follows the step waits below what is inside it.
        after = node.step.get("nextAction")
        if isinstance(after, dict):
            waiting.append(Node(after, node.depth, node.name, node.branch, node.branch_index, node.in_loop))
        waiting.extend(reversed(list(_inside(node))))


def steps_by_name(trigger: Any) -> dict[str, Step]:
    """The steps by their names, in walking order. Of two with one name the first is kept; steps without a name are left out."""
    found: dict[str, Step] = {}
    for node in walk(trigger):
        if node.name:
            found.setdefault(node.name, node.step)
    return found


def name_of(step: Any) -> str:
    """A step's name, "" for what has none."""
    name = step.get("name") if isinstance(step, dict) else None
    return name if isinstance(name, str) else ""


def branches_of(step: Any) -> list[str | None]:
    """The names of a router's branches, in order; None for a branch without a name."""
    settings = step.get("settings") if isinstance(step, dict) else None
    branches = settings.get("branches") if isinstance(settings, dict) else None
    names = [branch.get("branchName") if isinstance(branch, dict) else None for branch in _listed(branches)]
    return [name if isinstance(name, str) else None for name in names]


def _inside(node: Node) -> Iterator[Node]:
    first = node.step.get("firstLoopAction")
    if isinstance(first, dict):
        yield Node(first, node.depth + 1, node.name, node.branch, node.branch_index, in_loop=True)
    names = branches_of(node.step)
    for index, child in enumerate(_listed(node.step.get("children"))):
        if isinstance(child, dict):
            name = names[index] if index < len(names) else None
            yield Node(child, node.depth + 1, node.name, name, index, node.in_loop)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
