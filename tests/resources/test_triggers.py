"""The board of triggers: what the engine counts by app and day, as a plot and as a table, whatever it sends."""

import datetime
import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.connection_scene import Scene, scene
from tests.engine.servers import Reply
from tests.practice_engine.fixtures import practice
from tests.resources.samples.triggers import PATH
from tests.stub_engine import StubEngine, text
from workflows_ui.core import formats
from workflows_ui.resources.triggers import figures as trigger_figures

__all__ = ["practice", "scene"]
LIST = "/w/sales/triggers/"
WEBHOOK = "@activepieces/piece-webhook"


def day(ago: int) -> str:
    return (timezone.now().astimezone(datetime.UTC).date() - datetime.timedelta(days=ago)).isoformat()


def figures(*days: tuple[int, int, int]) -> dict[str, Any]:
    """Of one piece: (days ago, worked, failed)."""
    listed = {day(ago): {"success": good, "failure": bad} for ago, good, bad in days}
    return {"dailyStats": listed, "totalRuns": sum(good + bad for _ago, good, bad in days)}


def put(stub_engine: StubEngine, **pieces: Any) -> None:
    whole = {f"@activepieces/piece-{name}": found for name, found in pieces.items()}
    stub_engine.faults[PATH] = Reply(200, {"pieces": whole})
    stub_engine.rows["/pieces"] = []
    stub_engine.arrays.add("/pieces")


def test_the_board_says_that_it_spans_the_platform_and_counts_what_the_engine_counts(scene: Scene) -> None:
    scene.practice.engine.settings.version = "0.72.4"  # 0.83 counts nothing (recording trigger_runs_status)
    page = scene.page(LIST)
    assert "These figures span the whole platform" in page
    figures = scene.practice.call("GET", "/v1/trigger-runs/status").json()["pieces"][WEBHOOK]
    worked = sum(one["success"] for one in figures["dailyStats"].values())
    failed = sum(one["failure"] for one in figures["dailyStats"].values())
    assert f"{worked} worked, {failed} failed" in page
    one = scene.page(f"{LIST}{WEBHOOK}/")
    assert re.search(rf"Succeeded <span[^>]*>{worked}</span>", one)
    assert scene.practice.sample("quick").name in one, "a flow of this workspace that starts with it"
    assert 'href="/w/sales/pieces/@activepieces/piece-webhook/"' in one


def test_what_fails_comes_first_and_can_be_looked_for_alone(owner: Client, stub_engine: StubEngine) -> None:
    put(
        stub_engine,
        quiet=figures(),
        good=figures((0, 5, 0)),
        before=figures((5, 1, 1)),
        failing=figures((0, 9, 1)),
        dead=figures((0, 0, 2)),
    )
    page = text(owner.get(LIST).content)
    order = [page.index(f">{name}</span>") for name in ("Dead", "Failing", "Before", "Good", "Quiet")]
    assert order == sorted(order)
    assert all(word in page for word in ("Fails", "Fails at times", "Failed before", "Works", "Nothing counted"))
    alone = text(owner.get(f"{LIST}?failures=yes").content)
    assert ">Before</span>" in alone
    assert ">Good</span>" not in alone
    assert ">Good</span>" in text(owner.get(f"{LIST}?failures=no").content)
    assert ">Before</span>" not in text(owner.get(f"{LIST}?search=good").content)


def test_the_plot_says_in_words_what_it_shows_and_its_table_holds_every_day(
    owner: Client, stub_engine: StubEngine
) -> None:
    put(stub_engine, shop=figures((0, 3, 1), (1, 0, 2), (13, 7, 0)))
    page = text(owner.get(f"{LIST}@activepieces/piece-shop/").content)
    assert "10 worked, 3 failed" in text(owner.get(LIST).content)
    assert f"{formats.date(timezone.now().astimezone(datetime.UTC).date())}: 3 worked, 1 failed" in page
    assert "style=" not in page
    rows = re.findall(r'<th scope="row"[^>]*>[^<]+</th>((?:<td class="kind-count">\d+</td>){3})', page)
    counts = [tuple(re.findall(r">(\d+)<", row)) for row in rows]
    assert len(counts) == 14
    assert (counts[0], counts[1], counts[-1]) == (("3", "1", "4"), ("0", "2", "2"), ("7", "0", "7"))


ODD: list[Any] = [
    None,
    [],
    "x",
    {"yesterday": {"success": 1}, "": {}, "2026-13-45": {"success": 1}},
    {day(0): None, day(1): 5, day(2): {"success": "3", "failure": None}},
    {day(0): {"success": -5, "failure": True}},
    {"0001-01-01": {"success": 1}, "9999-12-31": {"success": 1}, "1999-01-01": {"success": 1}},
    {day(-3): {"success": 1}, day(25): {"success": 2}},
]


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
def test_odd_figures_give_a_plot_all_the_same(owner: Client, stub_engine: StubEngine, odd: Any) -> None:
    put(stub_engine, odd={"dailyStats": odd, "totalRuns": odd})
    assert owner.get(LIST).status_code == 200
    assert owner.get(f"{LIST}@activepieces/piece-odd/").status_code == 200
    found = trigger_figures.read(odd)
    assert 14 <= len(found.days) <= 31
    assert found.good >= 0 <= found.bad


@pytest.mark.parametrize("odd", [None, [], "x", {"@activepieces/piece-x": None, "": {}, "y": []}], ids=range(4))
def test_odd_pieces_leave_the_board_standing(owner: Client, stub_engine: StubEngine, odd: Any) -> None:
    stub_engine.faults[PATH] = Reply(200, {"pieces": odd})
    stub_engine.rows["/pieces"] = []
    stub_engine.arrays.add("/pieces")
    assert owner.get(LIST).status_code == 200
