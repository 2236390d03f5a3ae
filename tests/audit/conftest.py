"""Fixtures of the audit log's tests."""

from tests.shelf import cast, owner, shelf

__all__ = ["cast", "owner", "shelf"]
