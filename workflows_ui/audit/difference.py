"""What an audit row changed, readable: before and after side by side, and the remaining details."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise

from workflows_ui.audit import messages as audit_messages
from workflows_ui.web import readable
from workflows_ui.web.messages import Text
from workflows_ui.web.readable import Node


@dataclass(frozen=True)
class Change:
    """One changed value. `name` is "" if the row has only one value."""

    name: Text
    before: Node
    after: Node


def changes(detail: Mapping[str, Any], action: str = "") -> list[Change]:
    """Return the pairs of `before` and `after`, field by field if either is a mapping."""
    if "before" not in detail and "after" not in detail:
        return []
    before, after = detail.get("before"), detail.get("after")
    role = "role" if action == "member.change_role" else ""
    if not isinstance(before, Mapping) and not isinstance(after, Mapping):
        return [
            Change("", readable.readable_node(_labelled(role, before)), readable.readable_node(_labelled(role, after)))
        ]
    old = before if isinstance(before, Mapping) else {}
    new = after if isinstance(after, Mapping) else {}
    names = list(dict.fromkeys([*old, *new]))
    return [
        Change(
            audit_messages.field(name),
            readable.readable_node(_labelled(name, old.get(name))),
            readable.readable_node(_labelled(name, new.get(name))),
        )
        for name in names
        if old.get(name) != new.get(name)
    ]


def _labelled(name: str, value: Any) -> Any:
    label = audit_messages.field_value(name, value)
    return str(label) if isinstance(label, Promise) else label


def remaining_details(detail: Mapping[str, Any]) -> Node | None:
    """Return the details other than `before` and `after` in readable form, or None."""
    details = {
        str(audit_messages.field(name)): _labelled(name, value)
        for name, value in detail.items()
        if name not in ("before", "after") and value not in (None, "", [], {})
    }
    return readable.readable_node(details) if details else None
