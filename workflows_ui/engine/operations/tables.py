"""Tables, fields and records (api.md section 13)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from workflows_ui.engine.calls import Calls, Json, given, ids, segment


class Tables(Calls):
    """All raise EngineError; ids that are empty or dots raise ValueError before anything is sent."""

    def list_tables(self, limit: int = 10, cursor: str | None = None, *, name: str | None = None) -> Json:
        """`GET /v1/tables`: a page of tables."""
        query = {"limit": limit, "cursor": cursor, "name": name, "projectId": self._known_project()}
        return self._page("/v1/tables", query)

    def get_table(self, table_id: str) -> Json:
        """`GET /v1/tables/{id}`."""
        return self._own(f"/v1/tables/{segment(table_id)}")

    def create_table(self, name: str, *, external_id: str | None = None) -> Json:
        """`POST /v1/tables`: the new table. Two calls make two tables of one name (recording `tables_create_dup`)."""
        body = {"name": name, "externalId": external_id, "projectId": self._known_project()}
        return self._made("/v1/tables", given(body))

    def update_table(
        self, table_id: str, name: str | None = None, *, trigger: str | None = None, status: str | None = None
    ) -> Json:
        """`POST /v1/tables/{id}`: changes what is given."""
        body = given({"name": name, "trigger": trigger, "status": status})
        return self._made(f"/v1/tables/{segment(table_id)}", body)

    def delete_table(self, table_id: str) -> None:
        """`DELETE /v1/tables/{id}`: with its fields and records."""
        self._delete(f"/v1/tables/{segment(table_id)}")

    def clear_table(self, table_id: str) -> None:
        """`POST /v1/tables/{id}/clear`: deletes every record of it."""
        self._post(f"/v1/tables/{segment(table_id)}/clear")

    def export_table(self, table_id: str) -> Json:
        """`GET /v1/tables/{id}/export`: `{name, fields: [{id, name}], rows: [{field name: value}]}` (recording `tables_export`)."""
        return self._object(f"/v1/tables/{segment(table_id)}/export")

    def list_fields(self, table_id: str) -> list[Json]:
        """`GET /v1/fields`: all fields of the table, in a list."""
        return self._array("/v1/fields", {"tableId": table_id})

    def get_field(self, field_id: str) -> Json:
        """`GET /v1/fields/{id}`."""
        return self._own(f"/v1/fields/{segment(field_id)}")

    def create_field(
        self, table_id: str, name: str, type: str = "TEXT", *, options: Sequence[str] | None = None
    ) -> Json:
        """`POST /v1/fields`. `type`: TEXT, NUMBER, DATE or STATIC_DROPDOWN; the last one needs `options`."""
        data = None if options is None else {"options": [{"value": value} for value in options]}
        return self._made("/v1/fields", given({"tableId": table_id, "name": name, "type": type, "data": data}))

    def update_field(self, field_id: str, name: str) -> Json:
        """`POST /v1/fields/{id}`: renames."""
        return self._made(f"/v1/fields/{segment(field_id)}", {"name": name})

    def delete_field(self, field_id: str) -> None:
        """`DELETE /v1/fields/{id}`: with its values in every record."""
        self._delete(f"/v1/fields/{segment(field_id)}")

    def list_records(
        self,
        table_id: str,
        limit: int = 10,
        cursor: str | None = None,
        *,
        filters: Iterable[Mapping[str, Any]] | None = None,
    ) -> Json:
        """`GET /v1/records`: records, oldest first. They never page: `next` is None although there are more; ask for 1500.

        Args:
            filters: `{"fieldId", "value", "operator"?}` each; operators: api.md section 13 (recording `records_list_filter`).
        """
        query: Json = {"tableId": table_id, "limit": limit, "cursor": cursor, "projectId": self._known_project()}
        for number, condition in enumerate(filters or ()):
            for key in ("fieldId", "operator", "value"):
                query[f"filters[{number}][{key}]"] = condition.get(key)
        return self._page("/v1/records", query)

    def get_record(self, record_id: str) -> Json:
        """`GET /v1/records/{id}`: `cells` is a map by field id."""
        return self._own(f"/v1/records/{segment(record_id)}")

    def create_records(self, table_id: str, records: Iterable[Mapping[str, Any]]) -> Any:
        """`POST /v1/records`: the new records, in a list. Each of `records` is a map of field id to value.

        Values go out as text, as the engine keeps them; None is left out. Unknown field ids are dropped by the engine.
        """
        return self._post("/v1/records", {"tableId": table_id, "records": [_cells(record) for record in records]})

    def update_record(self, record_id: str, table_id: str, cells: Mapping[str, Any]) -> Json:
        """`POST /v1/records/{id}`: sets these cells, a map of field id to value; the others stay."""
        return self._made(f"/v1/records/{segment(record_id)}", {"tableId": table_id, "cells": _cells(cells)})

    def delete_records(self, record_ids: Iterable[str]) -> None:
        """`DELETE /v1/records`. NotFound if the first of them is unknown. ValueError for an empty list."""
        self._delete("/v1/records", {"ids": ids(record_ids)})


def _cells(record: Mapping[str, Any]) -> list[Json]:
    return [{"fieldId": name, "value": str(value)} for name, value in record.items() if value is not None]
