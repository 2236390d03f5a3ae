"""Fixtures of the tests of flows."""

from tests.launches.launch_scene import scene
from tests.stage import stage
from tests.stub_engine import owner, stub_engine, users

__all__ = ["owner", "scene", "stage", "stub_engine", "users"]
