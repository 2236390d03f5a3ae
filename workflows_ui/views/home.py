"""The first pages after sign-in: the person's workspaces, and the home of one. What needs the engine comes with a second look."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.urls import path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from workflows_ui.crypto import CannotOpen
from workflows_ui.engine import AddressRefused, EngineError
from workflows_ui.kit import caller, credential_words, flow_facts, launch_right_words, nav, respond, words
from workflows_ui.kit.access import member, signed_in
from workflows_ui.kit.home_page import Home
from workflows_ui.kit.request import ConsoleRequest
from workflows_ui.kit.resource import Row, id_at
from workflows_ui.models import AccessRequest, Launch, LaunchForm, Role
from workflows_ui.resources import flow_pages
from workflows_ui.resources.flow_reading import name_of, trigger_of
from workflows_ui.services import access, clients, launch_rights, visits

_LATEST = 8
#: Flows a page of the home; the cookie that remembers cards or rows.
FLOWS, VIEW_COOKIE, VIEWS = 60, "home", ("cards", "rows")
_YEAR = 365 * 24 * 3600
FLOWS_PART = "home-flows"


@dataclass(frozen=True)
class Choice:
    """A flow that the person may launch."""

    id: str
    name: str
    starred: bool
    form: bool
    last: Launch | None


@signed_in
def home(request: ConsoleRequest) -> HttpResponse:
    """Workspaces, requests to be let in that wait, the latest launches. Whoever has one workspace only is led to its home."""
    workspaces = list(access.workspaces(request.user))
    waiting = AccessRequest.objects.filter(user=request.user, decided_at=None).select_related("workspace")
    if len(workspaces) == 1 and not waiting and "all" not in request.GET:
        return respond.redirect(request, reverse("workspace", args=[workspaces[0].slug]))
    launches = (
        Launch.objects.filter(user=request.user, workspace__in=workspaces)
        .select_related("workspace")
        .order_by("-asked_at")[:_LATEST]
    )
    acting = access.acting_in(request.user, workspaces)
    context = {
        "places": [
            (
                workspace,
                nav.environment(workspace),
                credential_words.whose(acting[workspace.pk]) if workspace.pk in acting else "",
            )
            for workspace in workspaces
        ],
        "launches": launches,
        "waiting": waiting,
    }
    return respond.page(request, "home.html", context)


@member(Role.VIEWER, guests=True)
def workspace(request: ConsoleRequest, slug: str) -> HttpResponse:
    """A workspace's home. Its fragment `home-flows` asks the engine for the flows that can be launched (`?flows=1` without htmx).

    A guest is shown the flows that they may launch.
    """
    place = request.access
    told = [launch_right_words.tell(right) for right in launch_rights.flows(place)] if place.rights else []
    if place.guest:
        return respond.page(request, "launch_rights/mine.html", {"told": told})
    fragment = respond.is_fragment(request)
    since = None if fragment else visits.came(place.user, place.workspace)
    page = Home(place, since)
    view = request.GET.get("view", "") or request.COOKIES.get(VIEW_COOKIE, "")
    view = view if view in VIEWS else VIEWS[0]
    context: dict[str, Any] = {
        "home": page,
        "told": told,
        "slug": slug,
        "view": view,
        "q": request.GET.get("q", "").strip()[:200],
        "asked": fragment or any(name in request.GET for name in ("flows", "q", "view", "from")),
    }
    if context["asked"] and page.may_launch:
        context |= _flows(request, page, context["q"])
    response = respond.page(request, "home/workspace.html", context, fragments=(FLOWS_PART,))
    if request.GET.get("view") in VIEWS:
        response.set_cookie(VIEW_COOKIE, view, max_age=_YEAR, samesite="Lax", secure=request.is_secure(), httponly=True)
    return response


@member(Role.LAUNCHER)
def star(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """Puts a flow among one's favourites, or takes it out (`stop`)."""
    place = request.access
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts=None) or not back.startswith("/"):
        back = reverse("workspace", args=[slug])
    if request.method == "POST" and "stop" in request.POST:
        visits.unstar(place.user, place.workspace, id)
    elif request.method == "POST" and not visits.star(place.user, place.workspace, id, _name(request, id)):
        messages.warning(request, _("You have as many favourites as there may be. Take one out first."))
    return respond.redirect(request, back)


def _name(request: ConsoleRequest, id: str) -> str:
    """The flow's name as the engine has it; what the page showed where it cannot be asked. Raises NotFound for a flow that is none."""
    try:
        return flow_facts.ask(caller.of(request.access).workflows, id).name
    except EngineError as problem:
        if problem.status in {403, 404}:
            raise
    except (clients.NoCredential, CannotOpen, AddressRefused):
        pass  # a favourite needs no engine
    return request.POST.get("name", "")[:1000] or id


def _flows(request: ConsoleRequest, page: Home, q: str) -> dict[str, Any]:
    """The flows that can be launched, or why they cannot be told."""
    place = request.access
    try:
        asker = caller.of(place)
        asked = flow_pages.Asked(name=q or None, status="ENABLED")
        found = flow_pages.page(asker, asked, request.GET.get("from", "")[:200], FLOWS)
    except (EngineError, clients.NoCredential, CannotOpen, AddressRefused) as problem:
        return {"problem": words.of_error(problem)}
    rows = [row for row in found.rows if _launchable(row)]
    forms = set(
        LaunchForm.objects.filter(
            workspace=place.workspace, flow_id__in=[id_at(row) for row in rows], published__isnull=False
        ).values_list("flow_id", flat=True)
    )
    last = page.last([id_at(row) for row in rows])
    choices = [
        Choice(key, name_of(row), key in page.favourites, key in forms, last.get(key))
        for row in rows
        for key in [id_at(row)]
    ]
    choices.sort(key=lambda one: not one.starred)
    return {"choices": choices, "older": found.older, "notice": found.notice}


def _launchable(row: Row) -> bool:
    """Whether a launch starts it: it is published and starts when it is called (api.md section 7)."""
    key = id_at(row)
    return bool(key and "/" not in key and row.get("publishedVersionId")) and (
        flow_facts.start_of(trigger_of(row)) == "call"
    )


urlpatterns = [
    path("", home, name="home"),
    path("w/<slug:slug>/", workspace, name="workspace"),
    path("w/<slug:slug>/flows/<str:id>/star/", star, name="flow_star"),
]
