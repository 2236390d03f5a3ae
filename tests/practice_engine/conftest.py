"""The practice engine's own tests use its fixtures."""

from tests.practice_engine.fixtures import empty_practice, engine_log, newer, older, practice

__all__ = ["empty_practice", "engine_log", "newer", "older", "practice"]
