"""Fixtures of the tests of accounts."""

from tests.launches.launch_scene import scene
from tests.members.guests import guests, keeper
from tests.stub_engine import owner, stub_engine, users

__all__ = ["guests", "keeper", "owner", "scene", "stub_engine", "users"]
