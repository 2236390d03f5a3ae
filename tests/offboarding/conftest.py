"""Fixtures of the tests of offboarding."""

from tests.launches.launch_scene import scene
from tests.members.guests import guests, keeper

__all__ = ["guests", "keeper", "scene"]
