"""Sources for the choices of a field."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Sources:
    """The engine's sources of choices, as (value, label) for selects; empty if they could not be loaded."""

    tables: Sequence[tuple[str, str]] = ()
    #: Columns of the chosen table.
    columns: Sequence[tuple[str, str]] = ()
    #: Properties of the flow's steps with options from their app; the value is `step property`.
    options: Sequence[tuple[str, str]] = ()
