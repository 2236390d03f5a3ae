"""Fixtures of the tests of the mails of notifications."""

from tests.launches.launch_scene import scene
from tests.stub_engine import owner, stub_engine, users

__all__ = ["owner", "scene", "stub_engine", "users"]
