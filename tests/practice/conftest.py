"""The practice engine's own tests use its fixtures."""

from tests.practice.fixtures import empty_practice, engine_log, practice

__all__ = ["empty_practice", "engine_log", "practice"]
