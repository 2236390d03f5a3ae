"""What hangs on a table, several records deleted together, and the records that fit as a file."""

import csv
import io
from typing import Any

import pytest
from django.test import Client

from tests.engine.servers import Reply
from tests.resources.samples.tables import SAMPLE, field, lay, record
from tests.stage import Stage, outcomes
from tests.stub_engine import StubEngine, flow, identity, text
from tests.tables.test_tables import columns, orders
from workflows_ui.audit.models import AuditEvent
from workflows_ui.core.paths import sole_id
from workflows_ui.members.models import Role
from workflows_ui.tables import parts as table_parts


def with_table(name: str, number: int = 1) -> dict[str, Any]:
    """A flow whose second step reads the table of this name."""
    step = {"name": "step_1", "type": "PIECE", "settings": {"pieceName": "@activepieces/piece-tables"}}
    step["settings"]["input"] = {"table_id": name}  # type: ignore[index]
    found = flow(number, f"Flow {number}")
    found["version"]["trigger"]["nextAction"] = step
    return found


def records_of(stage: Stage, table: str) -> list[str]:
    return [key for key, row in stage.practice.engine.state.records.items() if row["tableId"] == table]


def where(stage: Stage, table: str) -> str:
    return f"/w/sales/tables/{table}/records/"


def test_a_table_names_the_flows_that_use_it_before_it_is_deleted(owner: Client, stub_engine: StubEngine) -> None:
    SAMPLE.fill(stub_engine)
    stub_engine.flows = [with_table(identity(8)), with_table(identity(1), 2), with_table("another", 3), flow(4, "None")]
    page = text(owner.get(f"/w/sales/tables/{identity(1)}/?tab=used").content)
    for number, there in ((1, True), (2, True), (3, False), (4, False)):
        assert (f'href="/w/sales/flows/{identity(number)}/"' in page) is there
    for action in ("delete", "clear"):
        asked = text(owner.get(f"/w/sales/tables/do/{action}/{identity(1)}/").content)
        assert "2 flows use it." in asked
        assert f'href="/w/sales/flows/{identity(1)}/">Flow: Flow 1 (step_1)</a>' in asked
    assert "Column: SKU" in text(owner.get(f"/w/sales/tables/do/delete/{identity(1)}/").content)


def test_flows_that_cannot_be_read_are_admitted_before_a_table_goes(owner: Client, stub_engine: StubEngine) -> None:
    SAMPLE.fill(stub_engine)
    stub_engine.faults["/flows"] = Reply(403, {"code": "AUTHORIZATION", "params": {}})
    asked = text(owner.get(f"/w/sales/tables/do/delete/{identity(1)}/").content)
    assert "the engine did not list all its flows, so there may be more" in asked


def test_ticked_records_are_named_and_counted_and_only_these_are_deleted(stage: Stage) -> None:
    table = orders(stage)
    before = records_of(stage, table)
    ticked = before[:3]
    here = where(stage, table)
    assert f'formaction="{here}many/delete/"' in stage.browser.get(here).content.decode()
    asked = stage.browser.post(f"{here}many/delete/", {"id": [*ticked, "made-up"], "next": f"{here}?rows=50"})
    page = text(asked.content)
    assert "3 records are deleted with all their values" in page
    assert "made-up" not in page
    assert not stage.writes()
    typed = {"id": ticked, "next": f"{here}?rows=50", "confirmed": "yes", "action-ticket": asked.context["ticket"]}
    done = stage.browser.post(f"{here}many/delete/", typed)
    assert done.headers["Location"] == f"{here}?rows=50"
    assert records_of(stage, table) == before[3:]
    assert stage.writes() == ["DELETE /v1/records"]
    assert outcomes() == [("records.delete", "begun"), ("records.delete", "done")]
    # The same form a second time does nothing.
    stage.browser.post(f"{here}many/delete/", typed)
    assert len(stage.writes()) == 1


def test_all_that_the_filters_match_are_frozen_when_it_is_asked(stage: Stage) -> None:
    table = orders(stage)
    key = columns(stage, table)["Khách"]["id"]
    rows = stage.practice.engine.state.records
    name = rows[records_of(stage, table)[0]]["cells"][key]["value"]
    fit = [one for one in records_of(stage, table) if rows[one]["cells"][key]["value"] == name]
    here = where(stage, table)
    address = f"{here}?column1={key}&value1={name}"
    asked = stage.browser.post(f"{here}many/delete/", {"everything": "1", "next": address})
    assert sorted(asked.context["ids"]) == sorted(fit)
    assert 0 < len(fit) < len(records_of(stage, table))
    every = stage.browser.post(f"{here}many/delete/", {"everything": "1", "next": here})
    assert len(every.context["ids"]) == len(records_of(stage, table))
    odd = stage.browser.post(f"{here}many/delete/", {"everything": "1", "next": f"{here}?column1=none&value1=x"})
    assert odd.status_code == 303
    assert not stage.writes()


def test_nothing_ticked_a_table_that_is_not_there_and_other_actions_do_nothing(stage: Stage) -> None:
    here = where(stage, orders(stage))
    assert stage.browser.post(f"{here}many/delete/", {"next": here}).headers["Location"] == here
    assert stage.browser.post(f"{here}many/delete/", {"next": "https://evil.example/"}).headers["Location"] == here
    assert stage.browser.post(f"{here}many/edit/", {"id": "x"}).status_code == 404
    assert stage.browser.post(f"/w/sales/tables/{'z' * 21}/records/many/delete/", {"id": "x"}).status_code == 404
    assert stage.browser.get(f"{here}many/delete/").headers["Location"] == here
    assert not stage.writes()


def test_a_viewer_has_no_boxes_and_no_way_to_delete(stage: Stage) -> None:
    here = where(stage, orders(stage))
    viewer = stage.as_role(Role.LAUNCHER)
    assert "many/delete" not in viewer.get(here).content.decode()
    ids = records_of(stage, orders(stage))
    assert viewer.post(f"{here}many/delete/", {"id": ids, "confirmed": "yes"}).status_code == 403
    assert records_of(stage, orders(stage)) == ids


def test_what_was_deleted_before_the_engine_failed_is_shown(owner: Client, stub_engine: StubEngine) -> None:
    SAMPLE.fill(stub_engine)
    lay(stub_engine, [field(2)], [record(number, {2: f"v{number}"}) for number in range(10, 260)])
    here = f"/w/sales/tables/{identity(1)}/records/"
    ids = [identity(number) for number in range(10, 260)]
    answers = iter([Reply(204, b""), Reply(500, {"message": "no"})])
    usual_answer = stub_engine._find
    stub_engine.answer = lambda seen: next(answers) if seen.method == "DELETE" else usual_answer(seen)
    answer = owner.post(f"{here}many/delete/", {"id": ids, "confirmed": "yes", "next": here, "action-ticket": "t"})
    assert answer.status_code == 422
    page = text(answer.content)
    assert "100 records were deleted before that." in page
    assert "Checking whether it was done" in page
    assert [seen.method for seen in stub_engine.seen].count("DELETE") == 2
    last = AuditEvent.objects.order_by("pk").last()
    assert last is not None
    assert last.detail["done"] == 100


def test_the_file_has_the_records_in_the_order_of_their_page(stage: Stage) -> None:
    table = orders(stage)
    key = columns(stage, table)["Tổng tiền"]["id"]
    for sort in (key, f"-{key}"):
        page = stage.browser.get(f"{where(stage, table)}?sort={sort}&rows=100").content.decode()
        file = stage.browser.get(f"/w/sales/tables/{table}/export/json/?sort={sort}").json()
        listed = [
            row.split('data-label="')[1].split('class="long">')[1].split("<")[0] for row in page.split("<tr>")[2:]
        ]
        assert [row["Mã đơn"] for row in file["rows"]] == listed
    assert len(listed) == len(records_of(stage, table))


def test_records_that_fit_are_had_as_a_file(stage: Stage) -> None:
    table = orders(stage)
    key = columns(stage, table)["Khách"]["id"]
    rows = stage.practice.engine.state.records
    name = rows[records_of(stage, table)[0]]["cells"][key]["value"]
    query = f"column1={key}&value1={name}"
    page = stage.browser.get(f"{where(stage, table)}?{query}")
    assert f"/w/sales/tables/{table}/export/csv/?column1={key}" in page.content.decode()
    file = stage.browser.get(f"/w/sales/tables/{table}/export/csv/?{query}").content.decode("utf-8-sig")
    lines = list(csv.DictReader(io.StringIO(file)))
    assert {line["Khách"] for line in lines} == {name}
    assert 0 < len(lines) < len(records_of(stage, table))
    whole = stage.browser.get(f"/w/sales/tables/{table}/export/json/").json()
    assert len(whole["rows"]) == len(records_of(stage, table))
    odd = stage.browser.get(f"/w/sales/tables/{table}/export/csv/?column1=none&value1=x")
    assert odd.status_code == 303
    assert odd.headers["Location"].startswith(where(stage, table))
    assert AuditEvent.objects.filter(action="tables.export").count() == 2


@pytest.mark.parametrize("id", ["", " ", "..", "/", "a/b", "a\nb", "\x00", "./."])
def test_an_odd_id_makes_no_address_below_a_table(id: str) -> None:
    assert not sole_id(id)
    assert table_parts.record_url("sales", identity(1), id) == ""
    assert table_parts.export_url("sales", id, "csv") == ""
