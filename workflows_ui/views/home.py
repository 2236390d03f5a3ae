"""The first page after sign-in: the person's workspaces and their latest launches. Asks no engine, so it works while one is down."""

from django.http import HttpResponse
from django.urls import path, reverse

from workflows_ui.kit import launch_right_words, nav, respond
from workflows_ui.kit.access import member, signed_in
from workflows_ui.kit.request import ConsoleRequest
from workflows_ui.models import AccessRequest, Launch, Role
from workflows_ui.services import access, launch_rights

_LATEST = 8


@signed_in
def home(request: ConsoleRequest) -> HttpResponse:
    """Workspaces, requests to be let in that wait, the latest launches."""
    workspaces = list(access.workspaces(request.user))
    launches = (
        Launch.objects.filter(user=request.user, workspace__in=workspaces)
        .select_related("workspace")
        .order_by("-asked_at")[:_LATEST]
    )
    waiting = AccessRequest.objects.filter(user=request.user, decided_at=None).select_related("workspace")
    context = {
        "places": [(workspace, nav.environment(workspace)) for workspace in workspaces],
        "launches": launches,
        "waiting": waiting,
    }
    return respond.page(request, "home.html", context)


@member(Role.VIEWER, guests=True)
def workspace(request: ConsoleRequest, slug: str) -> HttpResponse:
    """A workspace's own address leads to its flows; a guest is shown the flows that they may launch."""
    if request.access.guest:
        told = [launch_right_words.tell(right) for right in launch_rights.flows(request.access)]
        return respond.page(request, "launch_rights/mine.html", {"told": told})
    return respond.redirect(request, reverse("resource_list", kwargs={"slug": slug, "resource": "flows"}))


urlpatterns = [
    path("", home, name="home"),
    path("w/<slug:slug>/", workspace, name="workspace"),
]
