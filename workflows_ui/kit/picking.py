"""Reading the engine's dictionaries: values at dotted paths, and ids that an address can hold."""

from collections.abc import Mapping
from typing import Any


def pick(row: Any, path: str) -> Any:
    """The value at a dotted path (`version.displayName`) in the engine's dictionaries; None where the path breaks off."""
    for key in path.split("."):
        if not isinstance(row, Mapping):
            return None
        row = row.get(key)
    return row


def id_at(row: Any, path: str = "id") -> str:
    """The id at a dotted path, empty where there is none that an address could hold."""
    return usable_id(pick(row, path))


def usable_id(found: Any) -> str:
    """The id, empty where no address could hold it: another type, line breaks, controls, nothing but blanks, dots and slashes."""
    return found if isinstance(found, str) and found.isprintable() and found.strip(" ./") else ""


def sole_id_at(row: Any, path: str = "id") -> str:
    """As `id_at`, for an address in which something follows the id: there it can hold no slash."""
    return sole_id(pick(row, path))


def sole_id(found: Any) -> str:
    """As `usable_id`, without slashes."""
    key = usable_id(found)
    return "" if "/" in key else key
