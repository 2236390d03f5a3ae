"""Fixtures of the tests of unclear writes."""

from tests.resources.stage import stage

__all__ = ["stage"]
