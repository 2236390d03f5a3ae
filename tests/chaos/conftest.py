"""The scene of a chaos test; its processes end with it, and what they said is shown."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.scene import Scene


@pytest.fixture
def scene(tmp_path: Path, request: pytest.FixtureRequest, transactional_db: None) -> Iterator[Scene]:
    made = Scene(tmp_path, **getattr(request, "param", {}))
    yield made
    made.close()
    print(made.stage.logs())  # noqa: T201  (pytest shows it only where the test failed)
