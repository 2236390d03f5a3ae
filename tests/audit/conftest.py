"""Fixtures of the audit log's tests."""

from tests.stub_engine import owner, stub_engine, users

__all__ = ["owner", "stub_engine", "users"]
