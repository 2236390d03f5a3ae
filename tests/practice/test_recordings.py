"""The practice engine is held to the recordings of a real engine: the same request, the same status, the same shape."""

from __future__ import annotations

import pytest

from tests.practice.fixtures import Practice
from tests.practice.player import FACTS_BY_NAME, Player
from tests.practice.stories import EXEMPT, STORIES


@pytest.mark.parametrize("story", STORIES)
def test_the_practice_engine_answers_as_the_recorded_one(story: str, empty_practice: Practice) -> None:
    player = Player(empty_practice)
    for step in STORIES[story]:
        if isinstance(step, str):
            player.play(step)
        else:
            step(player)


def test_every_recorded_fact_is_played_or_exempt_with_a_reason() -> None:
    played = {step for story in STORIES.values() for step in story if isinstance(step, str)}
    played |= {"users_me", "users_project_current"}
    assert sorted(set(FACTS_BY_NAME) - played - set(EXEMPT)) == []
    assert all(EXEMPT.values())


def test_an_exemption_is_neither_played_nor_unknown() -> None:
    played = {step for story in STORIES.values() for step in story if isinstance(step, str)}
    assert not set(EXEMPT) & played
    assert set(EXEMPT) <= set(FACTS_BY_NAME)
