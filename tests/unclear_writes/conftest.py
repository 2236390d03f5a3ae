"""Fixtures of the tests of unclear writes."""

from tests.stage import stage

__all__ = ["stage"]
