"""Fixtures of the resources' tests."""

from tests.resources.stage import stage
from tests.shelf import cast, owner, shelf

__all__ = ["cast", "owner", "shelf", "stage"]
