"""The practice engine is held to the recordings of real engines: the same request, the same status, the same shape."""

import pytest

from tests.practice_engine import stories_072, stories_083
from tests.practice_engine.fixtures import Practice
from tests.practice_engine.player import FACTS_BY_VERSION, Player

STORIES = {"0.72.4": stories_072.STORIES, "0.83.0": stories_083.STORIES}
EXEMPT = {"0.72.4": stories_072.EXEMPT, "0.83.0": stories_083.EXEMPT}


@pytest.mark.parametrize(("version", "story"), [(version, story) for version in STORIES for story in STORIES[version]])
@pytest.mark.sampled(3)
def test_the_practice_engine_answers_as_the_recorded_one(version: str, story: str, empty_practice: Practice) -> None:
    player = Player(empty_practice, version)
    for step in STORIES[version][story]:
        if isinstance(step, str):
            player.play(step)
        else:
            step(player)


def played(version: str) -> set[str]:
    """The names of the facts that some story of this version plays."""
    names = {step for story in STORIES[version].values() for step in story if isinstance(step, str)}
    return names | set(Player.OPENING[version])


@pytest.mark.parametrize("version", STORIES)
def test_every_recorded_fact_is_played_or_exempt_with_a_reason(version: str) -> None:
    assert sorted(set(FACTS_BY_VERSION[version]) - played(version) - set(EXEMPT[version])) == []
    assert all(EXEMPT[version].values())


@pytest.mark.parametrize("version", STORIES)
def test_an_exemption_is_neither_played_nor_unknown(version: str) -> None:
    assert not set(EXEMPT[version]) & played(version)
    assert set(EXEMPT[version]) <= set(FACTS_BY_VERSION[version])
