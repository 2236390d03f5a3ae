"""The first pages after sign-in: the person's workspaces, and the home of one. What needs the engine comes with a second look."""

from collections.abc import Collection
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
from workflows_ui.kit.access import closed, member, signed_in
from workflows_ui.kit.home_page import Form, Home, forms
from workflows_ui.kit.request import ConsoleRequest
from workflows_ui.models import AccessRequest, Launch, Role
from workflows_ui.resources import launchable, runs_elsewhere
from workflows_ui.resources.runs_elsewhere import Elsewhere
from workflows_ui.services import access, clients, launch_forms, launch_rights, visits

_LATEST = 8
#: Flows a page of the home; the cookie that remembers cards or rows.
FLOWS, VIEW_COOKIE, VIEWS = 60, "home", ("cards", "rows")
_YEAR = 365 * 24 * 3600
FLOWS_PART, ELSEWHERE_PART = "home-flows", "home-elsewhere"


@dataclass(frozen=True)
class Choice:
    """A flow that the person may launch."""

    id: str
    name: str
    starred: bool
    #: What its published form says of it; None where it has none.
    form: Form | None
    last: Launch | None


@signed_in
def home(request: ConsoleRequest) -> HttpResponse:
    """Workspaces, requests to be let in that wait, the latest launches. Whoever has one workspace only is led to its home.

    Of a workspace that demands a second step, whoever has none is told its name alone.
    """
    workspaces = list(access.workspaces(request.user))
    waiting = AccessRequest.objects.filter(user=request.user, decided_at=None).select_related("workspace")
    if len(workspaces) == 1 and not waiting and "all" not in request.GET:
        return respond.redirect(request, reverse("workspace", args=[workspaces[0].slug]))
    shut = closed(request, request.user, workspaces)
    opened = [workspace for workspace in workspaces if workspace.pk not in shut]
    launches = (
        Launch.objects.filter(user=request.user, workspace__in=opened)
        .select_related("workspace")
        .order_by("-asked_at")[:_LATEST]
    )
    acting = access.acting_in(request.user, opened)
    context = {
        "places": [
            (
                workspace,
                nav.environment(workspace),
                credential_words.whose(acting[workspace.pk]) if workspace.pk in acting else "",
                workspace.pk in shut,
            )
            for workspace in workspaces
        ],
        "launches": launches,
        "waiting": waiting,
    }
    return respond.page(request, "home.html", context)


@member(Role.VIEWER, guests=True)
def workspace(request: ConsoleRequest, slug: str) -> HttpResponse:
    """A workspace's home, at first from our own rows alone. Its fragments ask the engine (`?flows=1` without htmx): `home-flows` for the
    flows that can be launched, `home-elsewhere` for runs that the console did not start.

    A guest is shown the flows that they may launch.
    """
    place = request.access
    rights = launch_rights.flows(place) if place.rights else []
    said = forms(place.workspace, [right.flow_id for right in rights])
    told = [(launch_right_words.tell(right), said.get(right.flow_id)) for right in rights]
    if place.guest:
        return respond.page(request, "launch_rights/mine.html", {"told": told})
    fragment = respond.is_fragment(request)
    came = (visits.since if fragment else visits.came)(place.user, place.workspace)
    page = Home(place, came)
    view = request.GET.get("view", "") or request.COOKIES.get(VIEW_COOKIE, "")
    view = view if view in VIEWS else VIEWS[0]
    q = request.GET.get("q", "").strip()[:200]
    # Where JavaScript brings the second look, this is the first one.
    asked = fragment or any(name in request.GET for name in ("flows", "q", "view", "from"))
    context: dict[str, Any] = {"home": page, "told": told, "slug": slug, "view": view, "q": q, "asked": asked}
    wanted = request.headers.get("HX-Target", "") if fragment else ""
    if page.may_launch and wanted != ELSEWHERE_PART:
        context |= _flows(request, page, q) if asked else _own(page, place)
    if page.watches and asked and wanted != FLOWS_PART:
        context["elsewhere"] = _elsewhere(place, page)
    parts = (FLOWS_PART, ELSEWHERE_PART)
    response = respond.page(request, "home/workspace.html", context, fragments=parts)
    if request.GET.get("view") in VIEWS:
        response.set_cookie(VIEW_COOKIE, view, max_age=_YEAR, samesite="Lax", secure=request.is_secure(), httponly=True)
    return response


def _elsewhere(place: access.Access, page: Home) -> Elsewhere | None:
    """Runs that were started elsewhere; None where they cannot be told."""
    try:
        return runs_elsewhere.of(caller.of(place), page.since)
    except (clients.NoCredential, CannotOpen, AddressRefused):
        return None


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
    """The flows that can be launched, those with a published form first; where the engine does not tell, those with one as last saved."""
    place = request.access
    start = request.GET.get("from", "")
    at = int(start) if start.isdecimal() and len(start) < 7 else 0
    found: dict[str, Any] = {}
    formed = _formed(place)
    try:
        listed = launchable.of(caller.of(place), again=bool(q or at))
    except (EngineError, clients.NoCredential, CannotOpen, AddressRefused) as problem:
        found["problem"] = words.of_error(problem)
        named = list(formed.items())
    else:
        named = list(listed.flows)
        found |= {"notice": listed.notice, "misfits": listed.misfits if not (q or at) else ()}
    wanted = launchable.plain(q)
    return found | _choices(page, place, [one for one in named if wanted in launchable.plain(one[1])], formed, at)


def _own(page: Home, place: access.Access) -> dict[str, Any]:
    """What can be launched as far as our own rows tell."""
    formed = _formed(place)
    return _choices(page, place, list(formed.items()), formed, 0)


def _formed(place: access.Access) -> dict[str, str]:
    """Names of the flows with a published form as they were when it was last saved, by the flow's id: our own rows, without the engine."""
    return dict(launch_forms.all_published(place.workspace).values_list("flow_id", "flow_name"))


def _choices(
    page: Home, place: access.Access, named: list[tuple[str, str]], formed: Collection[str], at: int
) -> dict[str, Any]:
    """One page of these flows, (id, name): `forms` and `others`, favourites first in each and then by name, and where other pages begin."""
    named.sort(key=lambda one: (one[0] not in formed, one[0] not in page.favourites, launchable.plain(one[1]), one[0]))
    shown = named[at : at + FLOWS]
    keys = [key for key, _name in shown]
    last, told = page.last(keys), forms(place.workspace, [key for key in keys if key in formed])
    choices = [Choice(key, name, key in page.favourites, told.get(key), last.get(key)) for key, name in shown]
    return {
        "forms": [one for one in choices if one.id in formed],
        "others": [one for one in choices if one.id not in formed],
        "total": len(named),
        "first": at + 1,
        "last": at + len(shown),
        "older": at + FLOWS if at + FLOWS < len(named) else 0,
        "newer": max(0, at - FLOWS) if at else None,
    }


urlpatterns = [
    path("", home, name="home"),
    path("w/<slug:slug>/", workspace, name="workspace"),
    path("w/<slug:slug>/flows/<str:id>/star/", star, name="flow_star"),
]
