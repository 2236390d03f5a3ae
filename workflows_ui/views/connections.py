"""The first step of a new connection: which app. The second is the app's own action (resources/pieces.py), or signing in there."""

from django.http import HttpResponse
from django.urls import path, reverse
from django.views.decorators.http import require_safe

from workflows_ui.kit import caller, respond
from workflows_ui.kit.access import member
from workflows_ui.kit.request import ConsoleRequest
from workflows_ui.models import Role
from workflows_ui.resources import apps, oauth_forms, pieces
from workflows_ui.resources.connecting import place_to_sign_in


@member(Role.BUILDER)
@require_safe
def new(request: ConsoleRequest, slug: str) -> HttpResponse:
    """The apps that take a connection, by name or as searched for. One call to the engine, remembered. Raises EngineError."""
    search = request.GET.get("search", "").strip()[:200]
    filters = {"connection": "yes", "search": search}
    found = [row for row in apps.catalogue(caller.of(request.access)) if pieces.fits(row, filters)]
    lines = [
        {
            "mark": apps.mark(apps.title(row)),
            "about": row["description"] or "",
            "url": place_to_sign_in(slug, row["name"])
            if row["auth"] == [oauth_forms.OWN]
            else pieces.CONNECT.url(slug, pieces.Pieces.name, row["name"]),
        }
        for row in found
        if row["name"].strip(" ./")
    ]
    list_url = reverse("resource_list", kwargs={"slug": slug, "resource": "connections"})
    context = {"lines": lines, "search": search, "list_url": list_url}
    return respond.page(request, "connections/new.html", context, fragments=("apps",))


urlpatterns = [path("w/<slug:slug>/connections/new/", new, name="connection_new")]
