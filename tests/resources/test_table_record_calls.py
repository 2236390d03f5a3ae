"""The list of a table's records takes two calls at most, however one came to it."""

from django.core.cache import cache
from django.test import Client

from tests.engine.servers import Reply
from tests.resources.samples.tables import SAMPLE, field, lay, record
from tests.shelf import Shelf, identity, text

TABLE = f"/w/sales/tables/{identity(1)}/"
RECORDS = f"{TABLE}records/"


def test_by_its_address_alone_the_list_does_without_the_tables_name_at_first(owner: Client, shelf: Shelf) -> None:
    SAMPLE.fill(shelf, "Goods")
    lay(shelf, [field(4)], [record(6, {4: "AX-17"})])
    first = text(owner.get(RECORDS).content)
    assert "AX-17" in first
    assert shelf.calls == ["/fields", "/records"]
    assert "Goods" in text(owner.get(RECORDS).content)
    assert shelf.calls[2:] == [f"/tables/{identity(1)}", "/records"]


def test_from_the_list_of_tables_the_name_is_known_without_another_call(owner: Client, shelf: Shelf) -> None:
    SAMPLE.fill(shelf, "Goods")
    lay(shelf, [field(4)], [record(6, {4: "AX-17"})])
    owner.get("/w/sales/tables/")
    shelf.seen.clear()
    assert "Goods" in text(owner.get(RECORDS).content)
    assert shelf.calls == ["/fields", "/records"]


def test_from_the_tables_page_only_the_records_are_asked_for(owner: Client, shelf: Shelf) -> None:
    SAMPLE.fill(shelf, "Goods")
    lay(shelf, [field(4)], [record(6, {4: "AX-17"})])
    owner.get(TABLE)
    shelf.seen.clear()
    assert "Goods" in text(owner.get(RECORDS).content)
    assert shelf.calls == ["/records"]


def test_a_filter_costs_no_call(owner: Client, shelf: Shelf) -> None:
    SAMPLE.fill(shelf)
    lay(shelf, [field(4)], [record(6, {4: "AX-17"})])
    for query in ({"column": identity(4), "operator": "co", "value": "AX"}, {"value": "AX"}, {"rows": "50"}):
        cache.clear()
        shelf.seen.clear()
        assert owner.get(RECORDS, query).status_code == 200
        assert len(shelf.calls) <= 2


def test_a_table_that_is_gone_is_not_an_empty_list(owner: Client, shelf: Shelf) -> None:
    lay(shelf, [], [])
    shelf.faults[f"/tables/{identity(1)}"] = Reply(404, {"code": "ENTITY_NOT_FOUND", "params": {}})
    assert owner.get(RECORDS).status_code == 404
    assert shelf.calls == ["/fields", f"/tables/{identity(1)}"]
