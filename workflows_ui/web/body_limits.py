"""The largest body of a request, by its address and its session. Larger ones are refused before they are parsed.

The web server refuses when the head has arrived (console/web_worker.py); it only knows whether there is a session cookie. The middleware
(web/middleware.py) also refuses bodies that come with an invalid session. Pages with large bodies are listed in one place: `_LARGE`.
"""

from django.conf import settings
from django.urls import Resolver404, resolve

from workflows_ui.web.upload_limit import MOST

#: Maximum bytes without a session: the sign-in and other forms of a few fields.
ANONYMOUS = 64 * 1024
#: Maximum bytes of a page with a form.
USUAL = 1024 * 1024
#: Maximum bytes of a page that takes files, or the values of launches and steps: twice what its forms accept, so that they can report
#: their own limits and keep what was typed.
LARGE = 2 * MOST
#: Names of the URLs of such pages, and the resource whose actions are such pages.
_LARGE = frozenset(
    {
        "draft_test",
        "flow_edit",
        "flow_launch",
        "flow_trigger_test",
        "form_import",
        "form_preview",
        "launch_again",
        "saved_inputs",
        "step_test",
    }
)
_LARGE_ACTIONS = frozenset({"resource_action", "resource_collection_action"})
_LARGE_RESOURCE = "flows"

#: The key in the WSGI environment by which the web server says that it read no body, and why.
REFUSED = "console.refused"
TOO_LARGE, TOO_MANY = "too large", "too many"


def most_bytes(path: str, *, signed_in: bool) -> int:
    """The maximum bytes of the body of a request to this path."""
    if not signed_in:
        return ANONYMOUS
    try:
        match = resolve(path)
    except Resolver404:
        return USUAL
    of_flows = match.url_name in _LARGE_ACTIONS and match.kwargs.get("resource") == _LARGE_RESOURCE
    return LARGE if of_flows or match.url_name in _LARGE else USUAL


def has_session(cookies: str) -> bool:
    """Whether a Cookie header has a session, which may be invalid."""
    return any(part.strip().startswith(f"{settings.SESSION_COOKIE_NAME}=") for part in cookies.split(";"))
