"""The permission matrix of docs/permissions.md: every address and action, asked by everybody, by GET and POST, each answer also as a
fragment.

The quick tests hold every line of the page to the rules, and ask each address as the least person who is let in and the one below.
"""

import itertools
import os
from collections.abc import Iterator
from typing import Any

import pytest

from tests.web import matrix
from tests.web.filled_workspace import EVERYBODY, MEMBERS, OUTSIDERS, Furnished, furnish, once
from tests.web.matrix import Address
from tests.web.test_every_address import DECLARED, LEAST, OPEN, OWN, SUPERUSERS, TEAMS
from workflows_ui.members.models import Role

ADDRESSES = matrix.addresses()
#: What a guest may do, whom a launch right lets in: look at that one flow, launch it, and see the results of their own launches.
GUESTS = {
    "workspace",
    "launches",
    "flow_does",
    "follow_mute",
    "flow_earlier",
    "flow_launch",
    "saved_inputs",
    "note",
    "search",
}
GUESTS |= {"launches_file", "list_columns", "list_plot", "saved_views", "saved_view"}
GUESTS |= {name for name in LEAST if name.startswith("launch_") and "right" not in name} | {"launch"}
#: What looks like a secret is shown to builders only, and runs are acted on by those with a role only.
GUESTS -= {"launch_hidden", "launch_retry", "launch_cancel"}
#: Where what belongs to others is shown to whom: jobs, exports and credentials to managers, launches to builders.
OTHERS = {
    "job": Role.MANAGER,
    "export": Role.MANAGER,
    "credential": Role.MANAGER,
    "launch": Role.BUILDER,
    "note": Role.MANAGER,
}
#: Pages about a person: one's own for everybody, those of others, which are asked for here, from this role on.
ABOUT_PEOPLE = {"permissions": Role.MANAGER}
#: Who adds people, and therefore finds them by a part of the name.
ADDING = {"manager", "elsewhere's manager", "superuser"}
#: People from the one who may do least to the one who may do most.
ASCENDING = ("signed out", "stranger", "guest", *MEMBERS, "superuser")
#: In each turn every eighth address is asked. One turn is quick; the others run on servers only, as on SQLite everybody is asked.
TURNS = 8
OTHER_TURNS = [pytest.param(turn, marks=(pytest.mark.slow, pytest.mark.postgres)) for turn in range(1, TURNS)]
every = pytest.mark.parametrize("address", ADDRESSES, ids=lambda one: str(one.label))


@pytest.fixture(scope="module")
def stage(django_db_setup: None, django_db_blocker: Any) -> Iterator[Furnished]:
    """Once for all: what one question does is taken back before the next one is asked."""
    with once(django_db_blocker) as stub_engine:
        yield furnish(stub_engine)


def cells(address: Address) -> dict[str, str]:
    """What the page says about an address, by person."""
    start = f"| `{address.shown}` | {address.label} | "
    found = [line for line in matrix.PAGE.read_text("utf-8").splitlines() if line.startswith(start)]
    assert len(found) == 1, f"{address.label} is not on the page: python -m tests.web.write_permissions writes it"
    return dict(zip(EVERYBODY, found[0].removeprefix(start).removesuffix(" |").split(" | "), strict=True))


def let_in(cell: str) -> bool:
    """Whether a cell names a method."""
    return "GET" in cell or "POST" in cell


def border(found: dict[str, str]) -> list[str]:
    """The first person of ASCENDING who is let in, and the one before; without one, both ends."""
    first = next((number for number, who in enumerate(ASCENDING) if let_in(found[who])), None)
    return [ASCENDING[0], ASCENDING[-1]] if first is None else [*ASCENDING[max(first - 1, 0) : first + 1]]


@pytest.mark.both_databases
@pytest.mark.django_db
@pytest.mark.parametrize("turn", [0, *OTHER_TURNS])
def test_those_on_both_sides_of_the_border_are_answered_as_the_page_says(stage: Furnished, turn: int) -> None:
    wrong = {}
    for address in ADDRESSES[turn::TURNS]:
        expected = cells(address)
        people = border(expected)
        found = matrix.measure(stage, address, people, fragments=False)
        if found != {who: expected[who] for who in people}:
            wrong[address.label] = found
    assert wrong == {}


@pytest.mark.slow
@pytest.mark.django_db
@every
def test_everybody_is_answered_as_the_page_says(stage: Furnished, address: Address) -> None:
    found = matrix.measure(stage, address)
    if os.environ.get(matrix.WRITE):
        matrix.write(address, found)
    assert found == cells(address)


def test_the_page_holds_every_address_and_nothing_else() -> None:
    lines = matrix.PAGE.read_text("utf-8").removeprefix(matrix.HEAD).splitlines()
    assert [line.split(" | ")[1] for line in lines] == [address.label for address in ADDRESSES]
    assert matrix.PAGE.read_text("utf-8").startswith(matrix.HEAD)


@every
def test_what_the_page_says_follows_the_rules(address: Address) -> None:
    found = cells(address)
    if address.name in LEAST or address.name in DECLARED or address.name == "bulk_choose":
        _within_a_workspace(address, found)
    elif address.name in SUPERUSERS | TEAMS - {"teams"}:
        assert found["signed out"] == found["deactivated"] == "sign in"
        allowed = ADDING if address.name == "people_suggest" else {"superuser"}
        assert {who for who in EVERYBODY if let_in(found[who])} == allowed
        assert {found[who] for who in EVERYBODY[2:] if who not in allowed} == {"404"}
    elif address.name in OWN | {"teams"}:
        assert found["signed out"] == found["deactivated"] == "sign in"
        if address.whose == matrix.OTHERS:
            assert {found[who] for who in EVERYBODY[2:]} == {"404"}
    else:
        assert address.name in OPEN or address.name.startswith("account_")


def _within_a_workspace(address: Address, found: dict[str, str]) -> None:
    assert {found[who] for who in OUTSIDERS[:2]} == {"sign in"}
    assert {found[who] for who in OUTSIDERS[2:]} == {"404"}
    theirs = address.whose == matrix.OTHERS
    assert let_in(found["guest"]) is (address.name in GUESTS and not theirs)
    least = address.least or ABOUT_PEOPLE.get(address.name) or LEAST[address.name]
    if theirs:
        shown = OTHERS.get(address.name.partition("_")[0])
        for role in Role:
            assert let_in(found[role]) is (shown is not None and role.includes(shown))
            assert let_in(found[role]) or found[role] == ("404" if role.includes(least) else "403")
        return
    for role in Role:
        assert let_in(found[role]) is role.includes(least)
        assert let_in(found[role]) or found[role] == "403"
    # Nobody may do less than somebody of a smaller role.
    for smaller, larger in itertools.pairwise(MEMBERS):
        assert not let_in(found[smaller]) or set(found[smaller].split()) <= set(found[larger].split())
