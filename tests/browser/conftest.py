"""Fixtures of the tests in a real browser."""

from tests.browser.desk import desk
from tests.browser.windows import window
from tests.practice.fixtures import practice
from tests.shelf import cast, shelf

__all__ = ["cast", "desk", "practice", "shelf", "window"]
