"""What lies below a run: a step alone, loops page by page, the run as a file, and the runs it belongs together with."""

import json
import re
from typing import Any

import pytest
from django.test import Client

from tests.engine.servers import Reply
from tests.runs.test_run_starters import ONE, launched
from tests.stub_engine import StubEngine, flow, identity, run, text
from tests.users import Users
from workflows_ui.audit.models import AuditEvent
from workflows_ui.core.redaction import MASK

SECOND = f"/w/sales/runs/{identity(2)}/"


def code(status: str = "SUCCEEDED", **more: Any) -> dict[str, Any]:
    return {"type": "CODE", "status": status, "input": {}, "duration": 1.5} | more


def looping(rounds: int, failed: int = 0) -> dict[str, Any]:
    turns = [
        {"inner": code("FAILED" if number == failed else "SUCCEEDED", output={"line": number})}
        for number in range(1, rounds + 1)
    ]
    return {"type": "LOOP_ON_ITEMS", "status": "SUCCEEDED", "output": {"iterations": turns}}


def items(page: str) -> list[int]:
    return [int(number) for number in re.findall(r">Item (\d+)</span>", page)]


def test_a_loop_of_a_thousand_shows_its_first_items_and_the_failed_one_and_leads_on(
    owner: Client, stub_engine: StubEngine
) -> None:
    stub_engine.runs = [run(steps={"trigger": code(), "loop": looping(1000, failed=900)})]
    answer = owner.get(ONE)
    assert items(text(answer.content)) == [*range(1, 31), 900]
    assert len(answer.content) < 1_000_000
    assert f'href="{ONE}steps/1/?from=31"' in text(answer.content)
    assert "969 more items are not shown here" in text(answer.content)


def test_the_pages_of_a_loop_hold_every_item_once(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.runs = [run(steps={"loop": looping(95)})]
    address, seen = f"{ONE}steps/0/", []
    while address:
        page = text(owner.get(address).content)
        seen += items(page)
        older = re.search(r'rel="next" href="(\?from=\d+)"', page)
        address = f"{ONE}steps/0/{older[1]}" if older else ""
    assert seen == list(range(1, 96))
    last = text(owner.get(f"{ONE}steps/0/?from=91").content)
    assert "Items 91 to 95 of 95" in last
    assert 'rel="prev" href="?from=61"' in last


@pytest.mark.parametrize("asked", ["0", "-3", "x", "9999999999", "²", "96"])
def test_a_number_that_no_item_has_breaks_nothing(owner: Client, stub_engine: StubEngine, asked: str) -> None:
    stub_engine.runs = [run(steps={"loop": looping(95)})]
    assert owner.get(f"{ONE}steps/0/?from={asked}").status_code == 200


def test_a_step_inside_a_loop_has_a_page_with_its_flows_name(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.runs, stub_engine.flows = [run(steps={"loop": looping(3)})], [flow()]
    page = text(owner.get(f"{ONE}steps/0-2-0/").content)
    assert '<th scope="row" dir="auto">line</th><td><span class="long" dir="auto">2</span></td>' in page
    assert f'href="{ONE}"' in page


@pytest.mark.parametrize("position", ["1", "0-0-0", "0-1", "x", "0-4-0", "0-1-0-1-0"])
def test_a_place_where_no_step_is_is_not_found(owner: Client, stub_engine: StubEngine, position: str) -> None:
    stub_engine.runs = [run(steps={"loop": looping(3)})]
    assert owner.get(f"{ONE}steps/{position}/").status_code == 404


@pytest.mark.slow
def test_a_run_of_two_thousand_steps_is_cut_and_the_file_has_all(owner: Client, stub_engine: StubEngine) -> None:
    steps = {f"step_{number}": code(output={"text": "y" * 500}) for number in range(2000)}
    steps["step_1999"] = code("FAILED", errorMessage="Error: the last one")
    stub_engine.runs = [run(status="FAILED", steps=steps, failedStep={"name": "step_1999", "displayName": "Last"})]
    page = text(owner.get(ONE).content)
    assert "Error: the last one" in page
    assert "1799 more steps are not shown" in page
    assert f'href="{ONE}file/"' in text(owner.get(f"{ONE}?tab=data").content)
    found = json.loads(owner.get(f"{ONE}file/").content)
    assert len(found["steps"]) == 2000


def test_the_file_has_no_secret_and_leaves_a_trace(owner: Client, stub_engine: StubEngine) -> None:
    headers = {"authorization": "Bearer opens-more-1234", "accept": "*/*"}
    name = {"displayName": 'Đơn <b>"x"/..\r\n'}
    stub_engine.runs = [run(steps={"trigger": {"output": {"headers": headers}}}, flowVersion=name)]
    answer = owner.get(f"{ONE}file/")
    assert "opens-more" not in answer.content.decode()
    assert MASK in answer.content.decode()
    assert answer["Content-Disposition"].startswith("attachment; filename")
    assert answer["Content-Disposition"].endswith(".json")
    assert list(AuditEvent.objects.values_list("action", "object_id")) == [("runs.export", identity(1))]


def test_parent_and_children_are_found_by_what_the_runs_say_of_themselves(
    owner: Client, stub_engine: StubEngine
) -> None:
    stub_engine.runs = [
        run(1, flowVersion={"displayName": "Above"}),
        run(2, parentRunId=identity(1)),
        run(3, parentRunId=identity(2), flowVersion={"displayName": "Below"}),
        run(4, parentRunId=identity(9), flowVersion={"displayName": "Elsewhere"}),
    ]
    page = text(owner.get(f"{SECOND}family/").content)
    assert re.search(rf'<a class="long" href="{ONE}">Above</a>', page)
    assert f'href="/w/sales/runs/{identity(3)}/">Below</a>' in page
    assert "Elsewhere" not in page
    query = stub_engine.queries("/flow-runs")[0]
    assert query["createdAfter"][0] < run()["startTime"] < run()["finishTime"] < query["createdBefore"][0]


def test_they_are_looked_for_on_their_own_tab_only(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.runs = [run(1), run(2, parentRunId=identity(1))]
    overview, related = (text(owner.get(f"{SECOND}{query}").content) for query in ("", "?tab=related"))
    loading = f'hx-get="{SECOND}family/" hx-trigger="load"'
    assert (loading in overview, loading in related) == (False, True)
    fragment = text(owner.get(f"{SECOND}family/", headers={"HX-Request": "true", "HX-Target": "family"}).content)
    assert fragment.strip().startswith('<div class="card-body" id="family">')


def test_the_marker_of_our_own_launch_is_no_parent(users: Users, owner: Client, stub_engine: StubEngine) -> None:
    launch = launched(users)
    stub_engine.runs = [run(parentRunId=launch.pk)]
    assert 'hx-trigger="load"' not in text(owner.get(ONE).content)
    page = text(owner.get(f"{ONE}family/").content)
    assert "No other run started it." in page
    assert "None was found." in page
    assert f"/flow-runs/{launch.pk}" not in stub_engine.calls


def test_a_parent_that_the_engine_does_not_know_is_shown_by_its_id(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.runs = [run(parentRunId=identity(7))]
    page = text(owner.get(f"{ONE}family/").content)
    assert "that the engine no longer has" in page
    assert identity(7) in page


ODD = [
    {"created": "", "startTime": ""},
    {"created": "0001-01-01T00:00:00Z", "startTime": "9999-12-31T23:59:59Z"},
    {"finishTime": "2020-01-01T00:00:00.000Z"},
    {"parentRunId": {}, "steps": "odd"},
    {"id": None},
]


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
def test_odd_runs_break_none_of_these_pages(owner: Client, stub_engine: StubEngine, odd: dict[str, Any]) -> None:
    stub_engine.faults[f"/flow-runs/{identity(1)}"] = Reply(200, run() | odd)
    assert owner.get(ONE).status_code == 200
    assert owner.get(f"{ONE}family/").status_code == 200
    assert owner.get(f"{ONE}file/").status_code == 200
    assert owner.get(f"{ONE}steps/0/").status_code in (200, 404)


@pytest.mark.parametrize("below", ["steps/0/", "family/", "file/"])
def test_an_engine_that_is_down_is_shown_there_too(owner: Client, stub_engine: StubEngine, below: str) -> None:
    stub_engine.faults[identity(1)] = Reply(502, b"<html>no</html>")
    assert owner.get(f"{ONE}{below}").status_code == 503
    assert owner.get(f"/w/sales/runs/{identity(404)}/{below}").status_code == 404
    assert owner.post(f"{ONE}{below}").status_code == 405
