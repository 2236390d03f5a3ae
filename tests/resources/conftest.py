"""Fixtures of the resources' tests."""

from tests.shelf import cast, owner, shelf

__all__ = ["cast", "owner", "shelf"]
