"""Fixtures of the tests of members."""

from tests.launches.launch_scene import scene
from tests.members.guests import guests, keeper

__all__ = ["guests", "keeper", "scene"]
