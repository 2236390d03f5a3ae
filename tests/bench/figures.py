"""The table of speed: each figure beside its goal and the bare engine. The tests add rows; conftest.py prints them at the end."""

import statistics
from collections.abc import Sequence
from typing import NamedTuple


class Figure(NamedTuple):
    """One row. `engine` is what the practice engine alone takes for the same, as its own pages would ask it."""

    name: str
    measured: str
    goal: str
    engine: str


FIGURES: list[Figure] = []


def add(name: str, measured: str, goal: str = "", engine: str = "–") -> None:
    """Add a row."""
    FIGURES.append(Figure(name, measured, goal, engine))


def spread(seconds: Sequence[float]) -> str:
    """The median and the 95th percentile in milliseconds."""
    high = sorted(seconds)[int(len(seconds) * 0.95)]
    return f"{statistics.median(seconds) * 1000:.1f} ms, 95 % {high * 1000:.1f}"


def table() -> list[str]:
    """The lines of the table, in Markdown."""
    head = Figure("figure", "measured", "goal", "bare engine")
    return [" | ".join(("", *row, "")).strip() for row in (head, Figure("---", "---", "---", "---"), *FIGURES)]
