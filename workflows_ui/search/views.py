"""The search: a page, and the parts that the dialog of every page asks for."""

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from workflows_ui.members.models import Role
from workflows_ui.search import page
from workflows_ui.search.services import Text
from workflows_ui.web import responses
from workflows_ui.web.access import member
from workflows_ui.web.requests import ConsoleRequest

RESULTS, ENGINE = "search-results", "search-engine"


@require_safe
@member(Role.VIEWER, guests=True)
def search(request: ConsoleRequest, slug: str) -> HttpResponse:
    """Show what is found for `q`. In the dialog the console's results come at once, the engine's with a second request."""
    text = Text.read(request.GET.get("q", ""))
    asks_engine = bool(text.words) and not request.access.guest
    context = {"q": text.typed, "slug": slug, "asks_engine": asks_engine, "more": "more" in request.GET}
    fragment = request.headers.get("HX-Target", "") if responses.is_fragment(request) else ""
    if fragment != ENGINE:
        context["groups"] = page.console_groups(request, text)
    if fragment != RESULTS and asks_engine:
        context["engine_groups"], context["problem"] = page.engine_groups(request.access, text)
    return responses.page(request, "search/page.html", context, fragments=(RESULTS, ENGINE))
