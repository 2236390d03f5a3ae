"""Fixtures of the tests of accounts."""

from tests.accounts.sign_in import ada
from tests.launches.launch_scene import scene
from tests.members.guests import guests, keeper
from tests.stub_engine import owner, stub_engine, users

__all__ = ["ada", "guests", "keeper", "owner", "scene", "stub_engine", "users"]
