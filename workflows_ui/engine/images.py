"""Pictures from addresses that an engine names, such as the logos of apps. Nothing of the caller is sent along."""

import contextlib
from http.client import HTTPException

import requests
from urllib3.exceptions import HTTPError

from .transport import Route, TooLargeToRead, read_body, shared_adapter

#: Bytes of a picture.
LARGEST = 100_000
_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)


class NoImage(Exception):
    """There is no picture at the address: no answer, another kind of answer, or one that is too large."""


def fetch_image(url: str, route: Route, *, seconds: float) -> tuple[str, bytes]:
    """The type and the bytes of a raster picture. No redirect is followed. Raises AddressRefused, NoImage."""
    route.check(url)
    request = requests.Request("GET", url, headers={"Accept": "image/*", "Accept-Encoding": "identity"}).prepare()
    with route.open_call(seconds) as call:
        try:
            response = route.send(shared_adapter("images", route), request, seconds)
            with contextlib.closing(response.raw):
                body = read_body(response.raw, LARGEST) if response.status_code == requests.codes.ok else b""
            call.watch.check()
        except (HTTPError, HTTPException, OSError, TooLargeToRead) as error:
            raise NoImage(type(error).__name__) from None
    return raster_type(body), body


def raster_type(body: bytes) -> str:
    """The type of a raster picture by its first bytes. Raises NoImage: also for SVG, which may hold scripts."""
    for magic, kind in _MAGIC:
        if body.startswith(magic):
            return kind
    if body.startswith(b"RIFF") and body[8:12] == b"WEBP":
        return "image/webp"
    raise NoImage("not a raster picture")
