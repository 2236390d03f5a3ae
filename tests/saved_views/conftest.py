"""Fixtures of the tests of saved views."""

from tests.stub_engine import owner, stub_engine, users

__all__ = ["owner", "stub_engine", "users"]
