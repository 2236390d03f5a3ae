"""Fixtures of the tests of the search."""

from tests.practice_engine.fixtures import practice
from tests.stub_engine import owner, stub_engine, users

__all__ = ["owner", "practice", "stub_engine", "users"]
