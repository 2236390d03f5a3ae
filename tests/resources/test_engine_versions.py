"""What engines of different versions send and refuse, on the pages of flows, connections and apps."""

from typing import Any

import pytest
from django.test import Client

from tests.resources.samples.pieces import SAMPLE as PIECE
from tests.stub_engine import StubEngine, flow, identity, text

FLOW = f"/w/sales/flows/{identity(1)}/"


def test_an_app_in_many_languages_is_as_large_as_in_one(owner: Client, stub_engine: StubEngine) -> None:
    row = PIECE.row("Many words") | {"i18n": {"de": {"Send": "Senden" * 100_000}}, "contextInfo": None, "auth": None}
    PIECE.put(stub_engine, row)
    page = text(owner.get(f"/w/sales/pieces/{PIECE.key}/").content)
    assert "Many words" in page
    assert "Senden" not in page


def test_what_0_83_shows_about_a_flow_is_among_its_facts(owner: Client, stub_engine: StubEngine) -> None:
    row = flow(timeSavedPerRun=12)
    row["version"]["notes"] = [{"id": "note_1"}, {"id": "note_2"}]
    stub_engine.flows = [row]
    page = text(owner.get(FLOW).content)
    assert "<dt>Minutes saved per run</dt><dd>12</dd>" in page
    assert "<dt>Notes on its canvas</dt><dd>2</dd>" in page


@pytest.mark.parametrize(
    ("saved", "notes"), [(None, None), ("", {}), ({}, []), (True, "x"), ([1], 7), ("x" * 10_000, [None])]
)
def test_odd_or_missing_facts_break_nothing(owner: Client, stub_engine: StubEngine, saved: Any, notes: Any) -> None:
    row = flow(timeSavedPerRun=saved)
    row["version"]["notes"] = notes
    stub_engine.flows = [row]
    page = text(owner.get(FLOW).content)
    assert "Minutes saved" not in page
