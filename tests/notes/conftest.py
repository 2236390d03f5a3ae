"""Fixtures of the tests of notes."""

from tests.stub_engine import owner, stub_engine, users

__all__ = ["owner", "stub_engine", "users"]
