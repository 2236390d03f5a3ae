"""Access to the engine's dictionaries: values at dotted paths, and ids that fit into a URL.

For a missing value, and for one of another type, readers return an empty one; for a number None.
"""

from collections.abc import Mapping
from typing import Any

#: Most are dictionaries, and the check for one is five times as quick.
_MAPPINGS = (dict, Mapping)


def pick(row: Any, path: str) -> Any:
    """The value at a dotted path (`version.displayName`) in nested dictionaries; None if a part is missing."""
    for key in path.split("."):
        if not isinstance(row, _MAPPINGS):
            return None
        row = row.get(key)
    return row


def id_at(row: Any, path: str = "id") -> str:
    """The id at a dotted path, or "" without one that fits into a URL."""
    return usable_id(pick(row, path))


def usable_id(value: object) -> str:
    """The id, or "" if it does not fit into a URL: another type, unprintable characters, only blanks, dots and slashes."""
    return value if isinstance(value, str) and value.isprintable() and value.strip(" ./") else ""


def sole_id(value: object) -> str:
    """`usable_id`, or "" if it contains a slash: for a URL with a part after the id."""
    key = usable_id(value)
    return "" if "/" in key else key


def text_at(row: Any, path: str) -> str:
    return text_of(pick(row, path))


def text_of(value: object) -> str:
    """The text, "" for any other value."""
    return value if isinstance(value, str) else ""


def number_at(row: object, path: str) -> int | float | None:
    value = pick(row, path)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def dict_at(row: Any, path: str) -> dict[str, Any]:
    value = pick(row, path)
    return value if isinstance(value, dict) else {}


def list_at(row: Any, path: str) -> list[Any]:
    value = pick(row, path)
    return value if isinstance(value, list) else []


def texts_at(row: object, path: str) -> list[str]:
    return [item for item in list_at(row, path) if isinstance(item, str)]


def dicts_at(row: object, path: str) -> list[dict[str, object]]:
    return dicts_in(pick(row, path))


def dicts_in(value: object) -> list[dict[str, Any]]:
    """The dictionaries in a list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
