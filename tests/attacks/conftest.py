"""What the attacks are tried on: the stub engine with its users, the practice engine, the launch pages' scene."""

from tests.accounts.sign_in import ada
from tests.launches.launch_scene import scene
from tests.practice_engine.fixtures import practice
from tests.stub_engine import owner, stub_engine, users

__all__ = ["ada", "owner", "practice", "scene", "stub_engine", "users"]
