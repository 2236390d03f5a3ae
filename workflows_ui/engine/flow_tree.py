"""Traversal of a flow's step tree (api.md 6.3). Pure functions over the engine's dictionaries, whose content is not trusted.

The tree is a chain of `nextAction`, with a chain inside each loop (`firstLoopAction`) and one for each branch of a router or a
multiple choice (`children`, `null` for an empty branch; the names are in `settings.branches`).
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeGuard

Step = dict[str, Any]

#: Types of triggers, of steps with branches, and of loops.
TRIGGERS = ("EMPTY", "PIECE_TRIGGER")
ROUTERS = ("ROUTER", "MULTIPLE_CHOICE")
LOOP = "LOOP_ON_ITEMS"
#: The type of the branch for everything else.
FALLBACK = "FALLBACK"
#: What the engine takes as a step's name (engine-0.83.md section 5).
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
#: Keys of a step that lead to other steps.
_INNER = ("nextAction", "firstLoopAction", "children")
# Far beyond any real flow: the walk must end for malformed trees too.
MOST_STEPS = 10_000


@dataclass(slots=True, eq=False, repr=False)
class Chain:
    """Steps one after another: those of the flow itself, of a loop, or of a branch (`Branch`).

    Attributes:
        container: the loop or router that they are inside; None for those of the flow itself.
        depth: 0 for the flow itself, one more inside each loop or branch.
        in_loop: whether it is inside any loop.
        branch: the name of the nearest branch around the steps, None outside of branches and for a branch without a name.
        branch_index: that branch's number from 0, None outside of branches.
        steps: in their order; only `nodes` and `tree` fill it in.
    """

    container: "Node | None" = None
    depth: int = 0
    in_loop: bool = False
    branch: str | None = None
    branch_index: int | None = None
    steps: list["Node"] = field(default_factory=list)


@dataclass(slots=True, eq=False, repr=False)
class Branch(Chain):
    """The steps of one branch, maybe none.

    Attributes:
        settings: the router's entry for it, with its name and conditions; anything in a malformed tree.
        listed: whether the router has an entry for it.
        placed: whether the router has a place for its steps.
    """

    settings: Any = None
    listed: bool = True
    placed: bool = True

    @property
    def number(self) -> int:
        """Its place among the branches, from 1."""
        return (self.branch_index or 0) + 1

    @property
    def fallback(self) -> bool:
        """Whether it is for everything that fits no other branch."""
        return is_fallback(self.settings)


@dataclass(slots=True, eq=False, repr=False)
class Node:
    """One step and its position in the tree.

    Attributes:
        step: the engine's dictionary, not a copy.
        chain: the steps that it is among.
        before: the step before it in its chain, or the loop or router for its first step; None for the trigger.
        number: its place in reading order, from 1.
        inside: the chain of a loop, and the branches of a router, the empty ones too; only `nodes` and `tree` fill it in.
    """

    step: Step
    chain: Chain
    before: "Node | None" = None
    number: int = 0
    inside: Sequence[Chain] = ()

    @property
    def name(self) -> str:
        """The step's name (`step_1`), "" without one."""
        name = self.step.get("name")
        return name if isinstance(name, str) else ""

    @property
    def parent(self) -> str | None:
        """The name of the step `before` it, None for the trigger."""
        return self.before.name if self.before else None

    @property
    def depth(self) -> int:
        return self.chain.depth

    @property
    def branch(self) -> str | None:
        return self.chain.branch

    @property
    def branch_index(self) -> int | None:
        return self.chain.branch_index

    @property
    def in_loop(self) -> bool:
        return self.chain.in_loop

    @property
    def loop(self) -> Chain | None:
        """The steps inside a loop, None for a step without any."""
        return next((chain for chain in self.inside if not isinstance(chain, Branch)), None)

    @property
    def branches(self) -> list[Branch]:
        return [chain for chain in self.inside if isinstance(chain, Branch)]

    def ancestors(self) -> Iterator["Node"]:
        """The loops and routers that it is inside, the innermost first."""
        node = self.chain.container
        while node is not None:
            yield node
            node = node.chain.container


def walk(trigger: Any) -> Iterator[Node]:
    """Every step from the trigger on, in reading order: a loop's or branch's steps directly after the loop or router.

    Never raises for malformed data: an empty tree has no steps, values that are not dictionaries are skipped, inner steps of unknown types
    are visited under the known keys, a repeated step is visited once, and the walk ends after 10,000 steps.
    """
    return _walk(trigger, linked=False)


def nodes(trigger: Any) -> list[Node]:
    """As `walk`, with the steps of each chain and what is inside each step."""
    return list(_walk(trigger, linked=True))


def tree(trigger: Any) -> list[Node]:
    """The steps of the flow itself, the trigger first, each with all that is inside it. Malformed data as for `walk`."""
    every = nodes(trigger)
    return every[0].chain.steps if every else []


def _walk(trigger: Any, *, linked: bool) -> Iterator[Node]:
    # Links in both directions are a cycle, which waits for the garbage collector: most walks do without.
    seen: set[int] = set()
    waiting = [Node(trigger, Chain())] if trigger and isinstance(trigger, dict) else []
    while waiting and len(seen) < MOST_STEPS:
        node = waiting.pop()
        if id(node.step) in seen:
            continue
        seen.add(id(node.step))
        node.number = len(seen)
        if linked:
            node.chain.steps.append(node)
        yield node
        # Last in, first out: inner steps come before the step's successor.
        after = node.step.get("nextAction")
        if isinstance(after, dict):
            waiting.append(Node(after, node.chain, node))
        if "firstLoopAction" in node.step or "children" in node.step or _branch_list(node.step):
            found = _inside(node)
            if linked:
                node.inside = [chain for chain, _first in found]
            for chain, first in reversed(found):
                if isinstance(first, dict):
                    waiting.append(Node(first, chain, node))


def in_order(places: Iterable[Node | Chain]) -> Iterator[Node | Branch]:
    """Steps of a `tree`, or chains, with all that is inside them in reading order, and each branch before its steps.

    Empty branches at a router's end that it does not list are left out.
    """
    waiting = list(places)[::-1]
    while waiting:
        place = waiting.pop()
        if isinstance(place, Node):
            yield place
            waiting += reversed(_without_unlisted_end(place.inside))
        else:
            if isinstance(place, Branch):
                yield place
            waiting += reversed(place.steps)


def inner(node: Node) -> Iterator[Node]:
    """The steps inside a node of a `tree`, in reading order."""
    return (place for place in in_order(node.inside) if isinstance(place, Node))


def nodes_by_name(trigger: Any) -> dict[str, Node]:
    """The steps by name, in reading order; unnamed ones are at "". Of several steps with one name, the first is kept."""
    found: dict[str, Node] = {}
    for node in walk(trigger):
        found.setdefault(node.name, node)
    return found


def steps_by_name(trigger: Any) -> dict[str, Step]:
    """As `nodes_by_name`, without unnamed ones."""
    return {name: node.step for name, node in nodes_by_name(trigger).items() if name}


def is_step(value: object) -> TypeGuard[Step]:
    """Whether a value in the place of a step is a step, even a malformed one."""
    return isinstance(value, dict)


def slots(step: Step) -> Iterator[tuple[Any, Any, Step]]:
    """The steps directly after and inside a step, each with the dictionary or list that it is in, and its key or index there."""
    for key in ("nextAction", "firstLoopAction"):
        if is_step(child := step.get(key)):
            yield step, key, child
    children = _as_list(step.get("children"))
    yield from ((children, index, child) for index, child in enumerate(children) if is_step(child))


def without_steps(step: Step) -> Step:
    """A step without the steps after it and inside it."""
    return {key: value for key, value in step.items() if key not in _INNER}


def step_name(step: Any) -> str:
    """A step's name, "" without one."""
    name = step.get("name") if isinstance(step, dict) else None
    return name if isinstance(name, str) else ""


def branch_names(step: Any) -> list[str | None]:
    """The names of a router's branches, in order; None for a branch without a name."""
    return [_branch_name(branch) for branch in _branch_list(step)] if isinstance(step, dict) else []


def is_fallback(branch: Any) -> bool:
    """Whether a router's entry is that of the branch for everything that fits no other one."""
    return isinstance(branch, dict) and branch.get("branchType") == FALLBACK


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


def _inside(node: Node) -> list[tuple[Chain, Any]]:
    """The chains inside a step, each with its first step, which may be anything."""
    step, chain = node.step, node.chain
    found: list[tuple[Chain, Any]] = []
    if isinstance(first := step.get("firstLoopAction"), dict):
        found.append((Chain(node, chain.depth + 1, True, chain.branch, chain.branch_index), first))
    listed, children = _branch_list(step), _as_list(step.get("children"))
    for index in range(max(len(listed), len(children))):
        branch = Branch(node, chain.depth + 1, chain.in_loop, None, index)
        branch.listed, branch.placed = index < len(listed), index < len(children)
        if branch.listed:
            branch.settings, branch.branch = listed[index], _branch_name(listed[index])
        found.append((branch, children[index] if branch.placed else None))
    return found


def _without_unlisted_end(inside: Sequence[Chain]) -> Sequence[Chain]:
    end = len(inside)
    while end and isinstance(last := inside[end - 1], Branch) and not (last.listed or last.steps):
        end -= 1
    return inside[:end]


def _branch_list(step: Step) -> list[Any]:
    settings = step.get("settings")
    return _as_list(settings.get("branches")) if isinstance(settings, dict) else []


def _branch_name(branch: Any) -> str | None:
    name = branch.get("branchName") if isinstance(branch, dict) else None
    return name if isinstance(name, str) else None


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
