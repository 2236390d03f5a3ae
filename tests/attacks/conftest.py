"""What the attacks are tried on: the shelf's engine with its cast, the practice engine, the launch pages' scene."""

from collections.abc import Iterator

import pytest

from tests.pages.launch_scene import Scene
from tests.practice.fixtures import practice
from tests.shelf import cast, owner, shelf

__all__ = ["cast", "owner", "practice", "scene", "shelf"]


@pytest.fixture
def scene(db: None) -> Iterator[Scene]:
    """A practice engine without samples, over HTTP, and people around a workspace on it."""
    made = Scene()
    yield made
    made.close()
