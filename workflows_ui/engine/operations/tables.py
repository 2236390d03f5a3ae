"""Tables, fields and records (api.md section 13)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from workflows_ui.engine import looks, table_looks
from workflows_ui.engine.calls import Calls, Json, ids, without_none
from workflows_ui.engine.writes import INVALID_BODY, validation, write


class Tables(Calls):
    def list_tables(
        self,
        limit: int = 10,
        cursor: str | None = None,
        *,
        name: str | None = None,
        external_ids: Sequence[str] | None = None,
    ) -> Json:
        """`GET /v1/tables`: a page of tables; several may have one external id (engine-0.83.md section 13.6)."""
        query: Json = {"limit": limit, "cursor": cursor, "name": name, "projectId": self._required_project_id()}
        if external_ids:
            query["externalIds"] = list(external_ids)
        return self._page("/v1/tables", query)

    def get_table(self, table_id: str) -> Json:
        """`GET /v1/tables/{id}`."""
        return self._get_owned("tables", table_id)

    @write(table_looks.TABLE_CREATED, refusals=(INVALID_BODY,), generated={"external_id": looks.new_id})
    def create_table(self, name: str, *, external_id: str | None = None) -> Json:
        """`POST /v1/tables`: the new table. Two calls create two tables of one name (recording `tables_create_dup`)."""
        body = {"name": name, "externalId": external_id, "projectId": self._required_project_id()}
        return self._post_object("/v1/tables", without_none(body))

    @write(table_looks.TABLE_CHANGED)
    def update_table(
        self, table_id: str, name: str | None = None, *, trigger: str | None = None, status: str | None = None
    ) -> Json:
        """`POST /v1/tables/{id}`: changes the given attributes."""
        body = without_none({"name": name, "trigger": trigger, "status": status})
        return self._change_owned("tables", table_id, body)

    @write(table_looks.TABLE_GONE)
    def delete_table(self, table_id: str) -> None:
        """`DELETE /v1/tables/{id}`: with its fields and records."""
        self._delete_owned("tables", table_id)

    @write(table_looks.TABLE_CLEARED)
    def clear_table(self, table_id: str) -> None:
        """`POST /v1/tables/{id}/clear`: deletes every record."""
        self._post(f"{self._owned_path('tables', table_id)}/clear")

    def export_table(self, table_id: str) -> Json:
        """`GET /v1/tables/{id}/export`: `{name, fields: [{id, name}], rows: [{field name: value}]}` (recording `tables_export`)."""
        return self._object(f"{self._owned_path('tables', table_id)}/export")

    def list_fields(self, table_id: str) -> list[Json]:
        """`GET /v1/fields`: all fields of the table, in a list."""
        self._check_ids("tables", table_id)
        found = self._array("/v1/fields", {"tableId": table_id})
        self._remember_ids("fields", *(row.get("id") for row in found if self._belongs(row)))
        return found

    def get_field(self, field_id: str) -> Json:
        """`GET /v1/fields/{id}`."""
        return self._get_owned("fields", field_id)

    @write(
        table_looks.FIELD_CREATED,
        refusals=(INVALID_BODY, validation(r"Max fields per table reached: \d+$")),
        generated={"external_id": looks.new_id},
    )
    def create_field(
        self,
        table_id: str,
        name: str,
        type: str = "TEXT",
        *,
        options: Sequence[str] | None = None,
        external_id: str | None = None,
    ) -> Json:
        """`POST /v1/fields`. `type`: TEXT, NUMBER, DATE or STATIC_DROPDOWN, which needs `options`.

        `external_id`: by which flows name the column (recording `tables_ext_03_field_create_with_external_id`).
        """
        self._check_ids("tables", table_id)
        data = None if options is None else {"options": [{"value": value} for value in options]}
        body = {"tableId": table_id, "name": name, "type": type, "data": data, "externalId": external_id}
        return self._post_object("/v1/fields", without_none(body))

    @write(table_looks.FIELD_RENAMED)
    def update_field(self, field_id: str, name: str) -> Json:
        """`POST /v1/fields/{id}`: renames."""
        return self._change_owned("fields", field_id, {"name": name})

    @write(table_looks.FIELD_GONE)
    def delete_field(self, field_id: str) -> None:
        """`DELETE /v1/fields/{id}`: with its values in every record."""
        self._delete_owned("fields", field_id)

    def list_records(
        self,
        table_id: str,
        limit: int = 10,
        cursor: str | None = None,
        *,
        filters: Iterable[Mapping[str, Any]] | None = None,
    ) -> Json:
        """`GET /v1/records`: records, oldest first. There are no pages: `next` is None even if there are more; request 1500.

        Each filter is `{"fieldId", "value", "operator"?}`; operators: api.md section 13 (recording `records_list_filter`). The default
        operator "eq" is always sent: 0.83 requires one (recording `records_list_filter_no_operator`).
        """
        self._check_ids("tables", table_id)
        query: Json = {"tableId": table_id, "limit": limit, "cursor": cursor, "projectId": self._required_project_id()}
        for number, condition in enumerate(filters or ()):
            for key in ("fieldId", "operator", "value"):
                query[f"filters[{number}][{key}]"] = condition.get(key)
            query[f"filters[{number}][operator]"] = condition.get("operator") or "eq"
        return self._page("/v1/records", query)

    def get_record(self, record_id: str) -> Json:
        """`GET /v1/records/{id}`: `cells` is a mapping by field id."""
        return self._get_owned("records", record_id)

    @write(table_looks.RECORDS_CREATED, refusals=(INVALID_BODY, validation(r"Max records per table reached: \d+$")))
    def create_records(
        self, table_id: str, records: Iterable[Mapping[str, Any]], *, known: Iterable[str] | None = None
    ) -> Any:
        """`POST /v1/records`: the new records, in a list. Each of `records` maps field ids to values.

        A look compares the table's records with `known`, the ids of those that were there before. They are read if not given, which
        takes the whole table.

        Values are sent as text, as the engine stores them; None is left out. The engine drops unknown field ids.
        """
        self._check_ids("tables", table_id)
        return self._post("/v1/records", {"tableId": table_id, "records": [_cells(record) for record in records]})

    @write(table_looks.RECORD_CHANGED, refusals=(INVALID_BODY,))
    def update_record(self, record_id: str, table_id: str, cells: Mapping[str, Any]) -> Json:
        """`POST /v1/records/{id}`: sets these cells, a mapping of field ids to values; the others stay."""
        self._check_ids("tables", table_id)
        return self._change_owned("records", record_id, {"tableId": table_id, "cells": _cells(cells)})

    @write(table_looks.RECORDS_GONE, refusals=(INVALID_BODY,))
    def delete_records(self, record_ids: Iterable[str], *, table_id: str | None = None) -> None:
        """`DELETE /v1/records`. NotFound if the first of them is unknown. ValueError for an empty list.

        0.83 refuses the call without their table, but does not check it: records of another table are deleted too (recordings
        `records_delete_no_table_id`, `records_delete_wrong_table`). The caller has to check it.
        """
        known = ids(record_ids)
        self._check_ids("tables", table_id)
        self._check_ids("records", *known)
        self._delete("/v1/records", without_none({"tableId": table_id, "ids": known}))


def _cells(record: Mapping[str, Any]) -> list[Json]:
    return [{"fieldId": name, "value": str(value)} for name, value in record.items() if value is not None]
