"""What an audit row changed, readable: before and after side by side, and the remaining details."""

from collections.abc import Mapping
from typing import Any

from workflows_ui.audit.messages import CHOICES, FIELDS
from workflows_ui.web.readable import Node, readable_node


def changes(detail: Mapping[str, Any], action: str) -> list[dict[str, Any]]:
    """Return name, `before` and `after` of each changed value; the name is "" if the row has only one value."""
    if "before" not in detail and "after" not in detail:
        return []
    before, after = detail.get("before"), detail.get("after")
    if not isinstance(before, Mapping) and not isinstance(after, Mapping):
        field = "role" if action == "member.change_role" else ""
        return [_change(field, before, after) | {"name": ""}]
    old, new = (value if isinstance(value, Mapping) else {} for value in (before, after))
    pairs = {name: (old.get(name), new.get(name)) for name in {**old, **new}}
    return [_change(name, *pair) for name, pair in pairs.items() if pair[0] != pair[1]]


def _change(field: str, before: Any, after: Any) -> dict[str, Any]:
    return {
        "name": FIELDS.get(field, field),
        "before": readable_node(_labelled(field, before)),
        "after": readable_node(_labelled(field, after)),
    }


def _labelled(field: str, value: Any) -> Any:
    choices = CHOICES.get(field, {})
    return str(choices[value]) if isinstance(value, str) and value in choices else value


def remaining_details(detail: Mapping[str, Any]) -> Node | None:
    """Return the details other than `before` and `after` in readable form, or None."""
    details = {
        str(FIELDS.get(name, name)): _labelled(name, value)
        for name, value in detail.items()
        if name not in ("before", "after") and value not in (None, "", [], {})
    }
    return readable_node(details) if details else None
