"""Fixtures of the tests of home."""

from tests.launches.launch_scene import scene
from tests.stub_engine import owner, stub_engine, users

__all__ = ["owner", "scene", "stub_engine", "users"]
