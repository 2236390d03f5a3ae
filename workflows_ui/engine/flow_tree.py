"""Traversal of a flow's step tree (api.md 6.3). Pure functions over the engine's dictionaries, whose content is not trusted.

The tree is a chain of `nextAction`, with a chain inside each loop (`firstLoopAction`) and one for each branch of a router or a
multiple choice (`children`, `null` for an empty branch; the names are in `settings.branches`).
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

Step = dict[str, Any]

#: Types of triggers, and of steps with branches.
TRIGGERS = ("EMPTY", "PIECE_TRIGGER")
ROUTERS = ("ROUTER", "MULTIPLE_CHOICE")
#: What the engine takes as a step's name (engine-0.83.md section 5).
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
#: Keys of a step that lead to other steps.
_INNER = ("nextAction", "firstLoopAction", "children")
# Far beyond any real flow: the walk must end for malformed trees too.
MOST_STEPS = 10_000


class Node(NamedTuple):
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
        if "firstLoopAction" in node.step or "children" in node.step:
            waiting.extend(reversed(list(_inner_nodes(node))))


def steps_by_name(trigger: Any) -> dict[str, Step]:
    """The steps by name, in reading order, without unnamed ones. Of several steps with one name, the first is kept."""
    steps: dict[str, Step] = {}
    for node in walk(trigger):
        if node.name:
            steps.setdefault(node.name, node.step)
    return steps


def without_steps(step: Step) -> Step:
    """A step without the steps after it and inside it."""
    return {key: value for key, value in step.items() if key not in _INNER}


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


def copied(value: Any) -> Any:
    """A deep copy of a JSON value. `copy.deepcopy` takes four times as long: it looks for what is in the value twice.

    A chain of steps is followed without recursion, since it is as deep as the flow is long.
    """
    if not isinstance(value, dict):
        return [copied(inner) for inner in value] if isinstance(value, list) else value
    first = last = _copied_but_next(value)
    while isinstance(value := value.get("nextAction"), dict):
        last["nextAction"] = _copied_but_next(value)
        last = last["nextAction"]
    return first


def _copied_but_next(value: Step) -> Step:
    """A copy without what follows, in whose place is a None."""
    return {
        key: None if key == "nextAction" and isinstance(inner, dict) else copied(inner) for key, inner in value.items()
    }


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
