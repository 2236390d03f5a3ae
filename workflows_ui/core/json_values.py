"""The types of JSON values, and changed copies of values of any type.

For code that rebuilds values of the engine or of a person: values of unexpected types are left unchanged.
"""

from collections.abc import Callable, Mapping
from enum import Enum, auto


class JsonType(Enum):
    """The types of JSON values; `NONE` is for values that are not JSON, such as a marker for a missing value."""

    NULL = auto()
    TEXT = auto()
    NUMBER = auto()
    TRUTH = auto()
    LIST = auto()
    OBJECT = auto()
    NONE = auto()


#: `bool` before `int`, of which it is a subclass.
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
    """The type of any value."""
    # Decoded JSON has exactly these types. The run index calls this for every value.
    return _BY_TYPE.get(type(value)) or next(
        (name for kind, name in _JSON_TYPES if isinstance(value, kind)), JsonType.NONE
    )


def changed_at(value: object, path: str, change: Callable[[object], object]) -> object:
    """A copy of a JSON value with the value at a path changed (`branches.*.conditions`: in each branch).

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
    """The changed dictionary; any other value unchanged."""
    return change(value) if isinstance(value, dict) else value


def changed_texts(value: object, change: Callable[[str], str]) -> object:
    """A copy of a JSON value with each text changed, except for keys. Recursive: as deep as the value."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {key: changed_texts(inner, change) for key, inner in value.items()}
    return [changed_texts(inner, change) for inner in value] if isinstance(value, list) else value
