"""Whose an id is is remembered for a while, for one workspace at one engine, and forgetting it costs a question only."""

import pytest
import time_machine

from tests import caches
from tests.users import workspace
from workflows_ui.credentials.services.clients import FOR, MOST, OwnedIds

pytestmark = [pytest.mark.both_databases, pytest.mark.django_db]


def test_a_proof_holds_for_a_while_and_for_its_kind_and_workspace_only() -> None:
    caches.empty()
    sales, elsewhere = workspace("sales"), workspace("elsewhere", project="E" * 21)
    with time_machine.travel(1_800_000_000, tick=False) as clock:
        OwnedIds(sales).learn("tables", ["A"])
        assert OwnedIds(sales).knows("tables", "A")
        assert not OwnedIds(sales).knows("tables", "B")
        assert not OwnedIds(sales).knows("flows", "A")
        assert not OwnedIds(elsewhere).knows("tables", "A")
        clock.shift(FOR - 1)
        OwnedIds(sales).learn("tables", ["B"])
        assert OwnedIds(sales).knows("tables", "A")
        clock.shift(2)
        assert not OwnedIds(sales).knows("tables", "A")
        assert OwnedIds(sales).knows("tables", "B")


def test_a_workspace_that_moved_to_another_engine_knows_nothing_of_before() -> None:
    caches.empty()
    sales = workspace("sales")
    OwnedIds(sales).learn("tables", ["A"])
    sales.address = "https://elsewhere.example/api"
    assert not OwnedIds(sales).knows("tables", "A")


def test_what_two_requests_learn_at_once_is_kept() -> None:
    caches.empty()
    sales = workspace("sales")
    one, other = OwnedIds(sales), OwnedIds(sales)
    assert not one.knows("tables", "A")
    assert not other.knows("tables", "A")
    one.learn("tables", ["A"])
    other.learn("tables", ["B"])
    assert OwnedIds(sales).knows("tables", "A")
    assert OwnedIds(sales).knows("tables", "B")


def test_the_ids_that_were_proven_last_are_remembered() -> None:
    caches.empty()
    sales = workspace("sales")
    OwnedIds(sales).learn("runs", [f"run {number}" for number in range(MOST)])
    OwnedIds(sales).learn("runs", ["newest"])
    assert OwnedIds(sales).knows("runs", "newest")
    assert not OwnedIds(sales).knows("runs", "run 0")
    assert OwnedIds(sales).knows("runs", "run 1")
