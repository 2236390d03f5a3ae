"""Responses: a whole page, or the fragment that htmx requests. No other module checks whether a request is htmx.

The name of a fragment is the id of the element that it replaces. It is defined (`{% partialdef name inline %}`) in the template of its
page.
"""

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.utils.http import content_disposition_header
from django_htmx.http import HttpResponseClientRedirect, HttpResponseClientRefresh
from django_htmx.middleware import HtmxDetails

#: The element of every page for error messages (base.html).
ALERTS = "alerts"
#: htmx swaps the response and stops the polling of the requesting element.
STOP_POLLING = 286


class SeeOther(HttpResponseRedirect):
    """303: the next request is a GET."""

    status_code = 303


def is_fragment(request: HttpRequest) -> bool:
    """Whether htmx requests a part of a page. Boosted links and restored history need whole pages."""
    htmx: HtmxDetails | None = getattr(request, "htmx", None)
    return htmx is not None and bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def requested_fragment(request: HttpRequest) -> str:
    """The name of the fragment that htmx requests, "" for a whole page."""
    return request.headers.get("HX-Target", "") if is_fragment(request) else ""


def seen_at(request: HttpRequest) -> str:
    """Path and query of the visible page: of this request, or of the page with the fragment; "" for other methods than GET."""
    if request.method != "GET":
        return ""
    if not is_fragment(request):
        return request.get_full_path()
    return urlsplit(_current_url(request))._replace(fragment="").geturl()


def _current_url(request: HttpRequest) -> str:
    """Path and query of the page that contains the requesting fragment; "" if unknown."""
    htmx: HtmxDetails | None = getattr(request, "htmx", None)
    return (htmx.current_url_abs_path if htmx is not None else None) or ""


def page(
    request: HttpRequest,
    template: str,
    context: Mapping[str, object] | None = None,
    *,
    fragments: tuple[str, ...] = (),
    status: int = 200,
) -> HttpResponse:
    """Render the whole page, or the fragment of `fragments` named by HX-Target. The template gets its name as `fragment`, and as `swapped`
    whether htmx inserts the response into an existing page."""
    name, whole = template, {"fragment": "", "swapped": is_fragment(request), **(context or {})}
    target = requested_fragment(request)
    if target in fragments:
        name, whole["fragment"] = f"{template}#{target}", target
    return vary(render(request, name, whole, status=status))


def form_page(
    request: HttpRequest, template: str, form: BaseForm, context: Mapping[str, object] | None = None
) -> HttpResponse:
    """Render the page of a form; with 422 if the form was rejected."""
    return page(request, template, {"form": form, **(context or {})}, status=422 if form.errors else 200)


def download(
    content: str | bytes | Iterator[object],
    name: str,
    content_type: str = "application/json; charset=utf-8",
    **headers: str,
) -> HttpResponseBase:
    """Send a file that the browser saves under this name; the parts of an iterator are streamed."""
    response = StreamingHttpResponse if isinstance(content, Iterator) else HttpResponse
    disposition = content_disposition_header(True, name) or "attachment"
    return response(content, content_type=content_type, headers={"Content-Disposition": disposition, **headers})


def redirect(request: HttpRequest, url: str) -> HttpResponse:
    """Redirect the browser to another page by GET, also after a POST and for htmx."""
    if is_fragment(request):
        path, _hash, anchor = url.partition("#")
        # A browser that is on the page already would only move to the anchor.
        if anchor and path == _current_url(request).partition("#")[0]:
            return vary(HttpResponseClientRefresh())
        return vary(HttpResponseClientRedirect(url))
    return vary(SeeOther(url))


def redirect_to_view(request: HttpRequest, url_name: str, *arguments: object) -> HttpResponse:
    """Redirect as `redirect` does, to the URL with this name and these arguments."""
    return redirect(request, reverse(url_name, args=arguments))


def alert(
    request: HttpRequest, template: str, context: Mapping[str, object] | None = None, *, status: int = 200
) -> HttpResponse:
    """Render a message into the page's alerts, independent of the htmx target, which stays unchanged."""
    response = render(request, template, dict(context or {}), status=status)
    response["HX-Retarget"] = f"#{ALERTS}"
    response["HX-Reswap"] = "innerHTML"
    response["HX-Push-Url"] = "false"
    return vary(response)


def vary(response: HttpResponse) -> HttpResponse:
    """Separate pages and fragments of one URL in caches, and exclude both from shared ones."""
    patch_vary_headers(response, ("HX-Request", "HX-Target"))
    patch_cache_control(response, private=True, no_cache=True)
    return response
