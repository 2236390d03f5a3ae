"""Positions for a drawn diagram of a flow's steps: from the engine's tree (api.md 6.3) to boxes, frames, labels and lines.

Steps are below each other. A loop is a frame around its steps; the branches of a router are side by side and meet again below them.
In a long flow loops and routers are folded, except those around one step.
Everything is measured first, then placed, in one pass each.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from workflows_ui.engine import flow_tree
from workflows_ui.engine_objects.flows import Step

#: Of a box; between two boxes; between branches and inside frames; of a branch's label; around everything.
WIDTH, HEIGHT, GAP, SIDE, LABEL, MARGIN = 240, 62, 36, 20, 22, 12
#: Deeper steps are not drawn; neither are later ones.
DEEPEST, MOST = 12, 1000
#: The steps of a flow in which nothing is folded.
UNFOLDED = 60
_HALF = WIDTH // 2
_HEAD = 6


@dataclass(frozen=True)
class Box:
    """A step at its position; `number` is its place in reading order, from 1; `more` if steps inside it are not drawn."""

    number: int
    step: Step
    x: int
    y: int
    more: bool = False


class Frame(NamedTuple):
    """Around a loop and its steps."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Label:
    """The name of a branch, around `x`: None if it has none; `number` is its place among the branches, from 1."""

    name: str | None
    number: int
    x: int
    y: int


@dataclass(frozen=True)
class Place:
    """Where a step can be added, around `x` and `y`: as the engine names it (api.md 6.5), `AFTER`, `INSIDE_LOOP` or `INSIDE_BRANCH` of a
    step; for the last one `branch` is the branch's number from 0, and `name` its name.
    """

    location: str
    step: Step
    x: int
    y: int
    branch: int | None = None
    name: str | None = None


@dataclass
class Layout:
    """A diagram. `lines` and `heads` (of the arrows) are parts of the data of one path each; `places` are where steps can be added;
    `left_out` counts steps that are not drawn, `folded` is whether loops and routers are.
    """

    width: int = 0
    height: int = 0
    boxes: list[Box] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    left_out: int = 0
    folded: bool = False


@dataclass
class _Block:
    """A step with what is inside it, and how far that reaches from its axis."""

    number: int
    step: Step
    left: int = _HALF
    right: int = _HALF
    height: int = HEIGHT
    loop: "_Chain | None" = None
    branches: list["_Chain"] = field(default_factory=list)
    more: bool = False

    @property
    def across(self) -> int:
        """The width of the branches side by side."""
        return sum(branch.left + branch.right for branch in self.branches) + SIDE * (len(self.branches) - 1)


@dataclass
class _Chain:
    blocks: list[_Block] = field(default_factory=list)
    name: str | None = None
    #: The length of the line after the last step, with the place for one more.
    tail: int = 0
    #: Of a branch: whether its router has an entry for it.
    listed: bool = False

    @property
    def left(self) -> int:
        return max((block.left for block in self.blocks), default=_HALF // 2)

    @property
    def right(self) -> int:
        return max((block.right for block in self.blocks), default=_HALF // 2)

    @property
    def height(self) -> int:
        return sum(block.height for block in self.blocks) + GAP * max(0, len(self.blocks) - 1) + self.tail


def layout(trigger: object, current: str = "", *, places: bool = False) -> Layout:
    """The diagram of the tree that starts at `trigger`; empty without one. Accepts malformed trees.

    Args:
        current: the name of the step that is unfolded in a long flow, as are the loops and routers around it.
        places: leave room for a further step at each end, and say where steps can be added.
    """
    nodes = flow_tree.nodes(trigger)
    steps = nodes[0].chain.steps if nodes else []
    tree = _Tree(_unfolded(nodes, current) if len(nodes) > UNFOLDED else None, GAP if places else 0)
    chain = tree.measured(steps, 0)
    if not chain.blocks:
        return Layout()
    drawn = Layout(chain.left + chain.right + 2 * MARGIN, chain.height + 2 * MARGIN)
    _place(drawn, chain, MARGIN + chain.left, MARGIN)
    if not places:
        drawn.places.clear()
    drawn.left_out = len(nodes) - len(drawn.boxes)
    drawn.folded = tree.unfolded is not None and any(box.more for box in drawn.boxes)
    return drawn


def _unfolded(nodes: Iterable[flow_tree.Node], current: str) -> set[flow_tree.Node]:
    """The step of this name and the loops and routers around it."""
    found = next((node for node in nodes if current and node.name == current), None)
    return {found, *found.ancestors()} if found else set()


@dataclass
class _Tree:
    """The steps that are unfolded (None: all are), the line after the last step of each chain, and how many steps are measured."""

    unfolded: set[flow_tree.Node] | None
    tail: int = 0
    measured_steps: int = 0

    def measured(self, steps: Iterable[flow_tree.Node], depth: int, name: str | None = None) -> _Chain:
        chain = _Chain(name=name, tail=self.tail)
        for node in steps:
            if self.measured_steps == MOST:
                break
            self.measured_steps += 1
            chain.blocks.append(self._block(node, depth))
        return chain

    def _block(self, node: flow_tree.Node, depth: int) -> _Block:
        block, branches, loop = _Block(node.number, Step(node.step)), node.branches, node.loop
        if depth >= DEEPEST or (self.unfolded is not None and node not in self.unfolded):
            block.more = bool(node.inside)
        elif branches:
            block.branches = [self.measured(branch.steps, depth + 1, branch.branch) for branch in branches]
            for drawn, branch in zip(block.branches, branches, strict=True):
                drawn.listed = branch.listed
            block.left = max(_HALF, (block.across + 1) // 2)
            block.right = max(_HALF, block.across // 2)
            inner = max(branch.height for branch in block.branches)
            block.height = HEIGHT + GAP + LABEL + (GAP + inner if inner else 0) + GAP
        elif loop or (self.tail and block.step.type == flow_tree.LOOP):
            block.loop = self.measured(loop.steps if loop else (), depth + 1)
            block.left = max(_HALF, block.loop.left) + SIDE
            block.right = max(_HALF, block.loop.right) + SIDE
            block.height = SIDE + HEIGHT + GAP + block.loop.height + SIDE
        return block


def _place(drawn: Layout, chain: _Chain, axis: int, y: int) -> int:
    """Place a chain; return where its last step ends."""
    for index, block in enumerate(chain.blocks):
        if index:
            _arrow(drawn, axis, y, y + GAP)
            y += GAP
        _place_block(drawn, block, axis, y)
        y += block.height
        drawn.places.append(Place("AFTER", block.step, axis, y + GAP // 2))
    if chain.tail and chain.blocks:
        drawn.lines.append(f"M{axis} {y}v{GAP // 2}")
    return y


def _place_block(drawn: Layout, block: _Block, axis: int, y: int) -> None:
    if block.loop is not None:
        drawn.frames.append(Frame(axis - block.left, y, block.left + block.right, block.height))
        y += SIDE
    drawn.boxes.append(Box(block.number, block.step, axis - _HALF, y, block.more))
    below = y + HEIGHT
    if block.loop is not None:
        if block.step.type == flow_tree.LOOP:
            drawn.places.append(Place("INSIDE_LOOP", block.step, axis, below + GAP // 2))
        if block.loop.blocks:
            _arrow(drawn, axis, below, below + GAP)
            _place(drawn, block.loop, axis, below + GAP)
        else:
            drawn.lines.append(f"M{axis} {below}v{GAP // 2}")
    end = y + block.height
    for number, (branch, x) in enumerate(_across(block, axis), start=1):
        top = below + GAP
        drawn.lines.append(f"M{axis} {below}V{below + GAP // 2}H{x}V{top}")
        drawn.labels.append(Label(branch.name, number, x, top))
        bottom = top + LABEL
        if branch.listed and block.step.type in flow_tree.ROUTERS:
            drawn.places.append(Place("INSIDE_BRANCH", block.step, x, bottom + GAP // 2, number - 1, branch.name))
        if branch.blocks:
            _arrow(drawn, x, bottom, bottom + GAP)
            bottom = _place(drawn, branch, x, bottom + GAP)
        drawn.lines.append(f"M{x} {bottom}V{end - GAP // 2}H{axis}V{end}")


def _arrow(drawn: Layout, x: int, start: int, end: int) -> None:
    drawn.lines.append(f"M{x} {start}V{end}")
    drawn.heads.append(f"M{x} {end}l-{_HEAD - 2}-{_HEAD}h{2 * _HEAD - 4}z")


def _across(block: _Block, axis: int) -> Iterator[tuple[_Chain, int]]:
    x = axis - (block.across + 1) // 2
    for branch in block.branches:
        yield branch, x + branch.left
        x += branch.left + branch.right + SIDE
