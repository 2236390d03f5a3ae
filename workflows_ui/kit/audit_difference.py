"""What an audit row changed, made readable: before and after side by side, and whatever else was written down."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workflows_ui.kit import readable
from workflows_ui.kit.readable import Node


@dataclass(frozen=True)
class Change:
    """One thing that changed: its name ("" where there is only one), what it was, and what it is now."""

    name: str
    before: Node
    after: Node


def changes(detail: Mapping[str, Any]) -> list[Change]:
    """The pairs of `before` and `after`, field by field where both are maps."""
    if "before" not in detail and "after" not in detail:
        return []
    before, after = detail.get("before"), detail.get("after")
    if not isinstance(before, Mapping) and not isinstance(after, Mapping):
        return [Change("", readable.of(before), readable.of(after))]
    old = before if isinstance(before, Mapping) else {}
    new = after if isinstance(after, Mapping) else {}
    names = list(dict.fromkeys([*old, *new]))
    return [
        Change(name, readable.of(old.get(name)), readable.of(new.get(name)))
        for name in names
        if old.get(name) != new.get(name)
    ]


def rest(detail: Mapping[str, Any]) -> Node | None:
    """What else was written down, readable; None where that is nothing."""
    found = {
        name: value
        for name, value in detail.items()
        if name not in ("before", "after") and value not in (None, "", [], {})
    }
    return readable.of(found) if found else None
