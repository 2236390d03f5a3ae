"""Traversal of a run's steps (api.md 8.1): by name in the order they ran, with such steps again in each iteration of a loop
(`output.iterations`). Pure functions over the engine's dictionaries, whose content is not trusted.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

#: Loops inside this many loops are not entered.
DEEPEST = 6


class RanStep(NamedTuple):
    """A step that ran, and its position: `2` is the third step, `2-5-0` the first one in its fifth iteration."""

    name: str
    step: Any
    position: str


def walk(steps: Any) -> Iterator[RanStep]:
    """Every step in the order they ran, those in a loop directly after it. Accepts anything."""
    return _walked(steps, "", 0)


def _walked(steps: Any, prefix: str, depth: int) -> Iterator[RanStep]:
    for index, (name, step) in enumerate(steps.items() if isinstance(steps, dict) else ()):
        position = f"{prefix}{index}"
        yield RanStep(name, step, position)
        for number, turn in enumerate(iterations(step) or () if depth < DEEPEST else (), start=1):
            yield from _walked(turn, f"{position}-{number}-", depth + 1)


def step_at(steps: Any, position: str) -> tuple[str, Any] | None:
    """The name and step at a position; None without one."""
    numbers = [int(part) if part.isdecimal() and len(part) < 8 else -1 for part in position.split("-")]
    if len(numbers) % 2 == 0:
        return None
    while isinstance(steps, dict) and 0 <= numbers[0] < len(steps):
        name, step = list(steps.items())[numbers[0]]
        if len(numbers) == 1:
            return str(name), step
        rounds = iterations(step)
        if rounds is None or not 0 < numbers[1] <= len(rounds):
            return None
        steps, numbers = rounds[numbers[1] - 1], numbers[2:]
    return None


def iterations(step: Any) -> list[Any] | None:
    """The iterations of a loop, each the steps that ran in it; None for any other step."""
    output = step.get("output") if isinstance(step, dict) else None
    rounds = output.get("iterations") if isinstance(output, dict) else None
    return rounds if isinstance(rounds, list) else None
