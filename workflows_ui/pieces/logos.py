"""Logos of apps: fetched by the console where the operator allows it, cached, and served from its own origin.

A browser never loads one from a third party, which would learn who views what.
"""

import hashlib
import threading
from urllib.parse import urlsplit

from django.conf import settings
from django.urls import reverse

from workflows_ui.core.caching import answers
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import AddressRefused, AddressSafety, Timeouts
from workflows_ui.engine.images import NoImage, fetch_image
from workflows_ui.engine.transport import Route
from workflows_ui.engine_objects.pieces import Piece

#: Seconds for which a logo is cached, and for which one that could not be fetched is not tried again.
KEPT, AGAIN = 7 * 24 * 3600, 3600
#: Seconds for one logo; the most that a process fetches at the same time, so that a slow host does not take the pages' threads.
SECONDS = 4.0
_slots = threading.BoundedSemaphore(2)


def logo_path(session: EngineSession, piece: Piece) -> str:
    """The console's own address of an app's logo; "" without a logo, or if logos are not fetched."""
    url, name = piece.logo_url, piece.name
    if not settings.APP_LOGOS or urlsplit(url).scheme not in {"http", "https"} or not name.strip(" ./"):
        return ""
    return reverse("app_logo", args=[session.workspace.slug, name])


def load_logo(url: str) -> tuple[str, bytes]:
    """The type and the bytes of a logo. Raises NoImage, also while too many others are fetched."""
    key = f"logo:{hashlib.sha256(url.encode()).hexdigest()}"
    known: tuple[str, bytes] | None = answers.get(key)
    if known is None:
        if not _slots.acquire(blocking=False):
            raise NoImage("others are being fetched")
        try:
            known = fetch_image(url, _route(), seconds=SECONDS)
        except (AddressRefused, NoImage):
            known = ("", b"")
        finally:
            _slots.release()
        answers.set(key, known, KEPT if known[0] else AGAIN)
    if not known[0]:
        raise NoImage("none when it was fetched last")
    return known


def _route() -> Route:
    return Route(
        safety=AddressSafety(allowed_networks=settings.ENGINE_PRIVATE_NETWORKS),
        timeouts=Timeouts(connect=2, read=SECONDS, total=SECONDS),
        proxy=settings.ENGINE_PROXY or None,
        ca_bundle=settings.ENGINE_CA_BUNDLE or None,
    )
