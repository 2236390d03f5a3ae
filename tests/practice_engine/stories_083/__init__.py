"""The order in which the facts of 0.83.0 are played, by subject. See ``stories_072.py`` for what a story is."""

from tests.practice_engine.stories_072 import Step

from . import flows, human_input, lists, operations, people, resources, runs, webhooks

PARTS = (people, flows, operations, lists, runs, webhooks, human_input, resources)
STORIES: dict[str, list[Step]] = {name: story for part in PARTS for name, story in part.STORIES.items()}
# Facts that cannot be played, each with its reason.
EXEMPT: dict[str, str] = {name: reason for part in PARTS for name, reason in part.EXEMPT.items()}
