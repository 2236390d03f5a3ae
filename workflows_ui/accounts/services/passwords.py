"""Who is signed in; the password check at the sign-in, in equal time for known and unknown names; and a new password by a link."""

from allauth.account.auth_backends import AuthenticationBackend

from workflows_ui.accounts.models import User
from workflows_ui.core.prepared import Prepared


class LinkUsed(Exception):
    """The link for a new password was used while this request was answered."""


_active = Prepared(lambda pk: User.objects.filter(pk=pk, is_active=True), int)


class Backend(AuthenticationBackend):  # type: ignore[misc]
    """Check the password of each person once, although allauth searches both user names and addresses.

    Hashing takes most of the time: otherwise a known address would take twice as long as an unknown one.
    """

    def get_user(self, user_id: int) -> User | None:
        """The active account of a session."""
        return _active.first(user_id)

    def authenticate(self, request: object, **credentials: object) -> User | None:
        self._checked: dict[int, User | None] = {}
        person: User | None = super().authenticate(request, **credentials)
        return person

    def _check_password(self, user: User | None, password: str) -> User | None:
        if user is None:
            return None
        if user.pk not in self._checked:
            self._checked[user.pk] = super()._check_password(user, password)
        return self._checked[user.pk]


def reset(user: User, password: str) -> None:
    """Set a new password for the holder of a link that is valid for `user`, as they were read. Raises LinkUsed if it is not any more.

    A link is valid until the password changes: of two requests with the same link, one finds the password that it was made for.
    """
    before = user.password
    user.set_password(password)
    if not User.objects.filter(pk=user.pk, password=before).update(password=user.password):
        raise LinkUsed
