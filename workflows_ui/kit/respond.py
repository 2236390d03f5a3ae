"""Answers: a whole page, or the one fragment of it that htmx asked for. Nothing else in the console asks whether a request is htmx.

The rule: a fragment's name is the id of the element it replaces, and it is defined (`{% partialdef name inline %}`) in the template
of the page it belongs to.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.cache import patch_cache_control, patch_vary_headers
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

#: The element of every page that takes error messages (base.html).
ALERTS = "alerts"
#: htmx swaps the answer and stops the polling of the element that asked.
STOP_POLLING = 286


class SeeOther(HttpResponseRedirect):
    """303: the next request is a GET, whatever this one was."""

    status_code = 303


def is_fragment(request: HttpRequest) -> bool:
    """Whether htmx asks for a part of a page. Boosted links and restored history want whole pages."""
    htmx: HtmxDetails | None = getattr(request, "htmx", None)
    return htmx is not None and bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def seen_at(request: HttpRequest) -> str:
    """The path of the page before the person: this one, or the one in which htmx asks for a part; "" for what is no page to look at."""
    if request.method != "GET":
        return ""
    htmx: HtmxDetails | None = getattr(request, "htmx", None)
    if htmx is None or not is_fragment(request):
        return request.path
    return urlsplit(htmx.current_url_abs_path or "").path


def page(
    request: HttpRequest,
    template: str,
    context: Mapping[str, Any] | None = None,
    *,
    fragments: tuple[str, ...] = (),
    status: int = 200,
) -> HttpResponse:
    """The whole page, or the fragment of `fragments` that stands in HX-Target; the template finds its name as `fragment`, and as `swapped`
    whether htmx puts what is made here into a page that stands."""
    name, whole = template, {"fragment": "", "swapped": is_fragment(request)} | dict(context or {})
    if is_fragment(request):
        target = request.headers.get("HX-Target", "")
        if target in fragments:
            name, whole["fragment"] = f"{template}#{target}", target
    return vary(render(request, name, whole, status=status))


def redirect(request: HttpRequest, url: str) -> HttpResponse:
    """Sends the browser to another page by GET, also after a POST and also when htmx asked."""
    if is_fragment(request):
        return vary(HttpResponseClientRedirect(url))
    return vary(SeeOther(url))


def alert(
    request: HttpRequest, template: str, context: Mapping[str, Any] | None = None, *, status: int = 200
) -> HttpResponse:
    """A message for the page's alerts, whatever element htmx wanted to replace; what was there stays as it is."""
    response = render(request, template, dict(context or {}), status=status)
    response["HX-Retarget"] = f"#{ALERTS}"
    response["HX-Reswap"] = "innerHTML"
    response["HX-Push-Url"] = "false"
    return vary(response)


def vary(response: HttpResponse) -> HttpResponse:
    """Keeps pages and fragments of one address apart in every cache, and both out of shared ones."""
    patch_vary_headers(response, ("HX-Request", "HX-Target"))
    patch_cache_control(response, private=True, no_cache=True)
    return response
