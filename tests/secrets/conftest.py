"""The scene of a test with real workers."""

from tests.chaos.conftest import scene

__all__ = ["scene"]
