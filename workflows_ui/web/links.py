"""URLs that pages have many of: Django builds each once."""

from contextvars import ContextVar
from functools import lru_cache
from urllib.parse import quote

from django.urls import get_script_prefix, get_urlconf, reverse

from workflows_ui.members.services.access import page_of

#: An id that no engine has, and that quoting leaves as it is.
_PLACE = "~~id~~"
#: What `reverse` does not quote.
_SAFE = "!$&'()*+,;=/~:@"


#: The pages of its workspace that the reader of this request does not see: no page links to them. Set by the access decorators.
hidden_pages: ContextVar[frozenset[str]] = ContextVar("hidden_pages", default=frozenset())


def reachable(url: str) -> str:
    """The URL, or "" if it leads to a page that is hidden from the reader of this request."""
    hidden = hidden_pages.get()
    return "" if hidden and page_of(url) in hidden else url


def view_url(view: str, *arguments: str | int) -> str:
    """`reverse(view, args=arguments)`."""
    return _reversed(view, get_script_prefix(), get_urlconf(), arguments)


@lru_cache(maxsize=8192)
def _reversed(view: str, _prefix: str, urlconf: str | None, arguments: tuple[str | int, ...]) -> str:
    return reverse(view, args=arguments, urlconf=urlconf)


def object_url(view: str, id: str, **fixed: str) -> str:
    """`reverse(view)` with these arguments and `id`, which must not be empty. Objects of one kind differ in their id only."""
    before, after = _around(view, get_script_prefix(), get_urlconf(), tuple(fixed.items()))
    return f"{before}{quote(id, safe=_SAFE)}{after}"


@lru_cache(maxsize=4096)
def _around(view: str, _prefix: str, urlconf: str | None, fixed: tuple[tuple[str, str], ...]) -> tuple[str, str]:
    before, _, after = reverse(view, kwargs={**dict(fixed), "id": _PLACE}, urlconf=urlconf).partition(_PLACE)
    return before, after
