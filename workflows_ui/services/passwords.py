"""Checking a password at the sign-in, with the same work whether or not somebody has the name."""

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend

from workflows_ui.models import User


class Backend(AuthenticationBackend):  # type: ignore[misc]
    """allauth's, which looks a name up as a user name and as an address: a person found twice is checked once.

    Hashing is what takes the time. Without this the answer to a known address would take twice as long as that to an unknown one.
    """

    def authenticate(self, request: Any, **credentials: Any) -> User | None:
        """The person whose password this is, or None."""
        self._checked: dict[int, User | None] = {}
        found: User | None = super().authenticate(request, **credentials)
        return found

    def _check_password(self, user: User | None, password: str) -> User | None:
        if user is None:
            return None
        if user.pk not in self._checked:
            self._checked[user.pk] = super()._check_password(user, password)
        return self._checked[user.pk]
