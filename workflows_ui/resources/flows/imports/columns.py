"""Columns in the steps of the tables' app, for a table that takes the place of another one.

The input `values` has a record, or a list of them, as objects by the columns' external ids; the schema of these objects, which the
engine's builder stores with the step, has the names. The input `filters` has objects with id, type and name of a column.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from workflows_ui.resource_admin.resource import Row
from workflows_ui.web.paths import dict_at, dicts_at, text_at

#: The columns of a table by name.
Columns = Mapping[str, Row]
_SCHEMA = "propertySettings.values.schema"


def used(settings: Row) -> list[str]:
    """The names of the columns that a step has values or filters for; ids where the step does not have the names."""
    names, values = _names(settings), dict_at(settings, "input.values")
    records = dicts_at(values, "values") if isinstance(values.get("values"), list) else [values]
    keys = (names.get(key, key) for record in records for key in record)
    return list(dict.fromkeys([*keys, *(text_at(column, "name") for column in _filtered(settings))]))


def replaced(settings: Row, columns: Columns) -> dict[str, Any]:
    """A copy of a step's settings with these columns in the places of those of the same names; others stay."""
    keys = {key: text_at(columns[name], "externalId") for key, name in _names(settings).items() if name in columns}
    new = {**settings, "input": dict(dict_at(settings, "input"))}
    if isinstance(values := new["input"].get("values"), dict):
        new["input"]["values"] = _with_keys(values, keys)
    if schema := dict_at(settings, _SCHEMA):
        stored = dict_at(settings, "propertySettings")
        new["propertySettings"] = stored | {"values": stored["values"] | {"schema": _with_keys(schema, keys)}}
    if any(True for _column in _filtered(settings)):
        filters = new["input"]["filters"]
        new["input"]["filters"] = filters | {"filters": [_filter(item, columns) for item in filters["filters"]]}
    return new


def _filtered(settings: Row) -> Iterator[Row]:
    """The columns that the filters name."""
    columns = (dict_at(item, "field") for item in dicts_at(settings, "input.filters.filters"))
    return (column for column in columns if text_at(column, "name"))


def _names(settings: Row) -> dict[str, str]:
    """The names of columns by the keys of their values."""
    schema = dict_at(settings, _SCHEMA)
    properties = dict_at(schema, "values.properties") or schema
    return {key: name for key, prop in properties.items() if (name := text_at(prop, "displayName"))}


def _with_keys(value: Mapping[str, Any], keys: Mapping[str, str]) -> dict[str, Any]:
    """A record, several of them, or the schema of either with other keys."""
    inner = value.get("values")
    if isinstance(inner, list):
        records = [_with_keys(record, keys) if isinstance(record, dict) else record for record in inner]
        return {**value, "values": records}
    if properties := dict_at(inner, "properties"):
        return {**value, "values": {**value["values"], "properties": _with_keys(properties, keys)}}
    return {keys.get(key) or key: item for key, item in value.items()}


def _filter(item: Any, columns: Columns) -> Any:
    column = columns.get(text_at(item, "field.name"))
    return item if column is None else item | {"field": {key: column.get(key) for key in ("id", "type", "name")}}
