"""Fixtures of the tests of launches."""

from tests.launches.launch_scene import scene

__all__ = ["scene"]
