"""What several tests of launch forms use."""

from collections.abc import Iterator

import pytest

from tests.pages.launch_scene import Scene
from tests.shelf import cast, owner, shelf

__all__ = ["cast", "owner", "scene", "shelf"]


@pytest.fixture
def scene(db: None) -> Iterator[Scene]:
    """A practice engine without samples, over HTTP, and people around a workspace on it; the colleague sits at a browser."""
    made = Scene()
    yield made
    made.close()
