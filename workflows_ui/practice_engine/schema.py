"""Validation as the engine does it: unknown keys dropped, types coerced, then checked (api.md section 4).

A schema is a map of name to ``Field``. Messages are our own words; status and code are the engine's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from . import ids
from .http import Json, Refusal, invalid

BOTH, ACTIVEPIECES, NEVER = "both", "activepieces", "never"


@dataclass(frozen=True)
class Field:
    """One value.

    ``kind``: text, number, boolean, id, time, object, array or any. ``required``: in which flavour it must be there.
    ``many``: a list is meant, one value is taken as a list of one. ``nullable``: null is let through.
    """

    kind: str = "text"
    required: str = NEVER
    choices: tuple[str, ...] = ()
    many: bool = False
    nullable: bool = False
    shortest: int = 0


Schema = Mapping[str, Field]


def need(kind: str = "text", **more: Any) -> Field:
    """A value that must be there in both flavours."""
    return Field(kind, required=BOTH, **more)


def read(source: Any, schema: Schema, where: str, flavour: str) -> Json:
    """The values of ``schema`` found in ``source``. Raises a 400 refusal that names the first thing that is wrong."""
    if not isinstance(source, dict):
        raise invalid(f"{where} must be an object")
    values: Json = {}
    for name, field in schema.items():
        if name not in source:
            if field.required in (BOTH, flavour):
                raise invalid(f"{where}: '{name}' is missing")
            continue
        value = source[name]
        if value is None and field.nullable:
            values[name] = None
        elif field.many:
            items = value if isinstance(value, list) else [value]
            values[name] = [one(item, field, f"{where}/{name}/{number}") for number, item in enumerate(items)]
        else:
            values[name] = one(value, field, f"{where}/{name}")
    return values


def one(value: Any, field: Field, where: str) -> Any:
    """``value`` as ``field`` wants it, coerced where the engine coerces. Raises a 400 refusal."""
    if isinstance(value, list) and field.kind not in ("array", "any", "object") and len(value) == 1:
        value = value[0]
    value = COERCE[field.kind](value, where)
    if field.choices and value not in field.choices:
        raise invalid(f"{where} must be one of the known values")
    if field.shortest and len(value) < field.shortest:
        raise invalid(f"{where} must not be shorter than {field.shortest}")
    return value


def query_source(raw: Mapping[str, list[str]]) -> Json:
    """A query string as one map: a repeated or ``name[]`` key is a list, the rest are texts (api.md section 4)."""
    source: Json = {}
    for key, texts in raw.items():
        name = key.removesuffix("[]")
        source[name] = texts if len(texts) > 1 or key.endswith("[]") else texts[0]
    return source


def check_id(text: str, where: str) -> str:
    """``text`` if it is shaped like an id, else a 400 refusal (recording ``flow_get_bad_id``)."""
    if not ids.is_id(text):
        raise wrong(where, "shaped like an id")
    return text


def wrong(where: str, wanted: str) -> Refusal:
    """The refusal of a value that is not what was wanted."""
    return invalid(f"{where} must be {wanted}")


def _text(value: Any, where: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"{value:g}" if isinstance(value, float) else str(value)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise wrong(where, "a text")
    return value


def _number(value: Any, where: str) -> float | int:
    if isinstance(value, bool) or value is None:
        return int(bool(value))
    if isinstance(value, int | float):
        return value
    try:
        number = float(str(value))
    except ValueError:
        raise wrong(where, "a number") from None
    return int(number) if number.is_integer() else number


def _boolean(value: Any, where: str) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("true", 1):
        return True
    if value in ("false", 0, None, ""):
        return False
    raise wrong(where, "true or false")


def _id(value: Any, where: str) -> str:
    return check_id(_text(value, where), where)


def _time(value: Any, where: str) -> str:
    text = _text(value, where)
    try:
        ids.parse(text)
    except ValueError:
        raise wrong(where, "a time") from None
    return text


def _object(value: Any, where: str) -> Json:
    if not isinstance(value, dict):
        raise wrong(where, "an object")
    return value


def _array(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise wrong(where, "an array")
    return value


COERCE: dict[str, Callable[[Any, str], Any]] = {
    "text": _text,
    "number": _number,
    "boolean": _boolean,
    "id": _id,
    "time": _time,
    "object": _object,
    "array": _array,
    "any": lambda value, where: value,
}
PROJECT = Field("id", required=ACTIVEPIECES)
PAGE = {"limit": Field("number"), "cursor": Field("text")}
