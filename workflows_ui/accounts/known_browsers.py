"""Recognize browsers in which a person signed in before, so that password guessing by strangers does not lock the owner out.

A browser keeps one signed cookie for each account that signed in there; its name is a keyed digest of the account. It grants no access:
wrong passwords from this browser are counted separately from the account's and from those of its address, which an office may share.
It is replaced at each sign-in.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import get_random_string, salted_hmac

from workflows_ui.accounts.models import KnownBrowser, User

#: A browser is forgotten after this time without a sign-in.
KEPT = timedelta(days=180)
#: At most this many browsers of a person are known: those used last.
MOST = 10
_SALT = "known browser"


def cookie_name(user_id: int) -> str:
    """The name of an account's cookie, which does not reveal the account."""
    return f"known_{salted_hmac(_SALT, str(user_id), algorithm='sha256').hexdigest()[:24]}"


def find_browser(request: HttpRequest, user_id: int) -> KnownBrowser | None:
    """The requesting browser's row, if the account signed in there with its current password. No query without a valid cookie."""
    token = request.get_signed_cookie(cookie_name(user_id), default="", salt=_SALT, max_age=KEPT)
    if not token:
        return None
    user = User.objects.get(pk=user_id)
    browsers = KnownBrowser.objects.filter(user=user, digest=_digest(user, token))
    return browsers.filter(used_at__gt=timezone.now() - KEPT).first()


@contextmanager
def counted_apart(request: HttpRequest, user_id: int | None) -> Iterator[KnownBrowser | None]:
    """Count attempts at this account within the context by its known browser instead of by the address (`counted_by`)."""
    browser = find_browser(request, user_id) if user_id is not None else None
    request.counted_browser = browser  # type: ignore[attr-defined]
    try:
        yield browser
    finally:
        request.counted_browser = None  # type: ignore[attr-defined]


def counted_by(request: HttpRequest) -> str:
    """By which browser attempts are counted, "" outside of `counted_apart` and for unknown browsers."""
    browser = getattr(request, "counted_browser", None)
    return f"browser:{browser.pk}" if browser is not None else ""


def remember(request: HttpRequest, response: HttpResponse, user: User) -> HttpResponse:
    """Set a new cookie after a sign-in, invalidate the old one, and forget the oldest browsers."""
    old = find_browser(request, user.pk)
    if old is not None:
        old.delete()
    token = get_random_string(32)
    KnownBrowser.objects.create(user=user, digest=_digest(user, token), used_at=timezone.now())
    keys = KnownBrowser.objects.filter(user=user).order_by("-used_at", "-pk").values_list("pk", flat=True)
    KnownBrowser.objects.filter(pk__in=list(keys[MOST:])).delete()
    response.set_signed_cookie(
        cookie_name(user.pk),
        token,
        salt=_SALT,
        max_age=KEPT,
        path="/accounts/",
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Strict",
    )
    return response


def _digest(user: User, token: str) -> str:
    return salted_hmac(_SALT, f"{user.pk}:{token}:{user.password}", algorithm="sha256").hexdigest()
