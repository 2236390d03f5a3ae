"""Fixtures of the tests in a real browser."""

from tests.practice.fixtures import practice
from tests.shelf import cast, shelf

__all__ = ["cast", "practice", "shelf"]
