"""Compression of pages, where nobody can learn from its length what a page says.

An attack on compressed pages (BREACH) needs the browser of a signed-in person to request pages from another site, with guesses in the
URL. So only requests of our own pages, and those typed into the address bar, get a compressed response, and Django adds random bytes to
it. A page that browsers must not store (`no-store`), since it may show a secret, is never compressed.
"""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.utils.cache import patch_vary_headers

#: Values of Sec-Fetch-Site. Browsers set it; no page can.
_TRUSTED = ("same-origin", "none")
_TYPES = ("text/html", "application/json")


class Compression(GZipMiddleware):
    """Compress HTML and JSON with gzip; never downloads and streams."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Return the response, compressed if that is safe and shorter."""
        if response.streaming or not response.get("Content-Type", "").startswith(_TYPES):
            return response
        patch_vary_headers(response, ("Sec-Fetch-Site",))
        if "no-store" in response.get("Cache-Control", "") or response.has_header("Content-Disposition"):
            return response
        if request.headers.get("Sec-Fetch-Site") not in _TRUSTED:
            return response
        return super().process_response(request, response)
