"""Fixtures of the tests of moving a workspace."""

from tests.credentials.conftest import no_second_try

__all__ = ["no_second_try"]
