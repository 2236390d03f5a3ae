"""The actor of a request, for the audit log."""

from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.core import client_address


def address(request: HttpRequest) -> str | None:
    """The client's IP address. With N trusted proxies, only the N-th entry of X-Forwarded-For from the right is trusted.

    None if the value is not an address (a forged header, a Unix socket).
    """
    return client_address.find_address(request.META.get("REMOTE_ADDR", ""), request.headers.get("X-Forwarded-For", ""))


def actor(request: HttpRequest) -> Actor:
    user = getattr(request, "user", None)
    return Actor(
        user=user if getattr(user, "is_authenticated", False) else None,
        address=address(request),
        request_id=getattr(request, "request_id", ""),
        session=session(request),
    )


def session(request: HttpRequest) -> str:
    """A keyed digest of the session's key, or "". It identifies a session without granting access to it."""
    key = getattr(getattr(request, "session", None), "session_key", None)
    return salted_hmac("workflows_ui.audit.session", key, algorithm="sha256").hexdigest()[:16] if key else ""
