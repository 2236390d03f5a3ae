"""The list of a table's records takes two calls at most, and one more where it is not known whose the table is."""

from django.test import Client

from tests import caches
from tests.engine.servers import Reply
from tests.resources.samples.tables import SAMPLE, field, lay, record
from tests.stub_engine import StubEngine, identity, text

TABLE = f"/w/sales/tables/{identity(1)}/"
RECORDS = f"{TABLE}records/"


def test_by_its_address_alone_whose_the_table_is_comes_first(owner: Client, stub_engine: StubEngine) -> None:
    SAMPLE.fill(stub_engine, "Goods")
    lay(stub_engine, [field(4)], [record(6, {4: "AX-17"})])
    first = text(owner.get(RECORDS).content)
    assert "AX-17" in first
    assert "Goods" in first
    assert stub_engine.calls == [f"/tables/{identity(1)}", "/fields", "/records"]
    assert "Goods" in text(owner.get(RECORDS).content)
    assert stub_engine.calls[3:] == ["/records"]


def test_from_the_list_of_tables_the_name_is_known_without_another_call(owner: Client, stub_engine: StubEngine) -> None:
    SAMPLE.fill(stub_engine, "Goods")
    lay(stub_engine, [field(4)], [record(6, {4: "AX-17"})])
    owner.get("/w/sales/tables/")
    stub_engine.seen.clear()
    assert "Goods" in text(owner.get(RECORDS).content)
    assert stub_engine.calls == ["/fields", "/records"]


def test_from_the_tables_page_only_the_records_are_asked_for(owner: Client, stub_engine: StubEngine) -> None:
    SAMPLE.fill(stub_engine, "Goods")
    lay(stub_engine, [field(4)], [record(6, {4: "AX-17"})])
    owner.get(TABLE)
    stub_engine.seen.clear()
    assert "Goods" in text(owner.get(RECORDS).content)
    assert stub_engine.calls == ["/records"]


def test_a_filter_costs_no_call(owner: Client, stub_engine: StubEngine) -> None:
    SAMPLE.fill(stub_engine)
    lay(stub_engine, [field(4)], [record(6, {4: "AX-17"})])
    for query in ({"column": identity(4), "operator": "co", "value": "AX"}, {"value": "AX"}, {"rows": "50"}):
        caches.forget_answers()
        stub_engine.seen.clear()
        assert owner.get(RECORDS, query).status_code == 200
        assert stub_engine.calls == [f"/tables/{identity(1)}", "/fields", "/records"]


def test_a_table_that_is_gone_is_not_an_empty_list(owner: Client, stub_engine: StubEngine) -> None:
    lay(stub_engine, [], [])
    stub_engine.faults[f"/tables/{identity(1)}"] = Reply(404, {"code": "ENTITY_NOT_FOUND", "params": {}})
    assert owner.get(RECORDS).status_code == 404
    assert stub_engine.calls == [f"/tables/{identity(1)}"]
