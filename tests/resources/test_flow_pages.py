"""Reading the engine's list of flows: its cursors lose rows, its answers can be too large, and nothing is lost or silent."""

import re
from typing import Any
from urllib.parse import parse_qs

import pytest
from django.test import Client

from tests.engine.servers import Reply, Seen
from tests.stage import Stage
from tests.stub_engine import StubEngine, flow, identity, text
from workflows_ui.engine.transport import LARGEST_ANSWER
from workflows_ui.flows import pages as flow_pages
from workflows_ui.members.models import Flavour

FLOWS = "/w/sales/flows/"


def walked(browser: Client, address: str) -> list[str]:
    """The ids of the flows on all pages, by following "Older"."""
    seen = []
    while address:
        page = browser.get(address).content.decode()
        seen += re.findall(rf'<td class="[^"]*first"[^>]*>\s*<a href="{FLOWS}([^/"]+)/"', page)
        older = re.search(r'rel="next" href="([^"]+)"', page)
        address = older[1].replace("&amp;", "&") if older else ""
    return seen


def crowd(stage: Stage, number: int) -> list[dict[str, Any]]:
    """So many flows more, in no folder; all flows of the project, last changed first. All were made in one second, as by an import:
    what the engine's cursors lead to is nothing then."""
    for n in range(number):
        stage.session.workflows.create_flow(f"Flow {n:03}")
    state = stage.practice.engine.state
    with state.lock:
        rows = [row for row in state.flows.values() if row["projectId"] == stage.practice.credentials.project_id]
        for n, row in enumerate(rows):
            row["created"] = "2026-11-20T10:00:00.500Z"
            row["updated"] = f"2026-11-21T10:{59 - n // 60:02}:{59 - n % 60:02}.000Z"
    return rows


@pytest.mark.slow
def test_what_the_engine_can_be_brought_to_give_is_listed_and_the_gap_is_shown(stage: Stage) -> None:
    rows = crowd(stage, 130)
    seen = walked(stage.browser, f"{FLOWS}?rows=50")
    if stage.users.workspace.flavour != Flavour.IMBRACE:
        # The cursors of 0.83 lose none, and whatever changed last comes first, on or off.
        assert seen == [row["id"] for row in rows]
        return
    reachable = {row["id"] for row in rows[:100]}
    reachable |= {row["id"] for row in [row for row in rows if row["folderId"] is None][:100]}
    reachable |= {row["id"] for row in rows if row["folderId"] is not None}
    assert len(seen) == len(set(seen)) > 100
    assert set(seen) == reachable
    message = f"The engine counts {len(rows)} flows, but gives only {len(seen)} of them"
    assert message in text(stage.browser.get(f"{FLOWS}?rows=100&at={rows[99]['updated']}~{rows[99]['id']}").content)
    found, complete = flow_pages.all_flows(stage.session, flow_pages.brief)
    assert {row["id"] for row in found} == reachable
    assert not complete


@pytest.mark.slow
def test_flows_in_folders_are_found_by_folder_where_the_cursors_lose_them(stage: Stage) -> None:
    workflows = stage.session.workflows
    everything = {row["id"] for row in crowd(stage, 60)}
    folders = [str(workflows.create_folder(f"Folder {n}")["id"]) for n in range(2)]
    for n in range(60):
        everything.add(str(workflows.create_flow(f"Inside {n}", folder_id=folders[n % 2])["id"]))
    seen = walked(stage.browser, f"{FLOWS}?rows=50")
    assert sorted(seen) == sorted(everything)


def many(number: int) -> list[dict[str, Any]]:
    return [
        flow(n, f"Flow {n:03}", updated=f"2026-11-{1 + (number - n) // 60:02}T10:{(number - n) % 60:02}:00.000Z")
        for n in range(1, number + 1)
    ]


def test_pages_within_the_first_hundred_take_one_call(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.flows = many(150)
    owner.get(FLOWS)
    owner.get(f"{FLOWS}?at={stub_engine.flows[39]['updated']}~{identity(40)}")
    queries = stub_engine.queries("/flows")
    assert len(queries) == 2
    assert all(query["limit"] == ["100"] for query in queries)
    assert "/flows/count" not in stub_engine.calls


def test_where_flows_that_are_on_come_first_the_last_changed_one_is_first_all_the_same(
    owner: Client, stub_engine: StubEngine
) -> None:
    """As 0.83 lists them, recording `flows_list`: what is off was changed last, and comes behind a hundred that are on."""
    on = [row | {"ownerId": "o" * 21} for row in many(150)]
    off = [
        row | {"id": identity(500 + n), "status": "DISABLED", "ownerId": "o" * 21} for n, row in enumerate(many(150))
    ]
    off[0] |= {"updated": "2026-11-30T00:00:00.000Z"}
    off[0]["version"] = off[0]["version"] | {"displayName": "Changed last"}
    stub_engine.flows = [*on, *off]
    usual_answer = stub_engine._find

    def by_status(seen: Seen) -> Reply:
        query = parse_qs(seen.query)
        if seen.path.endswith("/flows") and query.get("status") == ["DISABLED"]:
            return stub_engine._page(off, query)
        return usual_answer(seen)

    stub_engine.answer = by_status
    page = owner.get(FLOWS).content.decode()
    first = re.search(r'<td class="[^"]*first"[^>]*>\s*<a href="[^"]+"[^>]*>(.*?)</a>', page, re.DOTALL)
    assert first is not None
    assert "Changed last" in first[1]
    assert [query.get("status") for query in stub_engine.queries("/flows")] == [None, ["DISABLED"]]
    assert walked(owner, f"{FLOWS}?rows=100")[0] == identity(500)


def test_pages_beyond_walk_once_a_minute_and_count(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.flows = many(150)
    stub_engine.faults["/flows/count"] = Reply(200, 150)
    position = f"{stub_engine.flows[109]['updated']}~{identity(110)}"
    page = text(owner.get(f"{FLOWS}?at={position}").content)
    assert "Flow 111" in page
    assert "The engine counts" not in page
    before = stub_engine.calls.count("/flows")
    owner.get(f"{FLOWS}?at={position}")
    assert stub_engine.calls.count("/flows") == before + 1
    assert stub_engine.calls.count("/flows/count") == 1


def test_a_gap_is_shown_with_both_numbers(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.flows = many(150)
    stub_engine.faults["/flows/count"] = Reply(200, 153)
    page = text(owner.get(f"{FLOWS}?at={stub_engine.flows[109]['updated']}~{identity(110)}").content)
    assert "The engine counts 153 flows, but gives only 150 of them" in page.split('role="note"')[1]
    assert "Use the filters to find the others." in page


def test_what_the_engine_does_not_count_is_not_promised_to_be_whole(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.flows = many(150)
    page = owner.get(f"{FLOWS}?name=flow&at={stub_engine.flows[109]['updated']}~{identity(110)}")
    assert "some may be missing here" in text(page.content)
    assert "/flows/count" not in stub_engine.calls


def test_a_row_that_was_deleted_or_changed_meanwhile_shifts_no_page(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.flows = many(60)
    position = f"{stub_engine.flows[19]['updated']}~{identity(20)}"
    del stub_engine.flows[5]
    assert "Flow 021" in text(owner.get(f"{FLOWS}?at={position}").content)
    stub_engine.flows = [row for row in stub_engine.flows if row["id"] != identity(20)]
    page = text(owner.get(f"{FLOWS}?at={position}").content)
    assert "Flow 021" in page
    assert "Flow 019" not in page


@pytest.mark.parametrize("position", ["~", "x", "~~", "9999", "2026-11-24T22:37:51.391Z~gone"])
def test_an_odd_position_is_some_page(owner: Client, stub_engine: StubEngine, position: str) -> None:
    stub_engine.flows = [flow()]
    assert owner.get(FLOWS, {"at": position}).status_code == 200


@pytest.mark.slow
def test_an_answer_that_is_too_large_is_asked_for_in_smaller_parts_and_shown(
    owner: Client, stub_engine: StubEngine
) -> None:
    stub_engine.flows = many(30)
    usual = stub_engine.answer
    assert usual is not None

    def answer(seen: Seen) -> Reply:
        if seen.path.endswith("/flows") and int(parse_qs(seen.query)["limit"][0]) > 25:
            return Reply(200, b" " * (LARGEST_ANSWER + 1))
        return usual(seen)

    stub_engine.answer = answer
    stub_engine.faults["/flows/count"] = Reply(200, 30)
    page = text(owner.get(f"{FLOWS}?rows=50").content)
    assert "Flow 030" in page
    assert "asked for 25 at a time" in page
    asked = [query["limit"] for query in stub_engine.queries("/flows")]
    assert asked == [["100"], ["50"], ["25"], ["25"]]
    owner.get(FLOWS)
    assert stub_engine.queries("/flows")[-1]["limit"] == ["25"]


@pytest.mark.slow
def test_flows_too_large_even_one_by_one_are_an_error_in_words(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.faults["/flows"] = Reply(200, b" " * (LARGEST_ANSWER + 1))
    answer = owner.get(FLOWS)
    assert answer.status_code == 502
    assert "The answer is too large" in text(answer.content)


def test_a_cursor_without_end_ends(owner: Client, stub_engine: StubEngine) -> None:
    usual = stub_engine.answer
    assert usual is not None
    stub_engine.answer = lambda seen: (
        Reply(200, {"data": [flow()], "next": "again"}) if seen.path.endswith("/flows") else usual(seen)
    )
    assert owner.get(FLOWS).status_code == 200
    assert stub_engine.calls.count("/flows") < 60
