"""Records of a table: found, added, changed, deleted; on both flavours, in every role, with odd data and an engine that fails."""

import html
import re
from collections.abc import Mapping
from typing import Any

import pytest
from django.test import Client

from practice_engine.routes import records as practice_records
from tests import caches, stage as stages
from tests.engine.servers import Reply
from tests.practice_engine.fixtures import Practice
from tests.resources.samples.tables import SAMPLE, field, lay, record, table
from tests.stage import HTMX, Stage, outcomes
from tests.stub_engine import StubEngine, identity, owner as owner, stub_engine as stub_engine, text, users as users
from workflows_ui.audit.models import AuditEvent
from workflows_ui.members.models import Role
from workflows_ui.resource_admin import checks as resource_checks
from workflows_ui.tables import records as table_records

stage = stages.stage
RECORDS = f"/w/sales/tables/{identity(1)}/records/"


def goods(practice: Practice, name: str = "Products") -> tuple[str, dict[str, str]]:
    """The key of a table of the practice company, and its columns' ids by name."""
    state = practice.engine.state
    key = next(key for key, row in state.tables.items() if row["name"] == name)
    return key, {row["name"]: row["id"] for row in state.fields.values() if row["tableId"] == key}


def engine_records(practice: Practice, id: str) -> list[dict[str, Any]]:
    """The engine's own records of a table, oldest first."""
    return [row for row in practice.engine.state.records.values() if row["tableId"] == id]


def page_of(id: str) -> str:
    return f"/w/sales/tables/{id}/records/"


def names_on(content: bytes) -> list[str]:
    """The first values of the rows of a list."""
    found = re.findall(r'class="kind-text first"[^>]*>\s*<a [^>]*><span class="long">([^<]*)</span>', content.decode())
    return [html.unescape(name) for name in found]


def test_a_record_is_added_found_changed_and_deleted(stage: Stage) -> None:
    key, column = goods(stage.practice)
    typed = {column["SKU"]: "NEW-1", column["Name"]: "Trà sen\r\nloại 1", column["Price"]: " 1200.5 "}
    added = stage.browser.post(f"{page_of(key)}do/new/", typed)
    assert added.headers["Location"] == page_of(key)
    made = engine_records(stage.practice, key)[-1]
    assert {key: cell["value"] for key, cell in made["cells"].items()} == {
        column["SKU"]: "NEW-1",
        column["Name"]: "Trà sen\nloại 1",
        column["Price"]: "1200.5",
    }
    # The newest stands first, and is the page's link.
    assert names_on(stage.browser.get(page_of(key)).content)[0] == "NEW-1"
    record_url = f"{page_of(key)}{made['id']}/"
    assert "Trà sen<br>loại 1" in text(stage.browser.get(record_url).content)
    changed = stage.browser.post(f"{record_url}do/edit/", typed | {column["Price"]: "", column["Stock"]: "7"})
    assert changed.headers["Location"] == record_url
    assert made["cells"][column["Price"]]["value"] == ""
    assert made["cells"][column["Stock"]]["value"] == "7"
    asked = text(stage.browser.get(f"{record_url}do/delete/").content)
    assert "The record “NEW-1” is deleted." in asked
    assert "Stock: 7" in asked
    assert stage.browser.post(f"{record_url}do/delete/", {"action-ticket": "one"}).headers["Location"] == page_of(key)
    assert made not in engine_records(stage.practice, key)
    assert stage.browser.get(record_url).status_code == 404
    deeds = ("records.new", "records.edit", "records.delete")
    assert outcomes() == [(name, outcome) for name in deeds for outcome in ("begun", "done")]
    assert AuditEvent.objects.filter(action="records.delete", object_id=made["id"], object_name="NEW-1").count() == 2
    # They belong to the history of the table.
    history = text(stage.browser.get(f"/w/sales/tables/{key}/?tab=history").content)
    for done in ("Added a record", "Changed a record", "Deleted records"):
        assert done in history
    audited = AuditEvent.objects.get(action="records.new", begun=None)
    row = stage.browser.get(f"/w/sales/audit/{audited.pk}/").content.decode()
    assert f'href="/w/sales/audit/?kind=tables&amp;id={key}"' in row
    assert (
        f"/w/sales/audit/{audited.pk}/" in stage.browser.get(f"/w/sales/audit/?kind=tables&id={key}").content.decode()
    )


def test_large_numbers_have_separators_in_lists_but_not_in_forms_and_files(
    owner: Client, stub_engine: StubEngine
) -> None:
    SAMPLE.put(stub_engine, table())
    columns = [field(1, "Code"), field(2, "Price", "NUMBER")]
    lay(stub_engine, columns, [record(1, {1: "380000", 2: "380000.5"}), record(2, {1: "B", 2: "2026"})])
    page = text(owner.get(RECORDS).content)
    assert ">380000<" in page
    assert ">380,000.5<" in page
    assert ">2026<" in page
    assert "380,000" not in text(owner.get(f"{RECORDS}{identity(1)}/do/edit/").content)


def test_only_the_cells_that_were_changed_are_sent(owner: Client, stub_engine: StubEngine) -> None:
    SAMPLE.put(stub_engine, table())
    one = record(4, {2: "two\r\nlines", 3: "no number"})
    lay(stub_engine, [field(2, "Note"), field(3, "Sum", "NUMBER")], [one])
    url = f"{RECORDS}{identity(4)}/do/edit/"
    # What is odd already does not stand in the way of changing something else, and is not written over.
    owner.post(url, {identity(2): "two\r\nlines and more", identity(3): "no number"})
    (sent,) = [seen for seen in stub_engine.seen if seen.method == "POST"]
    assert sent.json["cells"] == [{"fieldId": identity(2), "value": "two\nlines and more"}]
    same = owner.post(url, {identity(2): "two\r\nlines", identity(3): "no number"})
    assert same.status_code == 422
    assert "Nothing was changed." in text(same.content)
    assert len([seen for seen in stub_engine.seen if seen.method == "POST"]) == 1


def test_what_does_not_fit_a_column_is_shown_with_everything_typed_kept(stage: Stage) -> None:
    key, column = goods(stage.practice, "Đơn hàng")
    typed = {
        column["Mã đơn"]: "DH-9",
        column["Tổng tiền"]: "much",
        column["Ngày giao"]: "tomorrow",
        column["Trạng thái"]: "lost",
    }
    for headers in ({}, HTMX):
        answer = stage.browser.post(f"{page_of(key)}do/new/", typed, headers=headers)
        page = text(answer.content)
        assert answer.status_code == 422
        for words in (
            "This is not a number.",
            "This is not a date.",
            "Select a valid choice.",
            "DH-9",
            "much",
            "tomorrow",
        ):
            assert words in page
    nothing = stage.browser.post(f"{page_of(key)}do/new/", {})
    assert "Fill in at least one column." in text(nothing.content)
    assert not stage.writes()


def test_each_column_has_an_input_of_its_kind(stage: Stage) -> None:
    key, column = goods(stage.practice, "Đơn hàng")
    page = stage.browser.get(f"{page_of(key)}do/new/").content.decode()
    for name, tag in (
        ("Mã đơn", "<textarea"),
        ("Tổng tiền", 'inputmode="decimal"'),
        ("Ngày giao", 'type="date"'),
        ("Trạng thái", "<select"),
    ):
        (found,) = re.findall(rf'<(?:input|textarea|select)[^>]*name="{column[name]}"[^>]*>', page)
        assert tag in found
    assert '<option value="đã giao">đã giao</option>' in page


CASES = [
    ("eq", "1", 1),
    ("neq", "1", 2),
    ("gt", "2", 1),
    ("gte", "2", 2),
    ("lt", "2", 1),
    ("lte", "2", 2),
    ("co", "1", 2),
]


@pytest.mark.parametrize(("how", "value", "fit"), CASES)
@pytest.mark.sampled(3)
def test_records_are_found_by_each_of_the_engines_comparisons(stage: Stage, how: str, value: str, fit: int) -> None:
    key, column = goods(stage.practice)
    stage.browser.post(f"/w/sales/tables/do/clear/{key}/", {"action-ticket": "one"})
    for stock in ("1", "2", "10"):
        stage.browser.post(f"{page_of(key)}do/new/", {column["SKU"]: f"S{stock}", column["Stock"]: stock})
    page = stage.browser.get(page_of(key), {"column1": column["Stock"], "how1": how, "value1": value}).content
    expected = {"eq": ["S1"], "neq": ["S10", "S2"], "gt": ["S10"], "gte": ["S10", "S2"], "lt": ["S1"]}
    expected |= {"lte": ["S2", "S1"], "co": ["S10", "S1"]}
    assert names_on(page) == expected[how]
    assert len(expected[how]) == fit
    assert ("1 record fits." if fit == 1 else f"{fit} records fit.") in text(page)


@pytest.mark.slow
def test_numbers_are_compared_as_lists_show_them_and_what_cannot_be_compared_is_not(stage: Stage) -> None:
    key, column = goods(stage.practice, "Đơn hàng")

    def found(name: str, how: str, value: str) -> str:
        query = {"column1": column[name], "how1": how, "value1": value}
        return text(stage.browser.get(page_of(key), query).content)

    number = re.search(r"\d+ records fit", found("Tổng tiền", "gte", "500000"))
    assert number
    page = found("Tổng tiền", "gte", "500,000")
    assert number[0] in page
    assert "Tổng tiền is at least 500,000" in page
    assert number[0] in found("Tổng tiền", "gte", " 500000 ")
    stage.browser.cookies["django_language"] = "vi"
    assert number[0].split()[0] in found("Tổng tiền", "gte", "500.000")
    # Lists show this number so in each language.
    found("Tổng tiền", "eq", "1.125")
    assert ["1.125"] in stage.practice.journal.all("GET", "/v1/records")[-1].query.values()
    stage.browser.cookies["django_language"] = "en"
    asked = stage.practice.journal.count("GET", "/v1/records")
    assert "This is not a number." in found("Tổng tiền", "lt", "abc")
    assert "This is not a date." in found("Ngày giao", "gt", "28/11/2025")
    assert stage.practice.journal.count("GET", "/v1/records") == asked
    assert "These filters cannot be used" not in found("Tổng tiền", "eq", "abc")


def test_conditions_hold_together_are_shown_as_chips_and_survive_the_next_page(stage: Stage) -> None:
    key, column = goods(stage.practice, "Đơn hàng")
    asked = {
        "column1": column["Mã đơn"],
        "how1": "gte",
        "value1": "DH-1005",
        "column2": column["Mã đơn"],
        "how2": "lte",
        "value2": "DH-1035",
        "rows": "20",
    }
    first = stage.browser.get(page_of(key), asked)
    page = text(first.content)
    assert "31 records fit." in page
    assert "Mã đơn is at least DH-1005" in page
    assert page.count("Remove this filter") == 2
    assert names_on(first.content) == [f"DH-{number}" for number in range(1035, 1015, -1)]
    older = re.search(r'rel="next" href="([^"]+)"', first.content.decode())
    assert older
    second = stage.browser.get(html.unescape(older[1]))
    assert names_on(second.content) == [f"DH-{number}" for number in range(1015, 1004, -1)]


def test_conditions_that_make_no_sense_are_shown_and_records_are_not_asked_for(stage: Stage) -> None:
    key, column = goods(stage.practice)
    for asked in (
        {"value1": "x"},
        {"column1": "z" * 21, "value1": "x"},
        {"column1": column["SKU"], "how1": "like", "value1": "x"},
    ):
        assert "These filters cannot be used" in text(stage.browser.get(page_of(key), asked).content)
    assert not stage.practice.journal.count("GET", "/v1/records")
    # A column alone asks for nothing yet.
    assert "Remove this filter" not in text(stage.browser.get(page_of(key), {"column1": column["SKU"]}).content)


def _numbered(practice: Practice, count: int) -> str:
    """A table with so many records, called 0001 and so on."""
    engine = practice.engine
    engine.settings.max_records_per_table = 1500
    key, column = goods(practice)
    for one in engine_records(practice, key):
        del engine.state.records[one["id"]]
    for number in range(1, count + 1):
        practice_records.add_record(engine, engine.state.tables[key], {column["SKU"]: f"{number:04}"})
    return key


@pytest.mark.parametrize("count", [300, pytest.param(1500, marks=pytest.mark.slow)])
def test_a_full_table_is_read_by_one_call_a_page_and_every_record_is_reached(stage: Stage, count: int) -> None:
    key = _numbered(stage.practice, count)
    address, seen, pages = f"{page_of(key)}?rows=100", [], 0
    while address:
        answer = stage.browser.get(address)
        seen += names_on(answer.content)
        older = re.search(r'rel="next" href="([^"]+)"', answer.content.decode())
        address, pages = html.unescape(older[1]) if older else "", pages + 1
    assert seen == [f"{number:04}" for number in range(count, 0, -1)]
    assert pages == stage.practice.journal.count("GET", "/v1/records") == count / 100
    assert stage.practice.journal.count("GET", "/v1/fields") == 1
    assert stage.practice.journal.count("GET", f"/v1/tables/{key}") == 1


@pytest.mark.parametrize(("count", "words"), [(3, "3 of the 1,500 records"), (1400, "The table is nearly full: 1,400")])
def test_the_limit_of_records_is_shown_before_it_is_met(stage: Stage, count: int, words: str) -> None:
    key = _numbered(stage.practice, count)
    for url in (f"/w/sales/tables/{key}/?late=1", page_of(key), f"{page_of(key)}do/new/"):
        assert words in text(stage.browser.get(url).content)


def test_a_full_table_says_so_and_its_refusal_is_explained(stage: Stage) -> None:
    key = _numbered(stage.practice, 1500)
    _key, column = goods(stage.practice)
    url = f"{page_of(key)}do/new/"
    assert "The table is full: it has 1,500 records" in text(stage.browser.get(url).content)
    answer = stage.browser.post(url, {column["SKU"]: "one more"})
    assert answer.status_code == 422
    assert "the table is full. Delete some records first." in text(answer.content)
    assert "one more" in text(answer.content)
    assert outcomes() == [("records.new", "begun"), ("records.new", "refused")]
    assert len(engine_records(stage.practice, key)) == 1500


def test_a_page_goes_on_behind_a_record_that_was_deleted_meanwhile(stage: Stage) -> None:
    key = _numbered(stage.practice, 45)
    first = stage.browser.get(f"{page_of(key)}?rows=20")
    older = re.search(r'rel="next" href="([^"]+)"', first.content.decode())
    assert older
    last = next(row for row in engine_records(stage.practice, key) if "0026" in str(row["cells"]))
    del stage.practice.engine.state.records[last["id"]]
    assert names_on(stage.browser.get(html.unescape(older[1])).content)[0] == "0025"


def addresses(practice: Practice) -> Mapping[str, str]:
    """Every address of records that changes something, with a record in it."""
    key, _column = goods(practice)
    one = f"{page_of(key)}{engine_records(practice, key)[0]['id']}/"
    return {"new": f"{page_of(key)}do/new/", "edit": f"{one}do/edit/", "delete": f"{one}do/delete/"}


@pytest.mark.parametrize("role", list(Role), ids=str)
@pytest.mark.sampled(4)
def test_who_belongs_may_look_and_only_builders_may_change(stage: Stage, role: Role) -> None:
    browser, builds = stage.as_role(role), role.includes(Role.BUILDER)
    key, _column = goods(stage.practice)
    one = engine_records(stage.practice, key)[0]["id"]
    listed, shown = browser.get(f"{page_of(key)}?rows=100"), browser.get(f"{page_of(key)}{one}/")
    assert listed.status_code == shown.status_code == 200
    whole = listed.content.decode() + shown.content.decode()
    for url in addresses(stage.practice).values():
        assert (url in whole) is builds
        assert browser.get(url).status_code == (200 if builds else 403)
        assert builds or browser.post(url).status_code == 403
    assert not stage.writes()


def test_a_stranger_finds_nothing_and_the_engine_is_not_asked(stage: Stage) -> None:
    stranger, key = Client(), goods(stage.practice)[0]
    stranger.force_login(stage.users.stranger)
    for url in (*addresses(stage.practice).values(), page_of(key)):
        assert stranger.get(url).status_code == 404
        assert Client().get(url).status_code == 303
    assert not stage.practice.journal.all()


def test_a_record_of_another_table_is_not_found_below_this_one(stage: Stage) -> None:
    other, (key, _column) = goods(stage.practice, "Đơn hàng")[0], goods(stage.practice)
    one = engine_records(stage.practice, other)[0]["id"]
    for end in ("", "do/edit/", "do/delete/"):
        assert stage.browser.get(f"{page_of(key)}{one}/{end}").status_code == 404
    assert stage.browser.post(f"{page_of(key)}{one}/do/delete/").status_code == 404
    assert not stage.writes()


@pytest.mark.parametrize(("odd", "status"), [("z" * 21, 404), ("..", 404), ("%20", 404), ("misshapen", 400)])
def test_a_table_or_record_that_is_not_there_is_not_found_or_refused(stage: Stage, odd: str, status: int) -> None:
    key = goods(stage.practice)[0]
    for url in (page_of(odd), f"{page_of(key)}{odd}/", f"{page_of(key)}{odd}/do/edit/"):
        assert stage.browser.get(url).status_code == status


def test_an_engine_that_refuses_or_loses_its_answer_is_shown_and_asked_once(stage: Stage) -> None:
    column = goods(stage.practice)[1]
    faults = stage.practice.engine.faults
    for method in ("POST", "DELETE"):
        faults.add("reset_before", method, "*")
    for name, url in addresses(stage.practice).items():
        before = len(stage.writes())
        answer = stage.browser.post(url, {"sure": "yes"} if name == "delete" else {column["SKU"]: "typed"})
        assert answer.status_code == 422
        assert "It is unclear whether this happened" in text(answer.content)
        assert len(stage.writes()) == before + 1
    assert [outcome for _action, outcome in outcomes()] == ["begun", "unclear"] * 3


def test_an_engine_that_is_down_is_no_mistake_of_ours(stage: Stage) -> None:
    urls = [*addresses(stage.practice).values(), page_of(goods(stage.practice)[0])]
    stage.practice.engine.faults.add("status", status=502, body="html", headers={"Retry-After": "0"})
    for url in urls:
        assert stage.browser.get(url).status_code == 503
    for url in urls[:-1]:
        assert stage.browser.post(url).status_code == 503


UGLY = {
    "long": "x" * 10_000,
    "markup": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "right to left": "שלום \u202e עולם مرحبا",
    "zero width": "a\u200b\u0000b\ufffd",
    "many lines": "line\n" * 300,
}


@pytest.mark.parametrize("ugly", UGLY.values(), ids=UGLY.keys())
@pytest.mark.sampled(3)
def test_ugly_values_are_shown_and_can_be_edited(owner: Client, stub_engine: StubEngine, ugly: str) -> None:
    SAMPLE.put(stub_engine, table(ugly[:500]))
    fields = [field(2, ugly[:500]), field(3, "Missing"), field(4, "Kind", "STATIC_DROPDOWN"), field(5, "Day", "DATE")]
    one = record(6, {2: ugly, 4: ugly, 5: ugly})
    lay(stub_engine, fields, [one, record(7, {})])
    for url in (RECORDS, f"{RECORDS}{identity(6)}/", f"{RECORDS}{identity(6)}/do/edit/", f"{RECORDS}{identity(7)}/"):
        answer = owner.get(url)
        assert answer.status_code == 200, url
        assert "<script>alert" not in answer.content.decode()
        assert "<img src=x" not in answer.content.decode()
    typed = {identity(2): "plain", identity(4): ugly, identity(5): ugly, identity(3): ""}
    if "\x00" not in ugly:
        stub_engine.faults[f"/records/{identity(6)}"] = Reply(200, one)
        assert owner.post(f"{RECORDS}{identity(6)}/do/edit/", typed).status_code == 303


@pytest.mark.parametrize(
    ("cells", "updated"),
    [
        ({identity(2): {"value": "a", "updated": "2026-03-05T01:02:03.000Z"}}, "2026-03-05T01:02:03+00:00"),
        ({identity(2): {"value": "a", "updated": "2020-03-05T01:02:03.000Z"}}, "2026-01-02T00:00:00+00:00"),
        ({identity(2): {"value": "a", "updated": ""}, "x": None, "y": {"updated": 5}}, "2026-01-02T00:00:00+00:00"),
    ],
)
def test_a_record_was_changed_when_one_of_its_values_was(
    owner: Client, stub_engine: StubEngine, cells: dict[str, Any], updated: str
) -> None:
    SAMPLE.put(stub_engine, table())
    lay(stub_engine, [field(2, "Name")], [{**record(6, {}), "updated": "2026-01-02T00:00:00.000Z", "cells": cells}])
    page = owner.get(f"{RECORDS}{identity(6)}/").content.decode()
    assert re.search(rf'Updated</dt>\s*<dd[^>]*>\s*<time datetime="{re.escape(updated)}"', page), page


def test_a_page_of_long_cells_stays_small(owner: Client, stub_engine: StubEngine) -> None:
    SAMPLE.put(stub_engine, table())
    fields = [field(number, f"Column {number}") for number in range(2, 17)]
    lay(stub_engine, fields, [record(100 + number, dict.fromkeys(range(2, 17), "y" * 10_000)) for number in range(20)])
    assert len(owner.get(RECORDS).content) < 300_000


def test_a_table_without_columns_takes_no_record_and_says_what_to_do(owner: Client, stub_engine: StubEngine) -> None:
    SAMPLE.put(stub_engine, table())
    lay(stub_engine, [], [record(6, {2: "left over"})])
    page = owner.get(RECORDS).content.decode()
    assert "Record without values" in page
    assert "do/new/" not in page
    assert owner.get(f"{RECORDS}do/new/").status_code == 409
    assert "A table needs one before it can take records." in text(owner.get(RECORDS.removesuffix("records/")).content)


def test_the_records_of_a_table_are_declared_as_every_resource_is(stage: Stage) -> None:
    found = table_records.load_records(stage.session, goods(stage.practice)[0])
    assert resource_checks.check_resources([found]) == []


def test_only_a_table_without_columns_is_said_to_need_one(owner: Client, stub_engine: StubEngine) -> None:
    SAMPLE.put(stub_engine, table())
    lay(stub_engine, [field(2)], [])
    page = text(owner.get(RECORDS).content)
    assert "There are no records in this table yet" in page
    assert "needs a column first" not in page
    lay(stub_engine, [], [])
    caches.forget_answers()
    assert "The table needs a column first." in text(owner.get(RECORDS).content)
