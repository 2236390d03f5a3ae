"""What an MCP server has beside its page: the apps whose actions may become its tools, and the one place where its token is shown."""

from typing import Any

from django.http import Http404, HttpResponse
from django.urls import path, reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from workflows_ui.forms.mcp import RevealForm
from workflows_ui.kit import caller, respond
from workflows_ui.kit.access import member
from workflows_ui.kit.request import ConsoleRequest, actor
from workflows_ui.models import Role
from workflows_ui.resources import apps, mcp_clients, mcp_reading, pieces
from workflows_ui.resources.mcp_tools import ADD_APP_TOOL
from workflows_ui.resources.places import mcp_url
from workflows_ui.services import audit

_LONGEST = 1000


@member(Role.BUILDER)
@require_safe
def choose_app(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """The apps that have actions, by name or as searched for. Two calls to the engine, one remembered. Raises EngineError."""
    asking = caller.of(request.access)
    server = mcp_reading.hidden(mcp_reading.asked(asking, _known(id)))
    search = request.GET.get("search", "").strip()[:200]
    found = [row for row in apps.catalogue(asking) if pieces.fits(row, {"can": "actions", "search": search})]
    chosen = urlencode({"server": id})
    lines = [
        {
            "mark": apps.mark(apps.title(row)),
            "about": row["description"] or "",
            "url": f"{ADD_APP_TOOL.url(slug, pieces.Pieces.name, row['name'])}?{chosen}",
        }
        for row in found
        if row["name"].strip(" ./")
    ]
    context = _around(slug, id, mcp_reading.name_of(server)) | {"lines": lines, "search": search}
    return respond.page(request, "mcp/apps.html", context, fragments=("apps",))


@never_cache
@member(Role.BUILDER)
def token(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """GET asks for a reason. POST writes it down, and then shows the token: on this one answer, which nothing keeps.

    No htmx here: a fragment would come into the browser's history of the page. Raises EngineError.
    """
    asking = caller.of(request.access)
    server = mcp_reading.asked(asking, _known(id))
    name, secret = mcp_reading.name_of(server), mcp_reading.token_of(server)
    context: dict[str, Any] = _around(slug, id, name)
    form = RevealForm(request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        status = 422 if form.is_bound else 200
        return respond.page(request, "mcp/token.html", context | {"form": form}, status=status)
    workspace = request.access.workspace
    begun = audit.begin(
        actor(request),
        "mcp.reveal",
        workspace=workspace,
        object_type="mcp-servers",
        object_id=id[:120],
        object_name=name[:_LONGEST].replace("\x00", ""),
        reason=form.cleaned_data["reason"],
    )
    context |= {"secret": secret, "shown": True, "texts": mcp_clients.texts(workspace, name, secret)}
    context["key"] = mcp_clients.KEY if mcp_clients.needs_key(workspace) else ""
    page = respond.page(request, "mcp/token.html", context)
    audit.end(begun)
    return page


def _known(id: str) -> str:
    if not id.strip(" ."):
        raise Http404
    return id


def _around(slug: str, id: str, name: str) -> dict[str, Any]:
    return {
        "list_url": reverse("resource_list", kwargs={"slug": slug, "resource": "mcp-servers"}),
        "server_url": mcp_url(slug, id),
        "name": name,
    }


_PLACE = "w/<slug:slug>/mcp-servers/<str:id>"
urlpatterns = [
    path(f"{_PLACE}/apps/", choose_app, name="mcp_apps"),
    path(f"{_PLACE}/token/", token, name="mcp_token"),
]
