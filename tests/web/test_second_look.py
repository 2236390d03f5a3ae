"""The second request for a list, which follows automatically and adds the optional content: its marker is in no other address."""

import re

import pytest
from django.test import Client

from tests.engine.servers import Reply
from tests.stub_engine import StubEngine, flow, identity, run, text

FLOWS = "/w/sales/flows/"
HTMX = {"HX-Request": "true", "HX-Target": "results"}


@pytest.fixture(autouse=True)
def _three_pages(stub_engine: StubEngine) -> None:
    stub_engine.flows = [flow(number, f"Flow {number}") for number in range(1, 46)]
    stub_engine.runs = [run(7, "FAILED")]
    stub_engine.rows["/app-connections"] = [{"id": identity(5), "externalId": "gmail", "displayName": "Sales mail"}]


def test_the_second_look_keeps_filters_position_and_rows(owner: Client) -> None:
    page = text(owner.get(f"{FLOWS}?name=flow&rows=20&at=x~1&odd=1").content)
    assert f'hx-get="{FLOWS}?name=flow&amp;rows=20&amp;at=x~1&amp;late=1" hx-trigger="load"' in page


def test_its_mark_is_kept_in_no_address_of_its_answer(owner: Client) -> None:
    answer = owner.get(f"{FLOWS}?rows=20&late=1", headers=HTMX)
    page = text(answer.content)
    assert "late=1" not in page
    assert f'name="next" value="{FLOWS}?rows=20"' in page
    assert 'rel="next"' in page
    assert "HX-Push-Url" not in answer.headers


def test_choices_that_come_late_take_their_places_in_the_filters(owner: Client) -> None:
    first = text(owner.get(f"{FLOWS}?connection=gmail").content)
    assert "Sales mail" not in first
    second = text(owner.get(f"{FLOWS}?connection=gmail&late=1", headers=HTMX).content)
    (select,) = re.findall(r'<select[^>]*id="id_connection"[^>]*>.*?</select>', second)
    assert 'hx-swap-oob="true"' in select
    assert '<option value="gmail" selected>Sales mail</option>' in select
    assert "Connection: Sales mail" in second


def test_without_javascript_a_link_leads_to_the_whole_page_with_everything(owner: Client) -> None:
    first = owner.get(FLOWS).content.decode()
    (inside,) = re.findall(r"<noscript><p.*?</noscript>", first)
    assert f'href="{FLOWS}?late=1"' in inside
    page = text(owner.get(f"{FLOWS}?late=1").content)
    assert "<html" in page
    assert "hx-swap-oob" not in page
    assert page.count('id="id_connection"') == 1
    assert '<option value="gmail">Sales mail</option>' in page
    assert f"/runs/{identity(7)}/" in page


def test_an_engine_that_dies_before_the_second_look_is_shown_once_and_the_list_stays(
    owner: Client, stub_engine: StubEngine
) -> None:
    owner.get(FLOWS)
    stub_engine.faults["/flows"] = Reply(502, b"no", (("retry-after", "0"),))
    answer = owner.get(f"{FLOWS}?late=1", headers=HTMX)
    assert answer.status_code == 503
    assert answer.headers["HX-Retarget"] == "#alerts"
    assert "hx-trigger" not in answer.content.decode()


def test_what_is_done_to_many_asks_for_nothing_that_decorates(owner: Client, stub_engine: StubEngine) -> None:
    owner.post(f"{FLOWS}many/turn-off/", {"id": [identity(1), identity(2)], "next": FLOWS})
    assert "/flow-runs" not in stub_engine.calls


def test_how_many_all_that_match_are_is_said_beside_the_tick_where_the_engine_counts_them(
    owner: Client, stub_engine: StubEngine
) -> None:
    # More than the first hundred, which would be counted where they are all.
    stub_engine.flows = [flow(number, f"Flow {number}") for number in range(1, 131)]
    stub_engine.faults["/flows/count"] = Reply(200, 145)
    first = text(owner.get(FLOWS).content)
    assert "Select all pages" in first
    assert "Select all 145" in text(owner.get(f"{FLOWS}?late=1", headers=HTMX).content)
    assert "Select all 145" in text(owner.get(FLOWS).content)
    by_name = text(owner.get(f"{FLOWS}?name=flow&late=1", headers=HTMX).content)
    assert "Select all that match" in by_name


def test_how_many_match_is_said_at_once_where_one_call_gave_them_all(owner: Client, stub_engine: StubEngine) -> None:
    assert "Select all 45" in text(owner.get(f"{FLOWS}?name=flow").content)
    assert "/flows/count" not in stub_engine.calls
