"""The request as views see it, and the actor that the audit log names."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest
from django.utils.crypto import salted_hmac
from django_htmx.middleware import HtmxDetails

from workflows_ui.models import User
from workflows_ui.services.access import Access
from workflows_ui.services.audit import Actor


class ConsoleRequest(HttpRequest):
    """A request inside a view that is guarded by kit.access: somebody is signed in. `access` is set by `member` only."""

    user: User
    access: Access
    request_id: str
    htmx: HtmxDetails


def address(request: HttpRequest) -> str | None:
    """The browser's address. With N trusted proxies the N-th entry of X-Forwarded-For from the right is believed, and no other.

    None where what stands there is no address (a made-up header, a Unix socket).
    """
    proxies: int = settings.TRUSTED_PROXIES
    found = request.META.get("REMOTE_ADDR", "")
    if proxies:
        hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",") if hop.strip()]
        if hops:
            found = hops[-min(proxies, len(hops))]
    try:
        return str(ipaddress.ip_address(found))
    except ValueError:
        return None


def actor(request: HttpRequest) -> Actor:
    """Who acts in this request, for services and the audit log."""
    user = getattr(request, "user", None)
    return Actor(
        user=user if isinstance(user, User) or getattr(user, "is_authenticated", False) else None,
        address=address(request),
        request_id=getattr(request, "request_id", ""),
        session=session(request),
    )


def session(request: HttpRequest) -> str:
    """A keyed digest of the session's key; "" where there is none. It tells sessions apart and opens none."""
    key = getattr(getattr(request, "session", None), "session_key", None)
    return salted_hmac("workflows_ui.audit.session", key, algorithm="sha256").hexdigest()[:16] if key else ""
