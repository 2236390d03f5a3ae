"""The page of a write that is being checked."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from workflows_ui.members.models import Role
from workflows_ui.unclear_writes import messages, services
from workflows_ui.web import responses
from workflows_ui.web.access import member
from workflows_ui.web.requests import ConsoleRequest


@never_cache
@require_safe
@member(Role.VIEWER)
def unclear_write(request: ConsoleRequest, slug: str, write_id: str) -> HttpResponse:
    """What is known about a write, without what was sent; polls until that is final."""
    row = get_object_or_404(services.writes_of(request.access.workspace), pk=write_id)
    context = messages.context(row) | {
        "title": messages.title(row),
        "in_form": "form" in request.GET,
        "slug": slug,
    }
    return responses.page(request, "unclear_writes/page.html", context, fragments=("write-check",))
