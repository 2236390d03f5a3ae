"""Validation as the engine does it: unknown keys dropped, types coerced, then checked (api.md section 4).

A schema maps names to ``Field``. Status, code and the beginning of a message are the engine's, the rest of the words is our own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from . import ids
from .http import V083, HttpError, Json, Request, Version

#: Where a value is required: nowhere, by the Activepieces flavour, everywhere.
NEVER, ACTIVEPIECES, ALWAYS = "never", "activepieces", "always"


@dataclass(frozen=True)
class Field:
    """One value.

    ``kind``: text, number, boolean, id, time, object, array, strings (an array of texts) or any. ``many``: a list; a single
    value becomes a list of one. ``since`` and ``before`` limit the versions that know the value.
    """

    kind: str = "text"
    required: str = NEVER
    choices: tuple[str, ...] = ()
    many: bool = False
    nullable: bool = False
    min_length: int = 0
    since: Version = (0,)
    before: Version = (1000,)


#: A value that differs between versions has a field for each.
Schema = Mapping[str, Field | tuple[Field, ...]]


def required(kind: str = "text", **more: Any) -> Field:
    """A field that is required everywhere."""
    return Field(kind, required=ALWAYS, **more)


PROJECT = Field("id", required=ACTIVEPIECES)
PROJECT_083 = (Field("id", before=V083), required("id", since=V083))
PAGE = {"limit": Field("number"), "cursor": Field("text")}


def read(source: Any, schema: Schema, path: str, request: Request | None = None) -> Json:
    """The values of ``schema`` in ``source``. ``path`` is where ``source`` is, for messages.

    Without a ``request`` only what is required everywhere must be there. Raises a 400 for the first invalid value.
    """
    if not isinstance(source, dict):
        raise HttpError.invalid(f"{path} must be an object")
    version, needed = V083, {ALWAYS}
    if request is not None:
        version = request.version
        needed.add(request.flavour)
    values: Json = {}
    for name, fields in schema.items():
        alternatives = fields if isinstance(fields, tuple) else (fields,)
        field = next((one for one in alternatives if one.since <= version < one.before), None)
        if field is None:
            continue
        if name not in source:
            if field.required in needed:
                raise HttpError.invalid(f"{path} must have required property '{name}'")
            continue
        value = source[name]
        if value is None and field.nullable:
            values[name] = None
        elif field.many:
            items = value if isinstance(value, list) else [value]
            values[name] = [_value(item, field, f"{path}/{name}/{number}") for number, item in enumerate(items)]
        else:
            values[name] = _value(value, field, f"{path}/{name}")
    return values


def _value(value: Any, field: Field, path: str) -> Any:
    if isinstance(value, list) and field.kind not in ("array", "strings", "any", "object") and len(value) == 1:
        value = value[0]
    value = COERCE[field.kind](value, path)
    if field.choices and value not in field.choices:
        raise HttpError.invalid(f"{path} must be one of the known values")
    if field.min_length and len(value) < field.min_length:
        raise HttpError.invalid(f"{path} must not be shorter than {field.min_length}")
    return value


def query_source(raw: Mapping[str, list[str]], max_repeated: int | None = None) -> Json:
    """A query string as one map: a repeated or ``name[]`` key is a list, the rest are texts (api.md section 4).

    A name repeated more than ``max_repeated`` times becomes an object (recording ``runs_list_flow_run_ids_21_refused``).
    """
    source: Json = {}
    for key, texts in raw.items():
        name = key.removesuffix("[]")
        if max_repeated is not None and len(texts) > max_repeated:
            source[name] = {str(number): text for number, text in enumerate(texts)}
        else:
            source[name] = texts if len(texts) > 1 or key.endswith("[]") else texts[0]
    return source


def check_id(text: str, path: str) -> str:
    """``text``. Raises a 400 unless it is shaped like an id (recording ``flow_get_bad_id``)."""
    if not ids.is_id(text):
        raise _type_error(path, "shaped like an id")
    return text


def _type_error(path: str, expected: str) -> HttpError:
    return HttpError.invalid(f"{path} must be {expected}")


def _text(value: Any, path: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"{value:g}" if isinstance(value, float) else str(value)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _type_error(path, "a text")
    return value


def _number(value: Any, path: str) -> float | int:
    if isinstance(value, bool) or value is None:
        return int(bool(value))
    if isinstance(value, int | float):
        return value
    try:
        number = float(str(value))
    except ValueError:
        raise _type_error(path, "a number") from None
    return int(number) if number.is_integer() else number


def _boolean(value: Any, path: str) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("true", 1):
        return True
    if value in ("false", 0, None, ""):
        return False
    raise _type_error(path, "true or false")


def _time(value: Any, path: str) -> str:
    text = _text(value, path)
    try:
        ids.parse(text)
    except ValueError:
        raise _type_error(path, "a time") from None
    return text


def _instance(kind: type, expected: str) -> Callable[[Any, str], Any]:
    def check(value: Any, path: str) -> Any:
        if not isinstance(value, kind):
            raise _type_error(path, expected)
        return value

    return check


_array = _instance(list, "an array")
COERCE: dict[str, Callable[[Any, str], Any]] = {
    "text": _text,
    "number": _number,
    "boolean": _boolean,
    "id": lambda value, path: check_id(_text(value, path), path),
    "time": _time,
    "object": _instance(dict, "an object"),
    "array": _array,
    "strings": lambda value, path: [_text(item, path) for item in _array(value, path)],
    "any": lambda value, path: value,
}
