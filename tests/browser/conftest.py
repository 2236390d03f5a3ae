"""Fixtures of the tests in a real browser."""

from tests.browser.running_console import desk
from tests.browser.windows import window
from tests.practice_engine.fixtures import practice
from tests.stub_engine import stub_engine, users

__all__ = ["desk", "practice", "stub_engine", "users", "window"]
