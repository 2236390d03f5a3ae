"""Additional pages of an MCP server: the apps whose actions may become its tools, and the one page that shows its token."""

from django.contrib import messages
from django.http import HttpResponse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from workflows_ui.audit.requests import actor
from workflows_ui.audit.services import audit_log
from workflows_ui.core.paths import text_at
from workflows_ui.credentials.services import engine_session
from workflows_ui.members.models import Role
from workflows_ui.pieces import catalogue
from workflows_ui.pieces.apps import App
from workflows_ui.resource_admin.places import list_url, mcp_url
from workflows_ui.resources.mcp_servers import clients, reading, tools
from workflows_ui.resources.mcp_servers.tools import ADD_APP_TOOL
from workflows_ui.resources.reveal.forms import RevealForm
from workflows_ui.web import responses
from workflows_ui.web.access import member
from workflows_ui.web.requests import ConsoleRequest

_LONGEST = 1000


@member(Role.BUILDER)
@require_safe
def choose_app(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """The apps that have actions, by name or filtered by the search. Two calls to the engine, one cached. Raises EngineError."""
    session = engine_session.open_session(request.access)
    server = reading.without_token(reading.fetch_server(session, id))
    if reading.sole(server):
        messages.info(request, str(tools.NO_ACTIONS))
        return responses.redirect(request, mcp_url(slug, id))
    search = request.GET.get("search", "").strip()[:200]
    chosen = urlencode({"server": id})

    def url(app: App) -> str:
        return f"{ADD_APP_TOOL.url(slug, 'pieces', app['name'])}?{chosen}"

    lines = catalogue.app_lines(session, search, url, can="actions")
    context = _token_context(slug, id, reading.name_of(server)) | {"lines": lines, "search": search}
    return responses.page(request, "resources/mcp_servers/apps.html", context, fragments=("apps",))


@never_cache
@member(Role.BUILDER)
def token(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """GET asks for a reason. POST logs it, and then shows the token: only in this response, which is not stored.

    No htmx here: a fragment would be stored in the browser's history of the page. Raises EngineError.
    """
    session = engine_session.open_session(request.access)
    server = reading.fetch_server(session, id)
    name, secret = reading.name_of(server), text_at(server, "token")
    context: dict[str, object] = _token_context(slug, id, name)
    form = RevealForm(request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        return responses.form_page(request, "resources/mcp_servers/token.html", form, context)
    workspace = request.access.workspace
    event = audit_log.begin(
        actor(request),
        "mcp.reveal",
        workspace=workspace,
        object_type="mcp-servers",
        object_id=id[:120],
        object_name=name[:_LONGEST].replace("\x00", ""),
        reason=form.cleaned_data["reason"],
        credential=session.credential_id,
    )
    context |= {
        "sole": reading.sole(server),
        "secret": secret,
        "shown": True,
        "texts": clients.texts(workspace, server, secret),
        "key": clients.key(workspace),
    }
    page = responses.page(request, "resources/mcp_servers/token.html", context)
    audit_log.end(event)
    return page


def _token_context(slug: str, id: str, name: str) -> dict[str, object]:
    return {"list_url": list_url(slug, "mcp-servers"), "server_url": mcp_url(slug, id), "name": name}
