"""JSON values that may be of any type: which one they are of, and copies with changes.

The guards of code that rebuilds what the engine or a person gave: in what it does not know, nothing changes.
"""

from collections.abc import Callable, Mapping
from enum import Enum, auto


class JsonType(Enum):
    """The types of JSON values; `NONE` is that of what is no JSON, such as a marker for a missing value."""

    NULL = auto()
    TEXT = auto()
    NUMBER = auto()
    TRUTH = auto()
    LIST = auto()
    OBJECT = auto()
    NONE = auto()


#: Of a number, true and false come first: Python takes them for numbers.
_JSON_TYPES: tuple[tuple[type, JsonType], ...] = (
    (str, JsonType.TEXT),
    (dict, JsonType.OBJECT),
    (list, JsonType.LIST),
    (bool, JsonType.TRUTH),
    (int, JsonType.NUMBER),
    (float, JsonType.NUMBER),
    (type(None), JsonType.NULL),
)
_BY_TYPE = dict(_JSON_TYPES)


def json_type(value: object) -> JsonType:
    """The type of a value that may be anything, where what is done depends on it."""
    # What JSON is decoded to has just these types. The index of runs asks this of every value.
    return _BY_TYPE.get(type(value)) or next(
        (name for kind, name in _JSON_TYPES if isinstance(value, kind)), JsonType.NONE
    )


def changed_at(value: object, path: str, change: Callable[[object], object]) -> object:
    """A copy of a JSON value in which what is at the path is changed (`branches.*.conditions`: in each branch).

    Where a part of the path is missing, or of another type, the value stays as it is.
    """
    key, _dot, rest = path.partition(".")
    if not key:
        return change(value)
    if key == "*":
        return [changed_at(item, rest, change) for item in value] if isinstance(value, list) else value
    if isinstance(value, dict) and key in value:
        return value | {key: changed_at(value[key], rest, change)}
    return value


def changed_object(value: object, change: Callable[[Mapping[str, object]], object]) -> object:
    """A dictionary as it is changed; anything else as it is."""
    return change(value) if isinstance(value, dict) else value


def changed_texts(value: object, change: Callable[[str], str]) -> object:
    """A copy of a JSON value with each text changed, except for keys. Recursive: as deep as the value."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {key: changed_texts(inner, change) for key, inner in value.items()}
    return [changed_texts(inner, change) for inner in value] if isinstance(value, list) else value
