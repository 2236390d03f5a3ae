"""Tables: their page, their columns, what is said before something goes, and files for spreadsheets."""

import csv
import io
import json
from datetime import date
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from python_calamine import CalamineWorkbook

from tests.engine.servers import Reply
from tests.resources.samples.tables import SAMPLE, field, lay, record, table
from tests.stage import Stage, outcomes
from tests.stub_engine import StubEngine, identity, text
from workflows_ui.audit.models import AuditEvent
from workflows_ui.lists.file_formats import FORMATS
from workflows_ui.members.models import Role
from workflows_ui.tables import reading as table_reading, views as table_views

TABLE = f"/w/sales/tables/{identity(1)}/"


def orders(stage: Stage) -> str:
    """The id of the practice company's table of 42 orders."""
    return next(key for key, row in stage.practice.engine.state.tables.items() if row["name"] == "Đơn hàng")


def do(stage: Stage, action: str, id: str, typed: dict[str, Any] | None = None) -> Any:
    return stage.browser.post(f"/w/sales/tables/do/{action}/{id}/", typed or {"sure": "yes"})


def columns(stage: Stage, id: str) -> dict[str, dict[str, Any]]:
    """The engine's own columns of a table, by name."""
    return {row["name"]: row for row in stage.practice.engine.state.fields.values() if row["tableId"] == id}


def column_url(stage: Stage, id: str, name: str, action: str) -> str:
    return f"/w/sales/tables/{id}/fields/{columns(stage, id)[name]['id']}/do/{action}/"


def test_a_table_is_made_given_a_column_of_each_kind_and_deleted(stage: Stage) -> None:
    stage.practice.engine.settings.max_fields_per_table = 15
    made = stage.browser.post("/w/sales/tables/do/new/", {"name": "Returns"})
    key = made.headers["Location"].rstrip("/").rsplit("/", 1)[-1]
    for name, kind in (("Note", "TEXT"), ("Amount", "NUMBER"), ("Day", "DATE")):
        assert do(stage, "add-column", key, {"name": name, "type": kind}).status_code == 303
    choices = {"name": "State", "type": "STATIC_DROPDOWN", "options": " new \r\n\r\npaid\r\nnew\r\n"}
    assert do(stage, "add-column", key, choices).status_code == 303
    assert columns(stage, key)["State"]["data"] == {"options": [{"value": "new"}, {"value": "paid"}]}
    page = text(stage.browser.get(f"/w/sales/tables/{key}/").content)
    for words in ("Note", "Number", "Date", "Choice from a list", "<bdi>paid</bdi>", "4 of the 15 columns"):
        assert words in page
    asked = text(stage.browser.get(f"/w/sales/tables/do/delete/{key}/").content)
    assert "No flow uses it. It has no records. So are 4 columns." in asked
    assert do(stage, "delete", key).headers["Location"] == "/w/sales/tables/"
    assert key not in stage.practice.engine.state.tables


@pytest.mark.slow
def test_a_list_without_choices_a_name_that_is_taken_and_a_sixteenth_column_are_shown_before_the_engine_is(
    stage: Stage,
) -> None:
    stage.practice.engine.settings.max_fields_per_table = 15
    key = orders(stage)
    no_choices = do(stage, "add-column", key, {"name": "State", "type": "STATIC_DROPDOWN", "options": " \n"})
    assert "Write at least one choice." in text(no_choices.content)
    taken = do(stage, "add-column", key, {"name": "khách", "type": "TEXT"})
    assert "There is a column of this name already." in text(taken.content)
    rename = stage.browser.post(column_url(stage, key, "Mã đơn", "rename"), {"name": "KHÁCH"})
    assert "There is a column of this name already." in text(rename.content)
    assert not stage.writes()
    for number in range(10):
        assert do(stage, "add-column", key, {"name": f"More {number}", "type": "TEXT"}).status_code == 303
    done = stage.writes()
    assert "15 of the 15 columns" in text(stage.browser.get(f"/w/sales/tables/do/add-column/{key}/").content)
    shown = text(stage.browser.get(f"/w/sales/tables/{key}/").content)
    assert shown.count("15 columns already, and the engine allows no more") == 2
    assert f'href="/w/sales/tables/do/add-column/{key}/"' not in shown
    full = do(stage, "add-column", key, {"name": "One more", "type": "TEXT"})
    assert full.status_code == 422
    assert "15 columns already, and the engine allows no more" in text(full.content)
    assert stage.writes() == done


def test_a_column_is_renamed_and_removed_and_the_values_that_go_are_counted(stage: Stage) -> None:
    key = orders(stage)
    renamed = stage.browser.post(column_url(stage, key, "Khách", "rename"), {"name": "Customer"})
    assert renamed.headers["Location"] == f"/w/sales/tables/{key}/"
    assert "Customer" in text(stage.browser.get(renamed.headers["Location"]).content)
    asked = text(stage.browser.get(column_url(stage, key, "Customer", "delete")).content)
    assert "42 records have values in it, which are deleted too." in asked
    stage.browser.post(column_url(stage, key, "Customer", "delete"), {"sure": "yes"})
    assert "Customer" not in columns(stage, key)
    name, gone = "fields.rename", "fields.delete"
    assert outcomes() == [(name, "begun"), (name, "done"), (gone, "begun"), (gone, "done")]


def test_a_column_of_another_table_is_not_found_below_this_one(stage: Stage) -> None:
    other = next(key for key, row in stage.practice.engine.state.tables.items() if row["name"] == "Products")
    for action in ("rename", "delete"):
        wrong = column_url(stage, other, "SKU", action).replace(other, orders(stage))
        assert stage.browser.get(wrong).status_code == 404
        assert stage.browser.post(wrong, {"name": "x"}).status_code == 404
    assert not stage.writes()


def test_emptying_and_deleting_say_how_much_goes(stage: Stage) -> None:
    key = orders(stage)
    asked = text(stage.browser.get(f"/w/sales/tables/do/delete/{key}/").content)
    assert "42 records are deleted. So are 5 columns." in asked
    assert "Tổng tiền" in asked
    assert "42 records are deleted." in text(stage.browser.get(f"/w/sales/tables/do/clear/{key}/").content)
    do(stage, "clear", key)
    assert not [row for row in stage.practice.engine.state.records.values() if row["tableId"] == key]
    assert len(columns(stage, key)) == 5
    assert "It has no records." in text(stage.browser.get(f"/w/sales/tables/do/clear/{key}/").content)


@pytest.mark.parametrize("role", list(Role), ids=str)
def test_columns_are_changed_by_builders_only_and_the_table_is_exported_by_anyone_who_may_look(
    stage: Stage, role: Role
) -> None:
    key, browser, builds = orders(stage), stage.as_role(role), role.includes(Role.BUILDER)
    page = browser.get(f"/w/sales/tables/{key}/").content.decode()
    for action in ("rename", "delete"):
        url = column_url(stage, key, "Khách", action)
        assert (url in page) is builds
        assert browser.get(url).status_code == (200 if builds else 403)
        assert builds or browser.post(url).status_code == 403
    assert browser.get(f"/w/sales/tables/{key}/export/csv/").status_code == 200
    assert not stage.writes()


def test_a_stranger_and_nobody_get_no_file_and_no_form(stage: Stage) -> None:
    key = orders(stage)
    stranger = Client()
    stranger.force_login(stage.users.stranger)
    before = len(stage.practice.journal.all())
    for url in (f"/w/sales/tables/{key}/export/csv/", column_url(stage, key, "Khách", "delete")):
        assert stranger.get(url).status_code == 404
        assert Client().get(url).status_code == 303
    assert len(stage.practice.journal.all()) == before


def test_a_table_is_exported_whole_as_csv_and_json_and_that_is_written_down(stage: Stage) -> None:
    key = orders(stage)
    answer = stage.browser.get(f"/w/sales/tables/{key}/export/csv/")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    lines = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert lines[0] == ["Mã đơn", "Khách", "Tổng tiền", "Trạng thái", "Ngày giao"]
    assert [line[0] for line in lines[1:]] == [f"DH-{1000 + number}" for number in reversed(range(42))]
    whole = json.loads(stage.browser.get(f"/w/sales/tables/{key}/export/json/").content)
    assert whole["name"] == "Đơn hàng"
    assert [list(row.values()) for row in whole["rows"]] == lines[1:]
    book = CalamineWorkbook.from_filelike(io.BytesIO(stage.browser.get(f"/w/sales/tables/{key}/export/xlsx/").content))
    assert book.sheet_names == ["Đơn hàng", "About this file"]
    assert book.get_sheet_by_index(0).to_python()[1] == [
        "DH-1041",
        "Đặng Thuỳ Linh",
        380000,
        "đã giao",
        date(2025, 11, 14),
    ]
    assert list(AuditEvent.objects.values_list("action", "object_id")) == [("tables.export", key)] * 3
    assert stage.browser.get(f"/w/sales/tables/{key}/export/xls/").status_code == 404
    assert stage.browser.get(f"/w/sales/tables/{'z' * 21}/export/csv/").status_code == 404


@pytest.mark.parametrize("text", ["=1+1", "+1+A1", "-1-A1", "@SUM(A1)", "\t=1", "\r=1"], ids=repr)
def test_no_cell_of_a_csv_file_is_a_formula(text: str) -> None:
    made = table_views.content("csv", {"name": "x", "fields": [text], "types": {}, "rows": [{text: text}]})
    lines = list(csv.reader(io.StringIO(made.decode("utf-8-sig"), newline="")))
    assert lines[0] == lines[1]
    (cell,) = lines[0]
    assert cell.startswith("'")
    assert cell.replace("'", "") == text


def test_harmless_cells_of_a_csv_file_stay_as_they_are() -> None:
    odd = ["", "a=b", "1 kg", 'say "yes"', "two\nlines", "שלום", "'quoted"]
    rows = [{one: one for one in odd[1:]}]
    made = table_views.content("csv", {"name": "x", "fields": odd[1:], "types": {}, "rows": rows})
    assert list(csv.reader(io.StringIO(made.decode("utf-8-sig"), newline=""))) == [odd[1:]] * 2


def test_two_columns_of_one_name_are_both_exported(owner: Client, stub_engine: StubEngine) -> None:
    SAMPLE.put(stub_engine, table())
    fields = [field(2, "Sum"), field(3, "Sum")]
    lay(stub_engine, fields, [record(4, {2: "one", 3: "two"}), record(5, {3: None})])
    # As the engine gives it: one value by one name (recording `tables_export`).
    exported = {
        "name": "Orders",
        "fields": [{"id": row["id"], "name": "Sum"} for row in fields],
        "rows": [{"Sum": "two"}],
    }
    stub_engine.faults["/export"] = Reply(200, exported)
    found = json.loads(owner.get(f"{TABLE}export/json/").content)
    assert found["rows"] == [{"Sum": "", "Sum (2)": ""}, {"Sum": "one", "Sum (2)": "two"}]


@pytest.mark.parametrize(
    "odd", [{}, {"fields": None, "rows": None}, {"fields": [3, {}], "rows": [3, {"": {"a": 1}}], "name": 7}], ids=repr
)
def test_an_odd_export_is_a_file_all_the_same(owner: Client, stub_engine: StubEngine, odd: dict[str, Any]) -> None:
    SAMPLE.fill(stub_engine)
    stub_engine.faults["/export"] = Reply(200, odd)
    for kind in FORMATS:
        answer = owner.get(f"{TABLE}export/{kind}/")
        assert answer.status_code == 200
        assert f"table.{FORMATS[kind].ending}" in answer.headers["Content-Disposition"]


@pytest.mark.parametrize("path", ["/fields", "/records"])
def test_columns_and_records_that_cannot_be_had_leave_the_page_standing(
    owner: Client, stub_engine: StubEngine, path: str
) -> None:
    SAMPLE.fill(stub_engine)
    stub_engine.faults[path] = Reply(502, b"<html>no</html>", (("retry-after", "0"),))
    answer = owner.get(TABLE)
    assert answer.status_code == 200
    assert "The engine does not answer properly" in text(answer.content)


ODD_FIELDS: list[dict[str, Any]] = [
    {"id": None},
    {"id": "a/b", "name": "slash"},
    {"id": identity(3), "name": None, "type": 5, "data": 5},
    {"id": identity(4), "name": "x" * 10_000, "type": "NEW_KIND", "data": {"options": [3, {}, {"value": 3}]}},
    {"id": identity(5), "name": "<b>bold</b>", "type": "STATIC_DROPDOWN", "data": {"options": [{"value": "<i>"}]}},
]


def test_odd_columns_are_shown_and_break_nothing(owner: Client, stub_engine: StubEngine) -> None:
    SAMPLE.put(stub_engine, table())
    odd = record(6, {3: {"deep": 1}, 4: "y" * 10_000}) | {"created": 5}
    lay(stub_engine, ODD_FIELDS, [odd, {}, {"id": 3, "cells": []}, {"id": "a/b", "cells": {identity(5): 3}}])
    for url in (TABLE, f"{TABLE}records/", f"{TABLE}records/do/new/", f"{TABLE}records/{identity(6)}/"):
        answer = owner.get(url)
        assert answer.status_code == 200, url
        assert len(answer.content) < 200_000
        assert "<b>bold" not in answer.content.decode()
        assert "<i>" not in answer.content.decode()


def test_names_are_distinguished_by_a_number() -> None:
    assert table_reading.unique(["a", "a", "a (2)", "a"]) == ["a", "a (2)", "a (2) (2)", "a (3)"]


def test_a_tables_addresses_are_below_it() -> None:
    named = {"slug": "sales", "table": identity(1)}
    assert reverse("table_records", kwargs=named) == f"{TABLE}records/"
    assert reverse("table_export", kwargs={**named, "kind": "csv"}) == f"{TABLE}export/csv/"
