"""Accounts: what allauth asks of us."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class ClosedSignUp(DefaultAccountAdapter):  # type: ignore[misc]
    """Nobody signs up by themselves: people are let in by a manager."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Always closed."""
        return False
