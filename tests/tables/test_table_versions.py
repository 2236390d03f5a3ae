"""Tables on engines of different versions: limits that the engine tells, deletes that name the table, cells that were never set."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

import pytest
from django.test import Client

from tests.engine.servers import NO_ROUTE, Reply, Seen
from tests.resources.samples.tables import SAMPLE, field, lay, record, table
from tests.stub_engine import StubEngine, identity, text
from tests.users import Users
from workflows_ui.engine.transport import LARGEST_ANSWER
from workflows_ui.members.models import Workspace

TABLE = f"/w/sales/tables/{identity(1)}/"
RECORDS = f"{TABLE}records/"
#: The limits are refused in these words (see the declared refusals of the operations on tables).
FULL = {
    kind: Reply(409, {"code": "VALIDATION", "params": {"message": f"Max {kind} per table reached: 3"}})
    for kind in ("fields", "records")
}


@pytest.fixture
def goods(stub_engine: StubEngine) -> StubEngine:
    """A table of two columns and three records, on an engine that allows four records and three columns."""
    SAMPLE.fill(stub_engine)
    rows = [record(number, {2: f"v{number}", 3: None}) for number in (10, 11, 12)]
    lay(stub_engine, [field(2), field(3, "Stock", "NUMBER")], rows)
    stub_engine.faults["/flags"] = Reply(200, {"MAX_RECORDS_PER_TABLE": 40, "MAX_FIELDS_PER_TABLE": 3})
    return stub_engine


def sent(stub_engine: StubEngine, method: str = "DELETE") -> list[Any]:
    return [seen.json for seen in stub_engine.seen if seen.method == method]


def answer_writes(stub_engine: StubEngine, reply: Reply) -> None:
    usual_answer = stub_engine._find
    stub_engine.answer = lambda seen: reply if seen.method != "GET" else usual_answer(seen)


@pytest.mark.parametrize("reply", [Reply(204, b""), Reply(200, [])])
def test_a_record_is_deleted_with_its_table_whatever_the_version_answers(
    owner: Client, goods: StubEngine, reply: Reply
) -> None:
    answer_writes(goods, reply)
    done = owner.post(f"{RECORDS}{identity(10)}/do/delete/", {"action-ticket": "one"})
    assert done.headers["Location"] == RECORDS
    assert sent(goods) == [{"tableId": identity(1), "ids": [identity(10)]}]


@pytest.mark.parametrize("reply", [Reply(204, b""), Reply(200, [])])
def test_several_records_are_deleted_with_their_table(owner: Client, goods: StubEngine, reply: Reply) -> None:
    answer_writes(goods, reply)
    ids = [identity(10), identity(12)]
    typed = {"id": ids, "confirmed": "yes", "next": RECORDS, "action-ticket": "t"}
    assert owner.post(f"{RECORDS}many/delete/", typed).status_code == 303
    assert sent(goods) == [{"tableId": identity(1), "ids": ids}]


def test_a_record_of_another_table_is_not_deleted_here(owner: Client, goods: StubEngine) -> None:
    stranger = record(20, {2: "x"}) | {"tableId": identity(7)}
    goods.faults[f"/records/{identity(20)}"] = Reply(200, stranger)
    goods.rows["/records"] = [*goods.rows["/records"], stranger]
    assert owner.post(f"{RECORDS}{identity(20)}/do/delete/").status_code == 404
    typed = {"id": [identity(20)], "confirmed": "yes", "next": RECORDS, "action-ticket": "t"}
    assert owner.post(f"{RECORDS}many/delete/", typed).status_code == 303
    assert sent(goods) == []


def test_limits_are_what_the_engine_shows(owner: Client, goods: StubEngine) -> None:
    page = text(owner.get(f"{TABLE}?late=1").content)
    assert "2 of the 3 columns that the engine allows" in page
    assert "3 of the 40 records that the engine allows" in page
    assert "2 of the 3 columns" in text(owner.get(f"/w/sales/tables/do/add-column/{identity(1)}/").content)
    assert "3 of the 40 records" in text(owner.get(f"{RECORDS}do/new/").content)


def test_limits_that_are_known_are_not_asked_for(owner: Client, users: Users, goods: StubEngine) -> None:
    Workspace.objects.filter(pk=users.workspace.pk).update(engine_limits={"records": 12, "fields": 5})
    assert "3 of the 12 records that the engine allows" in text(owner.get(RECORDS).content)
    assert "2 of the 5 columns that the engine allows" in text(owner.get(TABLE).content)
    assert "/flags" not in goods.calls


@pytest.mark.parametrize(
    ("number", "said"),
    [(35, "35 of the 40 records"), (36, "nearly full: 36 of the 40 records"), (40, "The table is full: it has 40")],
)
def test_a_table_that_is_nearly_full_says_so_by_the_engines_own_number(
    owner: Client, goods: StubEngine, number: int, said: str
) -> None:
    lay(goods, [field(2)], [record(one, {2: "v"}) for one in range(10, 10 + number)])
    owner.get(f"{TABLE}?late=1")
    assert said in text(owner.get(RECORDS).content)


def test_a_table_with_all_its_columns_offers_no_other(owner: Client, goods: StubEngine) -> None:
    lay(goods, [field(number, f"C{number}") for number in (2, 3, 4)], [])
    page = text(owner.get(f"{TABLE}?late=1").content)
    assert "The table has 3 columns already, and the engine allows no more." in page
    refused = owner.post(f"/w/sales/tables/do/add-column/{identity(1)}/", {"name": "One more", "type": "TEXT"})
    assert refused.status_code == 422
    assert sent(goods, "POST") == []


@pytest.mark.parametrize(
    "flags",
    [
        NO_ROUTE,
        Reply(200, {}),
        Reply(200, {"MAX_RECORDS_PER_TABLE": None, "MAX_FIELDS_PER_TABLE": "many"}),
        Reply(200, {"MAX_RECORDS_PER_TABLE": 0, "MAX_FIELDS_PER_TABLE": True}),
        Reply(200, []),
        Reply(502, b"<html>"),
    ],
)
@pytest.mark.sampled(3)
def test_an_engine_that_shows_no_limits_is_given_none(owner: Client, goods: StubEngine, flags: Reply) -> None:
    goods.faults["/flags"] = flags
    page = text(owner.get(TABLE).content)
    assert "The table has 2 columns." in page
    assert "The table has 3 records." in page
    answer_writes(goods, FULL["fields"])
    column = owner.post(f"/w/sales/tables/do/add-column/{identity(1)}/", {"name": "One more", "type": "TEXT"})
    assert "the table has as many as the engine allows" in text(column.content)
    answer_writes(goods, FULL["records"])
    added = owner.post(f"{RECORDS}do/new/", {identity(2): "x"})
    assert "the table is full. Delete some records first." in text(added.content)


def test_a_cell_that_was_never_set_is_empty_and_can_be_looked_for(owner: Client, goods: StubEngine) -> None:
    rows = [
        record(10, {2: "a", 3: "7"}),
        record(11, {2: "b", 3: None}),
        record(12, {2: "c"}),
        record(13, {2: "d", 3: ""}),
    ]
    lay(goods, [field(2), field(3, "Stock", "NUMBER")], rows)
    empty = owner.get(RECORDS, {"column1": identity(3), "how1": "not_exists"})
    page = text(empty.content)
    assert "3 records fit." in page
    assert "Stock is empty" in page
    assert page.count("Remove this filter") == 1
    having = text(owner.get(RECORDS, {"column1": identity(3), "how1": "exists", "value1": "ignored"}).content)
    assert "1 record fits." in having
    assert "Stock has a value" in having
    both = {"column1": identity(3), "how1": "not_exists", "column2": identity(2), "how2": "co", "value2": "b"}
    owner.get(RECORDS, both)
    query: Mapping[str, list[str]] = goods.queries("/records")[-1]
    # Engines before 0.83 do not know these two: only what every engine compares is asked for.
    assert [query[name] for name in query if name.startswith("filters")] == [[identity(2)], ["co"], ["b"]]
    nothing = text(owner.get(RECORDS, {"how1": "exists"}).content)
    assert "Choose the column" in nothing


def large(stub_engine: StubEngine, fits: int) -> list[int]:
    """Answers for records are too large above `fits` rows; gives the limits that were asked for, as they come."""
    usual_answer, asked = stub_engine._find, list[int]()

    def answer(seen: Seen) -> Reply:
        if not seen.path.endswith("/records"):
            return usual_answer(seen)
        limit = int(parse_qs(seen.query)["limit"][0])
        asked.append(limit)
        return Reply(200, b" " * (LARGEST_ANSWER + 1)) if limit > fits else usual_answer(seen)

    stub_engine.answer = answer
    return asked


@pytest.mark.slow
def test_a_table_too_large_to_be_read_whole_shows_its_oldest_records_and_says_so(
    owner: Client, goods: StubEngine
) -> None:
    lay(goods, [field(2)], [record(number, {2: f"v{number}"}) for number in range(10, 150)])
    asked = large(goods, 100)
    page = text(owner.get(RECORDS).content)
    assert "only the oldest 100 are shown. Use filters to find others." in page
    assert "v109" in page
    assert asked == [100_000, 1000, 100]
    every = owner.post(f"{RECORDS}many/delete/", {"everything": "1", "next": RECORDS})
    assert "The rest stay." in text(every.content)
    assert len(every.context["ids"]) == 100
    assert asked[3:] == [100]
    clear = text(owner.get(f"/w/sales/tables/do/clear/{identity(1)}/").content)
    assert "more than the console can count" in clear
    assert owner.get(f"{TABLE}fields/{identity(2)}/do/delete/").status_code in (200, 404)
    assert "only the oldest 100" in text(owner.get(TABLE).content)


def test_a_file_of_a_table_too_large_to_be_read_whole_is_refused_rather_than_cut(
    owner: Client, goods: StubEngine
) -> None:
    lay(goods, [field(2)], [record(number, {2: f"v{number}"}) for number in range(10, 150)])
    goods.faults[f"/tables/{identity(1)}/export"] = Reply(
        200, {"name": "Orders", "fields": [{"id": identity(2), "name": "SKU"}], "rows": []}
    )
    large(goods, 100)
    query = f"?column1={identity(2)}&how1=exists"
    assert owner.get(f"{TABLE}export/csv/{query}").status_code >= 500


def test_the_folder_of_a_table_is_shown_by_its_name(owner: Client, goods: StubEngine) -> None:
    goods.folders = [{"id": identity(5), "displayName": "Warehouse"}]
    assert "Warehouse" not in text(owner.get(TABLE).content)
    goods.faults[f"/tables/{identity(1)}"] = Reply(200, table() | {"folderId": identity(5)})
    page = text(owner.get(TABLE).content)
    assert f'href="/w/sales/folders/{identity(5)}/"' in page
    assert "Warehouse" in page
