"""The first step of a new connection: the choice of the app. The second is the app's own action
(resources/pieces/declaration.py), or signing in there.
"""

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from workflows_ui.credentials.services import engine_session
from workflows_ui.members.models import Role
from workflows_ui.resource_admin.resource import Row
from workflows_ui.resources.connections import oauth_forms
from workflows_ui.resources.connections.connecting import sign_in_page_url
from workflows_ui.resources.pieces import declaration as pieces
from workflows_ui.resources.places import list_url
from workflows_ui.web import responses
from workflows_ui.web.access import member
from workflows_ui.web.requests import ConsoleRequest


@member(Role.BUILDER)
@require_safe
def new(request: ConsoleRequest, slug: str) -> HttpResponse:
    """The apps that take a connection, by name or filtered by the search. One cached call to the engine. Raises EngineError."""
    search = request.GET.get("search", "").strip()[:200]

    def url(row: Row) -> str:
        if row["auth"] == [oauth_forms.OWN]:
            return sign_in_page_url(slug, row["name"])
        return pieces.CONNECT.url(slug, pieces.Pieces.name, row["name"])

    lines = pieces.app_lines(engine_session.open_session(request.access), search, url, connection="yes")
    context = {"lines": lines, "search": search, "list_url": list_url(slug, "connections")}
    return responses.page(request, "resources/connections/new.html", context, fragments=("apps",))
